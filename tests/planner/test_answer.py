"""The short answer of `planner estimate`: what is on the screen, and that its next command runs."""

import io
import json
import math
import re
import shlex
import sys

import pytest
from synthetic import filled, passes, planner, power, size

from laws.storage.store import Store
from planner.lawmodel.power_law import power_law, scale_for, value
from planner.reports import brief
from planner.reports.answer import MAX_ROWS
from planner.reports.brief import MAX_WARNINGS, Brief, terminal
from planner.severity import Severity, severity

POINTS = """hours,wer,params,gpu_hours,device
300,11.4%,120M,230,h100
600,9.6%,120M,450,h100
1200,8.3%,120M,910,h100
"""
ASK = ("estimate", "--domain", "asr", "--target-wer", "6%")
ON = ("--have-data", "1200h", "--data-price", "$90/hour", "--on", "h100", "--count", "64")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with the law of three points."""
    folder = tmp_path_factory.mktemp("three")
    runs = folder / "runs.csv"
    runs.write_text(POINTS, encoding="utf-8")
    words = ("--domain", "asr", "--metric", "wer", "--data-unit", "hours")
    ran = planner("fit", runs, *words, "--store", folder / "store")
    assert ran.code == 0, ran.err
    return folder / "store"


@pytest.fixture(autouse=True)
def wide(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def shown(*words):
    ran = planner(*words)
    assert ran.code == 0, ran.err
    return ran.out


def fields(*words):
    return json.loads(shown(*words, "--format", "json"))


def rows(out):
    """Return the rows of the table of a short answer: label -> the rest of the line."""
    blocks = out.split("\n\n")
    (table,) = [block for block in blocks if block.startswith("  ") and "interval" in block.splitlines()[0]]
    return {line.strip().split("   ")[0]: line for line in table.splitlines()[1:]}


def warned(out):
    return [line.split()[-1] for line in out.splitlines() if line.startswith("! ")]


def next_words(out):
    (line,) = [line for line in out.splitlines() if line.startswith("Next: ")]
    return shlex.split(line.removeprefix("Next: planner ").split("    Why:")[0])


def test_three_points_and_a_target_are_answered_on_one_screen(store):
    out, full = shown(*ASK, *ON, "--store", store), fields(*ASK, *ON, "--store", store)
    assert len(out.splitlines()) <= 24
    assert "  never" not in out
    lines = out.splitlines()
    assert max(len(line) for line in lines if not line.startswith("Next:")) <= 80
    assert lines[0].startswith("WER 6% needs about 8,000 hours of audio: 6,800 more than you have")
    assert f"{full['probability_reachable']:.0%} likely" in lines[1]
    assert f"{full['probability_within']['10']:.0%} within 10x" in lines[1]
    table = rows(out)
    assert len(table) <= MAX_ROWS
    assert "(no upper bound)" in table["Data"]
    assert sum("(no upper bound)" in line for line in table.values()) == 1
    assert table.pop("Parameters").split() == ["Parameters", "120M"]  # one model size stays that size
    assert all("or more" in line for label, line in table.items() if not label.startswith("To be"))
    assert warned(out) == ["few-points", "floor-uncertain", "flops-from-hours"]
    assert "the forecast allows for a floor" in out


def test_the_plan_for_80_percent_is_that_of_the_confidence(store):
    at = fields(*ASK, *ON, "--store", store)["at_confidence"]
    asked = fields(*ASK, *ON, "--store", store, "--confidence", "80%")
    assert at["confidence"] == 0.8
    for name in ("data", "total_dollars", "days"):
        assert at[name] == asked[name]
    line = rows(shown(*ASK, *ON, "--store", store))["To be 80% sure"]
    assert line.split()[4:] == ["18,200", "h", f"${at['total_dollars']['median'] / 1e6:.2f}M"]


def test_the_power_law_is_that_of_least_squares_and_is_printed_where_it_differs(store):
    line = fields(*ASK, "--store", store)["power_law"]
    xs, ys = (300, 600, 1200), (0.114, 0.096, 0.083)
    a, b = power_law(xs, ys)
    assert (line["scale"], line["exponent"]) == pytest.approx((a, b))
    assert line["value"] == pytest.approx((a / 0.06) ** (1 / b))
    assert line["value"] == pytest.approx(4850, rel=0.02)
    assert "One power law through the points says 4,900 h" in shown(*ASK, "--store", store)
    assert "One power law" not in shown(*ASK[:3], "--data", "1300h", "--store", store)


def test_a_power_law_of_exact_points_is_found_and_one_that_rises_is_none():
    assert power_law((1, 10, 100), (1, 0.5, 0.25)) == pytest.approx((1, math.log10(2)))
    assert power_law((1, 10), (1, 2)) is None
    assert power_law((5, 5), (1, 0.9)) is None
    assert value((1.0, 0.5), 4) == pytest.approx(0.5)
    assert scale_for((1.0, 0.001), 1e-9) == math.inf


@pytest.mark.parametrize(
    "words",
    [
        (*ASK, *ON),
        (*ASK, "--confidence", "80%"),
        (*ASK, "--single-form"),
        ("estimate", "--domain", "asr", "--target-wer", "4%"),
        ("estimate", "--domain", "asr", "--data", "5000h"),
        ("estimate", "--domain", "asr", "--budget", "$50k", "--on", "h100"),
        ("estimate", "--domain", "language", "--target-loss", "2.1", "--on", "h100"),
        ("estimate", "--domain", "word-lm", "--flops", "1e20"),
        ("estimate", "--domain", "char-lm", "--source", "shipped", "--target-loss", "1.9"),
    ],
)
def test_the_next_command_runs_as_it_is_printed(words, store):
    out = shown(*words, "--store", store)
    assert len(warned(out)) <= MAX_WARNINGS
    ran = planner(*next_words(out))
    assert ran.code == 0, (next_words(out), ran.err)


def test_everything_else_is_one_option_away(store):
    full = shown(*ASK, *ON, "--store", store, "--explain")
    for code in [warning["code"] for warning in fields(*ASK, *ON, "--store", store)["warnings"]]:
        assert f"[{code}]" in " ".join(full.split())
    assert "Sources and assumptions" in full
    assert "Energy, kWh" in full


def test_a_target_that_most_outcomes_miss_is_answered_in_words(tmp_path):
    opened = Store(tmp_path)
    for law in (power(0.4, 0.3, 0.03, spread=0.1, draws=1000), size(2e4, 0.6), passes(12)):
        opened.add_law(law)
    opened.publish()
    out = shown("estimate", "--domain", "speech", "--target-wer", "2.9%", "--store", tmp_path)
    assert "probably out of reach" in out.splitlines()[0]
    assert "if reached" in out
    assert "  never" not in out
    assert "To be 80% sure" not in out


def test_markdown_has_the_same_answer(store):
    out = shown(*ASK, "--store", store, "--format", "markdown")
    assert out.startswith("### WER 6% needs about 8,000 hours of audio.\n")
    assert "| Data | 8,000 h | 3,600 h or more (no upper bound) |" in out
    assert "[few-points]" in out


TOY = Brief(
    lead=("An answer.", "A second sentence."),
    columns=("", "median", "90% interval"),
    rows=(("データ", "8,000 h", "1 to 2"), ("Compute", "$20k", "$8k or more")),
    warnings=("few-points", "extrapolated-far"),
    next="planner next",
    why="add --explain",
)


def test_colors_are_the_terminals_own_and_only_where_there_are_any(monkeypatch):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    plain = terminal(TOY)
    assert "\x1b" not in plain
    monkeypatch.setenv("FORCE_COLOR", "1")
    painted = terminal(TOY)
    assert re.sub("\x1b\\[[0-9]*m", "", painted) == plain
    assert "\x1b[1mAn answer.\x1b[0m" in painted
    assert severity("extrapolated-far") is Severity.SERIOUS
    assert f"\x1b[{brief.RED}m!" in painted
    assert f"\x1b[{brief.YELLOW}m!" in painted
    monkeypatch.setenv("NO_COLOR", "1")
    assert terminal(TOY) == plain


@pytest.mark.parametrize("columns", [30, 40, 80, 120, 200])
def test_lines_fit_the_terminal(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = terminal(TOY).splitlines()
    assert max(map(brief.text_width, lines)) <= max(columns, 40)


def test_labels_in_a_sentence_keep_their_acronyms(tmp_path):
    store = filled(tmp_path / "store", power(0.4, 0.3, spread=0.1))
    ran = planner("estimate", "--target-wer", "8%", "--data-price", "$90/hour", "--store", store)
    assert {"FLOP,", "GPU-hours,"} <= set(ran.out.split())


@pytest.mark.parametrize(
    ("count", "remarked"), [((), True), (("--count", "8"), False), (("--deadline", "90d"), False)]
)
def test_the_default_number_of_devices_is_remarked_on_where_training_takes_years(store, count, remarked):
    out = shown("estimate", "--law", "besiroglu2024", "--flops", "3e23", "--on", "h100", *count)
    assert ("devices is the default" in " ".join(out.split())) == remarked


@pytest.mark.parametrize(("have", "remarked"), [((), True), (("--have-data", "1200h"), False)])
def test_measured_data_is_bought_again_only_with_a_remark_that_names_the_option(store, have, remarked):
    out = shown(*ASK, "--data-price", "$90/hour", *have, "--store", store)
    assert ("add --have-data 1200h" in " ".join(out.split())) == remarked


@pytest.mark.parametrize(
    ("law", "asked", "conditional"),
    [
        (
            "besiroglu2024",
            ("--target-loss", "2.1", "--on", "h100", "--budget", "$1M", "--count", "512"),
            True,
        ),
        ("besiroglu2024", ("--target-loss", "2.1", "--confidence", "80%"), True),
        ("hestness2019-wordlm-curve", ("--target-loss", "2.6"), False),  # its samples are of other studies
    ],
)
def test_a_probability_within_the_errors_of_one_source_says_what_it_depends_on(law, asked, conditional):
    out = shown("estimate", "--law", law, *asked)
    assert (f"if law {law} holds" in " ".join(out.split())) == conditional


def test_a_plan_of_data_only_names_a_next_command_that_runs(store):
    out = shown(
        "estimate", "--domain", "asr", "--budget", "$90000", "--data-price", "$90/hour", "--store", store
    )
    assert planner(*next_words(out)).code == 0
