"""What an estimate takes on real machines, and whether that stays within a budget and a deadline.

The draws of the estimate, of every assumption and of the price meet position by position; an interval or a
probability is taken once, of the result.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from laws.errors import PlannerError
from planner.assumptions import Assumption
from planner.hardware.cost import Cost, cost
from planner.hardware.fleet import Fleet
from planner.hardware.training import Training, train
from planner.lawmodel.model import COSTED
from planner.lawmodel.scenario import for_each
from planner.plans.estimate import Estimate

DRAWS = 1000  # of the assumptions, where the law is a single published figure
ONE_MACHINE = 8  # devices, where neither the question nor the fleet says how many


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Time, memory, money and energy of one training on one kind of part."""

    training: Training
    cost: Cost

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return the codes of everything doubtful, as `planner/warnings.py` explains them."""
        return (*self.training.warnings, *self.cost.warnings)

    @property
    def assumed(self) -> tuple[Assumption, ...]:
        """Return everything taken for granted, the price included."""
        price = () if self.cost.price is None else (self.cost.price,)
        return (*self.training.assumed.values(), *price)


@dataclass(frozen=True, kw_only=True)
class Feasible:
    """How probable it is that a training stays within its limits."""

    probability: float  # of all limits together
    each: Mapping[str, float]  # of each limit alone
    binding: str | None  # the limit that most often fails; None where none ever does


def resources(
    estimate: Estimate,
    fleet: Fleet,
    part: str,
    *,
    today: date,
    seed: int = 0,
    count: int | None = None,
    precision: str | None = None,
    overrides: Sequence[Assumption] = (),
) -> Resources:
    """Return what an estimate takes on `count` devices of a part.

    The count is the one asked for, else the fleet's, else 8. `overrides` replace what the fleet assumes; one
    named "price" replaces the quotes. Raises PlannerError where the estimate knows no FLOP.
    """
    if not estimate.flops.draws:
        raise PlannerError(
            f"law {estimate.law.id} says nothing of FLOP, so neither time nor money follow: leave --on out, "
            f"or {COSTED}"
        )
    chosen = fleet.accelerator(part)
    given = {assumption.name: assumption for assumption in overrides}
    price = given.pop("price", None)
    flops, params = estimate.flops.draws, estimate.params.draws
    n = len(flops) if len(flops) > 1 else DRAWS
    number = fleet.count(chosen) if count is None else count
    training = train(
        for_each(flops, n),
        for_each(params, n),
        chosen,
        count=ONE_MACHINE if number is None else number,
        assumed=fleet.assumptions(chosen) | given,
        seed=seed,
        precision=precision,
    )
    return Resources(training=training, cost=cost(training, seed=seed, today=today, price=price))


def feasible(
    found: Resources,
    *,
    budget: float | None = None,
    deadline: float | None = None,
    gpu_hours: float | None = None,
    collection: Sequence[float] | None = None,
    others: Mapping[str, Sequence[bool]] | None = None,
) -> Feasible:
    """Return the probability of staying within dollars, days and GPU-hours, and of fitting into memory.

    `collection` is what data costs beside compute, in dollars; `others` are further limits with the draws
    that keep them. A draw that never reaches the target stays within nothing. Raises PlannerError for a
    budget where there is no price.
    """
    training, dollars = found.training, found.cost.dollars
    if budget is not None and dollars is None:
        raise PlannerError(
            f"{training.accelerator.id} has no price, so no budget can be held: give one with --assume price=VALUE "
            "or in a fleet file"
        )
    if dollars is not None and collection is not None:
        dollars = tuple(a + b for a, b in zip(dollars, collection, strict=True))
    limits: dict[str, tuple[Sequence[float], float | None]] = {
        "budget": (dollars or (), budget),
        "deadline": (training.days, deadline),
        "gpu_hours": (training.gpu_hours, gpu_hours),
        "memory": (training.fewest, training.count if training.fewest else None),
    }
    kept: dict[str, Sequence[bool]] = {
        name: [value <= limit for value in values]
        for name, (values, limit) in limits.items()
        if limit is not None
    }
    reached = [hours != float("inf") for hours in training.gpu_hours]
    return held(kept | dict(others or {}), reached)


def held(kept: Mapping[str, Sequence[bool]], reached: Sequence[bool]) -> Feasible:
    """Return how probable all limits together and each alone are, from the draws that keep them."""
    together = [all(at) for at in zip(reached, *kept.values(), strict=True)]
    each = {name: sum(draws) / len(draws) for name, draws in kept.items()}
    worst = min(each, key=lambda name: each[name], default=None)
    return Feasible(
        probability=sum(together) / len(together),
        each=each,
        binding=worst if worst is not None and each[worst] < 1 else None,
    )
