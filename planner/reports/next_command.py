"""The next command: what to ask or measure after an answer, ready to run."""

import shlex

from planner import units
from planner.lawmodel.selector import SINGLE_FORM, LawSelector
from planner.plans.plan import Plan
from planner.plans.question import PAIR

NEAR_TARGETS = (1.0, 1.05, 1.1)  # factors of the target's error: what easier targets need
NEAR_RATES = (1.0, 1.25, 1.5)  # the same where the error is a rate
NEAR_REACH = 10  # times the largest measured data
MIN_NEAR = 0.1  # probability of a target within it, below which no run that one can train says much about it
NEAR_AMOUNTS = (1, 2, 4)
OWN = ("calibrated", "fitted")  # laws of runs that one can add to
_NAMED_TARGETS = ("wer", "cer", "loss")  # metrics with an option of their own


def next_command(plan: Plan, *, store: str = "", fleet: str = "") -> str:
    """Return the command that most helps after an answer.

    Args:
        plan: The answer.
        store: Folder of the store, where it was named.
        fleet: The fleet file, where it was named.

    Returns:
        The command, quoted for a shell: of the runs to add where the target's law is your own, else of the
        same question for other values.
    """
    words = _words(plan)
    if not words:
        return ""
    takes_fleet = words[0] != "laws"
    words += ["--fleet", fleet] if fleet and takes_fleet else []
    words += ["--store", store] if store else []
    return " ".join(("planner", *map(shlex.quote, words)))


def _words(plan: Plan) -> list[str]:
    model, question = plan.estimate.law_model, plan.question
    if model.law.source == "published":
        return ["laws", "show", model.law.id]
    selector = selector_words(question.selector)
    if question.target is not None:
        near = plan.estimate.reached_within(NEAR_REACH) or 0.0
        if model.law.source in OWN and not model.is_joint and near >= MIN_NEAR:
            return ["next", *selector, *target_words(model.law.metric, question.target), *_prices(plan)]
        factors = NEAR_RATES if model.law.metric_unit == "fraction" else NEAR_TARGETS
        values = [target_text(plan, factor) for factor in factors]
        return ["what-if", *selector, *target_words(model.law.metric, ",".join(values)), *_hardware(plan)]
    hardware = _hardware(plan)
    if plan.given in ("data", "params", "flops"):
        values = [_amount(plan, plan.given, factor) for factor in NEAR_AMOUNTS]
        return ["what-if", *_with_metric(selector, plan), f"--{plan.given}", ",".join(values), *hardware]
    if plan.given == PAIR:
        return []
    against = [] if model.has_flops else ["--against", "data"]
    return ["frontier", *_with_metric(selector, plan), *hardware, *against]


def selector_words(selector: LawSelector, *, metric: bool = False) -> list[str]:
    """Return the options that select a law.

    Args:
        selector: The filter.
        metric: Whether to name the metric too, for a command without a target.

    Returns:
        Words of a command line, not quoted.
    """
    words = []
    for name in ("domain", "family", "source", "law", "form", *(("metric",) if metric else ())):
        value = getattr(selector, name)
        if value is not None:
            words += ["--single-form"] if value == SINGLE_FORM else [f"--{name}", value]
    return words


def target_words(metric: str, value: str) -> list[str]:
    """Return the option of a target, with its values."""
    if metric in _NAMED_TARGETS:
        return [f"--target-{metric}", value]
    return ["--target", f"{metric}={value}"]


def target_text(plan: Plan, factor: float = 1.0) -> str:
    """Return the target of a plan times a factor as one types it."""
    estimate = plan.estimate
    assert estimate.target is not None
    text = estimate.law.format_error(estimate.target * factor)
    return text.split()[0]


def _with_metric(selector: list[str], plan: Plan) -> list[str]:
    metric = plan.question.selector.metric
    return [*selector, *(["--metric", metric] if metric else [])]


def _hardware(plan: Plan) -> list[str]:
    hardware, words = plan.question.hardware, []
    if hardware.on is not None:
        words = ["--on", hardware.on, *(["--count", str(hardware.count)] if hardware.count else [])]
        words += ["--precision", hardware.precision] if hardware.precision else []
    return words


def _prices(plan: Plan) -> list[str]:
    """Return the options that price a run."""
    supply, hardware = plan.question.supply, plan.question.hardware
    words = [] if hardware.on is None else ["--on", hardware.on]
    words += ["--count", str(hardware.count)] if hardware.count else []
    for name in ("have_data", "data_price"):
        value = getattr(supply, name)
        words += [] if value is None else [f"--{name.replace('_', '-')}", value]
    return words


def _amount(plan: Plan, given: str, factor: float) -> str:
    """Return a multiple of the quantity that was given, as one types it."""
    if given == "data":
        unit = "h" if plan.estimate.data.unit == units.AUDIO_UNIT else f" {plan.estimate.data.unit}"
        return f"{(plan.parsed.data or 0.0) * factor:.6g}{unit}"
    if given == "flops":
        return units.format_flops((plan.parsed.flops or 0.0) * factor)
    return units.format_number((plan.parsed.params or 0.0) * factor)
