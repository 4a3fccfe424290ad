"""A review as record and Markdown: the record for scripts, and Markdown that starts with a short summary.

The page (`planner/reports/web/page.py`) shows the same record; `docs/guides/review.md` lists its keys.
"""

import dataclasses
import math
from collections.abc import Iterable
from typing import Any

from laws.errors import harmless
from planner import units
from planner.plans.plan import Plan
from planner.plans.review import TOTALS, Review, end, last_day, total
from planner.reports import estimate_record
from planner.reports.estimate import report
from planner.reports.plots import law_curve
from planner.reports.provenance import law_records, law_sentence, provenance, provenance_sentences
from planner.reports.report import markdown
from planner.reports.review_summary import (
    LIMIT_OPTIONS,
    Verdict,
    data_to_buy,
    dates,
    headline,
    summary,
    verdict,
)

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
            "uncertain": sum(verdict(plan) is Verdict.UNCERTAIN for plan in plans),
            "unlimited": sum(estimate_record.feasible(plan) is None for plan in plans),
            **{name: estimate_record.interval(total(plans, name)) for name in TOTALS},
            "done": dates(last_day(plans, review.today), review.today),
        },
        "products": [
            {
                "name": product.name,
                "limits": {name: product.question.options()[name] for name in LIMIT_OPTIONS},
                "verdict": verdict(plan).value,
                "data_to_buy": estimate_record.interval(data_to_buy(plan)),
                "done": dates(end(plan, review.today), review.today),
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
        markdown(summary(review)),
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
