"""A review as record and Markdown: the record for scripts, and Markdown that starts with a short summary.

The page (`planner/reports/web/page.py`) shows the same record; `docs/guides/review.md` lists its keys.
"""

import dataclasses
import math
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from laws import paths
from laws.errors import harmless
from laws.types import Quantity
from planner import units
from planner.plans.plan import Plan
from planner.plans.quantities import samples_of
from planner.plans.review import TOTALS, Review, end, last_day, total
from planner.reports import estimate_record
from planner.reports.estimate import report
from planner.reports.plots import law_curve
from planner.reports.provenance import law_records, law_sentence, provenance, provenance_sentences
from planner.reports.quantities import counted
from planner.reports.report import Report, markdown
from planner.reports.sentences import LIMITS, NEVER, UNKNOWN, probability

MIN_SHARE = 0.1  # of the variance: without a smaller one, 95% of the interval's width would remain
_MEASURE = {  # unknown of `Plan.sensitivity` -> the measurement that narrows it
    "utilization": "time a few hundred steps of the model on the accelerator and set `utilization`",
    "working_time": "compare the GPU-hours of a past training with its steps and set `working_time`",
    "scaling_loss": "time the same step on 8 and on all devices and set `scaling_loss`",
    "price": "get a quote and set `price`",
    "floor": "measure the error on the largest data you can get: it shows where the curve flattens",
}
_HARDWARE = ("utilization", "working_time", "scaling_loss", "price")
_MEASURE_LAW = "measure more data sizes, above all larger ones: a longer curve shows how it continues"


def record(review: Review) -> dict[str, Any]:
    """Return a review as plain values for scripts.

    Args:
        review: The plans of all products, with the laws that answered.

    Returns:
        What JSON has; each product's `plan` is what `planner estimate --format json` prints.
    """
    plans = [plan for _, plan in review.plans]
    return {
        "title": review.portfolio.title,
        "today": review.today.isoformat(),
        "seed": review.portfolio.seed,
        "summary": {
            "products": len(plans),
            "feasible": sum(estimate_record.feasible(plan) is True for plan in plans),
            "not_feasible": sum(estimate_record.feasible(plan) is False for plan in plans),
            "unlimited": sum(estimate_record.feasible(plan) is None for plan in plans),
            **{name: estimate_record.interval(total(plans, name)) for name in TOTALS},
            "done": _dates(last_day(plans, review.today), review.today),
        },
        "products": [
            {
                "name": product.name,
                "limits": {
                    name: product.question.options()[name]
                    for name in ("budget", "deadline", "gpu_hours", "have_data")
                },
                "done": _dates(end(plan, review.today), review.today),
                "measure": measure(plan),
                "curve": dataclasses.asdict(law_curve.curve(plan, law)),
                "laws": law_records(law),
                "plan": estimate_record.record(plan),
            }
            for (product, plan), law in zip(review.plans, review.laws, strict=True)
        ],
        "provenance": provenance(review),
    }


def measure(plan: Plan) -> str | None:
    """Return which measurement narrows the answer most.

    The interval of a quantity whose logarithm is near normal narrows by the square root of the variance that
    remains.

    Args:
        plan: The answer for one product.

    Returns:
        A sentence or two; None where no unknown affects the answer.
    """
    sensitivity = plan.sensitivity
    if not sensitivity.shares:
        return None
    name, share = max(sensitivity.shares.items(), key=lambda item: item[1])
    width = units.format_fraction(math.sqrt(max(1 - share, 0.0)), digits=2)
    step = _MEASURE.get(name, _MEASURE_LAW)
    if plan.estimate.law.source == "calibrated" and name not in _HARDWARE:
        step += " (`planner next` says which runs)"
    quantity = sensitivity.quantity.replace("_", " ")
    of = f"{units.format_fraction(share, digits=2)} of what moves {quantity}"
    if share < MIN_SHARE:
        return (
            f"No single unknown explains more than {of}. It is uncertain how the curve continues: "
            f"{_MEASURE_LAW}."
        )
    return (
        f"{name.replace('_', ' ').capitalize()} explains {of}: {step}. "
        f"With its exact value, the interval would be about {width} as wide."
    )


def _dates(days: Quantity, today: date) -> dict[str, str | None]:
    """Return the dates on which training ends if it starts today; None where it never ends."""
    levels = {"q05": 0.05, "median": 0.5, "q95": 0.95}
    return {
        name: _date(paths.quantile(days.draws, level), today) if days.draws else None
        for name, level in levels.items()
    }


def _date(days: float, today: date) -> str | None:
    days_left = (date.max - today).days
    return (today + timedelta(days=math.ceil(days))).isoformat() if days <= days_left else None


