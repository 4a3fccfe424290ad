"""Families side by side: what was simulated comes back, in every format, and what is missing is said."""

import json
from dataclasses import replace

import numpy as np
import pytest
from synthetic import planner, power

from calibrate.domains import DOMAINS
from laws.storage.records import content_id
from laws.storage.store import Store

LAWS = {"lstm": (0.9, 0.25), "rhn": (0.7, 0.25), "cnn": (0.6, 0.12)}  # family -> alpha, beta
HOURS = np.geomspace(1, 256, 9)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("families")
    rng = np.random.default_rng(0)
    for family, (alpha, beta) in LAWS.items():
        path = folder / f"{family}.csv"
        rows = [f"{x},{alpha * x**-beta * np.exp(0.01 * rng.standard_normal())}" for x in HOURS]
        path.write_text("\n".join(["hours,wer", *rows]) + "\n", encoding="utf-8")
        domains = ["all"] if family == "cnn" else ["all", "alike"]
        for domain in domains:
            ran = planner(
                "fit", path, "--domain", domain, "--metric", "wer", "--data-unit", "hours",
                "--family", family, "--form", "power", "--store", folder / "store",
            )  # fmt: skip
            assert ran.code == 0, ran.err
    return folder / "store"


def compared(folder, *arguments):
    ran = planner("compare", "--store", folder, "--format", "json", *arguments)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_families_with_one_exponent_are_told_from_families_with_two(folder):
    alike, apart = compared(folder, "--domain", "alike"), compared(folder, "--domain", "all")
    assert alike["probability_same_exponent"] > 0.7
    assert alike["shared_exponent"]["q05"] < 0.25 < alike["shared_exponent"]["q95"]
    assert apart["probability_same_exponent"] < 0.01
    assert apart["largest_over_smallest"]["median"] == pytest.approx(0.25 / 0.12, rel=0.1)


def test_the_best_family_depends_on_the_scale(folder):
    # the lines of cnn and rhn cross where 0.6 x^-0.12 = 0.7 x^-0.25, at 3.3 hours
    found = compared(folder, "--domain", "all", "--at", "1h", "--at", "1000h")
    by_family = {each["family"]: each for each in found["families"]}
    assert found["families"][0]["family"] == "cnn"  # the best at the first scale comes first
    assert by_family["cnn"]["at"]["1"]["probability_best"] > 0.99
    assert by_family["rhn"]["at"]["1000"]["probability_best"] > 0.99
    for family, (alpha, beta) in LAWS.items():
        error = by_family[family]["at"]["1000"]["error"]
        assert error["q05"] < alpha * 1000**-beta < error["q95"]
    assert "corpora-differ" in [warning["code"] for warning in found["warnings"]]


def test_hearing_the_others_narrows(folder):
    for each in compared(folder, "--domain", "alike")["families"]:
        alone, heard = (each[name]["q95"] - each[name]["q05"] for name in ("exponent", "pooled_exponent"))
        assert heard < alone


@pytest.mark.parametrize("style", ["table", "csv", "markdown"])
def test_every_format_names_every_family(folder, style):
    ran = planner("compare", "--domain", "all", "--store", folder, "--format", style)
    assert ran.code == 0
    assert all(family in ran.out for family in LAWS)


