"""The codes of warnings: what a law, a plan or a sweep says of itself, as data.

The command line and the review page turn a code into a sentence (`planner/warnings.py`);
docs/reference/warnings.md explains each. A record may hold a code that a newer version wrote, so records keep
them as text.
"""

from enum import StrEnum


class WarningCode(StrEnum):
    """Every warning that an answer, a law or a sweep can carry."""

    EXTRAPOLATED_FAR = "extrapolated-far"
    BELOW_MEASURED = "below-measured"
    FLOOR_UNCERTAIN = "floor-uncertain"
    NO_FLOOR = "no-floor"
    NO_INTERVAL = "no-interval"
    OTHER_CORPUS = "other-corpus"
    EMBEDDED_CORPUS = "embedded-corpus"
    NO_SIZE_LAW = "no-size-law"
    NO_COMPUTE = "no-compute"
    ONE_PASS = "one-pass"
    SIX_ND = "six-nd"
    FLOPS_FROM_HOURS = "flops-from-hours"
    LADDER_EXCEEDED = "ladder-exceeded"
    SMALL_DATA_LEFT_OUT = "small-data-left-out"
    FEW_POINTS = "few-points"
    FEW_SIZES = "few-sizes"
    ONE_SIZE = "one-size"
    ONE_POINT = "one-point"
    NO_TREND = "no-trend"
    NOT_CONVERGED = "not-converged"
    FORM_UNSETTLED = "form-unsettled"
    RISING = "rising"
    RUNNING_MINIMUM = "running-minimum"
    FALLING = "falling"
    SIZES_CUT = "sizes-cut"
    TRAINING_CUT = "training-cut"
    ZERO_LEFT_OUT = "zero-left-out"
    RATE_ABOVE_ONE = "rate-above-one"
    IMPORTANCE_DISAGREES = "importance-disagrees"
    CORPORA_DIFFER = "corpora-differ"
    METRIC_DIFFERS = "metric-differs"
    METRIC_CHOSEN = "metric-chosen"
    REPEATS_ASSUMED = "repeats-assumed"
    MORE_DATA_NEEDED = "more-data-needed"
    DOMAIN_CHOSEN = "domain-chosen"
    UTILIZATION_ASSUMED = "utilization-assumed"
    UTILIZATION_ABOVE_MATMUL = "utilization-above-matmul"
    MEMORY_BOUND = "memory-bound"
    MEMORY_UNKNOWN = "memory-unknown"
    MODEL_LARGER_THAN_DEVICE = "model-larger-than-device"
    DOES_NOT_FIT = "does-not-fit"
    PART_UNCERTAIN = "part-uncertain"
    PRICE_UNKNOWN = "price-unknown"
    PRICE_OLD = "price-old"
    PRICE_ZERO = "price-zero"
    POWER_UNKNOWN = "power-unknown"
