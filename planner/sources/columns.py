"""Say what a table or a tracker's store holds: its columns, their ranges, and how its runs ended."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from laws.storage.atomic_write import write_atomically
from planner.sources.column_roles import guessed_role
from planner.sources.run_table import STATE_NAMES
from planner.sources.subject import metric_of, unit_of
from planner.sources.table_file import read_names, read_rows
from planner.sources.tracked_table import is_tracked
from planner.sources.trackers.open_source import open_source, read_source
from planner.sources.trackers.runs import History, RunTable, finite
from planner.text import csv_cell

TEXT_ROLES = frozenset({"device", "family", "seed"})  # roles whose columns may hold words


@dataclass(frozen=True)
class ColumnSummary:
    """What a column holds.

    Attributes:
        name: Its name.
        count: How many runs have a value.
        low: The smallest number; None where it has none.
        high: The largest number.
        distinct: How many different values there are.
        example: The first value.
        role: What it is probably for: "data", "metric", "params", ..., "state", "group"; "" for nothing.
    """

    name: str
    count: int
    low: float | None
    high: float | None
    distinct: int
    example: str
    role: str = ""


@dataclass(frozen=True)
class Contents:
    """What a source holds.

    Attributes:
        kind: What the source is, such as "MLflow store".
        runs: Number of runs or rows.
        states: State -> number of runs that ended in it; empty for tables.
        skipped: Reason -> number of files that cannot be read.
        group: What groups are called, such as "experiment"; "" where there are none.
        groups: Name of a group -> number of runs.
        columns: The columns, in their order.
    """

    kind: str
    runs: int
    columns: tuple[ColumnSummary, ...]
    states: Mapping[str, int] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)
    group: str = ""
    groups: Mapping[str, int] = field(default_factory=dict)


def contents(path: Path, where: Mapping[str, str], out: Path | None = None) -> Contents:
    """Return what a source holds.

    Args:
        path: A table, or a tracker's file or folder.
        where: Column -> value, to choose runs of a tracker's store.
        out: A CSV file to write the runs to, one row per run.

    Returns:
        The columns with their ranges, and the states of the runs.

    Raises:
        PlannerError: The source cannot be read.
    """
    if not is_tracked(path):
        names = read_names(path)
        rows = read_rows(path, names)
        if out is not None:
            _write(out, names, rows)
        columns = tuple(_summary(name, [row[i] for row in rows]) for i, name in enumerate(names))
        return Contents("table", len(rows), columns)
    table = open_source(path, where) if where else read_source(path)
    if out is not None:
        _write(out, *_as_table(table))
    return Contents(
        kind=table.kind,
        runs=len(table.runs),
        columns=tuple(_summary(name, _values(table, name), table.group_column) for name in table.columns),
        states=Counter(run.state.value for run in table.runs),
        skipped=table.skipped,
        group=table.group_column,
        groups=Counter(run.group for run in table.runs) if table.group_column else {},
    )


def _values(table: RunTable, name: str) -> list[Any]:
    """Return the values of a column; both ends of the range of a metric that was logged at every step."""
    values: list[Any] = []
    for run in table.runs:
        content = run.values.get(name)
        if isinstance(content, History):
            values.append(None if content.min is None else (content.min, content.max))
        else:
            values.append(table.cells(run, [name])[0])
    return values


def _summary(name: str, values: Sequence[Any], group: str = "") -> ColumnSummary:
    present = [value for value in values if value is not None and value != ""]
    ends = [end for value in present for end in (value if isinstance(value, tuple) else (value,))]
    numbers = [number for end in ends if (number := finite(end)) is not None]
    distinct = len(dict.fromkeys(str(value) for value in present))
    example = str(ends[0]) if ends else ""
    return ColumnSummary(
        name,
        len(present),
        min(numbers, default=None),
        max(numbers, default=None),
        distinct,
        example,
        _role(name, has_numbers=bool(numbers) or example[:1].isdecimal(), group=group),
    )


def _role(name: str, *, has_numbers: bool, group: str) -> str:
    """Return what a column is probably for: by its usual names, else by a metric or unit in its heading."""
    if name.strip().lower() in STATE_NAMES:
        return "state"
    if group and name == group:
        return "group"
    role = guessed_role(name)
    if role or not has_numbers:
        return role if has_numbers or role in TEXT_ROLES else ""
    if metric_of(name):
        return "metric"
    return "data" if unit_of(name) else ""


def _as_table(table: RunTable) -> tuple[list[str], list[Sequence[Any]]]:
    """Return every run as a row; a metric logged at every step has its smallest and largest value."""
    names = []
    for name in table.columns:
        several = any(isinstance(m := run.values.get(name), History) and m.count > 1 for run in table.runs)
        names += [name, f"{name}.min", f"{name}.max"] if several else [name]
    return names, [table.cells(run, names) for run in table.runs]


def _write(out: Path, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    def write(path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerows(map(csv_cell, row) for row in (names, *rows))

    write_atomically(out, write)
