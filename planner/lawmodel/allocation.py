"""How a joint law balances parameters and data, and what a curve makes of the same constraints."""

import math
from typing import NamedTuple

from laws.codes import WarningCode
from laws.errors import LawError, drop
from planner.lawmodel.assumptions import AssumptionCode, LawAssumption, assume
from planner.lawmodel.scenario import ScaleFunction, Scenario, compute_optimal_path, smallest_model_path
from planner.lawmodel.surface import Surface

# repeats after which data, and parameters, have lost 1 - 1/e of their worth (Muennighoff et al. 2023,
# arXiv:2305.16264, constants of the authors' code)
DATA_HALF, PARAMS_HALF = 15.387756, 5.309743


class AllocationConstraints(NamedTuple):
    """How parameters and data are to be balanced."""

    data_available: float = math.inf  # different data
    inference_tokens: float = 0.0  # data that the trained model is run on
    smallest_model: bool = False  # the smallest model that the available data allows, not the least FLOP


def allocated_scenario(
    surface: Surface, constraints: AllocationConstraints, flops_per_sample: ScaleFunction | None
) -> Scenario:
    """Return the scenario of a surface under constraints.

    Args:
        surface: One posterior sample of a joint law.
        constraints: How parameters and data are balanced.
        flops_per_sample: Training FLOP per sample as a function of parameters.

    Returns:
        The scenario.
    """
    if constraints.smallest_model:
        available = constraints.data_available
        return smallest_model_path(surface, available=available, flops_per_sample=flops_per_sample)
    return compute_optimal_path(
        surface,
        available=constraints.data_available,
        inference=constraints.inference_tokens,
        data_half=DATA_HALF,
        params_half=PARAMS_HALF,
        flops_per_sample=flops_per_sample,
    )


def allocation_assumptions(constraints: AllocationConstraints, unit: str) -> list[LawAssumption]:
    """Return how a joint law balances parameters and data.

    Args:
        constraints: How parameters and data are balanced.
        unit: Unit of data.

    Returns:
        The assumptions.
    """
    available = {"data": constraints.data_available, "unit": unit}
    if constraints.smallest_model:
        return [assume(AssumptionCode.SMALLEST_MODEL, **available)]
    serving = constraints.inference_tokens > 0
    assumptions = [assume(AssumptionCode.COMPUTE_OPTIMAL, serving=serving)]
    if serving:
        assumptions.append(assume(AssumptionCode.SERVING_COST, data=constraints.inference_tokens, unit=unit))
    if math.isfinite(constraints.data_available):
        halves = {"data_half": DATA_HALF, "params_half": PARAMS_HALF}
        assumptions.append(assume(AssumptionCode.DATA_REPEATED, **available, **halves))
    return assumptions


def allocation_warnings(constraints: AllocationConstraints) -> list[str]:
    """Return the warning codes that come with how a joint law balances parameters and data.

    Args:
        constraints: How parameters and data are balanced.

    Returns:
        The code for repeated data where data is limited; else none.
    """
    repeats = math.isfinite(constraints.data_available) and not constraints.smallest_model
    return [WarningCode.REPEATS_ASSUMED] if repeats else []


def curve_assumptions(constraints: AllocationConstraints) -> list[LawAssumption]:
    """Return what inference changes in the answer of a curve: only the FLOP that are counted.

    Args:
        constraints: How parameters and data are balanced.

    Returns:
        One assumption where inference is counted; else none.
    """
    return [assume(AssumptionCode.SERVING_NOT_OPTIMIZED)] if constraints.inference_tokens else []


def logged_epochs_assumptions(constraints: AllocationConstraints) -> list[LawAssumption]:
    """Return what follows from FLOP of whole trainings, which have the epochs of the runs in them.

    Args:
        constraints: How parameters and data are balanced.

    Returns:
        The assumption about epochs, and one about inference where it is counted.
    """
    logged = [assume(AssumptionCode.EPOCHS_LOGGED)]
    return [*logged, assume(AssumptionCode.SERVING_OVERCOUNTED)] if constraints.inference_tokens else logged


def check_curve(law: str, constraints: AllocationConstraints) -> None:
    """Check that a law with one best size for each amount of data does not have to balance the two.

    Args:
        law: Id of the law.
        constraints: How parameters and data are to be balanced.

    Raises:
        LawError: The smallest model is requested.
    """
    if constraints.smallest_model:
        raise LawError(
            f"law {law} has one best model size for each amount of data: expected a joint law (form surface) "
            "for the smallest model",
            code="not-a-joint-law",
            value=law,
            hint=drop("allocate"),
        )
