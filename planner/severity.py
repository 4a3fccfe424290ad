"""How much each warning matters to the reader of an answer: its severity, its rank, and one short line.

The order is the rank: where a screen has room for three warnings, those that come first here are printed.
`planner/warnings.py` has the full sentences.
"""

from collections.abc import Iterable
from enum import IntEnum

from laws.codes import WarningCode
from planner import warnings


class Severity(IntEnum):
    """What a warning means for a decision."""

    NOTE = 1  # good to know: printed with --explain
    CAUTION = 2  # the answer may be off
    SERIOUS = 3  # do not decide by this answer alone


_SERIOUS: dict[str, str] = {  # the most important first
    WarningCode.EMBEDDED_CORPUS: "An example law: it tells you nothing about your own data.",
    WarningCode.RISING: "The measured error rises with the data.",
    WarningCode.DOES_NOT_FIT: "The training does not fit on these devices.",
    WarningCode.ONE_POINT: "One measured data size: the slope is assumed.",
    WarningCode.NO_TREND: "The error falls no more than the noise.",
    WarningCode.EXTRAPOLATED_FAR: "More than ten times the data measured: too far to plan on.",
    WarningCode.NO_INTERVAL: "The source states no uncertainty of its law.",
    WarningCode.MEASURED_OFF_LAW: "The source's own largest run is worse than its law says.",
    WarningCode.BELOW_MEASURED: "Less than a tenth of the smallest training measured.",
    WarningCode.NOT_CONVERGED: "The sampling did not converge: intervals are rough.",
    WarningCode.IMPORTANCE_DISAGREES: "Two samplers disagree: intervals are rough.",
    WarningCode.UTILIZATION_ABOVE_MATMUL: "The utilization is above what this accelerator reaches.",
}
_CAUTION: dict[str, str] = {
    WarningCode.FEW_POINTS: "Few measurements: the curve's shape is mostly assumed.",
    WarningCode.FLOOR_UNCERTAIN: "In more than 5% of outcomes the target is never reached.",
    WarningCode.OTHER_CORPUS: "Measured on its authors' data; yours may differ.",
    WarningCode.STUDIES_DISAGREE: "Another published law says a value outside this interval.",
    WarningCode.UNIT_UNCONFIRMED: "The source does not settle what this law counts.",
    WarningCode.MORE_DATA_NEEDED: "It needs more data than you have, and that has no price.",
    WarningCode.DOMAIN_CHOSEN: "Several domains have this metric; the newest law answered.",
    WarningCode.METRIC_CHOSEN: "The domain has several metrics; the first one was used.",
    WarningCode.NEWEST_NOT_BEST: "The newest law is not of the most probable family.",
    WarningCode.NO_FLOOR: "A law without a floor: it reaches every target.",
    WarningCode.DEVICE_NOT_LISTED: "GPU-hours are left out: their device is not in the table.",
    WarningCode.FLOPS_ABOVE_PEAK: "Some logged FLOP exceed what the device can compute.",
    WarningCode.FLOPS_FROM_HOURS: "Compute comes from GPU-hours: good on the same accelerator.",
    WarningCode.PRICE_UNKNOWN: "This accelerator has no known price.",
    WarningCode.PRICE_OLD: "The newest price is more than a year old.",
    WarningCode.UTILIZATION_ASSUMED: "The utilization is predicted, not measured.",
    WarningCode.MODEL_LARGER_THAN_DEVICE: "The training does not fit on one device: split it.",
    WarningCode.REPEATS_ASSUMED: "What repeated data is worth is taken from other models.",
    WarningCode.SIZES_CUT: "The best model was the largest or smallest that was tried.",
    WarningCode.TRAINING_CUT: "Training on the most data stopped early: the floor may be lower.",
    WarningCode.CORPORA_DIFFER: "The laws of this answer were measured on different data.",
    WarningCode.METRIC_DIFFERS: "The families define this metric differently.",
    WarningCode.FALLING: "The best model shrinks with more data: sizes are unreliable.",
    WarningCode.RATE_ABOVE_ONE: "Some error rates are above 100%: those models had not learned.",
    WarningCode.PRICE_ZERO: "The price is zero: dollars leave out hours on your own devices.",
    WarningCode.FORM_UNSETTLED: "Only the forecast is available: a single form did not converge.",
    WarningCode.FEW_SIZES: "Few model sizes: growth with the data is assumed.",
    WarningCode.LADDER_EXCEEDED: "The model is outside the sizes whose cost was counted.",
    WarningCode.NO_SIZE_LAW: "Model size and compute are not known.",
    WarningCode.NO_COMPUTE: "The compute per unit of data is not known.",
}
_NOTE: dict[str, str] = {
    WarningCode.STANDARD_ERRORS: "The interval is from the source's own standard errors.",
    WarningCode.BETWEEN_STUDIES: "The interval is how far published studies differ.",
    WarningCode.NO_CHECK_POINT: "No published figure to check this law against.",
    WarningCode.ONE_SIZE: "One model size: a larger one might need less data.",
    WarningCode.RUNNING_MINIMUM: "The error never rises, as with a running minimum.",
    WarningCode.MEMORY_BOUND: "Memory bandwidth limits the training.",
    WarningCode.SMALL_DATA_LEFT_OUT: "The smallest data sizes were left out of the form.",
    WarningCode.POINTS_MERGED: "Neighboring data sizes were merged to their median.",
    WarningCode.ZERO_LEFT_OUT: "Errors of zero were left out.",
    WarningCode.ONE_PASS: "Compute is for one epoch.",
    WarningCode.SIX_ND: "Compute is approximated as 6 x parameters x data.",
    WarningCode.MEMORY_UNKNOWN: "The memory that training needs is not known.",
    WarningCode.PART_UNCERTAIN: "The accelerator's specifications are uncertain.",
    WarningCode.POWER_UNKNOWN: "The accelerator's power is not known.",
}
_OF: dict[str, tuple[Severity, str]] = {
    code: (severity, text)
    for severity, texts in (
        (Severity.SERIOUS, _SERIOUS),
        (Severity.CAUTION, _CAUTION),
        (Severity.NOTE, _NOTE),
    )
    for code, text in texts.items()
}
_RANK = {code: rank for rank, code in enumerate(_OF)}


def severity(code: str) -> Severity:
    """Return how much a warning matters; a code that a newer version stored is a caution."""
    return _OF[code][0] if code in _OF else Severity.CAUTION


def short(code: str) -> str:
    """Return a warning in one line; for a code without a short line, its full sentence."""
    return _OF[code][1] if code in _OF else warnings.sentence(code)


def ranked(codes: Iterable[str]) -> list[str]:
    """Return codes with the most important first; unknown ones are the last of the cautions.

    Args:
        codes: The codes of an answer.

    Returns:
        Every code once.
    """
    last = len(_SERIOUS) + len(_CAUTION) - 0.5
    return sorted(dict.fromkeys(codes), key=lambda code: _RANK.get(code, last))


def most_important(codes: Iterable[str], *, most: int = 3) -> list[str]:
    """Return the warnings that matter most, one short line each, and how many more there are.

    Args:
        codes: The codes of an answer, or of many.
        most: How many lines.

    Returns:
        Lines such as "Few measurements: ... [few-points]"; no notes.
    """
    kept = [code for code in ranked(codes) if severity(code) > Severity.NOTE]
    more = len(kept) - most
    return [
        *(f"{short(code)} [{code}]" for code in kept[:most]),
        *([f"{more} more, in JSON."] if more > 0 else []),
    ]
