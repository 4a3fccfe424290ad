"""The Pareto front of error against cost: the lowest error for each cost, with its band."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from laws import paths
from laws.errors import InputError, LawError, MissingInput, PlannerError, UnknownName, run, use
from laws.types import Law
from planner import units
from planner.hardware.fleet import Fleet
from planner.lawmodel.published import data_unit
from planner.lawmodel.select import SelectedLaw, select_law
from planner.plans.plan import OnProgress, Plan, plan_by
from planner.plans.quantities import kind_of, samples_of
from planner.plans.question import Question

COSTS = {"dollars": "budget", "gpu_hours": "gpu_hours", "flops": "flops", "data": "data"}  # cost -> option
MAX_POINTS = 400  # each is a plan of its own
FRONT_END = 100.0  # times the largest measured data: how far a front goes by default


@dataclass(frozen=True, kw_only=True)
class Frontier:
    """Plans of rising cost, each the best for what it costs."""

    cost: str  # a key of `COSTS`
    unit: str
    points: tuple[tuple[float, Plan], ...]
    refused: tuple[str, ...]  # why costs have no plan, one reason per cost


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

    Args:
        question: What all points share.
        folder: The store.
        fleet: The accelerators and what is assumed of them.
        today: The day that quotes count from.
        against: A key of `COSTS`; by default dollars with an accelerator, else FLOP.
        low: The smallest cost; by default that of the smallest measured data.
        high: The largest cost; by default that of `FRONT_END` times the largest measured data.
        points: Number of costs.
        seed: Seed of the samples of the hardware assumptions.
        on_progress: Called with what is planned, how many are done, and of how many.

    Returns:
        The front.

    Raises:
        InputError: The ends or the number of points cannot be used, or the cost needs an accelerator.
        LawError: The law has no such cost.
    """
    if not 2 <= points <= MAX_POINTS:
        raise InputError(f"points {points}: expected 2 to {MAX_POINTS}", code="wrong-points", value=points)
    cost = against or ("flops" if question.hardware.on is None else "dollars")
    if cost not in COSTS:
        raise UnknownName("cost", cost, tuple(COSTS))
    if cost in ("dollars", "gpu_hours") and question.hardware.on is None:
        raise MissingInput(
            f"cost {cost}: expected an accelerator too, got none",
            code="missing-accelerator",
            hint=use("on", value="h100"),
        )
    selected = select_law(question.selector, folder)

    def ask(option: str, value: float, **others: Any) -> Plan:
        given = {option: f"{'$' if option == 'budget' else ''}{value!r}"} | others
        return plan_by(selected, question.with_options(given), folder, fleet, today=today, seed=seed)

    first, last = _ends(selected, cost, low, high, ask)
    plans, errors = [], []
    for i in range(points):
        on_progress("points", i, points)
        value = first * (last / first) ** (i / (points - 1))
        try:
            plans.append((value, ask(COSTS[cost], value)))
        except PlannerError as error:  # a cost below that of the smallest training
            errors.append(error)
    on_progress("points", points, points)
    if not plans:
        raise errors[0]
    return Frontier(
        cost=cost,
        unit=_data_unit(selected) if cost == "data" else kind_of(cost).unit,
        points=tuple(plans),
        refused=tuple(error.message for error in errors),
    )


def _data_unit(selected: SelectedLaw) -> str:
    return selected.law.x_unit if isinstance(selected.law, Law) else data_unit(selected.law)


def _ends(
    selected: SelectedLaw, cost: str, low: str | None, high: str | None, ask: Callable[..., Plan]
) -> tuple[float, float]:
    """Return the smallest and the largest cost."""

    def end(text: str | None, data: float | None) -> float:
        if text is not None:
            return units.parse_data(text, _data_unit(selected)) if cost == "data" else _PARSE[cost](text)
        if data is None:
            raise MissingInput(
                f"law {selected.law.id} states no measured range: expected both ends of the cost",
                code="missing-ends",
                hint=use("from", "to"),
            )
        # without inference, which makes the model of a small amount of data as small as can be
        return paths.quantile(_samples(ask("data", data, serve=None), cost), 0.5)

    smallest, largest = selected.law.x_range if isinstance(selected.law, Law) else selected.law.measured
    first, last = end(low, smallest), end(high, None if largest is None else FRONT_END * largest)
    if not 0 < first < last < math.inf:
        start = low or f"{first:.3g} (the smallest measured data)"
        stop = high or f"{last:.3g} ({FRONT_END:g} times the largest measured data)"
        raise InputError(
            f"from {start} to {stop}: expected the smaller end first, both above 0", code="wrong-ends"
        )
    return first, last


_PARSE: Mapping[str, Callable[[str], float]] = {
    "dollars": units.parse_money,
    "gpu_hours": units.parse_gpu_hours,
    "flops": units.parse_number,
}


def _samples(plan: Plan, cost: str) -> tuple[float, ...]:
    """Return the posterior samples of a cost."""
    samples = samples_of(plan, "total_dollars" if cost == "dollars" else cost)
    if not samples and plan.resources is not None and plan.resources.training.gpu_hours:
        raise InputError(
            f"accelerator {plan.question.hardware.on} has no price: expected one for a front of dollars",
            code="no-price",
            value=plan.question.hardware.on,
            hint=(use("assume", value="price=VALUE"), use("against", value="gpu_hours")),
        )
    if not samples:
        raise LawError(
            f"law {plan.estimate.law.id} has no {cost}: expected another cost",
            code="no-such-cost",
            value=cost,
            hint=(use("against", value="data"), run("calibrate", purpose="to measure the compute cost")),
        )
    return samples
