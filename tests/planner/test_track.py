"""Was the last plan right: estimates are kept, outcomes recorded and corrected, forecasts scored."""

import json
import math
import random
import shlex
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest
from synthetic import LADDER, passes, planner, power, size

from laws.storage.store import Store
from laws.types import Outcome, Quantity, SavedForecast
from planner.plans.tracking.track_record import ALL, MIN_OUTCOMES, Comparison, by_chance, scores

FORMATS = ("table", "json", "csv", "markdown")


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "store"
    opened = Store(folder)
    n = 100
    curve = power(0.4, 0.3, 0.01, spread=0.05, draws=n)
    for law in (curve, size(2e4, 0.6, ladder=LADDER, draws=n), passes(12, draws=n)):
        opened.add_law(law)
    opened.publish()
    return folder


def told(store, *arguments):
    ran = planner(*arguments, "--store", store, "--format", "json")
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def kept(store, *arguments):
    """Return the id of an estimate that was kept."""
    return told(store, "estimate", *arguments, "--save")["forecast"]


def added(store, forecast, *arguments):
    return told(store, "outcome", "add", forecast, *arguments)


# What is kept.

LIMITED = ("--deadline", "30d", "--on", "h100")
QUESTIONS = [
    ("--target-wer", "5%", "--on", "h100"),
    ("--target-wer", "5%", "--confidence", "80%", "--have-data", "900h"),
    ("--data", "1000h", "--metric", "wer", "--single-form"),
    ("--flops", "1e15", "--domain", "speech"),
    ("--budget", "$1", "--on", "a100", "--count", 4, "--assume", "price=2", "--assume", "utilization=0.1"),
    ("--target-wer", "8%", "--data-price", "$12/hour", *LIMITED),
]


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: " ".join(map(str, q)))
def test_a_kept_estimate_is_the_answer_with_its_draws_and_can_be_asked_again(store, question):
    answer = told(store, "estimate", *question, "--save")
    (row,) = told(store, "forecasts", "list")
    assert row["id"] == answer.pop("forecast")
    assert row["day"] == date.today().isoformat()
    for name in ("data", "error", "params", "flops"):
        assert row["quantities"][name] == answer[name]
    found = Store(store).forecast(row["id"])
    assert {len(quantity.draws) for quantity in found.quantities.values()} == {100}
    assert found.law == answer["law"]
    assert found.companions == answer["companions"]
    assert list(found.warnings) == [warning["code"] for warning in answer["warnings"]]
    assert told(store, *shlex.split(found.question)[1:]) == answer


def test_without_save_nothing_is_kept(store):
    assert "forecast" not in told(store, "estimate", "--target-wer", "5%")
    assert told(store, "forecasts", "list") == []
    assert not (store / "forecasts").exists()


def test_a_name_needs_a_saved_forecast(store):
    ran = planner("estimate", "--target-wer", "5%", "--name", "Kiosk", "--store", store)
    assert (ran.code, "--save" in ran.err) == (2, True)


def test_the_same_estimate_of_the_same_day_is_one_forecast(store):
    assert kept(store, "--target-wer", "5%") == kept(store, "--target-wer", "5%")
    assert kept(store, "--target-wer", "5%", "--name", "Kiosk") != kept(store, "--target-wer", "5%")
    assert [row["name"] for row in told(store, "forecasts", "list")].count("Kiosk") == 1
    assert len(told(store, "forecasts", "list")) == 2


def test_a_published_law_is_kept_with_its_interval(store):
    id = kept(store, "--domain", "word-lm", "--target-loss", "3.2")
    forecast = told(store, "forecasts", "show", id)
    assert 0 < forecast["quantities"]["data"]["q05"] < forecast["quantities"]["data"]["median"]
    assert 0.5 < forecast["probability"] <= 1


def test_a_review_keeps_every_product(store):
    plan = Path("docs/examples/plan.toml")
    ran = planner("review", plan, "--store", store, "--save", "--format", "json")
    assert ran.code == 0, ran.err
    products = json.loads(ran.out)["products"]
    rows = told(store, "forecasts", "list")
    assert {row["name"] for row in rows} == {product["name"] for product in products}
    assert {row["day"] for row in rows} == {json.loads(ran.out)["today"]}
    assert f"{len(rows)} forecasts saved" in ran.err


def test_a_review_saves_forecasts_only_with_save_and_each_once(store, tmp_path):
    plan, out = Path("docs/examples/plan.toml"), tmp_path / "review.md"
    for words in ((), ("--out", out), ("--out", out, "--no-save")):
        ran = planner("review", plan, "--store", store, *words)
        assert (ran.code, ran.err) == (0, "")
    assert told(store, "forecasts", "list") == []
    for _ in range(2):
        assert planner("review", plan, "--store", store, "--out", out, "--save").code == 0
    assert len(told(store, "forecasts", "list")) == 3


