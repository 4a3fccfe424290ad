"""How far a sweep is: what its runs have shown, and how much is left to do."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from calibrate.sweep.best_model import Incumbents, size_of
from calibrate.sweep.spec import Spec, cell_of
from calibrate.types import Training
from laws.types import Run, RunStatus


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a sweep is, after every attempt that ended."""

    planned: int  # trainings known so far
    done: int  # of them: finished, or settled with another status
    before: int  # of them: done when this command began
    unfinished: int  # of the done: those that did not finish
    best: Mapping[tuple[str, float], Run]  # (family, shard) -> best run so far
    seconds_left: float | None
    last: Run | None


class ProgressCounts:
    """Sums over the runs of a sweep: one of ten thousand runs is asked ten thousand times how far it is."""

    def __init__(self, spec: Spec, workers: int) -> None:
        self._spec, self._workers = spec, workers
        self.incumbents = Incumbents(spec.metric)
        self.counts: Counter[RunStatus] = Counter()
        self.unfinished: Run | None = None  # one of those that did not finish
        self.spent = self.saved = 0.0  # FLOP
        self._best: dict[tuple[str, float], Run] = {}
        self._planned = self._before = self._left = 0
        # (family, size) -> ...
        self._flops_left: dict[tuple[str, int], float] = defaultdict(float)  # FLOP at most
        self._seconds: dict[tuple[str, int], float] = defaultdict(float)  # of the finished runs
        self._flops: dict[tuple[str, int], float] = defaultdict(float)  # that were planned for them

    def plan(self, training: Training, *, settled: bool) -> None:
        """Count a training that became known; `settled`, where a run on record says how it ended."""
        self._planned += 1
        if settled:
            self._before += 1
            return
        self._left += 1
        self._flops_left[training.family, training.size] += self._spec.flops(training)

    def end(self, training: Training) -> None:
        """Take a training off what is left."""
        self._left -= 1
        self._flops_left[training.family, training.size] -= self._spec.flops(training)

    def learn(self, run: Run) -> None:
        """Take in how a training ended, now or in an earlier command."""
        spec = self._spec
        self.counts[run.status] += 1
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
        """Return how far the sweep is; `last` is the attempt that has just ended."""
        return Progress(
            planned=self._planned,
            done=self._planned - self._left,
            before=self._before,
            unfinished=self.counts.total() - self.counts["finished"],
            best=dict(self._best),
            seconds_left=self._seconds_left(),
            last=last,
        )

    def _seconds_left(self) -> float | None:
        """Return what is left of the stage, at the rate of the runs so far; None before the first."""
        if not self._seconds:
            return None
        anywhere = sum(self._seconds.values()) / sum(self._flops.values())
        seconds = sum(
            flops * (self._seconds[kind] / self._flops[kind] if kind in self._flops else anywhere)
            for kind, flops in self._flops_left.items()
        )
        return max(0.0, seconds) / min(self._workers, max(1, self._left))
