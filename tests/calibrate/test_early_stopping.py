"""Ill-tuned trainings are stopped early: by the same rule whoever trains them, and no law hears of them."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")
import faulty_domain as faulty
import faulty_sweep
import torch

from calibrate.engines.local import AttemptResult, Job, JobQueue, LocalEngine
from calibrate.sweep.run import SweepResult, run_sweep
from calibrate.training.early_stopping import RUNGS, RungResults, rungs_reached, too_high
from calibrate.training.train import train
from calibrate.types import ERROR_NOISE, Corpus
from laws.storage.records import decode, encode, validate
from laws.storage.store import Store
from laws.types import Run

pytestmark = pytest.mark.torch

DRAWS = 6


def test_a_rung_is_the_lowest_error_up_to_the_first_evaluation_at_it() -> None:
    history = [(10.0, 0.9), (20.0, 0.5), (30.0, 0.6), (49.0, 0.8), (51.0, 0.4), (100.0, 0.1)]
    assert rungs_reached(history, 100) == ((0.25, 0.5), (0.5, 0.4))
    assert rungs_reached(history[:4], 100) == ((0.25, 0.5),)
    assert rungs_reached(history[:2], 100) == ()


@given(st.lists(st.floats(0.01, 100), max_size=9), st.floats(0.01, 100))
def test_what_goes_on_is_within_noise_of_the_better_half(before: list[float], error: float) -> None:
    standing = RungResults()
    for each in before:
        standing.add(((RUNGS[0], each),))
    better = sum(each * (1 + ERROR_NOISE) < error for each in before)
    stopped = too_high(((RUNGS[0], error),), standing.thresholds())
    assert bool(stopped) == (better >= math.ceil((len(before) + 1) / 2))
    assert not too_high(((RUNGS[1], error),), standing.thresholds())  # nobody came to that rung yet


class Steady:
    """A task of sixteen steps whose error is always the same."""

    def __init__(self, error: float) -> None:
        self.error = error
        self.model = torch.nn.Linear(1, 1)

    def batches(self, seed: int) -> Iterator[tuple[object, float]]:
        yield from ((None, 1.0) for _ in range(16))

    def loss(self, batch: object) -> object:
        return self.model(torch.ones(1, 1)).square().mean()

    def evaluate(self) -> dict[str, float]:
        return {"error": self.error}


@pytest.mark.parametrize(
    ("thresholds", "samples"),
    [((), 16), (((0.25, 0.5), (0.5, 0.4)), 16), (((0.5, 0.2),), 9), (((0.25, 0.2),), 5)],
)
def test_a_training_above_the_threshold_ends_there_with_a_reason(thresholds: object, samples: float) -> None:
    code = SimpleNamespace(task=lambda training, corpus, device: Steady(0.4))
    training = replace(faulty.job(faulty.FINE, Path()).training, data=16.0, epochs=1)
    corpus = Corpus(folder=Path("nowhere"), fingerprint="", available=16)
    outcome = train(code, training, corpus, device="cpu", flops=2.0, time_limit=60, thresholds=thresholds)  # type: ignore[arg-type]
    assert outcome.flops == 2 * samples
    assert outcome.status == ("finished" if samples == 16 else "stopped-early")
    assert ("error was 0.4; the better half of the trials so far had at most 0.2" in outcome.reason) == (
        samples < 16
    )


class Interrupted:
    """An engine that ends after some results, as a command does on Ctrl-C."""

    def __init__(self, engine: LocalEngine, after: int) -> None:
        self.engine, self.after = engine, after

    def run(self, jobs: Iterable[Job | None]) -> Iterator[AttemptResult]:
        yield from islice(self.engine.run(jobs), self.after)
        raise KeyboardInterrupt


def swept(folder: Path, workers: int, after: int = 1000) -> SweepResult:
    spec = faulty_sweep.spec(folder, (faulty.TUNED,), runs=DRAWS)
    with LocalEngine(("cpu",) * workers) as engine:
        pool = Interrupted(engine, after) if after < 1000 else engine
        return run_sweep(spec, Store(folder / "store"), pool, workers, lambda progress: None)


def told(folder: Path) -> dict[str, object]:
    store = Store(folder / "store")
    store.publish()
    return {run.id: (run.status, run.reason, run.flops, run.metrics) for run in store.runs()}


@pytest.mark.slow
def test_the_seed_decides_what_is_stopped_not_the_workers_nor_an_interruption(tmp_path: Path) -> None:
    alone, cut = (tmp_path / name for name in ("alone", "cut"))
    one = swept(alone, 1)
    with pytest.raises(KeyboardInterrupt):
        swept(cut, 2, after=7)
    assert len(told(cut)) == 7
    again = swept(cut, 2)
    assert told(alone) == told(cut)
    assert one.counts == again.counts
    assert one.counts["stopped-early"] > 0
    assert one.counts.total() == 3 * DRAWS
    assert one.saved == again.saved > 0


def test_laws_hear_only_of_what_was_trained_to_its_end_and_the_best_setting_is(tmp_path: Path) -> None:
    found = swept(tmp_path, 2)
    runs = Store(tmp_path / "store").runs()
    stopped = [run for run in runs if run.status == "stopped-early"]
    assert {run.status for run in found.incumbents} == {"finished"}
    assert {run.hyper["learning_rate"] for run in found.incumbents} == {
        max(run.hyper["learning_rate"] for run in runs)
    }
    assert all(run.flops and run.data / 4 <= run.flops < run.data for run in stopped)  # one a sample
    assert found.saved == sum(run.data - (run.flops or 0) for run in stopped)
    assert found.flops == sum(run.flops or 0 for run in runs)


def test_a_file_keeps_the_rungs_and_is_as_ever_without(tmp_path: Path) -> None:
    swept(tmp_path, 2)
    for path in (tmp_path / "store" / "runs").glob("[!.]*"):
        run = decode(path.read_bytes(), Run)
        assert run.rungs[0][0] == RUNGS[0]
        assert validate(path.read_bytes(), Run) == run
        assert b"rungs" not in encode(replace(run, rungs=()))
        assert decode(encode(replace(run, rungs=())), Run) == replace(run, rungs=())


def test_a_queue_asks_again_after_a_none() -> None:
    first, second = (faulty.job(faulty.FINE, Path(), name) for name in "ab")
    queue = JobQueue(iter((first, None, None, second)))
    assert queue.take() == (first, 1)
    assert not queue
    assert not queue
    assert queue
    assert queue.take() == (second, 1)
    assert not queue
