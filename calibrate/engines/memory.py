"""Per-process memory limits, so that one run cannot exhaust the machine."""

import ctypes
import resource
import sys
from pathlib import Path

MIN_WORKER_BYTES = 2 * 2**30  # torch itself takes a part of it
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # malloc.h of glibc


def free_memory(device: str) -> int:
    """Return the free bytes of a device.

    Args:
        device: "cpu", or a GPU of torch.

    Returns:
        Bytes that no process has taken.
    """
    if device != "cpu":
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    return _meminfo("MemAvailable:")


def memory_per_worker(workers: int) -> int:
    """Return the bytes that each of several processes on this machine may take.

    Args:
        workers: The number of processes, 1 or more.

    Returns:
        An equal share of the memory, bytes; at least MIN_WORKER_BYTES.
    """
    return max(MIN_WORKER_BYTES, total_memory() // workers)


def total_memory() -> int:
    """Return the bytes of memory of this machine, or of the cgroup that this process is in."""
    total = _meminfo("MemTotal:")
    limit = Path("/sys/fs/cgroup/memory.max")
    if limit.is_file() and (text := limit.read_text().strip()) != "max":
        total = min(total, int(text))
    return total


def _meminfo(name: str) -> int:
    lines = [line.split() for line in Path("/proc/meminfo").read_text().splitlines()]
    return next(int(words[1]) * 1024 for words in lines if words[0] == name)


def limit_memory(device: str, max_bytes: int, gpu_share: float) -> None:
    """Make allocations of this process fail beyond a limit (CPU: only on Linux).

    On a CPU the limit is on private writable memory (RLIMIT_DATA), not on address space, because libraries
    reserve far more address space than they use.

    Args:
        device: "cpu", or a GPU of torch.
        max_bytes: The limit on a CPU.
        gpu_share: The limit on a GPU, as a share of its memory.
    """
    if device != "cpu":
        import torch

        torch.cuda.set_per_process_memory_fraction(gpu_share, device)
    elif sys.platform == "linux":
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (max_bytes, hard))


def configure_allocator() -> None:
    """Let this process keep the memory that it frees (only Linux with glibc).

    Otherwise the kernel provides large tensors, which are made and freed in every step, page by page each
    time: up to a quarter of a training's time on a CPU.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(_M_MMAP_MAX, 0)
        libc.mallopt(_M_TRIM_THRESHOLD, -1)
