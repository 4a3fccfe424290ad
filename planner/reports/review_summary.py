"""The summary of a review: for each product what is to be reached, what that takes, when it ends, and whether
it stays within its limits.
"""

import math
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from enum import StrEnum

from laws import paths
from laws.codes import WarningCode
from laws.types import Quantity
from planner import units
from planner.plans.plan import Plan
from planner.plans.quantities import samples_of
from planner.plans.review import Review, end, last_day, total
from planner.reports import estimate_record
from planner.reports.answer import metric_name
from planner.reports.quantities import counted
from planner.reports.report import Report
from planner.reports.sentences import LIMITS, NEVER, UNKNOWN, probability

LIKELY = 0.8  # below, a product within its limits more probably than not is called uncertain
VERDICT_COLUMN = 2  # of the summary
LIMIT_OPTIONS = ("budget", "deadline", "gpu_hours", "have_data")  # of a product in a plan file
_DAY_LEVELS = {"q05": 0.05, "median": 0.5, "q95": 0.95}


class Verdict(StrEnum):
    """Whether a product meets its limits; the values are printed."""

    FEASIBLE = "feasible"
    UNCERTAIN = "uncertain"
    NOT_FEASIBLE = "not feasible"
    NOT_KNOWN = "not known"
    NO_LIMITS = "no limits"


def verdict(plan: Plan) -> Verdict:
    """Return whether a product meets its limits.

    Args:
        plan: The answer for the product.

    Returns:
        `UNCERTAIN` where it does with a probability below LIKELY and no confidence was asked for;
        `NOT_KNOWN` where there are limits, and what they limit is not known.
    """
    feasible = estimate_record.feasible(plan)
    if feasible is None:
        given = plan.question.options()
        return Verdict.NOT_KNOWN if any(given[name] for name in LIMIT_OPTIONS[:3]) else Verdict.NO_LIMITS
    if not feasible:
        return Verdict.NOT_FEASIBLE
    assert plan.feasible is not None
    unsure = plan.confidence is None and plan.feasible.probability < LIKELY
    return Verdict.UNCERTAIN if unsure else Verdict.FEASIBLE


def verdict_text(plan: Plan) -> str:
    """Return the verdict with the probability that all limits hold, such as "uncertain, 67%".

    Args:
        plan: The answer for the product.

    Returns:
        The verdict alone where there are no limits.
    """
    shown = verdict(plan).value
    if plan.feasible is None:
        return shown
    return f"{shown}, {probability(plan.feasible.probability)}"


def headline(review: Review) -> str:
    """Return how many products have each verdict.

    Args:
        review: The plans of all products.

    Returns:
        A sentence with the day and the number of products by verdict.
    """
    verdicts = [verdict(plan) for _, plan in review.plans]
    parts = [f"{verdicts.count(kind)} {kind.value}" for kind in Verdict if kind in verdicts]
    return f"As of {review.today}: {counted(len(verdicts), 'product')}, {', '.join(parts)}."


def to_reach(plan: Plan) -> str:
    """Return the target of a product, or what its limits reach.

    Args:
        plan: The answer for the product.

    Returns:
        Such as "WER 5%", or "loss 2.1 (median)" where no target was set.
    """
    estimate = plan.estimate
    scale, metric = estimate.law.scale.without_unit, metric_name(estimate.law.metric)
    if estimate.target is not None:
        return f"{metric} {scale.format_error(estimate.target)}"
    middle = estimate.own_value.interval().median
    return UNKNOWN if middle is None else f"{metric} {scale.format(middle)} (median)"


def data_to_buy(plan: Plan) -> Quantity:
    """Return the data that a product needs beyond the data in hand.

    Args:
        plan: The answer for the product.

    Returns:
        Posterior samples, in the law's unit of data.
    """
    needs = plan.estimate.data
    return Quantity(
        draws=tuple(plan.parsed.supply.data_to_buy(x) for x in needs.draws),
        unit=needs.unit,
        spread=needs.spread,
    )


def dates(days: Quantity, today: date) -> dict[str, str | None]:
    """Return the dates some days from today; None where that is never, or not known.

    Args:
        days: Posterior samples.
        today: The day of the review.

    Returns:
        q05, median and q95 as ISO dates.
    """
    return {
        name: _date(paths.quantile(days.draws, level), today) if days.draws else None
        for name, level in _DAY_LEVELS.items()
    }


