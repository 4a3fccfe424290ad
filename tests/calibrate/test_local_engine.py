"""The pool of workers with real processes: it survives what happens to them, and leaves none behind."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")
import faulty_domain as faulty
from faulty_domain import job

from calibrate.engines.local import MAX_ATTEMPTS, LocalEngine

pytestmark = pytest.mark.torch


def test_whatever_happens_to_a_worker_every_job_ends_once(tmp_path: Path) -> None:
    kinds = range(1, 9)
    jobs = [job(faulty.FINE, tmp_path, f"fine-{i}") for i in range(10)]
    jobs += [job(kind, tmp_path) for kind in kinds]
    with LocalEngine(("cpu", "cpu"), grace=1.0) as engine:
        results = list(engine.run(jobs))
        later = list(engine.run([replace(jobs[0], attempt=5)]))
    final = {result.job.id: result for result in results if result.final}
    assert sorted(final) == sorted(job.id for job in jobs)
    assert len(results) - len(final) == 1 + (
        MAX_ATTEMPTS - 1
    )  # the deaths that were followed by another attempt
    assert {name: r.outcome.metrics for name, r in final.items() if name.startswith("fine")} == {
        f"fine-{i}": final["fine-0"].outcome.metrics for i in range(10)
    }
    expected = {
        faulty.FINE: ("finished", "", 1),
        faulty.DIES_ONCE: ("finished", "", 2),
        faulty.DIES_ALWAYS: ("failed", "exit code 7", MAX_ATTEMPTS),
        faulty.HANGS: ("timed-out", "hung", 1),
        faulty.NO_MEMORY: ("out-of-memory", "no memory left on cpu", 1),
        faulty.BROKEN_DATA: ("bad-data", "a.flac: broken", 1),
        faulty.NOT_FINITE: ("diverged", "the loss was nan", 1),
        faulty.BUG: ("failed", "KeyError: 'no such thing'", 1),
    }
    for kind, (status, reason, attempt) in expected.items():
        result = final[str(kind)]
        assert (result.outcome.status, result.attempt) == (status, attempt)
        assert reason in result.outcome.reason
    died = next(r for r in results if r.job.id == str(faulty.DIES_ONCE) and not r.final)
    assert (died.outcome.status, died.outcome.reason) == ("failed", "the worker process died (signal 9)")
    assert [(r.attempt, r.outcome.status) for r in later] == [(5, "finished")]


HANGING = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import faulty_domain as faulty
from calibrate.engines.local import LocalEngine
if __name__ == "__main__":
    with LocalEngine(("cpu",)) as engine:
        list(engine.run([faulty.job(faulty.HANGS, Path({folder!r}))]))
"""


def gone(pid: int) -> bool:
    """Tell whether a process has ended; one that only waits to be reaped has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills children with their parent")
def test_no_worker_outlives_its_parent(tmp_path: Path) -> None:
    script = tmp_path / "hanging.py"
    script.write_text(HANGING.format(tests=str(Path(__file__).parent), folder=str(tmp_path)))
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")]))
    parent = subprocess.Popen([sys.executable, script], env={**os.environ, "PYTHONPATH": path})
    try:
        marker = tmp_path / "worker"
        wait_until(lambda: marker.exists() and marker.read_text() != "", 60)
    finally:
        parent.kill()
        parent.wait()
    wait_until(lambda: gone(int(marker.read_text())), 5)


def wait_until(true: object, seconds: float) -> None:
    """Wait for a condition, fail when it does not come."""
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.02)
