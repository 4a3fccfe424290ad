"""One plan for all possible scenarios: the smallest that reaches a target with the probability asked for."""

import math
from collections.abc import Sequence
from dataclasses import replace

from laws import paths
from laws.errors import PlannerError
from planner.lawmodel.model import LawModel
from planner.lawmodel.scenario import Scenario

STEPS = 32  # in which the scenarios are searched before the place is narrowed down


def committed(
    reading: LawModel, places: Sequence[float], target: float, confidence: float
) -> tuple[LawModel, tuple[float, ...]]:
    """Return one plan for all scenarios that reaches the target in the share `confidence` of them.

    `places` are where each world reaches it. Raises PlannerError where no amount of data does so often
    enough, and for a law without a posterior.
    """
    if not reading.spread:
        raise PlannerError(
            f"law {reading.law.id} states no uncertainty, so no plan can be held to a confidence: fit or "
            "measure a law of your own"
        )
    reachable = sum(map(math.isfinite, places)) / len(places)
    if reachable < confidence:
        raise PlannerError(
            f"no plan reaches {reading.law.metric} {reading.law.shown(target)} with probability "
            f"{confidence:.0%}: at any amount of data it is {reachable:.0%}; ask for less or for a higher "
            "error"
        )
    if reading.scenarios[0].loss is None:
        return reading, (_smallest(reading, places, target, confidence),) * len(places)
    return _split(reading, places, target, confidence)


def _smallest(reading: LawModel, places: Sequence[float], target: float, confidence: float) -> float:
    """Return the first place of a world that reaches the target in enough of them.

    Their quantile does, and is the first where every error falls. An error that comes down, rises over a hump
    and comes down for good has its place behind the hump, and yet is there before it.
    """
    ordered = sorted(places)

    def enough(k: int) -> bool:
        held = sum(world.error(min(ordered[k], world.high)) <= target for world in reading.scenarios)
        return held >= confidence * len(ordered)

    low, top = -1, max(math.ceil(confidence * len(ordered)) - 1, 0)
    step = max(len(ordered) // STEPS, 1)
    while low + step < top and not enough(low + step):
        low += step
    top = min(low + step, top)
    while top - low > 1:
        middle = (low + top) // 2
        low, top = (low, middle) if enough(middle) else (middle, top)
    return ordered[top]


def _split(
    reading: LawModel, places: Sequence[float], target: float, confidence: float
) -> tuple[LawModel, tuple[float, ...]]:
    """Find the smallest pair on the line of median best sizes that reaches the target often enough."""

    def size(x: float) -> float:
        return paths.quantile([world.params(x) for world in reading.scenarios if world.params], 0.5)

    def enough(x: float) -> bool:
        n = size(x)
        held = sum(world.loss(n, x) <= target for world in reading.scenarios if world.loss)
        return held >= confidence * len(reading.scenarios)

    finite = [x for x in places if math.isfinite(x)]
    low, high = math.log(min(finite)), math.log(min(world.high for world in reading.scenarios))
    top = math.log(max(finite))
    while not enough(math.exp(top)):
        top += 1.0
        if top > high:
            raise PlannerError(
                f"no one model and amount of data reach the target with probability {confidence:.0%}: ask "
                "for less or for a higher error"
            )
    while top - low > 1e-6:
        middle = (low + top) / 2
        low, top = (low, middle) if enough(math.exp(middle)) else (middle, top)
    x = math.exp(top)
    n = size(x)
    fixed = tuple(_fixed(world, n, x) for world in reading.scenarios)
    return replace(reading, scenarios=fixed), (x,) * len(fixed)


def _fixed(world: Scenario, params: float, x: float) -> Scenario:
    assert world.loss is not None
    error = world.loss(params, x)
    return replace(world, params=lambda _: params, error=lambda _: error)