@pytest.mark.parametrize("columns", ["80", "110"])
def test_six_families_keep_their_names_whole(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", columns)
    ran = planner("compare", "--source", "shipped", "--domain", "char-lm")
    assert ran.code == 0
    found = json.loads(
        planner("compare", "--source", "shipped", "--domain", "char-lm", "--format", "json").out
    )
    names = [each["family"] for each in found["families"]]
    assert len(names) == 6
    assert all(f" {name} " in ran.out for name in names)


def test_one_family_is_not_compared(folder):
    ran = planner("compare", "--domain", "none", "--store", folder)
    assert ran.refused == "too-few-families"


@pytest.mark.parametrize(("domain", "ships"), [("speech", True), ("teacher", False)])
def test_where_nothing_was_measured_the_families_that_ship_are_named_where_there_are_two(
    folder, domain, ships
):
    ran = planner("compare", "--domain", domain, "--store", folder)
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert ("--source shipped" in ran.err) is ships


def test_a_domain_that_only_files_can_bring_is_not_to_be_calibrated(folder):
    ran = planner("compare", "--domain", "none", "--store", folder)
    assert "planner fit RUNS.csv --domain none --family NAME" in ran.err
    assert "planner calibrate" not in ran.err


def test_a_mistyped_domain_is_told_the_nearest(folder):
    ran = planner("compare", "--domain", "alikee", "--store", folder)
    assert ran.code == 1
    assert "did you mean 'alike'?" in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("data", ["-1h", "0h", "nan", "3 tokens"])
def test_a_scale_that_no_data_has_is_one_line(folder, data):
    ran = planner("compare", "--domain", "alike", "--store", folder, "--at", data)
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert data in ran.err


def test_a_mistyped_metric_is_told_the_nearest(folder):
    ran = planner("compare", "--domain", "alike", "--store", folder, "--metric", "were")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "did you mean 'wer'?" in ran.err


@pytest.fixture
def of_speech(tmp_path):
    """Two families of speech with laws of both metrics, as a calibration stores them, the loss last."""
    store = Store(tmp_path)
    definitions = DOMAINS["speech"].definitions
    for second, (metric, unit) in enumerate((("wer", "fraction"), ("loss", "nats/character"))):
        for family, level in (("attention", 0.9), ("ds2", 0.8)):
            made = power(
                level, 0.3, spread=0.02, metric=metric, metric_unit=unit, family=family, form="power",
                created=f"2026-01-01T00:00:0{second}Z",
            )  # fmt: skip
            told = replace(made, definitions=dict(definitions))
            store.add_law(replace(told, id=content_id(told)))
    store.publish()
    return tmp_path


def test_losses_of_another_meaning_are_not_ranked(of_speech):
    found = compared(of_speech, "--domain", "speech", "--metric", "loss")
    assert [each["family"] for each in found["families"]] == ["attention", "ds2"]
    assert "metric-differs" in [warning["code"] for warning in found["warnings"]]
    assert {at["probability_best"] for each in found["families"] for at in each["at"].values()} == {None}
    assert 0 < found["probability_same_exponent"] < 1
    ran = planner("compare", "--store", of_speech, "--domain", "speech", "--metric", "loss")
    assert "best" not in ran.out
    assert "[metric-differs]" in ran.out


def test_without_a_name_the_metric_that_decides_is_compared(of_speech):
    found = compared(of_speech, "--domain", "speech")
    assert found["metric"] == "wer"
    assert found["families"][0]["family"] == "ds2"
    assert "metric-differs" not in [warning["code"] for warning in found["warnings"]]


def test_published_laws_of_one_question_are_side_by_side():
    compared = json.loads(
        planner("compare", "--source", "published", "--domain", "language", "--format", "json").out
    )
    assert (compared["metric"], compared["metric_unit"], compared["unit"]) == ("loss", "nats/token", "tokens")
    rows = {row["id"]: row for row in compared["laws"]}
    assert {"besiroglu2024", "kaplan2020-LD", "muennighoff2023"} <= rows.keys()
    for row in rows.values():
        for errors in row["at"].values():
            assert errors["q05"] < errors["median"] < errors["q95"]
    assert rows["besiroglu2024"]["uncertainty"] == "standard-errors"
    assert "besiroglu2024" in rows["kaplan2020-LD"]["outside"]
    assert "studies-disagree" in {warning["code"] for warning in compared["warnings"]}


def test_published_laws_of_other_units_are_another_question():
    compared = json.loads(
        planner(
            "compare", "--source", "published", "--domain", "speech", "--at", "10000h", "--format", "json"
        ).out
    )
    assert {row["id"] for row in compared["laws"]} == {
        "hestness2017-speech-ds2",
        "hestness2017-speech-attention",
    }
    assert {row["unit"] for row in compared["other_questions"]} == {"characters"}
    assert list(compared["laws"][0]["at"]) == ["10000"]


@pytest.mark.parametrize("words", [("image",), ("nowhere",), ("translation", "--metric", "bleu")])
def test_one_published_law_is_not_compared(words):
    refused = planner("compare", "--source", "published", "--domain", *words).refused
    assert refused == "too-few-published-laws"
