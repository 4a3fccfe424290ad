"""Run trainings in long-lived processes on this machine; the sweep survives when one of them dies.

An engine turns jobs into results as they end (`Engine`). What a sweep trains and stores is decided elsewhere.
Engines write nothing: results return to the one process that writes.
"""

import ctypes
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from multiprocessing.resource_tracker import ensure_running
from types import TracebackType
from typing import Protocol, cast

from calibrate.engines import memory
from calibrate.engines.safe_path import current_folder_ignored
from calibrate.engines.signals import ctrl_c_held
from calibrate.loading import load_module
from calibrate.training.early_stopping import Rungs
from calibrate.types import Corpus, DomainCode, Training, TrainingOutcome

MAX_ATTEMPTS = 3  # of a training whose process dies
START_SECONDS = 600.0  # in which a process must have imported torch, also on a busy machine
GRACE_SECONDS = 60.0  # beyond its time limit, after which a training that hangs is killed
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True, kw_only=True)
class Job:
    """One training with everything a worker needs to run it.

    Attributes:
        id: The run id.
        training: The specification.
        corpus: The prepared corpus.
        module: Import path, or path of the file, of the domain's code.
        flops: Training FLOP per data unit, seen once.
        time_limit: Seconds.
        attempt: Number of the first attempt; above 1 where earlier commands tried it.
        thresholds: The highest error at each rung with which it continues.
    """

    id: str
    training: Training
    corpus: Corpus
    module: str
    flops: float
    time_limit: float
    attempt: int = 1
    thresholds: Rungs = ()


@dataclass(frozen=True)
class AttemptResult:
    """The result of one attempt at a job; another attempt follows unless it is `final`."""

    job: Job
    attempt: int
    outcome: TrainingOutcome
    final: bool


def lost_result(job: Job, attempt: int, reason: str, seconds: float, device: str = "") -> AttemptResult:
    """Return the result of an attempt whose process died; the last of MAX_ATTEMPTS is final.

    Args:
        job: The job.
        attempt: Number of the attempt.
        reason: How the process died.
        seconds: How long it ran.
        device: Where it ran.

    Returns:
        A failed attempt.
    """
    outcome = TrainingOutcome(status="failed", reason=reason, seconds=seconds, device=device)
    return AttemptResult(job, attempt, outcome, final=attempt - job.attempt + 1 >= MAX_ATTEMPTS)


def hung_result(job: Job, attempt: int, grace: float, seconds: float, device: str = "") -> AttemptResult:
    """Return the result of a training that was killed because it hung.

    Args:
        job: The job.
        attempt: Number of the attempt.
        grace: Seconds beyond the time limit after which it was killed.
        seconds: How long it ran.
        device: Where it ran.

    Returns:
        A final attempt that timed out.
    """
    reason = f"it hung: killed {grace:g} s after its time limit of {job.time_limit:g} s"
    outcome = TrainingOutcome(status="timed-out", reason=reason, seconds=seconds, device=device)
    return AttemptResult(job, attempt, outcome, final=True)


class Engine(Protocol):
    """Runs jobs and yields results in the order in which they end."""

    def run(self, jobs: Iterable[Job | None]) -> Iterator[AttemptResult]:
        """Run jobs; each gets exactly one final result.

        Args:
            jobs: The next job is requested when a worker is free, so that a long sweep is never in memory as
                a whole. None instead of a job means that the next job has to wait for a result.

        Yields:
            The result of every attempt.
        """


