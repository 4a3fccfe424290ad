"""What a sweep trains, in which order, and what of it is already done.

The method is that of Hestness et al. 2017 (arXiv:1712.00409, section 3): nested shards in steps of 2x, model
sizes and optimizer settings drawn at random from a grid, the smallest and the largest shard first, the
shards between them inside the range of sizes that those two give. Of the settings of one shard and size the
ill-tuned ones are stopped early (`calibrate.halving`). Last, the best model of each shard is trained again
with fresh seeds, so that its error is not only the luckiest of many.
"""

import hashlib
import json
import random
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from itertools import chain, product
from typing import Any

from calibrate.best import Contenders, pick, size_of
from calibrate.engine import Engine, Job, Result
from calibrate.halving import Rungs, Standing, reached
from calibrate.types import Corpus, Domain, Preset, Training
from laws.errors import PlannerError
from laws.store import Store
from laws.types import Run, Rung, RunStatus, Sweep

Runs = Collection[Run]  # those of the sweep so far that can be the best of their shard
Cell = tuple[str, float, int]  # family, shard, size
Line = Iterator[Training]  # trainings that begin one after the other: each is held against those before it
AGAIN = {"failed"}  # what the next command tries again: neither the data nor the settings were at fault
PUBLISH = 2.0  # seconds between two publications of the index, at least


def hashed(value: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits that stand for a JSON value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=list)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def run_id(training: Training) -> str:
    """Return the id of a training: the same specification has the same id, in every sweep."""
    return hashed(asdict(training))


@cache
def code_version() -> str:
    """Return the version of this program."""
    try:
        return version("scaling-planner")
    except PackageNotFoundError:
        return "not installed"


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What was asked: the sweep follows from it and from the results of its own runs."""

    domain: Domain
    preset_name: str
    preset: Preset
    families: tuple[str, ...]
    seed: int
    corpus: Corpus
    ladder: Mapping[str, tuple[Rung, ...]]  # family -> exact cost of its sizes

    @property
    def id(self) -> str:
        """Return the hash of what was asked."""
        asked = {
            "domain": self.domain.name,
            "version": self.domain.version,
            "preset": asdict(self.preset),
            "families": self.families,
            "seed": self.seed,
            "fingerprint": self.corpus.fingerprint,
        }
        return hashed(asked)

    @property
    def metric(self) -> str:
        """Return the metric that decides which model is best."""
        return next(iter(self.domain.metrics))

    def rung(self, family: str, size: int) -> Rung:
        """Return the exact cost of a size."""
        return next(rung for rung in self.ladder[family] if rung.size == size)

    def flops(self, training: Training) -> float:
        """Return the training FLOP of a run that reaches its end."""
        return self.most_flops((training.family, training.data, training.size))

    def most_flops(self, cell: Cell) -> float:
        """Return the training FLOP of each of a cell's runs that reaches its end."""
        family, data, size = cell
        return self.planned(data) * self.rung(family, size).flops

    def planned(self, data: float) -> float:
        """Return the samples that a run on a shard sees if it reaches its end."""
        return min(self.preset.epochs * data, self.preset.max_samples)


def shards_within(preset: Preset, corpus: Corpus) -> Preset:
    """Return the preset with the shards that a corpus can fill; fewer than three are a PlannerError."""
    shards = tuple(shard for shard in preset.shards if shard <= corpus.available * (1 + 1e-6))
    if len(shards) < 3:
        raise PlannerError(
            f"the corpus holds {corpus.available:.3g}, and the smallest three shards of this preset need "
            f"{preset.shards[min(2, len(preset.shards) - 1)]:.3g}: bring more data or take a smaller preset"
        )
    return replace(preset, shards=shards)


def ends(spec: Spec, runs: Runs) -> Iterator[Training]:
    """Yield the trainings of the smallest and the largest shard, in every size."""
    return chain.from_iterable(_ends(spec, runs))


def _ends(spec: Spec, runs: Runs) -> Iterator[Line]:  # noqa: ARG001 - all stages look alike
    shards = (spec.preset.shards[0], spec.preset.shards[-1])
    return searched(
        spec,
        [
            (family, shard, size)
            for family in spec.families
            for shard in shards
            for size in spec.preset.sizes[family]
        ],
    )


def _between(spec: Spec, runs: Runs) -> Iterator[Line]:
    """Yield the trainings of the other shards, in the sizes between the best of the two ends.

    An end without a finished run does not narrow the sizes.
    """
    cells: list[Cell] = []
    for family in spec.families:
        sizes = spec.preset.sizes[family]
        best = [
            pick(_of(spec, family, shard, runs), spec.metric)
            for shard in (spec.preset.shards[0], spec.preset.shards[-1])
        ]
        if all(best):
            bounds = sorted(size_of(run) for run in best if run)
            sizes = tuple(size for size in sizes if bounds[0] <= size <= bounds[1])
        cells += [(family, shard, size) for shard in spec.preset.shards[1:-1] for size in sizes]
    return searched(spec, cells)


