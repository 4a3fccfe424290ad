"""Read measurements of finished trainings from a table file: checked columns of numbers.

A column is found by its usual names or by the name you give. Cells may be written as people write numbers
(`35%`, `10k`), see `planner/units.py`. Nothing is dropped silently: a cell that cannot be read is an error
with its row and column; a row whose metric is empty or not finite is a training that crashed or diverged, and
is counted.
"""

import hashlib
import math
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from laws.errors import ConflictingInput, PlannerError, TableError, UnknownName, drop, use
from planner import units
from planner.metrics import cell_terms
from planner.sources.table_file import Row, first_row_number, read_names, read_rows
from planner.sources.tracked_table import (
    FROM_NAME,
    LAST_VALUE,
    RunChoice,
    is_tracked,
    left_out_sentence,
    no_data_size,
    open_tracked,
    resolved,
    rows_of,
)
from planner.sources.trackers.runs import Best

MAX_SIZE = 1e100  # data sizes beyond it, or below its inverse, are errors: laws span a billion times less
MAX_ROWS_NAMED = 10  # of the rows that were left out
MAX_NAMES_LISTED = 12  # of the columns of a file

# role -> names of its column, besides the one that the user gives; those of the metric and the unit are added
_NAMES: Mapping[str, tuple[str, ...]] = {
    "data": ("data", "x"),
    "metric": ("y",),
    "params": ("params", "parameters", "n_params", "num_params"),
    "se": ("y_se", "se", "stderr"),
    "seed": ("seed",),
    "samples": ("samples", "seen"),
    "flops": ("flops", "training_flops", "train_flops", "total_flops"),
    "gpu_hours": ("gpu_hours", "gpu-hours", "gpu hours"),
    "device": ("device", "gpu", "accelerator"),
    "train": (),
    "test_size": (),
}
_REQUIRED = ("data", "metric")


