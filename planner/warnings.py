"""What each warning code means, in one sentence; `docs/reference/warnings.md` has a section for each.

Codes come with every answer in every format, so that a script can refuse on them.
"""

from collections.abc import Iterable

from laws.codes import WarningCode

WARNINGS: dict[str, str] = {
    WarningCode.EXTRAPOLATED_FAR: "The data needed is more than ten times the largest that was measured, further than "
    "forecasts were checked: measure larger sets before committing to it.",
    WarningCode.BELOW_MEASURED: "The data or the model is less than a tenth of the smallest that was measured: nothing "
    "shows that the law holds for so small a training.",
    WarningCode.FLOOR_UNCERTAIN: "More than 5% of the draws never reach the target, so intervals are open at the top.",
    WarningCode.NO_FLOOR: "The law has no irreducible error: that any target can be reached is assumed, not measured.",
    WarningCode.NO_INTERVAL: "The publication states no uncertainty: only the middle of the law is known, and an "
    "interval holds machines and prices alone.",
    WarningCode.OTHER_CORPUS: "The law was measured on the corpus of its authors: on yours error, exponent and model "
    "size may differ.",
    WarningCode.EMBEDDED_CORPUS: "This law ships with the tool: it was calibrated on an embedded corpus and is here to "
    "try the tool with. It says nothing of your data: measure that with `planner calibrate --data`.",
    WarningCode.NO_SIZE_LAW: "No law says how large a model this data wants, so parameters and FLOP are not known.",
    WarningCode.NO_COMPUTE: "Nothing says what training costs per unit of this data, so FLOP are not known.",
    WarningCode.ONE_PASS: "How often training sees the data was not measured: FLOP are for one pass over it.",
    WarningCode.SIX_ND: "No model was counted: FLOP are the rule of thumb 6 x parameters x data.",
    WarningCode.FLOPS_FROM_HOURS: "FLOP were not logged: they are those of the GPU-hours at an assumed utilization, "
    "right for hours on the same part and a guess as FLOP.",
    WarningCode.LADDER_EXCEEDED: "The model is outside the sizes whose cost was counted: FLOP are continued in a "
    "straight line.",
    WarningCode.SMALL_DATA_LEFT_OUT: "The smallest sizes lie before the power law begins: the form was fitted without "
    "them.",
    WarningCode.FEW_POINTS: "The law stands on few points for its form: its shape is largely assumed.",
    WarningCode.FEW_SIZES: "The best model size took fewer than three values: how it grows with the data is assumed.",
    WarningCode.ONE_SIZE: "One model size was the best at every amount of data, or the only one: the answer "
    "keeps to it, and a larger one may need less data.",
    WarningCode.ONE_POINT: "One data size was measured: how the error falls is the prior's word alone.",
    WarningCode.NO_TREND: "The error falls by no more than the noise: how fast it falls is hardly known.",
    WarningCode.NOT_CONVERGED: "The chain of the forecast was still moving when it ended: take its interval as rough.",
    WarningCode.FORM_UNSETTLED: "The sampling of a single form did not settle on these points: the forecast stands "
    "alone.",
    WarningCode.RISING: "The measured error rises with the data: something else than the data decides it.",
    WarningCode.RUNNING_MINIMUM: "The error never rises from scale to scale, as a best value so far does: what is "
    "measured next is expected to lie above the line through it.",
    WarningCode.FALLING: "The best model gets smaller with more data: larger sizes cannot be told from that.",
    WarningCode.SIZES_CUT: "Some shards were served best by the largest model tried: larger ones may do better.",
    WarningCode.TRAINING_CUT: "The largest shards were seen fewer times than the others and were still getting better: "
    "part of the floor may be too little training.",
    WarningCode.ZERO_LEFT_OUT: "Errors of exactly zero were left out: no law of this kind reaches zero.",
    WarningCode.RATE_ABOVE_ONE: "Some error rates are above 100%: those models had not begun to learn.",
    WarningCode.IMPORTANCE_DISAGREES: "Two samplers of the posterior disagree: take the interval as rough.",
    WarningCode.CORPORA_DIFFER: "Laws that stand together here were measured on different corpora: part of what they "
    "say may be the corpus.",
    WarningCode.METRIC_DIFFERS: "The families count something else under this metric's name: their slopes compare, "
    "their values do not.",
    WarningCode.METRIC_CHOSEN: "No metric was named and the law's domain has several: the first "
    "answered, name a target of another.",
    WarningCode.REPEATS_ASSUMED: "What repeated data is worth was not measured here: it is taken from language models.",
    WarningCode.MORE_DATA_NEEDED: "More data is needed than there is: what is missing has no price yet.",
    WarningCode.DOMAIN_CHOSEN: "Several domains have this metric: the newest answered, name one with --domain.",
    WarningCode.UTILIZATION_ASSUMED: "Nobody measured how much of the peak this model reaches: the band is that of "
    "well-tuned language models, small and recurrent models reach less.",
    WarningCode.UTILIZATION_ABOVE_MATMUL: "The utilization reaches beyond the fastest matrix multiplication measured "
    "on this part.",
    WarningCode.MEMORY_BOUND: "Moving bytes takes longer than computing in most draws: more positions a step help.",
    WarningCode.MEMORY_UNKNOWN: "The size of the model is not known, so neither is the memory that it takes.",
    WarningCode.MODEL_LARGER_THAN_DEVICE: "One device does not hold the training: it has to be split over several.",
    WarningCode.DOES_NOT_FIT: "All devices together do not hold the training in most draws: take more or larger ones.",
    WarningCode.PART_UNCERTAIN: "The sources of this accelerator's figures do not agree, or there is only one, "
    "or it is weak.",
    WarningCode.PRICE_UNKNOWN: "No price is known for this accelerator: give one in a fleet file.",
    WarningCode.PRICE_OLD: "The newest price of this accelerator is older than a year.",
    WarningCode.PRICE_ZERO: "The price is zero, owned hardware: dollars leave out what an hour of it costs.",
    WarningCode.POWER_UNKNOWN: "No power is published for this accelerator: give it in a fleet file for energy.",
}


def sentence(code: str) -> str:
    """Return the sentence of a code; a code that a newer version stored is shown as it is."""
    return WARNINGS.get(code, f"{code}: see docs/reference/warnings.md.")


def with_codes(codes: Iterable[str]) -> list[str]:
    """Return the sentence of each code, followed by the code, for people."""
    return [f"{sentence(code)} [{code}]" for code in codes]


def records(codes: Iterable[str]) -> list[dict[str, str]]:
    """Return each code with its sentence, for scripts."""
    return [{"code": code, "sentence": sentence(code)} for code in codes]
