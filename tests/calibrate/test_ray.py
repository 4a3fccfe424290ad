"""Sweeps on a real Ray cluster: the results of the local engine, whatever dies on the way."""

import fcntl
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

pytest.importorskip("torch")
if importlib.util.find_spec("ray") is None:
    pytest.skip("needs the extra `ray`", allow_module_level=True)

import faulty_domain as faulty
from ray_cluster import ROOT, Cluster, finish, wait_until
from test_safe_path import hostile

from calibrate.engines.local import MAX_ATTEMPTS
from calibrate.engines.ray_cluster import HEAD_SECONDS
from laws.storage.store import Store
from laws.types import Run

pytestmark = [
    pytest.mark.torch,
    pytest.mark.ray,
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc"),
    pytest.mark.timeout(600),
]


def smoke(store: Path, cache: Path, *more: str) -> tuple[str | Path, ...]:
    return (
        "calibrate", "--domain", "teacher", "--preset", "smoke", "--format", "json",
        "--store", store, "--cache", cache, *more,
    )  # fmt: skip


def results(store: Path) -> dict[str, object]:
    """Return what decides a law: every run's specification, status, attempts and metrics."""
    return {
        f"{run.id}.{run.attempt}": (run.status, run.params, run.samples, run.metrics, run.hyper)
        for run in Store(store).runs()
    }


def shape(progress: str) -> list[str]:
    """Return what the lines of a sweep's progress say but times and counts, in no order."""
    lines = [line for line in progress.splitlines() if " examples, " in line]
    return sorted(line.split(" ", 1)[1].split(" in ")[0] for line in lines)


@pytest.mark.slow
def test_the_same_sweep_gives_the_same_bits_on_ray(tmp_path: Path) -> None:
    with Cluster() as cluster:
        cluster.node(2)
        nowhere = cluster.planner(
            *smoke(tmp_path / "no", tmp_path / "cache", "--engine", "ray", "--address", "127.0.0.1:1")
        )
        ray = ("--engine", "ray", "--address", cluster.address)
        out, progress = finish(cluster.planner(*smoke(tmp_path / "ray", tmp_path / "cache", *ray)))
        assert json.loads(out)  # Ray itself prints nothing there
        out, local_progress = finish(cluster.planner(*smoke(tmp_path / "local", tmp_path / "cache")))
        assert results(tmp_path / "ray") == results(tmp_path / "local")
        assert shape(progress) == shape(local_progress)
        assert all("127.0.0.1" in address for address in cluster.listening())
        _, err = nowhere.communicate(timeout=120)
        assert nowhere.returncode == 1
        assert "no Ray cluster answers at '127.0.0.1:1'" in err.splitlines()[-1]
        assert "Traceback" not in err


@pytest.fixture(scope="module")
def cluster() -> Iterator[tuple[Cluster, str, str]]:
    """Two nodes of one CPU each."""
    with Cluster() as started:
        yield started, started.node(1), started.node(1)


def attempts(store: Path) -> dict[str, list[Run]]:
    """Return every planned run with its attempts; fail when there are others, or a file is damaged."""
    opened = Store(store)
    assert opened.check() == ()
    (sweep,) = opened.sweeps()
    found: dict[str, list[Run]] = {id: [] for id in sweep.runs}
    for run in opened.runs():
        found[run.id].append(run)
    assert all(found.values()), "a planned run has no attempt"
    assert len(found) == sweep.planned
    for runs in found.values():
        assert sorted(run.attempt for run in runs) == list(range(1, len(runs) + 1))
        assert [run.status for run in runs].count("finished") <= 1
        runs.sort(key=lambda run: run.attempt)
    return found


def begun(folder: Path) -> Counter[str]:
    """Return how often each training was begun."""
    return Counter((folder / "started").read_text().split())


def ended(process: subprocess.Popen[str], seconds: float = 240) -> str:
    """Return what a sweep that came to its end wrote to stderr."""
    return finish(process, seconds)[1]


def busy(cluster: Cluster, node: str, folder: Path, runs: int = 3) -> None:
    """Wait until a node trains and some runs are under way."""
    wait_until(lambda: (folder / "started").exists() and sum(begun(folder).values()) >= runs, 120)
    wait_until(lambda: cluster.trainers(node), 60)


