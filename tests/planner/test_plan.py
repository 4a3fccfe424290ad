"""Any question from either end, on a real store: round trips, limits, every bad question."""

import csv
import io
import json
import math
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
import synthetic
from synthetic import LADDER, passes, planner, power, size, surface

from laws.storage.records import content_id
from laws.storage.store import Store
from laws.types import Run
from planner.hardware.fleet import read_fleet
from planner.lawmodel.assumptions import AssumptionCode
from planner.lawmodel.selector import LawSelector
from planner.plans.plan import plan
from planner.plans.quantities import quantities
from planner.plans.question import Question
from planner.reports.estimate_record import extrapolation

TODAY = date(2026, 11, 23)
FLEET = read_fleet(None)
WER, LOSS = LawSelector(metric="wer"), LawSelector(metric="loss", domain="lm")
DRAWS = 400


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A store with a calibrated law of WER, its companions, and a fitted surface."""
    where = tmp_path_factory.mktemp("store")
    store = Store(where)
    for law in (
        power(0.4, 0.3, 0.02, spread=0.1, draws=DRAWS),
        size(2e4, 0.6, spread=0.1, draws=DRAWS),
        passes(12, draws=DRAWS),
        surface(1.69, 406, 0.34, 410, 0.28, spread=0.01, draws=DRAWS),
    ):
        store.add_law(law)
    store.publish()
    return where


def ask(folder, **question):
    return plan(Question.of(**question), folder, FLEET, today=TODAY)


def assumption_codes(found):
    return [assumption.code for assumption in found.estimate.law_model.assumptions]


def middle(found, name):
    return quantities(found)[name].interval().median


def asked(folder, *arguments, command="estimate"):
    ran = planner(command, "--store", folder, "--format", "json", *arguments)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


@pytest.mark.parametrize(("choice", "target"), [(WER, "8%"), (LOSS, "2.2")])
@pytest.mark.parametrize("end", ["data", "params", "flops"])
def test_a_question_from_the_other_end_leads_back(folder, choice, target, end):
    there = ask(folder, selector=choice, target=target)
    back = ask(folder, selector=choice, **{end: f"{middle(there, end)!r}"})
    assert back.given == end
    given = quantities(back)[end].draws
    assert len(given) == DRAWS
    assert given == pytest.approx([middle(there, end)] * DRAWS)
    if end == "data":
        assert len(set(given)) == 1, "the amount that is given is the scale itself"
    assert middle(back, "error") == pytest.approx(
        float(target.rstrip("%")) / (100 if "%" in target else 1), rel=0.02
    )


def test_each_draw_leads_back_to_its_own_target(folder):
    there = ask(folder, selector=LOSS, target="2.2")
    flops = there.estimate.flops.draws[7]
    back = ask(folder, selector=LOSS, flops=f"{flops!r}")
    assert back.estimate.error.draws[7] == pytest.approx(2.2)
    assert back.estimate.params.draws[7] == pytest.approx(there.estimate.params.draws[7])


@pytest.mark.parametrize("choice", [WER, LOSS])
@pytest.mark.parametrize(
    ("limit", "name", "base"),
    [
        ({"budget": "$50k"}, "total_dollars", 50e3),
        ({"gpu_hours": "5000"}, "gpu_hours", 5000),
        ({"deadline": "30d"}, "days", 30),
        ({"budget": "$50k", "data_price": "$1/1M tokens"}, "total_dollars", 50e3),
    ],
)
def test_a_limit_alone_is_spent_to_the_end_in_every_draw(folder, choice, limit, name, base):
    if choice is WER and "data_price" in limit:
        limit = limit | {"data_price": "$0.1/hour"}
    found = ask(folder, selector=choice, on="h100", count=64, **limit)
    assert quantities(found)[name].draws == pytest.approx([base] * DRAWS, rel=1e-6)
    assert found.given is None
    assert found.binding == next(iter(limit))
    assert found.feasible is None
    assert found.sensitivity.quantity == "error"


def test_of_several_limits_the_tightest_decides(folder):
    both = ask(folder, selector=LOSS, on="h100", count=64, budget="$50k", deadline="1d")
    assert both.binding == "deadline"
    assert max(quantities(both)["days"].draws) == pytest.approx(1)
    assert max(quantities(both)["total_dollars"].draws) <= 50e3 * (1 + 1e-9)
    assert ask(folder, selector=WER, on="h100", budget="$50k", have_data="100h").binding == "data"


def test_a_target_with_limits_says_how_probable_it_is_and_what_binds(folder):
    free = ask(folder, selector=LOSS, target="2.1", on="h100", count=64)
    dollars, days = (sorted(quantities(free)[name].draws) for name in ("dollars", "days"))
    budget, deadline = dollars[int(0.7 * DRAWS)], days[int(0.4 * DRAWS)]
    found = asked(
        folder, "--target-loss", "2.1", "--domain", "lm", "--on", "h100", "--count", "64",
        "--budget", f"${budget}", "--deadline", f"{deadline}d",
    )  # fmt: skip
    assert found["limits"]["budget"] == pytest.approx(0.7, abs=0.01)
    assert found["limits"]["deadline"] == pytest.approx(0.4, abs=0.01)
    assert found["probability"] <= 0.41
    assert found["feasible"] is False
    assert found["binding"] == "deadline"


def test_money_buys_less_model_when_data_costs_too(folder):
    cheap, dear = (
        ask(folder, selector=WER, budget="$1k", on="h100", have_data="10h", data_price=price)
        for price in ("$0.1/hour", "$12/hour")
    )
    assert middle(dear, "data") < middle(cheap, "data")
    # 10 hours are in hand and cost nothing; hours of machines cost next to nothing here
    assert middle(dear, "data") == pytest.approx(10 + 1000 / 12, rel=0.01)
    bill = ask(folder, selector=WER, target="8%", on="h100", have_data="10h", data_price="$12/hour")
    assert bill.cost.data.draws == pytest.approx([12 * max(d - 10, 0) for d in bill.estimate.data.draws])
    assert "more-data-needed" not in bill.warnings


def test_a_confidence_makes_one_plan_that_reaches_the_target_that_often(folder):
    for choice, target in ((WER, "8%"), (LOSS, "2.1")):
        found = ask(folder, selector=choice, target=target, confidence="80%")
        assert len(set(found.estimate.data.draws)) == 1
        assert found.estimate.probability_reachable == pytest.approx(0.8, abs=0.01)
        aim = found.estimate.target
        assert sum(e <= aim for e in found.estimate.error.draws) == pytest.approx(
            0.8 * DRAWS, abs=0.01 * DRAWS
        )
        assert found.feasible is None, "nothing limits it"
    held = ask(folder, selector=WER, target="8%", confidence="80%", on="h100", budget="$1M")
    assert held.feasible.probability == held.feasible.each["target"] == pytest.approx(0.8, abs=0.01)
    error = ask(folder, selector=WER, data="1000h", confidence="80%")
    assert error.error_at_confidence == pytest.approx(
        sorted(error.estimate.error.draws)[int(0.8 * DRAWS) - 1]
    )


def test_a_plan_for_a_confidence_need_not_lie_behind_a_hump(tmp_path):
    """Half of the draws come below the target at 2 hours and rise above it again between 8 and 64."""

    def log_y(g, p):
        return -0.3 * g + (0.7 if p["hump"] and math.log(8) < g < math.log(64) else 0.0) + p["scale"]

    n = 100
    draws = {"hump": [float(i % 2) for i in range(n)], "scale": [math.log(0.1) + 0.001 * i for i in range(n)]}
    store = Store(tmp_path)
    store.add_law(synthetic.law(log_y, draws))
    store.publish()
    found = ask(tmp_path, selector=WER, target="8%", confidence="80%")
    assert found.estimate.data.draws[0] < 8
    assert 0.8 <= found.estimate.probability_reachable < 0.82
    everywhere = ask(tmp_path, selector=WER, target="8%")
    assert max(everywhere.estimate.data.draws) > 16, "each alone is planned behind its hump"


def test_data_in_hand_limits_a_curve_and_repeats_on_a_surface(folder):
    short = ask(folder, selector=WER, target="5%", have_data="100h")
    assert "more-data-needed" in short.warnings
    assert (short.feasible.probability, short.binding) == (0.0, "data")
    repeated = ask(folder, selector=LOSS, flops="1e22", have_data="20B tokens")
    assert "repeats-assumed" in repeated.warnings
    assert set(repeated.estimate.data.draws) == {20e9}
    assert middle(repeated, "epochs") > 4
    free = ask(folder, selector=LOSS, flops="1e22")
    assert middle(free, "error") < middle(repeated, "error")
    small = ask(folder, selector=LOSS, target="2.2", have_data="1e12 tokens", allocate="smallest-model")
    assert middle(small, "params") < middle(ask(folder, selector=LOSS, target="2.2"), "params")


def test_serving_makes_a_smaller_model_seen_more_data(folder):
    train, serve = (ask(folder, selector=LOSS, target="2.1", serve=s) for s in (None, "1e13 tokens"))
    assert middle(serve, "params") < middle(train, "params")
    assert middle(serve, "data") > middle(train, "data")
    assert serve.cost.serving_flops.draws == pytest.approx([2e13 * n for n in serve.estimate.params.draws])
    assert serve.cost.serving.draws == ()


@pytest.mark.parametrize(
    ("arguments", "title"),
    [
        (["--metric", "wer", "--data", "100h"], "With 100 hours of audio "),  # seen twelve times
        (["--domain", "lm", "--data", "2e10", "--have-data", "5e9"], "With 20B tokens "),
        (["--domain", "lm", "--data", "2e10", "--params", "1B"], "With 1B parameters on 20B tokens "),
    ],
)
def test_the_title_says_the_amount_that_was_given(folder, arguments, title):
    assert planner("estimate", "--store", folder, *arguments, "--explain").out.startswith(title)


CHINCHILLA = LawSelector(
    law="besiroglu2024"
)  # from 5e9 tokens and 7e7 parameters on; LOSS from 6e8 tokens on


@pytest.mark.parametrize(
    ("law", "question", "warned", "where"),
    [
        (LOSS, {"data": "6e8 tokens"}, False, "inside the data"),
        (LOSS, {"data": "3e8 tokens"}, False, "below the data"),
        (LOSS, {"data": "3e7 tokens"}, True, "below the data"),
        (LOSS, {"target": "20"}, True, "below the data"),
        (CHINCHILLA, {"data": "5e9 tokens"}, False, "inside the data"),
        (CHINCHILLA, {"data": "1e8 tokens"}, True, "below the data"),
        (CHINCHILLA, {"data": "2e10 tokens", "serve": "1e13 tokens"}, True, "inside the data"),
    ],
)
def test_a_surface_that_is_asked_far_below_its_data_or_models_says_so(folder, law, question, warned, where):
    found = ask(folder, selector=law, **question)
    assert ("below-measured" in found.warnings) == warned
    assert extrapolation(found.estimate) == where


def test_a_measured_surface_knows_its_smallest_model(tmp_path):
    columns = {"params": (1e6, 1e7), "data": (1e5, 6e10)}
    found = replace(surface(1.69, 406, 0.34, 410, 0.28, x_range=columns["data"]), points=columns)
    store = Store(tmp_path)
    store.add_law(replace(found, id=content_id(found)))
    store.publish()
    assert "below-measured" not in ask(tmp_path, selector=LOSS, params="2e5").warnings
    assert "below-measured" in ask(tmp_path, selector=LOSS, params="5e4").warnings


@pytest.mark.parametrize("law", ["lm", "language"])  # a posterior, and a single published world
def test_serving_costs_what_its_flop_cost_in_training(folder, law):
    choice = LawSelector(metric="loss", domain=law)
    found = ask(folder, selector=choice, target="2.1", serve="1e13 tokens", on="h100")
    n = len(found.resources.cost.dollars)
    flops, serving = (q.draws * (n // len(q.draws)) for q in (found.estimate.flops, found.cost.serving_flops))
    for paid, trained, served, cost in zip(
        found.resources.cost.dollars, flops, serving, found.cost.serving.draws, strict=True
    ):
        assert cost / served == pytest.approx(paid / trained)
    assert found.cost.total.draws == found.resources.cost.dollars
    free = ask(folder, selector=choice, target="2.1", serve="1e13 tokens", on="h100", assume=("price=0",))
    assert set(free.cost.serving.draws) == {0.0}


def test_a_pair_is_answered_by_a_surface_alone(folder):
    pair = ask(folder, selector=LOSS, params="7B", data="1e12 tokens")
    best = ask(folder, selector=LOSS, data="1e12 tokens")
    assert set(pair.estimate.params.draws) == {7e9}
    p = surface(1.69, 406, 0.34, 410, 0.28, spread=0.01, draws=DRAWS).parameters
    loss = p["E"][0] + p["A"][0] / 7e9 ** p["a"][0] + p["B"][0] / 1e12 ** p["b"][0]
    assert pair.estimate.error.draws[0] == pytest.approx(loss)
    assert middle(best, "params") > 7e9
    # a pair that was given is not assumed to be the one that needs the least
    assert AssumptionCode.COMPUTE_OPTIMAL not in assumption_codes(pair)
    assert AssumptionCode.COMPUTE_OPTIMAL in assumption_codes(best)


def test_serving_moves_nothing_on_a_curve_and_the_answer_says_so(folder):
    train, serve = (ask(folder, selector=WER, target="8%", serve=s) for s in (None, "1e6h"))
    assert serve.estimate.params == train.estimate.params
    assert AssumptionCode.SERVING_NOT_OPTIMIZED in assumption_codes(serve)
    assert AssumptionCode.SERVING_NOT_OPTIMIZED not in assumption_codes(train)


def test_a_published_law_is_of_another_corpus(tmp_path):
    assert "other-corpus" in ask(tmp_path, selector=LawSelector(law="besiroglu2024"), target="2.1").warnings


@pytest.mark.parametrize(("other", "said"), [("b", True), ("a", False), (None, False)])
def test_a_companion_of_another_corpus_is_said(tmp_path, other, said):
    store = Store(tmp_path)
    for law, corpus in ((power(0.4, 0.3), "a"), (size(2e4, 0.6), other), (passes(12), "a")):
        made = replace(law, provenance={"corpus": corpus} if corpus else {})
        store.add_law(replace(made, id=content_id(made)))
    store.publish()
    assert ("corpora-differ" in ask(tmp_path, selector=WER, target="8%").warnings) is said


@pytest.mark.parametrize(("sizes", "said"), [((1e5, 1e5, 2e5), True), ((1e5, 2e5, 4e5), False)])
def test_few_sizes_behind_the_size_law_are_said(tmp_path, sizes, said):
    store = Store(tmp_path)
    law = replace(size(2e4, 0.6), points={"x": (1.0, 2.0, 4.0), "y": sizes})
    for made in (power(0.4, 0.3), replace(law, id=content_id(law))):
        store.add_law(made)
    store.publish()
    assert ("few-sizes" in ask(tmp_path, selector=WER, target="8%").warnings) is said


@pytest.mark.parametrize("style", ["table", "json", "csv", "markdown"])
def test_a_doubt_is_in_every_format(folder, style):
    ran = planner(
        "estimate", "--store", folder, "--format", style, "--law", "besiroglu2024", "--target", "2.1"
    )
    assert "other-corpus" in ran.out


def test_a_target_that_is_never_reached_is_no_model_that_does_not_fit(folder):
    found = ask(folder, selector=WER, target="1%", on="h100")
    assert math.isinf(found.resources.training.footprint[0])
    assert not {"model-larger-than-device", "does-not-fit"} & set(found.warnings)
    ran = planner("estimate", "--store", folder, "--target-wer", "1%", "--on", "h100")
    assert "never seconds" not in ran.out


def test_a_step_and_the_bytes_that_move_are_those_of_the_roofline(folder):
    """One step of 1e6 positions: 6 N positions FLOP, or 34 bytes a parameter and every activation twice."""
    assume = ("utilization=0.4", "scaling_loss=0", "positions=1e6", "activation_bytes=0", "traffic_bytes=34")
    found = ask(folder, selector=LOSS, flops="1e22", on="h100", assume=assume)
    known, part = quantities(found), FLEET.accelerator("h100")
    for n, flops, step, moved in zip(
        *(known[name].draws for name in ("params", "flops", "step_seconds", "bytes_moved")), strict=True
    ):
        assert step == pytest.approx(max(6e6 * n / (0.4 * 989e12), 34 * n / (0.7 * part.bandwidth)))
        assert moved == pytest.approx(34 * n * flops / (6e6 * n))
    ran = planner(
        "estimate", "--store", folder, "--domain", "lm", "--flops", "1e22", "--on", "h100", "--explain"
    )
    assert "A step of 8.19k positions per device takes" in " ".join(ran.out.split())


def test_what_moves_the_cost_is_found(folder):
    found = ask(folder, selector=LOSS, target="2.1", on="h100", assume=("price=2", "working_time=1"))
    assert found.sensitivity.quantity == "dollars"
    assert set(found.sensitivity.shares) == {
        "exponent of parameters",
        "exponent of data",
        "floor",
        "utilization",
    }
    # one free unknown besides the law, the price, whose logarithm then varies most
    single = LawSelector(law="besiroglu2024")
    alone = ask(
        folder,
        selector=single,
        target="2.1",
        on="h100",
        assume=("utilization=0.4", "scaling_loss=0", "working_time=1", "price=1..4"),
    )
    shares = dict(alone.sensitivity.shares)
    assert shares.pop("price") > 0.8
    assert set(shares) == {"exponent of parameters", "exponent of data", "floor"}


def test_the_utilization_that_was_measured_is_taken_where_nobody_set_one(tmp_path):
    store = Store(tmp_path)
    for law in (power(0.4, 0.3, spread=0.05), size(2e4, 0.6), passes(12)):
        store.add_law(law)
    peak = FLEET.accelerator("h100").peak_at("bf16")
    for i, share in enumerate([0.01, 0.11, 0.12, 0.13, 0.14, 0.15]):
        store.add_run(
            Run(
                id=f"{i:016x}", status="finished", sweep="0" * 16, domain="speech", family="ds2",
                optimizer="adam", data=1.0, data_unit="hours", params=10, flops=1e15 * (i + 1),
                seconds=1e15 * (i + 1) / (share * peak), device="NVIDIA H100 80GB HBM3", created="2026-01-01",
            )
        )  # fmt: skip
    store.publish()
    used = {a["name"]: a for a in asked(tmp_path, "--target-wer", "5%", "--on", "h100")["assumed"]}
    assert used["utilization"]["origin"] == "measured"
    assert used["utilization"]["bands"] == [pytest.approx([0.11, 0.15])]
    for other in (["--on", "a100"], ["--on", "h100-pcie"]):
        used = {a["name"]: a for a in asked(tmp_path, "--target-wer", "5%", *other)["assumed"]}
        assert used["utilization"]["origin"] == "predicted"
    used = asked(tmp_path, "--target-wer", "5%", "--on", "h100", "--assume", "utilization=0.4")["assumed"]
    assert {a["origin"] for a in used if a["name"] == "utilization"} == {"option"}


UNANSWERABLE = [
    ([], "no-question"),
    (["--target-wer", "banana"], "unreadable-quantity"),
    (["--target-wer", "120%", "--metric", "wer"], "impossible-target"),
    (["--target-wer", "5", "--metric", "wer"], "impossible-target"),
    (["--flops", "0"], "not-positive"),
    (["--target-wer", "5%", "--data", "10h"], "several-questions"),
    (["--params", "1M", "--flops", "1e15"], "several-questions"),
    (["--params", "1M", "--data", "100h", "--metric", "wer"], "not-a-joint-law"),
    (["--budget", "$50k"], "missing-accelerator"),
    (["--target-wer", "5%", "--deadline", "3d"], "missing-accelerator"),
    (["--budget", "$0", "--on", "h100"], "not-positive"),
    (["--budget", "50k hours", "--on", "h100"], "unreadable-quantity"),
    (["--budget", "$50k", "--on", "h10"], "unknown-accelerator"),
    (["--budget", "$50k", "--on", "gb300"], "no-price"),
    (["--budget", "$50k", "--on", "h100", "--assume", "price=0"], "price-zero"),
    (["--budget", "$50k", "--on", "v100", "--precision", "bf16"], "unknown-precision"),
    (["--budget", "$50k", "--on", "h100", "--assume", "utilizatoin=0.4"], "unknown-name"),
    (["--budget", "$50k", "--on", "h100", "--count", "0"], "no-devices"),
    (["--target-wer", "5%", "--deadline", "2020-01-01", "--on", "h100"], "past-deadline"),
    (["--target-wer", "5%", "--deadline", "0d", "--on", "h100"], "past-deadline"),
    (["--target-wer", "5%", "--deadline", "2026-02-30", "--on", "h100"], "unreadable-quantity"),
    (["--gpu-hours", "0", "--on", "h100"], "not-positive"),
    (["--data", "0h", "--metric", "wer"], "not-positive"),
    (["--data", "10 GPU-hours", "--metric", "wer"], "unreadable-quantity"),
    (["--data", "0.001h", "--metric", "wer"], "below-measured"),
    (["--law", "besiroglu2024", "--data", "10"], "below-measured"),
    (
        ["--law", "besiroglu2024", "--data", "1B", "--serve", "1e13"],
        "below-measured",
    ),
    (["--params", "1", "--metric", "wer"], "below-measured"),
    (["--target-wer", "5%", "--confidence", "100%"], "unreadable-quantity"),
    (["--target-wer", "2.1%", "--confidence", "99%"], "confidence-out-of-reach"),
    (
        ["--law", "hoffmann2022-approach3-tex", "--target", "2.1", "--confidence", "99%"],
        "confidence-out-of-reach",
    ),
    (["--target-wer", "5%", "--allocate", "smalest-model"], "unknown-name"),
    (["--target-wer", "5%", "--allocate", "smallest-model"], "missing-data"),
    (["--target-wer", "5%", "--allocate", "smallest-model", "--have-data", "9h"], "not-a-joint-law"),
    (["--target-wer", "5%", "--data-price", "12"], "unreadable-quantity"),
    (["--target-wer", "5%", "--data-price", "$12/token"], "unreadable-quantity"),
    (["--data", "10h", "--domain", "teacher"], "no-law"),
    (["--data", "10h", "--domain", "speach"], "unknown-domain"),
    (["--domain", "lm", "--target", "loss=2", "--have-data", "1e9"], "target-below-floor"),
    (
        ["--domain", "lm", "--target", "loss=2", "--have-data", "1e9", "--allocate", "smallest-model"],
        "target-below-floor",
    ),
    (["--data", "10h", "--metric", "wer", "--count", "64"], "missing-accelerator"),
    (
        ["--data", "10h", "--metric", "wer", "--assume", "price=2", "--precision", "bf16"],
        "missing-accelerator",
    ),
    (
        ["--budget", "$5", "--on", "h100", "--assume", "price=2", "--assume", "price=3"],
        "assumption-twice",
    ),
]


@pytest.mark.parametrize(
    ("arguments", "code"), UNANSWERABLE, ids=lambda v: " ".join(v) if isinstance(v, list) else ""
)
def test_a_question_that_cannot_be_answered_is_refused_in_one_line(folder, arguments, code):
    assert planner("estimate", "--store", folder, *arguments).refused == code


def test_a_model_larger_than_the_fleet_is_said_and_binds(folder):
    words = ("--params", "1e12", "--data", "1e12", "--domain", "lm", "--metric", "loss")
    found = asked(folder, *words, "--on", "l4", "--count", 8, "--deadline", "90d")
    assert {"model-larger-than-device", "does-not-fit"} <= {w["code"] for w in found["warnings"]}
    assert found["limits"]["memory"] == 0.0
    assert found["feasible"] is False


def test_a_deadline_may_be_a_day(folder):
    soon = (date.today() + timedelta(days=30)).isoformat()
    by_day, by_duration = (
        asked(folder, "--deadline", text, "--on", "h100", "--domain", "lm", "--metric", "loss")["data"]
        for text in (soon, "30d")
    )
    assert by_day == by_duration


@pytest.mark.parametrize("style", ["table", "markdown"])
def test_tables_fit_and_carry_every_code_and_assumption(folder, style, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    line = [
        "--target-wer",
        "5%",
        "--on",
        "h100",
        "--budget",
        "$1",
        "--have-data",
        "100h",
        "--data-price",
        "$2/hour",
    ]
    ran = planner("estimate", "--store", folder, "--format", style, "--explain", *line)
    assert ran.code == 0, ran.err
    if style == "table":
        assert max(map(len, ran.out.splitlines())) <= 80
    words = " ".join(ran.out.split())
    found = asked(folder, *line)
    for code in [warning["code"] for warning in found["warnings"]]:
        assert f"[{code}]" in words
    for assumption in found["assumed"]:
        assert assumption["name"] in words
    assert "Tightest limit: budget." in words


def test_a_metric_is_chosen_and_the_choice_is_said(tmp_path):
    store = Store(tmp_path)
    for law in (power(0.3, 0.3, metric="cer"), power(0.4, 0.3, metric="wer"), size(2e4, 0.6)):
        store.add_law(law)
    store.publish()
    found = asked(tmp_path, "--data", "100h")
    assert found["metric"] == "wer", "what the domain names first"
    assert "metric-chosen" in [w["code"] for w in found["warnings"]]
    assert asked(tmp_path, "--data", "100h", "--metric", "cer")["metric"] == "cer"


def test_what_if_cells_are_what_estimate_says(folder):
    cells = asked(folder, "--target-wer", "5%,8%", "--on", "h100,a100", "--count", "16", command="what-if")
    assert [cell["where"] for cell in cells] == [
        {"target": target, "on": part} for target in ("5%", "8%") for part in ("h100", "a100")
    ]
    alone = asked(folder, "--target-wer", "8%", "--on", "a100", "--count", "16")
    assert cells[3]["dollars"] == alone["dollars"]
    assert cells[3]["warnings"] == alone["warnings"]
    assert cells[3]["data"] == alone["data"]


@pytest.mark.parametrize(("values", "told"), [(3, ""), (60, "cells: 60/60\n")])
def test_a_large_table_says_how_far_it_is(folder, values, told):
    targets = ",".join(f"{2.3 + i / 1000:.3f}" for i in range(values))
    ran = planner("what-if", "--store", folder, "--domain", "lm", "--target-loss", targets, "--format", "csv")
    assert (ran.code, ran.err) == (0, told)
    front = planner("frontier", "--store", folder, "--domain", "lm", "--points", values, "--format", "csv")
    assert (front.code, front.err) == (0, told.replace("cells", "points"))


def test_what_if_takes_prices_and_utilizations(folder):
    cells = asked(
        folder, "--target-loss", "2.2", "--domain", "lm", "--on", "h100",
        "--assume", "price=1,2", "--assume", "utilization=0.2,0.4", command="what-if",
    )  # fmt: skip
    dollars = [cell["dollars"]["median"] for cell in cells]
    assert dollars[2] == pytest.approx(2 * dollars[0])
    assert dollars[0] == pytest.approx(2 * dollars[1])


def test_what_if_over_data_and_size_is_the_surface(folder):
    ran = planner(
        "what-if",
        "--store",
        folder,
        "--domain",
        "lm",
        "--data",
        "1e11,1e12",
        "--params",
        "1B,7B",
        "--format",
        "csv",
    )
    rows = list(csv.DictReader(io.StringIO(ran.out)))
    assert len(rows) == 4
    assert float(rows[3]["error.median"]) < float(rows[0]["error.median"])
    table = planner(
        "what-if", "--store", folder, "--domain", "lm", "--data", "1e11,1e12", "--params", "1B,7B"
    ).out
    assert "loss reached by data and params" in table


def test_a_cell_without_an_answer_says_why_and_the_others_stand(folder):
    args = ["--target-wer", "5%,90%", "--on", "h100,gb300"]
    cells = asked(folder, *args, command="what-if")
    assert [bool(cell["reason"]) for cell in cells] == [False, False, True, True]
    table = " ".join(planner("what-if", "--store", folder, *args).out.split())
    assert table.count("already reaches") == 1
    assert "90% h100, 90% gb300: " in table
    assert "by wer and accelerator (speech, ds2)" in table
    assert "[utilization-assumed]" in table


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--target-wer", "5%"], "wrong-axes"),
        (["--target-wer", "5%,8%", "--on", "h100,a100", "--count", "8,16"], "wrong-axes"),
        (["--target-wer", "5%,8%", "--on", "h100", "--show", "dolars"], "unknown-name"),
        (["--target-wer", "90%,95%"], "target-already-reached"),
        (["--target-wer", "5%,8%", "--assume", "prise=2,3"], "unknown-name"),
        (["--target-wer", "5%,8%", "--on", "h100", "--count", "many"], "not-a-number"),
        (["--target-wer", "5%,8%", "--on", "h100", "--count", "8,0"], "no-devices"),
        (["--target-wer", "5%,8%", "--on", "h100,foo"], "unknown-accelerator"),
        (["--target-wer", "5%,banana"], "unreadable-quantity"),
        (["--target-wer", "5%,"], "unreadable-quantity"),
        (["--target-wer", "5%,120%"], "impossible-target"),
        (
            ["--target-wer", "5%,8%", "--on", "h100", "--budget", "$1k,$0"],
            "not-positive",
        ),
        (["--target-wer", "5%,8%", "--on", "h100", "--assume", "price=1,foo"], "unreadable-assumption"),
        (["--target-wer", "5%,8%", "--confidence", "80%,100%"], "unreadable-quantity"),
        (["--data", "10h,3tokens"], "unreadable-quantity"),
        (["--data", "10h,20h", "--show", "dollars"], "no-such-value"),
        (["--data", "10h,20h", "--show", "probability"], "no-such-value"),
        (["--on", "h100,a100"], "no-question"),
    ],
)
def test_a_what_if_that_cannot_be_answered_is_refused_in_one_line(folder, arguments, code):
    assert planner("what-if", "--store", folder, *arguments).refused == code


@pytest.mark.parametrize(
    "line",
    [["--domain", "lm"], ["--domain", "speech", "--on", "h100"], ["--domain", "speech", "--against", "data"]],
)
def test_a_frontier_falls_and_its_points_are_plans(folder, line):
    points = asked(folder, *line, "--points", "4", command="frontier")
    errors = [point["error"]["median"] for point in points]
    assert errors == sorted(errors, reverse=True)
    assert len(set(errors)) == len(errors) >= 3
    assert all(p["error"]["q05"] <= p["error"]["median"] <= p["error"]["q95"] for p in points)
    costs = [point["cost"] for point in points]
    assert all(b / a == pytest.approx(costs[1] / costs[0]) for a, b in pairwise(costs))
    table = planner("frontier", "--store", folder, *line, "--points", "2").out
    assert "Lowest" in table


def test_a_frontier_starts_where_training_does_and_says_what_it_left_out(folder):
    words = ("--domain", "lm", "--points", "3")
    served = asked(folder, *words, "--serve", "1e13 tokens", command="frontier")
    assert served[0]["params"]["median"] > 1e5, "what is served makes no model of a few parameters"
    table = planner("frontier", "--store", folder, "--domain", "speech", "--against", "data", "--points", "3",
                    "--from", "0.01h").out  # fmt: skip
    assert "Left out: data 0.01: expected more" in " ".join(table.split())
    assert "[extrapolated-far]" in table


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--against", "dollar"], "unknown-name"),
        (["--against", "dollars"], "missing-accelerator"),
        (["--points", "1"], "wrong-points"),
        (["--points", "1000000"], "wrong-points"),
        (["--from", "1e40"], "wrong-ends"),
        (["--on", "gb300"], "no-price"),
        (["--from", "1e22", "--to", "1e20"], "wrong-ends"),
        (["--law", "muennighoff2023"], "missing-ends"),
    ],
)
def test_a_frontier_that_cannot_be_answered_is_refused_in_one_line(folder, arguments, code):
    named = [] if "--law" in arguments else ["--domain", "lm"]
    assert planner("frontier", "--store", folder, *named, *arguments).refused == code


def test_the_ladder_of_the_synthetic_laws_is_quadratic():
    # the FLOP above rest on it
    assert math.isclose(LADDER[1].flops / LADDER[0].flops, 4.0)
