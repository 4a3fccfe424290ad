"""What to train next: a budget that is kept, runs that narrow, and every refusal in one line."""

import json
import shlex
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
    assert planner(*words, "--target", "20%") == long, "the domain has one metric"
    for wrong in ([], ["--target-wer", "20%", "--target", "wer=20%"]):
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


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Return a store with a fitted law without model sizes and FLOP, of a table."""
    measured = {"x": (0.5, 1.0, 2.0, 4.0, 8.0), "y": (0.9, 0.8, 0.7, 0.6, 0.5)}
    table = {"file": "my runs.csv", "columns": "data=n, metric=wer", "seed": "0"}
    store = Store(tmp_path_factory.mktemp("fitted"))
    store.add_law(
        noisy(power(0.9, 0.3, spread=0.1), points=measured, source="fitted", provenance=table, family="")
    )
    store.publish()
    return store.folder


def asked(folder, *words):
    ran = planner(
        "next", "--domain", "speech", "--target", "20%", "--store", folder, "--format", "json", *words
    )
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_runs_of_a_fitted_law_are_priced_in_labels(fitted):
    by_labels = asked(fitted, "--budget", "24 hours of audio")
    assert by_labels["unit"] == "hours"
    assert by_labels["spent"] == max(run["new_data"] for run in by_labels["runs"]) <= 24
    assert all(run["new_data"] == max(run["data"] - 8, 0) for run in by_labels["runs"])
    assert by_labels["runs"][-1]["interval_left"] < 0.9
    assert all(run["flops"] is run["params"] is run["dollars"] is None for run in by_labels["runs"])
    assert asked(fitted)["budget"] == 8, "as much as was measured"


def test_runs_of_a_fitted_law_are_priced_in_dollars(fitted):
    words = ("--data-price", "$10/hour", "--budget", "$240")
    by_money = asked(fitted, *words)
    assert by_money["unit"] == "USD"
    assert by_money["spent"] <= 240.01
    assert all(run["dollars"] == 10 * run["new_data"] for run in by_money["runs"])
    assert [run["data"] for run in by_money["runs"]] == [
        run["data"] for run in asked(fitted, "--budget", "24 hours of audio")["runs"]
    ]
    in_hand = asked(fitted, *words, "--have-data", "32h")
    assert max(run["data"] for run in in_hand["runs"]) > max(run["data"] for run in by_money["runs"])


def test_runs_are_priced_on_an_accelerator(folder):
    words = ("--on", "h100")
    by_hours = asked(folder, *words, "--budget", "1 GPU-hours")
    assert by_hours["unit"] == "GPU-hours"
    assert by_hours["spent"] <= 1
    money = asked(folder, *words, "--budget", "$5")
    assert 0 < money["spent"] <= 5
    assert all(run["dollars"] > 0 and run["gpu_hours"] > 0 for run in money["runs"])


def test_the_commands_fit_the_table_again(fitted):
    fit, estimate = asked(fitted)["commands"]
    assert fit == (
        "planner fit 'my runs.csv' --domain speech --metric wer --data-unit hours --metric-unit fraction "
        "--data-column n"
    )
    assert estimate == "planner estimate --domain speech --target wer=20%"
    assert planner(*shlex.split(estimate)[1:], "--store", fitted).code == 0


def test_the_commands_of_a_calibrated_law_train_here(folder):
    (command,) = asked(folder, "--budget", "1e11")["commands"]
    assert command.startswith("planner calibrate --domain speech --target wer=20% --budget ")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--budget", "$5"), "nothing-has-a-price"),
        (("--budget", "1e15"), "no-compute-cost"),
        (("--budget", "3 bananas"), "unreadable-quantity"),
        (("--budget", "-1 hours of audio"), "not-positive"),
        (("--on", "h1000"), "unknown-accelerator"),
    ],
)
def test_a_budget_that_buys_nothing_is_refused(fitted, words, code):
    ran = planner("next", "--domain", "speech", "--target", "20%", "--store", fitted, *words)
    assert ran.refused == code


def test_families_are_told_apart(tmp_path):
    measured = {"x": (0.5, 1.0, 2.0, 4.0, 8.0), "y": (0.9, 0.8, 0.7, 0.6, 0.5)}
    store = Store(tmp_path / "store")
    for seed, family in enumerate("ab"):
        store.add_law(noisy(power(0.9, 0.3, spread=0.1, family=family, seed=seed), points=measured))
        store.add_law(size(1000.0, 0.5, family=family))
    store.publish()
    runs = asked(store.folder, "--budget", "1e9")["runs"]
    assert {run["family"] for run in runs} <= {"a", "b"}
    assert {run["family"] for run in asked(store.folder, "--budget", "1e9", "--family", "a")["runs"]} == {"a"}


def test_runs_of_a_fitted_law_cost_what_estimate_says(tmp_path):
    """At the utilization that was logged, not at the assumed one; and a table of percent stays one."""
    rows = zip((300, 600, 1200, 2400), (11.4, 9.6, 8.3, 7.2), (230, 450, 910, 1800), strict=True)
    runs = tmp_path / "runs.csv"
    runs.write_text(
        "hours,wer,params,gpu_hours,device\n" + "".join(f"{x},{y},120M,{g},h100\n" for x, y, g in rows)
    )
    store = ("--store", tmp_path / "store")
    assert planner("fit", runs, "--domain", "asr", "--metric-unit", "%", *store).code == 0
    asked = ("--domain", "asr", "--on", "h100", "--count", "8", *store, "--format", "json")
    proposal = json.loads(planner("next", "--target-wer", "6%", "--budget", "$1M", *asked).out)
    step = max(proposal["runs"], key=lambda run: run["data"])
    answer = json.loads(planner("estimate", "--data", f"{step['data']:g}h", *asked).out)
    assert step["gpu_hours"] == pytest.approx(answer["gpu_hours"]["median"], rel=0.05)
    assert step["gpu_hours"] == pytest.approx(0.75 * step["data"], rel=0.35)  # as logged, an hour of audio
    assert step["seconds"] == pytest.approx(3600 * step["gpu_hours"] / 8, rel=0.1)  # on the eight devices
    assert any("--metric-unit %" in command for command in proposal["commands"])


def test_a_table_that_logged_hours_gives_runs_a_time_and_repeats_its_choice(tmp_path):
    runs = tmp_path / "runs.csv"
    rows = [f"{100 * 2**i},{0.3 * 0.8**i:.4g},120M,{80 * 2**i},h100,a,done\n" for i in range(4)]
    runs.write_text(
        "hours,wer,params,gpu_hours,device,corpus,status\n" + "".join(rows) + "9,0.01,1M,1,h100,b,done"
    )
    store = ("--store", tmp_path / "store")
    choice = ("--where", "corpus=a", "--state", "finished")
    assert planner("fit", runs, "--domain", "asr", *choice, "--form", "power", *store).code == 0
    asked = ("next", "--domain", "asr", "--target-wer", "10%", *store, "--format", "json")
    proposal = json.loads(planner(*asked, "--budget", "2000h").out)
    assert proposal["device"] == "h100-sxm"
    for one in proposal["runs"]:
        assert one["seconds"] / 3600 == pytest.approx(
            0.8 * one["data"], rel=0.05
        )  # as logged, an hour of audio
    assert " ".join(choice) in proposal["commands"][0]


def test_typed_points_are_typed_again_with_the_new_ones(tmp_path):
    points = {"500": "71%", "1000": "78%", "2000": "83%", "4000": "86.5%", "8000": "89%"}
    words = [word for x, y in points.items() for word in ("--point", f"{x}={y}")]
    store = ("--store", tmp_path / "store")
    subject = ("--domain", "tickets", "--metric", "accuracy", "--data-unit", "examples")
    assert planner("fit", *words, *subject, *store).code == 0
    asked = ("next", "--domain", "tickets", "--target", "accuracy=92%", *store, "--format", "json")
    proposal = json.loads(planner(*asked).out)
    assert proposal["default_budget"] is True
    again = shlex.split(proposal["commands"][0].replace("VALUE", "90%"))[1:]
    assert again[1 : 1 + len(words)] == words
    assert len(again[1 + len(words) :]) == 2 * len(proposal["runs"]) + len(subject)
    assert planner(*again, *store).code == 0