@pytest.mark.parametrize("style", FORMATS)
def test_every_page_comes_in_every_format(store, style):
    id = kept(store, "--target-wer", "5%", "--on", "h100", "--name", "Kiosk")
    added(store, id, "--error", "5.1%", "--data", "2000h", "--note", "in time")
    for command in (("forecasts", "list"), ("forecasts", "show", id), ("outcome", "list"), ("track-record",)):
        ran = planner(*command, "--store", store, "--format", style)
        assert ran.code == 0, ran.err
        assert ran.out.strip()
        assert ("speech" if command[0] == "track-record" else "Kiosk") in ran.out
    for empty in (("forecasts", "list"), ("outcome", "list"), ("track-record",)):
        ran = planner(*empty, "--store", store, "--domain", "nothing", "--format", style)
        assert ran.code == 0, ran.err


# What happened.


def test_an_outcome_is_held_against_what_was_said(store):
    id = kept(store, "--target-wer", "5%", "--on", "h100")
    said = told(store, "forecasts", "show", id)["quantities"]
    hours = said["gpu_hours"]["median"]
    found = {
        row["quantity"]: row
        for row in added(
            store, id, "--error", "5.05%", "--data", "2150h", "--gpu-hours", f"{hours:.6g}", "--cost", "$9"
        )
    }
    assert found["gpu_hours"]["predicted"] == said["gpu_hours"]
    assert (found["gpu_hours"]["within_50"], found["gpu_hours"]["within_90"]) == (True, True)
    assert (found["total_dollars"]["within_50"], found["total_dollars"]["within_90"]) == (False, False)
    assert found["data"]["within_50"] is True
    assert told(store, "outcome", "list") == list(found.values())


def test_the_error_is_held_against_the_law_at_the_data_that_was_used(store):
    """Whoever used less data than planned is not told that the law was wrong."""
    id = kept(store, "--target-wer", "5%")
    median = told(store, "estimate", "--data", "500h", "--metric", "wer")["error"]["median"]
    rows = added(store, id, "--error", f"{100 * median:.6g}%", "--data", "500h", "--gpu-hours", "3")
    found = {row["quantity"]: row for row in rows}
    assert found["error"]["predicted"]["median"] == pytest.approx(median, rel=1e-9)
    assert found["error"]["within_50"] is True
    assert found["data"]["predicted"] is None
    assert "wer 5% was planned" in found["data"]["reason"]
    assert found["gpu_hours"]["reason"] == "it was not forecast"


def test_what_was_asked_for_is_no_forecast(store):
    id = kept(store, "--target-wer", "5%")
    assert added(store, id, "--error", "5%")[0]["reason"] == "it was given, not forecast"
    id = kept(store, "--data", "1000h", "--metric", "wer")
    found = {row["quantity"]: row for row in added(store, id, "--data", "1000h", "--error", "6%")}
    assert found["data"]["predicted"] is None
    assert found["error"]["predicted"] is not None
    id = kept(store, "--budget", "$1", "--on", "h100")
    assert added(store, id, "--cost", "$1")[0]["reason"] == "it was given, not forecast"


def test_one_plan_for_a_confidence_forecasts_the_error(store):
    id = kept(store, "--target-wer", "5%", "--confidence", "80%")
    (row,) = added(store, id, "--error", "4.6%")
    assert row["predicted"]["q05"] < row["predicted"]["median"] < 0.05
    assert told(store, "track-record")[0]["compared"] == 1


def test_what_is_known_later_is_added(store):
    """Bits of one outcome are read together: what was missed also tells how to read what comes later."""
    id = kept(store, "--target-wer", "5%", "--on", "h100")
    assert added(store, id, "--gpu-hours", "1")[0]["predicted"] is not None
    added(store, id, "--error", "9%")
    rows = {row["quantity"]: row for row in told(store, "outcome", "list")}
    assert "wer 5% was planned, got 9%" in rows["gpu_hours"]["reason"]


