"""What each warning code means, as a sentence; `docs/reference/warnings.md` explains each in a section.

Every answer carries its codes in every format, so that a script can decide on them.
"""

from collections.abc import Iterable

from laws.codes import WarningCode

WARNINGS: dict[str, str] = {
    WarningCode.EXTRAPOLATED_FAR: (
        "The data needed is more than ten times your largest measurement, further than forecasts were "
        "validated. Measure larger data sizes before you commit to it."
    ),
    WarningCode.BELOW_MEASURED: (
        "The data or the model is less than a tenth of the smallest measured one. Nothing shows that the "
        "law is valid for so small a training."
    ),
    WarningCode.FLOOR_UNCERTAIN: (
        "More than 5% of the posterior samples never reach the target, so the intervals have no upper end."
    ),
    WarningCode.NO_FLOOR: (
        "The law has no irreducible error. That every target can be reached is an assumption, not a "
        "measurement."
    ),
    WarningCode.NO_INTERVAL: (
        "The paper reports no uncertainty. Intervals here cover hardware and price uncertainty only."
    ),
    WarningCode.BETWEEN_STUDIES: (
        "The interval is that of another study of the same question, by how far published studies differ. "
        "It is not from measurements of yours."
    ),
    WarningCode.STANDARD_ERRORS: (
        "The interval is from the standard errors that the source states for its own data and its own form. "
        "Other studies may differ by more."
    ),
    WarningCode.STUDIES_DISAGREE: (
        "Another published law of the same question gives a value outside this interval."
    ),
    WarningCode.UNIT_UNCONFIRMED: (
        "The source does not settle what this law counts: its unit or metric is not confirmed."
    ),
    WarningCode.NO_CHECK_POINT: ("No published figure was found to check the constants of this law against."),
    WarningCode.MEASURED_OFF_LAW: (
        "The source's own largest measurement is worse than its law says: expect more error at scale."
    ),
    WarningCode.OTHER_CORPUS: (
        "The law was measured on its authors' corpus: error, exponent and model size may differ on your data."
    ),
    WarningCode.EMBEDDED_CORPUS: (
        "This example law was fitted to a corpus that comes with the tool. It tells you nothing about your "
        "own data: measure that with `planner calibrate --data`."
    ),
    WarningCode.NO_SIZE_LAW: "No model-size law is available, so parameters and FLOP cannot be estimated.",
    WarningCode.NO_COMPUTE: (
        "No compute cost per unit of this data is available, so FLOP cannot be estimated."
    ),
    WarningCode.ONE_PASS: "The number of epochs was not measured: FLOP are for one epoch.",
    WarningCode.SIX_ND: "No model was counted exactly: FLOP are the approximation 6 x parameters x data.",
    WarningCode.DEVICE_NOT_LISTED: (
        "GPU-hours are left out: their device is not in the table of accelerators. Fit again with the peak "
        "of the device."
    ),
    WarningCode.FLOPS_ABOVE_PEAK: (
        "Some logged FLOP are more than the device can compute in the logged GPU-hours, so these trainings "
        "say nothing about its utilization. Check FLOP, GPU-hours and device."
    ),
    WarningCode.FLOPS_FROM_HOURS: (
        "FLOP were not logged: they are computed from GPU-hours at an assumed utilization. Hours on the "
        "same accelerator are right; the FLOP are approximate."
    ),
    WarningCode.LADDER_EXCEEDED: (
        "The model is outside the range of sizes with a counted cost: FLOP are extrapolated linearly."
    ),
    WarningCode.SMALL_DATA_LEFT_OUT: (
        "The smallest data sizes come before the power-law region: the form was fitted without them."
    ),
    WarningCode.FEW_POINTS: "The law has few points for its form, so its shape is largely assumed.",
    WarningCode.POINTS_MERGED: (
        "There were more than 500 data sizes: those within one of 250 equal steps of their range were merged "
        "to their median."
    ),
    WarningCode.FEW_SIZES: (
        "The best model had fewer than three different sizes, so its growth with the data is assumed."
    ),
    WarningCode.ONE_SIZE: (
        "The same model size was best at every data size, or was the only one tried. The answer keeps that "
        "size; a larger model might need less data."
    ),
    WarningCode.ONE_POINT: "Only one data size was measured, so the slope comes entirely from the prior.",
    WarningCode.NO_TREND: "The metric improves by no more than the noise, so the slope is poorly known.",
    WarningCode.NOT_CONVERGED: (
        "The forecast's sampling chain had not converged: treat its interval as approximate."
    ),
    WarningCode.FORM_UNSETTLED: (
        "Sampling a single functional form did not converge on these points, so only the forecast is "
        "available."
    ),
    WarningCode.RISING: (
        "The metric gets worse with more data: something other than the amount of data determines it."
    ),
    WarningCode.RUNNING_MINIMUM: (
        "The metric never gets worse from one scale to the next, as with a running best. Expect the next "
        "measurement to be worse than the fitted line."
    ),
    WarningCode.FALLING: (
        "The best model gets smaller with more data, so larger model sizes cannot be estimated."
    ),
    WarningCode.SIZES_CUT: (
        "At some data sizes the best model was the largest or the smallest one tried; one beyond might do "
        "better."
    ),
    WarningCode.TRAINING_CUT: (
        "Training stopped earlier on the largest shards, while the error was still falling. Part of the "
        "floor may be insufficient training."
    ),
    WarningCode.ZERO_LEFT_OUT: "Errors of exactly zero were left out: no law of this kind reaches zero.",
    WarningCode.RATE_ABOVE_ONE: "Some error rates are above 100%: those models had not started to learn.",
    WarningCode.IMPORTANCE_DISAGREES: (
        "Two samplers of the posterior disagree: treat the interval as approximate."
    ),
    WarningCode.CORPORA_DIFFER: (
        "These laws were measured on different corpora, which may explain part of their differences."
    ),
    WarningCode.METRIC_DIFFERS: (
        "The families define this metric differently: compare their slopes, not their values."
    ),
    WarningCode.NEWEST_NOT_BEST: (
        "The newest law is not of the family that is most probably best. The answer takes the best family in "
        "each posterior sample; choose one with --family."
    ),
    WarningCode.METRIC_CHOSEN: (
        "You named no metric and the domain has several: the first one was used. Name the metric to choose "
        "another."
    ),
    WarningCode.REPEATS_ASSUMED: (
        "The value of repeated data was not measured here: it is taken from language models."
    ),
    WarningCode.MORE_DATA_NEEDED: (
        "The answer needs more data than you have, and the missing data has no price yet."
    ),
    WarningCode.DOMAIN_CHOSEN: (
        "Several domains have this metric: the newest law was used. Name the domain to choose another."
    ),
    WarningCode.UTILIZATION_ASSUMED: (
        "The utilization of this model was not measured: it is predicted from published trainings of "
        "transformers. Recurrent models may reach less."
    ),
    WarningCode.UTILIZATION_ABOVE_MATMUL: (
        "The utilization exceeds the fastest matrix multiplication measured on this accelerator."
    ),
    WarningCode.MEMORY_BOUND: (
        "In most posterior samples training is limited by memory bandwidth. More positions per step reduce "
        "the time."
    ),
    WarningCode.MEMORY_UNKNOWN: "The model size is unknown, so its memory use is unknown too.",
    WarningCode.MODEL_LARGER_THAN_DEVICE: "The training does not fit on one device: split it over several.",
    WarningCode.DOES_NOT_FIT: (
        "In most posterior samples the training does not fit on all devices together: use more or larger "
        "ones."
    ),
    WarningCode.PART_UNCERTAIN: (
        "The specifications of this accelerator are uncertain: its sources disagree, are weak, or there is "
        "only one."
    ),
    WarningCode.PRICE_UNKNOWN: "This accelerator has no known price: set one in a fleet file.",
    WarningCode.PRICE_OLD: "The newest price of this accelerator is more than a year old.",
    WarningCode.PRICE_ZERO: (
        "The price is zero, as for hardware you own: dollars leave out the cost of an hour on it."
    ),
    WarningCode.POWER_UNKNOWN: (
        "This accelerator has no published power: set it in a fleet file to get energy."
    ),
}


def sentence(code: str) -> str:
    """Return the sentence of a code.

    Args:
        code: A code, possibly one that a newer version stored.

    Returns:
        The sentence; for an unknown code, the code and where to look it up.
    """
    return WARNINGS.get(code, f"{code}: see docs/reference/warnings.md.")


def with_codes(codes: Iterable[str]) -> list[str]:
    """Return the sentence of each code, followed by the code, for people.

    Args:
        codes: The codes, in the order to show.

    Returns:
        One line per code, such as "Only one data size was measured, ... [one-point]".
    """
    return [f"{sentence(code)} [{code}]" for code in codes]


def records(codes: Iterable[str]) -> list[dict[str, str]]:
    """Return each code with its sentence, for scripts.

    Args:
        codes: The codes, in the order to show.

    Returns:
        One record per code with the keys `code` and `sentence`.
    """
    return [{"code": code, "sentence": sentence(code)} for code in codes]
