"""The law model of a published law: one scenario, because publications state no interval."""

import math
from typing import NamedTuple

from laws.catalog.published import PublishedLaw, companion, published_laws
from laws.codes import WarningCode
from planner.lawmodel.allocation import (
    AllocationConstraints,
    allocated_scenario,
    allocation_assumptions,
    allocation_warnings,
    check_curve,
    curve_assumptions,
)
from planner.lawmodel.assumptions import AssumptionCode, LawAssumption, assume
from planner.lawmodel.frontier_law import frontier_scenario, frontier_unit, is_frontier
from planner.lawmodel.info import law_info
from planner.lawmodel.model import JOINT_FORMS, LawModel, MeasuredRange, compute_cost, curve_scenario
from planner.lawmodel.scenario import MAX_SCALE, ScaleFunction, Scenario
from planner.lawmodel.surface import Surface

MIN_SCALE = 1e-3  # the smallest data that a formula is evaluated at


def answerable(domain: str | None, metric: str | None) -> list[PublishedLaw]:
    """Return the published laws that can answer a question, the one to ask first at the front.

    Args:
        domain: Laws of this domain; None for all.
        metric: Laws of this metric; None for all.

    Returns:
        Laws of an error or a loss that can be solved for the data.
    """
    return [law for law in published_laws(domain, metric) if answers(law)]


def answers(law: PublishedLaw) -> bool:
    """Return whether a law of an error or a loss can be solved for the data, with or without a model size.

    Args:
        law: The law.

    Returns:
        True for a joint form, and for a formula whose only input is data.
    """
    if law.formula is None or not (law.metric == "loss" or law.unit == "fraction"):
        return False
    return law.formula in JOINT_FORMS or [i.name for i in law.inputs] == ["data"]


def data_unit(law: PublishedLaw) -> str:
    """Return the unit that the law counts data in.

    Args:
        law: A law with an input named `data`, or a frontier.

    Returns:
        The unit, such as `tokens`.
    """
    return next((i.unit for i in law.inputs if i.name == "data"), None) or frontier_unit(law)


def source_warnings(law: PublishedLaw) -> tuple[WarningCode, ...]:
    """Return what is unsettled about the source of a law, which every answer by it has to say.

    Args:
        law: The law.

    Returns:
        The codes: an unconfirmed unit, constants that no published figure confirms, measurements off the law.
    """
    unsettled = {
        WarningCode.UNIT_UNCONFIRMED: not law.unit_confirmed,
        WarningCode.NO_CHECK_POINT: law.formula is not None and not law.checks,
        WarningCode.MEASURED_OFF_LAW: law.measured_at_end is not None,
    }
    return tuple(code for code, applies in unsettled.items() if applies)


def value_at_center(law: PublishedLaw) -> float | None:
    """Return the value in the middle of the range that a law measured; None where it is not known.

    Args:
        law: The law.

    Returns:
        The value in the law's unit.
    """
    ranges = {"data": law.measured, "params": law.sizes}
    middles = {}
    for i in law.inputs:
        low, high = ranges.get(i.name, (None, None))
        if low is None or high is None:
            return None
        middles[i.name] = math.sqrt(low * high)
    return law.evaluate(**middles)


def published_law_model(law: PublishedLaw, constraints: AllocationConstraints) -> LawModel:
    """Return the law model of a published law with the companions that its authors gave.

    Args:
        law: A law that `answers`, or a frontier.
        constraints: How parameters and data are balanced.

    Returns:
        The model, with one scenario.

    Raises:
        LawError: The smallest model is requested of a law that is not joint.
    """
    if law.formula in JOINT_FORMS:
        return _joint_model(law, constraints)
    check_curve(law.id, constraints)
    if is_frontier(law):
        return _frontier_model(law, constraints)
    curve = _curve(law)
    smallest, largest = law.measured
    return LawModel(
        law=law_info(law),
        unit=data_unit(law),
        scenarios=(curve.scenario,),
        has_posterior=False,
        measured=MeasuredRange(smallest_data=smallest, largest_data=largest),
        companions=curve.companions,
        assumptions=(_published_assumption(law), *curve.assumptions, *curve_assumptions(constraints)),
        warnings=(*source_warnings(law), WarningCode.NO_INTERVAL, WarningCode.OTHER_CORPUS, *curve.warnings),
    )


