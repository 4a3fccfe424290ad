"""A sweep within a budget: a small start, then again and again the runs that narrow the answer most.

The start is every size of every family on the smallest shards, enough of them to fit laws. After it each step
fits anew what changed and takes what `laws.fitting.design` finds worth most for its cost: a shard that was not
trained yet, in the sizes that may be best there, or the best model of a trained shard with another seed. What
is asked is the lowest error of the families, where its median reaches the target, or at FAR times the largest
shard of the preset where there is no target. A family that is hardly ever the best tells nothing of that and
gets no more runs. What was spent is read from the records of the runs, so the same command goes on after an
interruption as it would have without.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from calibrate.sweep.best_model import BestModel, best_models, size_of
from calibrate.sweep.costs import CostModel
from calibrate.sweep.fit_laws import FEWEST, answering
from calibrate.sweep.search import Runs, Stage, TrialQueue, repeat_with_seed, search_cells
from calibrate.sweep.spec import Spec, run_id
from calibrate.types import Budget, BudgetStep, BudgetUse, Goal, Training
from laws import paths
from laws.errors import PlannerError
from laws.fitting.design import choose_runs, data_needed, log_errors, scale_of_interest
from laws.storage.store import Store
from laws.types import Law, Run

FAR = 10  # times the largest shard: where the error is asked for without a target
MOST = 1  # times that a shard's best model is trained again: more would not show, a fit sees a value a shard
LEVELS = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class _Candidate:
    """Trainings that are bought together, and then a stage of the sweep."""

    family: str
    shard: float | None
    again: bool
    lines: Callable[[], Iterator[TrialQueue]]

    def __call__(self, spec: Spec, runs: Runs) -> Iterator[TrialQueue]:  # noqa: ARG002 - a stage, as others
        return self.lines()

    @property
    def trainings(self) -> Iterator[Training]:
        return chain.from_iterable(self.lines())


class BudgetedSweep:
    """The stages of a sweep within a budget, and what became of it.

    `expected` returns the seconds that a training will take; it is asked before anything was trained, for a
    budget in time. `told` hears what was spent at the beginning and after every step. Raises PlannerError
    where the start costs too much.
    """

    def __init__(
        self,
        spec: Spec,
        store: Store,
        budget: Budget,
        goal: Goal,
        *,
        expected: Callable[[Training], float],
        told: Callable[[BudgetUse], None] = lambda _: None,
    ) -> None:
        self.spec, self.store, self.budget, self.goal = spec, store, budget, goal
        self._prices = CostModel(spec, budget, expected)
        self._told = told
        self._laws: dict[str, Law] = {}  # family -> of what was bought so far
        self._first: list[Law] = []  # those after the start
        self._steps: list[BudgetStep] = []
        self._ended = ""
        cells = [
            (family, shard, size)
            for family in spec.families
            for shard in spec.preset.shards[:FEWEST]
            for size in spec.preset.sizes[family]
        ]
        self.start = _Candidate("", None, False, lambda: search_cells(spec, cells))
        self._bought = [self.start]
        there = {run.id: run for run in self._recorded()}
        missing = [training for training in self.start.trainings if run_id(training) not in there]
        self._start_left = self._prices.of(missing)
        whole = self._start_left + self._prices.spent(there.values())
        if whole > budget.amount:
            count = len(spec.families)
            of, fewer = (f" of {count} families", ", name fewer families") if count > 1 else ("", "")
            raise PlannerError(
                f"the budget of {_said(budget.amount, budget.unit)} does not allow the start, every size{of} "
                f"on the {FEWEST} smallest shards, about {_said(whole, budget.unit)}: give more{fewer}, or "
                "take a smaller preset"
            )

    def stages(self) -> Iterator[Stage]:
        """Yield the stages; each is chosen when the one before it has ended."""
        self._told(self.report())
        while True:
            yield self._bought[-1]
            found = self._next()
            self._told(self.report())
            if found is None:
                return
            self._bought.append(found)

    def report(self) -> BudgetUse:
        """Return what the budget went for so far."""
        bought = {(buy.family, buy.shard) for buy in self._bought}
        cells = [(family, x) for family in self.spec.families for x in self.spec.preset.shards[FEWEST:]]
        return BudgetUse(
            budget=self.budget,
            goal=self.goal,
            start=self._start_left,
            steps=tuple(self._steps),
            width=self._width(),
            left_out=tuple(cell for cell in cells if cell not in bought),
            ended=self._ended,
        )

    def _next(self) -> _Candidate | None:
        """Fit what is known, note the step, and return what to train next; None where nothing is worth it."""
        spec, last, runs = self.spec, self._bought[-1], self._recorded()
        self._prices.learn(runs)
        models = {
            family: best_models((run for run in runs if run.family == family), spec.metric, spec.seed)
            for family in spec.families
        }
        self._fit({last.family: models[last.family]} if last.family else models)
        laws = list(self._laws.values())
        self._first = self._first or laws
        self._steps.append(self._step(last, laws))
        options = [
            buy
            for family in self._laws
            for shard in spec.preset.shards
            if (buy := _option(spec, family, shard, models[family], runs))
        ]
        if not options:
            self._ended = "all that the preset has was trained"
            return None
        order = list(self._laws)
        cost = [self._prices.of(buy.trainings) for buy in options]
        left = self.budget.amount - sum(step.spent for step in self._steps)
        found = choose_runs(
            laws,
            self._steps[-1].place,
            [(order.index(buy.family), buy.shard) for buy in options if buy.shard],
            cost,
            budget=left,
            max_picks=1,
        )
        if found:
            return options[found[0].candidate]
        self._ended = (
            "nothing else can be paid"
            if min(cost) > left
            else "nothing else that can be paid narrows the answer by one per cent"
        )
        return None

    def _fit(self, models: dict[str, list[BestModel]]) -> None:
        """Fit the laws of families; one that has too few runs for a law is passed over, unless all have."""
        refused = None
        for family, bests in models.items():
            try:
                self._laws[family] = answering(self.spec, family, bests, self.goal.metric)
            except PlannerError as error:
                refused = error
        if refused and not self._laws:
            raise refused

    def _step(self, last: _Candidate, laws: Sequence[Law]) -> BudgetStep:
        target = self.goal.target
        place = FAR * self.spec.preset.shards[-1] if target is None else scale_of_interest(laws, target)
        return BudgetStep(
            family=last.family,
            data=last.shard,
            again=last.again,
            spent=self._prices.spent(self.store.last_runs(map(run_id, last.trainings))),
            place=place,
            error=_interval([math.exp(value) for value in log_errors(laws, place)]),
            needed=None if target is None else _interval(data_needed(laws, target).tolist()),
        )

    def _width(self) -> float:
        """Return the width of the last step's interval, over that at the same place after the start."""
        if not self._steps:
            return 1.0
        low, _, high = self._steps[-1].error
        first, _, last = _interval(log_errors(self._first, self._steps[-1].place).tolist())
        return math.log(high / low) / (last - first)

    def _recorded(self) -> list[Run]:
        return list(self.store.last_runs(run_id(t) for buy in self._bought for t in buy.trainings))


