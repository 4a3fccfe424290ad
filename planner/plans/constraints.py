"""Constraints on money, time, hours and data: the largest plan within them, and how probably one is."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from laws.errors import InputError, LawError, MissingInput, drop, use
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
    DEFAULT_DEVICES,
    Feasible,
    Resources,
    feasible,
    no_price,
    sample_count,
    satisfied_together,
    within,
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
        LawError: The law has no compute cost, and the limits are not of data only.
        InputError: A budget without a price, or with a price of zero; or limits below anything measured.
    """
    if not computes(law_model, parsed):
        scales, binding = _largest_data(law_model, parsed)
    else:
        scales, binding = _largest_trainings(
            law_model, parsed, _devices(law_model, parsed, fleet, assumed, seed)
        )
    check_not_tiny(law_model, scales, "what the limits allow")
    return tuple(scales), max(dict.fromkeys(binding), key=binding.count)


def computes(law_model: LawModel, parsed: ParsedQuestion) -> bool:
    """Return whether a plan includes the training on an accelerator.

    Without one, and where the law has no compute cost, the plan is of the data: its price and its pace.

    Args:
        law_model: The law that answers.
        parsed: The question.

    Returns:
        False where the plan is of data only.

    Raises:
        LawError: An accelerator is named, the law has no compute cost, and a limit needs one
            ("no-compute-cost").
    """
    if parsed.question.hardware.on is None:
        return False
    limits, supply = parsed.limits, parsed.supply
    needs_compute = (
        limits.gpu_hours is not None
        or (limits.budget is not None and supply.data_price is None)
        or (limits.days is not None and supply.data_rate is None)
    )
    if not law_model.has_flops and needs_compute:
        raise LawError(
            f"law {law_model.law.id} has no compute cost, so a budget, a deadline or GPU-hours cannot be "
            "turned into "
            "data: expected data or a target",
            code="no-compute-cost",
            value=law_model.law.id,
            hint=(use("data_price", "data_rate", purpose="to plan the data only"), *MEASURE_COST),
        )
    return law_model.has_flops


def _largest_data(law_model: LawModel, parsed: ParsedQuestion) -> tuple[list[float], list[str]]:
    """Return the data that the limits allow, as a scale per scenario, and which limit decides."""
    limits, supply = parsed.limits, parsed.supply
    available = supply.data_available or 0.0
    amounts: dict[str, float] = {}
    if limits.budget is not None and supply.data_price is not None:
        amounts["budget"] = available + supply.data_price.amount_for(limits.budget)
    if limits.days is not None and supply.data_rate is not None:
        amounts["deadline"] = available + supply.data_rate * limits.days
    if supply.data_limit is not None:
        amounts["data"] = supply.data_limit
    decides = min(amounts, key=lambda name: amounts[name])
    amount = amounts[decides]
    if math.isinf(amount):
        raise InputError(
            "the data has price 0, so a budget limits nothing: expected a price of data, or an accelerator",
            code="price-zero",
            value=parsed.question.supply.data_price,
            hint=use("on", "data_price"),
        )
    if law_model.is_joint and supply.data_available is not None:
        raise MissingInput(
            f"law {law_model.law.id} repeats the data you have, so its error depends on the compute too: "
            "expected an accelerator, got none",
            code="missing-accelerator",
            hint=(use("on", value="h100"), drop("have_data")),
        )
    if law_model.is_joint:
        scales = [scenario.scale_where(scenario.data, amount) for scenario in law_model.scenarios]
    else:
        scales = [amount] * len(law_model.scenarios)
    return scales, [decides] * len(scales)


def _largest_trainings(
    law_model: LawModel, parsed: ParsedQuestion, devices: _Devices
) -> tuple[list[float], list[str]]:
    """Return the largest training within the limits, as a scale per sample, and which limit decides."""
    limits, supply = parsed.limits, parsed.supply
    prices = devices.prices
    if limits.budget is not None and prices is None:
        raise no_price(devices.accelerator)
    data_is_free = supply.data_price is None or supply.data_price.is_free
    if limits.budget is not None and prices is not None and max(prices) == 0 and data_is_free:
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
            device_hours = _device_hours(scenario, hours, devices.count, supply)
            scale_of["deadline"] = scenario.scale_where(device_hours, limits.days * 24 * devices.count)
        if limits.gpu_hours is not None:
            scale_of["gpu_hours"] = scenario.scale_where(hours, limits.gpu_hours)
        if data_limit is not None:
            scale_of["data"] = data_limit
        decides = min(scale_of, key=lambda name: scale_of[name])
        scales.append(scale_of[decides])
        binding.append(decides)
    return scales, binding


def constraints_satisfied(
    parsed: ParsedQuestion,
    estimate: Estimate,
    resources: Resources | None,
    *,
    dollars: Sequence[float],
    days: Sequence[float],
    reached: Sequence[bool],
) -> Feasible | None:
    """Return how probable it is that a plan satisfies every constraint and fits into memory.

    A sample that never reaches the target satisfies nothing.

    Args:
        parsed: The question.
        estimate: What the plan needs.
        resources: What it takes on hardware; None for a plan of data only.
        dollars: Cost of data and compute, as far as it is known, per posterior sample.
        days: Days of labeling and training, as far as they are known, per posterior sample.
        reached: Whether each posterior sample reaches the target.

    Returns:
        The probabilities; None without constraints, or where they are the question.

    Raises:
        InputError: A budget where the accelerator has no price.
    """
    if parsed.given is None:
        return None
    limits, data_limit = parsed.limits, parsed.supply.data_limit
    limited = parsed.question.limited
    others: dict[str, Sequence[bool]] = {}
    if parsed.confidence is not None and estimate.target is not None and (data_limit is not None or limited):
        others["target"] = reached  # one plan reaches it in some samples and not in others
    if data_limit is not None:
        enough = [x <= data_limit * (1 + ROUNDING) for x in estimate.data.draws]
        others["data"] = broadcast(enough, len(reached))
    if limited and resources is not None:
        return feasible(
            resources,
            budget=limits.budget,
            deadline=limits.days,
            gpu_hours=limits.gpu_hours,
            dollars=dollars,
            days=days,
            others=others,
        )
    if limited:
        others = within({"budget": (dollars, limits.budget), "deadline": (days, limits.days)}) | others
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
    hardware = parsed.question.hardware
    assert hardware.on is not None
    accelerator = fleet.accelerator(hardware.on)
    overrides = {assumption.name: assumption for assumption in assumed}
    price = overrides.pop("price", None) or price_of(accelerator)
    n = sample_count(law_model, len(law_model.scenarios))
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
    data_price = supply.data_price
    if data_price is None:
        return lambda x: price * hours(x)
    return lambda x: price * hours(x) + data_price.cost(supply.data_to_buy(scenario.data(x)))


def _device_hours(
    scenario: Scenario, hours: Callable[[float], float], count: int, supply: ParsedSupply
) -> Callable[[float], float]:
    """Return the device-hours until the training ends, those that wait for data included."""
    rate = supply.data_rate
    if rate is None:
        return hours
    return lambda x: hours(x) + supply.data_to_buy(scenario.data(x)) / rate * 24 * count
