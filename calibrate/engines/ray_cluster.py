"""Run trainings on the nodes of a running Ray cluster, where one machine is too small.

`RayEngine` has the interface of `calibrate.engines.local.LocalEngine`. Ray starts processes and sends bytes.
What is tried again, and how often, is decided here, because every attempt is recorded and Ray's own retries
would hide some. No cluster is ever started here and nothing listens: that is the user's decision
(docs/guides/cluster.md).
"""

import importlib
import logging
import math
import os
import socket
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import chdir
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from calibrate.engines import gpu_capacity, memory, transfer
from calibrate.engines.local import (
    GRACE_SECONDS,
    START_SECONDS,
    AttemptResult,
    Job,
    JobQueue,
    hung_result,
    lost_result,
    set_up_worker,
    train_job,
)
from calibrate.loading import load_module
from calibrate.types import Corpus, TrainingOutcome
from calibrate.versions import environment_version
from laws.errors import EngineError, use

SECONDS_BETWEEN_NODE_CHECKS = 5.0
MAX_FAILED_STARTS = 3  # workers in a row that do not get ready, after which a node is given up
MIN_BYTES_PER_SECOND = 1e6  # at which a corpus arrives at a node
MEASURING_SECONDS = 300.0  # that a step of measuring a GPU may take
IDLE_SECONDS = 300.0  # without any worker, after which the sweep is given up
# Without an answer from the head node, after which the cluster is given up; Ray ends this process after 60.
HEAD_SECONDS = 30.0
SHUTDOWN_SECONDS = 10.0  # for leaving a cluster, which hangs where the head node is gone


class Trainer:
    """A process on a node that trains one job after another.

    It is sent by name, not by content: a node runs the code that is installed there, or is refused.

    Args:
        module: Import path of the domain's code.
        gpu_share: The share of a GPU that it may use; 0 without.
        max_bytes: The memory that it may use on a CPU.
    """

    def __init__(self, module: str, gpu_share: float, max_bytes: int) -> None:
        import torch

        self._device = "cuda:0" if torch.cuda.is_available() else "cpu"
        # Ray only counts fractions of a GPU; this limit is what keeps a process within its own
        set_up_worker(self._device, max_bytes, gpu_share)
        load_module(module)

    def environment_version(self, module: str) -> str:
        """Return the versions of code and libraries on this node; see `calibrate.versions`.

        Args:
            module: Import path of the domain's code.

        Returns:
            One line of text.
        """
        return environment_version(module)

    def find_corpus(self, corpus: Corpus, files: tuple[transfer.CorpusFile, ...]) -> Path | None:
        """Return the folder of a corpus on this node, None if it has to be sent.

        Args:
            corpus: The corpus, with its folder on the machine that made it.
            files: Its files.

        Returns:
            The folder, or None.

        Raises:
            CorpusError: The fingerprint is not only letters and digits ("invalid-fingerprint").
        """
        return transfer.find_corpus(corpus.folder, _cache(), corpus.fingerprint, files)

    def unpack_corpus(
        self, corpus: Corpus, files: tuple[transfer.CorpusFile, ...], pieces: list[Any]
    ) -> Path:
        """Fetch a corpus piece by piece and return its folder; the first worker of a node does it for all.

        Args:
            corpus: The corpus.
            files: Its files.
            pieces: References to their bytes in Ray's object store, in the order of `transfer.pack`.

        Returns:
            The folder of the corpus on this node.

        Raises:
            CorpusError: A name points outside the folder, or the bytes are not those of the files
                ("corpus-incomplete").
        """
        return transfer.unpack(_cache(), corpus.fingerprint, files, lambda: map(ray.get, pieces))

    def workers_per_gpu(self, trials: list[Job]) -> int:
        """Return how many workers fit on the GPU of this process; a child process trains the trials.

        Args:
            trials: The trainings that take the most memory, with their corpora on this node.

        Returns:
            The number of workers, at least one.
        """
        return gpu_capacity.count_workers(trials, self._device)

    def train(self, job: Job) -> TrainingOutcome:
        """Train once and return the result.

        Args:
            job: The job, with its corpus on this node.

        Returns:
            The result of the training.
        """
        return train_job(job, self._device)


