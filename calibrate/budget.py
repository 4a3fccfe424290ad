"""A sweep within a budget: a small start, then again and again the runs that narrow the answer most.

The start is every size on the smallest shards, enough of them to fit a law. After it each step fits the law
anew and takes what `laws.design` finds worth most for its cost: a shard that was not trained yet, in the
sizes that may be best there, or the best model of a trained shard with another seed. What is asked is the
error at FAR times the largest shard of the preset. What was spent is read from the records of the runs, so
the same command goes on after an interruption as it would have without.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from calibrate.best import Best, best_fits, size_of
from calibrate.fits import FEWEST, answering
from calibrate.prices import Prices
from calibrate.search import Line, Runs, Stage, again, searched
from calibrate.spec import Spec, run_id
from calibrate.types import Budget, Spent, Step, Training
from laws import paths
from laws.design import log_errors, narrowing
from laws.errors import PlannerError
from laws.store import Store
from laws.types import Run

FAR = 10  # times the largest shard: where the error is asked for
MOST = 1  # times that a shard's best model is trained again: more would not show, a fit sees a value a shard


@dataclass(frozen=True)
class _Buy:
    shard: float | None
    again: bool
    lines: Callable[[], Iterator[Line]]

    def __call__(self, spec: Spec, runs: Runs) -> Iterator[Line]:  # noqa: ARG002 - a stage, as others
        return self.lines()

    @property
    def trainings(self) -> Iterator[Training]:
        return chain.from_iterable(self.lines())


class Within:
    """The stages of a sweep of one family within a budget, and what became of it.

    `expected` returns the seconds that a training will take; it is asked before anything was trained, for a
    budget in seconds. Raises PlannerError for several families, and where the start costs too much.
    """

    def __init__(
        self, spec: Spec, store: Store, budget: Budget, expected: Callable[[Training], float]
    ) -> None:
        if len(spec.families) > 1:
            raise PlannerError(
                f"a budget buys the curve of one family, and there are {len(spec.families)}: give one of "
                f"{', '.join(spec.families)} by --family"
            )
        (self._family,) = spec.families
        self.spec, self.store, self.budget = spec, store, budget
        self._prices = Prices(spec, budget, expected)
        self.place = FAR * spec.preset.shards[-1]
        self.steps: list[Step] = []
        sizes = spec.preset.sizes[self._family]
        shards = spec.preset.shards[:FEWEST]
        self.start = _Buy(
            None, False, lambda: searched(spec, [(self._family, x, size) for x in shards for size in sizes])
        )
        self._bought = [self.start]
        there = {run.id: run for run in self._recorded()}
        missing = [training for training in self.start.trainings if run_id(training) not in there]
        self.start_left = self._prices.of(missing)
        needed = self.start_left + self._prices.spent(there.values())
        if needed > budget.amount:
            raise PlannerError(
                f"the budget of {budget.amount:.3g} {budget.unit} does not allow the start, every size on "
                f"the {FEWEST} smallest shards, about {needed:.3g}: give more, or take a smaller preset"
            )

    def stages(self) -> Iterator[Stage]:
        """Yield the stages; each is chosen when the one before it has ended."""
        while True:
            yield self._bought[-1]
            found = self._next()
            if found is None:
                return
            self._bought.append(found)

    def report(self) -> Spent:
        """Return what the budget went for so far."""
        bought = {buy.shard for buy in self._bought}
        left_out = [shard for shard in self.spec.preset.shards[FEWEST:] if shard not in bought]
        return Spent(
            budget=self.budget,
            start=self.start_left,
            place=self.place,
            steps=tuple(self.steps),
            left_out=tuple(left_out),
        )

    def _next(self) -> _Buy | None:
        """Fit what is known, note the step, and return what to train next; None where nothing is worth it."""
        runs, last = self._recorded(), self._bought[-1]
        self._prices.learn(runs)
        models = best_fits(runs, self.spec.metric, self.spec.seed)
        law = answering(self.spec, self._family, models)
        errors = log_errors(law, self.place).tolist()
        low, middle, high = (math.exp(paths.quantile(errors, q)) for q in (0.05, 0.5, 0.95))
        took = self._prices.spent(self.store.last_runs(map(run_id, last.trainings)))
        self.steps.append(Step(data=last.shard, again=last.again, spent=took, error=(low, middle, high)))
        options = [buy for x in self.spec.preset.shards if (buy := _option(self.spec, x, models, runs))]
        if not options:  # all that the preset has was bought
            return None
        found = narrowing(
            law,
            self.place,
            [buy.shard for buy in options if buy.shard],
            [self._prices.of(buy.trainings) for buy in options],
            budget=self.budget.amount - sum(step.spent for step in self.steps),
            most=1,
        )
        return options[found[0].candidate] if found else None

    def _recorded(self) -> list[Run]:
        return list(self.store.last_runs(run_id(t) for buy in self._bought for t in buy.trainings))


def _option(spec: Spec, shard: float, models: Sequence[Best], runs: Sequence[Run]) -> _Buy | None:
    """Return what can be trained of a shard: its best model again, else the sizes that may be best."""
    here = next((best for best in models if best.data == shard), None)
    if here:
        count = len({run.seed for run in runs if run.data == shard})
        training = again(spec, here.chosen, count)
        return _Buy(shard, True, lambda: iter((iter((training,)),))) if count <= MOST else None
    if any(run.data == shard for run in runs):  # none of its trainings came to its end
        return None
    below = [size_of(best.chosen) for best in models if best.data < shard]
    above = [size_of(best.chosen) for best in models if best.data > shard]
    (family,) = spec.families
    sizes = spec.preset.sizes[family]
    low, high = sorted((below[-1] if below else sizes[0], above[0] if above else sizes[-1]))
    cells = [(family, shard, size) for size in sizes if low <= size <= high]
    return _Buy(shard, False, lambda: searched(spec, cells))
