"""A portfolio held against its limits: what everything takes together, and each product by itself.

Position i of every draw is the same possible world, also across products: what one price or one law costs
more, it costs all products that stand on it. A total is therefore summed draw by draw.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from laws.errors import PlannerError
from laws.storage.store import Store
from laws.types import Quantity
from planner.hardware.fleet import Fleet, read_fleet
from planner.lawmodel.select import SelectedLaw, select_law
from planner.lawmodel.selector import LawSelector
from planner.plans.plan import Plan, plan_by
from planner.plans.portfolio import Portfolio, Product
from planner.plans.quantities import kind_of, samples_of
from planner.plans.question import check
from planner.plans.tracking.forecasts import as_saved_forecast
from planner.plans.tracking.forecasts import save_forecasts as save

TOTALS = ("gpu_hours", "total_dollars", "energy", "carbon")  # quantities that add up over products


@dataclass(frozen=True, kw_only=True)
class Review:
    """Every product with its plan, and the laws that answered."""

    portfolio: Portfolio
    today: date
    folder: Path  # of the store
    fleet: Fleet
    plans: tuple[tuple[Product, Plan], ...]
    chosen: tuple[SelectedLaw, ...]  # in the order of the plans


def review(portfolio: Portfolio, folder: Path, *, today: date | None = None) -> Review:
    """Return the plan of every product, by the laws in the store at `folder`.

    The day is `today`, else the plan file's. Raises PlannerError for no day, and for a product that has no
    plan, by its name.
    """
    day = today or portfolio.today
    if day is None:
        raise PlannerError("the plan has no day: give --today, or `today = 2026-11-23` in the file")
    fleet = read_fleet(portfolio.fleet)
    laws: dict[LawSelector, SelectedLaw] = {}  # fifty products that ask one law read it once
    found, chosen = [], []
    for product in portfolio.products:
        question = product.question
        try:
            check(question)
            if question.selector not in laws:
                laws[question.selector] = select_law(question.selector, folder)
            law = laws[question.selector]
            found.append((product, plan_by(law, question, folder, fleet, today=day, seed=portfolio.seed)))
        except PlannerError as error:
            raise PlannerError(f"product {product.name!r}: {error}") from error
        chosen.append(law)
    return Review(
        portfolio=portfolio,
        today=day,
        folder=folder,
        fleet=fleet,
        plans=tuple(found),
        chosen=tuple(chosen),
    )


def save_forecasts(review: Review, assumptions: Callable[[Plan], Sequence[str]]) -> int:
    """Save the forecast of each product in the store of the review.

    Args:
        review: The plans of all products.
        assumptions: Returns the assumptions of a plan as sentences, which a forecast keeps.

    Returns:
        How many forecasts were saved.
    """
    forecasts = [
        as_saved_forecast(
            plan, assumptions(plan), today=review.today, seed=review.portfolio.seed, name=product.name
        )
        for product, plan in review.plans
    ]
    save(Store(review.folder), forecasts)
    return len(forecasts)


def total(plans: Sequence[Plan], name: str) -> Quantity:
    """Return the sum of a quantity over the plans that know it, draw by draw."""
    known = [draws for each in plans if (draws := samples_of(each, name))]
    n = max(map(len, known), default=0)
    # fewer draws of one law stand for as many of the next, over and over: their order means nothing
    summed = tuple(sum(draws[i % len(draws)] for draws in known) for i in range(n))
    return Quantity(draws=summed, unit=kind_of(name).unit)


def last_day(plans: Sequence[Plan]) -> Quantity:
    """Return the days after which every training is done if all begin at once, draw by draw."""
    known = [draws for each in plans if (draws := samples_of(each, "days"))]
    n = max(map(len, known), default=0)
    return Quantity(
        draws=tuple(max((draws[i % len(draws)] for draws in known), default=math.inf) for i in range(n)),
        unit="days",
    )
