"""`planner estimate` end to end: a real store, the real command line, every format and every bad question."""

import csv
import io
import json
import math
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from synthetic import bare, passes, planner, power, size, surface

from laws.storage.store import Store

KEYS = {
    "law", "source", "domain", "family", "form", "metric", "metric_unit", "target", "data", "params", "flops",
    "probability_reachable", "limit", "beyond", "companions", "assumptions", "warnings", "alternatives",
    "given", "error", "epochs", "part", "count", "precision", "gpu_hours", "days", "dollars", "energy",
    "carbon", "utilization", "memory", "devices", "data_dollars", "total_dollars", "serving_flops",
    "serving_dollars",
    "feasible", "uncertainty", "other_laws",
    "probability", "limits", "binding", "confidence", "error_at_confidence", "have_data", "sensitivity",
    "bytes_moved", "step_seconds", "assumed", "forms", "probability_within", "assumption_codes",
    "higher_is_better", "metric_ceiling", "score", "score_at_confidence",
    "labeling_days", "total_days", "start", "labeled", "finish", "devices_for_deadline", "expected_cost",
    "missing", "families",
    "at_confidence", "power_law", "training_settings",
}  # fmt: skip


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory):
    """A store with a calibrated law of WER, its companions, and a fitted surface."""
    folder = tmp_path_factory.mktemp("store")
    store = Store(folder)
    for law in (
        power(0.4, 0.3, 0.03, spread=0.1, draws=1000),
        power(0.5, 0.25, 0.0, spread=0.1, draws=100, domain="my-asr", family="", source="fitted"),
        size(2e4, 0.6, spread=0.1, draws=1000),
        passes(12, draws=1000),
        surface(1.69, 406, 0.34, 410, 0.28, spread=0.01),
    ):
        store.add_law(law)
    assert store.publish() == ()
    return folder


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    return bare(tmp_path_factory.mktemp("empty") / "store")


def asked(store, *arguments):
    ran = planner("estimate", "--store", store, "--format", "json", *arguments)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


@pytest.mark.parametrize("target", ["5%", "5 %", "0.05", ".05", "5.0%"])
def test_a_target_is_read_as_people_write_it(calibrated, target):
    assert asked(calibrated, "--target-wer", target) == asked(calibrated, "--target", "wer=5%")


def test_json_keeps_its_contract(calibrated):
    found = asked(calibrated, "--target-wer", "5%")
    assert set(found) == KEYS
    for name, unit in (("data", "hours"), ("params", "parameters"), ("flops", "FLOP")):
        assert set(found[name]) == {"q05", "median", "q95", "unit"}
        assert found[name]["unit"] == unit
        assert 0 < found[name]["q05"] < found[name]["median"] < found[name]["q95"]
    assert found["source"] == "calibrated"
    assert found["beyond"]["factor"]["median"] == pytest.approx(found["data"]["median"] / 8)
    assert found["beyond"]["decades"] == pytest.approx(math.log10(found["data"]["median"] / 8))
    assert found["companions"].keys() == {"params", "samples"}
    assert all(set(warning) == {"code", "sentence"} for warning in found["warnings"])


