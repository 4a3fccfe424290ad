"""What each warning code means, in one sentence; `docs/warnings.md` has a section for each.

Codes come with every answer in every format, so that a script can refuse on them.
"""

from collections.abc import Iterable

WARNINGS: dict[str, str] = {
    "extrapolated-far": "The data needed is more than ten times the largest that was measured, further than "
    "forecasts were checked: measure larger sets before committing to it.",
    "below-measured": "The data or the model is less than a tenth of the smallest that was measured: nothing "
    "shows that the law holds for so small a training.",
    "floor-uncertain": "More than 5% of the draws never reach the target, so intervals are open at the top.",
    "no-floor": "The law has no irreducible error: that any target can be reached is assumed, not measured.",
    "no-interval": "The publication states no uncertainty: only the middle of the law is known, and an "
    "interval holds machines and prices alone.",
    "other-corpus": "The law was measured on the corpus of its authors: on yours error, exponent and model "
    "size may differ.",
    "embedded-corpus": "This law ships with the tool: it was calibrated on an embedded corpus and is here to "
    "try the tool with. It says nothing of your data: measure that with `planner calibrate --data`.",
    "no-size-law": "No law says how large a model this data wants, so parameters and FLOP are not known.",
    "no-compute": "Nothing says what training costs per unit of this data, so FLOP are not known.",
    "one-pass": "How often training sees the data was not measured: FLOP are for one pass over it.",
    "six-nd": "No model was counted: FLOP are the rule of thumb 6 x parameters x data.",
    "flops-from-hours": "FLOP were not logged: they are those of the GPU-hours at an assumed utilization, "
    "right for hours on the same part and a guess as FLOP.",
    "ladder-exceeded": "The model is outside the sizes whose cost was counted: FLOP are continued in a "
    "straight line.",
    "small-data-left-out": "The smallest sizes lie before the power law begins: the form was fitted without "
    "them.",
    "few-points": "The law stands on few points for its form: its shape is largely assumed.",
    "few-sizes": "The best model size took fewer than three values: how it grows with the data is assumed.",
    "one-size": "One model size was the best at every amount of data, or the only one: the answer "
    "keeps to it, and a larger one may need less data.",
    "one-point": "One data size was measured: how the error falls is the prior's word alone.",
    "no-trend": "The error falls by no more than the noise: how fast it falls is hardly known.",
    "not-converged": "The chain of the forecast was still moving when it ended: take its interval as rough.",
    "form-unsettled": "The sampling of a single form did not settle on these points: the forecast stands "
    "alone.",
    "rising": "The measured error rises with the data: something else than the data decides it.",
    "running-minimum": "The error never rises from scale to scale, as a best value so far does: what is "
    "measured next is expected to lie above the line through it.",
    "falling": "The best model gets smaller with more data: larger sizes cannot be told from that.",
    "sizes-cut": "Some shards were served best by the largest model tried: larger ones may do better.",
    "training-cut": "The largest shards were seen fewer times than the others and were still getting better: "
    "part of the floor may be too little training.",
    "zero-left-out": "Errors of exactly zero were left out: no law of this kind reaches zero.",
    "rate-above-one": "Some error rates are above 100%: those models had not begun to learn.",
    "importance-disagrees": "Two samplers of the posterior disagree: take the interval as rough.",
    "corpora-differ": "Laws that stand together here were measured on different corpora: part of what they "
    "say may be the corpus.",
    "metric-differs": "The families count something else under this metric's name: their slopes compare, "
    "their values do not.",
    "metric-chosen": "No metric was named and the law's domain has several: the first "
    "answered, name a target of another.",
    "repeats-assumed": "What repeated data is worth was not measured here: it is taken from language models.",
    "more-data-needed": "More data is needed than there is: what is missing has no price yet.",
    "domain-chosen": "Several domains have this metric: the newest answered, name one with --domain.",
    "utilization-assumed": "Nobody measured how much of the peak this model reaches: the band is that of "
    "well-tuned language models, small and recurrent models reach less.",
    "utilization-above-matmul": "The utilization reaches beyond the fastest matrix multiplication measured "
    "on this part.",
    "memory-bound": "Moving bytes takes longer than computing in most draws: more positions a step help.",
    "memory-unknown": "The size of the model is not known, so neither is the memory that it takes.",
    "model-larger-than-device": "One device does not hold the training: it has to be split over several.",
    "does-not-fit": "All devices together do not hold the training in most draws: take more or larger ones.",
    "part-uncertain": "The sources of this accelerator's figures do not agree, or there is only one, "
    "or it is weak.",
    "price-unknown": "No price is known for this accelerator: give one in a fleet file.",
    "price-old": "The newest price of this accelerator is older than a year.",
    "price-zero": "The price is zero, owned hardware: dollars leave out what an hour of it costs.",
    "power-unknown": "No power is published for this accelerator: give it in a fleet file for energy.",
}


def sentence(code: str) -> str:
    """Return the sentence of a code; a code that a newer version stored is shown as it is."""
    return WARNINGS.get(code, f"{code}: see docs/warnings.md.")


def told(codes: Iterable[str]) -> list[str]:
    """Return each code behind its sentence, for people."""
    return [f"{sentence(code)} [{code}]" for code in codes]


def records(codes: Iterable[str]) -> list[dict[str, str]]:
    """Return each code with its sentence, for scripts."""
    return [{"code": code, "sentence": sentence(code)} for code in codes]
