"""Ctrl-C ends the program in one line: in its first moments, while it works, and pressed twice."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# a shell may have started the tests with Ctrl-C ignored, and children inherit that; the line comes once our
# first module is there, since Python itself answers Ctrl-C before, and a busy machine takes its time
PROGRAM = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from planner.__main__ import main; print(flush=True); main()"
)


def start(*arguments: object) -> subprocess.Popen[str]:
    """Start the program in a group of processes of its own, as a terminal does, and wait for its first
    line.
    """
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *map(str, arguments)], env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    return process


@pytest.mark.parametrize("delay", [0.02, 0.1, 0.2, 0.3])
def test_ctrl_c_in_the_first_moments_ends_in_one_line(delay: float, tmp_path: Path) -> None:
    process = start("calibrate", "--domain", "teacher", "--store", tmp_path, "--cache", tmp_path)
    time.sleep(delay)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err


@pytest.mark.torch
def test_ctrl_c_twice_ends_at_once_and_leaves_no_process(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    process = start("calibrate", "--domain", "teacher", "--store", tmp_path, "--cache", tmp_path)
    end = time.monotonic() + 120
    while not list(tmp_path.glob("runs/[!.]*")):
        assert time.monotonic() < end
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    while True:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            break
        assert time.monotonic() < end, "a process is left"
        time.sleep(0.05)
