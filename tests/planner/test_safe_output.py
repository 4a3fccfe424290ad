"""Output that others open, terminals of any encoding, and errors that no one expected."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner import cli
from planner.commands.bug_report import write_bug_report
from planner.reports.formats import Format
from planner.reports.report import Report, markdown, show
from planner.text import csv_cell, json_text, markdown_text

PLANNER = [sys.executable, "-c", "from planner.cli import main; main()"]
UNSAFE = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")']


@pytest.mark.parametrize("text", UNSAFE)
def test_no_cell_is_a_formula(text: str) -> None:
    cell = csv_cell(text)
    assert isinstance(cell, str)
    assert cell[0] not in "=+-@\t\r"


@pytest.mark.parametrize("value", [-0.5, None, 3, "-0.5", "+1e-3", "-0.5; 2", "-", "speech", "-5%", ""])
def test_numbers_and_words_stay_as_they_are(value: object) -> None:
    assert csv_cell(value) == value


@given(st.text())
def test_json_means_the_same_and_can_be_printed(text: str) -> None:
    record = json.dumps({"name": text}, ensure_ascii=False)
    safe = json_text(record)
    assert json.loads(safe) == {"name": text}
    assert safe.isprintable()


@given(st.text())
def test_markdown_opens_no_tag(text: str) -> None:
    safe = markdown_text(f"{text}<script>{text}")
    assert "<script" not in safe
    assert safe.replace("\n", "").isprintable()


def test_a_name_from_elsewhere_is_safe_in_every_format(capsys: pytest.CaptureFixture[str]) -> None:
    name = "=1+1<img src=x onerror=alert(1)>\x1b[31m\u202e"
    report = Report(title=name, columns=("name",), rows=((name,),), notes=[name])
    for style in Format:
        show(report, [{"name": name}], style)
        out = capsys.readouterr().out
        assert "\x1b" not in out
        assert "\u202e" not in out
        if style is Format.csv:
            (row,) = csv.DictReader(io.StringIO(out))
            assert row["name"].startswith("'=")
    assert "<img" not in markdown(report)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
@pytest.mark.parametrize("style", ["table", "json", "csv", "markdown"])
def test_terminals_of_any_encoding_get_an_answer(encoding: str, style: str, tmp_path: Path) -> None:
    words = ["accelerators", "show", "h100", "--format", style]
    done = subprocess.run(
        [*PLANNER, *words],
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode(encoding)
    assert "h100" in text
    if style == "json":
        assert json.loads(text)["id"] == "h100-sxm"


def test_an_unexpected_error_is_one_line_with_a_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def broken(_words: object) -> object:
        raise ZeroDivisionError("half\nof it")

    monkeypatch.setattr(cli, "assembled", broken)
    monkeypatch.setattr(sys, "argv", ["planner", "estimate", "--data", "1h"])
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    (report,) = tmp_path.iterdir()
    assert str(report) in line
    text = report.read_text(encoding="utf-8")
    assert "ZeroDivisionError" in text
    assert "'--data'" in text

    monkeypatch.setattr(sys, "argv", ["planner", "--debug", "estimate"])
    with pytest.raises(ZeroDivisionError):
        cli.main()


def test_a_report_that_cannot_be_written_is_no_second_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nonexistent")
    assert "--debug" in write_bug_report(ValueError("x"), ["planner"])


def test_former_spellings_of_options_still_work() -> None:
    from typer.testing import CliRunner

    for words in (["--plain"], ["--single-form"]):
        call = ["estimate", "--source", "shipped", "--domain", "teacher", "--target", "error=5%", *words]
        ran = CliRunner().invoke(cli.assembled(["estimate"]), [*call, "--format", "json"])
        assert ran.exit_code == 0, ran.output
        assert json.loads(ran.stdout)["forms"] == {}
    shown = CliRunner().invoke(cli.assembled(["estimate"]), ["estimate", "--help"]).stdout
    assert "--single-form" in shown
    assert "--plain" not in shown


def test_a_value_that_looks_like_a_former_option_stays_as_it_is(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    store = ["--store", str(tmp_path / "store"), "--format", "json"]
    call = ["estimate", "--source", "shipped", "--domain", "teacher", "--target", "error=5%"]
    saved = CliRunner().invoke(cli.assembled(call), [*call, "--save", "--name", "--plain", *store])
    assert saved.exit_code == 0, saved.output
    call = ["forecasts", "list", *store]
    listed = CliRunner().invoke(cli.assembled(call), call)
    assert [forecast["name"] for forecast in json.loads(listed.stdout)] == ["--plain"]