@pytest.mark.slow
def test_what_goes_wrong_in_a_training_is_recorded_as_by_the_local_engine(
    cluster: tuple[Cluster, str, str], tmp_path: Path
) -> None:
    kinds = ",".join(map(str, range(1, 10)))
    for engine in ("ray", "local"):
        folder = tmp_path / engine
        folder.mkdir()
        local = ["--engine", "local"] * (engine == "local")
        ended(cluster[0].sweep(folder / "store", folder, kinds, "--limit", "3", *local))
        found = attempts(folder / "store")
        ends = {
            runs[-1].hyper["size"]: [run.status for run in runs]
            for runs in found.values()
            if runs[-1].data == 16 and runs[-1].hyper["size"] != faulty.DIES_ONCE
        }
        assert ends == {
            faulty.FINE: ["finished"],
            faulty.DIES_ALWAYS: ["failed"] * MAX_ATTEMPTS,
            faulty.HANGS: ["timed-out"],
            faulty.NO_MEMORY: ["out-of-memory"],
            faulty.BROKEN_DATA: ["bad-data"],
            faulty.NOT_FINITE: ["diverged"],
            faulty.BUG: ["failed"],
            faulty.EATS: ["out-of-memory"],
        }, engine
        died = [runs for runs in found.values() if runs[0].hyper["size"] == faulty.DIES_ONCE]
        statuses = Counter(run.status for runs in died for run in runs)
        assert statuses == {"failed": 1, "finished": len(died)}
        assert begun(folder) == Counter({id: len(runs) for id, runs in found.items()})


@pytest.mark.slow
def test_a_killed_worker_costs_one_attempt(cluster: tuple[Cluster, str, str], tmp_path: Path) -> None:
    nodes, _, second = cluster
    sweep = nodes.sweep(tmp_path / "store", tmp_path, str(faulty.SLOW), "--runs", "6")
    busy(nodes, second, tmp_path)
    os.kill(nodes.trainers(second)[0], signal.SIGKILL)
    ended(sweep)
    found = attempts(tmp_path / "store")
    assert len(found) == 18
    assert {runs[-1].status for runs in found.values()} == {"finished"}
    lost = [run for runs in found.values() for run in runs[:-1]]
    assert len(lost) <= 1  # none where it died between two trainings
    assert all(run.status == "failed" and "lost" in run.reason for run in lost)
    assert sum(begun(tmp_path).values()) <= len(found) + 1


@pytest.mark.slow
def test_a_driver_that_was_killed_goes_on_where_it_was(
    cluster: tuple[Cluster, str, str], tmp_path: Path
) -> None:
    nodes, _, second = cluster
    arguments = (tmp_path / "store", tmp_path, str(faulty.SLOW), "--runs", "6")
    sweep = nodes.sweep(*arguments)
    busy(nodes, second, tmp_path, runs=7)
    sweep.kill()
    sweep.communicate()
    kept = {path.name: path.read_bytes() for path in (tmp_path / "store" / "runs").glob("[!.]*")}
    assert kept, "the driver was killed too early for this test"
    wait_until(lambda: not nodes.trainers(second), 60)  # its workers go with it
    ended(nodes.sweep(*arguments))
    found = attempts(tmp_path / "store")
    assert len(found) == 18
    assert {tuple(run.status for run in runs) for runs in found.values()} == {("finished",)}
    assert all((tmp_path / "store" / "runs" / name).read_bytes() == content for name, content in kept.items())
    assert all(begun(tmp_path)[name.split(".")[0]] == 1 for name in kept)
    assert sum(begun(tmp_path).values()) <= 18 + 2  # what the two workers were at


