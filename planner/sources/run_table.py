"""Read measurements of finished trainings from tables: checked columns of numbers.

A column is found by its usual names or by the name or expression that you give. Cells may be written as
people write them (`35%`, `10k`, `n/a`), see `cells.py`, and headings may give a scale, see `headings.py`.
Nothing is dropped silently:

| row | what happens |
| --- | --- |
| its metric is missing or not finite: the training crashed or diverged | left out and named |
| its state is a word such as failed or running | left out and named |
| its data size is missing, or 0: before training | left out and named, where two rows remain |
| it lacks another value: one row in ten at most, or a column that you named | left out and named |
| it lacks another value that many rows lack | the column is not used, which is said |
| it cannot be read: a word, a negative number, a cell too many | an error that names it; left out and \
named where at most one row in ten is like that |
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from laws.errors import ConflictingInput, InputError, PlannerError, TableError, UnknownName, drop, use
from planner import units
from planner.metrics import FRACTION, PERCENT_UNITS, cell_terms
from planner.sources.cells import is_missing, plain_cells
from planner.sources.column_roles import REQUIRED, column_like, find_columns, listed, usual_names
from planner.sources.expressions import Expression
from planner.sources.headings import parse_heading, with_suffix
from planner.sources.measurements import Measurements
from planner.sources.table_file import Row, first_row_number, ragged_row
from planner.sources.tables import Table, on_disk, table_of_files, table_of_points, title_of
from planner.sources.tracked_table import (
    FROM_NAME,
    LAST_VALUE,
    RunChoice,
    chosen_states,
    is_tracked,
    left_out_sentence,
    no_data_size,
    open_tracked,
    pattern_of,
    resolved,
    rows_of,
)
from planner.sources.trackers.runs import Best, state_of

MAX_SIZE = 1e100  # data sizes beyond it, or below its inverse, are errors: laws span a billion times less
MAX_BAD_SHARE = 0.1  # of the rows: with more that cannot be read, the file is not what it seems
MAX_GAPS = 0.1  # share of the rows that lack an optional value: with more, the column is not used
MIN_ROWS = 2  # that must remain where rows without a data size are left out
STATE_NAMES = ("status", "state")
NAME_COLUMNS = ("name", "run", "run_name", "run name", "model", "id")  # with the names of trainings
OF_METRIC = ("metric", "se", "train")  # roles with values of the metric
NUMERIC = ("params", "se", "samples", "flops", "gpu_hours", "train", "test_size")  # optional roles


@dataclass(frozen=True)
class _Source:
    """Rows with the column of each role, wherever they are from."""

    title: str
    fingerprint: str
    columns: Mapping[str, Expression]  # by role
    names: Sequence[str]  # of the cells in a row
    rows: Sequence[Row]
    row_name: Callable[[int], str]
    short_name: Callable[[int], str]
    delimiter: str = ""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    state: str | None = None  # column of the states
    excluded: Mapping[str, int] = field(default_factory=dict)
    is_tracked: bool = False

    def cell_name(self, n: int, role: str) -> str:
        """Return the name of a cell for messages."""
        return f"{self.row_name(n)}, column {self.columns[role].text!r}"


def read_measurements(
    path: Path | Sequence[Path],
    *,
    metric: str,
    metric_unit: str,
    data_unit: str,
    columns: Mapping[str, str | None],
    choice: RunChoice | None = None,
    rising: bool = False,
    lowest: float = 0.0,
    points: Sequence[str] = (),
    decimal_mark: str = "",
    data_total: float | None = None,
) -> Measurements:
    """Read the finished trainings of one or several tables.

    Args:
        path: CSV, TSV, JSONL or Parquet files, one row per finished training, `-` for standard input; or a
            tracker's store.
        metric: Name of the metric, also of its column unless `columns` names another.
        metric_unit: Its unit; "fraction" for rates, "%" for rates whose bare numbers are percentages.
        data_unit: Unit of the data size, also the name of its column unless `columns` names another.
        columns: Role -> name of its column or an expression, None for the usual names. Roles are "data",
            "metric", "params", "se", "seed", "samples", "flops", "gpu_hours", "device", "train" and
            "test_size".
        choice: Which rows or runs count, and which of their values.
        rising: Whether the best value of a metric is its largest.
        lowest: Least value that the metric may have.
        points: Points instead of a file, each such as `300h=11.4%`.
        decimal_mark: `units.POINT` or `units.COMMA`, where cells such as `1,340` do not say it.
        data_total: All data, in the data unit, where data sizes are percentages of it.

    Returns:
        The measurements, in the order of the rows.

    Raises:
        TableError: A file, a column or a cell cannot be read.
    """
    names = {"metric": metric, "data_unit": data_unit}
    choice = choice or RunChoice()
    with on_disk([path] if isinstance(path, Path) else path) as files:
        if points:
            source = _of_table(table_of_points(points, **names), columns, choice, **names)
        elif all(is_tracked(file) for _, file in files):
            source = _of_tracker(files, columns, choice, rising=rising, **names)
        else:
            source = _of_table(table_of_files(files), columns, choice, **names)
    in_percent = metric_unit in PERCENT_UNITS
    of_metric = cell_terms(metric, FRACTION if in_percent else metric_unit).parse
    of_data = partial(_data_size, unit=data_unit, total=data_total)
    parsers: dict[str, Callable[[str], float]] = {
        "data": of_data,
        "metric": of_metric,
        "se": of_metric,
        "train": of_metric,
        "samples": of_data,
        "gpu_hours": _hours,
    }
    suffixes = dict.fromkeys(OF_METRIC, "%") if in_percent else {}
    return _Reader(source, columns, parsers, decimal_mark, lowest, choice, suffixes).measurements()


def _of_table(
    table: Table, given: Mapping[str, str | None], choice: RunChoice, *, metric: str, data_unit: str
) -> _Source:
    where = choice.where
    pattern, in_table = pattern_of(choice.name_pattern), table.names
    if pattern is not None:
        given, in_table = _with_data_from_name(given), (*table.names, FROM_NAME)
        name_column = _column_of_names(table)
    columns = find_columns(table.title, in_table, given, metric=metric, data_unit=data_unit)
    for name in where:
        if name not in table.names:
            raise UnknownName(f"column of {table.title}", name, table.names, code="unknown-column")
    state = next((name for name in table.names if name.strip().lower() in STATE_NAMES), None)
    if choice.states and state is None:
        raise TableError(
            f"{table.title}: expected a column {' or '.join(map(repr, STATE_NAMES))} for the state of "
            f"trainings, got {listed(table.names)}",
            code="missing-column",
            value="state",
            hint=drop("state"),
        )
    used = [name for expression in columns.values() for name in expression.names]
    names = list(dict.fromkeys([*used, *where, *([state] if state else [])]))
    if pattern is not None:
        names = [name for name in names if name not in (name_column, FROM_NAME)] + [name_column]
    content = table.read(names)
    if not content.rows and not content.unreadable:
        raise TableError(
            f"{table.title} has no rows: expected one per training, with columns such as "
            f"{data_unit},{metric}",
            code="empty-table",
        )
    rows = content.rows
    if pattern is not None:
        matches = [pattern.search(str(row[-1] or "")) for row in rows]
        rows = [(*row, match[1] if match else None) for row, match in zip(rows, matches, strict=True)]
        names.append(FROM_NAME)
    conditions = [(names.index(name), value) for name, value in where.items()]
    kept = [n for n, row in enumerate(rows) if all(_equal(row[i], value) for i, value in conditions)]
    if conditions and not kept:
        chosen = " and ".join(f"{name}={value}" for name, value in where.items())
        raise TableError(f"{table.title}: expected rows with {chosen}, got none", code="no-such-run")
    return _Source(
        title=table.title,
        fingerprint=table.fingerprint,
        columns=columns,
        names=names,
        rows=[rows[n] for n in kept],
        row_name=lambda n: content.name(kept[n]),
        short_name=lambda n: content.short_name(kept[n]),
        delimiter=content.delimiter,
        unreadable=content.unreadable,
        state=state,
    )


def _column_of_names(table: Table) -> str:
    """Return the column with the names of a table's trainings."""
    for name in NAME_COLUMNS:
        if (column := column_like(name, table.names, table.title)) is not None:
            return column
    raise TableError(
        f"{table.title}: expected a column {' or '.join(map(repr, NAME_COLUMNS))} for the pattern of names, "
        f"got {listed(table.names)}",
        code="missing-column",
        value="name",
        hint=drop("data_from_name"),
    )


