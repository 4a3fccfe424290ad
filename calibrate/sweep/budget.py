"""Run a sweep within a budget: a small start, then again and again the runs that reduce uncertainty most.

The start is every size of every family on the smallest shards, enough to fit laws. After it, each step refits
the laws that changed and takes what `laws.fitting.design` finds most informative for its cost: a shard that
was not trained yet, in the sizes that may be best there, or the best model of a trained shard with another
seed. The quantity in question is the lowest error of the families, where its median reaches the target, or
without a target at EXTRAPOLATION times the largest shard of the preset. A family that is hardly ever the best
is not informative and gets no more runs. What was spent is read from the records of the runs, so an
interrupted command continues as it would have without the interruption.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from calibrate.sweep.best_model import BestModel, best_models, size_of
from calibrate.sweep.costs import CostModel
from calibrate.sweep.fit_laws import fit_metric_law
from calibrate.sweep.search import Runs, Stage, TrialQueue, repeat_with_seed, search_cells
from calibrate.sweep.spec import MIN_SHARDS, Spec, run_id
from calibrate.types import Budget, BudgetEnd, BudgetStep, BudgetUse, Goal, Training
from laws import paths
from laws.errors import InputError, PlannerError, use
from laws.fitting.design import choose_runs, data_needed, log_errors, scale_of_interest
from laws.storage.store import Store
from laws.types import Law, Run

EXTRAPOLATION = 10  # times the largest shard: the scale of the error without a target
MAX_REPEATS = 1  # of a shard's best model; a fit uses one value per shard, so more would change little
LEVELS = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class _Candidate:
    """A candidate purchase: trainings that are bought together and become a stage of the sweep."""

    family: str
    shard: float | None
    repeat: bool
    queues: Callable[[], Iterator[TrialQueue]]

    def __call__(self, spec: Spec, runs: Runs) -> Iterator[TrialQueue]:  # noqa: ARG002 - the signature of a stage
        return self.queues()

    @property
    def trainings(self) -> Iterator[Training]:
        return chain.from_iterable(self.queues())


class BudgetedSweep:
    """The stages of a sweep within a budget, and a report of its use.

    Args:
        spec: The sweep.
        store: The store, with earlier runs of the sweep.
        budget: The budget.
        goal: The quantity whose uncertainty it should reduce.
        expected: Returns the seconds that a training will take; used before its size has a finished run.
        on_progress: Called with the amount spent, at the start and after each step.

    Raises:
        InputError: The start costs more than the budget ("budget-too-small").
    """

    def __init__(
        self,
        spec: Spec,
        store: Store,
        budget: Budget,
        goal: Goal,
        *,
        expected: Callable[[Training], float],
        on_progress: Callable[[BudgetUse], None] = lambda _: None,
    ) -> None:
        self.spec, self.store, self.budget, self.goal = spec, store, budget, goal
        self._costs = CostModel(spec, budget, expected)
        self._on_progress = on_progress
        self._laws: dict[str, Law] = {}  # family -> its law from the runs so far
        self._first_laws: list[Law] = []  # after the start
        self._steps: list[BudgetStep] = []
        self._ended: BudgetEnd | None = None
        cells = [
            (family, shard, size)
            for family in spec.families
            for shard in spec.preset.shards[:MIN_SHARDS]
            for size in spec.preset.sizes[family]
        ]
        self.start = _Candidate("", None, False, lambda: search_cells(spec, cells))
        self._bought = [self.start]
        on_record = {run.id: run for run in self._recorded()}
        missing = [training for training in self.start.trainings if run_id(training) not in on_record]
        self._start_left = self._costs.predict(missing)
        start_cost = self._start_left + self._costs.spent(on_record.values())
        if start_cost > budget.amount:
            families = f" of {len(spec.families)} families" if len(spec.families) > 1 else ""
            raise InputError(
                f"the budget is {_format(budget.amount, budget.unit)}: expected "
                f"{_format(start_cost, budget.unit)} at "
                f"least, for every size{families} on the {MIN_SHARDS} smallest shards",
                code="budget-too-small",
                value=budget.amount,
                expected=f"{start_cost} {budget.unit}",
                hint=use("budget", "family", "preset", purpose="to spend more or to start with less"),
            )

    def stages(self) -> Iterator[Stage]:
        """Yield the stages of the sweep; each is chosen when the one before it has ended."""
        self._on_progress(self.report())
        while True:
            yield self._bought[-1]
            purchase = self._next()
            self._on_progress(self.report())
            if purchase is None:
                return
            self._bought.append(purchase)

    def report(self) -> BudgetUse:
        """Return what the budget was spent on so far."""
        bought = {(purchase.family, purchase.shard) for purchase in self._bought}
        cells = [(family, x) for family in self.spec.families for x in self.spec.preset.shards[MIN_SHARDS:]]
        return BudgetUse(
            budget=self.budget,
            goal=self.goal,
            start=self._start_left,
            steps=tuple(self._steps),
            interval_ratio=self._interval_ratio(),
            left_out=tuple(cell for cell in cells if cell not in bought),
            ended=self._ended,
        )

    def _next(self) -> _Candidate | None:
        """Refit the laws, record the step, and return what to train next; None to stop."""
        spec, last, runs = self.spec, self._bought[-1], self._recorded()
        self._costs.update(runs)
        models = {
            family: best_models((run for run in runs if run.family == family), spec.metric, spec.seed)
            for family in spec.families
        }
        self._fit({last.family: models[last.family]} if last.family else models)
        laws = list(self._laws.values())
        self._first_laws = self._first_laws or laws
        self._steps.append(self._step(last, laws))
        options = [
            candidate
            for family in self._laws
            for shard in spec.preset.shards
            if (candidate := _candidate(spec, family, shard, models[family], runs))
        ]
        if not options:
            self._ended = BudgetEnd.ALL_TRAINED
            return None
        order = list(self._laws)
        cost = [self._costs.predict(candidate.trainings) for candidate in options]
        left = self.budget.amount - sum(step.spent for step in self._steps)
        choices = choose_runs(
            laws,
            self._steps[-1].evaluated_at,
            [(order.index(option.family), option.shard) for option in options if option.shard],
            cost,
            budget=left,
            max_picks=1,
        )
        if choices:
            return options[choices[0].candidate]
        self._ended = BudgetEnd.NOTHING_AFFORDABLE if min(cost) > left else BudgetEnd.NOTHING_INFORMATIVE
        return None

    def _fit(self, models: dict[str, list[BestModel]]) -> None:
        """Fit the laws of families; those with too few runs are skipped, unless that is all of them."""
        refused = None
        for family, bests in models.items():
            try:
                self._laws[family] = fit_metric_law(self.spec, family, bests, self.goal.metric)
            except PlannerError as error:
                refused = error
        if refused and not self._laws:
            raise refused

    def _step(self, last: _Candidate, laws: Sequence[Law]) -> BudgetStep:
        target = self.goal.target
        scale = (
            EXTRAPOLATION * self.spec.preset.shards[-1] if target is None else scale_of_interest(laws, target)
        )
        return BudgetStep(
            family=last.family,
            data=last.shard,
            repeat=last.repeat,
            spent=self._costs.spent(self.store.last_runs(map(run_id, last.trainings))),
            evaluated_at=scale,
            error=_interval([math.exp(value) for value in log_errors(laws, scale)]),
            needed=None if target is None else _interval(data_needed(laws, target).tolist()),
        )

    def _interval_ratio(self) -> float:
        """Return the width of the last step's interval, over that at the same scale after the start."""
        if not self._steps:
            return 1.0
        low, _, high = self._steps[-1].error
        first, _, last = _interval(log_errors(self._first_laws, self._steps[-1].evaluated_at).tolist())
        return math.log(high / low) / (last - first)

    def _recorded(self) -> list[Run]:
        return list(self.store.last_runs(run_id(t) for purchase in self._bought for t in purchase.trainings))


