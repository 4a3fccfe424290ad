"""Plans of data: its price, its pace, dates and budgets, with and without an accelerator."""

import json
import math
import random
from datetime import date, timedelta

import pytest
from synthetic import ask, filled, passes, planner, power, size

from laws.errors import PlannerError
from planner.plans.data_price import parse_data_price, parse_data_rate

TARGET = ("--target-wer", "8%")


@pytest.fixture(scope="module")
def bare_store(tmp_path_factory):
    """Return a store whose law has neither model sizes nor FLOP."""
    return filled(tmp_path_factory.mktemp("data") / "store", power(0.4, 0.3, 0.02, spread=0.1))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    laws = (power(0.4, 0.3, 0.02, spread=0.1), size(2e4, 0.6), passes(12))
    return filled(tmp_path_factory.mktemp("full") / "store", *laws)


def middle(answer, key):
    return answer[key]["median"]


def test_a_budget_of_labels_needs_no_accelerator(bare_store):
    answer = ask(bare_store, "--budget", "$5000", "--data-price", "$10/hour", "--have-data", "100h")
    assert middle(answer, "data") == 600
    known = ask(bare_store, "--data", "600h")
    assert answer["error"] == known["error"]
    assert answer["binding"] == "budget"
    assert middle(answer, "data_dollars") == 5000


def test_a_target_within_a_budget_of_labels_has_its_probability(bare_store):
    for budget in (100, 1000, 10_000):
        answer = ask(bare_store, *TARGET, "--budget", f"${budget}", "--data-price", "$10/hour")
        bought = budget / 10
        error = ask(bare_store, "--data", f"{bought}h")
        enough = answer["data"]["median"] <= bought
        assert answer["feasible"] is enough
        assert (error["error"]["median"] <= 0.08) is enough
        assert answer["limits"]["budget"] == answer["probability"]


def test_a_pace_of_labeling_gives_days_and_dates(bare_store):
    words = (*TARGET, "--have-data", "50h", "--data-rate", "70h/week", "--start", "2027-01-15")
    answer = ask(bare_store, *words)
    assert middle(answer, "labeling_days") == pytest.approx((middle(answer, "data") - 50) / 10)
    for level in ("q05", "median", "q95"):
        days = math.ceil(answer["labeling_days"][level])
        assert answer["labeled"][level] == (date(2027, 1, 15) + timedelta(days=days)).isoformat()
    assert answer["finish"] == {"q05": None, "median": None, "q95": None}, "the training is not known"
    late = ask(bare_store, *words, "--deadline", "2027-01-18")
    assert late["probability"] < 0.05
    assert late["binding"] == "deadline"
    most = ask(bare_store, *words[2:], "--deadline", "2027-01-25")
    assert middle(most, "data") == pytest.approx(150)


def test_training_follows_labeling(store):
    words = (*TARGET, "--on", "h100", "--count", "8", "--data-rate", "10h/day", "--start", "2027-01-15")
    answer = ask(store, *words)
    assert middle(answer, "total_days") == pytest.approx(
        middle(answer, "labeling_days") + middle(answer, "days"), rel=0.05
    )
    assert answer["start"] == "2027-01-15"
    assert answer["finish"]["median"] > answer["start"]
    days = middle(answer, "total_days")
    held = ask(store, *words, "--deadline", f"{days}d")
    assert held["limits"]["deadline"] == pytest.approx(0.5, abs=0.02), "labeling counts against the deadline"
    most = ask(store, *words[2:], "--deadline", f"{days}d")
    assert middle(most, "error") == pytest.approx(0.08, rel=0.05)


def test_every_plan_on_hardware_has_a_finish_date(store):
    answer = ask(store, *TARGET, "--on", "h100")
    assert answer["start"] == date.today().isoformat()
    assert answer["finish"]["q05"] <= answer["finish"]["median"] <= answer["finish"]["q95"]


