"""Functions in processes of their own: a killed process costs nothing but time, and none is left behind."""

import os
import signal
import time
from contextlib import closing
from pathlib import Path

import pytest

from laws.errors import EngineError
from planner.sources.worker_pool import MAX_LOSSES, run_all


def double(number: int) -> int:
    return 2 * number


def killed_once(marker: Path, number: int) -> int:
    if number == 3 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return double(number)


def killed_always(number: int) -> int:
    with Path("starts").open("a") as file:
        file.write("x")
    os.kill(os.getpid(), signal.SIGKILL)
    return number


def sleeping(marker: Path, number: int) -> int:
    if number:
        marker.write_text(str(os.getpid()))
        time.sleep(600)
    while not marker.exists():
        time.sleep(0.01)
    return number


def broken(number: int) -> int:
    raise KeyError(number)


def test_a_killed_process_is_replaced_and_every_result_arrives_once(tmp_path: Path) -> None:
    inputs = {str(i): (tmp_path / "killed", i) for i in range(8)}
    results = list(run_all(killed_once, inputs, processes=2))
    assert len(results) == 8
    assert dict(results) == {str(i): 2 * i for i in range(8)}
    assert (tmp_path / "killed").exists()


def test_a_function_that_kills_every_process_ends_in_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EngineError) as refused:
        list(run_all(killed_always, {"a": (1,)}, processes=1))
    assert (refused.value.code, refused.value.value) == ("worker-lost", 1)
    assert (tmp_path / "starts").read_text() == "x" * MAX_LOSSES


def test_leaving_the_loop_ends_the_processes_at_once(tmp_path: Path) -> None:
    marker = tmp_path / "sleeping"
    with closing(run_all(sleeping, {"b": (marker, 1), "a": (marker, 0)}, processes=2)) as results:
        assert next(results) == ("a", 0)
    process = int(marker.read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_an_exception_of_the_function_is_raised_here() -> None:
    with pytest.raises(KeyError):
        list(run_all(broken, {"a": (1,)}, processes=1))


def test_nothing_to_do_starts_nothing() -> None:
    assert list(run_all(double, {}, processes=4)) == []