def _date(days: float, today: date) -> str | None:
    days_left = (date.max - today).days
    return (today + timedelta(days=math.ceil(days))).isoformat() if days <= days_left else None


def summary(review: Review) -> Report:
    """Return the table of the summary.

    Args:
        review: The plans of all products.

    Returns:
        One row per product, and the total.
    """
    rows = [(product.name, *_row(plan, review.today)) for product, plan in review.plans]
    plans = [plan for _, plan in review.plans]
    unknown = {
        product.name: [
            label
            for key, label in (("gpu_hours", "GPU-hours"), ("dollars", "compute cost"))
            if not samples_of(plan, key)
        ]
        for product, plan in review.plans
    }
    total_row = (
        *("Total", "", "", "", ""),
        *(in_brackets(total(plans, key).draws, units.format_money) for key in ("data_dollars", "dollars")),
        _finish(last_day(plans, review.today), review.today),
    )
    return Report(
        title="Summary",
        columns=(
            *("Product", "To reach", "Verdict", "Tightest limit"),
            *("Data to buy", "Data cost", "Compute cost", "Finish"),
        ),
        rows=(*rows, total_row),
        notes=(
            "Median, with the 90% interval in brackets. Data to buy is what a product needs beyond the data "
            "in hand.",
            f"Verdict: with the probability that all limits hold; below {LIKELY:.0%} it is uncertain.",
            *(
                f"{product.name}: the probability holds only if law {plan.estimate.law.id} holds for you; "
                "other studies differ by more."
                for product, plan in review.plans
                if plan.feasible is not None and WarningCode.STANDARD_ERRORS in plan.estimate.warnings
            ),
            *(
                f"{product.name}: the finish is that of training; `data_rate` adds the time to get the data."
                for product, plan in review.plans
                if _waits_for_data(plan)
            ),
            *(
                f"{name}: unknown {' and '.join(labels)}, left out of the total."
                for name, labels in unknown.items()
                if labels
            ),
        ),
        words=frozenset({0, 1, 2, 3}),
    )


def _row(plan: Plan, today: date) -> tuple[str, ...]:
    buy = data_to_buy(plan)
    return (
        to_reach(plan),
        verdict_text(plan),
        UNKNOWN if plan.binding is None else LIMITS[plan.binding],
        _amount(buy),
        in_brackets(samples_of(plan, "data_dollars"), units.format_money),
        in_brackets(samples_of(plan, "dollars"), units.format_money),
        _finish(end(plan, today), today),
    )


def _waits_for_data(plan: Plan) -> bool:
    """Return whether data is to be bought, and nothing says how long that takes."""
    buys = data_to_buy(plan).draws
    asks = plan.parsed.supply.data_available is not None or plan.parsed.supply.data_price is not None
    trains = bool(plan.duration.total.draws) and not plan.duration.labeling.draws
    return asks and trains and bool(buys) and paths.quantile(buys, 0.5) > 0


def _amount(data: Quantity) -> str:
    return in_brackets(data.draws, units.format_count, unit=f" {units.data_in_words(data.unit)}")


def _finish(days: Quantity, today: date) -> str:
    ends = dates(days, today)
    if ends["median"] is None and ends["q05"] is None:
        return NEVER if days.draws else UNKNOWN
    low, middle, high = (ends[name] or NEVER for name in ("q05", "median", "q95"))
    return middle if low == high else f"{middle} [{low}, {high}]"


def in_brackets(samples: Sequence[float], print_value: Callable[[float], str], *, unit: str = "") -> str:
    """Return the median with the 90% interval in brackets.

    Args:
        samples: Posterior samples of a quantity; none where it is not known.
        print_value: Returns a value as text.
        unit: What follows the median.

    Returns:
        Text such as `1.2k [800, 2k]`, `1.2k [800 or more]` without an upper
        bound, or one value where the ends print alike; an infinite median is `never`.
    """
    if not samples:
        return UNKNOWN
    low, middle, high = (
        print_value(value) if math.isfinite(value) else NEVER
        for value in (paths.quantile(samples, level) for level in (0.05, 0.5, 0.95))
    )
    if not math.isfinite(paths.quantile(samples, 0.95)) and middle != NEVER:
        return f"{middle}{unit} [{low} or more]"
    return f"{middle}{unit}" if low == high else f"{middle}{unit} [{low}, {high}]"
