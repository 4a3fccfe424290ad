"""A review: the example from published laws, the same bytes twice, and one clear line for each typo."""

import json
from datetime import date
from pathlib import Path

import pytest
from synthetic import bare, filled, planner, power

from laws.errors import ConflictingInput, FileError, InputError, MissingInput, PlannerError, UnknownName
from planner.hardware.fleet import read_fleet
from planner.plans.plan import plan as plan_of
from planner.plans.portfolio import read_portfolio
from planner.plans.review import review

EXAMPLE = Path("docs/examples/plan.toml")
PRODUCT = '[[products]]\nname = "A"\ndomain = "word-lm"\ntarget = "3.2"\n'


@pytest.fixture(autouse=True)
def nothing_measured(tmp_path):
    bare(tmp_path / "store")


def reviewed(tmp_path, *arguments, plan=EXAMPLE):
    ran = planner("review", plan, "--store", tmp_path / "store", *arguments)
    assert ran.code == 0, ran.err
    return ran.out


@pytest.mark.parametrize("kind", ["json", "markdown"])
def test_the_same_plan_gives_the_same_bytes(tmp_path, kind):
    assert reviewed(tmp_path, "--format", kind) == reviewed(tmp_path, "--format", kind)


def test_each_product_has_the_answer_of_estimate(tmp_path):
    # `planner estimate` answers for today, so the review does too
    record = json.loads(reviewed(tmp_path, "--format", "json", "--today", date.today().isoformat()))
    translation = record["products"][2]
    ran = planner(
        *("estimate", "--store", tmp_path / "store", "--format", "json", "--law", translation["plan"]["law"]),
        *("--target", "30%", "--on", "h100", "--count", 8, "--deadline", "30d", "--budget", "$5k"),
    )
    assert ran.code == 0, ran.err
    assert json.loads(ran.out) == translation["plan"]


@pytest.mark.parametrize(
    "line", ['target = "loss=3.2"', "target_loss = 3.2", 'metric = "loss"\ntarget = 3.2']
)
def test_a_target_is_written_as_for_estimate(tmp_path, line):
    plan = tmp_path / "plan.toml"
    plan.write_text(f'today = 2026-11-23\n[[products]]\nname = "A"\ndomain = "word-lm"\n{line}\n')
    ran = planner("review", plan, "--store", tmp_path / "store", "--format", "json")
    assert ran.code == 0, ran.err
    (plan_record,) = (row["plan"] for row in json.loads(ran.out)["products"])
    assert (plan_record["metric"], plan_record["target"]) == ("loss", 3.2)


def test_the_summary_counts_and_adds_up(tmp_path):
    record = json.loads(reviewed(tmp_path, "--format", "json"))
    summary, plans = record["summary"], [row["plan"] for row in record["products"]]
    assert summary["products"] == len(plans) >= 3
    assert summary["feasible"] == sum(plan["feasible"] for plan in plans)
    assert 0 < summary["feasible"] < len(plans)  # the example shows both
    # the sum is at least its largest part; products by different laws are not all expensive together
    for end in ("q05", "median"):
        assert max(plan["gpu_hours"][end] for plan in plans) < summary["gpu_hours"][end]
    assert summary["gpu_hours"]["q05"] < sum(plan["gpu_hours"]["median"] for plan in plans)


def test_a_plan_without_a_day_is_reviewed_today(tmp_path):
    plan = tmp_path / "plan.toml"
    plan.write_text(PRODUCT)
    assert json.loads(reviewed(tmp_path, "--format", "json", plan=plan))["today"] == date.today().isoformat()


def test_every_verdict_has_its_reason(tmp_path):
    """Budgets for one law with an interval: far too small, near the median, ample, and none."""
    filled(tmp_path / "laws", power(0.4, 0.3, spread=0.1))
    product = '[[products]]\nname = "{}"\ndomain = "speech"\ntarget = "8%"\ndata_price = "$1/hour"\n'
    probability = {"tiny": "$1", "ample": "$1T", "free": ""}
    plan = tmp_path / "plan.toml"

    def verdicts(budgets):
        lines = [product.format(name) + (f'budget = "{b}"\n' if b else "") for name, b in budgets.items()]
        plan.write_text(DAY + "".join(lines))
        ran = planner("review", plan, "--store", tmp_path / "laws", "--format", "json")
        assert ran.code == 0, ran.err
        return json.loads(ran.out)

    found = verdicts(probability)
    rows = {row["name"]: row for row in found["products"]}
    assert {name: row["verdict"] for name, row in rows.items()} == {
        "tiny": "not feasible", "ample": "feasible", "free": "no limits",
    }  # fmt: skip
    middle = rows["free"]["plan"]["data_dollars"]["median"]
    near = verdicts({"near": f"${1.1 * middle:.0f}"})
    assert 0.5 <= near["products"][0]["plan"]["probability"] < 0.8
    assert near["products"][0]["verdict"] == "uncertain"
    assert near["summary"]["uncertain"] == 1


