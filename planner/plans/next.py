"""What to train next: the runs that narrow the answer to a target most, within a budget.

A budget is compute (FLOP, GPU-hours, or the time of a device like that of the runs in the store), money, or
data that has to be labeled. Where several families are calibrated, the runs narrow the error of the best of
them.
"""

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median

from laws import paths
from laws.errors import InputError, LawError, PlannerError
from laws.storage.store import Store
from laws.types import TYPED_POINTS, Law
from planner import units
from planner.hardware.measured_utilization import logged_rate
from planner.lawmodel.allocation import AllocationConstraints
from planner.lawmodel.info import law_info
from planner.lawmodel.model import LawModel
from planner.lawmodel.sampled_curve import sampled_curve
from planner.lawmodel.select import SelectedLaw, check_metric, select_law
from planner.lawmodel.selector import LawSelector
from planner.lawmodel.stored import law_model
from planner.metrics import FRACTION
from planner.plans.run_costs import (
    FLOP,
    GPU_HOURS,
    USD,
    Candidate,
    RunCosts,
    RunPrices,
    cost_so_far,
    format_amount,
    parse_run_budget,
)
from planner.sources.tracked_table import FROM_NAME, WHERE

MAX_DOUBLINGS = 3  # beyond the largest measured data: further out a run costs more than the sweep did
MAX_RUNS = 8  # of one proposal: after them the law has to be fitted again
MIN_COST_SHARE = 1e-6  # of a budget: what a run costs that takes nothing of the budget, such as new data


@dataclass(frozen=True, kw_only=True)
class Step:
    """One run to train, and what is left of the uncertainty once it and those before it are trained."""

    run: Candidate
    seconds: float | None  # on a device like that of the runs in the store; None where none shows its speed
    left: float  # standard deviation of the log error, as a share of today's
    repeated: bool  # whether this amount of data was trained before: then train another seed


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """Runs in the order in which they are worth training."""

    law: Law
    target: float
    scale: float  # the data size at which the error is predicted
    today: tuple[float, float, float]  # 5%, 50%, 95% of the error there
    spread: float  # standard deviation of its logarithm
    steps: tuple[Step, ...]
    rate: float | None  # FLOP per second that trainings reached here
    device: str
    budget: float
    unit: str  # of the budget and of what is spent: FLOP, GPU_HOURS, USD or the law's unit of data
    default_budget: bool  # whether the budget is what the runs so far cost
    commands: tuple[str, ...]  # to run once the runs are trained, or instead of training them by hand

    def after(self, step: Step) -> tuple[float, float]:
        """Return the 90% interval of the error to expect after a step, around today's median.

        Args:
            step: One of the proposed runs.

        Returns:
            Lower and upper end of the interval, in the unit of the error.
        """
        width = 1.645 * self.spread * step.left
        return self.today[1] * math.exp(-width), self.today[1] * math.exp(width)

    @property
    def spent(self) -> float:
        """Return what all runs cost together, in the budget's unit; data counts once for all of them."""
        costs = [step.run.cost(self.unit) for step in self.steps]
        return sum(costs) if self.unit in (FLOP, GPU_HOURS, USD) else max(costs)


def propose(
    folder: Path,
    selector: LawSelector,
    target: str,
    budget: str | None = None,
    prices: RunPrices | None = None,
) -> Proposal:
    """Return the runs that reduce the uncertainty of a target most.

    Args:
        folder: The store.
        selector: What the law has to match.
        target: The error to reach.
        budget: FLOP (`1e17`), GPU-hours (`5 GPU-hours`), a time (`30m`) of one device like that of the runs
            in the store, dollars (`$500`) or data to label (`2000 examples`). None is as much as the
            measured runs cost together.
        prices: What data and hardware cost.

    Returns:
        The runs, the most informative first.

    Raises:
        LawError: No sampled curve answers, or it has no compute cost and the budget is of compute.
        InputError: The target or the budget cannot be parsed, or the budget pays for no run.
        MissingInput: The budget is of dollars, and nothing has a price.
    """
    from laws.fitting.design import choose_runs, log_errors, scale_of_interest

    selected = select_law(selector, folder, sampled=True)
    check_metric(selected, selector, target)
    pairs = [_sampled(one) for one in (selected, *selected.families)]
    laws = [law for law, _ in pairs]
    law = laws[0]
    terms = law_info(law).scale
    value = terms.checked_target(terms.parse(target), written=target)
    rate, device = _rate(folder, law)
    costs = RunCosts(law, prices or RunPrices(), date.today())
    candidates = [
        costs.candidate(k, one, model, data) for k, (one, model) in enumerate(pairs) for data in _sizes(one)
    ]
    if budget is None:
        limit, unit = cost_so_far(law, candidates, costs)
    else:
        limit, unit = parse_run_budget(budget, law, candidates, rate)
    least = MIN_COST_SHARE * limit
    cost = [max(candidate.cost(unit), least) for candidate in candidates]
    scale = scale_of_interest(laws, value)
    runs = [(candidate.index, candidate.data) for candidate in candidates]
    available = limit + (MAX_RUNS * least if least in cost else 0.0)
    picks = choose_runs(laws, scale, runs, cost, budget=available, max_picks=MAX_RUNS)
    if not picks:
        raise _nothing_to_train(budget, min(cost), limit, unit, rate)
    errors = log_errors(laws, scale)
    spread = float(errors.std(ddof=1))
    measured = [set(one.points.get("x", ())) for one in laws]
    steps = []
    for pick in picks:
        chosen = candidates[pick.candidate]
        trained = measured[chosen.index]
        steps.append(
            Step(
                run=chosen,
                seconds=_seconds(chosen, rate),
                left=pick.sd / spread,
                repeated=any(math.isclose(chosen.data, x, rel_tol=1e-6) for x in trained),
            )
        )
        trained.add(chosen.data)
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
        budget=limit,
        unit=unit,
        default_budget=budget is None,
        commands=_commands(law, steps, target),
    )


