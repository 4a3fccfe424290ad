"""What a question needs: data, parameters and training FLOP, draw by draw from the laws that answer.

    data    the error law read backwards at the target, or the amount that is given
    params  the size law (metric "params") read forwards at that data
    FLOP    ladder FLOP for one data unit at that size x data seen to the best error (metric "samples")

Each draw is carried to the end: an interval is taken once, of the result. A surface E + A/N^a + B/D^b leaves
the split of data and parameters open: `planner/lawmodel/scenario.py` says how it is made. No numpy: this is what
`planner estimate` imports.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from laws import paths
from laws.codes import WarningCode
from laws.errors import PlannerError
from laws.types import Law, Quantity
from planner import units
from planner.lawmodel.info import LawInfo
from planner.lawmodel.model import AllocationConstraints, LawModel, read
from planner.lawmodel.scenario import Line, at, for_each

EXTRAPOLATION_LIMIT = (
    10.0  # times the largest measured data: 2 of 413 measured curves check a forecast beyond that
)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a question needs and reaches, per posterior sample."""

    law_model: LawModel
    target: float | None  # None: another quantity was given
    error: Quantity  # the target, or what the given quantity reaches
    data: Quantity
    samples_seen: Quantity  # data seen in training, repeats counted
    params: Quantity
    flops: Quantity
    probability_reachable: float | None  # None: the law has no posterior
    limit: Quantity  # the error at any amount of data; without samples where the law has no posterior
    warnings: tuple[str, ...] = ()
    alternatives: tuple[LawInfo, ...] = ()

    @property
    def law(self) -> LawInfo:
        """Return the names of the law that answers."""
        return self.law_model.law

    @property
    def epochs(self) -> Quantity:
        """Return how often training sees the data."""
        draws = tuple(
            seen / data if math.isfinite(seen) else math.inf
            for seen, data in zip(self.samples_seen.draws, self.data.draws, strict=True)
        )
        return Quantity(draws=draws, unit="epochs", spread=self.samples_seen.spread)

    @property
    def beyond(self) -> Quantity:
        """Return the needed data as a multiple of the largest measured data."""
        largest = self.law_model.largest
        draws = () if largest is None else tuple(d / largest for d in self.data.draws)
        return Quantity(draws=draws, unit="times the largest measured", spread=self.data.spread)

    def reached_within(self, factor: float) -> float | None:
        """Return the probability that the target is reached with `factor` times the largest measured data.

        None where no target is asked, or neither an interval nor the measured range is known.
        """
        draws = self.beyond.draws
        if self.target is None or self.probability_reachable is None or not draws:
            return None
        return sum(value <= factor for value in draws) / len(draws)


def from_laws(law: Law, target: float, *, size: Law | None = None, samples: Law | None = None) -> Estimate:
    """Return what `target` needs by a stored law and its companions.

    Raises:
        PlannerError: the target cannot be meant, needs no data, or is below a floor without a posterior.
    """
    reading = read(law, AllocationConstraints(), size=size, samples=samples)
    return estimate(reading, for_target(reading, target), target=target)


def for_target(reading: LawModel, target: float) -> tuple[float, ...]:
    """Return the place of each world at which it reaches a target, infinite where it never does.

    Raises:
        PlannerError: the target cannot be meant, needs no data, or is below a floor without a posterior.
    """
    units.checked_target(target, reading.law.metric, reading.law.metric_unit)
    asked = f"target {reading.law.metric} {reading.law.shown(target)}"
    if reading.smallest is not None:
        smallest = reading.smallest
        easiest = paths.quantile([world.error(smallest) for world in reading.scenarios], 0.5)
        if target >= easiest:
            raise PlannerError(
                f"{asked} is already reached by the smallest measured data "
                f"({units.format_data(smallest, reading.unit)} reach "
                f"{reading.law.shown(easiest)}): ask for a lower one"
            )
    found = tuple(world.for_error(target) for world in reading.scenarios)
    if not any(map(math.isfinite, found)):
        if reading.is_joint or len(reading.scenarios) == 1:
            raise _below_floor(reading, asked)
        return found  # a posterior that rules the target out is an answer: probability 0
    if reading.is_joint:
        lines = ([w.params for w in reading.scenarios], [w.seen for w in reading.scenarios])
        tiny = min(found) <= 0  # a target so high that the data it needs is below every number
        if tiny or min(_middle(line, found) for line in lines) < 1:
            raise PlannerError(
                f"{asked} needs less than one parameter or one data unit by law {reading.law.id}: ask for a "
                "lower one"
            )
    return found


