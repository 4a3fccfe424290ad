"""What a question needs: data, parameters and training FLOP, per posterior sample of the laws that answer.

    data    the scale at which the law's error is the target, or the amount that is given
    params  the law of model size (metric "params") at that data
    FLOP    FLOP per sample of a model of that size x data seen to the best error (metric "samples")

Each posterior sample is carried to the end: an interval is taken once, of the result. A joint law E + A/N^a
+ B/D^b leaves the split of data and parameters open: `planner/lawmodel/allocation.py` makes it. No numpy:
this is what `planner estimate` imports.
"""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from laws import paths
from laws.codes import WarningCode
from laws.errors import LawError
from laws.types import Quantity
from planner import units
from planner.lawmodel.info import LawInfo
from planner.lawmodel.model import LawModel
from planner.lawmodel.scenario import SMALLEST, ScaleFunction, broadcast, value_at

EXTRAPOLATION_LIMIT = (
    10.0  # times the largest measured data: 2 of 413 measured curves check a forecast beyond
)
FLOOR_CERTAIN = 0.95  # share of posterior samples that reach the target, below which the floor is in doubt


class Estimate(NamedTuple):
    """What a question needs and reaches, per posterior sample."""

    law_model: LawModel  # with the given model size, or with one plan for all samples, where there is one
    target: float | None  # as an error; None: another quantity was given
    error: Quantity  # the target, or what the given quantity reaches
    data: Quantity
    samples_seen: Quantity  # data seen in training, repeats counted
    params: Quantity
    flops: Quantity
    probability_reachable: float | None  # None: the metric gets worse with data
    limit: Quantity  # the error at any amount of data; without samples by a published curve
    warnings: tuple[str, ...] = ()
    alternatives: tuple[LawInfo, ...] = ()

    @property
    def law(self) -> LawInfo:
        """Return the identifying fields of the law that answers."""
        return self.law_model.law

    @property
    def own_target(self) -> float | None:
        """Return the target in the metric's own terms; None where another quantity was given."""
        return None if self.target is None else self.law.scale.from_error(self.target)

    @property
    def own_value(self) -> Quantity:
        """Return the value of the metric that is reached, in its own terms."""
        return self.law.scale.of_errors(self.error)

    @property
    def own_limit(self) -> Quantity:
        """Return the best value of the metric at any amount of data, in its own terms."""
        return self.law.scale.of_errors(self.limit)

    @property
    def epochs(self) -> Quantity:
        """Return how often training sees the data."""
        draws = tuple(
            samples_seen / data if math.isfinite(samples_seen) else math.inf
            for samples_seen, data in zip(self.samples_seen.draws, self.data.draws, strict=True)
        )
        return Quantity(draws=draws, unit="epochs")

    @property
    def beyond(self) -> Quantity:
        """Return the needed data as a multiple of the largest measured data."""
        largest = self.law_model.measured.largest_data
        draws = () if largest is None else tuple(data / largest for data in self.data.draws)
        return Quantity(draws=draws, unit="times the largest measured")

    @property
    def times_measured(self) -> dict[str, float]:
        """Return the medians as multiples of the largest measurement, without what is not known.

        They are of data, and of a joint law also of parameters and of compute, their product.
        """
        return _times_measured(self.law_model, self.data.draws, self.params.draws)

    def reached_within(self, factor: float) -> float | None:
        """Return the probability that the target is reached with limited data.

        Args:
            factor: Data as a multiple of the largest measured data.

        Returns:
            The probability; None without a target, an interval or a measured range.
        """
        draws = self.beyond.draws
        if self.target is None or self.probability_reachable is None or not draws:
            return None
        return sum(value <= factor for value in draws) / len(draws)