@dataclass(frozen=True, kw_only=True)
class Measurements:
    """The finished trainings of one file, in base units; a column that the file lacks is None.

    Attributes:
        path: The file.
        fingerprint: SHA-256 of its bytes.
        data: Data size of each training, in the data unit.
        metric: Error or loss of each training.
        params: Parameters of each model.
        se: Standard error of each metric.
        seed: Seed of each training, as written.
        samples: Data seen in training, repeats counted, in the data unit.
        flops: FLOP of each training.
        gpu_hours: Hours of all devices together.
        device: Name of the accelerator, as written.
        train: The metric on the training data.
        test_size: Number of test examples behind each metric.
        columns: Role -> name of the column that was read for it.
        unmeasured: Rows of the file, from 0, without a metric: they crashed or diverged.
        names: Names of the trainings, where the source is a tracker's store.
        excluded: Reason -> number of a tracker's runs that were left out.
    """

    path: Path
    fingerprint: str
    data: tuple[float, ...]
    metric: tuple[float, ...]
    params: tuple[float, ...] | None = None
    se: tuple[float, ...] | None = None
    seed: tuple[str, ...] | None = None
    samples: tuple[float, ...] | None = None
    flops: tuple[float, ...] | None = None
    gpu_hours: tuple[float, ...] | None = None
    device: tuple[str, ...] | None = None
    train: tuple[float, ...] | None = None
    test_size: tuple[float, ...] | None = None
    columns: Mapping[str, str]
    unmeasured: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    excluded: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of measured trainings."""
        return len(self.data)

    @property
    def left_out(self) -> str:
        """Return which rows were left out, as a sentence; "" where all were read."""
        count = len(self.unmeasured)
        if self.names or not count:
            without = {f"without {self.columns['metric']}": count} if count else {}
            return left_out_sentence(Counter(self.excluded) + Counter(without), len(self))
        numbers = [str(first_row_number(self.path) + n) for n in self.unmeasured[:MAX_ROWS_NAMED]]
        named = ", ".join(numbers) + (", ..." if count > MAX_ROWS_NAMED else "")
        has, was, row = ("has", "was", "row") if count == 1 else ("have", "were", "rows")
        return (
            f"{count} of {count + len(self)} rows {has} no {self.columns['metric']} and {was} left out: "
            f"{row} {named}."
        )

    def cell_name(self, i: int, role: str) -> str:
        """Return which cell a value was read from.

        Args:
            i: Index of the training, from 0.
            role: What the column is for, such as "metric".

        Returns:
            The file, row and column, such as "runs.csv row 3, column 'wer'".
        """
        dropped = frozenset(self.unmeasured)
        kept = (n for n in range(len(self) + len(self.unmeasured)) if n not in dropped)
        n = next(islice(kept, i, None))
        if self.names:
            return _cell_of_run(self.path, self.names[n], self.columns[role])
        return cell_name(self.path, n, self.columns[role])


@dataclass(frozen=True)
class _Cells:
    """The cells of the measured rows of a file."""

    path: Path
    rows: Sequence[Row]
    measured: Sequence[int]  # rows, from 0
    columns: Mapping[str, str]  # role -> name of the column
    indexes: Mapping[str, int]  # role -> index of its cell in a row
    names: Sequence[str] = ()  # of the trainings, where a tracker names them
    lowest: float = 0.0  # least value of the metric

    def name(self, n: int, role: str) -> str:
        """Return the name of a cell for messages."""
        if self.names:
            return _cell_of_run(self.path, self.names[n], self.columns[role])
        return cell_name(self.path, n, self.columns[role])

    def texts(self, role: str) -> tuple[str, ...] | None:
        """Return the column of a role as text; None where the file has none."""
        if role not in self.columns:
            return None
        return tuple(str(self.rows[n][self.indexes[role]]) for n in self.measured)

    def numbers(self, role: str, parse: Callable[[str], float]) -> tuple[float, ...] | None:
        """Return the column of a role as numbers in base units; None where the file has none."""
        if role not in self.columns:
            return None
        return tuple(self._number(n, role, parse) for n in self.measured)

    def _number(self, n: int, role: str, parse: Callable[[str], float]) -> float:
        cell = self.name(n, role)
        value = number(cell, self.rows[n][self.indexes[role]], parse)
        zero = role in {"metric", "se", "train"}
        lowest = self.lowest if role in {"metric", "train"} else 0.0
        if value < lowest or (value == 0 and not zero):
            least = f"{lowest:g} or more" if zero else "more than 0"
            raise _cell_error(cell, f"expected {least}, got {value:g}", value)
        if role == "data" and not 1 / MAX_SIZE <= value <= MAX_SIZE:
            raise _cell_error(
                cell, f"expected a size between {1 / MAX_SIZE:g} and {MAX_SIZE:g}, got {value:g}", value
            )
        return value


def read_measurements(
    path: Path,
    *,
    metric: str,
    metric_unit: str,
    data_unit: str,
    columns: Mapping[str, str | None],
    choice: RunChoice | None = None,
    rising: bool = False,
    lowest: float = 0.0,
) -> Measurements:
    """Read the finished trainings of a file.

    Args:
        path: A CSV, TSV, JSONL or Parquet file, one row per finished training; or a tracker's store.
        metric: Name of the metric, also of its column unless `columns` names another.
        metric_unit: Its unit; "fraction" for rates.
        data_unit: Unit of the data size, also the name of its column unless `columns` names another.
        columns: Role -> name of its column, None for the usual names. Roles are "data", "metric", "params",
            "se", "seed", "samples", "flops", "gpu_hours", "device", "train" and "test_size".
        choice: Which runs of a tracker's store count, and which of their values.
        rising: Whether the best value of a metric is its largest.
        lowest: Least value that the metric may have.

    Returns:
        The measurements, in the order of the rows.

    Raises:
        TableError: The file, a column or a cell cannot be read.
    """
    tracked = None
    if is_tracked(path):
        choice = choice or RunChoice()
        table = open_tracked(path, choice)
        if choice.name_pattern:
            columns = _with_data_from_name(columns)
        named = [role for role, name in columns.items() if name]
        usual = _usual_names(metric, data_unit)
        columns = resolved(path, table, columns, usual)
        names = tuple(dict.fromkeys([*table.columns, *filter(None, columns.values())]))
        try:
            column_of = _columns(path, names, columns, metric=metric, data_unit=data_unit)
        except TableError as error:
            if error.code == "missing-column" and error.value == "data":
                raise no_data_size(path, table, usual["data"][:1]) from None
            raise
        best: Best = "last" if choice.value == LAST_VALUE else "max" if rising else "min"
        tracked = rows_of(table, column_of, named, best)
        rows, column_of = tracked.rows, dict(tracked.columns)
    else:
        names = read_names(path)
        column_of = _columns(path, names, columns, metric=metric, data_unit=data_unit)
        rows = read_rows(path, list(column_of.values()))
    if not rows and tracked:
        raise TableError(
            f"{path}: expected finished runs with {column_of['data']} and {column_of['metric']}, got none. "
            f"{left_out_sentence(tracked.left_out, 0)}".rstrip("."),
            code="no-measurement",
        )
    if not rows:
        raise TableError(
            f"{path} has no rows: expected one per training, with columns such as {data_unit},{metric}",
            code="empty-table",
        )
    indexes = {role: i for i, role in enumerate(column_of)}
    used = {
        role: name
        for role, name in column_of.items()
        if role in _REQUIRED or not _is_empty(rows, indexes[role])
    }
    measured = [n for n, row in enumerate(rows) if not _is_unmeasured(row[indexes["metric"]])]
    if not measured:
        raise TableError(
            f"{path}, column {used['metric']!r}: expected at least one number, got no value in any row",
            code="no-measurement",
        )
    cells = _Cells(path, rows, measured, used, indexes, tracked.names if tracked else (), lowest)
    of_metric = cell_terms(metric, metric_unit).parse
    of_data = partial(units.parse_data, unit=data_unit)
    values = cells.numbers("metric", of_metric) or ()
    return Measurements(
        path=path,
        fingerprint=tracked.fingerprint if tracked else hashlib.sha256(path.read_bytes()).hexdigest(),
        data=cells.numbers("data", of_data) or (),
        metric=values,
        params=cells.numbers("params", units.parse_number),
        se=cells.numbers("se", of_metric),
        seed=cells.texts("seed"),
        samples=cells.numbers("samples", of_data),
        flops=cells.numbers("flops", units.parse_number),
        gpu_hours=cells.numbers("gpu_hours", units.parse_number),
        device=cells.texts("device"),
        train=cells.numbers("train", of_metric),
        test_size=cells.numbers("test_size", units.parse_number),
        columns=used,
        unmeasured=tuple(sorted(set(range(len(rows))) - set(measured))),
        names=tracked.names if tracked else (),
        excluded=tracked.left_out if tracked else {},
    )


def _with_data_from_name(columns: Mapping[str, str | None]) -> dict[str, str | None]:
    if columns.get("data"):
        raise ConflictingInput(
            "expected one source of the data size, got a column and a pattern of names",
            code="data-given-twice",
            hint=drop("data_column"),
        )
    return {**columns, "data": FROM_NAME}


def _usual_names(metric: str, data_unit: str) -> dict[str, tuple[str, ...]]:
    """Return the usual names of the column of each role."""
    usual = dict(_NAMES)
    usual["data"] = (data_unit, *usual["data"])
    usual["metric"] = (metric, *usual["metric"])
    usual["se"] = (f"{metric}_se", *usual["se"])
    usual["train"] = (f"train_{metric}",)
    return usual


def _columns(
    path: Path, names: Sequence[str], given: Mapping[str, str | None], *, metric: str, data_unit: str
) -> dict[str, str]:
    """Return the column of each role that the file has."""
    usual = _usual_names(metric, data_unit)
    columns = {}
    for role in _NAMES:
        name = given.get(role)
        if name is not None and name not in names:
            raise UnknownName(
                f"column of {path} for the {role}", name, names[:MAX_NAMES_LISTED], code="unknown-column"
            )
        column = name or next(
            (c for u in usual[role] if (c := column_like(u, names, path)) is not None), None
        )
        if column is not None:
            columns[role] = column
        elif role in _REQUIRED:
            raise TableError(
                f"{path}: expected a column {' or '.join(map(repr, usual[role]))}, got {_listed(names)}",
                code="missing-column",
                value=role,
                expected=f"a column {' or '.join(map(repr, usual[role]))}",
                hint=use(f"{role}_column", purpose=f"to name the column of the {role}"),
            )
    twice = [name for name in columns.values() if list(columns.values()).count(name) > 1]
    if twice:
        roles = [role for role, name in columns.items() if name == twice[0]]
        raise ConflictingInput(
            f"column {twice[0]!r} of {path} is used for {' and '.join(roles)}: expected a column for each",
            code="column-used-twice",
            value=twice[0],
        )
    return columns


def cell_name(path: Path, n: int, column: str) -> str:
    """Return the name of a cell for messages.

    Args:
        path: The file.
        n: Row of data, from 0.
        column: Name of the column.

    Returns:
        The file, the row as an editor numbers it, and the column.
    """
    return f"{path} row {first_row_number(path) + n}, column {column!r}"


def _cell_of_run(path: Path, run: str, column: str) -> str:
    return f"{path} run {run!r}, column {column!r}"


def column_like(name: str, names: Sequence[str], path: Path) -> str | None:
    """Return the column that has a name, in any case and with spaces around it.

    Args:
        name: The name to look for.
        names: The columns of the file.
        path: The file, for messages.

    Returns:
        The column as the file spells it; the exact spelling first. None where no column has the name.

    Raises:
        TableError: Several columns differ from the name only in case or spaces.
    """
    if name in names:
        return name
    similar = [column for column in names if column.strip().lower() == name.lower()]
    if len(similar) > 1:
        raise TableError(
            f"{path} has several columns for {name!r}: {_listed(similar)}; expected one",
            code="duplicate-column",
            value=name,
        )
    return similar[0] if similar else None


def number(cell: str, content: Any, parse: Callable[[str], float]) -> float:
    """Return the content of a cell as a finite number in base units.

    Args:
        cell: Name of the cell, for messages.
        content: What the file has there: text, a number, or None.
        parse: Reads text, such as `units.parse_number`.

    Returns:
        The number.

    Raises:
        TableError: The cell is empty or not a finite number.
    """
    if content is None or (isinstance(content, str) and not content.strip()):
        raise _cell_error(
            cell, "expected a number, got an empty cell; remove the row if it was not measured", content
        )
    try:
        if isinstance(content, bool):
            raise TypeError
        value = parse(content) if isinstance(content, str) else float(content)
    except PlannerError as error:
        raise TableError(f"{cell}: {error.message}", code="unreadable-cell", value=content) from None
    except (TypeError, ValueError, OverflowError):
        raise _cell_error(cell, f"expected a number, got {str(content)[:40]!r}", content) from None
    if not math.isfinite(value):
        raise _cell_error(cell, f"expected a finite number, got {value}", content)
    return value


def _cell_error(cell: str, problem: str, content: Any) -> TableError:
    return TableError(f"{cell}: {problem}", code="unreadable-cell", value=content)


def _is_empty(rows: Sequence[Row], i: int) -> bool:
    return all(row[i] is None or row[i] == "" for row in rows)


def _is_unmeasured(content: Any) -> bool:
    """Return whether a cell has no measurement: it is empty, or what logs write for a loss that is not a
    number. MLflow writes infinity as the largest double.
    """
    try:
        if content is None or not str(content).strip():
            return True
        value = abs(float(content))
        return not math.isfinite(value) or value >= sys.float_info.max
    except (TypeError, ValueError, OverflowError):
        return False  # it has to be read as a number, or refused by name


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:MAX_NAMES_LISTED]))
    return f"{shown}, ..." if len(names) > MAX_NAMES_LISTED else shown
