"""Constraints on money, time, hours and data: the largest plan within them, and how probably one is."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from laws.errors import InputError, LawError, use
from planner.assumptions import Assumption
from planner.hardware.cost import price_of
from planner.hardware.fleet import Fleet
from planner.hardware.training import Throughput, throughputs
from planner.lawmodel.model import MEASURE_COST, LawModel
from planner.lawmodel.scenario import Scenario, broadcast
from planner.plans.estimate import Estimate
from planner.plans.from_given import check_not_tiny
from planner.plans.question import ParsedQuestion, ParsedSupply
from planner.plans.resources import (
    ASSUMPTION_SAMPLES,
    DEFAULT_DEVICES,
    Feasible,
    Resources,
    feasible,
    no_price,
    satisfied_together,
)

ROUNDING = 1e-9  # share by which a value may exceed its limit


@dataclass(frozen=True, kw_only=True)
class _Devices:
    """What turns FLOP into hours and dollars: a throughput and a price per posterior sample."""

    throughputs: Sequence[Throughput]
    prices: Sequence[float] | None
    count: int
    accelerator: str


def largest_scales(
    law_model: LawModel, parsed: ParsedQuestion, fleet: Fleet, assumed: Sequence[Assumption], seed: int
) -> tuple[tuple[float, ...], str]:
    """Return the largest scale of each posterior sample that satisfies every constraint.

    Args:
        law_model: The law that answers.
        parsed: A question whose limits are the question.
        fleet: The accelerators and what is assumed of them.
        assumed: Assumptions that replace the fleet's.
        seed: Seed of the samples of the assumptions.

    Returns:
        One scale per posterior sample, and the constraint that decides in most of them.

    Raises:
        LawError: The law has no compute cost.
        InputError: A budget without a price, or with a price of zero; or limits below anything measured.
    """
    limits, supply = parsed.limits, parsed.supply
    devices = _devices(law_model, parsed, fleet, assumed, seed)
    prices = devices.prices
    if limits.budget is not None and prices is None:
        raise no_price(devices.accelerator)
    if limits.budget is not None and prices is not None and max(prices) == 0 and not supply.data_price:
        raise InputError(
            f"accelerator {devices.accelerator} has price 0, so a budget limits nothing: expected a price, "
            "GPU-hours or a deadline",
            code="price-zero",
            value=devices.accelerator,
            hint=(use("gpu_hours", "deadline"), use("assume", value="price=VALUE")),
        )
    scenarios = broadcast(law_model.scenarios, len(devices.throughputs))
    data_limit = None if law_model.is_joint else supply.data_limit  # a joint law repeats what there is
    scales, binding = [], []
    for i, (scenario, throughput) in enumerate(zip(scenarios, devices.throughputs, strict=True)):
        hours = _hours(scenario, throughput)
        scale_of: dict[str, float] = {}
        if limits.budget is not None and prices is not None:
            dollars = _dollars(scenario, hours, prices[i], supply)
            scale_of["budget"] = scenario.scale_where(dollars, limits.budget)
        if limits.days is not None:
            scale_of["deadline"] = scenario.scale_where(hours, limits.days * 24 * devices.count)
        if limits.gpu_hours is not None:
            scale_of["gpu_hours"] = scenario.scale_where(hours, limits.gpu_hours)
        if data_limit is not None:
            scale_of["data"] = data_limit
        decides = min(scale_of, key=lambda name: scale_of[name])
        scales.append(scale_of[decides])
        binding.append(decides)
    check_not_tiny(law_model, scales, "what the limits allow")
    return tuple(scales), max(dict.fromkeys(binding), key=binding.count)


def constraints_satisfied(
    parsed: ParsedQuestion,
    estimate: Estimate,
    resources: Resources | None,
    *,
    data_cost: Sequence[float],
    reached: Sequence[bool],
) -> Feasible | None:
    """Return how probable it is that a plan satisfies every constraint.

    Args:
        parsed: The question.
        estimate: What the plan needs.
        resources: What it takes on hardware.
        data_cost: Dollars for data, per posterior sample; empty without a price.
        reached: Whether each posterior sample reaches the target.

    Returns:
        The probabilities; None without constraints, or where they are the question.
    """
    if parsed.given is None:
        return None
    limits, data_limit = parsed.limits, parsed.supply.data_limit
    limited = parsed.question.limited
    others: dict[str, Sequence[bool]] = {}
    n = len(reached)
    if parsed.confidence is not None and estimate.target is not None and (data_limit is not None or limited):
        others["target"] = reached  # one plan reaches it in some samples and not in others
    if data_limit is not None:
        within = [x <= data_limit * (1 + ROUNDING) for x in estimate.data.draws]
        others["data"] = broadcast(within, n)
    if limited and resources is not None:
        return feasible(
            resources,
            budget=limits.budget,
            deadline=limits.days,
            gpu_hours=limits.gpu_hours,
            data_cost=data_cost or None,
            others=others,
        )
    return satisfied_together(others, reached) if others else None


def reached(estimate: Estimate, n: int) -> tuple[bool, ...]:
    """Return which posterior samples reach the target.

    Args:
        estimate: What the plan needs.
        n: Number of posterior samples.

    Returns:
        One value per sample; without a target, whether there is a plan at all.
    """
    target = estimate.target
    within = [
        math.isfinite(x) and (target is None or error <= target * (1 + ROUNDING))
        for x, error in zip(estimate.data.draws, estimate.error.draws, strict=True)
    ]
    return broadcast(within, n)


def _devices(
    law_model: LawModel, parsed: ParsedQuestion, fleet: Fleet, assumed: Sequence[Assumption], seed: int
) -> _Devices:
    if not law_model.has_flops:
        raise LawError(
            f"law {law_model.law.id} has no compute cost, so a budget, a deadline or GPU-hours cannot be "
            "turned into "
            "data: expected data or a target",
            code="no-compute-cost",
            value=law_model.law.id,
            hint=MEASURE_COST,
        )
    hardware = parsed.question.hardware
    assert hardware.on is not None
    accelerator = fleet.accelerator(hardware.on)
    overrides = {assumption.name: assumption for assumption in assumed}
    price = overrides.pop("price", None) or price_of(accelerator)
    n = len(law_model.scenarios) if len(law_model.scenarios) > 1 else ASSUMPTION_SAMPLES
    count = hardware.count or fleet.count(accelerator) or DEFAULT_DEVICES
    return _Devices(
        throughputs=throughputs(
            accelerator,
            n,
            count=count if hardware.count is None else hardware.count,
            assumed=fleet.assumptions(accelerator) | overrides,
            seed=seed,
            precision=hardware.precision,
        ),
        prices=None if price is None else price.draws(n, seed),
        count=count,
        accelerator=accelerator.id,
    )


def _hours(scenario: Scenario, throughput: Throughput) -> Callable[[float], float]:
    assert scenario.params is not None
    size = scenario.params
    return lambda x: throughput.hours(scenario.flops(x), size(x))


def _dollars(
    scenario: Scenario, hours: Callable[[float], float], price: float, supply: ParsedSupply
) -> Callable[[float], float]:
    available, data_price = supply.data_available or 0.0, supply.data_price or 0.0

    def dollars(x: float) -> float:
        return price * hours(x) + data_price * max(scenario.data(x) - available, 0.0)

    return dollars
