"""Run a sweep: train what its stages ask for and the store misses, and keep each result at once."""

import json
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import chain

from calibrate.engines.local import AttemptResult, Engine, Job
from calibrate.sweep.progress import Progress, ProgressCounts
from calibrate.sweep.search import STAGES, Stage, TrialQueue
from calibrate.sweep.spec import Spec, run_id
from calibrate.training.early_stopping import RungResults, Rungs, reached
from calibrate.types import Training
from calibrate.versions import code_version
from laws.storage.store import Store
from laws.types import Run, RunStatus, Sweep

AGAIN = {"failed"}  # what the next command tries again: neither the data nor the settings were at fault
PUBLISH = 2.0  # seconds between two publications of the index, at least


@dataclass(frozen=True, kw_only=True)
class SweepResult:
    """What a sweep came to."""

    counts: Mapping[RunStatus, int]  # how its runs ended, each by its last attempt
    incumbents: Sequence[Run]  # those that can be the best of their shard
    unfinished: Run | None  # one that did not finish
    flops: float  # that its runs took
    saved: float  # FLOP that those stopped early had still before them


def run_sweep(
    spec: Spec,
    store: Store,
    engine: Engine,
    workers: int,
    report: Callable[[Progress], None],
    *,
    stages: Iterable[Stage] = STAGES,
) -> SweepResult:
    """Train what the sweep still misses and return what came out; a stage is asked for when one has ended.

    Each run is in the store when the engine's next result is asked for: a sweep that is killed goes on
    from there. What is kept in memory does not grow with the number of runs. Raises StoreBusyError where
    another process runs the same sweep.
    """
    with store.exclusive(f"sweep-{spec.id}", wait=False):
        state = _SweepState(spec, store, workers, report)
        for stage in stages:
            for result in engine.run(state.begin(stage)):
                state.keep(result)
        store.publish()
        tally = state.tally
        return SweepResult(
            counts=tally.counts,
            incumbents=tally.incumbents.runs(),
            unfinished=tally.unfinished,
            flops=tally.spent,
            saved=tally.saved,
        )


@dataclass(eq=False)
class _ActiveQueue:
    """Where a line of trainings is."""

    left: TrialQueue
    earlier: RungResults = field(default_factory=RungResults)
    waiting: bool = False  # for the one that is in training


class _SweepState:
    """A sweep while it runs: the stages that were begun, and the trainings that are out."""

    def __init__(self, spec: Spec, store: Store, workers: int, report: Callable[[Progress], None]) -> None:
        self.spec, self.store, self.report = spec, store, report
        self.tally = ProgressCounts(spec, workers)
        self.stages: list[Callable[[], Iterator[TrialQueue]]] = []  # those that were begun: what is planned
        self.out: dict[str, _ActiveQueue] = {}  # run in training -> its line
        self.began = _now()

    def begin(self, stage: Stage) -> Iterator[Job | None]:
        """Take up a stage: learn what of it is settled, and return the jobs that are not.

        A stage follows from what is known now; it is drawn anew, training by training, where it is needed.
        """
        lines = partial(stage, self.spec, self.tally.incumbents.runs())
        self.stages.append(lines)
        self.store.add_sweep(self._record())
        settled, tried = self._on_record(chain.from_iterable(lines()))
        for training in chain.from_iterable(lines()):
            self.tally.plan(training, settled=run_id(training) in settled)
        self.report(self.tally.progress(None))
        return self._jobs(lines(), settled, tried)

    def _jobs(
        self, lines: Iterable[TrialQueue], settled: Mapping[str, Rungs], tried: Mapping[str, int]
    ) -> Iterator[Job | None]:
        """Yield jobs from the lines by turns, each when the one before it has ended; None while all wait."""
        turns = deque(_ActiveQueue(line) for line in lines)
        while turns:
            turn = next((turn for turn in turns if not turn.waiting), None)
            if turn is None:
                yield None
                continue
            turns.remove(turn)
            for training in turn.left:
                id = run_id(training)
                if id in settled:
                    turn.earlier.add(settled[id])
                    continue
                turn.waiting, self.out[id] = True, turn
                turns.append(turn)
                yield Job(
                    id=id,
                    training=training,
                    corpus=self.spec.corpus,
                    module=self.spec.domain.module,
                    flops=self.spec.rung(training.family, training.size).flops,
                    time_limit=self.spec.preset.time_limit,
                    attempt=tried.get(id, 0) + 1,
                    bars=turn.earlier.bars(),
                )
                break

    def _on_record(self, planned: Iterable[Training]) -> tuple[dict[str, Rungs], dict[str, int]]:
        """Learn from runs on record; return the settled ones' rungs, and how often the others were tried."""
        settled: dict[str, Rungs] = {}
        tried: dict[str, int] = {}
        for id, number, run in self.store.last_attempts(map(run_id, planned)):
            if run and run.status not in AGAIN:
                settled[id] = run.rungs
                self.tally.learn(run)
            else:
                tried[id] = number
        return settled, tried

    def keep(self, result: AttemptResult) -> None:
        """Write one attempt down; safe on disk when this returns."""
        run = as_run(self.spec, result)
        self.store.add_run(run)
        if result.final:
            turn = self.out.pop(run.id)
            turn.waiting = False
            turn.earlier.add(run.rungs)
            self.tally.learn(run)
            self.tally.end(result.job.training)
        self.report(self.tally.progress(run))
        self.store.publish_if_due(PUBLISH)

    def _record(self) -> Sweep:
        spec = self.spec
        ids = tuple(run_id(training) for lines in self.stages for training in chain.from_iterable(lines()))
        return Sweep(
            id=spec.id,
            created=self.began,
            domain=spec.domain.name,
            preset=spec.preset_name,
            seed=spec.seed,
            planned=len(ids),
            runs=ids,
            fingerprint=spec.corpus.fingerprint,
            code=code_version(),
            ladder=dict(spec.ladder),
            definitions=dict(spec.domain.definitions),
            settings=json.loads(json.dumps(asdict(spec.preset), default=list)),
        )


def as_run(spec: Spec, result: AttemptResult) -> Run:
    """Return the record of one attempt."""
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
        params=outcome.params or int(spec.rung(training.family, training.size).params),
        flops=outcome.flops,
        samples=outcome.samples,
        metrics=dict(outcome.metrics),
        rungs=reached(outcome.history, training.planned) if spec.preset.draws > 1 else (),
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
