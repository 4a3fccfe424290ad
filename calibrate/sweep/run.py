"""Run a sweep: train what its stages need and the store lacks, and store each result at once."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import chain

from calibrate.engines.local import AttemptResult, Engine, Job
from calibrate.sweep.progress import Progress, ProgressCounts
from calibrate.sweep.search import STAGES, Stage, TrialQueue
from calibrate.sweep.spec import Spec, run_id
from calibrate.training.early_stopping import RungResults, Rungs, rungs_reached
from calibrate.types import Training
from calibrate.versions import code_version
from laws.storage.store import Store
from laws.types import Run, RunStatus, Sweep

# Statuses that say nothing about the trial itself, so the next command trains again: a process that died, and
# a corpus that was damaged and may have been repaired since.
RETRIED: frozenset[RunStatus] = frozenset({"failed", "bad-data"})
MIN_SECONDS_BETWEEN_PUBLICATIONS = 2.0  # of the index


@dataclass(frozen=True, kw_only=True)
class SweepResult:
    """The result of a sweep.

    Attributes:
        counts: Status -> how many trainings ended with it, by their last attempt.
        incumbents: The runs that can be the best of their shard.
        unfinished: A run that did not finish; None if all did.
        flops: Training FLOP of all runs.
        saved: FLOP that early stopping saved.
    """

    counts: Mapping[RunStatus, int]
    incumbents: Sequence[Run]
    unfinished: Run | None
    flops: float
    saved: float


def run_sweep(
    spec: Spec,
    store: Store,
    engine: Engine,
    workers: int,
    report: Callable[[Progress], None],
    *,
    stages: Iterable[Stage] = STAGES,
) -> SweepResult:
    """Run every training the sweep still lacks, stage by stage, and return a summary.

    Each run is stored before the engine's next result is requested, so a sweep that is killed continues from
    there. Memory does not grow with the number of runs.

    Args:
        spec: The sweep.
        store: The store, with earlier runs of the sweep.
        engine: Where trainings run.
        workers: How many run at a time, to estimate the time that is left.
        report: Called with the state of the sweep at the start of a stage and after each attempt.
        stages: The stages; each is requested when the one before it has ended.

    Returns:
        The result of the sweep.

    Raises:
        StoreBusyError: Another process runs the same sweep.
    """
    with store.exclusive(f"sweep-{spec.id}", wait=False):
        state = _SweepState(spec, store, workers, report)
        for stage in stages:
            for result in engine.run(state.start(stage)):
                state.store_result(result)
        store.publish()
        counts = state.counts
        return SweepResult(
            counts=counts.statuses,
            incumbents=counts.incumbents.runs(),
            unfinished=counts.unfinished,
            flops=counts.spent,
            saved=counts.saved,
        )


@dataclass(eq=False)
class _ActiveQueue:
    """The state of the trials of one shard and size."""

    left: TrialQueue
    earlier: RungResults = field(default_factory=RungResults)
    waiting: bool = False  # for the trial that is in training


class _SweepState:
    """The bookkeeping of a running sweep: its stages so far, and the trainings that workers have."""

    def __init__(self, spec: Spec, store: Store, workers: int, report: Callable[[Progress], None]) -> None:
        self.spec, self.store, self.report = spec, store, report
        self.counts = ProgressCounts(spec, workers)
        self.stages: list[Callable[[], Iterator[TrialQueue]]] = []  # so far: their trainings are the plan
        self.training: dict[str, _ActiveQueue] = {}  # run in training -> its queue
        self.created = _now()

    def start(self, stage: Stage) -> Iterator[Job | None]:
        """Start a stage: load finished runs from the store and return the remaining jobs.

        A stage is a function of the runs so far. It is called again wherever its trainings are needed, so
        that they are never all in memory.
        """
        queues = partial(stage, self.spec, self.counts.incumbents.runs())
        self.stages.append(queues)
        self.store.add_sweep(self._record())
        settled, tried = self._on_record(chain.from_iterable(queues()))
        for training in chain.from_iterable(queues()):
            self.counts.plan(training, settled=run_id(training) in settled)
        self.report(self.counts.progress(None))
        return self._jobs(queues(), settled, tried)

    def _jobs(
        self, trials: Iterable[TrialQueue], settled: Mapping[str, Rungs], tried: Mapping[str, int]
    ) -> Iterator[Job | None]:
        """Yield jobs from the queues in turn, each when the one before it has ended; None while all wait."""
        queues = deque(_ActiveQueue(trial_queue) for trial_queue in trials)
        while queues:
            queue = next((queue for queue in queues if not queue.waiting), None)
            if queue is None:
                yield None
                continue
            queues.remove(queue)
            for training in queue.left:
                id = run_id(training)
                if id in settled:
                    queue.earlier.add(settled[id])
                    continue
                queue.waiting, self.training[id] = True, queue
                queues.append(queue)
                yield Job(
                    id=id,
                    training=training,
                    corpus=self.spec.corpus,
                    module=self.spec.domain.module,
                    flops=self.spec.size_cost(training.family, training.size).flops,
                    time_limit=self.spec.preset.time_limit,
                    attempt=tried.get(id, 0) + 1,
                    thresholds=queue.earlier.thresholds(),
                )
                break

    def _on_record(self, planned: Iterable[Training]) -> tuple[dict[str, Rungs], dict[str, int]]:
        """Count the runs on record; return the rungs of settled ones, and the attempts of the others."""
        settled: dict[str, Rungs] = {}
        tried: dict[str, int] = {}
        for id, number, run in self.store.last_attempts(map(run_id, planned)):
            if run and run.status not in RETRIED:
                settled[id] = run.rungs
                self.counts.add(run)
            else:
                tried[id] = number
        return settled, tried

    def store_result(self, result: AttemptResult) -> None:
        """Store one attempt; it is on disk when this returns."""
        run = as_run(self.spec, result)
        self.store.add_run(run)
        if result.final:
            queue = self.training.pop(run.id)
            queue.waiting = False
            queue.earlier.add(run.rungs)
            self.counts.add(run)
            self.counts.end(result.job.training)
        self.report(self.counts.progress(run))
        self.store.publish_if_due(MIN_SECONDS_BETWEEN_PUBLICATIONS)

    def _record(self) -> Sweep:
        spec = self.spec
        ids = tuple(run_id(training) for queues in self.stages for training in chain.from_iterable(queues()))
        return Sweep(
            id=spec.id,
            created=self.created,
            domain=spec.domain.name,
            preset=spec.preset_name,
            seed=spec.seed,
            planned=len(ids),
            runs=ids,
            fingerprint=spec.corpus.fingerprint,
            code=code_version(),
            ladder=dict(spec.ladder),
            definitions=dict(spec.domain.definitions),
            settings=json.loads(json.dumps(spec.preset.specification, default=list)),
        )


def as_run(spec: Spec, result: AttemptResult) -> Run:
    """Return the record of one attempt.

    Args:
        spec: The sweep.
        result: The attempt.

    Returns:
        A run, not yet stored.
    """
    training, outcome = result.job.training, result.outcome
    return Run(
        id=result.job.id,
        attempt=result.attempt,
        status=outcome.status,
        reason=outcome.reason,
        sweep=spec.id,
        domain=spec.domain.name,
        family=training.family,
        optimizer=training.optimizer,
        data=training.data,
        data_unit=spec.domain.data_unit,
        params=outcome.params or int(spec.size_cost(training.family, training.size).params),
        flops=outcome.flops,
        samples=outcome.samples,
        metrics=dict(outcome.metrics),
        rungs=rungs_reached(outcome.history, training.planned) if spec.preset.draws > 1 else (),
        seconds=outcome.seconds,
        device=outcome.device,
        seed=training.seed,
        hyper={
            "size": training.size,
            "learning_rate": training.learning_rate,
            "batch_size": training.batch_size,
            "epochs": training.epochs,
            "max_samples": training.max_samples,
        },
        code=code_version(),
        fingerprint=training.fingerprint,
        created=_now(),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
