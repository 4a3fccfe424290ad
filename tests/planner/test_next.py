"""What to train next: a budget that is kept, runs that narrow, and every refusal in one line."""

import json
from dataclasses import replace

import pytest

from laws.storage.records import content_id
from laws.storage.store import Store
from tests.laws.stored import run
from tests.planner.synthetic import passes, planner, power, size


def noisy(law, **changes):
    law = replace(law, parameters=law.parameters | {"scale": (0.03,) * 200}, **changes)
    return replace(law, id=content_id(law))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("next"))
    measured = {"x": (0.5, 1.0, 2.0, 4.0, 8.0), "y": (0.9, 0.8, 0.7, 0.6, 0.5)}
    for law in (noisy(power(0.9, 0.3, spread=0.1), points=measured), size(1000.0, 0.5), passes(5.0)):
        store.add_law(law)
    store.add_law(noisy(power(0.9, 0.3, spread=0.1, domain="bare")))
    for i in range(3):
        store.add_run(run(i, flops=2e9, seconds=2.0, device="a device"))
    store.publish()
    return store.folder


def proposed(folder, budget, *arguments):
    ran = planner(
        "next", "--domain", "speech", "--target", "wer=20%", "--budget", budget,
        "--store", folder, "--format", "json", *arguments,
    )  # fmt: skip
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_the_budget_is_kept_and_every_run_narrows(folder):
    found = proposed(folder, "1e11")
    assert found["spent_flops"] <= found["budget_flops"] == 1e11
    left = [run["interval_left"] for run in found["runs"]]
    assert left == sorted(left, reverse=True)
    assert left[0] < 1
    # 20 % lies where 0.9 x^-0.3 does, within what the draws leave open
    assert found["at"]["data"] == pytest.approx((0.9 / 0.2) ** (1 / 0.3), rel=0.3)
    again = {run["data"]: run["seed_again"] for run in reversed(found["runs"])}
    assert all(again[x] for x in again if x <= 8)
    assert proposed(folder, "1e11") == found


def test_a_target_is_written_as_for_estimate(folder):
    words = ("next", "--store", folder, "--budget", "1e11", "--domain", "speech", "--format", "json")
    long = planner(*words, "--target", "wer=20%")
    assert long.code == 0
    assert planner(*words, "--target-wer", "20%") == long
    for wrong in ([], ["--target", "20%"], ["--target-wer", "20%", "--target", "wer=20%"]):
        ran = planner(*words, *wrong)
        assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
        assert "target" in ran.err


def test_more_money_never_leaves_more_open(folder):
    left = [proposed(folder, budget)["runs"][-1]["interval_left"] for budget in ("1e10", "1e11", "1e12")]
    assert left == sorted(left, reverse=True)


def test_time_is_what_runs_here_took(folder):
    # the runs of the store make 1e9 FLOP a second
    by_time, by_flops = proposed(folder, "100s"), proposed(folder, "1e11")
    assert by_time["budget_flops"] == pytest.approx(1e11)
    assert by_time["runs"] == by_flops["runs"]
    assert by_time["device"] == "a device"
    assert proposed(folder, "0.5 GPU-hours")["budget_flops"] == pytest.approx(1.8e12)
    assert all(run["seconds"] == pytest.approx(run["flops"] / 1e9) for run in by_time["runs"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--domain", "speech", "--target", "wer=20%", "--budget", "1"), "smallest run"),
        (("--domain", "speech", "--target", "wer=20%", "--budget", "-5m"), "more than 0"),
        (("--domain", "speech", "--target", "wer=20%", "--budget", "a lot"), "a time such as 30m"),
        (("--domain", "speech", "--target", "wer=-1", "--budget", "1e11"), "wer"),
        (("--domain", "bare", "--target", "wer=20%", "--budget", "1e11"), "no compute cost"),
        (
            ("--domain", "word-lm", "--target", "loss=3", "--budget", "1e11"),
            "planner calibrate --domain word-lm",
        ),
        (("--law", "hestness2017-wordlm", "--target", "3", "--budget", "1e11"), "no sampled curve"),
    ],
)
def test_what_cannot_be_proposed_is_said_in_one_line(folder, arguments, said):
    ran = planner("next", "--store", folder, *arguments)
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert said in ran.err


def test_each_run_takes_one_line_of_a_narrow_screen(folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    words = ("next", "--domain", "speech", "--target", "wer=20%", "--budget", "1e11", "--store", folder)
    lines = planner(*words).out.splitlines()
    below = lines[next(i for i, line in enumerate(lines) if "──" in line) + 1 :]
    table = below[: next(i for i, line in enumerate(below) if not line.strip())]
    assert len(table) > 2
    assert [line.split()[0].rstrip(",") for line in table] == [str(i + 1) for i in range(len(table))]
    assert "another seed" in "".join(lines)


@pytest.mark.parametrize("style", ["table", "csv", "markdown"])
def test_every_format_lists_the_runs(folder, style):
    ran = planner(
        "next", "--domain", "speech", "--target", "wer=20%", "--budget", "1e11", "--store", folder,
        "--format", style,
    )  # fmt: skip
    assert ran.code == 0
    assert "interval" in ran.out
