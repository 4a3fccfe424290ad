"""The report of `planner what-if`: one record per cell, and medians with their intervals."""

from typing import Any

from laws.codes import WarningCode
from planner import warnings
from planner.plans.quantities import kind_of, quantities
from planner.plans.what_if import PROBABILITY, Cell, Table
from planner.reports.estimate_record import feasible, interval
from planner.reports.quantities import in_brackets
from planner.reports.report import Report
from planner.severity import most_important, short

# what an interval of a published law is
INTERVAL_CODES = (WarningCode.BETWEEN_STUDIES, WarningCode.STANDARD_ERRORS)


def records(table: Table) -> list[dict[str, Any]]:
    """Return one record per cell.

    Args:
        table: The plans by the values of the axes.

    Returns:
        Records with the values of the axes, every quantity, feasibility and warnings; a reason where there is
        no plan.
    """
    return [_record(table, cell) for cell in table.cells]


def _record(table: Table, cell: Cell) -> dict[str, Any]:
    where = {"where": dict(zip(table.axes, cell.values, strict=True))}
    plan = cell.plan
    if plan is None:
        return {**where, "law": None, "reason": cell.reason}
    feasibility = plan.feasible
    return {
        **where,
        "law": plan.estimate.law.id,
        "reason": "",
        **{name: interval(quantity) for name, quantity in quantities(plan).items()},
        "probability_reachable": plan.estimate.probability_reachable,
        "feasible": feasible(plan),
        "probability": None if feasibility is None else feasibility.probability,
        "binding": plan.binding,
        "warnings": warnings.records(plan.warnings),
    }


def report(table: Table) -> Report:
    """Return the table for people.

    Args:
        table: The plans by the values of the axes.

    Returns:
        The first axis down, the second across; medians with their intervals.
    """
    rows_of, *columns_of = table.axes.values()
    across = columns_of[0] if columns_of else ()
    texts = {cell.values: _text(cell, table.show) for cell in table.cells}
    rows = tuple(
        (down, *([texts[down, over] for over in across] if across else [texts[down,]])) for down in rows_of
    )
    plans = [cell.plan for cell in table.cells if cell.plan is not None]
    estimate = plans[0].estimate
    where: dict[str, list[str]] = {}  # a reason -> the cells that have it
    for cell in table.cells:
        if cell.reason:
            where.setdefault(cell.reason, []).append(" ".join(cell.values))
    codes = list(dict.fromkeys(code for p in plans for code in p.warnings))
    law, what, heading = estimate.law, "Probability that all constraints hold", ""
    if table.show != PROBABILITY:
        kind = kind_of(table.show)
        what = kind.label_of(law.metric, estimate.data.unit)
        heading = kind.label_of(law.metric, estimate.data.unit, law.metric_unit)
    names = {"target": estimate.law.metric, "on": "accelerator", "count": "devices"}
    first, *rest = (names.get(name, name.replace("_", " ")) for name in table.axes)
    return Report(
        title=f"{what} by {' and '.join((first, *rest))} ({estimate.law.subject})",
        columns=(first, *(across or (heading or what,))),
        rows=rows,
        notes=(
            f"By law {estimate.law.id} ({estimate.law.source}). Median, and 90% interval in brackets."
            if table.show != PROBABILITY
            else "Of all constraints together.",
            *(short(code) for code in INTERVAL_CODES if code in estimate.warnings),
        ),
        sections={
            "No answer": [f"{', '.join(cells)}: {reason}" for reason, cells in where.items()],
            "Warnings of some cells": most_important(codes),
        },
    )


def _text(cell: Cell, show: str) -> str:
    if cell.plan is None:
        return "-"
    if show == PROBABILITY:
        fits = cell.plan.feasible
        return "-" if fits is None else f"{fits.probability:.0%}"
    return in_brackets(show, quantities(cell.plan).get(show))
