"""A sweep within a budget: it never overspends, goes on after an interruption, and says what it did."""

import math
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")
from dataclasses import replace
from itertools import chain

from test_sweep import PRESET, Formula, quiet, spec

from calibrate.engines.local import AttemptResult, Job
from calibrate.sweep.budget import BudgetedSweep
from calibrate.sweep.costs import CostModel
from calibrate.sweep.run import run_sweep
from calibrate.sweep.search import search_cells
from calibrate.sweep.spec import MIN_SHARDS, Spec
from calibrate.types import Budget, BudgetEnd, BudgetUse, Goal, Training, TrainingOutcome
from laws.errors import InputError, LawError
from laws.storage.store import Store

pytestmark = pytest.mark.torch

RATE = 1e7  # FLOP a second
ASKED = spec(replace(PRESET, sizes={"mlp": (4, 16, 64)}, draws=1, seeds=1))
START = sum(ASKED.most_flops(("mlp", x, size)) for x in PRESET.shards[:MIN_SHARDS] for size in (4, 16, 64))


def within(
    folder: Path,
    amount: float,
    unit: str = "FLOP",
    asked: Spec = ASKED,
    *,
    target: float | None = None,
    on_progress: Callable[[BudgetUse], None] = lambda _: None,
) -> BudgetedSweep:
    return BudgetedSweep(
        asked,
        Store(folder),
        Budget(amount=amount, unit=unit, workers=2, gpus=1),
        Goal(metric="error", target=target),
        expected=lambda training: asked.flops(training) / RATE,
        on_progress=on_progress,
    )


BOTH = replace(
    ASKED,
    preset=replace(ASKED.preset, sizes=dict.fromkeys(("mlp", "poor"), (4, 16, 64))),
    families=("mlp", "poor"),
    ladder=dict.fromkeys(("mlp", "poor"), ASKED.ladder["mlp"]),
)


class Whole(Formula):
    """Trainings by the formula that take all the FLOP and time that were planned; one family errs more."""

    def run(self, jobs: Iterable[Job]) -> Iterator[AttemptResult]:
        for result in super().run(jobs):
            flops = result.job.flops * result.job.training.planned
            metrics = dict(result.outcome.metrics)
            if result.job.training.family == "poor":  # more data hardly helps it
                metrics = {name: 0.5 + value / 10 for name, value in metrics.items()}
            outcome = replace(result.outcome, flops=flops, seconds=flops / RATE, metrics=metrics)
            yield replace(result, outcome=outcome)


def drawn(shard: float, size: int) -> list[Training]:
    return list(chain.from_iterable(search_cells(ASKED, [("mlp", shard, size)])))


def bought(folder: Path, amount: float, unit: str = "FLOP", stop_after: float = math.inf) -> BudgetUse:
    found = within(folder, amount, unit)
    run_sweep(ASKED, Store(folder), Whole(stop_after), 2, quiet, stages=found.stages())
    return found.report()


def trained(folder: Path) -> set[str]:
    return {path.name for path in (folder / "runs").glob("[!.]*")}


@pytest.mark.parametrize("unit", ["FLOP", "seconds"])
def test_a_budget_buys_the_start_and_then_what_tells_most(tmp_path: Path, unit: str) -> None:
    amount = 3 * START if unit == "FLOP" else 3 * START / RATE / 2
    spent = bought(tmp_path, amount, unit)
    assert spent.steps[0].data is None
    assert len(spent.steps) > 1
    assert 0 < sum(step.spent for step in spent.steps) <= amount
    for step in spent.steps:
        assert step.error[0] < step.error[1] < step.error[2]
    bought_shards = {step.data for step in spent.steps if step.data and not step.repeat}
    assert set(spent.left_out) == {("mlp", x) for x in set(PRESET.shards[MIN_SHARDS:]) - bought_shards}


@pytest.mark.slow
def test_a_target_is_asked_where_it_is_reached(tmp_path: Path) -> None:
    reports: list[BudgetUse] = []
    found = within(tmp_path, 20 * START, target=0.06, on_progress=reports.append)
    run_sweep(ASKED, Store(tmp_path), Whole(), 2, quiet, stages=found.stages())
    spent = found.report()
    reached = 0.06 ** (-1 / 0.3)  # by the formula, four times the largest shard
    last = spent.steps[-1]
    assert last.needed
    assert last.evaluated_at == last.needed[1] == pytest.approx(reached, rel=0.5)
    assert last.needed[0] < reached < last.needed[2]
    assert last.error[0] < 0.06 < last.error[2]
    assert spent.interval_ratio < 0.7
    assert [len(use.steps) for use in reports] == list(range(len(spent.steps) + 1))
    assert reports[-1] == spent
    assert spent.ended in BudgetEnd


