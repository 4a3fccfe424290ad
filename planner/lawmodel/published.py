"""The law model of a published law, with samples of how far it may be from the truth.

`planner/lawmodel/published_samples.py` makes the samples; the first of them is the law as it is printed.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

from laws.catalog.between_studies import Spread, between_studies
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
from planner.lawmodel.frontier_law import frontier_scenario, frontier_unit, is_frontier, shifted_frontier
from planner.lawmodel.info import law_info
from planner.lawmodel.model import JOINT_FORMS, LawModel, MeasuredRange, compute_cost, curve_scenario
from planner.lawmodel.published_samples import StudyDifference, sampled_parameters, study_differences
from planner.lawmodel.root_finding import root
from planner.lawmodel.scenario import MAX_SCALE, ScaleFunction, Scenario
from planner.lawmodel.surface import Surface

POWER_LAWS = ("power", "power-of-ratio")  # formulas that are straight in logarithms unless they have a floor
Unknowns = Mapping[str, tuple[float, ...]]
RANGE = 1000.0  # between the smallest and the largest data of a curve
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
        The value in the law's unit. Where only one end of a range is known, the value there; a law without a
        range has the value of the first law of the same question that has one.
    """
    if (value := _center(law)) is not None:
        return value
    others = published_laws(law.domain, law.metric, law.unit)
    return next((value for other in others if (value := _center(other)) is not None), None)


def _center(law: PublishedLaw) -> float | None:
    """Return the value in the middle of a law's own range."""
    ranges = {"data": law.measured, "unique": law.measured, "params": law.sizes}
    middles = {}
    for i in law.inputs:
        ends = [end for end in ranges.get(i.name, ()) if end is not None]
        if not ends:
            return None
        middles[i.name] = math.sqrt(ends[0] * ends[-1])
    return None if law.formula is None else law.evaluate(**middles)


