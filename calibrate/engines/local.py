"""Where trainings run: long-lived processes on this machine, which may die without taking the sweep along.

An engine is anything that turns jobs into results as they end (`Engine`); what a sweep trains, and what is
kept of it, is decided elsewhere. Nothing is written here: results stream back to the one writer.
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

ATTEMPTS = 3  # a training whose process dies is tried so often
START = 600.0  # seconds in which a process has to have imported torch, on however busy a machine
GRACE = 60.0  # seconds beyond its time limit after which a training that hangs is killed
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass(frozen=True, kw_only=True)
class Job:
    """One training with everything a worker needs to run it."""

    id: str
    training: Training
    corpus: Corpus
    module: str  # import path of the domain's code
    flops: float  # of one data unit, seen once
    time_limit: float  # seconds
    attempt: int = 1
    bars: Rungs = ()  # the highest errors with which it goes on


@dataclass(frozen=True)
class AttemptResult:
    """How one attempt at a job ended; another attempt follows unless it is `final`."""

    job: Job
    attempt: int
    outcome: TrainingOutcome
    final: bool


def lost(job: Job, attempt: int, why: str, seconds: float, device: str = "") -> AttemptResult:
    """Return the result of an attempt whose process died; the last of ATTEMPTS is final."""
    outcome = TrainingOutcome(status="failed", reason=why, seconds=seconds, device=device)
    return AttemptResult(job, attempt, outcome, final=attempt - job.attempt + 1 >= ATTEMPTS)


def hung(job: Job, attempt: int, grace: float, seconds: float, device: str = "") -> AttemptResult:
    """Return the result of a training that was killed `grace` seconds beyond its time limit."""
    why = f"it hung: killed {grace:g} s after its time limit of {job.time_limit:g} s"
    outcome = TrainingOutcome(status="timed-out", reason=why, seconds=seconds, device=device)
    return AttemptResult(job, attempt, outcome, final=True)


class Engine(Protocol):
    """Run jobs somewhere and yield results in the order in which they end."""

    def run(self, jobs: Iterable[Job | None]) -> Iterator[AttemptResult]:
        """Yield the result of every attempt; each job gets exactly one that is final.

        A job is drawn when somebody is free to train it: a long sweep is never in memory whole. None in its
        place says that the next job has to wait for a result.
        """


class JobQueue:
    """What is to be tried next: first what was put back, then the jobs, drawn one at a time."""

    def __init__(self, jobs: Iterable[Job | None]) -> None:
        self._jobs = iter(jobs)
        self._front: deque[tuple[Job, int]] = deque()

    def __bool__(self) -> bool:
        self._draw()
        return bool(self._front)

    def peek(self) -> Job:
        """Return the job that is next."""
        self._draw()
        return self._front[0][0]

    def take(self) -> tuple[Job, int]:
        """Return the job that is next and the number of its attempt, and drop it here."""
        self._draw()
        return self._front.popleft()

    def put_back(self, job: Job, attempt: int) -> None:
        """Try a job next."""
        self._front.appendleft((job, attempt))

    def _draw(self) -> None:
        if not self._front and (job := next(self._jobs, None)):
            self._front.append((job, job.attempt))


class Pool(Engine, Protocol):
    """An engine as a context manager: leaving it ends its workers."""

    problems: list[str]  # where it could not have a worker, one line each

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
    """A pool of spawned workers, one a device given; torch is imported once in each.

    Unlike `concurrent.futures`, it survives a worker that is killed: the job is tried again in a new
    process. A worker never outlives this process (Linux), however this process ends.
    """

    def __init__(self, devices: Sequence[str], *, grace: float = GRACE) -> None:
        self.problems: list[str] = []
        self._devices = tuple(devices)
        self._grace = grace
        self._memory = memory.share(len(self._devices))
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
        """Return how many GPUs they share."""
        return len({device for device in self._devices if device != "cpu"})

    def run(self, jobs: Iterable[Job | None]) -> Iterator[AttemptResult]:
        """Yield the result of every attempt, as they end."""
        queue = JobQueue(jobs)
        while queue or any(worker.job for worker in self._workers):
            self._hand_out(queue)
            busy = {worker.connection: worker for worker in self._workers if worker.job}
            patience = min(worker.deadline for worker in busy.values()) - time.monotonic()
            ready = set(wait(list(busy), timeout=max(patience, 0.0)))
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
            worker.deadline = worker.started + START
            try:
                worker.connection.send(worker.job)
            except OSError:  # it died while it was idle: nothing was tried yet
                queue.put_back(worker.job, worker.attempt)
                self._remove(worker)

    def _start(self) -> _Worker:
        taken = [worker.device for worker in self._workers]
        device = min(self._devices, key=lambda name: taken.count(name) / self._devices.count(name))
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
        """Take a message: None says that the training begins, an outcome that it ended."""
        job, attempt = worker.job, worker.attempt
        assert job is not None
        try:
            outcome: TrainingOutcome | None = worker.connection.recv()
        except (EOFError, OSError):
            worker.process.join(timeout=1.0)  # for its own exit code, not that of our kill
            why = f"the worker process died ({_how(self._remove(worker))})"
            result = lost(job, attempt, why, time.monotonic() - worker.started, worker.device)
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
        return hung(job, attempt, self._grace, time.monotonic() - worker.started, worker.device)


def _end(worker: _Worker) -> int | None:
    """Kill a worker if it still runs, wait for it, and return its exit code."""
    worker.process.kill()
    worker.process.join()
    code = worker.process.exitcode
    worker.connection.close()
    worker.process.close()
    return code


def _how(code: int | None) -> str:
    return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"


def _serve(connection: Connection, device: str, parent: int, most: int, share: float) -> None:
    """Work off jobs until the parent hangs up or dies; within `most` bytes, or a share of the GPU."""
    _die_with(parent)
    os.environ["OMP_NUM_THREADS"] = "1"  # read when torch and numpy are imported, and not before
    set_up_worker(device, most, share)
    while True:
        try:
            job: Job = connection.recv()
        except EOFError:
            return
        connection.send(None)
        connection.send(train_job(job, device))


def set_up_worker(device: str, most: int, share: float) -> None:
    """Make this process one that trains: import torch, set its limit, and let it compute at full speed."""
    import_module("calibrate.training.train")  # seconds that belong to no training
    import torch

    # Adam's moments of what is rarely seen fade to 1e-38, where a CPU computes at half the speed
    torch.set_flush_denormal(True)
    memory.limit(device, most, share)
    memory.keep()


def train_job(job: Job, device: str) -> TrainingOutcome:
    """Train once, in this process and on this device."""
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
        bars=job.bars,
    )


def _die_with(parent: int) -> None:
    """Ask Linux to kill this process when its parent ends; leave at once if it has ended already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit()