def _format(amount: float, unit: str) -> str:
    if unit == "FLOP":
        return f"{amount:.3g} FLOP".replace("e+", "e")
    if unit == "GPU-seconds":
        return f"{amount / 3600:.3g} GPU-hours"
    return f"{amount:.3g} s" if amount < 60 else f"{amount / 60:.3g} minutes"


def _interval(values: Sequence[float]) -> tuple[float, float, float]:
    low, middle, high = (paths.quantile(values, level) for level in LEVELS)
    return low, middle, high


def _candidate(
    spec: Spec, family: str, shard: float, models: Sequence[BestModel], runs: Sequence[Run]
) -> _Candidate | None:
    """Return what a shard offers: its best model with another seed, else the sizes that may be best."""
    own = [run for run in runs if (run.family, run.data) == (family, shard)]
    here = next((best for best in models if best.data == shard), None)
    if here:
        count = len({run.seed for run in own})
        training = repeat_with_seed(spec, here.chosen, count)
        return (
            _Candidate(family, shard, True, lambda: iter((iter((training,)),)))
            if count <= MAX_REPEATS
            else None
        )
    if own:  # none of its trainings finished
        return None
    below = [size_of(best.chosen) for best in models if best.data < shard]
    above = [size_of(best.chosen) for best in models if best.data > shard]
    sizes = spec.preset.sizes[family]
    low, high = sorted((below[-1] if below else sizes[0], above[0] if above else sizes[-1]))
    cells = [(family, shard, size) for size in sizes if low <= size <= high]
    return _Candidate(family, shard, False, lambda: search_cells(spec, cells))
