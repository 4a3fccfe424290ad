"""`planner calibrate` as a user meets it: what it refuses, what it prints, what a fresh start imports."""

import json
import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from calibrate.domains import DOMAINS
from calibrate.types import Budget, BudgetEnd, BudgetStep, BudgetUse, Goal
from laws.errors import ConflictingInput, EngineError, InputError, MissingInput, PlannerError, UnknownName
from laws.types import Run
from planner.cli import assembled
from planner.commands.hints import line
from planner.reports import calibrate as calibrated
from planner.reports.budget_report import last_step, plan, record, step_lines
from planner.sources import calibrate as calibration
from planner.sources.calibrate_request import CalibrationRequest, check_gpus, check_request, goal_of

RUNNER = CliRunner()


def refused(*arguments: str) -> PlannerError:
    """Return the error that a command ends with."""
    result = RUNNER.invoke(assembled(), ["calibrate", *arguments])
    assert isinstance(result.exception, PlannerError), result.output
    assert "\n" not in line(result.exception)
    assert "--" not in result.exception.message
    return result.exception


@pytest.mark.parametrize(
    ("arguments", "kind", "code", "value"),
    [
        (("--domain", "speach"), UnknownName, "unknown-name", "speach"),
        (("--domain", "teacher", "--preset", "huge"), UnknownName, "unknown-preset", "huge"),
        (("--domain", "teacher", "--budget", "0m"), InputError, "empty-budget", "0m"),
        (("--domain", "teacher", "--target", "error=5%"), MissingInput, "target-without-budget", "error=5%"),
        (
            ("--domain", "teacher", "--budget", "1m", "--target", "eror=5%"),
            UnknownName,
            "unknown-metric",
            "eror",
        ),
        (
            ("--domain", "teacher", "--budget", "5 GPU-hours", "--engine", "ray"), ConflictingInput,
            "gpu-hours-on-cluster", "5 GPU-hours",
        ),
        (("--domain", "teacher", "--family", "rnn"), UnknownName, "unknown-family", "rnn"),
        (("--domain", "speech", "--data", "/nowhere"), MissingInput, "corpus-not-found", "/nowhere"),
    ],
)  # fmt: skip
def test_a_request_that_cannot_be_fulfilled_is_refused(
    arguments: tuple[str, ...], kind: type[PlannerError], code: str, value: str
) -> None:
    error = refused(*arguments)
    assert (type(error), error.code, error.value) == (kind, code, value)


def test_a_near_name_is_suggested() -> None:
    error = refused("--domain", "teacher", "--budget", "1m", "--target", "eror=5%")
    assert isinstance(error, UnknownName)
    assert error.suggestion == "error"
    assert "--budget 30m" in line(refused("--domain", "teacher", "--target", "error=5%"))


@pytest.mark.parametrize("written", [("--budget", "banana"), ("--budget", "1m", "--target", "5")])
def test_a_number_that_cannot_be_read_is_refused(written: tuple[str, ...]) -> None:
    assert written[-1] in str(refused("--domain", "teacher", *written))


@pytest.mark.parametrize("arguments", [[], ["--domain", "teacher", "--workers", "0"]])
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    assert RUNNER.invoke(assembled(), ["calibrate", *arguments]).exit_code == 2


def test_a_machine_without_torch_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(calibration, "find_spec", lambda name: None)
    error = refused("--domain", "speech", "--store", str(tmp_path), "--cache", str(tmp_path))
    assert (type(error), error.code, error.value) == (EngineError, "library-missing", "torch")
    assert error.message.endswith("pip install 'scaling-planner[calibrate]'")

    def without_soundfile(domain: object) -> None:
        raise ModuleNotFoundError("No module named 'soundfile'", name="soundfile")

    monkeypatch.setattr(calibration, "find_spec", lambda name: "found")
    monkeypatch.setattr(calibration.domains, "domain_code", without_soundfile)
    error = refused("--domain", "speech", "--cache", str(tmp_path))
    assert (error.code, error.value) == ("library-missing", "soundfile")