@pytest.mark.slow
def test_a_family_that_is_never_the_best_gets_the_start_alone(tmp_path: Path) -> None:
    found = within(tmp_path, 10 * START, asked=BOTH)
    run_sweep(BOTH, Store(tmp_path), Whole(), 2, quiet, stages=found.stages())
    spent = found.report()
    assert len(spent.steps) > 2
    assert {step.family for step in spent.steps} == {"", "mlp"}
    assert {run.family for run in Store(tmp_path).runs()} == {"mlp", "poor"}
    assert {("poor", shard) for shard in PRESET.shards[MIN_SHARDS:]} <= set(spent.left_out)


def test_a_family_without_a_law_is_passed_over_and_none_at_all_is_said(tmp_path: Path) -> None:
    class Diverging(Whole):
        def __init__(self, families: set[str]) -> None:
            super().__init__()
            self.families = families

        def run(self, jobs: Iterable[Job]) -> Iterator[AttemptResult]:
            for result in super().run(jobs):
                lost = TrainingOutcome(status="diverged", reason="no number", flops=1.0, seconds=0.1)
                diverges = result.job.training.family in self.families
                yield replace(result, outcome=lost) if diverges else result

    found = within(tmp_path / "one", 5 * START, asked=BOTH)
    run_sweep(BOTH, Store(tmp_path / "one"), Diverging({"poor"}), 2, quiet, stages=found.stages())
    assert {step.family for step in found.report().steps} == {"", "mlp"}
    found = within(tmp_path / "none", 5 * START, asked=BOTH)
    with pytest.raises(LawError) as refused:
        run_sweep(BOTH, Store(tmp_path / "none"), Diverging({"mlp", "poor"}), 2, quiet, stages=found.stages())
    assert (refused.value.code, refused.value.value) == ("too-few-shards", 0)


def test_gpu_hours_are_the_time_on_every_gpu(tmp_path: Path) -> None:
    longest = ASKED.most_flops(("mlp", PRESET.shards[MIN_SHARDS - 1], 64))
    seconds = max(START / 2, longest) / RATE
    two = Budget(amount=2.2 * seconds, unit="GPU-seconds", workers=2, gpus=2)
    costs = CostModel(ASKED, two, lambda training: ASKED.flops(training) / RATE)
    start = [t for x in PRESET.shards[:MIN_SHARDS] for size in (4, 16, 64) for t in drawn(x, size)]
    assert costs.predict(start) == pytest.approx(2 * seconds)
    assert within(tmp_path, 1.1 * seconds, "GPU-seconds").report().start == pytest.approx(seconds)
    with pytest.raises(InputError) as refused:
        within(tmp_path, 0.9 * seconds, "GPU-seconds")
    assert (refused.value.code, refused.value.value) == ("budget-too-small", 0.9 * seconds)


@pytest.mark.slow
def test_a_budget_that_buys_everything_ends_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is trained again here, so that what can be bought runs out."""
    monkeypatch.setattr("calibrate.sweep.budget.MAX_REPEATS", 0)
    spent = bought(tmp_path, 1e6 * START)
    assert not spent.left_out
    assert not any(step.repeat for step in spent.steps)
    assert spent.ended == BudgetEnd.ALL_TRAINED


@pytest.mark.slow
def test_an_interrupted_budget_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    whole = bought(tmp_path / "whole", 2 * START)
    with pytest.raises(KeyboardInterrupt):
        bought(tmp_path / "cut", 2 * START, stop_after=9)  # the start is done
    assert len(trained(tmp_path / "cut")) == 9 < len(trained(tmp_path / "whole"))
    assert bought(tmp_path / "cut", 2 * START).steps == whole.steps
    assert trained(tmp_path / "cut") == trained(tmp_path / "whole")


def test_a_budget_below_the_cost_of_the_start_is_refused(tmp_path: Path) -> None:
    for amount, sweep in ((START / 2, ASKED), (1.5 * START, BOTH)):
        with pytest.raises(InputError) as refused:
            within(tmp_path, amount, asked=sweep)
        assert (refused.value.code, refused.value.value) == ("budget-too-small", amount)
        start = START * len(sweep.families)
        assert float(refused.value.expected.split()[0]) == pytest.approx(start)
        assert "\n" not in str(refused.value)