@pytest.mark.slow
def test_a_sweep_ends_while_readers_hold_index_and_lock(
    cluster: tuple[Cluster, str, str], tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    first = cluster[0].sweep(store.folder, tmp_path / "one", str(faulty.FINE))
    ended(first)
    reader = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True); "
        "print(c.execute('select count(*) from runs').fetchall(), flush=True); sys.stdin.read()"
    )
    held = subprocess.Popen(
        [sys.executable, "-c", reader, store.folder / "index.duckdb"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with (store.folder / "locks" / "index").open("a") as lock:
        assert held.stdout is not None
        assert held.stdout.readline().strip() == "[(3,)]"
        fcntl.flock(lock, fcntl.LOCK_EX)
        sweep = cluster[0].sweep(
            store.folder, tmp_path / "two", str(faulty.SLOW), "--runs", "3", "--seed", "1"
        )
        runs = store.folder / "runs"
        wait_until(lambda: len(list(runs.glob("[!.]*"))) == 3 + 9, 120)  # nobody waited for the lock
    ended(sweep)
    held.communicate("")
    assert store.check() == ()
    assert len(store.runs()) == 12


@pytest.mark.slow
def test_a_full_disk_ends_the_sweep_with_one_line_and_loses_nothing(
    cluster: tuple[Cluster, str, str], tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount: list[str | Path] = ["mount", "-t", "tmpfs", "-o", "size=6m", "none", small]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no file system may be mounted here")
    try:
        filler = small / "filler"
        arguments = (small / "store", tmp_path, str(faulty.SLOW), "--runs", "6")
        sweep = cluster[0].sweep(*arguments)
        busy(cluster[0], cluster[2], tmp_path, runs=4)
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        _, err = sweep.communicate(timeout=120)
        assert sweep.returncode == 1
        assert "No space left on device" in err.splitlines()[-1]
        assert "Traceback" not in err
        kept = {path.name.split(".")[0] for path in (small / "store" / "runs").glob("[!.]*")}
        filler.unlink()
        ended(cluster[0].sweep(*arguments))
        found = attempts(small / "store")
        assert len(found) == 18
        assert {runs[-1].status for runs in found.values()} == {"finished"}
        assert kept
        assert all(begun(tmp_path)[id] == 1 for id in kept)
    finally:
        subprocess.run(["umount", "-l", small], check=True)


@pytest.mark.slow
def test_a_node_with_other_code_is_refused_and_a_stopped_one_is_missed_by_nobody(
    cluster: tuple[Cluster, str, str], tmp_path: Path
) -> None:
    nodes, _, second = cluster
    nodes.stop(second)
    other = tmp_path / "calibrate"
    shutil.copytree(ROOT / "calibrate", other, ignore=shutil.ignore_patterns("__pycache__"))
    with (other / "types.py").open("a") as file:
        file.write("# a later version\n")
    if subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
        pytest.skip("no mount namespace may be made here")
    third = nodes.node(1, wrap=f"mount --bind {other} {ROOT / 'calibrate'}")
    refused = ended(nodes.sweep(tmp_path / "store", tmp_path / "first", str(faulty.SLOW), "--runs", "24"))
    lines = [line for line in refused.splitlines() if line.startswith("problem:")]
    assert len(lines) == 1
    assert "was refused: its versions are planner" in lines[0]
    found = attempts(tmp_path / "store")
    assert [len(runs) for runs in found.values()] == [1] * 72

    nodes.stop(third)
    folder = tmp_path / "second"
    sweep = nodes.sweep(tmp_path / "store2", folder, str(faulty.SLOW), "--runs", "24")
    busy(nodes, nodes.first, folder, runs=2)
    fourth = nodes.node(1)  # joins a sweep that runs
    wait_until(lambda: nodes.trainers(fourth), 60)
    done = sum(begun(folder).values())
    wait_until(lambda: sum(begun(folder).values()) > done + 2, 60)
    nodes.stop(fourth)
    ended(sweep)
    found = attempts(tmp_path / "store2")
    assert len(found) == 72
    assert {runs[-1].status for runs in found.values()} == {"finished"}
    assert sum(len(runs) for runs in found.values()) <= 72 + 1


@pytest.mark.slow
def test_a_corpus_is_sent_once_to_a_node_that_cannot_see_it(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    with Cluster() as nodes:
        nodes.node(0)
        if subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
            pytest.skip("no mount namespace may be made here")
        # another machine: what the driver has in its cache is not there
        away = nodes.node(2, wrap=f"mount -t tmpfs none {cache}")
        ray = ("--engine", "ray", "--address", "ray://127.0.0.1:10001")
        finish(nodes.planner(*smoke(tmp_path / "ray", cache, *ray)))
        received = sorted((nodes.folder / f"cache-{away}").iterdir())
        assert [path.name[:9] for path in received if not path.name.startswith(".")] == ["received-"]
        written = {path: path.stat().st_mtime_ns for path in received}
        finish(nodes.planner(*smoke(tmp_path / "ray", cache, *ray, "--seed", "0")))
        assert written == {path: path.stat().st_mtime_ns for path in received}
        finish(nodes.planner(*smoke(tmp_path / "local", cache)))
    assert results(tmp_path / "ray") == results(tmp_path / "local")


@pytest.mark.slow
def test_gpus_are_asked_for_as_fractions_that_follow_from_a_trial(tmp_path: Path) -> None:
    """The node only claims to have a GPU: Ray counts it, and the trial measures what a CPU worker takes."""
    with Cluster() as nodes:
        nodes.node(0)
        claims = nodes.node(3, "--num-gpus=1")
        ray = ("--engine", "ray", "--address", nodes.address)
        dry, _ = finish(nodes.planner(*smoke(tmp_path / "ray", tmp_path / "cache", *ray, "--dry-run")))
        assert json.loads(dry)["workers"] == 3
        sweep = nodes.planner(*smoke(tmp_path / "ray", tmp_path / "cache", *ray))
        wait_until(lambda: len(nodes.trainers(claims)) == 3, 200)  # whole GPUs would allow one
        assert "problem" not in ended(sweep)
        finish(nodes.planner(*smoke(tmp_path / "local", tmp_path / "cache")))
    assert results(tmp_path / "ray") == results(tmp_path / "local")


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["full", "stuck"])
def test_a_node_that_cannot_take_the_corpus_is_given_up_and_the_others_go_on(
    tmp_path: Path, fault: str
) -> None:
    folder, cache = tmp_path / "sweep", tmp_path / "cache"
    folder.mkdir()
    cache.mkdir()
    wrap, why = f"mount -t tmpfs none {folder}", "no answer for 20 s"
    if fault == "full":
        wrap += f" && mount -t tmpfs -o size=16k none {cache} && head -c 16384 /dev/zero > {cache}/filler"
        why = "No space left on device"
    else:
        os.mkfifo(cache / ".received-f.lock")  # whoever opens it to receive the corpus waits for ever
    with Cluster() as nodes:
        nodes.node(1)
        if subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
            pytest.skip("no mount namespace may be made here")
        nodes.node(1, wrap=wrap, env={"PLANNER_CACHE": str(cache)})
        sweep = nodes.sweep(tmp_path / "store", folder, str(faulty.SLOW), "--runs", "40", "--start", "20")
        (problem,) = [line for line in ended(sweep, 500).splitlines() if line.startswith("problem:")]
        assert "was refused: no worker gets ready there" in problem
        assert why in problem
    found = attempts(tmp_path / "store")
    assert len(found) == 120
    assert {tuple(run.status for run in runs) for runs in found.values()} == {("finished",)}


@pytest.mark.slow
def test_a_sweep_ends_in_one_line_when_the_head_node_is_gone(tmp_path: Path) -> None:
    with Cluster() as nodes:
        head = nodes.node(2)
        sweep = nodes.sweep(tmp_path / "store", tmp_path, str(faulty.SLOW), "--runs", "40")
        busy(nodes, head, tmp_path)
        nodes.stop(head)
        _, err = sweep.communicate(timeout=120)
    assert sweep.returncode == 1
    assert f"has not answered for {HEAD_SECONDS:g} s" in err.splitlines()[-1]
    assert "Traceback" not in err


@pytest.mark.slow
def test_workers_import_nothing_from_the_current_folder_of_the_driver(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = hostile(tmp_path / "hostile")
    with Cluster() as nodes:
        nodes.node(1)
        monkeypatch.chdir(folder)
        ended(nodes.sweep(tmp_path / "store", tmp_path, str(faulty.FINE)))
    assert not (folder / "executed").exists(), (folder / "executed").read_text()
