"""A review: the plan of each product of a portfolio, and totals over all of them.

Posterior sample i is the same scenario in every product, so products that share a price or a law share its
uncertainty. A total is therefore summed sample by sample.
"""

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
from planner.plans.portfolio import Portfolio, Product, in_product
from planner.plans.quantities import kind_of, samples_of
from planner.plans.question import check
from planner.plans.tracking.forecasts import as_saved_forecast
from planner.plans.tracking.forecasts import save_forecasts as save

TOTALS = (
    "gpu_hours",
    "data_dollars",
    "dollars",
    "total_dollars",
    "energy",
    "carbon",
)  # quantities that add up over products


@dataclass(frozen=True, kw_only=True)
class Review:
    """Every product with its plan, and the laws that answered."""

    portfolio: Portfolio
    today: date
    folder: Path  # of the store
    fleet: Fleet
    plans: tuple[tuple[Product, Plan], ...]
    laws: tuple[SelectedLaw, ...]  # in the order of the plans


def review(portfolio: Portfolio, folder: Path, *, today: date) -> Review:
    """Compute the plan of every product.

    Args:
        portfolio: The products.
        folder: Folder of the store whose laws answer.
        today: The day of the review.

    Returns:
        The plans and the laws that answered, in the order of the products.

    Raises:
        PlannerError: A product has no plan; its name is in front of the message.
    """
    fleet = read_fleet(portfolio.fleet)
    laws: dict[LawSelector, SelectedLaw] = {}  # products that share a law read it once
    plans, selected = [], []
    for product in portfolio.products:
        question = product.question
        try:
            check(question)
            if question.selector not in laws:
                laws[question.selector] = select_law(question.selector, folder)
            law = laws[question.selector]
            plan = plan_by(law, question, folder, fleet, today=today, seed=portfolio.seed)
            if plan.law_model.families:  # the page can compute with one family only: the most probable one
                law = law.of_family(plan.estimate.law.family)
                plan = plan_by(law, question, folder, fleet, today=today, seed=portfolio.seed)
            plans.append((product, plan))
        except PlannerError as error:
            raise in_product(error, product.name) from None
        selected.append(law)
    return Review(
        portfolio=portfolio,
        today=today,
        folder=folder,
        fleet=fleet,
        plans=tuple(plans),
        laws=tuple(selected),
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


def total(plans: Sequence[Plan], key: str) -> Quantity:
    """Return the sum of a quantity over the plans that have it.

    Args:
        plans: The plans of several products.
        key: The key of a quantity.

    Returns:
        The sum per posterior sample, in base units. Of a product whose compute has no known cost, its data
        counts in the total cost.
    """
    samples = [draws for plan in plans if (draws := samples_of(plan, key) or _data_alone(plan, key))]
    # samples are in random order, so a law with fewer of them is repeated
    summed = (sum(draws[i % len(draws)] for draws in samples) for i in range(_most(samples)))
    return Quantity(draws=tuple(summed), unit=kind_of(key).unit)


def _data_alone(plan: Plan, key: str) -> tuple[float, ...]:
    return plan.cost.data.draws if key == "total_dollars" else ()


def end(plan: Plan, today: date) -> Quantity:
    """Return the days from today until a plan ends: with its training, else with its labeling.

    Args:
        plan: The plan of one product.
        today: The day of the review.

    Returns:
        Days per posterior sample; without samples where neither is known.
    """
    wait = (plan.duration.start - today).days
    days = plan.duration.total.draws or plan.duration.labeling.draws
    return Quantity(draws=tuple(wait + value for value in days), unit="days")


def last_day(plans: Sequence[Plan], today: date) -> Quantity:
    """Return the days until the last plan ends.

    Args:
        plans: The plans of several products.
        today: The day of the review.

    Returns:
        Days per posterior sample.
    """
    samples = [draws for plan in plans if (draws := end(plan, today).draws)]
    latest = (max(draws[i % len(draws)] for draws in samples) for i in range(_most(samples)))
    return Quantity(draws=tuple(latest), unit="days")


def _most(samples: Sequence[Sequence[float]]) -> int:
    return max(map(len, samples), default=0)
