"""`planner verify`: a training where the law has not measured, next to its forecast."""

import json
import math

import pytest
from synthetic import filled, planner, power

from laws import paths
from laws.storage.store import Store

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a calibrated store and its cache of corpora."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("verify")
    asked = ("calibrate", "--domain", "teacher", "--preset", "smoke", *where(folder))
    assert planner(*asked).code == 0
    return folder


def where(folder):
    return ("--store", folder / "store", "--cache", folder / "cache", "--workers", "1")


def verified(folder, *words):
    ran = planner("verify", "--domain", "teacher", *words, *where(folder), "--format", "json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_a_dry_run_trains_nothing(folder):
    before = Store(folder / "store").counts()
    fields = verified(folder, "--dry-run", "--at", "3000")
    assert (fields["data"], fields["runs"]) == (3000, 1)
    assert fields["flops"] > 0
    assert Store(folder / "store").counts() == before


def test_forecast_and_measurement_are_compared_and_recorded_once(folder):
    fields = verified(folder)
    store = Store(folder / "store")
    law = store.law(fields["law"])
    assert fields["data"] == 2 * law.x_range[1]
    run = next(one for one in store.runs(domain="teacher") if one.data == fields["data"])
    assert fields["measured"] == run.metrics["error"]
    middle = math.exp(
        paths.quantile([paths.value_at(law.grid, p, math.log(fields["data"])) for p in law.paths], 0.5)
    )
    assert fields["forecast"]["median"] == pytest.approx(middle, rel=0.02)
    low, high = fields["forecast"]["q05"], fields["forecast"]["q95"]
    assert fields["inside"] == (low <= fields["measured"] <= high)
    again = verified(folder)
    assert again == fields
    (outcome,) = store.outcomes()
    forecast = store.forecast(outcome.forecast)
    assert outcome.observed == pytest.approx(
        {"error": run.metrics["error"], "data": fields["data"]}, rel=1e-5
    )
    assert forecast.created <= run.created  # it was saved before the training
    record = json.loads(planner("track-record", "--store", folder / "store", "--format", "json").out)
    assert record


def test_a_target_is_verified_where_its_median_reaches_it(folder):
    fields = verified(folder, "--target", "error=7%", "--dry-run")
    estimate = planner(
        "estimate",
        "--domain",
        "teacher",
        "--target",
        "error=7%",
        "--store",
        folder / "store",
        "--format",
        "json",
    )
    assert fields["data"] == pytest.approx(json.loads(estimate.out)["data"]["median"], rel=0.01)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--at", "100"), "already-trained"),
        (("--at", "many"), "unreadable-quantity"),
        (("--domain", "speech"), "no-law"),
        (("--data", "/nowhere"), "corpus-not-found"),
    ],
)
def test_what_cannot_be_verified_is_refused(folder, words, code):
    ran = planner("verify", "--domain", "teacher", *words, *where(folder))
    assert ran.error is not None, ran.err
    assert (ran.code, ran.error.code) == (1, code)


def test_laws_of_other_runs_are_not_trained(tmp_path):
    store = filled(
        tmp_path / "store", power(2.0, 0.3, spread=0.02, metric="error", domain="teacher", x_unit="examples")
    )
    ran = planner("verify", "--domain", "teacher", "--store", store, "--cache", tmp_path)
    assert ran.error is not None, ran.err
    assert (ran.code, ran.error.code) == (1, "no-sampled-curve")