class JobQueue:
    """The jobs to run next: first those that were put back, then new ones, requested one at a time.

    Args:
        jobs: Jobs; None means that the next one has to wait for a result.
    """

    def __init__(self, jobs: Iterable[Job | None]) -> None:
        self._jobs = iter(jobs)
        self._front: deque[tuple[Job, int]] = deque()

    def __bool__(self) -> bool:
        self._draw()
        return bool(self._front)

    def peek(self) -> Job:
        """Return the next job."""
        self._draw()
        return self._front[0][0]

    def take(self) -> tuple[Job, int]:
        """Remove and return the next job and the number of its attempt."""
        self._draw()
        return self._front.popleft()

    def put_back(self, job: Job, attempt: int) -> None:
        """Run a job next, as this attempt.

        Args:
            job: The job.
            attempt: Number of the attempt, as `take` will return it.
        """
        self._front.appendleft((job, attempt))

    def _draw(self) -> None:
        if not self._front and (job := next(self._jobs, None)):
            self._front.append((job, job.attempt))


class Pool(Engine, Protocol):
    """An engine as a context manager; leaving it ends its workers."""

    problems: list[str]  # one line for each machine that trains nothing, or less than it could

    @property
    def workers(self) -> int:
        """Return how many trainings run at a time."""

    def __enter__(self) -> "Pool": ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


@dataclass(eq=False)
class _Worker:
    process: SpawnProcess
    connection: Connection
    device: str
    job: Job | None = None
    attempt: int = 0
    started: float = 0.0
    deadline: float = field(default=float("inf"))


class LocalEngine:
    """A pool of spawned workers; each imports torch once.

    Unlike with `concurrent.futures`, a job whose worker is killed is tried again in a new process. On Linux a
    worker never outlives this process, however this process ends.

    Args:
        devices: A device of torch for each worker.
        grace: Seconds beyond its time limit after which a training that hangs is killed.
    """

    def __init__(self, devices: Sequence[str], *, grace: float = GRACE_SECONDS) -> None:
        self.problems: list[str] = []
        self._devices = tuple(devices)
        self._grace = grace
        self._memory = memory.memory_per_worker(len(self._devices))
        self._workers: list[_Worker] = []

    def __enter__(self) -> "LocalEngine":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            _end(worker)
        self._workers.clear()

    @property
    def workers(self) -> int:
        """Return how many trainings run at a time."""
        return len(self._devices)

    @property
    def gpus(self) -> int:
        """Return how many GPUs the workers share."""
        return len({device for device in self._devices if device != "cpu"})

    def run(self, jobs: Iterable[Job | None]) -> Iterator[AttemptResult]:
        """Run jobs and yield the result of every attempt, as they end; see `Engine.run`.

        Args:
            jobs: Jobs; None where the next one has to wait for a result.

        Yields:
            The result of every attempt; each job gets exactly one that is final.
        """
        queue = JobQueue(jobs)
        while queue or any(worker.job for worker in self._workers):
            self._hand_out(queue)
            busy = {worker.connection: worker for worker in self._workers if worker.job}
            seconds = min(worker.deadline for worker in busy.values()) - time.monotonic()
            ready = set(wait(list(busy), timeout=max(seconds, 0.0)))
            for connection, worker in busy.items():
                if connection in ready:
                    result = self._collect(worker, queue)
                    if result:
                        yield result
                elif time.monotonic() > worker.deadline:
                    yield self._give_up(worker)

    def _hand_out(self, queue: JobQueue) -> None:
        idle = [worker for worker in self._workers if not worker.job]
        while queue and (idle or len(self._workers) < len(self._devices)):
            worker = idle.pop() if idle else self._start()
            worker.job, worker.attempt = queue.take()
            worker.started = time.monotonic()
            worker.deadline = worker.started + START_SECONDS
            try:
                worker.connection.send(worker.job)
            except OSError:  # it died while idle, so this was no attempt
                queue.put_back(worker.job, worker.attempt)
                self._remove(worker)

    def _start(self) -> _Worker:
        used = [worker.device for worker in self._workers]
        device = min(self._devices, key=lambda name: used.count(name) / self._devices.count(name))
        ours, theirs = multiprocessing.Pipe()
        process = multiprocessing.get_context("spawn").Process(
            target=_serve,
            args=(theirs, device, os.getpid(), self._memory, 1 / self._devices.count(device)),
            daemon=True,
        )
        # the tracker, which multiprocessing starts with its first child, would unblock the signal again
        with current_folder_ignored():
            ensure_running()
            # Ctrl-C reaches the whole group of processes; only this one answers it
            with ctrl_c_held():
                process.start()
        theirs.close()
        worker = _Worker(process, ours, device)
        self._workers.append(worker)
        return worker

    def _remove(self, worker: _Worker) -> int | None:
        self._workers.remove(worker)
        return _end(worker)

    def _collect(self, worker: _Worker, queue: JobQueue) -> AttemptResult | None:
        """Receive a message: None means that the training begins, an outcome that it ended."""
        job, attempt = worker.job, worker.attempt
        assert job is not None
        try:
            outcome: TrainingOutcome | None = worker.connection.recv()
        except (EOFError, OSError):
            worker.process.join(timeout=1.0)  # so that the exit code is its own, not that of our kill
            reason = f"the worker process died ({_describe_exit(self._remove(worker))})"
            result = lost_result(job, attempt, reason, time.monotonic() - worker.started, worker.device)
            if not result.final:
                queue.put_back(job, attempt + 1)
            return result
        if outcome is None:
            worker.deadline = time.monotonic() + job.time_limit + self._grace
            return None
        worker.job, worker.deadline = None, float("inf")
        return AttemptResult(job, attempt, outcome, final=True)

    def _give_up(self, worker: _Worker) -> AttemptResult:
        job, attempt = worker.job, worker.attempt
        assert job is not None
        self._remove(worker)
        return hung_result(job, attempt, self._grace, time.monotonic() - worker.started, worker.device)