def _said(amount: float, unit: str) -> str:
    if unit == "FLOP":
        return f"{amount:.3g} FLOP".replace("e+", "e")
    if unit == "GPU-seconds":
        return f"{amount / 3600:.3g} GPU-hours"
    return f"{amount:.3g} s" if amount < 60 else f"{amount / 60:.3g} minutes"


def _interval(values: Sequence[float]) -> tuple[float, float, float]:
    low, middle, high = (paths.quantile(values, level) for level in LEVELS)
    return low, middle, high


def _option(
    spec: Spec, family: str, shard: float, models: Sequence[BestModel], runs: Sequence[Run]
) -> _Candidate | None:
    """Return what can be trained of a shard: its best model again, else the sizes that may be best."""
    mine = [run for run in runs if (run.family, run.data) == (family, shard)]
    here = next((best for best in models if best.data == shard), None)
    if here:
        count = len({run.seed for run in mine})
        training = repeat_with_seed(spec, here.chosen, count)
        return _Candidate(family, shard, True, lambda: iter((iter((training,)),))) if count <= MOST else None
    if mine:  # none of its trainings came to its end
        return None
    below = [size_of(best.chosen) for best in models if best.data < shard]
    above = [size_of(best.chosen) for best in models if best.data > shard]
    sizes = spec.preset.sizes[family]
    low, high = sorted((below[-1] if below else sizes[0], above[0] if above else sizes[-1]))
    cells = [(family, shard, size) for size in sizes if low <= size <= high]
    return _Candidate(family, shard, False, lambda: search_cells(spec, cells))
