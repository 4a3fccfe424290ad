"""Families side by side as they are shown."""

from collections.abc import Sequence
from typing import Any

from planner import units, warnings
from planner.plans.compare import Comparison, Family
from planner.reports.law_summary import spread
from planner.reports.report import Report
from planner.reports.sentences import probability


def record(found: Comparison) -> dict[str, Any]:
    """Return what JSON carries; its `families` are the rows of CSV, `at` has their errors by data size."""
    return {
        "domain": found.domain,
        "metric": found.metric,
        "metric_unit": found.metric_unit,
        "unit": found.unit,
        "probability_same_exponent": found.same,
        "shared_exponent": spread(found.shared),
        "largest_over_smallest": spread(found.ratio),
        "families": [
            {
                "id": each.law.id,
                "family": each.law.family,
                "points": each.law.n_points,
                "measured": list(each.law.x_range),
                "exponent": spread(each.exponent),
                "pooled_exponent": spread(each.pooled),
                "intercept": spread(each.law.parameters["alpha"]),
                "floor": spread(each.floor),
                "at": {
                    f"{scale:g}": {
                        "error": spread(each.errors[i]),
                        "probability_best": each.best[i] if found.alike else None,
                    }
                    for i, scale in enumerate(found.scales)
                },
            }
            for each in found.families
        ],
        "warnings": warnings.records(found.warnings),
    }


def report(found: Comparison) -> Report:
    """Return the table for people: one row a family, so that six of them still fit a screen."""
    shared, ratio = _range(found.shared), _range(found.ratio)
    return Report(
        title=f"Families of {found.domain}: {found.metric} against {found.unit}",
        columns=_columns(found),
        rows=tuple(_row(found, each) for each in found.families),
        whole=frozenset({0}),
        notes=(
            f"One exponent serves all with probability {probability(found.same)}; before the data the odds "
            "were even.",
            f"If it is one, it is {shared}.",
            f"The largest exponent is {ratio} times the smallest.",
            "Median, and the 90% interval in brackets; beta: the exponent; pooled: heard with the others; "
            f"at: {found.metric} there"
            + ("; best: the probability that no other family errs less." if found.alike else "."),
        ),
        sections={"Warnings": warnings.with_codes(found.warnings)},
    )


def _columns(found: Comparison) -> tuple[str, ...]:
    columns = ["Family", "Beta", "pooled"]
    for scale in found.scales:
        columns.append(f"at {units.format_number(scale)}")
        if found.alike:
            columns.append("best")
    return tuple(columns)


def _row(found: Comparison, family: Family) -> tuple[str, ...]:
    unit = found.metric_unit if found.metric_unit == "fraction" else ""
    cells = [family.law.family or "(no name)", _range(family.exponent), _range(family.pooled)]
    for i, errors in enumerate(family.errors):
        low, middle, high = (units.format_metric(value, unit) for value in spread(errors).values())
        cells.append(f"{middle} ({low} to {high})")
        if found.alike:
            cells.append(probability(family.best[i]).replace("less than ", "<").replace("more than ", ">"))
    return tuple(cells)


def _range(draws: Sequence[float]) -> str:
    low, middle, high = (units.format_number(value) for value in spread(draws).values())
    return f"{middle} ({low} to {high})"
