"""The Pareto front of error against cost: the lowest error that each cost buys, with its band."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from laws import paths
from laws.errors import PlannerError, nearest
from laws.types import Law
from planner import units
from planner.hardware.fleet import Fleet
from planner.lawmodel.published import data_unit
from planner.lawmodel.select import select_law
from planner.plans.plan import OnProgress, Plan, plan_by
from planner.plans.quantities import kind_of, samples_of
from planner.plans.question import Question

COSTS = {"dollars": "budget", "gpu_hours": "gpu_hours", "flops": "flops", "data": "data"}
MOST = 400  # points: each is a plan of its own
DRAWN = 100.0  # times the largest measured data: how far a front goes where nobody says


@dataclass(frozen=True, kw_only=True)
class Frontier:
    """Plans of rising cost, each the best for what it costs."""

    cost: str  # a key of `COSTS`
    unit: str
    points: tuple[tuple[float, Plan], ...]
    refused: tuple[str, ...]  # why costs have no plan, one a cost


def frontier(
    question: Question,
    folder: Path,
    fleet: Fleet,
    *,
    today: date,
    against: str | None = None,
    low: str | None = None,
    high: str | None = None,
    points: int = 9,
    seed: int = 0,
    on_progress: OnProgress = lambda _what, _done, _all: None,
) -> Frontier:
    """Return the lowest error for costs between two ends, in even steps of their logarithm.

    Without ends the front runs from what the smallest measured data costs to what 100 times the largest does,
    beyond which a law is a guess. Without `against` the cost is dollars where a part is named, else FLOP,
    else data. Raises PlannerError for ends that cannot be read or are not known.
    """
    if not 2 <= points <= MOST:
        raise PlannerError(f"--points {points}: wanted 2 to {MOST}")
    cost = against or ("flops" if question.hardware.on is None else "dollars")
    if cost not in COSTS:
        raise PlannerError(f"--against {cost!r}{nearest(cost, tuple(COSTS))}")
    if cost in ("dollars", "gpu_hours") and question.hardware.on is None:
        raise PlannerError(f"--against {cost} needs a part: name one with --on, such as --on h100")
    selected = select_law(question.selector, folder)
    unit = selected.law.x_unit if isinstance(selected.law, Law) else data_unit(selected.law)

    def ask(end: str, value: float, **others: Any) -> Plan:
        fields: dict[str, Any] = {end: f"{'$' if end == 'budget' else ''}{value!r}"} | others
        return plan_by(selected, question.with_options(fields), folder, fleet, today=today, seed=seed)

    measured = selected.law.x_range if isinstance(selected.law, Law) else selected.law.measured

    def end(text: str | None, data: float | None) -> float:
        if text is not None:
            return _READ[cost](text) if cost != "data" else units.parse_data(text, unit)
        if data is None:
            raise PlannerError(f"law {selected.law.id} does not say what was measured: say --from and --to")
        # without what is served, which makes the model of a small amount of data as small as can be
        return paths.quantile(_draws(ask("data", data, serve=None), cost), 0.5)

    smallest, largest = measured
    first, last = end(low, smallest), end(high, None if largest is None else DRAWN * largest)
    if not 0 < first < last < math.inf:
        ends = f"from {low or f'{first:.3g} (the smallest measured data)'} to "
        ends += high or f"{last:.3g} ({DRAWN:g} times the largest measured data)"
        raise PlannerError(f"{ends}: wanted the smaller end first, both above 0")
    found, refused = [], []
    for i in range(points):
        on_progress("points", i, points)
        value = first * (last / first) ** (i / (points - 1))
        try:
            found.append((value, ask(COSTS[cost], value)))
        except PlannerError as error:  # an end below the smallest training
            refused.append(str(error))
    on_progress("points", points, points)
    if not found:
        raise PlannerError(refused[0])
    return Frontier(
        cost=cost,
        unit=unit if cost == "data" else kind_of(cost).unit,
        points=tuple(found),
        refused=tuple(refused),
    )


_READ: Mapping[str, Callable[[str], float]] = {
    "dollars": units.parse_money,
    "gpu_hours": units.parse_gpu_hours,
    "flops": units.parse_number,
}


def _draws(plan: Plan, cost: str) -> tuple[float, ...]:
    draws = samples_of(plan, "total_dollars" if cost == "dollars" else cost)
    if not draws and plan.resources is not None and plan.resources.training.gpu_hours:
        raise PlannerError(
            f"{plan.question.hardware.on} has no price: give one with --assume price=VALUE or in a fleet file, or "
            "take --against gpu_hours"
        )
    if not draws:
        raise PlannerError(
            f"law {plan.estimate.law.id} does not lead to {cost}: take --against data, or measure with "
            "`planner calibrate`"
        )
    return draws
