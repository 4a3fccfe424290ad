"""The law model of a stored law: its paths or surface samples, with its companions, as scenarios.

Chains of two laws that were sampled with the same seed may be correlated by their random numbers, although
their posteriors are independent. So companions are read in another order: of sizes in reverse, of data seen
from the middle.
"""

import math
from collections.abc import Callable, Sequence

from laws import paths
from laws.codes import WarningCode
from laws.errors import LawError, run
from laws.forecasting.joint_drift import DRIFT, drift_rates
from laws.types import Law, SizeCost
from planner.lawmodel.allocation import (
    AllocationConstraints,
    allocated_scenario,
    allocation_assumptions,
    allocation_warnings,
    check_curve,
    curve_assumptions,
    logged_epochs_assumptions,
)
from planner.lawmodel.assumptions import AssumptionCode, FlopMethod, LawAssumption, assume
from planner.lawmodel.info import flops_of_whole_trainings, law_info
from planner.lawmodel.model import LawModel, MeasuredRange, compute_cost, curve_scenario
from planner.lawmodel.power_law import power_law
from planner.lawmodel.scenario import MAX_LOG, ScaleFunction, path_function
from planner.lawmodel.surface import Surface

MIN_SIZES = 3  # values of the best size below which they do not show how it grows with the data
MIN_POINTS = 5  # below which a form is largely assumed
MAX_SCENARIOS = 1000  # of a joint law; as many as a curve has paths


