"""How many workers a device holds: measured in a real process that trains, without a GPU."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

pytest.importorskip("torch")
import faulty_domain as faulty
from faulty_sweep import spec

from calibrate.engines import gpu_capacity, memory
from calibrate.sweep.trials import memory_trials

pytestmark = pytest.mark.torch

ALL = 16 * 2**30


def beside_children(device: str) -> int:
    """Return what a device of 16 GiB would have free if the children of this process alone used it."""
    assert device == "cpu"
    peaks = []
    for name in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split():
        with suppress(FileNotFoundError):
            lines = [line.split() for line in Path(f"/proc/{name}/status").read_text().splitlines()]
            peaks += [int(words[1]) * 1024 for words in lines if words[0] == "VmHWM:"]
    return ALL - sum(peaks)


@pytest.mark.slow
def test_a_trial_measures_what_a_worker_takes(tmp_path: Path) -> None:
    fine = gpu_capacity.measure_worker_memory([faulty.job(faulty.FINE, tmp_path)], "cpu", beside_children)
    jobs = [faulty.job(kind, tmp_path) for kind in (faulty.FINE, faulty.LARGE, faulty.FINE)]
    large = gpu_capacity.measure_worker_memory(jobs, "cpu", beside_children)
    assert fine
    assert large
    assert large - fine == pytest.approx(faulty.LARGE_BYTES, rel=0.2)
    assert gpu_capacity.count_workers(jobs, "cpu", beside_children) == pytest.approx(
        ALL / large / gpu_capacity.MARGIN, abs=2
    )
    assert beside_children("cpu") > ALL - 100 * 2**20, "a trial left a process behind"


def test_a_trial_that_fails_measures_nothing_and_one_that_needs_all_memory_allows_one_worker(
    tmp_path: Path,
) -> None:
    broken = [faulty.job(faulty.BUG, tmp_path)]
    assert gpu_capacity.measure_worker_memory(broken, "cpu", beside_children) is None
    assert (
        gpu_capacity.count_workers([], "cpu", lambda device: ALL)
        == ALL // gpu_capacity.UNMEASURED_WORKER_BYTES
    )
    assert gpu_capacity.count_workers([faulty.job(faulty.NO_MEMORY, tmp_path)], "cpu", beside_children) == 1


def test_workers_are_distributed_over_gpus_by_capacity() -> None:
    assert gpu_capacity.distribute_workers({"cuda:0": 3, "cuda:1": 1}, 8) == (
        "cuda:0",
        "cuda:1",
        "cuda:0",
        "cuda:0",
    )
    assert gpu_capacity.distribute_workers({"cuda:0": 3, "cuda:1": 3}, 3) == ("cuda:0", "cuda:1", "cuda:0")


def test_trials_are_the_largest_trainings_of_a_sweep(tmp_path: Path) -> None:
    asked = spec(tmp_path, (faulty.FINE, faulty.SLOW), runs=3)
    (trial,) = memory_trials(asked)
    assert (trial.training.size, trial.training.data) == (faulty.SLOW, asked.preset.shards[-1])
    assert trial.training.batch_size == max(asked.preset.batch_sizes)
    assert trial.training.max_samples <= asked.preset.shards[-1]


def test_without_a_gpu_there_is_a_worker_for_each_core_and_no_trial() -> None:
    assert set(gpu_capacity.worker_devices([], None)) == {"cpu"}
    assert gpu_capacity.worker_devices([], 3) == ("cpu",) * 3
    assert 0 < memory.free_memory("cpu") < memory.total_memory()


def test_a_worker_keeps_the_memory_that_it_frees() -> None:
    again_and_again = (
        "import resource, sys, numpy\nfrom calibrate.engines import memory\n"
        "if sys.argv[1] == 'keep': memory.configure_allocator()\n"
        "def some():\n    for _ in range(20): numpy.ones(2**23)\n"  # 64 MiB
        "some()\nbefore = resource.getrusage(resource.RUSAGE_SELF).ru_minflt\nsome()\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)"
    )
    faults = [
        int(
            subprocess.run(
                [sys.executable, "-c", again_and_again, how], capture_output=True, check=True
            ).stdout
        )
        for how in ("keep", "as ever")
    ]
    assert faults[0] < 100 < faults[1]