def scales_for_target(law_model: LawModel, target: float) -> tuple[float, ...]:
    """Return the scale at which each posterior sample reaches a target.

    Args:
        law_model: The law that answers.
        target: The error to reach.

    Returns:
        One scale per posterior sample, infinite where the target is never reached.

    Raises:
        InputError: The metric cannot have the value of the target.
        LawError: The target needs no data, or is below a floor that has no posterior.
    """
    law_model.law.scale.checked_target(law_model.law.scale.from_error(target))
    target_text = f"target {law_model.law.metric} {law_model.law.format_error(target)}"
    if law_model.curve_start is not None:
        start = law_model.curve_start
        easiest = paths.quantile([scenario.error(start) for scenario in law_model.scenarios], 0.5)
        if target >= easiest:
            raise LawError(
                f"{target_text}: expected one {_words(law_model)[0]} {law_model.law.format_error(easiest)}, "
                "which the "
                "smallest "
                f"measured data ({units.format_data(start, law_model.unit)}) already reaches",
                code="target-already-reached",
                value=target,
            )
    scales = tuple(max(scenario.scale_for_error(target), SMALLEST) for scenario in law_model.scenarios)
    if not any(map(math.isfinite, scales)):
        if law_model.is_joint or len(law_model.scenarios) == 1:
            raise _below_floor(law_model, target, target_text)
        return scales  # a posterior that rules the target out is an answer: probability 0
    if law_model.is_joint:
        functions = (
            [scenario.params for scenario in law_model.scenarios],
            [scenario.samples_seen for scenario in law_model.scenarios],
        )
        if min(_median(function, scales) for function in functions) < 1:
            raise LawError(
                f"{target_text}: expected a lower one, because law {law_model.law.id} needs less than one "
                "parameter or one sample for it",
                code="target-too-easy",
                value=target,
            )
    return scales


def _median(functions: Sequence[ScaleFunction | None], scales: Sequence[float]) -> float:
    return paths.quantile([value_at(function, x) for function, x in zip(functions, scales, strict=True)], 0.5)


def _words(law_model: LawModel) -> tuple[str, str, str]:
    """Return the words for a harder target, for an easier one, and for what the law is of."""
    rises = law_model.law.scale.higher_is_better
    return ("above", "less", law_model.law.metric) if rises else ("below", "more", "error")


def _below_floor(law_model: LawModel, target: float, target_text: str) -> LawError:
    """Return the error for a target that no scenario reaches, with the lowest that one could ask for."""
    first = law_model.scenarios[0]
    available = first.data(first.high)
    limited = law_model.is_joint and available < first.high  # by the data that is available
    lowest = tuple(s.error(s.high) for s in law_model.scenarios) if limited else _limits(law_model)
    terms = law_model.law.scale
    ends = sorted(terms.from_error(paths.quantile(lowest, q)) for q in (0.05, 0.95))
    low, high = map(terms.format, ends)
    floor = low if low == high else f"{low} to {high}"
    _, more, noun = _words(law_model)
    limit = "best value" if terms.higher_is_better else "irreducible error"
    if limited:
        return LawError(
            f"{target_text}: expected {more} than {floor}, the {noun} of law {law_model.law.id} with "
            f"{units.format_data(available, law_model.unit)}",
            code="target-below-floor",
            value=target,
        )
    if law_model.is_joint:
        return LawError(
            f"{target_text}: expected {more} than {floor}, the {limit} of law {law_model.law.id}",
            code="target-below-floor",
            value=target,
        )
    possible = law_model.law.format_error(1.1 * paths.quantile(lowest, 0.95), digits=2)
    most = units.format_data(first.high, law_model.unit)
    return LawError(
        f"{target_text}: expected {possible} or {more}, because the {noun} of law {law_model.law.id} stays "
        f"at {floor} even with {most}",
        code="target-below-floor",
        value=target,
        expected=possible,
    )


def _limits(law_model: LawModel) -> tuple[float, ...]:
    """Return the error at any amount of data, per posterior sample."""
    return tuple(s.floor if law_model.is_joint else s.error(s.high) for s in law_model.scenarios)


def _has_limit(law_model: LawModel) -> bool:
    """Return whether the samples say where the error ends: those of a published curve only vary its slope."""
    return law_model.is_joint or law_model.law.source != "published"


