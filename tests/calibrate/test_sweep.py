"""What a sweep trains, held against its method with trainings whose outcome is a formula: no torch here."""

import gc
import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibrate.domains import DOMAINS, find_domain
from calibrate.engines.local import AttemptResult, Job
from calibrate.sweep.best_model import best_models, pick_best, size_of
from calibrate.sweep.progress import Progress
from calibrate.sweep.run import run_sweep
from calibrate.sweep.search import planned_trainings
from calibrate.sweep.spec import Spec, run_id, shards_within
from calibrate.types import ERROR_NOISE, Corpus, Preset, Training, TrainingOutcome, doubling
from laws.errors import CorpusError, UnknownName
from laws.storage.store import Store, StoreBusyError
from laws.types import Run, SizeCost

PRESET = Preset(
    shards=doubling(100, 6),
    validation=100,
    sizes={"mlp": (4, 8, 16, 32, 64, 128)},
    learning_rates={"adam": (1e-3, 1e-2), "sgd": (0.1,)},
    batch_sizes=(8, 16),
    draws=2,
    epochs=10,
    max_samples=20_000,
    seeds=3,
)


def spec(preset: Preset = PRESET, seed: int = 0) -> Spec:
    sizes = preset.sizes["mlp"]
    return Spec(
        domain=find_domain("teacher"),
        preset_name="test",
        preset=preset,
        families=("mlp",),
        seed=seed,
        corpus=Corpus(folder=Path("nowhere"), fingerprint="f", available=preset.shards[-1]),
        ladder={"mlp": tuple(SizeCost(size=s, params=s * s, flops=6.0 * s * s) for s in sizes)},
    )


def formula(job: Job) -> TrainingOutcome:
    """Let capacity for a shard end at a width of the square root of its size."""
    t = job.training
    missing = max(0.0, math.log2(math.sqrt(t.data) / t.size))
    luck = 0.004 * (hash((t.seed, t.size, t.data, t.learning_rate)) % 100) / 100
    error = t.data**-0.3 * (1 + 0.2 * missing + luck + (0.05 if t.optimizer == "sgd" else 0))
    return TrainingOutcome(
        status="finished",
        params=t.size**2,
        flops=job.flops * t.data,
        samples=5 * t.data,
        metrics={"error": error, "loss": 3 * error},
        seconds=job.flops * t.data / 1e6,
        device="cpu",
    )


class Formula:
    """An engine that needs no process; it can stop after some results, as a kill would."""

    def __init__(self, stop_after: float = math.inf) -> None:
        self.trained: list[Job] = []
        self.stop_after = stop_after

    def run(self, jobs: Iterable[Job]) -> Iterator[AttemptResult]:
        for job in jobs:
            if len(self.trained) >= self.stop_after:
                raise KeyboardInterrupt
            self.trained.append(job)
            yield AttemptResult(job, job.attempt, formula(job), final=True)


def quiet(progress: Progress) -> None:
    assert progress.done <= progress.planned


def test_the_ends_come_first_and_bound_the_sizes_between(tmp_path: Path) -> None:
    engine = Formula()
    swept = run_sweep(spec(), Store(tmp_path), engine, 1, quiet)
    order = [job.training for job in engine.trained]
    ends = [t for t in order if t.seed == 0 and t.data in (100, 3200)]
    between = [t for t in order if t.seed == 0 and t.data not in (100, 3200)]
    assert order == ends + between + [t for t in order if t.seed > 0]
    assert {t.size for t in ends} == {4, 8, 16, 32, 64, 128}
    assert {t.size for t in between} == {16, 32, 64}  # sqrt(100) and sqrt(3200) need 16 and 64
    assert all(
        sum(t.data == shard and t.size == size for t in between) == PRESET.draws
        for shard in PRESET.shards[1:-1]
        for size in (16, 32, 64)
    )
    assert {t.data for t in order if t.seed > 0} == set(PRESET.shards)
    ids = [run.id for run in Store(tmp_path).runs()]
    assert sorted(ids) == sorted(job.id for job in engine.trained)
    assert len(set(ids)) == len(ids) == swept.counts["finished"]


def test_the_longest_training_of_a_stage_begins_first(tmp_path: Path) -> None:
    engine = Formula()
    asked = spec()
    run_sweep(asked, Store(tmp_path), engine, 1, quiet)
    costs = [asked.flops(job.training) for job in engine.trained if job.training.data in (100, 3200)][:24]
    for draw in (costs[:12], costs[12:]):  # a shard and size has its second draw when all have had one
        assert draw == sorted(draw, reverse=True)