def _repeats(spec: Spec, runs: Runs) -> Iterator[Line]:
    """Yield the best model of each shard again, with fresh seeds, the longest trainings first."""
    chosen = [
        run
        for family in spec.families
        for shard in spec.preset.shards
        if (run := pick(_of(spec, family, shard, runs), spec.metric))
    ]
    for run in sorted(chosen, key=lambda run: spec.most_flops(_cell(run)), reverse=True):
        for i in range(1, spec.preset.seeds):
            yield iter((again(spec, run, i),))


def again(spec: Spec, run: Run, count: int) -> Training:
    """Return the training of a run of this sweep with another seed, the `count`-th after the sweep's own."""
    first = next(t for t in _drawn(spec, *_cell(run)) if run_id(t) == run.id)
    return replace(first, seed=spec.seed + count)


def outlook(spec: Spec, runs: Runs) -> list[Training]:
    """Return the most that the sweep can come to, as far as its results so far do not narrow it yet."""
    trainings = [*ends(spec, runs), *chain.from_iterable(_between(spec, runs))]
    repeated = list(chain.from_iterable(_repeats(spec, runs)))
    decided = {(training.family, training.data) for training in repeated}
    costliest: dict[tuple[str, float], Training] = {}
    for training in trainings:
        key = (training.family, training.data)
        if key not in decided:
            costliest[key] = max(costliest.get(key, training), training, key=spec.flops)
    repeated += [
        replace(training, seed=spec.seed + i)
        for training in costliest.values()
        for i in range(1, spec.preset.seeds)
    ]
    return trainings + repeated


def recorded(store: Store, ids: Iterable[str]) -> Iterator[Run]:
    """Yield the last attempt of those runs that have one."""
    return (run for _, _, run in store.last_attempts(ids) if run)


Stage = Callable[[Spec, Runs], Iterator[Line]]
STAGES: tuple[Stage, ...] = (_ends, _between, _repeats)


def searched(spec: Spec, cells: Iterable[Cell]) -> Iterator[Line]:
    """Yield the trainings of each cell; the longest come first, so that the last to end is a short one."""
    return (_drawn(spec, *cell) for cell in sorted(cells, key=spec.most_flops, reverse=True))


def _cell(run: Run) -> Cell:
    return run.family, run.data, size_of(run)


def _drawn(spec: Spec, family: str, shard: float, size: int) -> Iterator[Training]:
    """Draw optimizer settings for one shard and size; each draw has a random stream of its own."""
    preset = spec.preset
    grid = [
        (optimizer, rate, batch)
        for optimizer, rates in preset.rates(family).items()
        for rate, batch in product(rates, preset.batch_sizes)
    ]
    rng = random.Random(f"{spec.seed}/{family}/{size}/{shard!r}")
    for optimizer, rate, batch in rng.sample(grid, min(preset.draws, len(grid))):
        yield Training(
            domain=spec.domain.name,
            version=spec.domain.version,
            family=family,
            optimizer=optimizer,
            size=size,
            data=shard,
            learning_rate=rate,
            batch_size=batch,
            epochs=preset.epochs,
            max_samples=preset.max_samples,
            seed=spec.seed,
            fingerprint=spec.corpus.fingerprint,
        )


