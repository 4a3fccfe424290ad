"""A review: the example from published laws alone, the same bytes twice, every typo one clear line."""

import json
from datetime import date
from pathlib import Path

import pytest
from synthetic import bare, planner

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


def test_each_product_is_what_estimate_says(tmp_path):
    # `planner estimate` is asked today: so is the review
    found = json.loads(reviewed(tmp_path, "--format", "json", "--today", date.today().isoformat()))
    translation = found["products"][2]
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
    (found,) = (each["plan"] for each in json.loads(ran.out)["products"])
    assert (found["metric"], found["target"]) == ("loss", 3.2)


def test_the_summary_counts_and_adds_up(tmp_path):
    found = json.loads(reviewed(tmp_path, "--format", "json"))
    summary, plans = found["summary"], [row["plan"] for row in found["products"]]
    assert summary["products"] == len(plans) >= 3
    assert summary["feasible"] == sum(each["feasible"] for each in plans)
    assert 0 < summary["feasible"] < len(plans)  # the example shows both
    for end in ("q05", "q95"):  # one part, so one set of worlds: between the largest and the sum of ends
        ends = [each["gpu_hours"][end] for each in plans]
        assert max(ends) < summary["gpu_hours"][end] < 1.1 * sum(ends)


def test_out_decides_the_kind(tmp_path):
    for name, begins in (("r.json", "{"), ("r.md", "# Three models")):
        reviewed(tmp_path, "--out", tmp_path / name)
        assert (tmp_path / name).read_text().startswith(begins)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("today = 2026-11-23\n" + PRODUCT + 'targt = "3"\n', "did you mean 'target'"),
        ("today = 2026-11-23\nproduct = 1\n" + PRODUCT, "did you mean 'products'"),
        ("today = 2026-11-23\n", "has no products"),
        ("today = 2026-11-23\n" + PRODUCT + PRODUCT, "two products"),
        (PRODUCT, "has no day"),
        ('today = "soon"\n' + PRODUCT, "wanted a day"),
        ("today = 2026-11-23\n" + PRODUCT + "count = true\n", "wanted a whole number"),
        ("today = 2026-11-23\n" + PRODUCT + 'on = "h100"\ndeadline = 2020-01-01\n', "product 'A': deadline"),
        ("today = 2026-11-23\n" + PRODUCT + 'on = "h1000"\n', "product 'A': "),
        ("today = 2026-11-23\n" + PRODUCT + "assume = 3\n", "wanted a list"),
        ("today = \n", "not a TOML file"),
        (
            "today = 2026-11-23\n" + PRODUCT + "target_wer = '5%'\n",
            "2 targets",
        ),
    ],
)
def test_a_plan_that_cannot_be_meant_is_one_clear_line(tmp_path, text, told):
    plan = tmp_path / "plan.toml"
    plan.write_text(text)
    ran = planner("review", plan, "--store", tmp_path / "store")
    assert ran.code == 1
    assert told in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "23.11.2026"])
def test_a_day_that_is_none_is_said_to_be_none(tmp_path, day):
    ran = planner("review", EXAMPLE, "--store", tmp_path / "store", "--today", day)
    assert (ran.code, ran.out) == (2, "")
    assert f"{day!r} is not a date: expected YYYY-MM-DD, such as 2026-11-23" in ran.err