@pytest.mark.parametrize("stop_after", [0, 1, 7, 24, 30, 50])
def test_an_interrupted_sweep_goes_on_where_it_was(tmp_path: Path, stop_after: int) -> None:
    whole = run_sweep(spec(), Store(tmp_path / "whole"), Formula(), 1, quiet)
    first, second, third = Formula(stop_after), Formula(), Formula()
    store = Store(tmp_path / "cut")
    with pytest.raises(KeyboardInterrupt):
        run_sweep(spec(), store, first, 1, quiet)
    swept = run_sweep(spec(), store, second, 1, quiet)
    again = run_sweep(spec(), store, third, 1, quiet)
    assert not third.trained
    trained = [job.id for job in first.trained + second.trained]
    assert len(trained) == len(set(trained)) == whole.counts["finished"]
    assert whole.counts == swept.counts == again.counts
    values = [{run.id: run.metrics for run in found.incumbents} for found in (whole, swept, again)]
    assert values[0] == values[1] == values[2]
    values = [{run.id: run.metrics for run in Store(tmp_path / name).runs()} for name in ("whole", "cut")]
    assert values[0] == values[1]
    (kept,) = store.sweeps()
    assert sorted(kept.runs) == sorted(trained)
    assert kept.planned == len(trained)


def test_dead_workers_and_damaged_data_are_tried_again_and_failed_trials_are_not(tmp_path: Path) -> None:
    statuses = {4: "failed", 8: "diverged", 16: "out-of-memory", 32: "bad-data"}

    class Failing(Formula):
        def run(self, jobs: Iterable[Job]) -> Iterator[AttemptResult]:
            for result in super().run(jobs):
                status = statuses.get(result.job.training.size, "finished")
                yield replace(result, outcome=replace(result.outcome, status=status, reason="because"))

    store = Store(tmp_path)
    first = Failing()
    run_sweep(spec(), store, first, 1, quiet)
    tried = {job.id for job in first.trained}
    again = Formula()
    swept = run_sweep(spec(), store, again, 1, quiet)
    assert {job.training.size for job in again.trained} == {4, 32}
    assert {job.attempt for job in again.trained if job.id in tried} == {2}
    assert {job.attempt for job in again.trained if job.id not in tried} <= {1}  # the best may be another now
    assert set(swept.counts) == {"finished", "diverged", "out-of-memory"}
    assert swept.unfinished
    assert swept.unfinished.reason == "because"


def test_a_run_whose_file_is_damaged_is_trained_again_and_kept_beside_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    engine = Formula()
    run_sweep(spec(), store, engine, 1, quiet)
    damaged = tmp_path / "runs" / f"{engine.trained[5].id}.1.json"
    damaged.write_bytes(damaged.read_bytes()[:-9])
    again = Formula()
    run_sweep(spec(), store, again, 1, quiet)
    assert [(job.id, job.attempt) for job in again.trained] == [(engine.trained[5].id, 2)]
    assert (tmp_path / "runs" / f"{engine.trained[5].id}.2.json").exists()
    third = Formula()
    run_sweep(spec(), store, third, 1, quiet)
    assert not third.trained


def living() -> int:
    """Return how many runs, jobs and trainings are in memory."""
    return sum(type(each) in (Run, Job, Training) for each in gc.get_objects())


def test_what_is_in_memory_follows_shards_and_sizes_and_not_the_number_of_runs(tmp_path: Path) -> None:
    wide = replace(PRESET, learning_rates={"adam": tuple(1e-3 + 1e-6 * i for i in range(60))}, draws=60)
    alive: list[int] = []

    class Counting:
        def run(self, jobs: Iterable[Job]) -> Iterator[AttemptResult]:
            for i, job in enumerate(jobs):
                yield AttemptResult(job, job.attempt, formula(job), final=True)
                if i % 200 == 199:
                    alive.append(living())

    store = Store(tmp_path)
    before = living()
    swept = run_sweep(spec(wide), store, Counting(), 1, quiet)
    cells = len(wide.shards) * len(wide.sizes["mlp"])
    assert swept.counts["finished"] > 30 * cells
    assert len(alive) > 5
    assert max(alive) - before < 2 * cells
    everything = store.runs()
    assert len(everything) == swept.counts["finished"]
    few, all_ = (
        best_models(sorted(runs, key=lambda run: run.id), "error", 0)
        for runs in (swept.incumbents, everything)
    )
    assert few == all_


