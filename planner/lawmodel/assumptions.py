"""What a law model takes for granted, as data: a code and its values.

`planner/reports/assumption_text.py` makes the sentences.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple


class AssumptionCode(StrEnum):
    """Every assumption that a law model can carry, with the values that come along."""

    STORED_LAW = "stored-law"  # law, source, form, points, smallest, largest, unit, forms
    PUBLISHED_LAW = "published-law"  # law, citation, locator, confidence, range
    BETWEEN_STUDIES = "between-studies"  # studies
    JOINT_DRIFT = "joint-drift"  # rate: standard deviation of log loss per decade of compute
    STANDARD_ERRORS = "standard-errors"  # origin: where the correlations are from
    BEST_FAMILY = "best-family"  # families: family -> probability that it is best
    LOSS_LAW = "loss-law"  # law, citation: the error on a compute-optimal frontier
    SIZE_LAW = "size-law"  # law: the best model size for an amount of data
    FLOPS_COUNTED = "flops-counted"  # method (a FlopMethod), sizes, unit
    FLOPS_LAW = "flops-law"  # law: FLOP of one epoch
    SIX_ND = "six-nd"  # FLOP are 6 x parameters x data
    ONE_EPOCH = "one-epoch"
    EPOCHS_OF_RUNS = "epochs-of-runs"  # epochs: of every run that was fitted
    EPOCHS_LAW = "epochs-law"  # law: data seen by the best runs
    EPOCHS_LOGGED = "epochs-logged"  # FLOP are of whole trainings, whatever their epochs
    COMPUTE_OPTIMAL = "compute-optimal"  # serving: whether inference is counted
    SMALLEST_MODEL = "smallest-model"  # data, unit
    DATA_REPEATED = "data-repeated"  # data, unit, data_half, params_half
    SERVING_COST = "serving-cost"  # data, unit: inference is a third of the training FLOP
    SERVING_NOT_OPTIMIZED = "serving-not-optimized"  # a curve has one best size per amount of data
    SERVING_OVERCOUNTED = "serving-overcounted"  # by the epochs that are part of logged FLOP


class FlopMethod(StrEnum):
    """How the FLOP of a ladder of sizes were counted."""

    MODEL = "model"
    LOGGED = "logged"
    GPU_HOURS = "gpu-hours"


class LawAssumption(NamedTuple):
    """One assumption of a law model."""

    code: AssumptionCode
    values: Mapping[str, Any] = {}


def assume(code: AssumptionCode, **values: Any) -> LawAssumption:
    """Return an assumption.

    Args:
        code: What is assumed.
        values: The values that its sentence needs.

    Returns:
        The assumption.
    """
    return LawAssumption(code, values)
