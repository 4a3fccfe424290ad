"""A sweep within a budget: it never overspends, goes on after an interruption, and says what it did."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")
from dataclasses import replace

from test_sweep import PRESET, Formula, quiet, spec

from calibrate.budget import FEWEST, Within
from calibrate.engine import Job, Result
from calibrate.spec import Spec
from calibrate.sweep import execute
from calibrate.types import Budget, Spent
from laws.errors import PlannerError
from laws.store import Store

pytestmark = pytest.mark.torch

RATE = 1e7  # FLOP a second
ASKED = spec(replace(PRESET, sizes={"mlp": (4, 16, 64)}, draws=1, seeds=1))
START = sum(ASKED.most_flops(("mlp", x, size)) for x in PRESET.shards[:FEWEST] for size in (4, 16, 64))


def within(folder: Path, amount: float, unit: str = "FLOP", asked: Spec = ASKED) -> Within:
    return Within(
        asked,
        Store(folder),
        Budget(amount=amount, unit=unit, workers=2),
        expected=lambda training: asked.flops(training) / RATE,
    )


class Whole(Formula):
    """Trainings by the formula that take all the FLOP that were planned, and their time."""

    def run(self, jobs: Iterable[Job]) -> Iterator[Result]:
        for result in super().run(jobs):
            flops = result.job.flops * result.job.training.planned
            outcome = replace(result.outcome, flops=flops, seconds=flops / RATE)
            yield replace(result, outcome=outcome)


def bought(folder: Path, amount: float, unit: str = "FLOP", stop_after: float = math.inf) -> Spent:
    found = within(folder, amount, unit)
    execute(ASKED, Store(folder), Whole(stop_after), 2, quiet, stages=found.stages())
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
    bought_shards = {step.data for step in spent.steps if step.data and not step.again}
    assert set(spent.left_out) == set(PRESET.shards[FEWEST:]) - bought_shards


def test_a_budget_that_buys_everything_ends_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is trained again here, so that what can be bought runs out."""
    monkeypatch.setattr("calibrate.budget.MOST", 0)
    spent = bought(tmp_path, 1e6 * START)
    assert not spent.left_out
    assert not any(step.again for step in spent.steps)


def test_an_interrupted_budget_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    whole = bought(tmp_path / "whole", 2 * START)
    with pytest.raises(KeyboardInterrupt):
        bought(tmp_path / "cut", 2 * START, stop_after=9)  # the start is done
    assert len(trained(tmp_path / "cut")) == 9 < len(trained(tmp_path / "whole"))
    assert bought(tmp_path / "cut", 2 * START).steps == whole.steps
    assert trained(tmp_path / "cut") == trained(tmp_path / "whole")


def test_a_budget_without_a_start_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(
        PlannerError, match="does not allow the start, every size on the 3 smallest shards"
    ) as e:
        within(tmp_path, START / 2)
    assert "\n" not in str(e.value)
    with pytest.raises(PlannerError, match="one family, and there are 2: give one of mlp, other by --family"):
        within(tmp_path, START, asked=replace(ASKED, families=("mlp", "other")))