def _middle(lines: Sequence[Line | None], places: Sequence[float]) -> float:
    return paths.quantile([at(line, x) for line, x in zip(lines, places, strict=True)], 0.5)


def _below_floor(reading: LawModel, asked: str) -> PlannerError:
    """Say how low the errors of all scenarios stay, and which target could be asked instead."""
    most = reading.scenarios[0]
    have = most.data(most.high)
    limited = reading.is_joint and have < most.high  # by --have-data
    lowest = tuple(w.error(w.high) for w in reading.scenarios) if limited else _limits(reading)
    low, high = (reading.law.shown(paths.quantile(lowest, q)) for q in (0.05, 0.95))
    between = low if low == high else f"{low} to {high}"
    if limited:
        return PlannerError(
            f"{asked} is out of reach with {units.format_data(have, reading.unit)} in hand: by law "
            f"{reading.law.id} the error stays at {between}; ask for more than that, or have more data"
        )
    if reading.is_joint:
        return PlannerError(
            f"{asked} is at or below the floor of law {reading.law.id}, {between}: ask for more than that"
        )
    possible = reading.law.shown(1.1 * paths.quantile(lowest, 0.95), digits=2)
    end = units.format_data(most.high, reading.unit)
    return PlannerError(
        f"{asked} is below the floor of law {reading.law.id}: even at {end} the error stays at {between}; "
        f"ask for {possible} or more, or measure larger data sets to know the floor better"
    )


def _limits(reading: LawModel) -> tuple[float, ...]:
    return tuple(w.floor if reading.is_joint else w.error(w.high) for w in reading.scenarios)


def estimate(
    reading: LawModel,
    places: Sequence[float],
    *,
    target: float | None = None,
    committed: bool = False,
    alternatives: tuple[LawInfo, ...] = (),
    warnings: Sequence[str] = (),
) -> Estimate:
    """Return everything that the scenarios say at their places; one world serves any number of places.

    A target holds at the places by construction, unless they are `committed`: one plan for all scenarios.
    """
    found = for_each(reading.scenarios, len(places))
    pairs = list(zip(found, places, strict=True))
    spread = reading.spread or len(set(places)) > 1
    data = tuple(at(world.data, x) for world, x in pairs)
    params = tuple(at(world.params, x) for world, x in pairs) if reading.knows_params else ()
    flops = tuple(world.flops(x) for world, x in pairs) if reading.knows_flops else ()
    if target is None or committed:
        error = tuple(world.error(min(x, world.high)) for world, x in pairs)
    else:
        error = (target,) * len(pairs)
    reachable = None
    if reading.spread:
        reached = [
            math.isfinite(x) and (target is None or e <= target) for x, e in zip(data, error, strict=True)
        ]
        reachable = sum(reached) / len(data)
    return Estimate(
        law_model=reading,
        target=target,
        error=Quantity(draws=error, unit=reading.law.metric_unit, spread=spread),
        data=Quantity(draws=data, unit=reading.unit, spread=spread),
        samples_seen=Quantity(
            draws=tuple(at(world.seen, x) for world, x in pairs), unit=reading.unit, spread=spread
        ),
        params=Quantity(draws=params, unit="parameters", spread=spread),
        flops=Quantity(draws=flops, unit="FLOP", spread=spread),
        probability_reachable=reachable,
        limit=Quantity(draws=_limits(reading) if reading.spread else (), unit=reading.law.metric_unit),
        warnings=tuple(dict.fromkeys([*reading.warnings, *_doubts(reading, data, params), *warnings])),
        alternatives=alternatives,
    )


def _doubts(reading: LawModel, data: Sequence[float], params: Sequence[float]) -> list[str]:
    """Return the codes that depend on where on the line of plans the answer lies."""
    found: list[str] = []
    if reading.sizes is not None and params:
        middle = paths.quantile(params, 0.5)
        if math.isfinite(middle) and not reading.sizes[0] <= middle <= reading.sizes[1]:
            found.append(WarningCode.LADDER_EXCEEDED)
    if reading.spread and sum(map(math.isfinite, data)) < 0.95 * len(data):
        found.append(WarningCode.FLOOR_UNCERTAIN)
    if reading.largest is not None and paths.quantile(data, 0.5) > EXTRAPOLATION_LIMIT * reading.largest:
        found.append(WarningCode.EXTRAPOLATED_FAR)
    for draws, least in zip((data, params), reading.begins, strict=True):
        if least is not None and draws and paths.quantile(draws, 0.5) < least / EXTRAPOLATION_LIMIT:
            found.append(WarningCode.BELOW_MEASURED)
    return found
