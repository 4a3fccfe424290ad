"""Whole files of curves: forecasts out in any number of processes, interruptions, bad input refused."""

import csv
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from laws.errors import FileError, TableError
from planner.sources import extrapolate as extrapolation
from planner.warnings import sentence

ROWS = [
    "set,curve,x,y,y_se,weight",
    *(f"a,falling,{x},{2 * x**-0.3:.5f},," for x in (1000, 2000, 4000, 8000, 16000)),
    "a,falling,64000,,,",
    "a,falling,1e6,,,",
    *(f"a,other,{x},{30 * x**-0.5:.5f},0.002,3" for x in (1000, 2000, 4000, 8000)),
    "a,other,16k,,,",
    "b,once,1000,0.5,,",
    "b,once,10000,,,",
]


def curves(folder: Path, rows=ROWS, name="curves.csv") -> Path:
    (folder / name).write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder / name


def read(path: Path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_file_of_curves_is_forecast_and_says_the_same_in_any_number_of_processes(tmp_path):
    stages = []
    one = tmp_path / "one.csv"
    extrapolation.extrapolate(
        curves(tmp_path), one, processes=1, on_progress=lambda *progress: stages.append(progress)
    )
    rows = read(one)
    assert [(row["curve"], float(row["x"])) for row in rows] == [
        ("falling", 64000), ("falling", 1e6), ("other", 16000), ("once", 10000),
    ]  # fmt: skip
    for row in rows:
        values = [float(row[level]) for level in extrapolation.LEVELS]
        assert values == sorted(values)
        assert values[0] > 0
        assert sum(float(weight) for weight in re.findall(r"=([\d.]+)", row["forms"])) == pytest.approx(
            1, abs=0.03
        )
    assert float(rows[0]["q05"]) < 2 * 64000**-0.3 < float(rows[0]["q95"])
    assert "one-point" in rows[3]["warnings"].split()
    assert stages[-1] == ("forecasting", 3, 3)
    assert not list(tmp_path.glob("*.journal"))

    two = tmp_path / "two.csv"
    extrapolation.extrapolate(curves(tmp_path), two, processes=2)
    assert two.read_text() == one.read_text()


def test_an_interrupted_command_goes_on_where_it_was(tmp_path):
    path, out = curves(tmp_path), tmp_path / "out.csv"

    class StopError(Exception):
        pass

    def stop(what, done, _all):
        if what == "forecasting" and done == 2:
            raise StopError

    with pytest.raises(StopError):
        extrapolation.extrapolate(path, out, processes=1, on_progress=stop)
    assert not out.exists()
    journal = tmp_path / "out.csv.journal"
    journal.write_text(journal.read_text() + '{"key": "cut o')  # a line that a kill cut off
    stages = []
    extrapolation.extrapolate(path, out, processes=1, on_progress=lambda *progress: stages.append(progress))
    assert ("judging forms", 3, 3) in stages
    assert ("forecasting", 0, 3) not in stages
    assert ("forecasting", 2, 3) in stages

    fresh = tmp_path / "fresh.csv"
    extrapolation.extrapolate(path, fresh, processes=1)
    assert fresh.read_text() == out.read_text()


@pytest.mark.parametrize(
    ("rows", "code", "cell"),
    [
        (["curve,x", "a,1"], "missing-column", ""),
        (["curve,x,y", "a,1,0.5", "a,2,0.4"], "nothing-to-forecast", ""),
        (["curve,x,y", "a,1,0.5", "a,zero,"], "unreadable-cell", "row 3, column 'x'"),
        (["curve,x,y", "a,1,0.5", "a,-2,"], "unreadable-cell", "row 3, column 'x'"),
        (["curve,x,y", "a,1,-0.5", "a,2,"], "unreadable-cell", "row 2, column 'y'"),
        (["curve,x,y", "a,1,nan", "a,2,"], "unreadable-cell", "row 2, column 'y'"),
        (["curve,x,y,weight", "a,1,.5,0", "a,2,,"], "unreadable-cell", "row 2, column 'weight'"),
        (["curve,x,y", "a,,0.5", "a,2,"], "unreadable-cell", "row 2, column 'x'"),
        (["curve,x,y,y_se", "a,1,0.5,-0.1", "a,2,,"], "unreadable-cell", "row 2, column 'y_se'"),
        (["curve,x,y,ceiling", "a,1,0.5,-1", "a,2,,"], "unreadable-cell", "row 2, column 'ceiling'"),
        (["curve,x,y,ceiling", "a,1,0.5,1", "a,2,,0.9"], "conflicting-ceiling", "row 3, column 'ceiling'"),
        (["curve,x,y", "a,1,0", "a,2,"], "no-measurement", ""),
        (["curve,x,y", "a,1,0.5,9", "a,2,"], "ragged-row", "row 2"),
    ],
)
def test_bad_input_is_refused_with_its_row(tmp_path: Path, rows: list[str], code: str, cell: str) -> None:
    with pytest.raises(TableError) as refusal:
        extrapolation.read_curves(curves(tmp_path, rows))
    assert refusal.value.code == code
    assert cell in refusal.value.message


def test_columns_are_found_in_any_case_and_cells_read_as_people_write_them(tmp_path):
    rows = ["Curve, X ,Y", "a,1k,50%", "a,2000,0.4", "a,4k,"]
    (found,) = extrapolation.read_curves(curves(tmp_path, rows))
    assert [(x, y) for x, y, _, _ in found.measured] == [(1000.0, 0.5), (2000.0, 0.4)]
    assert found.asked == (4000.0,)


def test_an_unreadable_cell_is_named_in_json_too(tmp_path: Path) -> None:
    rows = ['{"curve": "a", "x": [1], "y": 0.5}', '{"curve": "a", "x": [2], "y": null}']
    with pytest.raises(TableError, match="row 1, column 'x'") as refusal:
        extrapolation.read_curves(curves(tmp_path, rows, "curves.jsonl"))
    assert refusal.value.code == "unreadable-cell"


@pytest.mark.parametrize("name", ["none/out.csv", "curves.csv", "out.parquet"])
def test_the_output_must_be_a_file_that_can_be_written(tmp_path: Path, name: str) -> None:
    path = curves(tmp_path)
    before = path.read_text()
    with pytest.raises(FileError) as refusal:
        extrapolation.extrapolate(path, tmp_path / name)
    assert refusal.value.code == "unwritable-output"
    assert path.read_text() == before


def test_a_damaged_journal_is_left_out(tmp_path: Path) -> None:
    journal = tmp_path / "out.csv.journal"
    damaged = [
        "{}",
        "[]",
        "3",
        '{"key": "score-1", "value": {}}',
        '{"key": "answer-1", "value": [1]}',
        "\xff",
    ]
    journal.write_text("\n".join(damaged), encoding="latin-1")
    assert list(extrapolation._journaled(journal)) == []


@pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="needs links")
def test_a_journal_never_follows_a_link(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("keep")
    (tmp_path / "out.csv.journal").symlink_to(tmp_path / "theirs")
    with pytest.raises(FileError):
        extrapolation.extrapolate(curves(tmp_path), tmp_path / "out.csv")
    assert (tmp_path / "theirs").read_text() == "keep"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_device_or_a_pipe_is_written_to_and_never_replaced(tmp_path):
    path = curves(tmp_path, [ROWS[0], "b,once,1000,0.5,,", "b,once,10000,,,"])
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as reader:
        text = reader.submit(pipe.read_text)
        extrapolation.extrapolate(path, pipe, processes=1)
        assert len(text.result(timeout=60).splitlines()) == 2
    assert pipe.is_fifo()
    assert not (tmp_path / "pipe.journal").exists()


def test_the_command_writes_the_file_says_so_and_explains_its_warnings(tmp_path):
    rows = [ROWS[0], "b,once,1000,0.5,,", "b,once,10000,,,"]
    call = [sys.executable, "-c", "from planner.cli import main; main()", "extrapolate"]
    done = subprocess.run(
        [*call, str(curves(tmp_path, rows)), "--out", str(tmp_path / "out.csv"), "--processes", "1"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said, *explained = done.stdout.splitlines()
    assert said.endswith("1 forecast of 1 curve, 1 of them with warnings")
    assert f"  one-point, 1 curve: {sentence('one-point')}" in explained
    assert "forecasting: 1/1" in done.stderr
    assert len(read(tmp_path / "out.csv")) == 1

    refused = subprocess.run(
        [*call, str(tmp_path / "missing.csv"), "--out", "x.csv"], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "missing.csv" in refused.stderr


def test_an_interrupted_command_says_that_it_goes_on(tmp_path):
    rows = ["curve,x,y", *(f"c{i},{x},{x**-0.3}" for i in range(40) for x in (1e3, 2e3, 4e3)), "c0,1e5,"]
    listening = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # as no background job is
    )
    call = [sys.executable, "-c", f"{listening}; from planner.cli import main; main()", "extrapolate"]
    running = subprocess.Popen(
        [*call, str(curves(tmp_path, rows)), "--out", str(tmp_path / "out.csv"), "--processes", "1"],
        stderr=subprocess.PIPE,
        text=True,
    )
    journal = tmp_path / "out.csv.journal"
    deadline = time.monotonic() + 60
    while not (journal.exists() and journal.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert said.endswith("planner: stopped; finished curves are kept: run the same command to continue\n")
    assert "Traceback" not in said
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs /proc")
def test_a_killed_command_leaves_no_process_behind(tmp_path):
    rows = ["curve,x,y", *(f"c{i},{x},{x**-0.3}" for i in range(40) for x in (1e3, 2e3, 4e3)), "c0,1e5,"]
    code = "from planner.cli import main; main()"
    done = subprocess.Popen(
        [
            sys.executable,
            "-c",
            code,
            "extrapolate",
            str(curves(tmp_path, rows)),
            "--out",
            str(tmp_path / "out.csv"),
        ],
        stderr=subprocess.DEVNULL,
    )
    journal = tmp_path / "out.csv.journal"
    deadline = time.monotonic() + 120
    while not (journal.exists() and journal.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.1)
    children = Path(f"/proc/{done.pid}/task/{done.pid}/children").read_text().split()
    assert len(children) >= 2
    done.kill()
    done.wait()
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not [child for child in children if Path(f"/proc/{child}").exists()]