def _equal(content: Any, value: str) -> bool:
    return content is not None and str(content).strip() == value


def _of_tracker(
    files: Sequence[tuple[str, Path]],
    given: Mapping[str, str | None],
    choice: RunChoice,
    *,
    rising: bool,
    metric: str,
    data_unit: str,
) -> _Source:
    title, paths = title_of([title for title, _ in files]), [path for _, path in files]
    path = paths[0]
    table = open_tracked(paths, choice)
    if choice.name_pattern:
        given = _with_data_from_name(given)
    named = [role for role, name in given.items() if name]
    usual = usual_names(metric, data_unit)
    columns = resolved(path, table, given, usual)
    texts = {role: expression.text if expression else None for role, expression in columns.items()}
    names = dict.fromkeys([*table.columns, *filter(None, texts.values())])
    try:
        plain = find_columns(title, tuple(names), texts, metric=metric, data_unit=data_unit)
    except TableError as error:
        if error.code == "missing-column" and error.value == "data":
            raise no_data_size(path, table, usual["data"][:1]) from None
        raise
    found = {role: columns.get(role) or expression for role, expression in plain.items()}
    best: Best = "last" if choice.value == LAST_VALUE else "max" if rising else "min"
    tracked = rows_of(table, found, named, best)
    if not tracked.rows:
        raise TableError(
            f"{title}: expected finished runs with {found['data'].text} and {found['metric'].text}, got "
            f"none. {left_out_sentence(tracked.left_out, 0)}".rstrip("."),
            code="no-measurement",
        )
    roles = {role: Expression(text, (role,)) for role, text in tracked.columns.items()}
    return _Source(
        title=title,
        fingerprint=tracked.fingerprint,
        columns=roles,
        names=list(tracked.columns),
        rows=tracked.rows,
        row_name=lambda n: f"{title} run {tracked.names[n]!r}",
        short_name=lambda n: repr(tracked.names[n]),
        excluded=tracked.left_out,
        is_tracked=True,
    )


