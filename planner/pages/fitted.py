"""Fitted laws as they are shown: what the posterior says of each parameter, and whether to trust it."""

from collections.abc import Sequence
from typing import Any

from laws import paths
from laws.forms import FORMS
from laws.types import Law
from planner import units
from planner.pages.render import Sheet
from planner.warnings import sentence


def records(laws: Sequence[Law]) -> list[dict[str, Any]]:
    """Return what JSON and CSV carry of freshly fitted laws."""
    return [
        {
            "law": law.id,
            "domain": law.domain,
            "family": law.family,
            "metric": law.metric,
            "metric_unit": law.metric_unit,
            "x": law.x,
            "x_unit": law.x_unit,
            "form": law.form,
            "points": law.n_points,
            "measured": {"smallest": law.x_range[0], "largest": law.x_range[1]},
            "parameters": {name: _interval(draws) for name, draws in law.parameters.items()},
            "diagnostics": dict(law.diagnostics),
            "warnings": [{"code": code, "sentence": sentence(code)} for code in law.warnings],
        }
        for law in laws
    ]


def _interval(draws: Sequence[float]) -> dict[str, float]:
    return {name: paths.quantile(draws, q) for name, q in (("q05", 0.05), ("median", 0.5), ("q95", 0.95))}


def sheet(laws: Sequence[Law]) -> Sheet:
    """Return the table for people: one row a parameter, and the command that asks the law."""
    rows = [
        (f"{law.metric}: {name}", *(units.format_number(value) for value in _interval(draws).values()))
        for law in laws
        for name, draws in law.parameters.items()
    ]
    first = laws[0]
    codes = dict.fromkeys(code for law in laws for code in law.warnings)
    notes = [_in_words(law) for law in laws]
    sections = {
        "Warnings": [f"{sentence(code)} [{code}]" for code in codes],
        "Ask it": [f"planner estimate --domain {first.domain} --target {first.metric}=VALUE"],
    }
    return Sheet(
        title=f"Fitted and stored: {first.metric} for {first.domain}",
        columns=("Parameter", "5%", "median", "95%"),
        rows=tuple(rows),
        notes=notes,
        sections=sections,
    )


def _in_words(law: Law) -> str:
    good = ", ".join(
        f"{name} {units.format_number(law.diagnostics[name], digits=4)}"
        for name in ("rhat", "ess_bulk", "ess_tail")
        if name in law.diagnostics
    )
    return (
        f"Law {law.id}: {FORMS[law.form].equation} for {law.metric}, {law.n_points} points up to "
        f"{units.format_data(law.x_range[1], law.x_unit)}{f' ({good})' if good else ''}."
    )
