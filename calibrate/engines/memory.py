"""How a training's process holds memory: what it may take, so that a run that eats memory ends alone."""

import ctypes
import resource
import sys
from pathlib import Path

LEAST = 2 * 2**30  # bytes that a worker is always given: torch itself takes a part of it
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # malloc.h of glibc


def free(device: str) -> int:
    """Return the bytes of a device, "cpu" or a GPU of torch, that nobody has taken."""
    if device != "cpu":
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    return _meminfo("MemAvailable:")


def share(workers: int) -> int:
    """Return the bytes that each of so many workers on this machine may take."""
    return max(LEAST, total() // workers)


def total() -> int:
    """Return the bytes of memory that this process may count on: the machine's, or those of its cgroup."""
    bytes_ = _meminfo("MemTotal:")
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.is_file() and (text := limit.read_text().strip()) != "max":
        bytes_ = min(bytes_, int(text))
    return bytes_


def _meminfo(name: str) -> int:
    lines = [line.split() for line in Path("/proc/meminfo").read_text().splitlines()]
    return next(int(words[1]) * 1024 for words in lines if words[0] == name)


def limit(device: str, most: int, share: float) -> None:
    """Make allocations of this process fail beyond `most` bytes (CPU, Linux), or beyond a share of its GPU.

    On a CPU private writable memory is what counts (RLIMIT_DATA), not address space: libraries reserve far
    more of the latter than they use.
    """
    if device != "cpu":
        import torch

        torch.cuda.set_per_process_memory_fraction(share, device)
    elif sys.platform == "linux":
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (most, hard))


def keep() -> None:
    """Let this process keep the memory that it frees (Linux with glibc; elsewhere nothing happens).

    Otherwise large tensors, made and freed in every step, come from the kernel each time, page by page: up to
    a quarter of a training's time on a CPU.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, -1)