def _end(worker: _Worker) -> int | None:
    """Kill a worker if it still runs, wait for it, and return its exit code."""
    worker.process.kill()
    worker.process.join()
    code = worker.process.exitcode
    worker.connection.close()
    worker.process.close()
    return code


def _describe_exit(code: int | None) -> str:
    return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"


def _serve(connection: Connection, device: str, parent: int, max_bytes: int, gpu_share: float) -> None:
    """Train jobs until the parent closes the connection or dies."""
    _die_with(parent)
    os.environ["OMP_NUM_THREADS"] = "1"  # torch and numpy read it once, when they are imported
    set_up_worker(device, max_bytes, gpu_share)
    while True:
        try:
            job: Job = connection.recv()
        except EOFError:
            return
        connection.send(None)
        connection.send(train_job(job, device))


def set_up_worker(device: str, max_bytes: int, gpu_share: float) -> None:
    """Prepare this process for training: import torch, limit its memory and configure the allocator.

    Args:
        device: A device of torch.
        max_bytes: The memory limit on a CPU.
        gpu_share: The memory limit on a GPU, as a share.
    """
    import_module("calibrate.training.train")  # takes seconds that must not count as training
    import torch

    # Adam's moments of rare inputs decay to denormal numbers (1e-38), with which a CPU computes at half the
    # speed
    torch.set_flush_denormal(True)
    memory.limit_memory(device, max_bytes, gpu_share)
    memory.configure_allocator()


def train_job(job: Job, device: str) -> TrainingOutcome:
    """Train once, in this process.

    Args:
        job: What to train.
        device: A device of torch.

    Returns:
        The result; an exception of the training becomes its status.
    """
    from calibrate.training.train import train

    try:
        code = cast(DomainCode, load_module(job.module))
    except Exception as error:
        return TrainingOutcome(status="failed", reason=f"{type(error).__name__}: {error}", device=device)
    return train(
        code,
        job.training,
        job.corpus,
        device=device,
        flops=job.flops,
        time_limit=job.time_limit,
        thresholds=job.thresholds,
    )


def _die_with(parent: int) -> None:
    """Ask Linux to kill this process when its parent ends; exit at once if it has already ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit()