def surface_of(law: PublishedLaw) -> Surface:
    """Return the surface of a published joint law in base units.

    Args:
        law: A law of one of the `JOINT_FORMS`.

    Returns:
        The surface, of parameters and of samples.
    """
    p = dict(law.parameters)
    if law.formula == "repeated-data":  # Muennighoff et al. 2023 print logarithms and one exponent for both
        p = {name: math.exp(p[key]) for name, key in (("E", "e"), ("A", "a"), ("B", "b"))} | {
            "a": p["alpha"],
            "b": p["alpha"],
        }
    per = {i.name: i.per for i in law.inputs}
    return Surface(
        E=law.scale * p["E"],
        A=law.scale * p["A"] * per["params"] ** p["a"],
        B=law.scale * p["B"] * per["data"] ** p["b"],
        alpha=p["a"],
        beta=p["b"],
    )


def _published_assumption(law: PublishedLaw) -> LawAssumption:
    return assume(
        AssumptionCode.PUBLISHED_LAW,
        law=law.id,
        citation=law.citation,
        locator=law.locator,
        confidence=law.confidence,
        range=law.range,
    )


def _joint_model(law: PublishedLaw, constraints: AllocationConstraints) -> LawModel:
    unit = data_unit(law)
    cost = compute_cost((), unit, has_params=True)
    assumptions = [
        _published_assumption(law),
        *allocation_assumptions(constraints, unit),
        *cost.assumptions,
    ]
    if math.isinf(constraints.data_available) and cost.flops_per_sample is not None:
        assumptions.append(assume(AssumptionCode.ONE_EPOCH))
    smallest, largest = law.measured
    return LawModel(
        law=law_info(law),
        unit=unit,
        scenarios=(allocated_scenario(surface_of(law), constraints, cost.flops_per_sample),),
        has_posterior=False,
        measured=MeasuredRange(smallest_data=smallest, largest_data=largest, smallest_params=law.sizes[0]),
        assumptions=tuple(assumptions),
        warnings=(
            *source_warnings(law),
            WarningCode.NO_INTERVAL,
            WarningCode.OTHER_CORPUS,
            *cost.warnings,
            *allocation_warnings(constraints),
        ),
    )


def _frontier_model(law: PublishedLaw, constraints: AllocationConstraints) -> LawModel:
    """Return the model of a law of the best split, with the error of its companion."""
    loss = companion(law, "loss")
    assert loss is not None
    return LawModel(
        law=law_info(law),
        unit=data_unit(law),
        scenarios=(frontier_scenario(law),),
        has_posterior=False,
        measured=MeasuredRange(),
        companions=dict(law.companions),
        assumptions=(
            _published_assumption(law),
            assume(AssumptionCode.LOSS_LAW, law=loss.id, citation=loss.citation),
            assume(AssumptionCode.SIX_ND),
            assume(AssumptionCode.ONE_EPOCH),
            *curve_assumptions(constraints),
        ),
        warnings=(
            *dict.fromkeys((*source_warnings(law), *source_warnings(loss))),
            WarningCode.NO_INTERVAL,
            WarningCode.OTHER_CORPUS,
            WarningCode.SIX_ND,
        ),
    )


class _Curve(NamedTuple):
    """A published curve with the laws that complete it."""

    scenario: Scenario
    companions: dict[str, str]
    assumptions: list[LawAssumption]
    warnings: list[str]


def _curve(law: PublishedLaw) -> _Curve:
    size, cost = companion(law, "params"), companion(law, "flops")
    assumptions: list[LawAssumption] = []
    warnings: list[str] = []
    companions: dict[str, str] = {}
    params: ScaleFunction | None = None
    flops_per_sample: ScaleFunction | None
    if size is None:
        warnings.append(WarningCode.NO_SIZE_LAW)
    else:
        params = _of_data(size)
        companions["params"] = size.id
        assumptions.append(assume(AssumptionCode.SIZE_LAW, law=size.id))
    if size is not None and cost is not None:
        flops_per_sample = _flops_per_sample(cost)
        companions["flops"] = cost.id
        assumptions.append(assume(AssumptionCode.FLOPS_LAW, law=cost.id))
        warnings.append(WarningCode.ONE_PASS)
    else:
        counted = compute_cost((), data_unit(law), has_params=size is not None)
        flops_per_sample = counted.flops_per_sample
        if flops_per_sample is not None:
            assumptions += [*counted.assumptions, assume(AssumptionCode.ONE_EPOCH)]
        warnings += counted.warnings
    scenario = curve_scenario(
        _of_data(law),
        low=MIN_SCALE,
        high=MAX_SCALE,
        inverse=law.invert,
        params=params,
        samples_seen=None,
        flops_per_sample=flops_per_sample,
    )
    return _Curve(scenario=scenario, companions=companions, assumptions=assumptions, warnings=warnings)


def _of_data(law: PublishedLaw) -> ScaleFunction:
    return lambda x: law.evaluate(data=x)


def _flops_per_sample(cost: PublishedLaw) -> ScaleFunction:
    return lambda params: cost.evaluate(params=params, data=1.0)
