"""A real Ray cluster for tests: nodes started by `ray start`, in a network namespace of their own."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = Path(__file__).resolve().parent
MARK = "PLANNER_TEST_NODE"  # in the environment of every process of a node: how its processes are found


class Cluster:
    """Nodes on 127.0.0.1; every process ends with `close`."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="ray-"))  # short: Ray keeps sockets there
        self._id = uuid.uuid4().hex[:8]
        self._keeper = _namespace()
        self._prefix = ["nsenter", "-t", str(self._keeper.pid), "-n"] if self._keeper else []
        self.address = f"127.0.0.1:{6399 if self._keeper else _free_port()}"
        self._count = 0
        self.first = ""  # the head
        self._beside: list[subprocess.Popen[str]] = []

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        _kill(lambda mark: mark.startswith(self._id))
        for process in self._beside:
            process.communicate()
        if self._keeper:
            self._keeper.kill()
            self._keeper.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def node(self, cpus: int = 1, *options: str, env: dict[str, str] | None = None, wrap: str = "") -> str:
        """Start a node and return its name; the first is the head. `wrap` is put before `exec ray start`."""
        name = f"{self._id}-{self._count}"
        self.first = self.first or name
        where = (
            ["--head", f"--port={self.address.split(':')[1]}", "--include-dashboard=false",
             f"--temp-dir={self.folder}", "--ray-client-server-port=10001"]
            if self._count == 0 else [f"--address={self.address}"]
        )  # fmt: skip
        self._count += 1
        command = [
            _tool("ray"), "start", *where, "--node-ip-address=127.0.0.1", f"--num-cpus={cpus}",
            "--object-store-memory=80000000", "--memory=1000000000", *options,
        ]  # fmt: skip
        if wrap:
            command = ["unshare", "-m", "sh", "-c", f'{wrap} && exec "$@"', "sh", *command]
        done = subprocess.run(
            [*self._prefix, *command], env=self.environment(name, env), capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return name

    def environment(self, name: str, more: dict[str, str] | None = None) -> dict[str, str]:
        """Return the environment of a process of the cluster; `more` wins."""
        path = os.pathsep.join(filter(None, [str(TESTS), str(ROOT), os.environ.get("PYTHONPATH")]))
        return {
            **os.environ, "RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1", "PYTHONPATH": path,
            "PLANNER_CACHE": str(self.folder / f"cache-{name}"), MARK: name, **(more or {}),
        }  # fmt: skip

    def stop(self, name: str) -> None:
        """End a node as a power cut would."""
        _kill(lambda mark: mark == name)

    def trainers(self, name: str) -> list[int]:
        """Return the processes on a node that train, or wait to."""
        return [pid for pid, mark in _marked() if mark == name and _title(pid).startswith("ray::Trainer")]

    def start(self, *command: str | Path, **more: object) -> subprocess.Popen[str]:
        """Start a command beside the cluster; its process is the command itself."""
        process: subprocess.Popen[str] = subprocess.Popen(
            [*self._prefix, *map(str, command)], env=self.environment(f"{self._id}-driver"), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more,
        )  # type: ignore[call-overload]  # fmt: skip
        self._beside.append(process)
        return process

    def planner(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start the program itself."""
        return self.start(sys.executable, "-c", "from planner.cli import main; main()", *arguments)

    def sweep(self, store: Path, folder: Path, kinds: str, *more: str) -> subprocess.Popen[str]:
        """Start a sweep over the domain of faults."""
        script = TESTS / "faulty_sweep.py"
        ray = ("--engine", "ray", "--address", self.address)
        return self.start(sys.executable, script, store, folder, kinds, *ray, *more)

    def listening(self) -> list[str]:
        """Return the addresses on which anything of this cluster listens."""
        done = subprocess.run([*self._prefix, "ss", "-tlnH"], capture_output=True, text=True, check=True)
        return [line.split()[3] for line in done.stdout.splitlines()]


def finish(process: subprocess.Popen[str], seconds: float = 150) -> tuple[str, str]:
    """Wait for a process that has to succeed and return what it wrote."""
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == 0, f"{process.returncode}\n{out}\n{err}"
    return out, err


def wait_until(true: Callable[[], object], seconds: float) -> None:
    """Wait for a condition, fail when it does not come."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def _tool(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _namespace() -> subprocess.Popen[bytes] | None:
    """Return a process that keeps a network namespace with its loopback up; None where none may be made."""
    if not shutil.which("unshare") or not shutil.which("nsenter"):
        return None
    script = "ip link set lo up && echo up && exec sleep infinity"
    keeper = subprocess.Popen(
        ["unshare", "-n", "sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert keeper.stdout
    if keeper.stdout.readline() == b"up\n":
        keeper.stdout.close()
        return keeper
    keeper.stdout.close()
    keeper.wait()
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _marked() -> list[tuple[int, str]]:
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            marks = [e for e in path.read_bytes().split(b"\0") if e.startswith(MARK.encode() + b"=")]
            found += [(int(path.parent.name), mark.partition(b"=")[2].decode()) for mark in marks]
    return found


def _title(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def _kill(wanted: Callable[[str], bool]) -> None:
    """Kill marked processes until none is left: some start others while they die."""
    for _ in range(50):
        pids = [pid for pid, mark in _marked() if wanted(mark)]
        if not pids:
            return
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)
