"""Reports of freshly fitted laws: predictions, parameters, diagnostics and warnings."""

import shlex
from collections.abc import Sequence
from typing import Any

from laws.fitting.forms import FORMS
from laws.types import FORECAST, Law
from planner import units, warnings
from planner.hardware.measured_utilization import from_provenance
from planner.lawmodel.info import law_info
from planner.reports.assumption_text import forms_text
from planner.reports.law_summary import predictions, spread
from planner.reports.report import Report


def records(laws: Sequence[Law]) -> list[dict[str, Any]]:
    """Return freshly fitted laws as records, for JSON and CSV.

    Args:
        laws: The laws of one fit.

    Returns:
        One record per law.
    """
    return [
        {
            "law": law.id,
            "domain": law.domain,
            "family": law.family,
            "metric": law.metric,
            "metric_unit": law.metric_unit,
            "higher_is_better": law.metric_ceiling is not None,
            "metric_ceiling": law.metric_ceiling,
            "x": law.x,
            "x_unit": law.x_unit,
            "form": law.form,
            "forms": dict(law.forms),
            "points": law.n_points,
            "left_out": law.provenance.get("left_out"),
            "utilization": _utilization(law),
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
    """Return the table for people: predictions of forecasts, parameters of forms, and the next command.

    Args:
        laws: The laws of one fit, the one that answers questions first.

    Returns:
        The report.
    """
    rows = [row for law in laws for row in (_predicted(law) if law.form == FORECAST else _parameters(law))]
    first = laws[0]
    codes = dict.fromkeys(code for law in laws for code in law.warnings)
    target = shlex.quote(f"{first.metric}=VALUE")
    estimate = f"planner estimate --domain {shlex.quote(first.domain)} --target {target}"
    both = first.form == FORECAST and any(law.metric == first.metric for law in laws[1:])
    return Report(
        title=f"Fitted and stored: {first.metric} for {first.domain}",
        columns=("", "5%", "median", "95%"),
        rows=tuple(rows),
        notes=[*about_file(first), *(summary(law) for law in laws)],
        sections={
            "Warnings": [f"{warnings.sentence(code)} [{code}]{_whose(laws, code)}" for code in codes],
            "Next": [f"{estimate} (--single-form: with the single form only)" if both else estimate],
        },
    )


def about_file(law: Law) -> list[str]:
    """Return which rows of the file were left out, and the utilization of its trainings.

    Args:
        law: A law that was fitted to a file.

    Returns:
        Sentences.
    """
    left_out = [law.provenance[key] for key in ("left_out", "read_as") if key in law.provenance]
    return [
        *left_out,
        *(
            f"Utilization on {accelerator}: {band.replace('..', ' to ')}. "
            f"`planner estimate --on {accelerator}` uses it."
            for accelerator, band in _utilization(law).items()
        ),
    ]


def _utilization(law: Law) -> dict[str, str]:
    """Return the band of measured utilization on each accelerator."""
    logged = from_provenance(law.provenance)
    return {id: utilization.as_text() for id, utilization in logged.items() if utilization.measured}


def _whose(laws: Sequence[Law], code: str) -> str:
    """Name the laws that a warning is about, where it is not about all of them."""
    named = [f"{law.form} of {law.metric}" for law in laws if code in law.warnings]
    return "" if len(named) == len(laws) else f" ({', '.join(named)})"


def _predicted(law: Law) -> list[tuple[str, ...]]:
    scale = law_info(law).scale
    return [
        (
            f"{law.metric} at {units.format_data(prediction['x'], law.x_unit)}",
            *(scale.format(prediction[q]) for q in ("q05", "median", "q95")),
        )
        for prediction in predictions(law, beyond=(1, 2))[1:]
    ]


def _parameters(law: Law) -> list[tuple[str, ...]]:
    return [
        (f"{law.metric}: {name}", *(units.format_number(value) for value in spread(draws).values()))
        for name, draws in law.parameters.items()
    ]


def summary(law: Law) -> str:
    """Return one sentence about a fit: form, points and diagnostics of the sampling.

    Args:
        law: A freshly fitted law.

    Returns:
        The sentence.
    """
    up_to = units.format_data(law.x_range[1], law.x_unit)
    points = f"{law.n_points} points up to {up_to}" if law.n_points > 1 else f"one point at {up_to}"
    if law.form == FORECAST:
        return f"Law {law.id}: forecast of {law.metric} from {points}; forms: {forms_text(law.forms)}."
    diagnostics = ", ".join(
        f"{name} {units.format_number(law.diagnostics[name], digits=4)}"
        for name in ("rhat", "ess_bulk", "ess_tail")
        if name in law.diagnostics
    )
    equation = FORMS[law.form].equation
    scale = law_info(law).scale
    modeled = law.metric if scale.ceiling is None else f"{scale.format(scale.ceiling)} - {law.metric}"
    return f"Law {law.id}: {equation} for {modeled}, {points}{f' ({diagnostics})' if diagnostics else ''}."
