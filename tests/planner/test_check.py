"""Runs held against their law: surprise is uniform for runs on the curve, and the cause is told apart."""

import json
from dataclasses import replace

import numpy as np
import pytest
from synthetic import bare, passes, planner, power, size

from laws.fitting.noise import DEFAULT_DEGREES
from laws.storage.records import content_id
from laws.storage.store import Store

ALPHA, BETA, SCALE = 0.9, 0.3, 0.03


def noisy(law, scale=SCALE):
    law = replace(law, parameters=law.parameters | {"scale": (scale,) * 200})
    return replace(law, id=content_id(law))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("check"))
    for law in (noisy(power(ALPHA, BETA)), size(1000.0, 0.5, spread=0.1), passes(5.0)):
        store.add_law(law)
    store.publish()
    return store.folder


def checked(folder, tmp_path, columns, rows, *arguments):
    path = tmp_path / "runs.csv"
    path.write_text("\n".join([columns, *(",".join(map(str, row)) for row in rows)]) + "\n", encoding="utf-8")
    ran = planner("check", path, "--domain", "speech", "--store", folder, "--format", "json", *arguments)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_runs_on_the_curve_are_as_surprising_as_chance_says(folder, tmp_path):
    # 500 runs from the law itself: each share within 4 standard errors of its level, one alarm in 5,000
    rng = np.random.default_rng(0)
    hours = np.exp(rng.uniform(0, 5, 500))
    wer = ALPHA * hours**-BETA * np.exp(SCALE * rng.standard_t(DEFAULT_DEGREES, 500))
    found = checked(folder, tmp_path, "hours,wer", zip(hours, wer, strict=True))
    surprise = np.array([run["surprise"] for run in found])
    for level in (0.01, 0.1, 0.5):
        assert abs((surprise < level).mean() - level) < 4 * np.sqrt(level * (1 - level) / 500)
    inside = [run["expected"]["q05"] < run["value"] < run["expected"]["q95"] for run in found]
    assert abs(np.mean(inside) - 0.9) < 4 * np.sqrt(0.09 / 500)


@pytest.mark.parametrize(
    ("lack", "likely"),
    [
        ((1e3, 600, 0.29), "capacity"),  # the law wants 10,000 parameters for 100 hours
        ((1e5, 100, 0.29), "optimization"),  # and 500 hours seen
        ((1e5, 600, 0.05), "data"),
        ((1e5, 600, 0.2), "data"),
        ((1e3, 600, 0.01), "data"),  # whatever its size, it has fitted what it was trained on
    ],
)
def test_the_cause_is_what_the_run_lacks(folder, tmp_path, lack, likely):
    wer = 1.3 * ALPHA * 100**-BETA
    columns = "hours,wer,params,samples,train_wer"
    (run,) = checked(folder, tmp_path, columns, [(100, wer, *lack)])
    assert run["verdict"] == "off"
    assert run["factor"] == pytest.approx(1.3, rel=0.02)
    assert run["likely"] == likely
    assert run["unknown"] == []
    assert sum(run["causes"].values()) == pytest.approx(1)


def test_without_columns_the_cause_is_open_and_the_missing_ones_are_named(folder, tmp_path):
    (run,) = checked(folder, tmp_path, "hours,wer", [(100, 1.3 * ALPHA * 100**-BETA)])
    assert run["likely"] is None
    assert run["unknown"] == ["params", "samples", "train_wer"]


def test_a_run_better_than_its_curve_was_judged_on_other_data(folder, tmp_path):
    (run,) = checked(folder, tmp_path, "hours,wer", [(100, 0.7 * ALPHA * 100**-BETA)])
    assert run["likely"] == "data"


def test_runs_on_their_curve_take_a_line_each_on_a_narrow_screen(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    path = tmp_path / "runs.csv"
    rows = [f"{data},{ALPHA * data**-BETA}" for data in (20, 50, 100)]
    path.write_text("\n".join(["hours,wer", *rows]), encoding="utf-8")
    ran = planner("check", path, "--domain", "speech", "--metric", "wer", "--store", folder)
    assert "likely cause" not in ran.out
    lines = ran.out.splitlines()
    below = lines[next(i for i, line in enumerate(lines) if "──" in line) + 1 :]
    assert ["on its curve" in line for line in below[:4]] == [True, True, True, False]
    assert not below[3].strip()


@pytest.mark.parametrize("style", ["table", "csv", "markdown"])
def test_every_format_says_the_verdict(folder, tmp_path, style):
    path = tmp_path / "runs.csv"
    path.write_text("hours,wer\n100,0.5\n10,0.45\n", encoding="utf-8")
    ran = planner("check", path, "--store", folder, "--format", style)
    assert ran.code == 0
    assert "on its curve" in ran.out and "off" in ran.out


def test_a_published_law_cannot_judge_a_run(tmp_path):
    path = tmp_path / "runs.csv"
    path.write_text("words,loss\n1e9,3\n", encoding="utf-8")
    store = bare(tmp_path / "store")
    for words, said in (
        (("--domain", "word-lm"), "planner calibrate --domain word-lm"),
        (("--law", "hestness2017-wordlm"), "no sampled curve"),
    ):
        ran = planner("check", path, *words, "--store", store)
        assert (ran.code, ran.err.count("\n")) == (1, 1)
        assert said in ran.err


@pytest.mark.parametrize(
    ("row", "cell"),
    [
        ("-5,0.3", "row 2, column 'hours'"),
        ("100,0", "row 2, column 'wer'"),
        ("100,35", "row 2, column 'wer'"),
    ],
)
def test_a_row_that_no_training_has_is_refused_with_its_cell(folder, tmp_path, row, cell):
    path = tmp_path / "runs.csv"
    path.write_text(f"hours,wer\n{row}\n", encoding="utf-8")
    ran = planner("check", path, "--store", folder)
    assert ran.refused is not None
    assert cell in ran.err


def test_a_file_of_another_domain_is_told_which_law_was_asked(tmp_path):
    store = Store(tmp_path / "two")
    for domain in ("speech", "other"):
        store.add_law(noisy(power(ALPHA, BETA, domain=domain)))
    store.publish()
    path = tmp_path / "runs.csv"
    path.write_text("images,error\n100,0.3\n", encoding="utf-8")
    ran = planner("check", path, "--store", store.folder)
    assert ran.refused is not None
    assert "Use --domain to name another domain than " in ran.err
