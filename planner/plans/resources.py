"""What an estimate takes on real hardware, and how probably that stays within constraints.

The samples of the estimate, of every assumption and of the price are combined position by position; an
interval or a probability is taken once, of the result.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

from laws.errors import InputError, LawError, drop, use
from planner.assumptions import Assumption
from planner.hardware.cost import Cost, cost
from planner.hardware.fleet import Fleet
from planner.hardware.training import Training, train
from planner.lawmodel.model import MEASURE_COST, LawModel
from planner.lawmodel.scenario import broadcast
from planner.plans.estimate import Estimate
from planner.plans.question import Hardware

ASSUMPTION_SAMPLES = 1000  # of the assumptions, where the law is a published one
DEFAULT_DEVICES = 8  # one machine, where neither the question nor the fleet says how many


class Resources(NamedTuple):
    """Time, memory, money and energy of one training on one kind of accelerator."""

    training: Training
    cost: Cost
    devices_for_deadline: tuple[float, ...] = ()  # per sample, where the deadline decides on the count

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return the warning codes of training and cost."""
        return (*self.training.warnings, *self.cost.warnings)

    @property
    def assumed(self) -> tuple[Assumption, ...]:
        """Return every assumption about the hardware, its price included."""
        price = () if self.cost.price is None else (self.cost.price,)
        return (*self.training.assumed.values(), *price)


class Feasible(NamedTuple):
    """How probable it is that a training satisfies its constraints."""

    probability: float  # of all constraints together
    each: Mapping[str, float]  # of each constraint by itself
    binding: str | None  # the constraint that fails most often; None where none ever does


class ExpectedCost(NamedTuple):
    """The amount of data with the lowest expected cost, where missing the target costs money."""

    data: float  # to train on, in the law's unit
    to_buy: float  # of it, beyond the data in hand
    probability: float  # that it reaches the target
    data_dollars: float
    compute_dollars: float | None  # None without an accelerator
    penalty: float  # dollars that missing the target costs

    @property
    def dollars(self) -> float:
        """Return the expected cost: data, compute, and the penalty by its probability."""
        return self.data_dollars + (self.compute_dollars or 0.0) + self.penalty * (1 - self.probability)


def resources(
    estimate: Estimate,
    fleet: Fleet,
    hardware: Hardware,
    *,
    today: date,
    seed: int = 0,
    overrides: Sequence[Assumption] = (),
) -> Resources:
    """Return what an estimate takes on an accelerator.

    Args:
        estimate: What training needs, per posterior sample.
        fleet: The accelerators and what is assumed of them.
        hardware: The accelerator, with the number of devices: else the fleet's, else 8.
        today: The day that quotes are compared with.
        seed: Seed of the samples of the assumptions.
        overrides: Assumptions that replace the fleet's; one named "price" replaces the quotes.

    Returns:
        Time, memory, money and energy, per posterior sample.

    Raises:
        LawError: The estimate has no FLOP.
        InputError: The accelerator, its precision or the number of devices cannot be used.
    """
    if not estimate.flops.draws:
        raise LawError(
            f"law {estimate.law.id} has no compute cost, so time and cost cannot be estimated",
            code="no-compute-cost",
            value=estimate.law.id,
            hint=(drop("on"), *MEASURE_COST),
        )
    assert hardware.on is not None
    accelerator = fleet.accelerator(hardware.on)
    given = {assumption.name: assumption for assumption in overrides}
    price = given.pop("price", None)
    flops, params = estimate.flops.draws, estimate.params.draws
    n = sample_count(estimate.law_model, len(flops))
    count = fleet.count(accelerator) if hardware.count is None else hardware.count
    training = train(
        broadcast(flops, n),
        broadcast(params, n),
        accelerator,
        count=DEFAULT_DEVICES if count is None else count,
        assumed=fleet.assumptions(accelerator) | given,
        seed=seed,
        precision=hardware.precision,
    )
    return Resources(training=training, cost=cost(training, seed=seed, today=today, price=price))


def sample_count(law_model: LawModel, n: int) -> int:
    """Return how many samples of a training there are.

    Args:
        law_model: The law that answers.
        n: Number of samples of the law.

    Returns:
        As many; by a published law, whose few samples repeat, and by a single one as many as of the
        assumptions.
    """
    return ASSUMPTION_SAMPLES if n == 1 or law_model.law.source == "published" else n


def no_price(accelerator: str) -> InputError:
    """Return the error for a budget where an accelerator has no price.

    Args:
        accelerator: Id of the accelerator.

    Returns:
        The error ("no-price").
    """
    return InputError(
        f"accelerator {accelerator} has no price: expected one for a budget",
        code="no-price",
        value=accelerator,
        hint=use("assume", value="price=VALUE", purpose="or set a price in a fleet file"),
    )


def feasible(
    resources: Resources,
    *,
    budget: float | None = None,
    deadline: float | None = None,
    gpu_hours: float | None = None,
    dollars: Sequence[float] | None = None,
    days: Sequence[float] | None = None,
    others: Mapping[str, Sequence[bool]] | None = None,
) -> Feasible:
    """Return the probability that a training satisfies its constraints and fits into memory.

    A sample that never reaches the target satisfies nothing.

    Args:
        resources: What the training takes.
        budget: Dollars for compute and data.
        deadline: Days of labeling and training.
        gpu_hours: GPU-hours of all devices.
        dollars: Dollars that a budget pays for, per posterior sample; None for those of compute.
        days: Days until the training ends, per posterior sample; None for those of training.
        others: Further constraints -> whether each posterior sample satisfies them.

    Returns:
        The probability of all constraints together and of each by itself.

    Raises:
        InputError: A budget where the accelerator has no price.
    """
    training, paid = resources.training, resources.cost.dollars
    if budget is not None and paid is None:
        raise no_price(training.accelerator.id)
    limits: dict[str, tuple[Sequence[float], float | None]] = {
        "budget": (dollars or paid or (), budget),
        "deadline": (days or training.days, deadline),
        "gpu_hours": (training.gpu_hours, gpu_hours),
        "memory": (training.fewest, training.count if training.fewest else None),
    }
    reached = [hours != math.inf for hours in training.gpu_hours]
    return satisfied_together(within(limits) | dict(others or {}), reached)


def within(limits: Mapping[str, tuple[Sequence[float], float | None]]) -> dict[str, Sequence[bool]]:
    """Return whether each posterior sample stays within each limit.

    Args:
        limits: Constraint -> its posterior samples and its limit; None where nothing limits them.

    Returns:
        Constraint that has a limit -> one value per sample.
    """
    return {
        name: [value <= limit for value in values]
        for name, (values, limit) in limits.items()
        if limit is not None
    }


def satisfied_together(satisfied: Mapping[str, Sequence[bool]], reached: Sequence[bool]) -> Feasible:
    """Return how probable all constraints together and each by itself are.

    Args:
        satisfied: Constraint -> whether each posterior sample satisfies it.
        reached: Whether each posterior sample has a plan at all.

    Returns:
        The probabilities, and the constraint that fails most often.
    """
    together = [all(sample) for sample in zip(reached, *satisfied.values(), strict=True)]
    by_constraint = {name: sum(samples) / len(samples) for name, samples in satisfied.items()}
    worst = min(by_constraint, key=lambda name: by_constraint[name], default=None)
    return Feasible(
        probability=sum(together) / len(together),
        each=by_constraint,
        binding=worst if worst is not None and by_constraint[worst] < 1 else None,
    )
