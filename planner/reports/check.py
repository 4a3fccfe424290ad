"""The report of `planner check`: whether runs fall on the curve of their law."""

from typing import Any

from planner import units
from planner.lawmodel.info import law_info
from planner.plans.check import MIN_ON_CURVE, Check, CheckedRun
from planner.reports.quantities import counted
from planner.reports.report import Report
from planner.severity import most_important

_ADVICE = {
    "capacity": "train a larger model on the same data",
    "optimization": "train longer, or search learning rate and batch size again",
    "data": "check what the run was trained and evaluated on: duplicates, labels, another validation set",
}


def records(check: Check) -> list[dict[str, Any]]:
    """Return one record per run.

    Args:
        check: The runs, compared with their law.

    Returns:
        Records in the order of the runs; `expected` has the 5%, 50% and 95% quantiles.
    """
    scale = law_info(check.law).scale
    return [
        {
            "law": check.law.id,
            "metric": check.law.metric,
            "data": run.data,
            "value": scale.from_error(run.value),
            "expected": dict(zip(("q05", "median", "q95"), scale.ends(*run.expected), strict=True)),
            "factor": run.factor,
            "surprise": run.surprise,
            "verdict": run.verdict,
            "likely": run.likely,
            "causes": dict(run.causes),
            "unknown": list(run.unknown),
            "beyond": run.beyond,
        }
        for run in check.runs
    ]


def report(check: Check) -> Report:
    """Return the table for people.

    Args:
        check: The runs, compared with their law.

    Returns:
        One row per run; below it, what to do about runs that are off their curve.
    """
    law = check.law
    doubted = [run for run in check.runs if run.causes]
    unknown = list(dict.fromkeys(name for run in doubted for name in run.unknown))
    likely = list(dict.fromkeys(run.likely for run in doubted if run.likely))
    chance = MIN_ON_CURVE * len(check.runs)
    notes = [
        f"{len(doubted)} of {counted(len(check.runs), 'run')} {'is' if len(doubted) == 1 else 'are'} "
        f"doubtful or off; about {units.format_number(chance, digits=2)} of them would be flagged by chance."
    ]
    if unknown:
        notes.append(f"Columns that would tell the causes apart: {', '.join(unknown)}.")
    if check.left_out:
        notes.append(check.left_out)
    title = f"{law.domain}{f', {law.family}' if law.family else ''}: {law.metric} against law {law.id}"
    columns = (law.x_unit, law.metric, "expected", "surprise", "verdict", "likely cause")
    shown = len(columns) if doubted else len(columns) - 1  # causes belong to doubtful runs
    return Report(
        title=title,
        columns=columns[:shown],
        rows=tuple(_row(check, run)[:shown] for run in check.runs),
        notes=notes,
        sections={
            "What to do": [f"{name}: {_ADVICE[name]}." for name in likely],
            "Warnings": most_important(check.warnings),
        },
        words=frozenset({4, 5}),
        whole=frozenset({2, 4}),
    )


def _row(check: Check, run: CheckedRun) -> tuple[str, ...]:
    scale = law_info(check.law).scale.without_unit
    value, low, _, high = map(scale.format, (scale.from_error(run.value), *scale.ends(*run.expected)))
    cause = f"{run.likely} {run.causes[run.likely]:.0%}" if run.likely else "open" if run.causes else ""
    return (
        units.format_number(run.data),
        value,
        f"{low} to {high}",
        f"{run.surprise:.1%}" if run.surprise >= 0.001 else "under 0.1%",
        run.verdict,
        cause,
    )