def _seconds(run: Candidate, rate: float | None) -> float | None:
    """Return the time of a run: on the accelerators that are named, else on one device like the last ones."""
    if run.days is not None:
        return run.days * units.SECONDS["d"]
    return run.flops / rate if rate and run.flops is not None else None


def _sampled(selected: SelectedLaw) -> tuple[Law, LawModel]:
    """Return the law with its model, if it is a sampled curve."""
    law = sampled_curve(selected.law)
    return law, law_model(law, AllocationConstraints(), size=selected.size, samples=selected.samples)


def _sizes(law: Law) -> list[float]:
    """Return data sizes in steps of 2x, from the smallest measured one to beyond the largest."""
    low, high = law.x_range
    inside = sorted(set(law.points.get("x", ()))) or [
        low * 2**i for i in range(int(math.log2(high / low)) + 1)
    ]
    return [*inside, *(high * 2**i for i in range(1, MAX_DOUBLINGS + 1))]


def _rate(folder: Path, law: Law) -> tuple[float | None, str]:
    """Return the FLOP per second that the trainings behind a law reached, and on which device."""
    logged, accelerator = logged_rate(law)
    if logged is not None:
        return logged, accelerator
    rates, device = [], ""
    for training in Store(folder).runs(domain=law.domain, status="finished"):
        if training.family == law.family and training.flops and training.seconds:
            rates.append(training.flops / training.seconds)
            device = training.device
    return (median(rates), device) if rates else (None, "")


def _nothing_to_train(
    text: str | None, least: float, limit: float, unit: str, rate: float | None
) -> PlannerError:
    """Return the error for a budget without a run."""
    if least <= limit:
        return LawError(
            "no run narrows the answer to this target by much: expected a target that is less certain",
            code="no-informative-run",
        )
    here = f", about {units.duration_in_words(least / rate)} here" if rate and unit == FLOP else ""
    return InputError(
        f"budget {(text or '').strip()}: expected at least {format_amount(least, unit)}{here}, the cost of "
        "the smallest run",
        code="budget-too-small",
        value=text,
    )


def _points(law: Law, steps: Sequence[Step]) -> str:
    """Return the points that were typed, and those to add once they are measured."""
    scale, suffix = law_info(law).scale, "h" if law.x_unit == units.AUDIO_UNIT else ""
    values = map(scale.from_error, law.points["y"])
    texts = [f"{100 * value:.6g}%" if law.metric_unit == FRACTION else f"{value:.6g}" for value in values]
    pairs = [*zip(law.points["x"], texts, strict=True), *((step.run.data, "VALUE") for step in steps)]
    return " ".join(f"--point {x:.12g}{suffix}={y}" for x, y in pairs)


def _choice(law: Law) -> list[str]:
    """Return the options that chose the runs of a fitted law."""
    where = {key.removeprefix(WHERE): text for key, text in law.provenance.items() if key.startswith(WHERE)}
    words = [f"--where {shlex.quote(f'{column}={text}')}" for column, text in where.items()]
    words += [f"--state {state}" for state in law.provenance.get("states", "").split()]
    for option in ("value", "data_from_name"):
        if option in law.provenance:
            words.append(f"--{option.replace('_', '-')} {shlex.quote(law.provenance[option])}")
    return words


def _commands(law: Law, steps: Sequence[Step], target: str) -> tuple[str, ...]:
    """Return the commands that continue: train here, or fit the table again and ask again."""
    subject = f"--domain {shlex.quote(law.domain)}"
    goal = f"--target {shlex.quote(f'{law.metric}={target.strip()}')}"
    if law.source == "calibrated":
        flops = sum(step.run.flops or 0.0 for step in steps)
        return (f"planner calibrate {subject} {goal} --budget {units.format_flops(flops)}",) if flops else ()
    typed = law.provenance.get("file") == TYPED_POINTS
    unit = "" if typed else law.provenance.get("metric_unit", law.metric_unit)  # as the file has it
    runs = _points(law, steps) if typed else shlex.quote(law.provenance.get("file", "RUNS.csv"))
    words = [
        f"planner fit {runs} {subject}",
        f"--metric {shlex.quote(law.metric)} --data-unit {shlex.quote(law.x_unit)}",
        *([f"--metric-unit {shlex.quote(unit)}"] if unit else []),
        *([f"--family {shlex.quote(law.family)}"] if law.family else []),
    ]
    words += _choice(law)
    for piece in filter(None, law.provenance.get("columns", "").split(", ")):
        role, _, column = piece.partition("=")
        default = {"data": law.x_unit, "metric": law.metric}.get(role, role)
        if column and column not in (default, FROM_NAME):
            words.append(f"--{role.replace('_', '-')}-column {shlex.quote(column)}")
    return (" ".join(words), f"planner estimate {subject} {goal}")
