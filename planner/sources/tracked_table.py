"""Rows of measurements from a tracker's store: the column of each role, and why runs are left out."""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from laws.errors import InputError, run, use
from planner.sources.expressions import Expression, parse_expression
from planner.sources.table_file import Row, table_suffix
from planner.sources.trackers.open_source import is_source, open_source
from planner.sources.trackers.runs import Best, Cell, Run, RunTable, finite

BEST_ROLES = frozenset({"metric", "train"})  # logged at every step: the best value counts; of others the last
EXACT_ROLES = frozenset({"se", "samples"})  # columns that end in such a name often mean something else
MIN_NAME = 3  # characters of a name that may be the end of a column's


def is_tracked(path: Path) -> bool:
    """Return whether a path is to be read as a tracker's store: a folder, or a file not named as a table.

    Args:
        path: A file or a folder, which need not exist.

    Returns:
        True for a folder, and for a file not named as a table that is missing or of a tracker.
    """
    return path.is_dir() or (not table_suffix(path) and (not path.exists() or is_source(path)))


def conditions(texts: Sequence[str]) -> dict[str, str]:
    """Return the conditions that choose runs.

    Args:
        texts: Each a column, an equals sign and the value it must have.

    Returns:
        Column -> value.

    Raises:
        InputError: A text has no equals sign.
    """
    pairs = {}
    for text in texts:
        column, equals, value = text.partition("=")
        if not (column and equals):
            raise InputError(
                f"condition {text!r}: expected COLUMN=VALUE, such as experiment=asr",
                code="invalid-condition",
                value=text,
            )
        pairs[column.strip()] = value.strip()
    return pairs


@dataclass(frozen=True)
class TrackedRows:
    """The finished runs that have a data size and a metric.

    Attributes:
        rows: A row per run, with a cell per role.
        columns: Role -> column, in the order of the cells.
        names: Name of each run.
        left_out: Reason -> number of runs that are not among them.
        fingerprint: SHA-256 of the rows.
    """

    rows: list[Row]
    columns: Mapping[str, str]
    names: tuple[str, ...]
    left_out: Mapping[str, int]
    fingerprint: str


def open_tracked(path: Path, where: Mapping[str, str]) -> RunTable:
    """Read a store from which laws can be fitted: one that holds several trainings.

    Args:
        path: A tracker's file or folder.
        where: Column -> value, to choose runs.

    Returns:
        The runs.

    Raises:
        PlannerError: The store cannot be read, or holds one training.
    """
    table = open_source(path, where)
    if len(table.runs) == 1:
        raise InputError(
            f"{path} holds one training: expected one per data size, since steps of a training do not count",
            code="one-training",
            value=str(path),
        )
    return table


def resolved(
    path: Path, table: RunTable, given: Mapping[str, str | None], usual: Mapping[str, Sequence[str]]
) -> dict[str, Expression | None]:
    """Return the column of each role with full names, where it can be told.

    Args:
        path: The store, for hints.
        table: The runs.
        given: Role -> what you gave: a column, the last part of one, or an expression.
        usual: Role -> the usual names of its column.

    Returns:
        Role -> the column; None where there is none.

    Raises:
        InputError: A name is unknown, or several columns end in it.
    """
    columns: dict[str, Expression | None] = {}
    for role, names in usual.items():
        name = given.get(role)
        try:
            columns[role] = _given(table, name) if name else _usual(table, role, names)
        except InputError as error:
            listing = run("columns", value=str(path), purpose="to list the columns")
            several = error.code == "ambiguous-column"
            error.hints = (use(f"{role}_column", purpose="to name one"),) if several else (listing,)
            raise
    return columns


def _given(table: RunTable, text: str) -> Expression:
    expression = parse_expression(text, table.columns).resolved(table.column)
    return expression if expression.is_computed else Expression(",".join(expression.names), expression.names)


def _usual(table: RunTable, role: str, names: Sequence[str]) -> Expression | None:
    for name in names:
        if name in table.columns:
            return Expression(name, (name,))
        if role in EXACT_ROLES or len(name) < MIN_NAME:
            continue
        ends = [column for column in table.columns if column.endswith((f".{name}", f"/{name}"))]
        if len(ends) == 1:
            return Expression(ends[0], (ends[0],))
        if ends and role in ("data", "metric"):
            table.column(name)  # refuses the name, because several columns end in it
    return None


def rows_of(table: RunTable, columns: Mapping[str, Expression], named: Collection[str]) -> TrackedRows:
    """Return the rows of the runs that count.

    Args:
        table: The runs.
        columns: Role -> column; "data" and "metric" are among them.
        named: Roles whose columns you named. A run needs a value in each; another column that a run lacks is
            not used.

    Returns:
        The rows, and why the other runs are left out.
    """
    needed = ["metric", "data", *(role for role in columns if role in named)]
    left_out = Counter(table.left_out)
    runs: dict[str, list[Cell]] = {role: [] for role in columns}
    names = []
    for finished in table.kept:
        cells = {role: _content(table, finished, role, column) for role, column in columns.items()}
        if reason := _reason(cells, columns, needed):
            left_out[reason] += 1
            continue
        names.append(finished.name)
        for role, content in cells.items():
            runs[role].append(content)
    used = {
        role: column.text for role, column in columns.items() if role in needed or not _has_gap(runs[role])
    }
    rows = list(zip(*(runs[role] for role in used), strict=True))
    digest = hashlib.sha256(repr((tuple(used.values()), rows)).encode()).hexdigest()
    return TrackedRows(rows, used, tuple(names), left_out, digest)


def _content(table: RunTable, finished: Run, role: str, column: Expression) -> Cell:
    cells = table.cells(finished, column.names, _which(role))
    content: Cell = column.content(dict(zip(column.names, cells, strict=True)))
    return content


def _reason(cells: Mapping[str, Cell], columns: Mapping[str, Expression], needed: Sequence[str]) -> str:
    """Return why a finished run is left out; "" where it is not."""
    for role in needed:
        if _has_gap([cells[role]]):
            return f"without {columns[role].text}"
    return f"with {columns['data'].text} 0" if finite(cells["data"]) == 0 else ""


def _has_gap(cells: Sequence[Cell]) -> bool:
    return any(content is None or not str(content).strip() for content in cells)


def _which(role: str) -> Best:
    return "min" if role in BEST_ROLES else "last"


def left_out_sentence(left_out: Mapping[str, int], count: int) -> str:
    """Return which runs were left out, as a sentence; "" where none was.

    Args:
        left_out: Reason -> number of runs.
        count: Number of runs that were kept.

    Returns:
        Such as "2 of 14 runs were left out: 1 failed, 1 without metrics.wer.".
    """
    if not left_out:
        return ""
    total = sum(left_out.values())
    reasons = ", ".join(f"{number} {reason}" for reason, number in left_out.items())
    return f"{total} of {total + count} runs {'was' if total == 1 else 'were'} left out: {reasons}."