def test_known_data_cost_is_in_the_total_of_a_product_without_compute(tmp_path):
    filled(tmp_path / "laws", power(0.4, 0.3, spread=0.1))
    plan = tmp_path / "plan.toml"
    plan.write_text(
        DAY + '[[products]]\nname = "labels"\ndomain = "speech"\ntarget = "8%"\n'
        'have_data = "100h"\ndata_price = "$10/hour"\n'
    )
    ran = planner("review", plan, "--store", tmp_path / "laws", "--format", "json")
    record = json.loads(ran.out)
    (row,) = record["products"]
    assert (
        record["summary"]["total_dollars"] == record["summary"]["data_dollars"] == row["plan"]["data_dollars"]
    )
    bought = row["plan"]["data"]["median"] - 100
    assert row["data_to_buy"]["median"] == pytest.approx(bought)
    assert record["summary"]["data_dollars"]["median"] == pytest.approx(10 * bought)


def test_out_decides_the_kind(tmp_path):
    for name, begins in (("r.json", "{"), ("r.md", "# Three models")):
        reviewed(tmp_path, "--out", tmp_path / name)
        assert (tmp_path / name).read_text().startswith(begins)


DAY = "today = 2026-11-23\n"


@pytest.mark.parametrize(
    ("text", "error", "code"),
    [
        (DAY + PRODUCT + 'targt = "3"\n', UnknownName, "unknown-key"),
        (DAY + "product = 1\n" + PRODUCT, UnknownName, "unknown-key"),
        (DAY, MissingInput, "no-products"),
        (DAY + "[[products]]\n", MissingInput, "product-without-name"),
        (DAY + PRODUCT + PRODUCT, ConflictingInput, "repeated-product"),
        ('today = "soon"\n' + PRODUCT, InputError, "wrong-type"),
        (DAY + PRODUCT + "count = true\n", InputError, "wrong-type"),
        (DAY + PRODUCT + "assume = 3\n", InputError, "wrong-type"),
        (DAY + PRODUCT + "target_wer = '5%'\n", ConflictingInput, "several-targets"),
        ("today = \n", FileError, "invalid-toml"),
    ],
)
def test_a_plan_that_cannot_be_read_is_refused_in_one_line(tmp_path, text, error, code):
    plan = tmp_path / "plan.toml"
    plan.write_text(text)
    with pytest.raises(error) as refused:
        review(read_portfolio(plan), tmp_path / "store", today=date(2026, 11, 23))
    assert refused.value.code == code
    ran = planner("review", plan, "--store", tmp_path / "store")
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)


@pytest.mark.parametrize("line", ['on = "h100"\ndeadline = 2020-01-01\n', 'on = "h1000"\n'])
def test_a_product_without_a_plan_is_named_and_its_error_keeps_class_and_code(tmp_path, line):
    plan = tmp_path / "plan.toml"
    plan.write_text(DAY + PRODUCT + line)
    with pytest.raises(PlannerError) as refused:
        review(read_portfolio(plan), tmp_path / "store", today=date(2026, 11, 23))
    assert str(refused.value).startswith("product 'A': ")
    with pytest.raises(type(refused.value)) as by_itself:
        estimated = read_portfolio(plan).products[0].question
        plan_of(estimated, tmp_path / "store", read_fleet(None), today=date(2026, 11, 23))
    assert (by_itself.value.code, by_itself.value.hints) == (refused.value.code, refused.value.hints)


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "23.11.2026"])
def test_a_day_that_does_not_exist_is_refused(tmp_path, day):
    ran = planner("review", EXAMPLE, "--store", tmp_path / "store", "--today", day)
    assert (ran.code, ran.out) == (2, "")
    assert day in ran.err


def test_a_probability_within_the_errors_of_one_study_says_that_it_depends_on_its_law():
    ran = planner("review", "docs/examples/plan.toml", "--format", "markdown")
    assert ran.code == 0, ran.err
    assert "only if law besiroglu2024 holds" in ran.out