@pytest.mark.parametrize("words", [("--flops", "3e24"), ("--flops", "3e24", "--confidence", "95%")])
def test_a_deadline_solves_for_the_devices(words):
    asked = (*words, "--domain", "language", "--metric", "loss", "--on", "h100", "--deadline", "90d")
    answer = json.loads(planner("estimate", *asked, "--format", "json").out)
    wanted = 0.95 if "--confidence" in words else 0.8
    assert answer["probability"] == pytest.approx(wanted, abs=0.03)
    assert answer["count"] % 8 == 0
    needed = answer["devices_for_deadline"]
    assert needed["q05"] < needed["median"] < needed["q95"]
    at_median = json.loads(
        planner("estimate", *asked, "--count", round(needed["median"]), "--format", "json").out
    )
    assert at_median["limits"]["deadline"] == pytest.approx(0.5, abs=0.03), "the interpolation is exact"
    assert at_median["devices_for_deadline"]["median"] is None


def test_an_accelerator_without_known_flop_leaves_the_data_answered(bare_store):
    answer = ask(bare_store, *TARGET, "--on", "h100", "--data-price", "$10/hour", "--budget", "$5000")
    assert middle(answer, "data_dollars") > 0
    assert middle(answer, "dollars") is None
    missing = {key: entry for entry in answer["missing"] for key in entry["quantities"]}
    assert missing["dollars"]["command"] == "fit"
    assert missing["labeling_days"]["options"] == ["data_rate"]
    for limit in (("--gpu-hours", "5"), ("--budget", "$5"), ("--deadline", "3d")):
        assert planner("estimate", *TARGET, "--on", "h100", *limit, "--store", bare_store).refused == (
            "no-compute-cost"
        )


def test_what_is_missing_is_named_with_the_option_that_supplies_it(store):
    missing = ask(store, *TARGET)["missing"]
    assert {option for entry in missing for option in entry["options"]} == {"on"}
    assert ask(store, *TARGET, "--on", "h100")["missing"] == []


def test_tiers_cost_what_they_say_and_their_inverse():
    price = parse_data_price("$50/hour up to 1000h, then $90/hour up to 2000h, then $10/hour", "hours")
    assert [price.cost(x) for x in (0, 500, 1000, 1500, 3000)] == [0, 25e3, 50e3, 95e3, 150e3]
    rng = random.Random(0)
    for _ in range(200):
        amount = rng.uniform(0, 4000)
        assert price.amount_for(price.cost(amount)) == pytest.approx(amount)
    assert parse_data_price("$0/hour up to 10h, $1/hour", "hours").amount_for(5) == 15
    assert parse_data_price("$0/hour", "hours").amount_for(5) == math.inf


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("$50/hour up to 1000h", "wrong-tiers"),
        ("$50/hour up to 1000h, then $60/hour up to 900h, then $1/hour", "wrong-tiers"),
        ("$50/hour, then $90/hour", "unreadable-quantity"),
        ("$50/hour up to much, then $90/hour", "unreadable-quantity"),
    ],
)
def test_tiers_that_mean_nothing_are_refused(text, code):
    with pytest.raises(PlannerError) as refused:
        parse_data_price(text, "hours")
    assert refused.value.code == code


def test_a_price_without_an_amount_is_refused_with_the_way_to_write_it():
    with pytest.raises(PlannerError) as refused:
        parse_data_price("$0.50", "examples")
    assert refused.value.code == "unreadable-quantity"
    assert "'$0.50/example'" in str(refused.value)
    assert parse_data_price("$0.50/example", "examples").cost(2) == 1


def test_a_pace_is_read_as_people_write_it():
    assert parse_data_rate("70h/week", "hours") == 10
    assert parse_data_rate("1k examples per day", "examples") == 1000
    assert parse_data_rate("365.25/year", "hours") == 1
    for text in ("70h", "70h/fortnight", "70 tokens/week", "0h/week"):
        with pytest.raises(PlannerError):
            parse_data_rate(text, "hours")