def test_the_page_names_every_key_of_the_record():
    page = (Path(__file__).parent.parent.parent / "docs" / "reference" / "estimate.md").read_text(
        encoding="utf-8"
    )
    table = page.split("| key | value |")[1].split("\n\n")[0]
    named = {key for row in table.splitlines()[2:] for key in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == KEYS


def test_infinity_is_null_and_the_probability_says_why(calibrated):
    found = asked(calibrated, "--target-wer", "3%")
    assert found["data"]["q05"] is not None
    assert found["data"]["median"] is None
    assert found["data"]["q95"] is None
    assert 0 < found["probability_reachable"] < 0.5
    assert "floor-uncertain" in [warning["code"] for warning in found["warnings"]]
    assert found["limit"]["q05"] < 0.03 < found["limit"]["median"] < found["limit"]["q95"]
    assert found["limit"]["unit"] == "fraction"
    table = planner("estimate", "--store", calibrated, "--target-wer", "3%", "--explain").out
    words = " ".join(table.split())
    assert "Estimated irreducible wer: " in words
    assert "If the target can be reached, it needs " in words
    within = planner("estimate", "--store", calibrated, "--target-wer", "10%", "--explain").out
    assert "If the target can be reached, it needs" not in within  # the table has the numbers


def test_csv_is_one_row_with_the_values_of_json(calibrated):
    ran = planner("estimate", "--store", calibrated, "--format", "csv", "--target-wer", "5%")
    (row,) = csv.DictReader(io.StringIO(ran.out))
    found = asked(calibrated, "--target-wer", "5%")
    assert float(row["data.median"]) == found["data"]["median"]
    assert row["warnings"].split("; ") == [warning["code"] for warning in found["warnings"]]


@pytest.mark.parametrize("style", ["table", "markdown"])
@pytest.mark.parametrize("target", ["5%", "3%"])
def test_tables_fit_80_columns_and_carry_every_warning_and_assumption(calibrated, style, target, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    ran = planner("estimate", "--store", calibrated, "--format", style, "--target-wer", target, "--explain")
    assert ran.code == 0
    if style == "table":
        assert max(map(len, ran.out.splitlines())) <= 80
    words = " ".join(ran.out.split())
    found = asked(calibrated, "--target-wer", target)
    for sentence in [*found["assumptions"], *(f"[{w['code']}]" for w in found["warnings"])]:
        assert " ".join(sentence.split()) in words
    assert "hours of audio" in words


def test_a_calibrated_law_answers_before_a_fitted_one_and_the_other_is_named(calibrated):
    found = asked(calibrated, "--target-wer", "5%")
    assert found["domain"] == "speech"
    assert "domain-chosen" in [warning["code"] for warning in found["warnings"]]
    (other,) = found["alternatives"]
    assert other["domain"] == "my-asr"
    again = asked(calibrated, "--law", other["id"], "--target", "5%")
    assert again["law"] == other["id"]
    named = asked(calibrated, "--target-wer", "5%", "--domain", "my-asr")
    assert named["law"] == other["id"]
    assert "domain-chosen" not in [warning["code"] for warning in named["warnings"]]


def test_the_first_characters_of_an_id_name_a_law(calibrated):
    law = asked(calibrated, "--target-wer", "5%")["law"]
    assert asked(calibrated, "--law", law[:8], "--target", "5%")["law"] == law
    assert asked(calibrated, "--law", law[:8], "--target", "wer=5%")["law"] == law


def test_a_stored_surface_gives_the_compute_optimal_pair(calibrated):
    found = asked(calibrated, "--target-loss", "2.2")
    assert found["form"] == "surface"
    middle = {name: found[name]["median"] for name in ("data", "params", "flops")}
    assert middle["flops"] == pytest.approx(6 * middle["params"] * middle["data"], rel=0.2)


def test_an_empty_store_answers_from_a_published_law_with_the_interval_of_other_studies(empty):
    found = asked(empty, "--domain", "word-lm", "--target-loss", "2.48")
    assert found["source"] == "published"
    assert found["law"] == "hestness2019-wordlm-curve"
    # PPoPP 2019, Table 1: 100 x the data, 23 x the model; 103.8 x from the printed constants
    assert found["data"]["median"] / 7.68e8 == pytest.approx(103.8, rel=0.001)
    for name in ("data", "params", "flops"):
        assert 0 < found[name]["q05"] < found[name]["median"]
        assert found[name]["q95"] is None  # more than 5% of studies would never get there
    assert 0.5 < found["probability_reachable"] < 0.95
    assert "between-studies" in [warning["code"] for warning in found["warnings"]]


def test_a_published_surface_is_answered_in_closed_form(empty):
    found = asked(empty, "--law", "hoffmann2022-approach3-tex", "--target", "2")
    N, D = found["params"]["median"], found["data"]["median"]
    loss = 1.69337368 + 406.401018 / N**0.33917084 + 410.722827 / D**0.2849083
    assert loss == pytest.approx(2, rel=1e-6)
    assert found["flops"]["median"] == pytest.approx(6 * N * D)


def test_a_stored_law_answers_before_a_published_one(calibrated):
    assert asked(calibrated, "--target-loss", "2.2")["source"] == "fitted"
    assert asked(calibrated, "--target-loss", "2.48", "--domain", "word-lm")["source"] == "published"


UNANSWERABLE = [
    (["--target-wer", "5%", "--target-cer", "2%"], "several-targets"),
    (["--target-wer", "5%", "--target", "cer=2%"], "several-targets"),
    (["--target-wer", "5%", "--metric", "cer"], "target-of-other-metric"),
    (["--target", "wer=5%", "--metric", "cer"], "target-of-other-metric"),
    (["--target", "5%"], "target-without-metric"),
    (["--target-wer", "0"], "impossible-target"),
    (["--target-wer", "0%"], "impossible-target"),
    (["--target-wer", "-5%"], "impossible-target"),
    (["--target-wer", "5"], "impossible-target"),
    (["--target-wer", "100%"], "impossible-target"),
    (["--target-wer", "five"], "unreadable-quantity"),
    (["--target-wer", "1,500"], "unreadable-quantity"),  # 1500 or 1.5
    (["--target-wer", "nan"], "unreadable-quantity"),
    (["--target-wer", ""], "unreadable-quantity"),
    (["--target-wer", "80%"], "target-already-reached"),
    (["--target-loss", "5%"], "unreadable-quantity"),
    (["--target-loss", "1.2"], "target-below-floor"),
    (["--target", "werr=5%"], "unknown-metric"),
    (["--target", "params=5"], "unknown-metric"),
    (["--target-wer", "5%", "--domain", "spech"], "unknown-domain"),
    (["--target-wer", "5%", "--domain", "word-lm"], "unknown-metric"),
    (["--target-wer", "5%", "--family", "ds3"], "unknown-family"),
    (["--target", "error=5%", "--domain", "teacher"], "no-law-of-metric"),
    (["--law", "zzz", "--target", "5%"], "law-not-found"),
    (["--law", "", "--target", "5%"], "law-not-found"),
    (["--law", "besiroglu2025", "--target", "2"], "law-not-found"),
    (["--law", "besiroglu2024", "--target", "1.5"], "target-below-floor"),
    (["--law", "besiroglu2024", "--target", "wer=5%"], "law-of-other-metric"),
    (["--law", "kaplan2020-LN", "--target", "2"], "law-of-no-error"),
    (["--law", "hestness2017-speech-ds2", "--target", "60%"], "target-already-reached"),
]


@pytest.mark.parametrize(
    ("arguments", "code"), UNANSWERABLE, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_a_question_that_cannot_be_answered_is_one_line_and_exit_1(calibrated, arguments, code):
    ran = planner("estimate", "--store", calibrated, *arguments)
    assert ran.refused == code
    assert ran.err.startswith("planner: ")


def test_an_empty_store_says_what_to_measure(empty):
    ran = planner("estimate", "--store", empty, "--target-wer", "5%")
    assert ran.code == 1
    assert "planner calibrate --domain speech" in ran.err


def test_published_laws_of_several_domains_are_not_chosen_between(empty):
    ran = planner("estimate", "--store", empty, "--target-loss", "2.2")
    assert ran.refused == "missing-domain"
    assert "word-lm" in ran.err


def test_a_forecast_that_a_later_form_hides_is_named(tmp_path):
    store = Store(tmp_path)
    told = power(0.4, 0.3, form="forecast", created="2026-01-01T00:00:00Z")
    for law in (told, power(0.5, 0.3, form="power", created="2026-01-02T00:00:00Z")):
        store.add_law(law)
    store.publish()
    found = asked(tmp_path, "--target-wer", "5%")
    assert found["form"] == "power", "the newest answers"
    assert [other["id"] for other in found["alternatives"]] == [told.id]
    assert asked(tmp_path, "--target-wer", "5%", "--form", "forecast")["law"] == told.id
    table = " ".join(planner("estimate", "--store", tmp_path, "--target-wer", "5%", "--explain").out.split())
    assert f"calibrated forecast, speech, ds2: planner estimate --law {told.id}" in table
    assert asked(tmp_path, "--target-wer", "5%", "--single-form")["alternatives"] == []


@pytest.mark.parametrize(
    ("option", "other", "of"),
    [("--domain", "lm", "speech"), ("--family", "attention", "ds2"), ("--source", "fitted", "calibrated")],
)
def test_a_law_that_is_named_is_of_what_else_is_named(calibrated, option, other, of):
    law = asked(calibrated, "--target-wer", "5%")["law"]
    assert asked(calibrated, "--law", law, "--target", "5%", option, of)["law"] == law
    ran = planner("estimate", "--store", calibrated, "--law", law, "--target", "5%", option, other)
    assert ran.refused == f"law-of-other-{option.removeprefix('--')}"
    assert f"Leave out --law or {option}." in ran.err


def test_a_law_without_companions_still_answers_with_its_data(tmp_path):
    store = Store(tmp_path)
    store.add_law(power(0.4, 0.3, spread=0.05))
    store.publish()
    found = asked(tmp_path, "--target-wer", "5%")
    assert found["data"]["median"] > 0
    assert found["params"] == {"q05": None, "median": None, "q95": None, "unit": "parameters"}
    assert {"no-size-law", "no-compute"} <= {warning["code"] for warning in found["warnings"]}


@pytest.mark.parametrize("clock", ["2026-02-01T00:00:00Z", "2025-12-01T00:00:00Z"])
def test_the_law_that_was_stored_last_answers_whatever_the_clock_says(tmp_path, clock):
    store = Store(tmp_path)
    first = power(0.4, 0.3, created="2026-01-01T00:00:00Z")
    last = power(0.5, 0.3, created=clock)
    for law in (first, last):
        store.add_law(law)
    store.publish()
    assert asked(tmp_path, "--target-wer", "5%")["law"] == last.id


words = st.one_of(
    st.text(max_size=12).filter(lambda t: not t.startswith("-") and "\0" not in t),
    st.from_regex(r"-?[0-9]{0,3}[.,]?[0-9]{0,3}(e-?[0-9]{1,3})? ?[%kMhd]?", fullmatch=True),
    st.floats().map(str),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    option=st.sampled_from(["--target-wer", "--target-cer", "--target-loss", "--target"]),
    value=words,
    metric=st.sampled_from(["", "wer=", "loss=", "=", "cer=", "x="]),
    rest=st.lists(st.tuples(st.sampled_from(["--domain", "--family", "--law"]), words), max_size=2),
)
@example(option="--target", value="5%", metric="wer=", rest=[])
@example(option="--target-wer", value="1%", metric="", rest=[("--domain", "\x1e\x1b[31m")])
@example(option="--target-wer", value="1%", metric="", rest=[("--domain", "a\nb")])
@example(option="--target-wer", value="\udc80", metric="", rest=[])
def test_no_input_gives_a_traceback(calibrated, option, value, metric, rest):
    given_value = metric + value if option == "--target" else value
    arguments = [f"{option}={given_value}", *(f"{name}={text}" for name, text in rest)]
    ran = planner("estimate", "--store", calibrated, "--format", "json", *arguments)
    if ran.code == 0:
        assert json.loads(ran.out)["data"]["unit"]
    elif ran.code == 1:
        assert ran.err.startswith("planner: ")
        assert len(ran.err.splitlines()) == 1
    else:
        assert ran.code == 2
        assert "Error: " in ran.err
