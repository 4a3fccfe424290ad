"""Fitted laws as they are shown: what they say, of which parameters, and whether to trust it."""

from collections.abc import Sequence
from typing import Any

from laws.fitting.forms import FORMS
from laws.types import FORECAST, Law
from planner import units, warnings
from planner.hardware.measured_utilization import LOGGED
from planner.reports.assumption_text import forms_text
from planner.reports.law_summary import predictions, spread
from planner.reports.report import Report


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
            "forms": dict(law.forms),
            "points": law.n_points,
            "left_out": law.provenance.get("left_out"),
            "utilization": _reached(law),
            "measured": {"smallest": law.x_range[0], "largest": law.x_range[1]},
            "parameters": {name: spread(draws) for name, draws in law.parameters.items()},
            "predictions": predictions(law),
            "phases": {name: list(column) for name, column in law.phases.items()},
            "diagnostics": dict(law.diagnostics),
            "warnings": warnings.records(law.warnings),
        }
        for law in laws
    ]


def report(laws: Sequence[Law]) -> Report:
    """Return the table for people: what forecasts say, the constants of forms, the command that asks."""
    rows = [row for law in laws for row in (_said(law) if law.form == FORECAST else _constants(law))]
    first = laws[0]
    codes = dict.fromkeys(code for law in laws for code in law.warnings)
    ask = f"planner estimate --domain {first.domain} --target {first.metric}=VALUE"
    plain = first.form == FORECAST and any(law.metric == first.metric for law in laws[1:])
    return Report(
        title=f"Fitted and stored: {first.metric} for {first.domain}",
        columns=("", "5%", "median", "95%"),
        rows=tuple(rows),
        notes=[*_of_file(first), *(in_words(law) for law in laws)],
        sections={
            "Warnings": [f"{warnings.sentence(code)} [{code}]{_whose(laws, code)}" for code in codes],
            "Ask it": [f"{ask} (--plain: by the form alone)" if plain else ask],
        },
    )


def _of_file(law: Law) -> list[str]:
    """Return what was left out of the file, and what its trainings reached of which accelerator."""
    left_out = [law.provenance["left_out"]] if "left_out" in law.provenance else []
    return [
        *left_out,
        *(
            f"Utilization {band.replace('..', ' to ')} was reached on {part}: "
            f"`planner estimate --on {part}` takes it."
            for part, band in _reached(law).items()
        ),
    ]


def _reached(law: Law) -> dict[str, str]:
    """Return the band of utilization by part; one number was not reached, FLOP were counted by it."""
    bands = law.provenance.items()
    return {
        name.removeprefix(LOGGED): band for name, band in bands if name.startswith(LOGGED) and ".." in band
    }


def _whose(laws: Sequence[Law], code: str) -> str:
    """Name the laws that a warning is of, where it is not of all of a fit."""
    named = [f"{law.form} of {law.metric}" for law in laws if code in law.warnings]
    return "" if len(named) == len(laws) else f" ({', '.join(named)})"


def _said(law: Law) -> list[tuple[str, ...]]:
    return [
        (
            f"{law.metric} at {units.format_data(said['x'], law.x_unit)}",
            *(units.format_metric(said[q], law.metric_unit) for q in ("q05", "median", "q95")),
        )
        for said in predictions(law, beyond=(1, 2))[1:]
    ]


def _constants(law: Law) -> list[tuple[str, ...]]:
    return [
        (f"{law.metric}: {name}", *(units.format_number(value) for value in spread(draws).values()))
        for name, draws in law.parameters.items()
    ]


def in_words(law: Law) -> str:
    """Return the sentence that says what was fitted to what, and how well the sampling went."""
    up_to = units.format_data(law.x_range[1], law.x_unit)
    points = f"{law.n_points} points up to {up_to}" if law.n_points > 1 else f"one point at {up_to}"
    if law.form == FORECAST:
        return f"Law {law.id}: forecast of {law.metric} from {points}; forms: {forms_text(law.forms)}."
    good = ", ".join(
        f"{name} {units.format_number(law.diagnostics[name], digits=4)}"
        for name in ("rhat", "ess_bulk", "ess_tail")
        if name in law.diagnostics
    )
    equation = FORMS[law.form].equation
    return f"Law {law.id}: {equation} for {law.metric}, {points}{f' ({good})' if good else ''}."
