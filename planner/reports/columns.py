"""Reports of what a table or a tracker's store holds."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from planner.reports.report import Report
from planner.sources.columns import ColumnSummary, Contents
from planner.units import format_number

MAX_EXAMPLE = 30  # characters of a text value
MAX_GROUPS = 12


def records(contents: Contents) -> list[dict[str, Any]]:
    """Return one record per column.

    Args:
        contents: What a source holds.

    Returns:
        Records in the order of the columns, each with the number of runs.
    """
    return [asdict(column) | {"runs": contents.runs} for column in contents.columns]


def report(contents: Contents) -> Report:
    """Return the columns for people.

    Args:
        contents: What a source holds.

    Returns:
        One row per column; the states of the runs and their groups are notes.
    """
    rows = tuple((c.name, c.role, str(c.count), _range(c), str(c.distinct)) for c in contents.columns)
    counted = "rows" if contents.kind == "table" else "runs"
    return Report(
        title=f"{contents.kind}: {contents.runs:,} {counted}",
        columns=("column", "role", counted, "values", "distinct"),
        rows=rows,
        notes=tuple(_notes(contents)),
        words=frozenset({0, 1, 3}),
        whole=frozenset({0}),
    )


def _notes(contents: Contents) -> list[str]:
    notes = []
    if contents.states:
        notes.append(
            f"Runs by state: {_counts(contents.states)}. Fits use those that finished, or have no state."
        )
    if contents.skipped:
        notes.append(f"Files that cannot be read: {_counts(contents.skipped)}.")
    if len(contents.groups) > 1:
        shown = dict(list(contents.groups.items())[:MAX_GROUPS])
        more = ", ..." if len(contents.groups) > MAX_GROUPS else ""
        notes.append(
            f"Runs by {contents.group}: {_counts(shown)}{more}. `--where {contents.group}=NAME` chooses one."
        )
    return notes


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in counts.items())


def _range(column: ColumnSummary) -> str:
    if column.low is None or column.high is None:
        example = column.example
        return example if len(example) <= MAX_EXAMPLE else f"{example[:MAX_EXAMPLE]}..."
    first, last = (format_number(value, digits=4) for value in (column.low, column.high))
    return first if first == last else f"{first} to {last}"
