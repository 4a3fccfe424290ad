"""What trainings cost in the unit of a budget: FLOP that are counted, or seconds that are learned."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from calibrate.best import size_of
from calibrate.spec import Spec
from calibrate.types import Budget, Training
from laws.types import Run


class Prices:
    """Prices of one family; `expected` tells the seconds of a training of a size that never ended here."""

    def __init__(self, spec: Spec, budget: Budget, expected: Callable[[Training], float]) -> None:
        self._spec, self._budget, self._expected = spec, budget, expected
        self._rates: dict[int, float] = {}  # size -> seconds a planned FLOP

    def learn(self, runs: Iterable[Run]) -> None:
        """Learn what sizes cost here from the runs that reached their end."""
        seconds: defaultdict[int, float] = defaultdict(float)
        flops: defaultdict[int, float] = defaultdict(float)
        for run in runs:
            if run.status == "finished" and run.seconds and run.flops:
                seconds[size_of(run)] += run.seconds
                flops[size_of(run)] += run.flops
        self._rates = {size: seconds[size] / flops[size] for size in flops}

    def of(self, trainings: Iterable[Training]) -> float:
        """Return what trainings will cost together."""
        return self._together(map(self._one, trainings))

    def spent(self, runs: Iterable[Run]) -> float:
        """Return what runs cost together."""
        flop = self._budget.unit == "FLOP"
        return self._together((run.flops if flop else run.seconds) or 0.0 for run in runs)

    def _one(self, training: Training) -> float:
        flops = self._spec.flops(training)
        if self._budget.unit == "FLOP":
            return flops
        rate = self._rates.get(training.size)
        return flops * rate if rate else self._expected(training)

    def _together(self, costs: Iterable[float]) -> float:
        """Return the sum; of seconds, side by side, at least as long as the longest."""
        each = list(costs)
        if self._budget.unit == "FLOP":
            return sum(each)
        return max([0.0, *each, sum(each) / self._budget.workers])
