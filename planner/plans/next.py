"""What to train next: the runs that narrow the answer to a target most, within a budget."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from laws import paths
from laws.errors import LawError, PlannerError
from laws.storage.store import Store
from laws.types import Law
from planner import units
from planner.lawmodel.allocation import AllocationConstraints
from planner.lawmodel.model import MEASURE_COST, LawModel
from planner.lawmodel.select import select_law
from planner.lawmodel.selector import LawSelector
from planner.lawmodel.stored import law_model

DOUBLINGS = 3  # beyond the largest measured data: further out a run costs more than the sweep did
MOST = 8  # runs of one proposal: after them the law is to be fitted anew
WORLDS = 101  # enough for the median cost of a run


@dataclass(frozen=True, kw_only=True)
class Step:
    """One run to train, and what is left of the uncertainty once it and those before it are."""

    data: float
    params: float
    flops: float
    seconds: float | None  # on the device that the runs in the store were trained on
    left: float  # sd of the log error asked for, as a share of today's
    known: bool  # whether this shard was trained before: then another seed is what is asked for


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """Runs in the order in which they are worth training."""

    law: Law
    target: float
    place: float  # data size at which the error is asked for
    today: tuple[float, float, float]  # 5 %, 50 %, 95 % of the error there
    spread: float  # sd of its logarithm
    steps: tuple[Step, ...]
    rate: float | None  # FLOP a second that trainings reached here
    device: str
    budget: float  # in FLOP

    def after(self, step: Step) -> tuple[float, float]:
        """Return the 90 % interval of the error to expect after a step, around today's median."""
        wide = 1.645 * self.spread * step.left
        return self.today[1] * math.exp(-wide), self.today[1] * math.exp(wide)


def propose(folder: Path, choice: LawSelector, target: str, budget: str) -> Proposal:
    """Return what to train next so that the answer to a target gets surer.

    `budget` is FLOP (`1e17`), GPU-hours (`5 GPU-hours`) or a time (`30m`) of one device like that of the runs
    in the store. Raises PlannerError where no sampled curve answers, where it says nothing of FLOP, or where
    the budget cannot be read or buys no run.
    """
    from laws.fitting.design import choose_runs, log_errors, scale_of_interest

    chosen = select_law(choice, folder, sampled=True)
    law = chosen.law
    if not isinstance(law, Law) or not law.paths or "scale" not in law.parameters:
        raise PlannerError(
            f"law {law.id} has no sampled curve that a run could narrow: measure one with `planner calibrate`"
        )
    value = units.parse_metric(target, law.metric_unit, metric=law.metric)
    units.checked_target(value, law.metric, law.metric_unit, written=target)
    reading = law_model(law, AllocationConstraints(), size=chosen.size, samples=chosen.samples)
    if not reading.has_flops:
        raise LawError(
            f"law {law.id} has no compute cost, so the cost of a run is not known",
            code="no-compute-cost",
            value=law.id,
            hint=MEASURE_COST,
        )
    rate, device = _rate(folder, law)
    flops = _budget(budget, rate)
    place = scale_of_interest([law], value)
    candidates = _candidates(law)
    cost = [_cost(reading, data) for data in candidates]
    found = choose_runs([law], place, [(0, data) for data in candidates], cost, budget=flops, max_picks=MOST)
    if not found:
        raise PlannerError(
            f"{budget.strip()} buys no run that narrows the answer: the smallest costs "
            f"{units.format_flops(min(cost))} FLOP"
            f"{f', about {units.format_duration(min(cost) / rate)} here' if rate else ''}"
        )
    asked = log_errors([law], place)
    spread = float(asked.std(ddof=1))
    measured = set(law.points.get("x", ()))
    steps = []
    for pick in found:
        data = candidates[pick.candidate]
        steps.append(
            Step(
                data=data,
                params=_params(reading, data),
                flops=cost[pick.candidate],
                seconds=cost[pick.candidate] / rate if rate else None,
                left=pick.sd / spread,
                known=any(math.isclose(data, x, rel_tol=1e-6) for x in measured),
            )
        )
        measured.add(data)
    low, middle, high = (math.exp(paths.quantile(asked.tolist(), q)) for q in (0.05, 0.5, 0.95))
    return Proposal(
        law=law,
        target=value,
        place=place,
        today=(low, middle, high),
        spread=spread,
        steps=tuple(steps),
        rate=rate,
        device=device,
        budget=flops,
    )


def _candidates(law: Law) -> list[float]:
    """Return shards in steps of 2x, from the smallest measured one to a few doublings beyond the largest."""
    low, high = law.x_range
    inside = sorted(set(law.points.get("x", ()))) or [
        low * 2**i for i in range(int(math.log2(high / low)) + 1)
    ]
    return [*inside, *(high * 2**i for i in range(1, DOUBLINGS + 1))]


def _cost(reading: LawModel, data: float) -> float:
    return median(
        world.flops(data) for world in reading.scenarios[:: max(1, len(reading.scenarios) // WORLDS)]
    )


def _params(reading: LawModel, data: float) -> float:
    lines = [world.params for world in reading.scenarios[:: max(1, len(reading.scenarios) // WORLDS)]]
    return median(line(data) for line in lines if line is not None)


def _rate(folder: Path, law: Law) -> tuple[float | None, str]:
    """Return the FLOP a second that the trainings behind a domain reached, and on what."""
    rates, device = [], ""
    for run in Store(folder).runs(domain=law.domain, status="finished"):
        if run.family == law.family and run.flops and run.seconds:
            rates.append(run.flops / run.seconds)
            device = run.device
    return (median(rates), device) if rates else (None, "")


def _budget(text: str, rate: float | None) -> float:
    """Return a budget in FLOP."""
    amount, unit = units.parse_budget(text)
    if unit != "FLOP" and rate is None:
        raise PlannerError(
            f"no training of this family is in the store, so how much {text.strip()} buys is not known: "
            "give the budget in FLOP, such as 1e17"
        )
    flops = amount if unit == "FLOP" else amount * (rate or 0.0)
    if flops <= 0:
        raise PlannerError(f"a budget of {text.strip()} buys nothing: wanted more than 0")
    return flops


def total(steps: Sequence[Step]) -> float:
    """Return the FLOP of all steps."""
    return sum(step.flops for step in steps)
