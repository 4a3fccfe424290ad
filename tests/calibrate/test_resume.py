"""Sweeps killed, interrupted and run side by side, as a user's processes: nothing is lost or doubled."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("torch")

from faulty_domain import SLOW

from laws.storage.records import decode
from laws.storage.store import Store
from laws.types import Law, Run

pytestmark = pytest.mark.torch

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parents[1]
# Tests that a shell started in the background are born with Ctrl-C ignored, and so would be the sweep.
LISTENING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
COMMAND = [sys.executable, "-c", LISTENING + "from planner.cli import main; main()"]
COMMAND += ["calibrate", "--domain", "teacher"]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def start(store: Path, cache: Path, seed: int = 0) -> subprocess.Popen[str]:
    """Start a sweep of a few seconds in a group of processes of its own, as a terminal does."""
    arguments = [
        "--preset",
        "smoke",
        "--workers",
        "1",
        "--store",
        store,
        "--cache",
        cache,
        "--seed",
        str(seed),
    ]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    return subprocess.Popen(
        [*COMMAND, *arguments, "--format", "json"],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> dict[str, object]:
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return dict(json.loads(out))


def files(store: Path) -> dict[str, int]:
    """Return every record of a run with the time of its writing."""
    return {path.name: path.stat().st_mtime_ns for path in (store / "runs").glob("[!.]*")}


def children(process: subprocess.Popen[str]) -> list[int]:
    """Return what lives of a group of processes (Linux)."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if fields[2] == str(process.pid) and fields[0] != "Z":
            found.append(int(status.parent.name))
    return found


def wait_for(true: object, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)


def content(store: Path) -> tuple[dict[str, Run], dict[str, Law]]:
    kept = Store(store)
    runs = kept.runs(domain="teacher")
    assert all(run.status == "finished" and run.attempt == 1 for run in runs)
    assert len({run.id for run in runs}) == len(runs) == len(files(store))
    assert all("cut off" in line for line in kept.check())
    laws = [kept.law(row.id) for row in kept.laws(domain="teacher")]
    of_seed = [run for run in runs if run.seed == 0]
    return {run.id: run for run in of_seed}, {x.metric: x for x in laws if x.provenance["seed"] == "0"}


def same(store: Path, whole: Path) -> None:
    """Hold a store against that of a sweep that was never disturbed."""
    runs, laws = content(store)
    expected_runs, expected_laws = content(whole)
    assert {id: run.metrics for id, run in runs.items()} == {
        id: run.metrics for id, run in expected_runs.items()
    }
    assert {name: law.parameters for name, law in laws.items()} == {
        name: law.parameters for name, law in expected_laws.items()
    }
    assert laws


def ended_before_kill(store: Path, cache: Path, seconds: float) -> bool:
    """Start the sweep, kill it after so many seconds; return whether it had ended by itself before."""
    process = start(store, cache)
    before = files(store)
    try:
        _, err = process.communicate(timeout=seconds)
        assert process.returncode == 0, err
        ended = True
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        ended = False
    wait_for(lambda: not children(process), 10)
    assert before.items() <= files(store).items(), "a run that was finished was written again"
    return ended


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> tuple[Path, float]:
    """Return the store of a whole sweep that ran beside another one, and how long that took."""
    store = tmp_path_factory.mktemp("whole")
    begun = time.monotonic()
    first = start(store, cache)
    second = start(store, cache, seed=1)
    wait_for(lambda: len(list((store / "locks").glob("sweep-*"))) == 2, 120)
    again = start(store, cache)
    out, err = again.communicate(timeout=240)
    if again.returncode:  # it may have come so late that the first one had ended
        assert (again.returncode, out) == (1, "")
        assert "another process works on sweep-" in err.splitlines()[-1]
    told = [finish(first), finish(second)]
    assert [list(one["runs"]) for one in told] == [["finished"], ["finished"]]  # type: ignore[call-overload]
    runs = Store(store).runs(domain="teacher")
    assert {run.seed for run in runs} == {0, 1}
    assert len(runs) == sum(sum(one["runs"].values()) for one in told)  # type: ignore[attr-defined]
    return store, time.monotonic() - begun


@pytest.mark.slow
def test_a_sweep_survives_ctrl_c_and_kills(
    tmp_path: Path, cache: Path, undisturbed: tuple[Path, float]
) -> None:
    whole, seconds = undisturbed
    interrupted = start(tmp_path, cache)
    wait_for(lambda: files(tmp_path), 120)
    os.killpg(interrupted.pid, signal.SIGINT)
    out, err = interrupted.communicate(timeout=60)
    assert (interrupted.returncode, out) == (130, ""), err
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith("planner: stopped; ")
    wait_for(lambda: not children(interrupted), 10)
    rng = random.Random(1)
    for _ in range(2):
        ended_before_kill(tmp_path, cache, rng.uniform(0, seconds / 2))
    before = files(tmp_path)
    finish(start(tmp_path, cache))
    assert before.items() <= files(tmp_path).items()
    same(tmp_path, whole)