def law_model(
    law: Law, constraints: AllocationConstraints, *, size: Law | None = None, samples: Law | None = None
) -> LawModel:
    """Return the law model of a stored law with its companions.

    Args:
        law: A law of an error or a loss.
        constraints: How parameters and data are balanced.
        size: The law of the best model size, if there is one.
        samples: The law of the data seen to the best error, if there is one.

    Returns:
        The model, one scenario per posterior sample.

    Raises:
        LawError: The law has no paths, or leaves nothing to balance where the smallest model is requested.
    """
    if law.form == "surface":
        return _joint_model(law, constraints)
    if not law.paths:
        raise LawError(f"law {law.id} has no paths: expected a sampled law", value=law.id, hint=run("fit"))
    check_curve(law.id, constraints)
    size = size if size is not None and size.paths else None
    samples = samples if samples is not None and samples.paths else None
    ladder = _by_params(law.ladder or (size.ladder if size else ()))
    cost = compute_cost(ladder, law.x_unit, has_params=size is not None, method=_flop_method(size))
    single = single_size(law, size)
    n = len(law.paths)
    scenarios = [
        curve_scenario(
            path_function(law.grid, path),
            low=math.exp(law.grid[0]),
            high=math.exp(law.grid[-1]),
            inverse=_data_for_error(law, path),
            params=None if size is None else _size_function(size, single, -1 - i),
            samples_seen=None
            if samples is None
            else path_function(samples.grid, samples.paths[(n // 2 - i) % len(samples.paths)]),
            flops_per_sample=cost.flops_per_sample,
        )
        for i, path in enumerate(law.paths)
    ]
    companions = {}
    assumptions = [_stored_assumption(law)]
    warnings: list[str] = [*cost.warnings]
    if size is None:
        warnings = [WarningCode.NO_SIZE_LAW, *warnings]
    else:
        companions["params"] = size.id
        assumptions.append(assume(AssumptionCode.SIZE_LAW, law=size.id))
        warnings = [*size.warnings, *warnings, *_size_warnings(size)]
    if any(_corpus(other) not in (None, _corpus(law)) for other in (size, samples) if other is not None):
        warnings = [*warnings, WarningCode.CORPORA_DIFFER]
    assumptions += curve_assumptions(constraints)
    if cost.flops_per_sample is not None:
        assumptions += cost.assumptions
        if samples is not None:
            companions["samples"] = samples.id
            assumptions.append(assume(AssumptionCode.EPOCHS_LAW, law=samples.id))
            warnings += samples.warnings
        elif flops_of_whole_trainings(size):
            assumptions += logged_epochs_assumptions(constraints)
        else:
            assumptions.append(assume(AssumptionCode.ONE_EPOCH))
            warnings.append(WarningCode.ONE_PASS)
    return LawModel(
        law=law_info(law),
        unit=law.x_unit,
        scenarios=tuple(scenarios),
        measured=MeasuredRange(
            smallest_data=math.exp(law.grid[0]),
            largest_data=law.x_range[1],
            counted_sizes=_ends(ladder),
        ),
        forms=law.forms,
        companions=companions,
        unknowns=_curve_unknowns(law),
        power_law=power_law(law.points.get("x", ()), law.points.get("y", ())),
        assumptions=tuple(assumptions),
        warnings=_with_own(law, warnings),
    )


def _curve_unknowns(law: Law) -> dict[str, tuple[float, ...]]:
    """Return exponent and floor of each path, read from it so that every form has them."""
    slope = math.log(law.x_range[1])
    step = math.log(2)
    return {
        "exponent": tuple(
            (paths.value_at(law.grid, p, slope - step) - paths.value_at(law.grid, p, slope)) / step
            for p in law.paths
        ),
        "floor": tuple(math.exp(p[-1]) for p in law.paths),
    }


def single_size(law: Law, size: Law | None) -> float | None:
    """Return the model size of a law whose trainings all had the same one.

    Args:
        law: The law of the error.
        size: The law of the best model size, if there is one.

    Returns:
        Parameters; None where several sizes were trained, or where the sizes are not kept.
    """
    trained = {rung.params for rung in law.ladder or (size.ladder if size else ())}
    best = set(size.points.get("y", ())) if size else set()
    return trained.pop() if len(trained) == 1 and trained == best else None


def _size_function(size: Law, single: float | None, i: int) -> Callable[[float], float]:
    """Return the model size of a posterior sample; the noise of a single size is not a size of its own."""
    if single is not None:
        return lambda _: single
    return path_function(size.grid, size.paths[i % len(size.paths)])


def _size_warnings(size: Law) -> list[str]:
    values = len(set(size.points.get("y", range(size.n_points))))  # that the best size took
    if values == 1:
        return [WarningCode.ONE_SIZE]
    return [WarningCode.FEW_SIZES] if values < MIN_SIZES else []


def _corpus(law: Law) -> str | None:
    """Return the fingerprint of a law's corpus, or that of the file of runs."""
    return law.provenance.get("corpus", law.provenance.get("fingerprint"))


def _data_for_error(law: Law, path: Sequence[float]) -> ScaleFunction:
    def inverse(target: float) -> float:
        log_x = paths.inverse(law.grid, path, math.log(target))
        if log_x == -math.inf:  # a path that is flat where it starts
            return math.exp(law.grid[0])
        return math.exp(log_x) if log_x < MAX_LOG else math.inf

    return inverse


def largest_compute(law: Law) -> float:
    """Return the largest product of parameters and data that a joint law was fitted to; 0 if not recorded."""
    columns = (law.points.get("params", ()), law.points.get("data", ()))
    return max((params * data for params, data in zip(*columns, strict=True)), default=0.0)


def _joint_model(law: Law, constraints: AllocationConstraints) -> LawModel:
    """Return the model of a joint law, whose posterior samples are surfaces."""
    p = law.parameters
    indices = scenario_indices(law)
    epochs = float(law.provenance.get("passes", 1))  # of every run that was fitted
    ladder = _by_params(law.ladder)
    cost = compute_cost(ladder, law.x_unit, has_params=True, method=_flop_method(law))
    once = cost.flops_per_sample
    flops_per_sample = None if once is None else (lambda params: epochs * once(params))
    largest = largest_compute(law)
    scenarios = [
        allocated_scenario(
            Surface(
                E=p["E"][i],
                A=p["A"][i],
                B=p["B"][i],
                alpha=p["a"][i],
                beta=p["b"][i],
                rate=rate,
                largest=largest,
            ),
            constraints,
            flops_per_sample,
        )
        for i, rate in zip(indices, drift_rates(len(indices)), strict=True)
    ]
    assumptions = [
        _stored_assumption(law),
        *([assume(AssumptionCode.JOINT_DRIFT, rate=DRIFT)] if largest else []),
        *allocation_assumptions(constraints, law.x_unit),
        *cost.assumptions,
    ]
    if flops_of_whole_trainings(law):
        assumptions += logged_epochs_assumptions(constraints)
    elif flops_per_sample is not None and epochs != 1:
        assumptions.append(assume(AssumptionCode.EPOCHS_OF_RUNS, epochs=epochs))
    elif flops_per_sample is not None and math.isinf(constraints.data_available):
        assumptions.append(assume(AssumptionCode.ONE_EPOCH))
    parameters = {"exponent of parameters": "a", "exponent of data": "b", "floor": "E"}
    return LawModel(
        law=law_info(law),
        unit=law.x_unit,
        scenarios=tuple(scenarios),
        measured=MeasuredRange(
            smallest_data=law.x_range[0],
            largest_data=law.x_range[1],
            smallest_params=min(law.points.get("params", ()), default=None),
            counted_sizes=_ends(ladder),
            largest_params=max(law.points.get("params", ()), default=None),
            largest_compute=largest or None,
        ),
        forms=law.forms,
        unknowns={name: tuple(p[key][i] for i in indices) for name, key in parameters.items()},
        assumptions=tuple(assumptions),
        warnings=_with_own(law, [*cost.warnings, *allocation_warnings(constraints)]),
    )


def scenario_indices(law: Law) -> list[int]:
    """Return which posterior samples of a joint law become scenarios.

    Args:
        law: A stored joint law.

    Returns:
        Indices of all samples, or of `MAX_SCENARIOS` evenly spaced ones.
    """
    n = len(law.parameters["E"])
    if n <= MAX_SCENARIOS:
        return list(range(n))
    return [round(i * (n - 1) / (MAX_SCENARIOS - 1)) for i in range(MAX_SCENARIOS)]


def _flop_method(law: Law | None) -> FlopMethod:
    """Return how the FLOP of a law's ladder were counted."""
    if law is None or law.source != "fitted":
        return FlopMethod.MODEL
    from_hours = WarningCode.FLOPS_FROM_HOURS in law.warnings
    return FlopMethod.GPU_HOURS if from_hours else FlopMethod.LOGGED


def _by_params(ladder: Sequence[SizeCost]) -> list[SizeCost]:
    return sorted(ladder, key=lambda size: size.params)


def _ends(ladder: Sequence[SizeCost]) -> tuple[float, float] | None:
    return (ladder[0].params, ladder[-1].params) if ladder else None


def _with_own(law: Law, warnings: Sequence[str]) -> tuple[str, ...]:
    """Return the warnings of a law model: those of the law first, those of its form and points last."""
    own: list[str] = [WarningCode.EMBEDDED_CORPUS] if law.source == "shipped" else []
    after: list[str] = [WarningCode.NO_FLOOR] if law.form == "power" else []
    if law.n_points < MIN_POINTS:
        after.append(WarningCode.FEW_POINTS)
    return (*own, *law.warnings, *warnings, *after)


def _stored_assumption(law: Law) -> LawAssumption:
    return assume(
        AssumptionCode.STORED_LAW,
        law=law.id,
        source=law.source,
        form=law.form,
        forms=dict(law.forms),
        points=law.n_points,
        smallest=law.x_range[0],
        largest=law.x_range[1],
        unit=law.x_unit,
    )
