"""`planner backtest`: every source that `fit` reads, and laws of a store."""

import json

import pytest
from synthetic import filled, planner, power

import planner as api

CSV = "hours,wer\n" + "".join(f"{100 * 2**i},{0.3 * 2 ** (-0.25 * i) + 0.02:.4f}\n" for i in range(7))


def result_of(*words):
    ran = planner("backtest", *words, "--format", "json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)[0]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    path = tmp_path_factory.mktemp("backtest") / "runs.csv"
    path.write_text(CSV)
    return path


def test_a_table_and_the_law_that_was_fitted_to_it_give_the_same_forecasts(runs, tmp_path):
    of_table = result_of(runs)
    fitted = planner("fit", runs, "--domain", "asr", "--store", tmp_path / "store", "--format", "json")
    law = json.loads(fitted.out)[0]["law"]
    of_law = result_of(law[:8], "--store", tmp_path / "store")
    assert of_law["rows"] == of_table["rows"]
    assert [row["data"] for row in of_table["rows"]] == [3200, 6400]
    assert (of_table["kept"], of_table["left_out"], of_table["metric"]) == (5, 2, "wer")


def test_a_metric_that_rises_stays_in_its_own_terms(tmp_path):
    path = tmp_path / "acc.csv"
    path.write_text(
        "images,accuracy\n" + "".join(f"{100 * 2**i},{1 - 0.4 * 2 ** (-0.3 * i):.4f}\n" for i in range(6))
    )
    (row,) = result_of(path, "--leave-out", "1", "--form", "power")["rows"]
    low, middle, high = (row["forecast"][name] for name in ("q05", "median", "q95"))
    assert low < middle < high <= 1
    assert row["measured"] == pytest.approx(1 - 0.4 * 2**-1.5, abs=1e-4)


def test_what_cannot_be_tested_is_one_line(runs, tmp_path):
    store = filled(tmp_path / "store", power(0.4, 0.3))
    law = json.loads(planner("laws", "list", "--store", store, "--format", "json").out)[0]["id"]
    for words, code in (
        ((law, "--store", store), "no-points-of-law"),
        ((runs, "--leave-out", "6"), "too-few-sizes"),
        (("--point", "1h=9%", "--point", "2h=8%", "--metric", "wer"), "too-few-sizes"),
    ):
        assert planner("backtest", *words).refused == code


def test_the_library_does_the_same(runs):
    found = api.backtest(str(runs), x="hours", y="wer")
    columns = {
        "hours": [100 * 2**i for i in range(7)],
        "wer": [float(line.split(",")[1]) for line in CSV.split()[1:]],
    }
    assert api.backtest(columns, x="hours", y="wer").to_dict()["rows"] == found.to_dict()["rows"]
    assert found.to_dict() == result_of(runs)
    assert 0 <= found.within_90 <= 1
    assert "3,200" in repr(found)