@dataclass
class _Reader:
    """Turns the rows of a source into numbers, and keeps which rows are left out."""

    source: _Source
    given: Mapping[str, str | None]
    parsers: Mapping[str, Callable[[str], float]]  # by role; plain numbers where there is none
    decimal_mark: str
    lowest: float
    choice: RunChoice
    suffixes: Mapping[str, str]  # role -> what is written after bare numbers whose heading says nothing
    notes: list[str] = field(default_factory=list)
    left_out: dict[str, list[int | str]] = field(default_factory=dict)

    def measurements(self) -> Measurements:
        """Return the measurements of the rows that can be read."""
        source = self.source
        cells = {role: self._cells(role) for role in source.columns}
        rows = self._without_unfinished(range(len(source.rows)))
        metric = source.columns["metric"].text
        rows = self._without([n for n in rows if is_missing(cells["metric"][n])], f"has no {metric}", rows)
        if not rows and source.unreadable:
            name, problem = next(iter(source.unreadable.items()))
            raise ragged_row(name, problem, 0)
        if not rows:
            raise TableError(
                f"{source.title}, column {metric!r}: expected at least one number, got no value in any row",
                code="no-measurement",
            )
        rows = self._with_data(cells["data"], rows)
        rows, used = self._with_optional(cells, rows)
        values, rows = self._values(cells, used, rows)
        texts: dict[str, Any] = {
            role: tuple("" if is_missing(cells[role][n]) else str(cells[role][n]) for n in rows)
            for role in ("seed", "device")
            if role in used
        }
        excluded = Counter(source.excluded)
        if source.is_tracked:
            excluded += Counter({_of_run(reason): len(left) for reason, left in self.left_out.items()})
        return Measurements(
            path=Path(source.title),
            fingerprint=source.fingerprint,
            **texts,
            **values,  # type: ignore[arg-type]
            columns={role: source.columns[role].text for role in source.columns if role in used},
            row_names=tuple(map(source.row_name, rows)),
            left_out_rows={}
            if source.is_tracked
            else {
                reason: tuple(n if isinstance(n, str) else source.short_name(n) for n in left)
                for reason, left in self.left_out.items()
            },
            notes=tuple(self.notes),
            excluded=excluded,
        )

    def _cells(self, role: str) -> list[Any]:
        """Return the column of a role: each cell text that can be read in one way, a number, or None."""
        source, expression = self.source, self.source.columns[role]
        if role in ("seed", "device"):
            return [expression.content(dict(zip(source.names, row, strict=True))) for row in source.rows]
        columns: dict[str, list[Any]] = {}
        for name in expression.names:
            i = source.names.index(name)
            column = [row[i] for row in source.rows]
            columns[name] = plain_cells(
                column,
                partial(self._named, name),
                mark=self.decimal_mark,
                delimiter=source.delimiter,
            )
        if expression.alternatives == expression.names and len(columns) == 1:
            (name,) = columns
            return self._scaled(role, columns[name])
        cells = []
        for n in range(len(source.rows)):
            try:
                cells.append(expression.content({name: column[n] for name, column in columns.items()}))
            except InputError as error:
                cells.append(_Unreadable(f"{source.row_name(n)}, {error.message}"))
        return with_suffix(cells, self.suffixes[role]) if role in self.suffixes else cells

    def _named(self, column: str, n: int) -> str:
        return f"{self.source.row_name(n)}, column {column!r}"

    def _scaled(self, role: str, cells: list[Any]) -> list[Any]:
        """Return a column with what its heading says after each bare number."""
        heading = parse_heading(self.source.columns[role].text)
        suffix = "M" if heading.suffix == "m" and role in ("params", "flops") else heading.suffix
        if not suffix:
            return with_suffix(cells, self.suffixes[role]) if role in self.suffixes else cells
        try:
            self._parse(role)(f"1{suffix}")
        except PlannerError:
            return cells  # (B) after a metric is no billion
        scaled = with_suffix(cells, suffix)
        if scaled != cells and suffix != "h":
            self.notes.append(f"Column {heading.column!r} is read in {heading.in_words}.")
        return scaled

    def _parse(self, role: str) -> Callable[[str], float]:
        return self.parsers.get(role, units.parse_number)

    def _without(self, left: Sequence[int], reason: str, rows: Sequence[int]) -> list[int]:
        """Return the rows but some, which are left out for a reason."""
        if left:
            self.left_out.setdefault(reason, []).extend(left)
        gone = set(left)
        return [n for n in rows if n not in gone]

    def _without_unfinished(self, rows: Iterable[int]) -> list[int]:
        """Return the rows whose state is not a word such as failed or running."""
        kept = list(rows)
        if self.source.state is None:
            return kept
        i = self.source.names.index(self.source.state)
        states = {n: state_of(self.source.rows[n][i]) for n in kept}
        chosen = chosen_states(self.choice.states)
        for state in dict.fromkeys(states.values()):
            if state not in chosen:
                left = [n for n in kept if states[n] == state]
                kept = self._without(left, f"has the {self.source.state} {state.value}", kept)
        if not kept:
            raise TableError(
                f"{self.source.title}, column {self.source.state!r}: expected finished trainings, got none",
                code="no-measurement",
            )
        return kept

    def _with_data(self, cells: Sequence[Any], rows: Sequence[int]) -> list[int]:
        """Return the rows with a data size above 0, or refuse the first without one if too few remain."""
        column = self.source.columns["data"].text
        missing = [n for n in rows if is_missing(cells[n])]
        zero = [n for n in rows if not is_missing(cells[n]) and self._is_zero(cells[n])]
        if len(rows) - len(missing) - len(zero) < MIN_ROWS:
            for n in sorted([*missing, *zero]):
                self._number(n, "data", cells[n])  # which refuses it
        kept = self._without(missing, f"has no {column}", rows)
        return self._without(zero, f"has 0 {column}", kept)

    def _is_zero(self, content: Any) -> bool:
        try:
            return (self._parse("data")(content) if isinstance(content, str) else float(content)) == 0
        except (PlannerError, TypeError, ValueError, OverflowError):
            return False

    def _with_optional(
        self, cells: Mapping[str, Sequence[Any]], rows: Sequence[int]
    ) -> tuple[list[int], set[str]]:
        """Return the rows that have every optional value that is used, and the roles that are used."""
        kept = list(rows)
        used = {*REQUIRED}
        for role in self.source.columns:
            gaps = [n for n in rows if is_missing(cells[role][n])]
            if role in REQUIRED or len(gaps) == len(rows):
                continue
            column = self.source.columns[role].text
            is_named = bool(self.given.get(role))
            if role in NUMERIC and gaps and not is_named and len(gaps) > MAX_GAPS * len(rows):
                self.notes.append(
                    f"Column {column!r} has no value in {len(gaps)} of {len(rows)} rows and is not used."
                )
                continue
            used.add(role)
            if role in NUMERIC:
                gone = set(kept)
                kept = self._without([n for n in gaps if n in gone], f"has no {column}", kept)
        if not kept:
            raise TableError(
                f"{self.source.title}: expected rows with a value in each of the columns, got none",
                code="no-measurement",
            )
        return kept, used

    def _values(
        self, cells: Mapping[str, Sequence[Any]], used: set[str], rows: Sequence[int]
    ) -> tuple[dict[str, tuple[float, ...]], list[int]]:
        """Return the numbers of each role, and the rows that could be read."""
        roles = [role for role in self.source.columns if role in used and role not in ("seed", "device")]
        kept, values = [], []
        bad: dict[int | str, TableError] = {
            name: ragged_row(name, problem, 0) for name, problem in self.source.unreadable.items()
        }
        for n in rows:
            try:
                values.append([self._number(n, role, cells[role][n]) for role in roles])
                kept.append(n)
            except TableError as error:
                bad[n] = error
        if bad and (len(kept) < MIN_ROWS or len(bad) > MAX_BAD_SHARE * (len(kept) + len(bad))):
            raise next(iter(bad.values()))
        for name, refusal in bad.items():
            row = name if isinstance(name, str) else self.source.row_name(name)
            problem = refusal.message.removeprefix(row).lstrip(", :")
            self.left_out.setdefault(f"cannot be read ({problem})", []).append(name)
        columns = zip(*values, strict=True)
        return dict(zip(roles, columns, strict=True)), kept

    def _number(self, n: int, role: str, content: Any) -> float:
        cell = self.source.cell_name(n, role)
        if isinstance(content, _Unreadable):
            raise TableError(content.message, code="unreadable-cell")
        value = number(cell, content, self._parse(role))
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