def test_a_penalty_finds_the_lowest_expected_cost(bare_store):
    words = (*TARGET, "--data-price", "$10/hour", "--have-data", "10h")
    small, large = (
        ask(bare_store, *words, "--miss-penalty", penalty)["expected_cost"] for penalty in ("$500", "$1M")
    )
    assert small["to_buy"] == 0, "the penalty is below the price of the data"
    assert small["dollars"] == pytest.approx(500 * (1 - small["probability"]))
    assert large["probability"] > 0.95
    for cost in (small, large):
        assert cost["dollars"] == pytest.approx(
            cost["data_dollars"] + cost["penalty"] * (1 - cost["probability"])
        )
    draws = [ask(bare_store, *TARGET)["data"]["median"]]
    assert large["data"] > draws[0]


def test_the_expected_cost_is_below_that_of_any_other_amount():
    """The best of the candidates costs at most 1% more than the best of 2,000 amounts; 20 laws."""
    from planner.lawmodel.allocation import AllocationConstraints
    from planner.lawmodel.stored import law_model
    from planner.plans.estimate import estimate, scales_for_target
    from planner.plans.expected_cost import lowest_expected_cost
    from planner.plans.question import ParsedSupply

    for seed in range(20):
        model = law_model(power(0.4, 0.3, 0.02, spread=0.2, seed=seed), AllocationConstraints())
        needs = estimate(model, scales_for_target(model, 0.08), target=0.08)
        supply = ParsedSupply(
            data_available=50.0,
            data_price=parse_data_price("$10/hour up to 100h, then $20/hour", "hours"),
            inference_tokens=None,
            miss_penalty=20_000.0,
        )
        best = lowest_expected_cost(needs, None, supply).dollars
        draws = needs.data.draws

        def cost(data, supply=supply, draws=draws):
            missed = sum(x > data for x in draws) / len(draws)
            return supply.data_price.cost(supply.data_to_buy(data)) + 20_000 * missed

        assert best <= 1.01 * min(cost(50 + i) for i in range(0, 4000, 2))


def test_a_penalty_needs_a_target_and_a_price(bare_store):
    for words in (("--data", "50h", "--data-price", "$1/hour"), TARGET):
        ran = planner("estimate", *words, "--miss-penalty", "$5", "--store", bare_store)
        assert ran.refused == "penalty-without-target"


def test_a_budget_that_nothing_spends_is_refused(bare_store):
    assert planner("estimate", "--budget", "$5", "--store", bare_store).refused == "missing-accelerator"
    ran = planner("estimate", "--budget", "$5", "--data-price", "$0/hour", "--store", bare_store)
    assert ran.refused == "price-zero"
    ran = planner("estimate", "--gpu-hours", "5", "--data-price", "$1/hour", "--store", bare_store)
    assert ran.refused == "missing-accelerator"


def test_a_plan_file_has_tiers_and_a_penalty(tmp_path, bare_store):
    pytest.importorskip("matplotlib", reason="needs the extra `plot`")
    plan = tmp_path / "plan.toml"
    plan.write_text(
        "today = 2026-11-23\n[[products]]\nname = 'A'\ndomain = 'speech'\ntarget = '8%'\nstart = 2027-01-01\n"
        "data_price = ['$5/hour up to 100h', '$10/hour']\ndata_rate = '20h/day'\nmiss_penalty = '$1M'\n"
    )
    ran = planner("review", plan, "--store", bare_store, "--format", "json")
    assert ran.code == 0, ran.error
    (reviewed,) = json.loads(ran.out)["products"]
    product = reviewed["plan"]
    assert reviewed["done"] == product["labeled"]
    data = product["data"]["median"]
    assert product["data_dollars"]["median"] == pytest.approx(500 + 10 * (data - 100))
    assert product["expected_cost"]["probability"] > 0.9
    assert (
        product["labeled"]["median"] == (date(2027, 1, 1) + timedelta(days=math.ceil(data / 20))).isoformat()
    )


def test_a_law_of_examples_is_priced_by_the_example(tmp_path):
    unit = power(0.9, 0.3, 0.01, spread=0.1, x_unit="examples", metric="error", domain="d", family="")
    folder = filled(tmp_path / "store", unit)
    answer = ask(folder, "--budget", "$5000", "--data-price", "$0.50/example")
    assert middle(answer, "data") == 10_000