@pytest.mark.parametrize("delay", [0.0, 0.3, 1.0])
def test_ctrl_c_while_libraries_are_loaded_ends_in_a_sentence(
    tmp_path: Path, cache: Path, delay: float
) -> None:
    """In the import of a native library it would end in SIGABRT: DuckDB's, after the first result, did."""
    interrupted = start(tmp_path, cache)
    assert interrupted.stderr is not None
    assert interrupted.stderr.readline().startswith("loading libraries")
    time.sleep(delay)
    os.killpg(interrupted.pid, signal.SIGINT)
    out, err = interrupted.communicate(timeout=60)
    assert (interrupted.returncode, out) == (130, ""), err
    assert "Traceback" not in err
    assert err.splitlines()[-1].startswith("planner: stopped; ")


def test_nothing_is_imported_amid_a_sweep_that_ctrl_c_would_abort(tmp_path: Path, cache: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from planner.sources.calibrate import prepare_sweep; "
        "from planner.sources.calibrate_request import CalibrationRequest; "
        "prepare_sweep(CalibrationRequest(domain='teacher', preset='smoke', "
        "families=(), data=None, store=Path(sys.argv[1]), cache=Path(sys.argv[2]), seed=0, workers=1), "
        "lambda text, share: None); print({'duckdb', 'torch'} <= set(sys.modules))"
    )
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    ran = subprocess.run(
        [sys.executable, "-c", code, tmp_path, cache], env={**os.environ, "PYTHONPATH": path},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ran.stdout == "True\n"


def test_ctrl_c_is_held_though_another_thread_takes_it() -> None:
    """Numpy's threads do not block it: 20 presses of 20 wait for the end."""
    code = (
        "import os, signal, threading, time\n"
        "from calibrate.engines.signals import ctrl_c_held\n"
        "threading.Thread(target=time.sleep, args=(5,), daemon=True).start()\n"
        "held = 0\n"
        "for _ in range(20):\n"
        "    done = False\n"
        "    try:\n"
        "        with ctrl_c_held():\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "            for _ in range(1000): time.sleep(0)\n"
        "            done = True\n"
        "    except KeyboardInterrupt:\n"
        "        held += done\n"
        "print(held)\n"
    )
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    ran = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ran.stdout == "20\n"


RUNS = 36  # of a sweep that is killed


def faulty(folder: Path) -> subprocess.Popen[str]:
    """Start a sweep of short trainings whose laws are fitted; its store is in the folder."""
    path = os.pathsep.join(filter(None, [str(ROOT), str(TESTS), os.environ.get("PYTHONPATH")]))
    sweep = [sys.executable, TESTS / "faulty_sweep.py", folder / "store", folder, str(SLOW)]
    return subprocess.Popen(
        [*sweep, "--runs", str(RUNS // 3), "--laws"],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def begun(folder: Path) -> Counter[str]:
    """Return how often each training was begun."""
    log = folder / "started"
    return Counter(log.read_text().split()) if log.exists() else Counter()


def outcome(folder: Path) -> tuple[dict[str, object], dict[str, object]]:
    """Return the runs and laws of a sweep that has ended, after a look at every file."""
    store = Store(folder / "store")
    assert all("cut off" in line for line in store.check())
    runs, (sweep,) = store.runs(), store.sweeps()
    assert sorted(sweep.runs) == sorted(run.id for run in runs)
    assert {run.status for run in runs} == {"finished"}
    laws = [store.law(row.id) for row in store.laws()]
    return (
        {run.id: (run.attempt, run.metrics, run.hyper) for run in runs},
        {law.metric: (law.parameters, law.paths, law.runs) for law in laws},
    )


def killed_at_random(process: subprocess.Popen[str], folder: Path, rng: random.Random) -> bool:
    """Kill a sweep after some of its trainings have begun, or while it fits; False: it ended by itself."""
    begins = begun(folder).total() + rng.randrange(8)
    while process.poll() is None and begun(folder).total() < begins and len(files(folder / "store")) < RUNS:
        time.sleep(0.02)
    left = len(files(folder / "store")) < RUNS
    try:
        process.wait(timeout=rng.uniform(0, 1 if left else 30))
        return False
    except subprocess.TimeoutExpired:
        process.kill()
        return True


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_sweeps_survive_fifty_kills(tmp_path: Path) -> None:
    process = faulty(tmp_path / "whole")
    assert process.communicate(timeout=600)[1] == ""
    expected = outcome(tmp_path / "whole")
    assert len(expected[0]) == RUNS
    assert expected[1]
    rng = random.Random(2)
    kills = whole = 0
    folder = tmp_path / "killed-0"
    while kills < 50 or folder.exists():
        kept, trained = files(folder / "store"), begun(folder)
        process = faulty(folder)
        if kills < 50:
            kills += killed_at_random(process, folder, rng)
        process.communicate(timeout=300)
        wait_for(lambda process=process: not children(process), 10)  # type: ignore[misc]
        assert kept.items() <= files(folder / "store").items(), "a run that was finished was written again"
        for name in files(folder / "store"):
            decode((folder / "store" / "runs" / name).read_bytes(), Run)
        again = begun(folder) - trained
        assert not {name.split(".")[0] for name in kept} & again.keys(), "a finished run was trained twice"
        if process.returncode == 0:
            assert outcome(folder) == expected
            whole += 1
            folder = tmp_path / f"killed-{whole}"
    assert whole > 1
