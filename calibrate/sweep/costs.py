"""The cost of trainings in the unit of a budget: counted FLOP, or time that is measured as runs end."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from calibrate.sweep.best_model import size_of
from calibrate.sweep.spec import Spec
from calibrate.types import Budget, Training
from laws.types import Run


class CostModel:
    """Measured and predicted cost per training.

    Args:
        spec: The sweep.
        budget: The budget in whose unit costs are stated.
        expected: Returns the seconds of a training of a size that has no finished run yet.
    """

    def __init__(self, spec: Spec, budget: Budget, expected: Callable[[Training], float]) -> None:
        self._spec, self._budget, self._expected = spec, budget, expected
        self._rates: dict[tuple[str, int], float] = {}  # (family, size) -> seconds per planned FLOP

    def update(self, runs: Iterable[Run]) -> None:
        """Measure the seconds per FLOP of each size.

        Args:
            runs: All runs of the sweep; those that finished count.
        """
        seconds: defaultdict[tuple[str, int], float] = defaultdict(float)
        flops: defaultdict[tuple[str, int], float] = defaultdict(float)
        for run in runs:
            if run.status == "finished" and run.seconds and run.flops:
                seconds[run.family, size_of(run)] += run.seconds
                flops[run.family, size_of(run)] += run.flops
        self._rates = {kind: seconds[kind] / flops[kind] for kind in flops}

    def predict(self, trainings: Iterable[Training]) -> float:
        """Return the predicted cost of trainings together, in the unit of the budget.

        Args:
            trainings: Trainings of the sweep.

        Returns:
            FLOP, wall-clock seconds of the parallel workers, or those seconds times the GPUs.
        """
        return self._total(map(self._cost, trainings))

    def spent(self, runs: Iterable[Run]) -> float:
        """Return the cost of runs together, in the unit of the budget.

        Args:
            runs: Runs of the sweep, finished or not.

        Returns:
            FLOP, wall-clock seconds of the parallel workers, or those seconds times the GPUs.
        """
        in_flop = self._budget.unit == "FLOP"
        return self._total((run.flops if in_flop else run.seconds) or 0.0 for run in runs)

    def _cost(self, training: Training) -> float:
        """Return the FLOP or the seconds of a training."""
        flops = self._spec.flops(training)
        if self._budget.unit == "FLOP":
            return flops
        rate = self._rates.get((training.family, training.size))
        return flops * rate if rate else self._expected(training)

    def _total(self, costs: Iterable[float]) -> float:
        """Return the sum; seconds of parallel workers are at least those of the longest training."""
        costs = list(costs)
        if self._budget.unit == "FLOP":
            return sum(costs)
        wall_clock = max([0.0, *costs, sum(costs) / self._budget.workers])
        return wall_clock * self._budget.gpus if self._budget.unit == "GPU-seconds" else wall_clock
