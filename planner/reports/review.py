"""A review as it is shown: the record for scripts, and Markdown, whose summary is read in a minute.

The page (`planner/reports/web/page.py`) shows the same record; `docs/guides/review.md` names its keys.
"""

import dataclasses
import math
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from laws import paths
from laws.errors import harmless
from laws.types import Quantity
from planner import units
from planner.plans.plan import Plan
from planner.plans.quantities import samples_of
from planner.plans.review import TOTALS, Review, last_day, total
from planner.reports import estimate_record as answer
from planner.reports.estimate import probability, report
from planner.reports.plots import law_curve as lawcurve
from planner.reports.plots.law_curve import curve
from planner.reports.provenance import in_words, law_in_words, laws, trail
from planner.reports.quantities import counted
from planner.reports.report import Report, markdown

# what to do about an unknown, by its name in `Plan.sensitivity`
_MEASURE = {
    "utilization": "time a few hundred steps of the model on the part and set `utilization`",
    "scaling_loss": "time the same step on 8 and on all devices and set `scaling_loss`",
    "price": "get a quote and set `price`",
    "floor": "measure the error on the largest data that can be had: it shows where the curve flattens",
}
_MACHINES = ("utilization", "scaling_loss", "price")
LITTLE = 0.1  # of the variance: knowing it would leave 95 % of the interval's width
_MEASURE_LAW = "measure more data sizes, the largest above all: a longer curve says how it goes on"


def record(found: Review) -> dict[str, Any]:
    """Return what JSON carries; each product's `plan` is what `planner estimate --format json` prints."""
    plans = [each for _, each in found.plans]
    return {
        "title": found.portfolio.title,
        "today": found.today.isoformat(),
        "seed": found.portfolio.seed,
        "summary": {
            "products": len(plans),
            "feasible": sum(answer.feasible(each) is True for each in plans),
            "not_feasible": sum(answer.feasible(each) is False for each in plans),
            "unlimited": sum(answer.feasible(each) is None for each in plans),
            **{name: answer.interval(total(plans, name)) for name in TOTALS},
            "done": _days(last_day(plans), found.today),
        },
        "products": [
            {
                "name": product.name,
                "limits": {
                    name: product.question.options()[name]
                    for name in ("budget", "deadline", "gpu_hours", "have_data")
                },
                "done": _days(Quantity(draws=samples_of(each, "days"), unit="days"), found.today),
                "measure": measure(each),
                "curve": dataclasses.asdict(curve(each, law)),
                "laws": laws(law),
                "plan": answer.record(each),
            }
            for (product, each), law in zip(found.plans, found.chosen, strict=True)
        ],
        "trail": trail(found),
    }


def measure(found: Plan) -> str | None:
    """Return which measurement narrows the answer most, None where nothing uncertain moves it.

    An interval of a quantity whose logarithm is near normal narrows by the square root of what is left of
    the variance.
    """
    if not found.sensitivity.shares:
        return None
    name, share = max(found.sensitivity.shares.items(), key=lambda item: item[1])
    left = math.sqrt(max(1 - share, 0.0))
    what = _MEASURE.get(name, _MEASURE_LAW)
    if found.estimate.law.source == "calibrated" and name not in _MACHINES:
        what += " (`planner next` says which runs)"
    of = f"{units.format_fraction(share, digits=2)} of the variance of log {found.sensitivity.quantity.replace('_', ' ')}"
    if share < LITTLE:
        return (
            f"No unknown alone holds more than {of}: what is open is how the curve goes on; {_MEASURE_LAW}."
        )
    return (
        f"{name.replace('_', ' ')} holds {of}: {what}. Knowing it would leave about "
        f"{units.format_fraction(left, digits=2)} of the interval's width."
    )


def _days(ends: Quantity, today: date) -> dict[str, str | None]:
    """Return the days on which training ends if it begins today; None where it never does."""
    levels = {"q05": 0.05, "median": 0.5, "q95": 0.95}
    return {
        name: _day(paths.quantile(ends.draws, level), today) if ends.draws else None
        for name, level in levels.items()
    }


def _day(days: float, today: date) -> str | None:
    left = (date.max - today).days
    return (today + timedelta(days=math.ceil(days))).isoformat() if days <= left else None


def as_markdown(found: Review) -> str:
    """Return the review as Markdown: the summary that is read in a minute, then product by product."""
    told = record(found)
    pages = [f"# {told['title']}", headline(found), markdown(summary(found, told))]
    for (_, each), law, row in zip(found.plans, found.chosen, told["products"], strict=True):
        pages += [f"## {row['name']}", markdown(report(each)), markdown(lawcurve.report(curve(each, law)))]
        if row["measure"]:
            pages.append(f"**What to measure next**: {row['measure']}")
        pages.append("\n".join(["**Trail**", "", *(f"- {law_in_words(law)}" for law in row["laws"])]))
    trail = "\n".join(["## Trail", "", *(f"- {x}" for x in in_words(told["trail"]))])
    return harmless("\n\n".join([*pages, trail]) + "\n")


def headline(found: Review) -> str:
    """Return how many products are feasible, in one sentence."""
    fits = [answer.feasible(each) for _, each in found.plans]
    parts = [f"{fits.count(True)} feasible", f"{fits.count(False)} not feasible"]
    if None in fits:
        parts.append(f"{fits.count(None)} without limits")
    return f"As of {found.today}: {counted(len(fits), 'product')}, {', '.join(parts)}."


def verdict(plan: dict[str, Any]) -> str:
    """Return whether a product is feasible, in a word or two."""
    fits = plan["feasible"]
    return "no limits" if fits is None else "feasible" if fits else "not feasible"


def summary(found: Review, told: dict[str, Any]) -> Report:
    """Return one line a product, and the total."""
    rows = [
        (
            row["name"],
            verdict(row["plan"]),
            "-" if row["plan"]["probability"] is None else probability(row["plan"]["probability"]),
            (each.binding or "-").replace("_", " "),
            between(samples_of(each, "gpu_hours"), units.format_number),
            between(samples_of(each, "total_dollars"), units.format_money),
            row["done"]["q95"] or "-",
        )
        for (_, each), row in zip(found.plans, told["products"], strict=True)
    ]
    plans = [each for _, each in found.plans]
    hours, dollars = (total(plans, name).draws for name in ("gpu_hours", "total_dollars"))
    missing = [
        f"{product.name}: no {words} known, left out of the total."
        for product, each in found.plans
        for name, words in (("gpu_hours", "GPU-hours"), ("total_dollars", "price"))
        if not samples_of(each, name)
    ]
    last = (
        *("Total", "", "", ""),
        between(hours, units.format_number),
        between(dollars, units.format_money),
        told["summary"]["done"]["q95"] or "-",
    )
    return Report(
        title="Summary",
        columns=("Product", "", "Probability", "Binds", "GPU-hours", "Dollars", "Done (95%)"),
        rows=(*rows, last),
        notes=(
            "Median, and the 90% interval in brackets. Training begins on the day of the review.",
            *missing,
        ),
        words=frozenset({0, 1, 3}),
    )


def between(draws: Sequence[float], show: Callable[[float], str]) -> str:
    """Return the median of some draws with its 90 % interval in brackets."""
    if not draws:
        return "-"
    low, middle, high = (
        show(value) if math.isfinite(value) else "never"
        for value in (paths.quantile(draws, level) for level in (0.05, 0.5, 0.95))
    )
    return f"{middle} [{low}, {high}]"
