"""Readers and estimates beside a sweep that writes: everybody is answered."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

from laws.storage.store import Store

pytestmark = [pytest.mark.torch, pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
READERS = 10


def planner(*arguments: str | Path) -> subprocess.Popen[str]:
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [sys.executable, "-c", "from planner.cli import main; main()", *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def answered(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert out.strip()
    return out


def test_ten_readers_and_estimates_are_answered_while_two_sweeps_write(tmp_path: Path) -> None:
    store = tmp_path / "store"
    sweep = ("calibrate", "--domain", "teacher", "--preset", "smoke", "--workers", "1")
    where = ("--store", store, "--cache", tmp_path / "cache")
    answered(planner(*sweep, *where))
    sweeps = [planner(*sweep, *where, "--seed", str(seed)) for seed in (1, 2)]
    questions: list[tuple[str | Path, ...]] = [
        ("runs", "list", "--format", "json"),
        ("laws", "list", "--format", "json"),
        ("estimate", "--domain", "teacher", "--target", "error=5%", "--format", "json"),
    ]
    rounds = 0
    while any(process.poll() is None for process in sweeps) or not rounds:
        readers = [planner(*questions[i % 3], "--store", store) for i in range(READERS)]
        for reader in readers:
            answered(reader)
        rounds += 1
    for process in sweeps:
        answered(process)
    opened = Store(store)
    assert opened.check() == ()
    assert {run.seed for run in opened.runs()} == {0, 1, 2}
    assert all(sweep.planned == len(sweep.runs) for sweep in opened.sweeps())
    assert {run.id for run in opened.runs()} == {id for sweep in opened.sweeps() for id in sweep.runs}