def as_markdown(review: Review) -> str:
    """Return a review as Markdown.

    Args:
        review: The plans of all products, with the laws that answered.

    Returns:
        A summary, then one chapter per product, then the provenance.
    """
    review_record = record(review)
    chapters = [
        f"# {review_record['title']}",
        headline(review),
        markdown(summary(review, review_record)),
    ]
    for (_, plan), law, row in zip(review.plans, review.laws, review_record["products"], strict=True):
        curve = law_curve.report(law_curve.curve(plan, law))
        chapters += [f"## {row['name']}", markdown(report(plan)), markdown(curve)]
        if row["measure"]:
            chapters.append(f"**What to measure next**: {row['measure']}")
        chapters.append(_list("**Laws**", map(law_sentence, row["laws"])))
    chapters.append(_list("## Provenance", provenance_sentences(review_record["provenance"])))
    return harmless("\n\n".join(chapters) + "\n")


def _list(heading: str, lines: Iterable[str]) -> str:
    return "\n".join([heading, "", *(f"- {line}" for line in lines)])


def headline(review: Review) -> str:
    """Return how many products are feasible.

    Args:
        review: The plans of all products.

    Returns:
        A sentence with the day and the number of products by verdict.
    """
    feasible = [estimate_record.feasible(plan) for _, plan in review.plans]
    parts = [f"{feasible.count(True)} feasible", f"{feasible.count(False)} not feasible"]
    if None in feasible:
        parts.append(f"{feasible.count(None)} without limits")
    return f"As of {review.today}: {counted(len(feasible), 'product')}, {', '.join(parts)}."


class Verdict(StrEnum):
    """Whether a product meets its limits; the values are printed."""

    FEASIBLE = "feasible"
    NOT_FEASIBLE = "not feasible"
    NO_LIMITS = "no limits"


def verdict(plan_record: dict[str, Any]) -> Verdict:
    """Return whether a product meets its limits.

    Args:
        plan_record: The `plan` of a product in the record.

    Returns:
        The verdict.
    """
    feasible = plan_record["feasible"]
    if feasible is None:
        return Verdict.NO_LIMITS
    return Verdict.FEASIBLE if feasible else Verdict.NOT_FEASIBLE


def summary(review: Review, review_record: dict[str, Any]) -> Report:
    """Return the table of the summary.

    Args:
        review: The plans of all products.
        review_record: What `record` returns for it.

    Returns:
        One row per product, and the total.
    """
    rows = [
        (
            row["name"],
            verdict(row["plan"]).value,
            UNKNOWN if row["plan"]["probability"] is None else probability(row["plan"]["probability"]),
            UNKNOWN if plan.binding is None else LIMITS[plan.binding],
            in_brackets(samples_of(plan, "gpu_hours"), units.format_number),
            in_brackets(samples_of(plan, "total_dollars"), units.format_money),
            row["done"]["q95"] or UNKNOWN,
        )
        for (_, plan), row in zip(review.plans, review_record["products"], strict=True)
    ]
    plans = [plan for _, plan in review.plans]
    unknown = {
        product.name: [
            label
            for key, label in (("gpu_hours", "GPU-hours"), ("total_dollars", "cost"))
            if not samples_of(plan, key)
        ]
        for product, plan in review.plans
    }
    missing = [
        f"{name}: unknown {' and '.join(labels)}, left out of the total."
        for name, labels in unknown.items()
        if labels
    ]
    total_row = (
        *("Total", "", "", ""),
        in_brackets(total(plans, "gpu_hours").draws, units.format_number),
        in_brackets(total(plans, "total_dollars").draws, units.format_money),
        review_record["summary"]["done"]["q95"] or UNKNOWN,
    )
    return Report(
        title="Summary",
        columns=("Product", "Verdict", "Probability", "Tightest limit", "GPU-hours", "Cost", "Done by (95%)"),
        rows=(*rows, total_row),
        notes=(
            "Median, with the 90% interval in brackets. Training starts on the day of the review.",
            "Done by: with probability 95%, training has ended on this day.",
            *missing,
        ),
        words=frozenset({0, 1, 3}),
    )


def in_brackets(samples: Sequence[float], print_value: Callable[[float], str]) -> str:
    """Return the median with the 90% interval in brackets.

    Args:
        samples: Posterior samples of a quantity; none where it is not known.
        print_value: Returns a value as text.

    Returns:
        Text such as `1.2k [800, 2k]`; an infinite value is `never`.
    """
    if not samples:
        return UNKNOWN
    low, middle, high = (
        print_value(value) if math.isfinite(value) else NEVER
        for value in (paths.quantile(samples, level) for level in (0.05, 0.5, 0.95))
    )
    return f"{middle} [{low}, {high}]"