def estimate(
    law_model: LawModel,
    scales: Sequence[float],
    *,
    target: float | None = None,
    one_plan: bool = False,
    alternatives: tuple[LawInfo, ...] = (),
    warnings: Sequence[str] = (),
) -> Estimate:
    """Return every quantity of a law model at its scales.

    Args:
        law_model: The law that answers.
        scales: One scale per posterior sample; of a published law, a multiple of its samples.
        target: The error that the scales reach by construction.
        one_plan: Whether the scales are one plan for all samples, which reaches the target in some of them
            only.
        alternatives: Other laws that could answer.
        warnings: Codes to add to those of the law model.

    Returns:
        The estimate.
    """
    scenarios = broadcast(law_model.scenarios, len(scales))
    pairs = list(zip(scenarios, scales, strict=True))
    data = tuple(value_at(scenario.data, x) for scenario, x in pairs)
    params = tuple(value_at(scenario.params, x) for scenario, x in pairs) if law_model.has_params else ()
    flops = tuple(scenario.flops(x) for scenario, x in pairs) if law_model.has_flops else ()
    samples_seen = tuple(value_at(scenario.samples_seen, x) for scenario, x in pairs)
    if target is None or one_plan:
        error = tuple(scenario.error(min(x, scenario.high)) for scenario, x in pairs)
    else:
        error = (target,) * len(pairs)
    reachable = None
    # where the metric gets worse with more data, only the prior says that it will improve
    if WarningCode.RISING not in law_model.warnings:
        reached = [
            math.isfinite(x) and (target is None or e <= target) for x, e in zip(data, error, strict=True)
        ]
        reachable = sum(reached) / len(data)
    codes = [*law_model.warnings, *_warnings(law_model, data, params), *warnings]
    metric_unit, data_unit = law_model.law.metric_unit, law_model.unit
    return Estimate(
        law_model=law_model,
        target=target,
        error=Quantity(draws=error, unit=metric_unit),
        data=Quantity(draws=data, unit=data_unit),
        samples_seen=Quantity(draws=samples_seen, unit=data_unit),
        params=Quantity(draws=params, unit="parameters"),
        flops=Quantity(draws=flops, unit="FLOP"),
        probability_reachable=reachable,
        limit=Quantity(draws=_limits(law_model) if _has_limit(law_model) else (), unit=metric_unit),
        warnings=tuple(dict.fromkeys(codes)),
        alternatives=alternatives,
    )


def _times_measured(law_model: LawModel, data: Sequence[float], params: Sequence[float]) -> dict[str, float]:
    measured = law_model.measured
    times = {}
    if measured.largest_data is not None and data:
        times["data"] = paths.quantile(data, 0.5) / measured.largest_data
    if measured.largest_params is not None and params:
        times["params"] = paths.quantile(params, 0.5) / measured.largest_params
    if measured.largest_compute is not None and data and params:
        compute = paths.quantile([n * d for n, d in zip(params, data, strict=True)], 0.5)
        times["compute"] = compute / measured.largest_compute
    return times


def furthest(times: Mapping[str, float]) -> float:
    """Return how far a plan is from the measurements.

    Args:
        times: Multiples of the largest data, parameters and compute; at least one.

    Returns:
        The largest of them. Compute is a product of two amounts, so its root counts.
    """
    return max(math.sqrt(value) if name == "compute" else value for name, value in times.items())


def _warnings(law_model: LawModel, data: Sequence[float], params: Sequence[float]) -> list[str]:
    """Return the codes that depend on the scale of the answer."""
    codes: list[str] = []
    sizes, times = law_model.measured.counted_sizes, _times_measured(law_model, data, params)
    if sizes is not None and params:
        middle = paths.quantile(params, 0.5)
        if math.isfinite(middle) and not sizes[0] <= middle <= sizes[1]:
            codes.append(WarningCode.LADDER_EXCEEDED)
    if sum(map(math.isfinite, data)) < FLOOR_CERTAIN * len(data):
        codes.append(WarningCode.FLOOR_UNCERTAIN)
    if times and furthest(times) > EXTRAPOLATION_LIMIT:
        codes.append(WarningCode.EXTRAPOLATED_FAR)
    for draws, smallest in zip((data, params), law_model.joint_start, strict=True):
        if smallest is not None and draws and paths.quantile(draws, 0.5) < smallest / EXTRAPOLATION_LIMIT:
            codes.append(WarningCode.BELOW_MEASURED)
    return codes
