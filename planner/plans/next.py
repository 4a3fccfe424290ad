"""What to train next: the runs that narrow the answer to a target most, within a budget."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from laws import paths
from laws.errors import InputError, LawError, run, use
from laws.storage.store import Store
from laws.types import Law
from planner import units
from planner.lawmodel.allocation import AllocationConstraints
from planner.lawmodel.info import law_info
from planner.lawmodel.model import MEASURE_COST, LawModel
from planner.lawmodel.select import SelectedLaw, select_law
from planner.lawmodel.selector import LawSelector
from planner.lawmodel.stored import law_model

MAX_DOUBLINGS = 3  # beyond the largest measured data: further out a run costs more than the sweep did
MAX_RUNS = 8  # of one proposal: after them the law has to be fitted again
MAX_COST_SCENARIOS = 101  # enough for the median cost of a run


@dataclass(frozen=True, kw_only=True)
class Step:
    """One run to train, and what is left of the uncertainty once it and those before it are trained."""

    data: float
    params: float
    flops: float
    seconds: float | None  # on the device that the runs in the store were trained on
    left: float  # standard deviation of the log error, as a share of today's
    repeated: bool  # whether this amount of data was trained before: then train another seed


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """Runs in the order in which they are worth training."""

    law: Law
    target: float  # as an error
    scale: float  # the data size at which the error is predicted
    today: tuple[float, float, float]  # 5%, 50%, 95% of the error there
    spread: float  # standard deviation of its logarithm
    steps: tuple[Step, ...]
    rate: float | None  # FLOP per second that trainings reached here
    device: str
    budget: float  # in FLOP

    def after(self, step: Step) -> tuple[float, float]:
        """Return the 90% interval of the error to expect after a step, around today's median.

        Args:
            step: One of the proposed runs.

        Returns:
            Lower and upper end of the interval, in the unit of the error.
        """
        width = 1.645 * self.spread * step.left
        return self.today[1] * math.exp(-width), self.today[1] * math.exp(width)


def propose(folder: Path, selector: LawSelector, target: str, budget: str) -> Proposal:
    """Return the runs that reduce the uncertainty of a target most.

    Args:
        folder: The store.
        selector: What the law has to match.
        target: The error to reach.
        budget: FLOP (`1e17`), GPU-hours (`5 GPU-hours`) or a time (`30m`) of one device like that of the
            runs in the store.

    Returns:
        The runs, the most informative first.

    Raises:
        LawError: No sampled curve answers, or it has no compute cost.
        InputError: The target or the budget cannot be parsed, or the budget pays for no run.
    """
    from laws.fitting.design import choose_runs, log_errors, scale_of_interest

    selected = select_law(selector, folder, sampled=True)
    law, model = _sampled(selected)
    terms = law_info(law).scale
    value = terms.checked_target(terms.parse(target), written=target)
    rate, device = _rate(folder, law)
    flops = _budget(budget, rate)
    scale = scale_of_interest([law], value)
    candidates = _candidates(law)
    cost = [_cost(model, data) for data in candidates]
    picks = choose_runs(
        [law], scale, [(0, data) for data in candidates], cost, budget=flops, max_picks=MAX_RUNS
    )
    if not picks:
        here = f", about {units.format_duration(min(cost) / rate)} here" if rate else ""
        raise InputError(
            f"budget {budget.strip()}: expected at least {units.format_flops(min(cost))} FLOP{here}, the "
            "cost of the "
            "smallest run",
            code="budget-too-small",
            value=budget,
        )
    errors = log_errors([law], scale)
    spread = float(errors.std(ddof=1))
    measured = set(law.points.get("x", ()))
    steps = []
    for pick in picks:
        data = candidates[pick.candidate]
        steps.append(
            Step(
                data=data,
                params=_params(model, data),
                flops=cost[pick.candidate],
                seconds=cost[pick.candidate] / rate if rate else None,
                left=pick.sd / spread,
                repeated=any(math.isclose(data, x, rel_tol=1e-6) for x in measured),
            )
        )
        measured.add(data)
    low, middle, high = (math.exp(paths.quantile(errors.tolist(), q)) for q in (0.05, 0.5, 0.95))
    return Proposal(
        law=law,
        target=value,
        scale=scale,
        today=(low, middle, high),
        spread=spread,
        steps=tuple(steps),
        rate=rate,
        device=device,
        budget=flops,
    )


def _sampled(selected: SelectedLaw) -> tuple[Law, LawModel]:
    """Return the law with its model, if it is a sampled curve with a compute cost."""
    law = selected.law
    if not isinstance(law, Law) or not law.paths or "scale" not in law.parameters:
        raise LawError(
            f"law {law.id} has no sampled curve: expected one that a run could narrow",
            code="no-sampled-curve",
            value=law.id,
            hint=run("calibrate", purpose="to measure one"),
        )
    model = law_model(law, AllocationConstraints(), size=selected.size, samples=selected.samples)
    if not model.has_flops:
        raise LawError(
            f"law {law.id} has no compute cost, so the cost of a run is not known",
            code="no-compute-cost",
            value=law.id,
            hint=MEASURE_COST,
        )
    return law, model


def _candidates(law: Law) -> list[float]:
    """Return shards in steps of 2x, from the smallest measured one to a few doublings beyond the largest."""
    low, high = law.x_range
    inside = sorted(set(law.points.get("x", ()))) or [
        low * 2**i for i in range(int(math.log2(high / low)) + 1)
    ]
    return [*inside, *(high * 2**i for i in range(1, MAX_DOUBLINGS + 1))]


def _cost(model: LawModel, data: float) -> float:
    return median(
        scenario.flops(data)
        for scenario in model.scenarios[:: max(1, len(model.scenarios) // MAX_COST_SCENARIOS)]
    )


def _params(model: LawModel, data: float) -> float:
    functions = [
        scenario.params for scenario in model.scenarios[:: max(1, len(model.scenarios) // MAX_COST_SCENARIOS)]
    ]
    return median(function(data) for function in functions if function is not None)


def _rate(folder: Path, law: Law) -> tuple[float | None, str]:
    """Return the FLOP per second that the trainings of a domain reached, and on which device."""
    rates, device = [], ""
    for training in Store(folder).runs(domain=law.domain, status="finished"):
        if training.family == law.family and training.flops and training.seconds:
            rates.append(training.flops / training.seconds)
            device = training.device
    return (median(rates), device) if rates else (None, "")


def _budget(text: str, rate: float | None) -> float:
    """Return a budget in FLOP."""
    amount, unit = units.parse_budget(text)
    if unit != "FLOP" and rate is None:
        raise InputError(
            f"budget {text.strip()}: expected FLOP, because no training of this family in the store shows "
            "its speed",
            code="unknown-speed",
            value=text,
            hint=use("budget", value="1e17"),
        )
    flops = amount if unit == "FLOP" else amount * (rate or 0.0)
    if flops <= 0:
        raise InputError(f"budget {text.strip()}: expected more than 0", code="not-positive", value=text)
    return flops


def total(steps: Sequence[Step]) -> float:
    """Return the FLOP of all steps.

    Args:
        steps: Proposed runs.

    Returns:
        FLOP.
    """
    return sum(step.flops for step in steps)