def test_a_wrong_outcome_is_replaced_and_nothing_overwritten(store):
    id = kept(store, "--target-wer", "5%", "--on", "h100")
    wrong = added(store, id, "--gpu-hours", "1300", "--cost", "$4k")[0]["outcome"]
    before = (store / "outcomes" / f"{wrong}.json").read_bytes()
    refused = planner("outcome", "add", id, "--cost", "$5k", "--store", store)
    assert (refused.code, f"--replaces {wrong}" in refused.err) == (1, True)
    right = added(store, id, "--gpu-hours", "130", "--cost", "$5k", "--replaces", wrong[:8])[0]["outcome"]
    assert [row["observed"] for row in told(store, "outcome", "list")] == [130, 5000]
    assert (store / "outcomes" / f"{wrong}.json").read_bytes() == before
    again = planner("outcome", "add", id, "--took", "3d", "--replaces", wrong, "--store", store)
    assert again.refused == "already-replaced"
    assert f"--replaces {right}" in again.err
    assert added(store, id, "--replaces", right) == []  # taken back
    assert told(store, "outcome", "list") == []
    added(store, id, "--gpu-hours", "1300", "--cost", "$4k")  # it was right after all
    assert [row["observed"] for row in told(store, "outcome", "list")] == [1300, 4000]
    assert len(list((store / "outcomes").iterdir())) == 4
    assert Store(store).check() == ()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), "no-value"),
        (("--error", "500h"), "unreadable-quantity"),
        (("--error", "0%"), "not-positive"),
        (("--data", "10 GPU-hours"), "unreadable-quantity"),
        (("--data", "3 words"), "unreadable-quantity"),
        (("--gpu-hours", "30h"), "unreadable-quantity"),
        (("--cost", "5 hours"), "unreadable-quantity"),
        (("--took", "5"), "unreadable-quantity"),
        (("--took", "3d", "--date", "2999-01-01"), "date-in-future"),
        (("--took", "3d", "--date", "2001-01-01"), "date-before-forecast"),
    ],
)
def test_an_impossible_outcome_is_refused_in_one_line(store, arguments, code):
    id = kept(store, "--target-wer", "5%")
    assert planner("outcome", "add", id, *arguments, "--store", store).refused == code
    assert told(store, "outcome", "list") == []


def test_an_outcome_that_does_not_exist_cannot_be_replaced(store):
    id = kept(store, "--target-wer", "5%")
    ran = planner("outcome", "add", id, "--took", "3d", "--replaces", "zz", "--store", store)
    assert ran.refused is not None
    assert "'zz'" in ran.err


def test_two_who_record_the_same_at_once_are_not_both_believed(store):
    id = kept(store, "--target-wer", "5%")
    command = [
        *(sys.executable, "-c", "from planner.cli import main; main()"),
        *("outcome", "add", id, "--took", "3d", "--store", str(store)),
    ]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    errors = [process.communicate()[1].decode() for process in both]
    assert sorted(process.returncode for process in both) == [0, 1]
    assert any("has it already" in error for error in errors)
    assert len(told(store, "outcome", "list")) == 1


def test_an_outcome_of_another_forecast_cannot_be_replaced(store):
    one, other = kept(store, "--target-wer", "5%"), kept(store, "--target-wer", "8%")
    wrong = added(store, one, "--took", "3d")[0]["outcome"]
    ran = planner("outcome", "add", other, "--took", "4d", "--replaces", wrong, "--store", store)
    assert ran.refused == "outcome-of-other-forecast"


def test_an_unknown_forecast_says_where_they_are_listed(store):
    for command in (("forecasts", "show", "zz"), ("outcome", "add", "zz", "--took", "3d")):
        ran = planner(*command, "--store", store)
        assert (ran.code, "`planner forecasts list`" in ran.err) == (1, True)


def test_a_law_that_is_gone_leaves_its_error_unscored(store):
    id = kept(store, "--target-wer", "5%")
    law = Store(store).forecast(id).law
    (store / "laws" / f"{law}.json").unlink()
    (data, error) = added(store, id, "--data", "2000h", "--error", "5%")
    assert data["predicted"] is not None
    assert f"no law '{law}'" in error["reason"]


# How the forecasts did.


def comparison(observed, draws, *, quantity="data", domain="speech", number=0, age=30, spread=True):
    said = Quantity(draws=tuple(draws), unit="hours", spread=spread)
    made = date(2026, 1, 1)
    forecast = SavedForecast(
        id=f"f{number}", created="", day=made.isoformat(), question="", given={}, source="fitted", law="l",
        domain=domain, family="", metric="wer", metric_unit="fraction", quantities={quantity: said},
    )  # fmt: skip
    outcome = Outcome(
        id=f"o{number}", created="", forecast=forecast.id, observed={quantity: observed},
        day=(made + timedelta(days=age)).isoformat(),
    )  # fmt: skip
    return Comparison(
        forecast=forecast, outcome=outcome, quantity=quantity, observed=observed, predicted=said
    )


