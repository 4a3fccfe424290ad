"""Limits of money, time, hours and data: the furthest plan that keeps them all, and how probably one does."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from laws.errors import PlannerError
from planner.assumptions import Assumption
from planner.hardware.cost import price_of
from planner.hardware.fleet import Fleet
from planner.hardware.training import Throughput, throughputs
from planner.lawmodel.model import COSTED, LawModel
from planner.lawmodel.scenario import Scenario, for_each
from planner.plans.estimate import Estimate
from planner.plans.from_given import not_tiny
from planner.plans.question import ParsedQuestion
from planner.plans.resources import DRAWS, ONE_MACHINE, Feasible, Resources, feasible, held


@dataclass(frozen=True, kw_only=True)
class _Machines:
    """What the limits are converted with: a pace and a price for each draw."""

    throughputs: Sequence[Throughput]
    prices: Sequence[float] | None
    count: int
    part: str


def furthest(
    reading: LawModel, asked: ParsedQuestion, fleet: Fleet, assumed: Sequence[Assumption], seed: int
) -> tuple[tuple[float, ...], str]:
    """Return the furthest place of each world that keeps every limit, and the limit that decides most.

    Raises:
        PlannerError: the law says nothing of FLOP, a budget meets no price or one of zero, or the limits
            are too narrow for anything that was measured.
    """
    machines = _machines(reading, asked, fleet, assumed, seed)
    prices = machines.prices
    if asked.budget is not None and prices is None:
        raise PlannerError(
            f"{machines.part} has no price, so a budget buys nothing that is known: give one with --assume "
            "price=VALUE or in a fleet file"
        )
    if asked.budget is not None and prices is not None and max(prices) == 0 and not asked.data_price:
        raise PlannerError(
            f"an hour on {machines.part} costs nothing, so a budget limits nothing: ask with --gpu-hours or "
            "--deadline, or give a price with --assume price=VALUE"
        )
    n = len(machines.throughputs)
    found = for_each(reading.scenarios, n)
    stock = None if reading.is_joint else asked.stock  # a surface repeats what there is
    places, deciding = [], []
    for i, (world, pace) in enumerate(zip(found, machines.throughputs, strict=True)):
        hours = _hours(world, pace)
        at: dict[str, float] = {}
        if asked.budget is not None and prices is not None:
            at["budget"] = world.where(_dollars(world, hours, prices[i], asked), asked.budget)
        if asked.days is not None:
            at["deadline"] = world.where(hours, asked.days * 24 * machines.count)
        if asked.gpu_hours is not None:
            at["gpu_hours"] = world.where(hours, asked.gpu_hours)
        if stock is not None:
            at["data"] = stock
        decides = min(at, key=lambda name: at[name])
        places.append(at[decides])
        deciding.append(decides)
    not_tiny(reading, places, "what the limits allow")
    return tuple(places), max(dict.fromkeys(deciding), key=deciding.count)


def kept(
    asked: ParsedQuestion,
    found: Estimate,
    bill: Resources | None,
    *,
    collection: Sequence[float],
    reached: Sequence[bool],
) -> Feasible | None:
    """Return how probable it is that every limit is kept; None without any, or if they are the question.

    `collection` is what data costs in dollars, `reached` where the target is reached, draw by draw.
    """
    if asked.given is None:
        return None
    limited = asked.question.limited
    others: dict[str, Sequence[bool]] = {}
    n = len(reached)
    if asked.confidence is not None and found.target is not None and (asked.stock is not None or limited):
        others["target"] = reached  # one plan reaches it in some scenarios and not in others
    if asked.stock is not None:
        within = [x <= asked.stock * (1 + 1e-9) for x in found.data.draws]
        others["data"] = for_each(within, n)
    if limited and bill is not None:
        return feasible(
            bill,
            budget=asked.budget,
            deadline=asked.days,
            gpu_hours=asked.gpu_hours,
            collection=collection or None,
            others=others,
        )
    return held(others, reached) if others else None


def reached(found: Estimate, n: int) -> tuple[bool, ...]:
    """Return in which of n draws the target is reached; without a target, in which there is a plan at all."""
    draws = found.data.draws
    target = found.target
    within = [
        math.isfinite(x) and (target is None or error <= target * (1 + 1e-9))
        for x, error in zip(draws, found.error.draws, strict=True)
    ]
    return for_each(within, n)


def _machines(
    reading: LawModel, asked: ParsedQuestion, fleet: Fleet, assumed: Sequence[Assumption], seed: int
) -> _Machines:
    if not reading.knows_flops:
        raise PlannerError(
            f"law {reading.law.id} says nothing of FLOP, so no budget, deadline or GPU-hours lead to data: "
            f"give --data or a target, or {COSTED}"
        )
    question = asked.question
    assert question.on is not None
    part = fleet.accelerator(question.on)
    set_ = {assumption.name: assumption for assumption in assumed}
    price = set_.pop("price", None) or price_of(part)
    n = len(reading.scenarios) if len(reading.scenarios) > 1 else DRAWS
    count = question.count or fleet.count(part) or ONE_MACHINE
    return _Machines(
        throughputs=throughputs(
            part,
            n,
            count=count if question.count is None else question.count,
            assumed=fleet.assumptions(part) | set_,
            seed=seed,
            precision=question.precision,
        ),
        prices=None if price is None else price.draws(n, seed),
        count=count,
        part=part.id,
    )


def _hours(world: Scenario, pace: Throughput) -> Callable[[float], float]:
    assert world.params is not None
    size = world.params
    return lambda x: pace.hours(world.flops(x), size(x))


def _dollars(
    world: Scenario, hours: Callable[[float], float], price: float, asked: ParsedQuestion
) -> Callable[[float], float]:
    have, data_price = asked.have or 0.0, asked.data_price or 0.0

    def dollars(x: float) -> float:
        return price * hours(x) + data_price * max(world.data(x) - have, 0.0)

    return dollars
