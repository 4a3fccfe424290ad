"""Families side by side as they are shown."""

from collections.abc import Sequence
from typing import Any

from laws import paths
from planner import units
from planner.pages.render import Sheet
from planner.pages.sheet import probability
from planner.plans.comparison import Comparison
from planner.warnings import sentence


def record(found: Comparison) -> dict[str, Any]:
    """Return what JSON carries; its `families` are the rows of CSV, `at` has their errors by data size."""
    return {
        "domain": found.domain,
        "metric": found.metric,
        "metric_unit": found.metric_unit,
        "unit": found.unit,
        "probability_same_exponent": found.same,
        "shared_exponent": _ends(found.shared),
        "largest_over_smallest": _ends(found.ratio),
        "families": [
            {
                "id": each.law.id,
                "family": each.law.family,
                "points": each.law.n_points,
                "measured": list(each.law.x_range),
                "exponent": _ends(each.exponent),
                "pooled_exponent": _ends(each.pooled),
                "intercept": _ends(each.law.parameters["alpha"]),
                "floor": _ends(each.floor),
                "at": {
                    f"{scale:g}": {"error": _ends(error), "probability_best": best}
                    for scale, error, best in zip(found.scales, each.errors, each.best, strict=True)
                },
            }
            for each in found.families
        ],
        "warnings": [{"code": code, "sentence": sentence(code)} for code in found.warnings],
    }


def _ends(draws: Sequence[float]) -> dict[str, float]:
    return {name: paths.quantile(draws, q) for name, q in (("q05", 0.05), ("median", 0.5), ("q95", 0.95))}


def sheet(found: Comparison) -> Sheet:
    """Return the table for people: one column a family."""
    share, spread = _range(found.shared), _range(found.ratio)
    return Sheet(
        title=f"Families of {found.domain}: {found.metric} against {found.unit}",
        columns=("", *(each.law.family or "(no name)" for each in found.families)),
        rows=_rows(found),
        notes=(
            f"One exponent serves all with probability {probability(found.same)}; before the data the odds "
            "were even.",
            f"If it is one, it is {share}.",
            f"The largest exponent is {spread} times the smallest.",
            "Median, and the 90% interval in brackets; pooled: heard with the others; best: the probability "
            "that no other family errs less.",
        ),
        sections={"Warnings": [f"{sentence(code)} [{code}]" for code in found.warnings]},
    )


def _rows(found: Comparison) -> tuple[tuple[str, ...], ...]:
    unit = found.metric_unit if found.metric_unit == "fraction" else ""
    families = found.families
    rows = [
        ("Exponent", *(_range(each.exponent) for each in families)),
        ("Exponent, pooled", *(_range(each.pooled) for each in families)),
    ]
    for i, scale in enumerate(found.scales):
        place = units.format_data(scale, found.unit)
        cells = []
        for each in families:
            low, middle, high = (units.format_metric(value, unit) for value in _ends(each.errors[i]).values())
            cells.append(f"{middle} ({low} to {high})")
        rows += [
            (f"{found.metric} at {place}", *cells),
            ("  best there", *(probability(each.best[i]) for each in families)),
        ]
    return tuple(rows)


def _range(draws: Sequence[float]) -> str:
    low, middle, high = (units.format_number(value) for value in _ends(draws).values())
    return f"{middle} ({low} to {high})"