def test_help_names_every_domain_and_imports_nothing_heavy() -> None:
    script = (
        "import sys; from planner.cli import assembled\n"
        "try: assembled(['calibrate'])(['calibrate', '--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'torch', 'numpy', 'scipy', 'emcee', 'duckdb'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    told = "".join(done.stdout.split())  # names are broken at hyphens
    assert all(name in told for name in DOMAINS)


@pytest.mark.torch
def test_a_calibration_from_dry_run_to_estimate(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    command = [sys.executable, "-c", "from planner.cli import main; main()"]
    asked = ["calibrate", "--domain", "teacher", "--preset", "smoke", "--store", str(tmp_path / "store")]
    asked += ["--cache", str(tmp_path / "cache"), "--workers", "1"]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)

    before = json.loads(run(*asked, "--dry-run", "--format", "json").stdout)
    assert (before["runs"], before["done"]) == (6, 0)
    assert before["flops"] > 0
    assert before["seconds"] > 0
    assert before["seconds_from"] == "short-trainings"
    assert not (tmp_path / "store" / "runs").exists()

    done = run(*asked, "--format", "json")
    lines = [line for line in done.stderr.splitlines() if ": error " in line]
    assert "\x1b" not in done.stdout + done.stderr  # plain where the output is no terminal
    told = json.loads(done.stdout)
    assert told["runs"] == {"finished": len(lines)}
    assert [best["data"] for best in told["best"]] == [128, 256, 512]
    assert {law["metric"] for law in told["laws"]} == {"error", "loss", "params", "samples"}
    errors = [best["metrics"]["error"] for best in told["best"]]
    assert errors == sorted(errors, reverse=True)

    from laws.storage.store import Store

    store = Store(tmp_path / "store")
    runs: list[Run] = store.runs(domain="teacher")
    assert len(runs) == len(lines)
    law = store.law(next(law["law"] for law in told["laws"] if law["metric"] == "params"))
    assert law.ladder[-1].size == 1024 * 32
    assert {"corpus", "code", "sweep", "preset", "seed", "device", "command", "torch"} <= set(law.provenance)
    assert law.provenance["command"] == "planner calibrate --domain teacher --preset smoke --seed 0"
    assert set(law.runs) <= {run.id for run in runs}
    (sweep,) = store.sweeps(domain="teacher")
    assert set(sweep.runs) == {run.id for run in runs}

    after = run(*asked, "--dry-run").stdout
    assert f"all                       {len(lines)}" in after
    assert "Expected time: 0 s" in after
    assert "earlier runs in the store" in after
    short = run(*asked).stdout  # the table of all shards and laws comes with --explain
    assert "planner estimate --domain teacher --target error=" in short
    assert short.count("\n") < 40
    assert told["backtest"] == []  # three shards are needed to fit, and one to test
    target = ["--domain", "teacher", "--target", "error=5%", "--store", str(tmp_path / "store")]
    answer = json.loads(run("estimate", *target, "--format", "json").stdout)
    assert answer["source"] == "calibrated"
    assert answer["data"]["median"] > 512
    assert answer["flops"]["median"] > 0


def asked(**changes: object) -> CalibrationRequest:
    plain: dict[str, object] = {
        "domain": "speech", "preset": "quick", "families": ("ds2", "attention", "ds2"), "data": None,
        "store": Path("s"), "cache": Path("c"), "seed": 0, "workers": None, "budget": "30m",
    }  # fmt: skip
    return CalibrationRequest(**(plain | changes))  # type: ignore[arg-type]


def test_a_budget_and_its_target_are_read_once() -> None:
    domain, families, _ = check_request(asked(target=("cer", "2%")))
    assert families == ("ds2", "attention")
    assert goal_of(asked(target=("cer", "2%")), domain) == Goal(metric="cer", target=0.02)
    assert goal_of(asked(target=("", "2%")), domain) == Goal(metric="wer", target=0.02)
    assert goal_of(asked(), domain) == Goal(metric="wer")
    alone = asked(target=("loss", "2"), families=("ds2",))
    assert check_request(alone)[1] == ("ds2",)
    with pytest.raises(ConflictingInput) as refused:
        check_request(asked(target=("loss", "2")))
    assert (refused.value.code, refused.value.value) == ("metric-differs", "loss")
    assert asked(target=("cer", "2%")).command.endswith("--budget '30m' --target 'cer=2%'")
    check_gpus(asked(), 0)
    check_gpus(asked(budget="2 GPU-hours"), 1)
    with pytest.raises(InputError) as no_gpu:
        check_gpus(asked(budget="2 GPU-hours"), 0)
    assert no_gpu.value.code == "no-gpu"


@pytest.mark.slow
@pytest.mark.torch
def test_a_budget_from_its_start_to_what_it_came_to(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    command = [sys.executable, "-c", "from planner.cli import main; main()", "calibrate"]
    command += ["--domain", "teacher", "--preset", "smoke", "--store", str(tmp_path / "store")]
    command += ["--cache", str(tmp_path / "cache"), "--budget", "1e12", "--target", "error=8%"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    before, *during = [line for line in done.stderr.splitlines() if "1e12 FLOP" in line]
    assert before.startswith("Budget 1e12 FLOP: first every size on the smallest shards (about ")
    assert before.endswith(
        "the runs that most reduce the uncertainty of the data needed for error 8% for their cost."
    )
    assert during[0].startswith("start took ")
    assert all(line.startswith("mlp, ") for line in during[1:])
    assert all(" of 1e12 FLOP spent: error 8% needs " in line for line in during)
    assert "1e12 FLOP spent\n- start, " in done.stdout
    assert "planner estimate --domain teacher --target error=8%" in done.stdout


def test_a_budget_is_reported_in_its_own_unit() -> None:
    speech = DOMAINS["speech"]
    spent = BudgetUse(
        budget=Budget(amount=7200, unit="GPU-seconds", workers=4, gpus=2), goal=Goal(metric="wer"), start=0.0
    )
    assert "2 GPU-hours: first every size on the smallest shards (already done)" in plan(spent, speech)
    step = BudgetStep(
        family="ds2", data=2.0, repeat=True, spent=1800, evaluated_at=64.0, error=(0.1, 0.2, 0.3), needed=None
    )
    spent = replace(
        spent,
        steps=(step,),
        left_out=(("ds2", 4.0), ("attention", 4.0)),
        interval_ratio=0.5,
        ended=BudgetEnd.ALL_TRAINED,
    )
    assert last_step(spent, speech) == (
        "ds2, 2 hours of audio, another seed took 0.5 GPU-hours, 0.5 GPU-hours of 2 GPU-hours spent: "
        "wer at 64 hours of audio 20% (10% to 30%); the preset has nothing left to train"
    )
    assert step_lines(spent, speech)[-1] == "Shards that were not trained: ds2 4, attention 4 hours."
    never = replace(
        spent, goal=Goal(metric="wer", target=0.1), steps=(replace(step, needed=(9, 90, math.inf)),)
    )
    assert last_step(never, speech).endswith(
        "wer 10% needs 90 (9 to never) hours; the preset has nothing left to train"
    )
    mostly = replace(never, steps=(replace(step, needed=(9, math.inf, math.inf)),), ended=None)
    assert last_step(mostly, speech).endswith(
        "wer 10% is probably out of reach with any amount of data (5%: 9 hours of audio)"
    )
    assert record(never)["steps"][0]["needed"] == {"q05": 9, "median": 90, "q95": None}


def test_early_stopping_and_phases_are_reported() -> None:
    law = SimpleNamespace(
        family="mlp", metric="error", x_unit="examples",
        phases={"x": (100.0, 200.0), "small-data": (0.9, 0.2), "power-law": (0.1, 0.7), "floor": (0.0, 0.1)},
    )  # fmt: skip
    done = SimpleNamespace(
        spec=SimpleNamespace(metric="error"), laws=[law, replace_metric(law)],
        counts={"finished": 15, "stopped-early": 5}, flops=8e9, saved=2e9,
    )  # fmt: skip
    assert calibrated._phases(done) == ["mlp, by error, examples: 100 small-data 90%, 200 power-law 70%"]  # type: ignore[arg-type]
    (line,) = calibrated.stopped(done)  # type: ignore[arg-type]
    assert line.startswith("5 of 20 runs were stopped early")
    assert "saved 2e9 FLOP (20% of the total)" in line
    done.counts = {"finished": 20}
    assert calibrated.stopped(done) == ()  # type: ignore[arg-type]


def test_families_are_above_their_rows() -> None:
    rows = {"lstm": [("1k", "5%"), ("2k", "4%")], "rhn": [], "vit": [("1k", "6%")]}
    shown = (("lstm", ""), ("1k", "5%"), ("2k", "4%"), ("vit", ""), ("1k", "6%"))
    assert calibrated._by_family(rows) == shown
    assert calibrated._by_family({"lstm": rows["lstm"]}) == tuple(rows["lstm"])


def replace_metric(law: SimpleNamespace) -> SimpleNamespace:
    return SimpleNamespace(**{**vars(law), "metric": "loss"})
