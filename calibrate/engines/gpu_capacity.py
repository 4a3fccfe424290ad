"""Measure how many workers a GPU can run, with a sweep's largest trainings, before the sweep begins."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence

from calibrate.engines import memory
from calibrate.engines.local import Job, LocalEngine

MARGIN = 1.1  # memory per worker, over what the trial took
UNMEASURED_WORKER_BYTES = 4 * 2**30  # per worker where no trial could be measured


def measure_worker_memory(
    jobs: Sequence[Job], device: str, free: Callable[[str], int] = memory.free_memory
) -> int | None:
    """Measure the memory that a worker takes on a device after training some jobs.

    It is the drop of free memory while the worker lives. On a GPU that includes the context, the libraries
    and torch's allocator, which keeps what the largest training needed.

    Args:
        jobs: The trainings that take the most memory.
        device: A device of torch.
        free: Returns the free bytes of a device.

    Returns:
        Bytes; all that was free where a training ran out of memory; None where nothing was measured.
    """
    before = free(device)
    with LocalEngine((device,)) as engine:
        statuses = {result.outcome.status for result in engine.run(jobs)}
        taken = before - free(device)
    if "out-of-memory" in statuses:
        return before
    return taken if taken > 0 and statuses & {"finished", "timed-out"} else None


def count_workers(jobs: Sequence[Job], device: str, free: Callable[[str], int] = memory.free_memory) -> int:
    """Return how many workers fit into the free memory of a device, at least one.

    Args:
        jobs: The trainings that take the most memory.
        device: A device of torch.
        free: Returns the free bytes of a device.

    Returns:
        The number of workers.
    """
    return _fitting(free(device), measure_worker_memory(jobs, device, free))


def count_gpus() -> int:
    """Return how many GPUs torch finds here."""
    import torch

    return torch.cuda.device_count()


def worker_devices(jobs: Sequence[Job], workers: int | None) -> tuple[str, ...]:
    """Return the device of each worker: as many as fit on the GPUs, else one per CPU core. Imports torch.

    Args:
        jobs: The trainings that take the most memory (`calibrate.sweep.trials`).
        workers: The number of workers; None to measure it.

    Returns:
        A device of torch for each worker.
    """
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    gpus = [f"cuda:{i}" for i in range(count_gpus())]
    if not gpus:
        return ("cpu",) * (workers or cores)
    if workers:
        return tuple(gpus[i % len(gpus)] for i in range(workers))
    free = {gpu: memory.free_memory(gpu) for gpu in gpus}
    needed = measure_worker_memory(jobs, max(gpus, key=free.__getitem__))
    return distribute_workers({gpu: _fitting(bytes_, needed) for gpu, bytes_ in free.items()}, cores)


def distribute_workers(capacity: Mapping[str, int], max_workers: int) -> tuple[str, ...]:
    """Return the device of each worker, in turn over the devices with free capacity.

    Args:
        capacity: Device -> workers that it can run.
        max_workers: The most workers in total.

    Returns:
        A device for each worker.
    """
    rounds = range(max(capacity.values()))
    return tuple(device for i in rounds for device, count in capacity.items() if i < count)[:max_workers]


def _fitting(free: int, needed: int | None) -> int:
    return max(1, int(free // (needed * MARGIN if needed else UNMEASURED_WORKER_BYTES)))