@dataclass(frozen=True)
class _Node:
    id: str
    address: str
    workers: int
    share: float  # of a GPU, per worker; 0 on a node without
    memory: int  # bytes per worker

    @property
    def name(self) -> str:
        return f"node {self.address} ({self.id[:6]})"


@dataclass(eq=False)
class _Worker:
    node: _Node
    actor: Any
    pending: Any  # reference of the answer that it has not given yet
    checked: bool = False  # whether its node has the same versions as this machine
    folders: dict[str, Path] = field(default_factory=dict)  # fingerprint -> folder of the corpus on its node
    corpus: Corpus | None = None  # that it looks for or receives
    job: Job | None = None
    attempt: int = 0
    started: float = 0.0
    deadline: float = math.inf


class RayEngine:
    """Workers on every node of a running cluster; nodes may join and leave while it runs.

    Args:
        address: "auto" (the cluster that runs on this machine), HOST:PORT or ray://HOST:PORT.
        module: Import path of the domain's code.
        workers: The most trainings at once; None for one per CPU, or as many as fit on the GPUs.
        grace: Seconds beyond its time limit after which a training that hangs is killed.
        start: Seconds in which a worker must get ready.
        trials: Jobs (`calibrate.sweep.trials`) that are trained on one node of each kind of GPU, to measure
            how many workers fit.

    Raises:
        EngineError: No cluster answers ("cluster-not-found"), none of its nodes can train ("no-usable-node"),
            or its head node is gone ("cluster-lost").
    """

    def __init__(
        self,
        address: str,
        *,
        module: str,
        workers: int | None = None,
        grace: float = GRACE_SECONDS,
        start: float = START_SECONDS,
        trials: Sequence[Job] = (),
    ) -> None:
        self.problems: list[str] = []  # one line for each node that was refused or could not be measured
        self._address, self._module = address, module
        self._grace, self._start_limit = grace, start
        self._max_workers = workers or math.inf
        self._version, self._trials = environment_version(module), tuple(trials)
        self._capacities: dict[str, int] = {}  # kind of GPU -> workers that fit on it
        self._workers: list[_Worker] = []
        self._nodes: dict[str, _Node] = {}
        self._failed_starts: dict[str, int] = {}  # node -> workers in a row that did not get ready
        self._refused: set[str] = set()
        self._pieces: dict[str, tuple[tuple[transfer.CorpusFile, ...], list[Any]]] = {}
        self._checked_at = -math.inf
        self._contact: tuple[str, int] | None = None  # address of the head node
        self._last_contact = time.monotonic()
        self._last_ready = time.monotonic()  # when a worker last answered

    def __enter__(self) -> "RayEngine":
        try:
            _check_listening(self._address)
            # Ray puts the current folder first on the path of its workers, so that files there would be
            # imported
            with chdir(Path(os.sep).resolve()):
                ray.init(address=self._address, log_to_driver=False, logging_level=logging.ERROR)
        except (OSError, RuntimeError, ValueError, RayError) as error:
            raise EngineError(
                f"no Ray cluster answers at {self._address!r} ({_line(error)}): expected a "
                "running one, which "
                "`ray start --head` starts",
                code="cluster-not-found",
                value=self._address,
                expected="HOST:PORT, ray://HOST:PORT or auto",
                hint=use("address", value="HOST:PORT", purpose="to name a running cluster"),
            ) from error
        self._contact = _head_address(self._address)
        self._check_nodes()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._workers.clear()
        _shut_down()

    @property
    def workers(self) -> int:
        """Return how many trainings run at a time on the nodes that are there now."""
        return max(1, int(min(self._max_workers, sum(node.workers for node in self._nodes.values()))))

    def run(self, jobs: Iterable[Job | None]) -> Iterator[AttemptResult]:
        """Yield the result of every attempt, as they end.

        Args:
            jobs: Jobs; None where the next one has to wait for a result.

        Yields:
            The result of every attempt; each job gets exactly one that is final.

        Raises:
            EngineError: No node can train ("no-usable-node"), or the head node is gone ("cluster-lost").
        """
        queue = JobQueue(jobs)
        self._last_ready = time.monotonic()
        while queue or any(worker.job for worker in self._workers):
            if time.monotonic() - self._checked_at > SECONDS_BETWEEN_NODE_CHECKS:
                self._check_nodes()
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
                    self._did_not_start(worker.node, f"no answer for {self._start_limit:g} s")
            self._hand_out(queue)  # before the results are written, so that no worker waits for the disk
            yield from results

    def _check_nodes(self) -> None:
        """Update the nodes of the cluster, and start their missing workers."""
        self._checked_at = time.monotonic()
        if not self._head_answers():
            return
        alive = {node["NodeID"]: node for node in _nodes() if node["Alive"]}
        self._nodes = {id: node for id, node in self._nodes.items() if id in alive}
        for id in alive.keys() - self._nodes.keys() - self._refused:
            self._nodes[id] = self._node(id, alive[id])
        for node in self._nodes.values():
            here = sum(worker.node.id == node.id for worker in self._workers)
            for _ in range(node.workers - here):
                if len(self._workers) < self._max_workers:
                    self._start(node)
        if self._workers:
            return
        if alive and self._refused >= {id for id, described in alive.items() if _can_train(described)}:
            raise EngineError(
                "; ".join(self.problems)
                or f"no node of the Ray cluster at {self._address!r} has a CPU: expected one at least",
                code="no-usable-node",
                value=self._address,
            )
        if time.monotonic() - self._last_ready > IDLE_SECONDS:
            raise EngineError(
                f"the Ray cluster at {self._address!r} has had no node that can train for "
                f"{IDLE_SECONDS:g} s; finished "
                "runs are kept, run the same command again when it has one",
                code="no-usable-node",
                value=self._address,
            )

    def _head_answers(self) -> bool:
        """Return whether the head node answers; while it does not, Ray's own calls would block."""
        if self._contact is None or _listens(self._contact):
            self._last_contact = time.monotonic()
            return True
        if time.monotonic() - self._last_contact > HEAD_SECONDS:
            raise EngineError(
                f"the head node of the Ray cluster at {self._address!r} has not answered for "
                f"{HEAD_SECONDS:g} s; "
                "finished runs are kept, run the same command again when the cluster is back",
                code="cluster-lost",
                value=self._address,
            )
        return False

    def _node(self, id: str, described: dict[str, Any]) -> _Node:
        """Return how many workers a node can run, and the resources of each."""
        resources = described["Resources"]
        cpus, gpus = int(resources.get("CPU", 0)), int(resources.get("GPU", 0))
        bytes_ = max(memory.MIN_WORKER_BYTES, int(resources.get("memory", 0)))
        node = _Node(id, described["NodeManagerAddress"], cpus, 0.0, bytes_)
        if gpus and cpus:
            kind = next((name for name in resources if name.startswith("accelerator_type:")), "")
            if kind not in self._capacities:
                self._capacities[kind] = self._measured(replace(node, share=1.0))
            per_gpu = min(self._capacities[kind], max(1, cpus // gpus))
            share = math.floor(1e4 / per_gpu) / 1e4  # Ray counts in steps of 1e-4
            node = replace(node, workers=gpus * per_gpu, share=share)
        return replace(node, memory=max(memory.MIN_WORKER_BYTES, bytes_ // max(1, node.workers)))

    def _measured(self, node: _Node) -> int:
        """Return how many workers fit on a GPU of a node; one where that cannot be measured."""
        actor = self._actor(node)
        try:
            if (
                ray.get(actor.environment_version.remote(self._module), timeout=MEASURING_SECONDS)
                != self._version
            ):
                return 1
            there = []
            for trial in self._trials:
                files, _ = self._packed(trial.corpus, send=False)
                folder = ray.get(actor.find_corpus.remote(trial.corpus, files), timeout=MEASURING_SECONDS)
                if folder is None:
                    files, pieces = self._packed(trial.corpus, send=True)
                    folder = ray.get(
                        actor.unpack_corpus.remote(trial.corpus, files, pieces), timeout=MEASURING_SECONDS
                    )
                there.append(replace(trial, corpus=replace(trial.corpus, folder=folder)))
            return int(ray.get(actor.workers_per_gpu.remote(there), timeout=MEASURING_SECONDS))
        except RayError as error:
            self.problems.append(
                f"{node.name}: the capacity of its GPU could not be measured, so it has one "
                f"worker ({_line(error)})"
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
        worker = _Worker(node, actor, pending=actor.environment_version.remote(self._module))
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
                worker.corpus = corpus
                files, _ = self._packed(corpus, send=False)
                worker.pending = worker.actor.find_corpus.remote(corpus, files)
                worker.deadline = time.monotonic() + self._start_limit
                continue
            worker.job, worker.attempt = queue.take()
            worker.started = time.monotonic()
            worker.deadline = worker.started + worker.job.time_limit + self._grace
            there = replace(worker.job, corpus=replace(corpus, folder=folder))
            worker.pending = worker.actor.train.remote(there)

    def _answered(self) -> list[_Worker]:
        """Wait for an answer, a deadline or the next check of the nodes; return the workers that answered."""
        waiting = {worker.pending: worker for worker in self._workers if worker.pending is not None}
        if not waiting:
            time.sleep(SECONDS_BETWEEN_NODE_CHECKS)
            return []
        until = min(
            self._checked_at + SECONDS_BETWEEN_NODE_CHECKS, *(worker.deadline for worker in waiting.values())
        )
        ready, others = ray.wait(list(waiting), timeout=max(0.0, until - time.monotonic()))
        if others:
            ready += ray.wait(others, num_returns=len(others), timeout=0)[0]
        return [waiting[reference] for reference in ready]

    def _collect(self, worker: _Worker, queue: JobQueue) -> AttemptResult | None:
        """Process an answer; only the end of an attempt is a result."""
        try:
            answer = ray.get(worker.pending)
        except RayError as error:
            return self._lost(worker, queue, error)
        worker.pending = None
        self._last_ready = time.monotonic()
        if worker.job:
            job, worker.job, worker.deadline = worker.job, None, math.inf
            return AttemptResult(job, worker.attempt, answer, final=True)
        if not worker.checked:
            if answer == self._version:
                worker.checked = True
            else:
                self._refuse(
                    worker.node, f"its versions are {answer}, expected those of this machine, {self._version}"
                )
            return None
        assert worker.corpus is not None
        if answer is not None:
            worker.folders[worker.corpus.fingerprint] = answer
            self._failed_starts.pop(worker.node.id, None)
        else:
            files, pieces = self._packed(worker.corpus, send=True)
            worker.pending = worker.actor.unpack_corpus.remote(worker.corpus, files, pieces)
            seconds = sum(file.size for file in files) / MIN_BYTES_PER_SECOND
            worker.deadline = time.monotonic() + self._start_limit + seconds
        return None

    def _packed(self, corpus: Corpus, *, send: bool) -> tuple[tuple[transfer.CorpusFile, ...], list[Any]]:
        """Return a corpus's files and, once a node needs them, their bytes in Ray's object store."""
        files, pieces = self._pieces.get(corpus.fingerprint) or (transfer.list_files(corpus.folder), [])
        if send and not pieces:
            pieces = [ray.put(piece) for piece in transfer.pack(corpus.folder, files)]
        self._pieces[corpus.fingerprint] = files, pieces
        return files, pieces

    def _lost(self, worker: _Worker, queue: JobQueue, error: RayError) -> AttemptResult | None:
        self._remove(worker)
        job, attempt = worker.job, worker.attempt
        if job is None:  # this was no attempt
            if not worker.folders:
                self._did_not_start(worker.node, _line(error))
            return None
        reason = f"the worker on {worker.node.name} was lost ({_line(error)})"
        result = lost_result(job, attempt, reason, time.monotonic() - worker.started)
        if not result.final:
            queue.put_back(job, attempt + 1)
        return result

    def _did_not_start(self, node: _Node, reason: str) -> None:
        self._failed_starts[node.id] = self._failed_starts.get(node.id, 0) + 1
        if self._failed_starts[node.id] < MAX_FAILED_STARTS:
            return
        working = sum(bool(worker.folders) for worker in self._workers if worker.node.id == node.id)
        if working:
            self._nodes[node.id] = replace(node, workers=working)
        else:
            self._refuse(node, f"no worker gets ready there ({reason})")

    def _give_up(self, worker: _Worker) -> AttemptResult:
        job, attempt = worker.job, worker.attempt
        assert job is not None
        self._remove(worker)
        return hung_result(job, attempt, self._grace, time.monotonic() - worker.started)

    def _refuse(self, node: _Node, reason: str) -> None:
        if node.id not in self._refused:
            self._refused.add(node.id)
            self.problems.append(f"{node.name} was refused: {reason}")
        self._nodes.pop(node.id, None)
        for worker in [worker for worker in self._workers if worker.node.id == node.id]:
            self._remove(worker)

    def _remove(self, worker: _Worker) -> None:
        """Kill a worker; a new one is started at the next check of the nodes."""
        self._workers.remove(worker)
        ray.kill(worker.actor)
        self._checked_at = -math.inf


def _check_listening(address: str) -> None:
    """Raise OSError or ValueError where nothing listens: Ray itself would try again for minutes."""
    if address != "auto":
        socket.create_connection(_host_and_port(address), timeout=10).close()


def _host_and_port(address: str) -> tuple[str, int]:
    host, _, port = address.removeprefix("ray://").rpartition(":")
    return host.strip("[]"), int(port)


def _head_address(address: str) -> tuple[str, int] | None:
    """Return host and port of the head node of the cluster that this process is connected to."""
    if address.startswith("ray://"):
        return _host_and_port(address)
    address_of_head = ray.get_runtime_context().gcs_address
    return _host_and_port(address_of_head) if address_of_head else None


def _listens(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address, timeout=2).close()
    except OSError:
        return False
    return True


def _shut_down() -> None:
    """End the actors of this process, and only those; give up where the cluster does not answer."""
    leaving = threading.Thread(target=ray.shutdown, daemon=True)
    leaving.start()
    leaving.join(SHUTDOWN_SECONDS)


def _nodes() -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return nodes


def _can_train(described: dict[str, Any]) -> bool:
    return int(described["Resources"].get("CPU", 0)) >= 1


def _cache() -> Path:
    """Return the folder of corpora on this node."""
    if folder := os.environ.get("PLANNER_CACHE"):
        return Path(folder)
    platformdirs = importlib.import_module("platformdirs")
    return Path(platformdirs.user_cache_path("scaling-planner", appauthor=False)) / "corpora"


def _line(error: BaseException) -> str:
    """Return the most informative line of an error; Ray's own have dozens, with the cause last."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    cause = [line for line in lines if line.split(":")[0].endswith("Error") and not line.startswith("File")]
    return (cause[-1] if cause else lines[0] if lines else type(error).__name__)[:200]
