"""Tables as people have them: typed points, pipes, several files, headings with scales, gaps, zero rows."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from synthetic import planner

from planner.sources.run_table import read_measurements

HOURS, WER = (300.0, 600.0, 1200.0), (0.114, 0.096, 0.083)
POINTS = [word for h, w in zip(HOURS, WER, strict=True) for word in ("--point", f"{h:g}h={100 * w:.1f}%")]


def read(*paths: Path, **columns: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return data and metric of a table of hours and WER."""
    measured = read_measurements(
        paths, metric="wer", metric_unit="fraction", data_unit="hours", columns=dict(columns)
    )
    return measured.data, measured.metric


@pytest.mark.parametrize(
    "text",
    [
        "Train hours,WER%\n300,11.4\n600,9.6\n1200,8.3\n",
        "hours;WER (%)\n300;11,4\n600;9,6\n1200;8,3\n",
        "# hours\tval WER\n300\t11.4%\n600\t9.6%\n1200\t8.3%\n",
        "Audio hours [h],wer\n300,.114\n600,.096\n1200,.083\n",
        "hours,wer\n0,0.6\n300,.114\n600,.096\n,0.5\n1200,.083\n2400,n/a\n",
        "hours,wer,status\n300,.114,finished\n600,.096,finished\n1200,.083,finished\n2400,.2,failed\n",
        "hours,hours_test,wer,train wer\n300,5,.114,.1\n600,5,.096,.08\n1200,5,.083,.07\n",
    ],
    ids=["percent heading", "decimal comma", "hash", "brackets", "gaps", "states", "other columns"],
)
def test_a_table_as_people_write_it_gives_the_same_numbers(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    data, metric = read(tmp_path / "a.csv")
    assert data == pytest.approx(HOURS)
    assert metric == pytest.approx(WER)


def test_minutes_and_millions_of_a_heading_are_applied(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Audio (min),wer,params (M)\n60,0.3,12\n120,0.2,24\n", encoding="utf-8")
    measured = read_measurements(
        tmp_path / "a.csv", metric="wer", metric_unit="fraction", data_unit="hours",
        columns={"data": "Audio (min)"},
    )  # fmt: skip
    assert measured.data == (1, 2)
    assert measured.params == (12e6, 24e6)
    assert len(measured.notes) == 2


def test_columns_may_be_computed(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("steps,batch,acc\n10,4,0.7\n20,4,0.8\n", encoding="utf-8")
    assert read(tmp_path / "a.csv", data="steps*batch", metric="1 - acc") == (
        (40, 80), pytest.approx((0.3, 0.2)),
    )  # fmt: skip


def test_several_files_are_one_table(tmp_path: Path) -> None:
    for i, (h, w) in enumerate(zip(HOURS, WER, strict=True)):
        (tmp_path / f"{i}.json").write_text(json.dumps({"hours": h, "wer": w}), encoding="utf-8")
        (tmp_path / f"{i}.csv").write_text(f"hours,wer\n{h},{w}\n", encoding="utf-8")
    assert read(*sorted(tmp_path.glob("*.csv"))) == (HOURS, WER)


def test_points_need_no_file(tmp_path: Path) -> None:
    words = ("--domain", "asr", "--metric", "wer", "--form", "power", "--store", tmp_path, "--format", "json")
    ran = planner("fit", *POINTS, *words)
    assert ran.code == 0, ran.err
    (law,) = json.loads(ran.out)
    (tmp_path / "a.csv").write_text("hours,wer\n300,11.4%\n600,9.6%\n1200,8.3%\n", encoding="utf-8")
    (same,) = json.loads(planner("fit", tmp_path / "a.csv", "--data-unit", "hours", *words).out)
    assert same["parameters"] == law["parameters"]


def test_a_pipe_is_read(tmp_path: Path) -> None:
    words = ["fit", "-", "--domain", "a", "--metric", "wer", "--data-unit", "hours", "--form", "power"]
    ran = subprocess.run(
        [sys.executable, "-m", "planner", *words, "--store", str(tmp_path)],
        input="hours,wer\n300,11.4%\n600,9.6%\n1200,8.3%\n", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--point", "300h", "--metric", "wer"), "invalid-point"),
        (("--point", "300=11%", "--point", "600=9%", "--metric", "wer"), "missing-data-unit"),
    ],
)
def test_a_point_that_cannot_be_read_is_refused(tmp_path: Path, words: tuple[str, ...], code: str) -> None:
    assert planner("fit", *words, "--domain", "a", "--store", tmp_path).refused == code


def test_a_file_and_points_or_neither_are_refused(tmp_path: Path) -> None:
    for words in ((), (tmp_path, *POINTS)):
        ran = planner("fit", *words, "--domain", "a", "--metric", "wer", "--store", tmp_path / "s")
        assert (ran.code, ran.err.count("\n")) == (2, 1)
