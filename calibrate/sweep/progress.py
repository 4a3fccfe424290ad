"""Count the progress of a sweep: runs that ended, the best so far, and the time that is left."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from calibrate.sweep.best_model import Incumbents, size_of
from calibrate.sweep.spec import Spec, cell_of
from calibrate.types import Training
from laws.types import Run, RunStatus


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The state of a sweep after an attempt ended.

    Attributes:
        planned: Trainings known so far.
        done: Trainings that finished or ended with another status.
        before: Trainings that were done when this command began.
        unfinished: Trainings that are done but did not finish.
        best: (family, shard) -> the best run so far.
        seconds_left: Expected time of the rest of the stage; None before the first run.
        last: The attempt that has just ended.
    """

    planned: int
    done: int
    before: int
    unfinished: int
    best: Mapping[tuple[str, float], Run]
    seconds_left: float | None
    last: Run | None


class ProgressCounts:
    """Running sums over a sweep, so that progress after each of ten thousand runs costs the same.

    Args:
        spec: The sweep.
        workers: Trainings at once.
    """

    def __init__(self, spec: Spec, workers: int) -> None:
        self._spec, self._workers = spec, workers
        self.incumbents = Incumbents(spec.metric)
        self.statuses: Counter[RunStatus] = Counter()
        self.unfinished: Run | None = None  # one of those that did not finish
        self.spent = self.saved = 0.0  # FLOP
        self._best: dict[tuple[str, float], Run] = {}
        self._planned = self._before = self._left = 0
        # (family, size) -> ...
        self._flops_left: dict[tuple[str, int], float] = defaultdict(float)  # FLOP at most
        self._seconds: dict[tuple[str, int], float] = defaultdict(float)  # taken by finished runs
        self._flops: dict[tuple[str, int], float] = defaultdict(float)  # planned for finished runs

    def plan(self, training: Training, *, settled: bool) -> None:
        """Count a planned training.

        Args:
            training: A training of a stage that begins.
            settled: Whether a run on record says how it ended.
        """
        self._planned += 1
        if settled:
            self._before += 1
            return
        self._left += 1
        self._flops_left[training.family, training.size] += self._spec.flops(training)

    def end(self, training: Training) -> None:
        """Count a training as ended.

        Args:
            training: A training that was planned and not settled.
        """
        self._left -= 1
        self._flops_left[training.family, training.size] -= self._spec.flops(training)

    def add(self, run: Run) -> None:
        """Add the final run of a training, from this command or an earlier one.

        Args:
            run: The run.
        """
        spec = self._spec
        self.statuses[run.status] += 1
        self.spent += run.flops or 0.0
        if run.status == "stopped-early":
            self.saved += spec.most_flops(cell_of(run)) - (run.flops or 0.0)
        if run.status != "finished":
            self.unfinished = self.unfinished or run
            return
        self.incumbents.add(run)
        if run.seconds:
            self._seconds[run.family, size_of(run)] += run.seconds
            self._flops[run.family, size_of(run)] += spec.most_flops(cell_of(run))
        if run.seed == spec.seed:
            best = self._best.setdefault((run.family, run.data), run)
            if run.metrics[spec.metric] < best.metrics[spec.metric]:
                self._best[run.family, run.data] = run

    def progress(self, last: Run | None) -> Progress:
        """Return the state of the sweep.

        Args:
            last: The attempt that has just ended; None when a stage begins.

        Returns:
            The state, with the best run of each shard so far.
        """
        return Progress(
            planned=self._planned,
            done=self._planned - self._left,
            before=self._before,
            unfinished=self.statuses.total() - self.statuses["finished"],
            best=dict(self._best),
            seconds_left=self._seconds_left(),
            last=last,
        )

    def _seconds_left(self) -> float | None:
        """Return the time of the rest of the stage at the rate of the runs so far; None before the first."""
        if not self._seconds:
            return None
        overall = sum(self._seconds.values()) / sum(self._flops.values())
        seconds = sum(
            flops * (self._seconds[kind] / self._flops[kind] if kind in self._flops else overall)
            for kind, flops in self._flops_left.items()
        )
        return max(0.0, seconds) / min(self._workers, max(1, self._left))
