"""Sentences that `planner estimate` prints, and that the what-if panel of a review page prints again.

The page receives `PANEL` as data, so each sentence exists once. `{names}` are filled with printed values.
"""

from planner.plans.question import Limits

TIMES_MEASURED = "Times the largest measured data"  # the label of the row without a quantity of its own
UNKNOWN, NEVER = "-", "never"  # cells: no value is known; the target is never reached
REACHABLE = "Probability that the target can be reached: {probability}{within}."
WITHIN_DATA = (
    "; {near_probability} with at most {near} times the largest measured data, "
    "{far_probability} with {far} times"
)
CONFIDENT = "This plan reaches the target with probability {probability}."
IF_REACHABLE = "If the target can be reached, it needs {median} (90% interval: {low} to {high})."
FEASIBLE = "The plan meets all its limits with probability {probability}{by_limit}."
EACH_LIMIT = " ({limits})"
TIGHTEST = "Tightest limit: {limit}."
NO_RISK = "Each limit holds in every posterior sample."
LIMITS = {
    "budget": "budget",
    "deadline": "deadline",
    "gpu_hours": "GPU-hours",
    "memory": "device memory",
    "data": "available data",
    "target": "target",
}
WORSENING = "not known, because the metric gets worse with more data"
NOT_STATED, ALMOST_SURE, ALMOST_NEVER = "not stated by the publication", "more than 99%", "less than 1%"

PANEL: dict[str, str] = {
    "times_measured": TIMES_MEASURED,
    "unknown": UNKNOWN,
    "never": NEVER,
    "reachable": REACHABLE,
    "within_data": WITHIN_DATA,
    "confident": CONFIDENT,
    "if_reachable": IF_REACHABLE,
    "feasible": FEASIBLE,
    "each_limit": EACH_LIMIT,
    "tightest": TIGHTEST,
    "no_risk": NO_RISK,
    "not_stated": NOT_STATED,
    "worsening": WORSENING,
    "almost_sure": ALMOST_SURE,
    "almost_never": ALMOST_NEVER,
    **{f"limit_{name}": text for name, text in LIMITS.items()},
}


def limit_texts(limits: Limits) -> list[str]:
    """Return limits as they were written, GPU-hours with their unit.

    Args:
        limits: The limits of a question.

    Returns:
        One text per limit that is set.
    """
    hours = limits.gpu_hours
    unit = "" if hours is None or "gpu" in hours.lower() else " GPU-hours"
    texts = (limits.budget, None if hours is None else hours.strip() + unit, limits.deadline)
    return [text.strip() for text in texts if text is not None]


def probability(value: float | None) -> str:
    """Return a probability in words; none is certain, because posterior samples are finite.

    Args:
        value: A share of posterior samples; None where the law has no posterior.

    Returns:
        Text such as `44%` or `more than 99%`.
    """
    if value is None:
        return NOT_STATED
    if value > 0.995:
        return ALMOST_SURE
    return ALMOST_NEVER if value < 0.005 else f"{100 * value:.0f}%"


# a probability by a law without a posterior would take the law for exactly right