def published_law_model(law: PublishedLaw, constraints: AllocationConstraints) -> LawModel:
    """Return the law model of a published law with the companions that its authors gave.

    Args:
        law: A law that `answers`, or a frontier.
        constraints: How parameters and data are balanced.

    Returns:
        The model, one scenario per sample of the law; the first is the law itself.

    Raises:
        LawError: The smallest model is requested of a law that is not joint.
    """
    if law.formula in JOINT_FORMS:
        return _joint_model(law, constraints)
    check_curve(law.id, constraints)
    if is_frontier(law):
        return _frontier_model(law, constraints)
    curve = _curve(law)
    scenarios, unknowns = _scenarios(law, curve.scenario)
    assumption, warning = _uncertainty(law)
    smallest, largest = law.measured
    return LawModel(
        law=law_info(law),
        unit=data_unit(law),
        scenarios=scenarios,
        measured=MeasuredRange(smallest_data=smallest, largest_data=largest),
        companions=curve.companions,
        unknowns=unknowns,
        assumptions=(
            _published_assumption(law),
            assumption,
            *curve.assumptions,
            *curve_assumptions(constraints),
        ),
        warnings=(*source_warnings(law), warning, WarningCode.OTHER_CORPUS, *curve.warnings),
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


def surfaces_of(law: PublishedLaw) -> list[Surface]:
    """Return samples of the surface of a published joint law whose covariance is known.

    Args:
        law: A law with a covariance.

    Returns:
        The surfaces in base units; the first is `surface_of`.
    """
    assert law.covariance is not None
    law_itself = surface_of(law)
    E, A, B, alpha, beta, *_ = law_itself
    rows = sampled_parameters((E, math.log(A), alpha, math.log(B), beta), law.covariance)
    exp = math.exp
    return [law_itself, *(Surface(row[0], exp(row[1]), exp(row[3]), row[2], row[4]) for row in rows[1:])]


def differences_of(law: PublishedLaw) -> list[StudyDifference]:
    """Return how other studies of a law's question differ from it.

    Args:
        law: A law that `answers`.

    Returns:
        One difference per sample; the first is none.
    """
    reference = value_at_center(law)
    if reference is None:  # nothing says where it was measured, so nothing widens
        return study_differences(_spread(law)._replace(ratio=0.0), 1.0)
    return study_differences(_spread(law), reference)


def ends_of_scale(law: PublishedLaw, *, over_sizes: bool = False) -> tuple[float, float]:
    """Return the smallest data that a law measured, and the largest that a plan can have.

    Where only the largest measured data is known, the smallest is a thousandth of it: of the curves whose
    range is known none covers more than three decades. More than a million times the largest is never there.

    Args:
        law: The law.
        over_sizes: Whether the data is fixed, so that the scale is the size of the model.

    Returns:
        Data, or parameters; from 1 on without end where no range is known.
    """
    smallest, largest = law.sizes if over_sizes else law.measured
    if largest is None:
        return smallest or 1.0, MAX_SCALE
    return smallest or largest / RANGE, largest * RANGE * RANGE


def _spread(law: PublishedLaw) -> Spread:
    spread = between_studies(law.domain, law.metric)
    assert spread is not None  # of every law of an error
    return spread


def _scenarios(
    law: PublishedLaw, scenario: Scenario, *, over_sizes: bool = False
) -> tuple[tuple[Scenario, ...], Unknowns]:
    """Return the scenarios of a law and of other studies of its question, and how those differ."""
    differences, ends = differences_of(law), ends_of_scale(law, over_sizes=over_sizes)
    others = (one.scenario(scenario, ends) for one in differences[1:])
    return (scenario, *others), {
        "level between studies": tuple(one.level for one in differences),
        "exponent between studies": tuple(one.exponent for one in differences),
    }


def _frontier_scenarios(law: PublishedLaw, loss: PublishedLaw) -> tuple[tuple[Scenario, ...], Unknowns]:
    """Return the scenarios of a frontier: other studies differ about the loss and about the split."""
    itself, losses = frontier_scenario(law), differences_of(loss)
    split = between_studies(law.domain, "params")
    assert split is not None
    levels = [one.level for one in study_differences(split._replace(ratio=0.0), 1.0)]
    # studies of the loss are not those of the split: pairs are taken in opposite orders
    shifts = (0.0, *reversed(levels[1:]))
    return tuple(
        one.scenario(shifted_frontier(itself, shift), (1.0, MAX_SCALE))
        for one, shift in zip(losses, shifts, strict=True)
    ), {
        "level between studies": tuple(one.level for one in losses),
        "exponent between studies": tuple(one.exponent for one in losses),
        "split between studies": shifts,
    }


def _joint_scenarios(
    law: PublishedLaw, constraints: AllocationConstraints, flops_per_sample: ScaleFunction | None
) -> tuple[tuple[Scenario, ...], Unknowns]:
    """Return the scenarios of a joint law, within the errors of its source where they are known."""
    if law.covariance is None:
        law_itself = allocated_scenario(surface_of(law), constraints, flops_per_sample)
        return _scenarios(law, law_itself, over_sizes=constraints.smallest_model)
    surfaces = surfaces_of(law)
    return tuple(allocated_scenario(one, constraints, flops_per_sample) for one in surfaces), {
        "exponent of parameters": tuple(one.alpha for one in surfaces),
        "exponent of data": tuple(one.beta for one in surfaces),
        "floor": tuple(one.E for one in surfaces),
    }


def _uncertainty(law: PublishedLaw) -> tuple[LawAssumption, WarningCode]:
    """Return where the interval of a law is from."""
    if law.covariance is not None:
        origin = law.covariance.origin
        return assume(AssumptionCode.STANDARD_ERRORS, origin=origin), WarningCode.STANDARD_ERRORS
    studies = _spread(law).studies
    return assume(AssumptionCode.BETWEEN_STUDIES, studies=studies), WarningCode.BETWEEN_STUDIES


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
    scenarios, unknowns = _joint_scenarios(law, constraints, cost.flops_per_sample)
    assumption, warning = _uncertainty(law)
    assumptions = [
        _published_assumption(law),
        assumption,
        *allocation_assumptions(constraints, unit),
        *cost.assumptions,
    ]
    if math.isinf(constraints.data_available) and cost.flops_per_sample is not None:
        assumptions.append(assume(AssumptionCode.ONE_EPOCH))
    smallest, largest = law.measured
    return LawModel(
        law=law_info(law),
        unit=unit,
        scenarios=scenarios,
        measured=MeasuredRange(smallest_data=smallest, largest_data=largest, smallest_params=law.sizes[0]),
        unknowns=unknowns,
        assumptions=tuple(assumptions),
        warnings=(
            *source_warnings(law),
            warning,
            WarningCode.OTHER_CORPUS,
            *cost.warnings,
            *allocation_warnings(constraints),
        ),
    )


def _frontier_model(law: PublishedLaw, constraints: AllocationConstraints) -> LawModel:
    """Return the model of a law of the best split, with the error of its companion."""
    loss = companion(law, "loss")
    assert loss is not None
    scenarios, unknowns = _frontier_scenarios(law, loss)
    studies = _spread(loss).studies
    return LawModel(
        law=law_info(law),
        unit=data_unit(law),
        scenarios=scenarios,
        unknowns=unknowns,
        measured=MeasuredRange(),
        companions=dict(law.companions),
        assumptions=(
            _published_assumption(law),
            assume(AssumptionCode.LOSS_LAW, law=loss.id, citation=loss.citation),
            assume(AssumptionCode.BETWEEN_STUDIES, studies=studies),
            assume(AssumptionCode.SIX_ND),
            assume(AssumptionCode.ONE_EPOCH),
            *curve_assumptions(constraints),
        ),
        warnings=(
            *dict.fromkeys((*source_warnings(law), *source_warnings(loss))),
            WarningCode.BETWEEN_STUDIES,
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
        inverse=_inverse(law),
        params=params,
        samples_seen=None,
        flops_per_sample=flops_per_sample,
    )
    return _Curve(scenario=scenario, companions=companions, assumptions=assumptions, warnings=warnings)


def _inverse(law: PublishedLaw) -> ScaleFunction:
    """Return the data at which a law has an error: none at its first, without end at its last."""
    error = _of_data(law)
    first, last = error(MIN_SCALE), error(MAX_SCALE)
    low, high = math.log(MIN_SCALE), math.log(MAX_SCALE)
    is_line = law.formula in POWER_LAWS and not law.parameters.get("floor")
    slope = (high - low) / math.log(first / last)  # of log data against the fall of log error

    def data(target: float) -> float:
        if target <= last:
            return math.inf
        if target >= first:
            return MIN_SCALE
        goal = math.log(target)
        if is_line:
            return math.exp(low + slope * (math.log(first) - goal))
        return math.exp(root(lambda u: goal - math.log(error(math.exp(u))), low, high))

    return data


def _of_data(law: PublishedLaw) -> ScaleFunction:
    return lambda x: law.evaluate(data=x)


def _flops_per_sample(cost: PublishedLaw) -> ScaleFunction:
    return lambda params: cost.evaluate(params=params, data=1.0)