def test_two_processes_do_not_run_the_same_sweep(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.exclusive(f"sweep-{spec().id}"), pytest.raises(StoreBusyError) as refused:
        run_sweep(spec(), Store(tmp_path), Formula(), 1, quiet)
    assert refused.value.value == f"sweep-{spec().id}"


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), draws=st.integers(1, 8))
def test_the_plan_follows_from_the_seed(seed: int, draws: int) -> None:
    asked = spec(replace(PRESET, draws=draws), seed)
    planned = planned_trainings(asked, ())
    assert planned == planned_trainings(asked, ())
    ids = [run_id(t) for t in planned]
    assert len(set(ids)) == len(ids)
    drawn = min(draws, 6)  # 3 optimizers' rates x 2 batches
    assert len(ids) == 6 * 6 * drawn + 6 * (PRESET.seeds - 1)
    other = {run_id(t) for t in planned_trainings(spec(replace(PRESET, draws=draws), seed + 1), ())}
    assert not other & set(ids[: 6 * 6 * drawn])


def test_a_wider_preset_trains_what_a_narrower_one_did() -> None:
    narrow = planned_trainings(spec(replace(PRESET, sizes={"mlp": (4, 8)}, seeds=1)), ())
    wide = planned_trainings(spec(replace(PRESET, seeds=1)), ())
    assert {run_id(t) for t in narrow} <= {run_id(t) for t in wide}


def test_a_small_corpus_keeps_the_shards_that_it_fills() -> None:
    corpus = Corpus(folder=Path("nowhere"), fingerprint="f", available=850)
    assert shards_within(PRESET, corpus).shards == (100, 200, 400, 800)
    with pytest.raises(CorpusError) as refused:
        shards_within(PRESET, replace(corpus, available=399))
    assert (refused.value.code, refused.value.value) == ("corpus-too-small", 399)


def run(**changes: object) -> Run:
    base = Run(
        id="r",
        status="finished",
        sweep="s",
        domain="teacher",
        family="mlp",
        optimizer="adam",
        data=100,
        data_unit="examples",
        params=100,
        metrics={"error": 0.5, "loss": 1.0},
        samples=10,
        hyper={"size": 10},
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def test_the_best_fit_model_is_the_smallest_within_noise() -> None:
    low = run(id="large", params=400, metrics={"error": 0.5})
    close = run(id="small", params=100, metrics={"error": 0.5 * (1 + ERROR_NOISE / 2)})
    far = run(id="tiny", params=25, metrics={"error": 0.5 * (1 + ERROR_NOISE * 2)})
    broken = run(id="broken", params=1, metrics={"error": 0.1}, status="diverged")
    assert pick_best([low, close, far, broken], "error") is close
    assert pick_best([broken], "error") is None
    assert pick_best([], "error") is None


def test_fresh_seeds_alone_say_how_good_the_chosen_model_is() -> None:
    drawn = [run(id="a", metrics={"error": 0.40}), run(id="b", hyper={"size": 20}, params=400)]
    fresh = [run(id=f"s{i}", seed=i, metrics={"error": e}) for i, e in enumerate((0.44, 0.46, 0.52), 1)]
    lost = run(id="lost", seed=9, status="failed", metrics={})
    (best,) = best_models([*drawn, *fresh, lost], "error", seed=0)
    assert best.chosen.id == "a"
    assert best.metrics == {"error": 0.46}
    assert best.runs == ("s1", "s2", "s3")
    (alone,) = best_models(drawn, "error", seed=0)
    assert alone.metrics == {"error": 0.40}
    assert alone.runs == ("a",)


@pytest.mark.parametrize("domain", DOMAINS.values(), ids=lambda domain: domain.name)
def test_presets_can_be_run(domain: object) -> None:
    row = find_domain(domain.name)  # type: ignore[attr-defined]
    assert [name for name in row.presets if name != "demo"] == ["smoke", "quick", "laptop", "reduced", "full"]
    for preset in row.presets.values():
        assert all(large == 2 * small for small, large in zip(preset.shards, preset.shards[1:], strict=False))
        assert set(preset.sizes) == set(row.families)
        assert set(preset.learning_rates) <= set(row.optimizers)
        assert all(list(sizes) == sorted(set(sizes)) for sizes in preset.sizes.values())
    assert len(row.presets["quick"].shards) >= 5
    assert all(len(sizes) >= 3 for sizes in row.presets["quick"].sizes.values())
    assert {"parameters", "sample", *row.metrics} <= set(row.definitions)


@pytest.mark.parametrize("name", ["speech", "teacher"])
def test_every_shard_is_seen_equally_often(name: str) -> None:
    for preset in find_domain(name).presets.values():
        assert preset.max_samples >= preset.epochs * preset.shards[-1]


def test_an_unknown_domain_is_named() -> None:
    with pytest.raises(UnknownName) as refused:
        find_domain("speach")
    assert refused.value.suggestion == "speech"


def test_sizes_are_read_back() -> None:
    assert size_of(run(hyper={"size": 7})) == 7
