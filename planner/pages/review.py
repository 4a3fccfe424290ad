"""A review as it is shown: the record for scripts, and Markdown, whose summary is read in a minute."""

import math
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from laws import paths
from planner import units
from planner.pages import answer
from planner.pages.render import Sheet, markdown
from planner.pages.sheet import probability, sheet
from planner.plans.plan import Plan
from planner.plans.review import TOTALS, Review, draws_of, total

# what to do about an unknown, by its name in `Plan.sensitivity`
_MEASURE = {
    "utilisation": "time a few hundred steps of the model on the part and set `utilisation`",
    "scaling_loss": "time the same step on 8 and on all devices and set `scaling_loss`",
    "price": "get a quote and set `price`",
    "offset": "measure the error on the largest data that can be had: it shows where the curve flattens",
}
_MEASURE_LAW = "measure more data sizes, the largest above all: a longer curve fixes its slope"


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
        },
        "products": [
            {
                "name": product.name,
                "done": _done(each, found.today),
                "measure": measure(each),
                "plan": answer.record(each),
            }
            for product, each in found.plans
        ],
    }


def measure(found: Plan) -> str | None:
    """Return which measurement narrows the answer most, None where nothing uncertain moves it.

    An interval of a quantity whose logarithm is near normal narrows by the square root of what is left of
    the variance.
    """
    if not found.sensitivity:
        return None
    name, share = max(found.sensitivity.items(), key=lambda item: item[1])
    left = math.sqrt(max(1 - share, 0.0))
    what = _MEASURE.get(name, _MEASURE_LAW)
    return (
        f"{name.replace('_', ' ')} holds {units.format_fraction(share, digits=2)} of the variance of log "
        f"{found.sensitive.replace('_', ' ')}: {what}. Knowing it would leave about "
        f"{units.format_fraction(left, digits=2)} of the interval's width."
    )


def _done(found: Plan, today: date) -> dict[str, str | None]:
    """Return the days on which the training ends if it begins today; None where it never does."""
    draws = draws_of(found, "days")
    ends = {"q05": 0.05, "median": 0.5, "q95": 0.95}
    return {
        name: _day(paths.quantile(draws, level), today) if draws else None for name, level in ends.items()
    }


def _day(days: float, today: date) -> str | None:
    left = (date.max - today).days
    return (today + timedelta(days=math.ceil(days))).isoformat() if days <= left else None


def as_markdown(found: Review) -> str:
    """Return the review as Markdown: the summary that is read in a minute, then product by product."""
    told = record(found)
    pages = [f"# {told['title']}", _headline(told), markdown(_summary(found, told))]
    for (_, each), row in zip(found.plans, told["products"], strict=True):
        pages += [f"## {row['name']}", markdown(sheet(each))]
        if row["measure"]:
            pages.append(f"**What to measure next**: {row['measure']}")
    return "\n\n".join([*pages, _trail(told)]) + "\n"


def _headline(told: dict[str, Any]) -> str:
    summary = told["summary"]
    parts = [f"{summary['feasible']} feasible", f"{summary['not_feasible']} not feasible"]
    if summary["unlimited"]:
        parts.append(f"{summary['unlimited']} without limits")
    return f"As of {told['today']}: {summary['products']} products, {', '.join(parts)}."


def _summary(found: Review, told: dict[str, Any]) -> Sheet:
    rows = []
    for (_, each), row in zip(found.plans, told["products"], strict=True):
        fits = row["plan"]["feasible"]
        rows.append(
            (
                row["name"],
                "no limits" if fits is None else "feasible" if fits else "not feasible",
                "-" if row["plan"]["probability"] is None else probability(row["plan"]["probability"]),
                (each.binding or "-").replace("_", " "),
                _range(draws_of(each, "gpu_hours"), units.format_number),
                _range(draws_of(each, "total_dollars"), units.format_money),
                row["done"]["q95"] or "-",
            )
        )
    plans = [each for _, each in found.plans]
    hours, dollars = (total(plans, name).draws for name in ("gpu_hours", "total_dollars"))
    missing = [
        f"{product.name}: no {words} known, left out of the total"
        for product, each in found.plans
        for name, words in (("gpu_hours", "GPU-hours"), ("total_dollars", "price"))
        if not draws_of(each, name)
    ]
    last = ("Total", "", "", "", _range(hours, units.format_number), _range(dollars, units.format_money), "")
    return Sheet(
        title="Summary",
        columns=("Product", "", "Probability", "Binds", "GPU-hours", "Dollars", "Done (95%)"),
        rows=(*rows, last),
        notes=(
            "Median, and the 90% interval in brackets. Training begins on the day of the review.",
            *missing,
        ),
    )


def _range(draws: Sequence[float], show: Any) -> str:
    if not draws:
        return "-"
    low, middle, high = (
        show(value) if math.isfinite(value) else "never"
        for value in (paths.quantile(draws, level) for level in (0.05, 0.5, 0.95))
    )
    return f"{middle} [{low}, {high}]"


def _trail(told: dict[str, Any]) -> str:
    lines = [f"- {row['name']}: law {_laws(row['plan'])}" for row in told["products"]]
    return "\n".join(["## Trail", "", f"- day {told['today']}, seed {told['seed']}", *lines])


def _laws(plan: dict[str, Any]) -> str:
    return ", ".join([plan["law"], *(f"{name} {law}" for name, law in plan["companions"].items())])
