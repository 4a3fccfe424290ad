"""An estimate carried to machines: every draw to the end, limits held jointly."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import synthetic

from laws.errors import InputError, LawError, PlannerError
from laws.paths import quantile
from laws.types import Quantity
from planner import assumptions
from planner.assumptions import Assumption
from planner.hardware.fleet import read_fleet
from planner.plans.estimate import Estimate
from planner.plans.question import Hardware
from planner.plans.resources import Resources, feasible, resources

TODAY = date(2026, 11, 23)
FLEET = read_fleet(None)


@pytest.fixture(scope="module")
def speech() -> Estimate:
    error = synthetic.power(0.5, 0.4, 0.02, spread=0.05)
    return synthetic.estimate_by(error, 0.05, size=synthetic.size(2e5, 0.6), samples=synthetic.passes(6.0))


def on(
    estimate: Estimate, part: str = "h100", count: int | None = None, overrides: Sequence[Assumption] = ()
) -> Resources:
    return resources(estimate, FLEET, Hardware(on=part, count=count), today=TODAY, overrides=overrides)


def test_the_posterior_reaches_the_bill(speech: Estimate) -> None:
    found = on(speech, count=64)
    hours = found.training.gpu_hours
    assert len(hours) == len(speech.flops.draws)
    # hours move with FLOP draw by draw, spread further by the assumptions
    working = next(a for a in found.assumed if a.name == "working_time").draws(len(hours), 0)
    assert all(
        h == pytest.approx(f / (u * 989e12) / 3600 / w)
        for h, f, u, w in zip(hours, speech.flops.draws, found.training.utilization, working, strict=True)
    )
    assert found.warnings[0] == "utilization-assumed"
    # the scaling loss is in a predicted utilization
    assert {a.name for a in found.assumed} == {*assumptions.defaults(), "price"} - {"scaling_loss"}
    assert len(set(found.training.utilization)) == len(hours), "every draw has a utilization of its own"
    assert found == on(speech, count=64), "same question, same answer"


def test_a_single_published_figure_gets_the_spread_of_the_assumptions(speech: Estimate) -> None:
    single = speech._replace(
        flops=Quantity(draws=(1e22,), unit="FLOP", spread=False),
        params=Quantity(draws=(), unit="parameters", spread=False),
    )
    interval = Quantity(draws=on(single).training.gpu_hours, unit="GPU-hours").interval()
    assert interval.q05 is not None
    assert interval.q95 is not None
    band = next(a for a in on(single).assumed if a.name == "utilization")
    assert band.high / band.low < interval.q95 / interval.q05 < band.high / band.low / 0.7
    assert "memory-unknown" in on(single).warnings


def test_the_count_is_asked_for_or_the_fleets_or_one_machine(speech: Estimate, tmp_path: Path) -> None:
    path = tmp_path / "fleet.toml"
    path.write_text("[parts.h100]\ncount = 32", encoding="utf-8")
    fleet = read_fleet(path)
    assert resources(speech, fleet, Hardware(on="h100"), today=TODAY).training.count == 32
    assert resources(speech, fleet, Hardware(on="h100", count=16), today=TODAY).training.count == 16
    assert on(speech).training.count == 8
    with pytest.raises(PlannerError, match="0 devices"):
        on(speech, count=0)


def test_what_is_set_wins_over_the_fleet(speech: Estimate) -> None:
    given = [assumptions.parse_assumption(text) for text in ("utilization=0.4", "price=2", "scaling_loss=0")]
    found = on(speech, count=64, overrides=given)
    assert found.cost.dollars == pytest.approx([2 * h for h in found.training.gpu_hours])
    assert max(found.training.utilization) == pytest.approx(0.4)


def test_without_flop_the_answer_is_one_line(speech: Estimate) -> None:
    with pytest.raises(LawError) as refusal:
        on(speech._replace(flops=Quantity(draws=(), unit="FLOP")))
    assert refusal.value.code == "no-compute-cost"


def test_limits_are_held_jointly(speech: Estimate) -> None:
    found = on(speech, count=8)
    dollars, days = found.cost.dollars, found.training.days
    assert dollars is not None
    budget, deadline = quantile(dollars, 0.7), quantile(days, 0.6)
    held = feasible(found, budget=budget, deadline=deadline)
    assert held.each["budget"] == pytest.approx(0.7, abs=0.01)
    assert held.each["deadline"] == pytest.approx(0.6, abs=0.01)
    both = sum(d <= budget and t <= deadline for d, t in zip(dollars, days, strict=True)) / len(days)
    assert held.probability == pytest.approx(both)
    assert held.binding == "deadline"
    free = feasible(found, budget=1e12)
    assert (free.probability, free.binding) == (1.0, None)
    assert feasible(found, gpu_hours=0.0).probability == 0.0


def test_a_draw_that_never_reaches_the_target_is_never_feasible(speech: Estimate) -> None:
    half = tuple(math.inf if i % 2 else f for i, f in enumerate(speech.flops.draws))
    found = on(speech._replace(flops=replace(speech.flops, draws=half)))
    assert feasible(found).probability == pytest.approx(0.5, abs=0.01)
    assert feasible(found, budget=1e15).each["budget"] == pytest.approx(0.5, abs=0.01)


def test_owned_hardware_has_no_budget_to_break_but_must_still_reach_the_target(speech: Estimate) -> None:
    never = speech._replace(flops=replace(speech.flops, draws=(math.inf,) * len(speech.flops.draws)))
    found = on(never, overrides=[assumptions.parse_assumption("price=0")])
    assert feasible(found, budget=1.0).each["budget"] == 1.0
    assert feasible(found, budget=1.0).probability == 0.0


def test_a_budget_without_a_price_is_refused(speech: Estimate) -> None:
    with pytest.raises(InputError) as refusal:
        feasible(on(speech, "gb300"), budget=1e6)
    assert (refusal.value.code, refusal.value.value) == ("no-price", "gb300")


def test_a_model_larger_than_the_fleet_binds_on_memory(speech: Estimate) -> None:
    large = speech._replace(params=replace(speech.params, draws=(1e13,) * len(speech.flops.draws)))
    held = feasible(on(large, count=8), deadline=1e9)
    assert held.binding == "memory"
    assert held.probability == 0.0
    assert "does-not-fit" in on(large, count=8).warnings
