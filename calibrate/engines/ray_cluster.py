"""Where trainings run when one machine is too small: actors on the nodes of a running Ray cluster.

The same face as `calibrate.engines.local.LocalEngine`. Ray is asked for processes and for carrying bytes; what is
tried again, and how often, is decided here, because every attempt goes on record and Ray's own retries hide
theirs. No cluster is ever started here and nothing listens: that is the user's decision (docs/guides/cluster.md).
"""

import importlib
import logging
import math
import os
import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from calibrate.engines import gpu_capacity, memory, transfer
from calibrate.engines.local import (
    GRACE,
    START,
    AttemptResult,
    Job,
    JobQueue,
    hung,
    lost,
    set_up_worker,
    train_job,
)
from calibrate.loading import load_module
from calibrate.types import Corpus, TrainingOutcome
from calibrate.versions import environment_version
from laws.errors import PlannerError

LOOK = 5.0  # seconds between two looks at which nodes there are
STARTS = 3  # a node on which so many workers in a row do not get ready is given up
SLOWEST = 1e6  # bytes a second at which a corpus arrives at a node, at least
TRIALS = 300.0  # seconds that a step of measuring a GPU may take
PATIENCE = 300.0  # seconds without any worker after which the sweep is given up


class Trainer:
    """One process on a node: it trains what it is given, one job after another.

    Sent by name, not by content: a node runs the code that is installed there, or refuses.
    """

    def __init__(self, module: str, share: float, most: int) -> None:
        import torch

        self._device = "cuda:0" if torch.cuda.is_available() else "cpu"
        # Ray only counts fractions of a GPU; nothing but this limit keeps a process within its own
        set_up_worker(self._device, most, share)
        load_module(module)

    def environment_version(self, module: str) -> str:
        """Return what this node computes with; see `calibrate.versions`."""
        return environment_version(module)

    def find(self, corpus: Corpus, files: tuple[transfer.CorpusFile, ...]) -> Path | None:
        """Return where this node has the corpus, None where it has to be sent."""
        return transfer.find_corpus(corpus.folder, _cache(), corpus.fingerprint, files)

    def unpack(self, corpus: Corpus, files: tuple[transfer.CorpusFile, ...], pieces: list[Any]) -> Path:
        """Fetch a corpus piece by piece and return its folder; a node's first worker does it for all."""
        return transfer.unpack(_cache(), corpus.fingerprint, files, lambda: map(ray.get, pieces))

    def room(self, trials: list[Job]) -> int:
        """Return how many workers the GPU of this process holds; one child of it trains the trials."""
        return gpu_capacity.workers(trials, self._device)

    def train(self, job: Job) -> TrainingOutcome:
        """Train once."""
        return train_job(job, self._device)


@dataclass(frozen=True)
class _Node:
    id: str
    address: str
    workers: int
    share: float  # of a GPU that one worker is given; 0 on a node without
    memory: int  # bytes one worker is given

    @property
    def name(self) -> str:
        return f"node {self.address} ({self.id[:6]})"


@dataclass(eq=False)
class _Worker:
    node: _Node
    actor: Any
    pending: Any  # what it was asked last
    known: bool = False  # it computes with what we compute with
    folders: dict[str, Path] = field(default_factory=dict)  # fingerprint -> where its node has the corpus
    asked: Corpus | None = None  # that it looks for or receives
    job: Job | None = None
    attempt: int = 0
    started: float = 0.0
    deadline: float = math.inf


