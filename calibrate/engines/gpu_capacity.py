"""How many workers a GPU holds: measured with a sweep's largest trainings, before the sweep begins."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence

from calibrate.engines import memory
from calibrate.engines.local import Job, LocalEngine

MARGIN = 1.1  # what a worker is given, over what it took in the trial
UNKNOWN = 4 * 2**30  # bytes that a worker is given where nothing could be measured


def taken(jobs: Sequence[Job], device: str, free: Callable[[str], int] = memory.free) -> int | None:
    """Return the bytes that a worker has taken of a device when it has trained these; None: not measured.

    What is less free while the worker lives: on a GPU the context, the libraries and torch's allocator,
    which keeps what the largest training needed. Where that did not fit, it is all that was free.
    """
    before = free(device)
    with LocalEngine((device,)) as engine:
        ends = {result.outcome.status for result in engine.run(jobs)}
        took = before - free(device)
    if "out-of-memory" in ends:
        return before
    return took if took > 0 and ends & {"finished", "timed-out"} else None


def workers(jobs: Sequence[Job], device: str, free: Callable[[str], int] = memory.free) -> int:
    """Return how many workers that train such jobs fit into what is free of a device; at least one."""
    return _fitting(free(device), taken(jobs, device, free))


def gpus() -> int:
    """Return how many GPUs torch sees here."""
    import torch

    return torch.cuda.device_count()


def devices(jobs: Sequence[Job], asked: int | None) -> tuple[str, ...]:
    """Return the device of each worker: as many as fit on the GPUs, else one for each CPU core.

    `jobs` are the `trials` of the sweep; `asked` overrides the number. Imports torch.
    """
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    cards = [f"cuda:{i}" for i in range(gpus())]
    if not cards:
        return ("cpu",) * (asked or cores)
    if asked:
        return tuple(cards[i % len(cards)] for i in range(asked))
    free = {card: memory.free(card) for card in cards}
    need = taken(jobs, max(cards, key=free.__getitem__))
    return dealt({gpu: _fitting(bytes_, need) for gpu, bytes_ in free.items()}, cores)


def dealt(room: Mapping[str, int], most: int) -> tuple[str, ...]:
    """Return the device of each worker, one after another over the devices that have room; `most` at most."""
    rounds = range(max(room.values()))
    return tuple(device for i in rounds for device, places in room.items() if i < places)[:most]


def _fitting(free: int, need: int | None) -> int:
    return max(1, int(free // (need * MARGIN if need else UNKNOWN)))
