"""What trainings cost in the unit of a budget: FLOP that are counted, or time that is learned."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from calibrate.sweep.best_model import size_of
from calibrate.sweep.spec import Spec
from calibrate.types import Budget, Training
from laws.types import Run


class CostModel:
    """Prices of a sweep; `expected` tells the seconds of a training of a size that never ended here."""

    def __init__(self, spec: Spec, budget: Budget, expected: Callable[[Training], float]) -> None:
        self._spec, self._budget, self._expected = spec, budget, expected
        self._rates: dict[tuple[str, int], float] = {}  # (family, size) -> seconds a planned FLOP

    def learn(self, runs: Iterable[Run]) -> None:
        """Learn what sizes cost here from the runs that reached their end."""
        seconds: defaultdict[tuple[str, int], float] = defaultdict(float)
        flops: defaultdict[tuple[str, int], float] = defaultdict(float)
        for run in runs:
            if run.status == "finished" and run.seconds and run.flops:
                seconds[run.family, size_of(run)] += run.seconds
                flops[run.family, size_of(run)] += run.flops
        self._rates = {kind: seconds[kind] / flops[kind] for kind in flops}

    def of(self, trainings: Iterable[Training]) -> float:
        """Return what trainings will cost together."""
        return self._together(map(self._one, trainings))

    def spent(self, runs: Iterable[Run]) -> float:
        """Return what runs cost together."""
        flop = self._budget.unit == "FLOP"
        return self._together((run.flops if flop else run.seconds) or 0.0 for run in runs)

    def _one(self, training: Training) -> float:
        """Return the FLOP or the seconds of a training."""
        flops = self._spec.flops(training)
        if self._budget.unit == "FLOP":
            return flops
        rate = self._rates.get((training.family, training.size))
        return flops * rate if rate else self._expected(training)

    def _together(self, costs: Iterable[float]) -> float:
        """Return the sum; of seconds, side by side, at least as long as the longest, on every GPU."""
        each = list(costs)
        if self._budget.unit == "FLOP":
            return sum(each)
        side_by_side = max([0.0, *each, sum(each) / self._budget.workers])
        return side_by_side * self._budget.gpus if self._budget.unit == "GPU-seconds" else side_by_side