def _of(spec: Spec, family: str, shard: float, runs: Runs) -> list[Run]:
    """Return the runs of one shard that were drawn, repeats left out."""
    return [run for run in runs if run.family == family and run.data == shard and run.seed == spec.seed]


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


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What a sweep came to."""

    counts: Mapping[RunStatus, int]  # how its runs ended, each by its last attempt
    contenders: Sequence[Run]  # those that can be the best of their shard
    unfinished: Run | None  # one that did not finish
    flops: float  # that its runs took
    saved: float  # FLOP that those stopped early had still before them


def execute(
    spec: Spec,
    store: Store,
    engine: Engine,
    workers: int,
    report: Callable[[Progress], None],
    *,
    stages: Iterable[Stage] = STAGES,
) -> Swept:
    """Train what the sweep still misses and return what came out; a stage is asked for when one has ended.

    Each run is in the store when the engine's next result is asked for: a sweep that is killed goes on
    from there. What is kept in memory does not grow with the number of runs. Raises StoreBusyError where
    another process runs the same sweep.
    """
    with store.exclusive(f"sweep-{spec.id}", wait=False):
        state = _State(spec, store, workers, report)
        for stage in stages:
            for result in engine.run(state.begin(stage)):
                state.keep(result)
        store.publish()
        return Swept(
            counts=state.counts,
            contenders=state.contenders.runs(),
            unfinished=state.an_unfinished,
            flops=state.spent,
            saved=state.saved,
        )


@dataclass(eq=False)
class _Turn:
    """Where a line of trainings is."""

    left: Line
    earlier: Standing = field(default_factory=Standing)
    waiting: bool = False  # for the one that is in training


class _State:
    """A sweep while it runs: what its runs have shown, and how much is left to do."""

    def __init__(self, spec: Spec, store: Store, workers: int, report: Callable[[Progress], None]) -> None:
        self.spec, self.store, self.workers, self.report = spec, store, workers, report
        self.stages: list[Callable[[], Iterator[Line]]] = []  # those that were begun: what is planned
        self.out: dict[str, _Turn] = {}  # run in training -> its line
        self.contenders = Contenders(spec.metric)
        self.counts: Counter[RunStatus] = Counter()
        self.an_unfinished: Run | None = None
        # Sums rather than lists: a sweep of ten thousand runs reports ten thousand times.
        self.best: dict[tuple[str, float], Run] = {}
        self.planned = self.before = self.left = 0
        self.spent = self.saved = 0.0  # FLOP
        self.flops_left: dict[tuple[str, int], float] = defaultdict(float)  # (family, size) -> FLOP at most
        self.seconds: dict[tuple[str, int], float] = defaultdict(
            float
        )  # (family, size) -> of the finished runs
        self.flops: dict[tuple[str, int], float] = defaultdict(
            float
        )  # (family, size) -> that were planned for them
        self.began = _now()

    def begin(self, stage: Stage) -> Iterator[Job | None]:
        """Take up a stage: learn what of it is settled, and return the jobs that are not.

        A stage follows from what is known now; it is drawn anew, training by training, where it is needed.
        """
        lines = partial(stage, self.spec, self.contenders.runs())
        self.stages.append(lines)
        self.store.add_sweep(self._record())
        settled, tried = self._on_record(chain.from_iterable(lines()))
        for training in chain.from_iterable(lines()):
            self.planned += 1
            if run_id(training) not in settled:
                self.left += 1
                self.flops_left[training.family, training.size] += self.spec.flops(training)
        self.before += len(settled)
        self.report(self._progress(None))
        return self._jobs(lines(), settled, tried)

    def _jobs(
        self, lines: Iterable[Line], settled: Mapping[str, Rungs], tried: Mapping[str, int]
    ) -> Iterator[Job | None]:
        """Yield jobs from the lines by turns, each when the one before it has ended; None while all wait."""
        turns = deque(_Turn(line) for line in lines)
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

    def _on_record(self, trainings: Iterable[Training]) -> tuple[dict[str, Rungs], dict[str, int]]:
        """Learn from runs on record; return the settled ones' rungs, and how often the others were tried."""
        settled: dict[str, Rungs] = {}
        tried: dict[str, int] = {}
        for id, number, run in self.store.last_attempts(map(run_id, trainings)):
            if run and run.status not in AGAIN:
                settled[id] = run.rungs
                self._learn(run)
            else:
                tried[id] = number
        return settled, tried

    def keep(self, result: Result) -> None:
        """Write one attempt down; safe on disk when this returns."""
        run = as_run(self.spec, result)
        self.store.add_run(run)
        if result.final:
            turn = self.out.pop(run.id)
            turn.waiting = False
            turn.earlier.add(run.rungs)
            self._learn(run)
            self.left -= 1
            self.flops_left[run.family, size_of(run)] -= self.spec.flops(result.job.training)
        self.report(self._progress(run))
        self.store.publish_if_due(PUBLISH)

    def _learn(self, run: Run) -> None:
        self.counts[run.status] += 1
        self.spent += run.flops or 0.0
        if run.status == "stopped-early":
            self.saved += self.spec.most_flops(_cell(run)) - (run.flops or 0.0)
        if run.status != "finished":
            self.an_unfinished = self.an_unfinished or run
            return
        self.contenders.add(run)
        if run.seconds:
            self.seconds[run.family, size_of(run)] += run.seconds
            self.flops[run.family, size_of(run)] += self.spec.most_flops(_cell(run))
        if run.seed == self.spec.seed:
            best = self.best.setdefault((run.family, run.data), run)
            if run.metrics[self.spec.metric] < best.metrics[self.spec.metric]:
                self.best[run.family, run.data] = run

    def _progress(self, last: Run | None) -> Progress:
        return Progress(
            planned=self.planned,
            done=self.planned - self.left,
            before=self.before,
            unfinished=self.counts.total() - self.counts["finished"],
            best=dict(self.best),
            seconds_left=self._seconds_left(),
            last=last,
        )

    def _seconds_left(self) -> float | None:
        """Return what is left of the stage, at the rate of the runs so far; None before the first."""
        if not self.seconds:
            return None
        anywhere = sum(self.seconds.values()) / sum(self.flops.values())
        seconds = sum(
            flops * (self.seconds[kind] / self.flops[kind] if kind in self.flops else anywhere)
            for kind, flops in self.flops_left.items()
        )
        return max(0.0, seconds) / min(self.workers, max(1, self.left))

    def _record(self) -> Sweep:
        spec = self.spec
        ids = tuple(run_id(t) for lines in self.stages for t in chain.from_iterable(lines()))
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


def as_run(spec: Spec, result: Result) -> Run:
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
