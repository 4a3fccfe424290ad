"""The report of `planner compare`: the families of a domain next to each other."""

from collections.abc import Sequence
from typing import Any

from planner import units, warnings
from planner.lawmodel.info import law_info
from planner.plans.compare import Comparison, Family
from planner.reports.law_summary import own_spread, spread
from planner.reports.report import Report
from planner.reports.sentences import probability
from planner.severity import most_important


def record(comparison: Comparison) -> dict[str, Any]:
    """Return what JSON carries.

    Args:
        comparison: The families of a domain.

    Returns:
        Plain values; `families` are the rows of CSV, `at` has their errors by data size.
    """
    scale = law_info(comparison.families[0].law).scale
    return {
        "domain": comparison.domain,
        "metric": comparison.metric,
        "metric_unit": comparison.metric_unit,
        "unit": comparison.unit,
        "probability_same_exponent": comparison.same,
        "shared_exponent": spread(comparison.shared),
        "largest_over_smallest": spread(comparison.ratio),
        "families": [
            {
                "id": family.law.id,
                "family": family.law.family,
                "points": family.law.n_points,
                "measured": list(family.law.x_range),
                "exponent": spread(family.exponent),
                "pooled_exponent": spread(family.pooled),
                "intercept": spread(family.law.parameters["alpha"]),
                "floor": spread(family.floor),
                "at": {
                    f"{data:g}": {
                        scale.quantity: own_spread(scale, family.errors[i]),
                        "probability_best": family.best[i] if comparison.alike else None,
                    }
                    for i, data in enumerate(comparison.scales)
                },
            }
            for family in comparison.families
        ],
        "warnings": warnings.records(comparison.warnings),
    }


def report(comparison: Comparison) -> Report:
    """Return the table for people.

    Args:
        comparison: The families of a domain.

    Returns:
        One row per family, so that six of them fit on a screen.
    """
    shared, ratio = _range(comparison.shared), _range(comparison.ratio)
    return Report(
        title=f"Families of {comparison.domain}: {comparison.metric} against {comparison.unit}",
        columns=_columns(comparison),
        rows=tuple(_row(comparison, family) for family in comparison.families),
        whole=frozenset({0}),
        notes=(
            f"Probability that one exponent fits all families: {probability(comparison.same)} (prior "
            "probability: 50%).",
            f"If one exponent fits all, it is {shared}.",
            f"The largest exponent is {ratio} times the smallest.",
            "Median, and the 90% interval in brackets; beta: the exponent; pooled: partially pooled across "
            "families; "
            f"at: {comparison.metric} there"
            + ("; best: the probability that no other family is better." if comparison.alike else "."),
        ),
        sections={"Warnings": most_important(comparison.warnings)},
    )


def _columns(comparison: Comparison) -> tuple[str, ...]:
    columns = ["Family", "Beta", "pooled"]
    for scale in comparison.scales:
        columns.append(f"at {units.format_number(scale)}")
        if comparison.alike:
            columns.append("best")
    return tuple(columns)


def _row(comparison: Comparison, family: Family) -> tuple[str, ...]:
    scale = law_info(family.law).scale.without_unit
    cells = [family.law.family or "(no name)", _range(family.exponent), _range(family.pooled)]
    for i, errors in enumerate(family.errors):
        low, middle, high = map(scale.format, scale.ends(*spread(errors).values()))
        cells.append(f"{middle} ({low} to {high})")
        if comparison.alike:
            cells.append(probability(family.best[i]).replace("less than ", "<").replace("more than ", ">"))
    return tuple(cells)


def _range(draws: Sequence[float]) -> str:
    low, middle, high = (units.format_number(value) for value in spread(draws).values())
    return f"{middle} ({low} to {high})"