def test_scores_are_those_of_the_definitions():
    draws = [float(i) for i in range(1, 101)]  # 5%, 50%, 95%: 5, 50, 95
    found = scores(
        [
            comparison(50.0, draws, number=0),
            comparison(190.0, draws, number=1),
            comparison(2.5, draws, number=2),
            comparison(80.0, draws, number=3),
        ]
    )
    assert [score.quantity for score in found] == [ALL, "data"]
    score = found[1]
    assert (score.outcomes, score.compared, score.intervals, score.open, score.few) == (4, 4, 4, 0, True)
    assert (score.within_50, score.within_90) == (0.25, 0.5)
    assert score.bias == pytest.approx((math.log(1.0) + math.log(1.6)) / 2)
    width = math.log(95 / 5)
    # one interval is missed by a factor of two above, one by a factor of two below
    assert score.interval_score == pytest.approx(width + 20 * 2 * math.log(2) / 4)


def test_domains_and_ages_are_kept_apart():
    found = scores(
        [
            comparison(1.0, [1.0, 2.0], number=i, domain=domain, age=age)
            for i, (domain, age) in enumerate(
                [("speech", 90), ("speech", 91), ("speech", 365), ("speech", 366), ("lm", 0)]
            )
        ]
    )
    alone = {(s.domain, s.age): s.outcomes for s in found if s.quantity == ALL}
    assert alone == {
        ("lm", "up to 90 days"): 1,
        ("speech", "up to 90 days"): 1,
        ("speech", "up to a year"): 2,
        ("speech", "more than a year"): 1,
    }


def test_quantities_of_one_outcome_are_one_outcome():
    found = scores([comparison(1.0, [1.0, 2.0]), comparison(1.0, [1.0, 2.0], quantity="params")])
    assert [(s.quantity, s.outcomes, s.compared) for s in found] == [
        (ALL, 1, 2), ("data", 1, 1), ("params", 1, 1),
    ]  # fmt: skip
    assert [s.chance_90 for s in found] == [by_chance(1)] * 3


def test_chance_goes_by_the_outcomes_of_each_group_that_have_an_interval():
    many = [comparison(1.0, [1.0, 2.0], number=i) for i in range(20)]
    few = [comparison(1.0, [1.0, 2.0], number=100 + i, domain="lm") for i in range(3)]
    bare = [comparison(1.0, [1.0], number=200 + i, domain="lm", spread=False) for i in range(9)]
    found = {s.domain: s.chance_90 for s in scores([*many, *few, *bare]) if s.quantity == ALL}
    assert found == {"speech": by_chance(20), "lm": by_chance(3)}
    assert scores(bare)[0].chance_90 is None


def test_what_has_no_interval_counts_for_the_bias_alone():
    (score, _) = scores([comparison(3.0, [1.0], spread=False)])
    assert (score.bias, score.intervals) == (pytest.approx(math.log(3)), 0)
    assert (score.within_50, score.within_90, score.interval_score) == (None, None, None)


def test_an_interval_that_is_open_at_the_top_has_no_score_and_is_counted():
    draws = [1.0] * 9 + [math.inf]
    (score, _) = scores([comparison(3.0, draws), comparison(1.0, [1.0, math.e], number=1)])
    assert (score.open, score.within_90) == (1, 1.0)
    assert score.interval_score == pytest.approx(1.0)


@pytest.mark.parametrize(("scale", "right"), [(1.0, True), (0.5, False), (2.0, False)])
def test_coverage_tells_a_right_forecaster_from_one_too_sure_or_too_timid(scale, right):
    rng = random.Random(7)
    found = []
    for number in range(300):
        middle = rng.gauss(0, 3)  # what differs between forecasts, and is known
        draws = [math.exp(middle + scale * rng.gauss(0, 1)) for _ in range(400)]
        found.append(comparison(math.exp(middle + rng.gauss(0, 1)), draws, number=number))
    (score, _) = scores(found)
    assert not score.few
    for share, inside in ((0.5, score.within_50), (0.9, score.within_90)):
        low, high = by_chance(300, share)
        assert (low <= inside <= high) is right
    assert abs(score.bias) < 0.2


def test_chance_is_the_binomial():
    assert by_chance(10) == (0.7, 1.0)
    assert by_chance(100) == (0.84, 0.95)  # R: qbinom(c(.025, .975), 100, .9)
    assert by_chance(1) == (0.0, 1.0)


def test_too_few_is_said(store):
    id = kept(store, "--target-wer", "5%", "--on", "h100")
    added(store, id, "--gpu-hours", "1")
    ran = planner("track-record", "--store", store)
    assert f"Too few to judge by (fewer than {MIN_OUTCOMES} outcomes): speech up to 90 days" in " ".join(
        ran.out.split()
    )
    assert told(store, "track-record")[0]["few"] is True