@dataclass(frozen=True)
class _Unreadable:
    """In the place of a number that could not be computed."""

    message: str


def _of_run(reason: str) -> str:
    """Return a reason as it is said of a tracker's runs."""
    return reason.replace("has no ", "without ").replace("has 0 ", "with 0 ")


def _data_size(text: str, *, unit: str, total: float | None) -> float:
    """Return a data size; a percentage is one of all data."""
    if not text.rstrip().endswith("%"):
        return units.parse_data(text, unit)
    if total is None:
        raise InputError(
            f"cannot read {text.strip()!r}: expected an amount of data in {unit}, got a percentage",
            code="percent-of-unknown-data",
            value=text,
            hint=use("data_total", value=f"'685 {unit}'", purpose="to say how much all data is"),
        )
    return units.parse_fraction(text) * total


def _hours(text: str) -> float:
    """Return GPU-hours; below a heading such as `time (min)` they are durations."""
    try:
        return units.parse_gpu_hours(text)
    except PlannerError as error:
        try:
            return units.parse_duration(text) / units.SECONDS["h"]
        except PlannerError:
            raise error from None


def _with_data_from_name(columns: Mapping[str, str | None]) -> dict[str, str | None]:
    if columns.get("data"):
        raise ConflictingInput(
            "expected one source of the data size, got a column and a pattern of names",
            code="data-given-twice",
            hint=drop("data_column"),
        )
    return {**columns, "data": FROM_NAME}


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
        raise TableError(
            f"{cell}: {error.message}",
            code="unreadable-cell" if error.code == "unreadable-quantity" else error.code,
            value=content,
            hint=error.hints,
        ) from None
    except (TypeError, ValueError, OverflowError):
        raise _cell_error(cell, f"expected a number, got {str(content)[:40]!r}", content) from None
    if not math.isfinite(value):
        raise _cell_error(cell, f"expected a finite number, got {value}", content)
    return value


def _cell_error(cell: str, problem: str, content: Any) -> TableError:
    return TableError(f"{cell}: {problem}", code="unreadable-cell", value=content)