class RayEngine:
    """Workers on every node of a running cluster; nodes that join later are taken in, lost ones given up.

    `address` is "auto" (the cluster that runs on this machine), HOST:PORT or ray://HOST:PORT; `workers`
    is the most trainings at once, by default one a CPU, or what fits on the GPUs: `trials` (calibrate.engines.gpu_capacity)
    are trained on the first node with GPUs of each kind, to measure what a worker takes.
    Raises PlannerError where no cluster answers or none of its nodes can train.
    """

    def __init__(
        self,
        address: str,
        *,
        module: str,
        workers: int | None = None,
        grace: float = GRACE,
        start: float = START,
        trials: Sequence[Job] = (),
    ) -> None:
        self.problems: list[str] = []  # nodes that were refused, one line each
        self._address, self._module = address, module
        self._grace, self._start_limit = grace, start
        self._most = workers or math.inf
        self._ours, self._trials = environment_version(module), tuple(trials)
        self._rooms: dict[str, int] = {}  # kind of GPU -> workers that it holds
        self._workers: list[_Worker] = []
        self._nodes: dict[str, _Node] = {}
        self._fruitless: dict[str, int] = {}  # node -> workers in a row that did not get ready
        self._refused: set[str] = set()
        self._pieces: dict[str, tuple[tuple[transfer.CorpusFile, ...], list[Any]]] = {}
        self._looked = -math.inf
        self._last_seen = time.monotonic()  # a worker that was ready

    def __enter__(self) -> "RayEngine":
        try:
            _knock(self._address)
            ray.init(address=self._address, log_to_driver=False, logging_level=logging.ERROR)
        except (OSError, RuntimeError, ValueError, RayError) as error:
            raise PlannerError(
                f"no Ray cluster answers at {self._address!r} ({_line(error)}): start one with `ray start "
                "--head`, or give --address HOST:PORT or ray://HOST:PORT"
            ) from error
        self._look()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._workers.clear()
        ray.shutdown()  # ends the actors of this process, and only those

    @property
    def workers(self) -> int:
        """Return how many trainings run at a time on the nodes that are there now."""
        return max(1, int(min(self._most, sum(node.workers for node in self._nodes.values()))))

    def run(self, jobs: Iterable[Job | None]) -> Iterator[AttemptResult]:
        """Yield the result of every attempt, as they end."""
        queue = JobQueue(jobs)
        self._last_seen = time.monotonic()
        while queue or any(worker.job for worker in self._workers):
            if time.monotonic() - self._looked > LOOK:
                self._look()
            self._hand_out(queue)
            results = [result for worker in self._answered() if (result := self._collect(worker, queue))]
            results += [
                self._give_up(worker)
                for worker in list(self._workers)
                if worker.job and time.monotonic() > worker.deadline
            ]
            for worker in list(self._workers):
                if worker.pending is not None and not worker.job and time.monotonic() > worker.deadline:
                    self._remove(worker)
                    self._did_not_start(worker.node, f"nothing was heard of it for {self._start_limit:g} s")
            self._hand_out(queue)  # before the results are written: nobody waits for the disk
            yield from results

    def _look(self) -> None:
        """Take in the nodes that there are now, and start what is missing of their workers."""
        self._looked = time.monotonic()
        alive = {found["NodeID"]: found for found in _nodes() if found["Alive"]}
        self._nodes = {id: node for id, node in self._nodes.items() if id in alive}
        for id in alive.keys() - self._nodes.keys() - self._refused:
            self._nodes[id] = self._node(id, alive[id])
        for node in self._nodes.values():
            here = sum(worker.node.id == node.id for worker in self._workers)
            for _ in range(node.workers - here):
                if len(self._workers) < self._most:
                    self._start(node)
        if self._workers:
            return
        if alive and self._refused >= {id for id, found in alive.items() if _can_train(found)}:
            raise PlannerError(
                "; ".join(self.problems)
                or f"no node of the Ray cluster at {self._address!r} has a CPU to train"
            )
        if time.monotonic() - self._last_seen > PATIENCE:
            raise PlannerError(
                f"the Ray cluster at {self._address!r} has had no node to train on for {PATIENCE:g} s: "
                "`ray status` shows it; the same command goes on when there is one"
            )

    def _node(self, id: str, described: dict[str, Any]) -> _Node:
        """Return how many workers a node takes, and what each of them is given."""
        resources = described["Resources"]
        cpus, gpus = int(resources.get("CPU", 0)), int(resources.get("GPU", 0))
        bytes_ = max(memory.LEAST, int(resources.get("memory", 0)))
        node = _Node(id, described["NodeManagerAddress"], cpus, 0.0, bytes_)
        if gpus and cpus:
            kind = next((name for name in resources if name.startswith("accelerator_type:")), "")
            if kind not in self._rooms:
                self._rooms[kind] = self._measured(replace(node, share=1.0))
            each = min(self._rooms[kind], max(1, cpus // gpus))
            share = math.floor(1e4 / each) / 1e4  # Ray counts in steps of 1e-4
            node = replace(node, workers=gpus * each, share=share)
        return replace(node, memory=max(memory.LEAST, bytes_ // max(1, node.workers)))

    def _measured(self, node: _Node) -> int:
        """Return how many workers a GPU of a node holds; one where that cannot be measured."""
        actor = self._actor(node)
        try:
            if ray.get(actor.identity.remote(self._module), timeout=TRIALS) != self._ours:
                return 1
            there = []
            for trial in self._trials:
                files, _ = self._packed(trial.corpus, send=False)
                folder = ray.get(actor.find.remote(trial.corpus, files), timeout=TRIALS)
                if folder is None:
                    files, pieces = self._packed(trial.corpus, send=True)
                    folder = ray.get(actor.unpack.remote(trial.corpus, files, pieces), timeout=TRIALS)
                there.append(replace(trial, corpus=replace(trial.corpus, folder=folder)))
            return int(ray.get(actor.gpu_capacity.remote(there), timeout=TRIALS))
        except RayError as error:
            self.problems.append(
                f"{node.name}: what its GPU holds was not measured, so it has one worker ({_line(error)})"
            )
            return 1
        finally:
            ray.kill(actor)

    def _actor(self, node: _Node) -> Any:
        options: dict[str, Any] = {
            "num_cpus": 0 if node.share else 1,
            "num_gpus": node.share,
            "scheduling_strategy": NodeAffinitySchedulingStrategy(node.id, soft=False),
            "max_restarts": 0,
        }
        return ray.remote(Trainer).options(**options).remote(self._module, node.share, node.memory)

    def _start(self, node: _Node) -> None:
        actor = self._actor(node)
        worker = _Worker(node, actor, pending=actor.identity.remote(self._module))
        worker.deadline = time.monotonic() + self._start_limit
        self._workers.append(worker)

    def _hand_out(self, queue: JobQueue) -> None:
        for worker in self._workers:
            if not queue:
                return
            if worker.pending is not None:
                continue
            corpus = queue.peek().corpus
            folder = worker.folders.get(corpus.fingerprint)
            if folder is None:
                worker.asked = corpus
                files, _ = self._packed(corpus, send=False)
                worker.pending = worker.actor.find.remote(corpus, files)
                worker.deadline = time.monotonic() + self._start_limit
                continue
            worker.job, worker.attempt = queue.take()
            worker.started = time.monotonic()
            worker.deadline = worker.started + worker.job.time_limit + self._grace
            there = replace(worker.job, corpus=replace(corpus, folder=folder))
            worker.pending = worker.actor.train.remote(there)

    def _answered(self) -> list[_Worker]:
        """Wait for an answer, a deadline or the next look at the nodes; return who answered."""
        waiting = {worker.pending: worker for worker in self._workers if worker.pending is not None}
        if not waiting:
            time.sleep(LOOK)
            return []
        until = min(self._looked + LOOK, *(worker.deadline for worker in waiting.values()))
        ready, others = ray.wait(list(waiting), timeout=max(0.0, until - time.monotonic()))
        if others:
            ready += ray.wait(others, num_returns=len(others), timeout=0)[0]
        return [waiting[reference] for reference in ready]

    def _collect(self, worker: _Worker, queue: JobQueue) -> AttemptResult | None:
        """Take an answer; only the end of an attempt is a result."""
        try:
            answer = ray.get(worker.pending)
        except RayError as error:
            return self._lost(worker, queue, error)
        worker.pending = None
        self._last_seen = time.monotonic()
        if worker.job:
            job, worker.job, worker.deadline = worker.job, None, math.inf
            return AttemptResult(job, worker.attempt, answer, final=True)
        if not worker.known:
            if answer == self._ours:
                worker.known = True
            else:
                self._refuse(worker.node, f"it computes with {answer}, this machine with {self._ours}")
            return None
        assert worker.asked is not None
        if answer is not None:
            worker.folders[worker.asked.fingerprint] = answer
            self._fruitless.pop(worker.node.id, None)
        else:
            files, pieces = self._packed(worker.asked, send=True)
            worker.pending = worker.actor.unpack.remote(worker.asked, files, pieces)
            seconds = sum(file.size for file in files) / SLOWEST
            worker.deadline = time.monotonic() + self._start_limit + seconds
        return None

    def _packed(self, corpus: Corpus, *, send: bool) -> tuple[tuple[transfer.CorpusFile, ...], list[Any]]:
        """Return a corpus's files and, once somebody needs them, their bytes in Ray's object store."""
        files, pieces = self._pieces.get(corpus.fingerprint) or (transfer.list_files(corpus.folder), [])
        if send and not pieces:
            pieces = [ray.put(piece) for piece in transfer.pack(corpus.folder, files)]
        self._pieces[corpus.fingerprint] = files, pieces
        return files, pieces

    def _lost(self, worker: _Worker, queue: JobQueue, error: RayError) -> AttemptResult | None:
        self._remove(worker)
        job, attempt = worker.job, worker.attempt
        if job is None:  # nothing was tried yet
            if not worker.folders:
                self._did_not_start(worker.node, _line(error))
            return None
        why = f"the worker on {worker.node.name} was lost ({_line(error)})"
        result = lost(job, attempt, why, time.monotonic() - worker.started)
        if not result.final:
            queue.put_back(job, attempt + 1)
        return result

    def _did_not_start(self, node: _Node, why: str) -> None:
        self._fruitless[node.id] = self._fruitless.get(node.id, 0) + 1
        if self._fruitless[node.id] < STARTS:
            return
        working = sum(bool(worker.folders) for worker in self._workers if worker.node.id == node.id)
        if working:
            self._nodes[node.id] = replace(node, workers=working)
        else:
            self._refuse(node, f"no worker gets ready there ({why})")

    def _give_up(self, worker: _Worker) -> AttemptResult:
        job, attempt = worker.job, worker.attempt
        assert job is not None
        self._remove(worker)
        return hung(job, attempt, self._grace, time.monotonic() - worker.started)

    def _refuse(self, node: _Node, why: str) -> None:
        if node.id not in self._refused:
            self._refused.add(node.id)
            self.problems.append(f"{node.name} was refused: {why}")
        self._nodes.pop(node.id, None)
        for worker in [worker for worker in self._workers if worker.node.id == node.id]:
            self._remove(worker)

    def _remove(self, worker: _Worker) -> None:
        """Kill a worker; what is missing of its node's workers is started at the next look."""
        self._workers.remove(worker)
        ray.kill(worker.actor)
        self._looked = -math.inf


def _knock(address: str) -> None:
    """Raise OSError or ValueError where nothing listens: Ray itself would try again for minutes."""
    if address != "auto":
        host, _, port = address.removeprefix("ray://").rpartition(":")
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


def _nodes() -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return nodes


def _can_train(described: dict[str, Any]) -> bool:
    return int(described["Resources"].get("CPU", 0)) >= 1


def _cache() -> Path:
    """Return the folder for corpora on this node."""
    if folder := os.environ.get("PLANNER_CACHE"):
        return Path(folder)
    platformdirs = importlib.import_module("platformdirs")
    return Path(platformdirs.user_cache_path("scaling-planner", appauthor=False)) / "corpora"


def _line(error: BaseException) -> str:
    """Return the telling line of an error: Ray's own span dozens, the cause last where there is one."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    cause = [line for line in lines if line.split(":")[0].endswith("Error") and not line.startswith("File")]
    return (cause[-1] if cause else lines[0] if lines else type(error).__name__)[:200]
