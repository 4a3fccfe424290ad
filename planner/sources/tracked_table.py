"""Rows of measurements from a tracker's store: the column of each role, and why runs are left out."""

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from laws.errors import InputError, TableError, UnknownName, run, use
from planner.sources.expressions import Expression, parse_expression
from planner.sources.table_file import Row, table_suffix
from planner.sources.trackers.open_source import is_source, read_source, read_sources
from planner.sources.trackers.runs import KEPT_STATES, Best, Cell, History, Run, RunTable, State, finite
from planner.sources.trackers.wandb_chart import is_chart

BEST_ROLES = frozenset({"metric", "train"})  # logged at every step: the best value counts; of others the last
EXACT_ROLES = frozenset({"se", "samples"})  # columns that end in such a name often mean something else
MIN_NAME = 3  # characters of a name that may be the end of a column's
MAX_NAMES_LISTED = 8  # of the numbers that vary between runs
FROM_NAME = "data size in the name"  # the column of what a pattern matches in the names of runs
BEST_VALUE, LAST_VALUE = "best", "last"
WHERE = "where "  # key of a law's provenance, with the column of a condition


@dataclass(frozen=True)
class RunChoice:
    """Which runs of a tracker count, and which of their values.

    Attributes:
        where: Column -> the value that it must have.
        states: States that count; none for those that finished, or whose tracker records no end.
        value: Which value of a metric logged at every step counts: "best" or "last".
        name_pattern: Regular expression whose group is the data size in the name of a run; "" for none.
    """

    where: Mapping[str, str] = field(default_factory=dict)
    states: tuple[str, ...] = ()
    value: str = BEST_VALUE
    name_pattern: str = ""

    @property
    def provenance(self) -> dict[str, str]:
        """Return the choice as entries of a law's provenance; none where it is the usual one."""
        return {
            **{f"{WHERE}{column}": value for column, value in self.where.items()},
            **({"states": " ".join(self.states)} if self.states else {}),
            **({"value": self.value} if self.value != BEST_VALUE else {}),
            **({"data_from_name": self.name_pattern} if self.name_pattern else {}),
        }


def is_tracked(path: Path) -> bool:
    """Return whether a path is to be read as a tracker's store, and not as a table.

    Args:
        path: A file or a folder, which need not exist.

    Returns:
        True for a folder, for the export of a chart, and for a file not named as a table that is missing or
        of a tracker.
    """
    if path.is_dir():
        return True
    return is_chart(path) if table_suffix(path) else not path.exists() or is_source(path)


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


def run_choice(
    where: Sequence[str] | None, state: Sequence[str] | None, value: str, data_from_name: str | None
) -> RunChoice:
    """Return the choice of runs that was typed.

    Args:
        where: Conditions, each `COLUMN=VALUE`.
        state: Names of states.
        value: "best" or "last".
        data_from_name: Regular expression whose group is the data size in the name of a run.

    Returns:
        The choice.

    Raises:
        InputError: A condition has no equals sign.
    """
    return RunChoice(conditions(where or ()), tuple(state or ()), value, data_from_name or "")


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


def open_tracked(paths: Sequence[Path], choice: RunChoice) -> RunTable:
    """Read stores from which laws can be fitted: those that hold several trainings.

    Args:
        paths: Files or folders of one tracker.
        choice: Which runs count.

    Returns:
        The runs.

    Raises:
        PlannerError: A store cannot be read, or there is one training in all; or the choice is not valid.
    """
    states = chosen_states(choice.states)
    pattern = pattern_of(choice.name_pattern)
    path = paths[0]
    table = replace(read_sources(paths), states=states).where(choice.where)
    if pattern is not None:
        table = _with_size_from_name(table, pattern)
    if len(table.runs) == 1:
        raise InputError(
            f"{path} holds one training: expected one per data size, since steps of a training do not count",
            code="one-training",
            value=str(path),
            hint=run("extrapolate", purpose="to forecast one training from its steps"),
        )
    return table


def chosen_states(words: Sequence[str]) -> frozenset[State]:
    """Return the states of the runs that count.

    Args:
        words: Names of states; none for the usual ones.

    Returns:
        The states.

    Raises:
        UnknownName: A word is not a state.
    """
    names = tuple(state.value for state in State)
    for word in words:
        if word.strip().lower() not in names:
            raise UnknownName("state", word, names, code="unknown-state")
    return frozenset(State(word.strip().lower()) for word in words) or KEPT_STATES


def pattern_of(text: str) -> re.Pattern[str] | None:
    """Return the pattern whose group is a data size; None where none was given.

    Args:
        text: The regular expression as typed.

    Returns:
        The pattern.

    Raises:
        InputError: It is not a regular expression with one group ("invalid-pattern").
    """
    if not text:
        return None
    try:
        pattern = re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise InputError(
            f"pattern {text!r}: expected a regular expression, such as '([0-9]+)h', got an error: {error}",
            code="invalid-pattern",
            value=text,
        ) from None
    if pattern.groups != 1:
        raise InputError(
            f"pattern {text!r}: expected one group in parentheses, such as '([0-9]+)h', got {pattern.groups}",
            code="invalid-pattern",
            value=text,
        )
    return pattern


def _with_size_from_name(table: RunTable, pattern: re.Pattern[str]) -> RunTable:
    """Return the table with a column of what the pattern's group matches in the name of each run."""
    runs = []
    for tracked in table.runs:
        match = pattern.search(tracked.name)
        runs.append(replace(tracked, values={**tracked.values, FROM_NAME: match[1] if match else None}))
    return replace(table, runs=tuple(runs))


def no_data_size(path: Path, table: RunTable, names: Sequence[str]) -> TableError:
    """Return the refusal of a store without a data size, which names the numbers that vary between runs.

    Args:
        path: The store.
        table: The runs.
        names: The usual names of the data size.

    Returns:
        The error.
    """
    varying = []
    for column in table.columns[2:]:
        contents = [tracked.values.get(column) for tracked in table.kept]
        if any(isinstance(content, History) for content in contents):
            continue  # results, not settings
        numbers = [number for content in contents if (number := finite(content)) is not None]
        if numbers and min(numbers) < max(numbers):
            varying.append(f"{column} ({min(numbers):g} to {max(numbers):g})")
    listed = ", ".join(varying[:MAX_NAMES_LISTED]) + (", ..." if len(varying) > MAX_NAMES_LISTED else "")
    return TableError(
        f"{path}: expected a number that counts data, such as {' or '.join(names)}, got none in "
        f"{len(table.kept)} runs. Numbers that vary between runs: {listed or 'none'}",
        code="no-data-size",
        value=str(path),
        hint=(
            use("data_column", purpose="to name one"),
            use("data_from_name", value="([0-9]+)h", purpose="where the names of runs hold it"),
        ),
    )


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


def rows_of(
    table: RunTable, columns: Mapping[str, Expression], named: Collection[str], best: Best = "min"
) -> TrackedRows:
    """Return the rows of the runs that count.

    Args:
        table: The runs.
        columns: Role -> column; "data" and "metric" are among them.
        named: Roles whose columns you named. A run needs a value in each; another column that a run lacks is
            not used.
        best: Which value of a metric logged at every step counts.

    Returns:
        The rows, and why the other runs are left out.
    """
    needed = ["metric", "data", *(role for role in columns if role in named)]
    left_out = Counter(table.left_out)
    runs: dict[str, list[Cell]] = {role: [] for role in columns}
    names = []
    for finished in table.kept:
        value = partial(_value, table, finished, best)
        cells = {role: value(role, column) for role, column in columns.items()}
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


def _reason(cells: Mapping[str, Cell], columns: Mapping[str, Expression], needed: Sequence[str]) -> str:
    """Return why a finished run is left out; "" where it is not."""
    for role in needed:
        if _has_gap([cells[role]]):
            return f"without {columns[role].text}"
    return f"with {columns['data'].text} 0" if finite(cells["data"]) == 0 else ""


def _has_gap(cells: Sequence[Cell]) -> bool:
    return any(content is None or not str(content).strip() for content in cells)


def _value(table: RunTable, tracked: Run, best: Best, role: str, column: Expression) -> Cell:
    cells = table.cells(tracked, column.names, best if role in BEST_ROLES else "last")
    content: Cell = column.content(dict(zip(column.names, cells, strict=True)))
    return content


def tracked_curves(path: Path, column: str | None) -> list[tuple[str, list[tuple[float, float, None, None]]]]:
    """Return a metric of each run over its steps; step 0 is left out, since curves have no value there.

    Args:
        path: A tracker's file or folder.
        column: The metric: a column, or the last part of one.

    Returns:
        Name of the run; step, value and two empty cells of each measurement. Runs without the metric are left
        out.

    Raises:
        PlannerError: The store cannot be read, or has no such steps.
    """
    table = read_source(path, with_steps=True)
    logged = [
        name
        for name in table.columns
        if any(isinstance(h := tracked.values.get(name), History) and h.steps for tracked in table.runs)
    ]
    listing = run("columns", value=str(path), purpose="to list the columns")
    if not logged:
        raise TableError(
            f"{path}: expected a metric with its steps, got none in the {table.kind}",
            code="no-steps",
            value=str(path),
            hint=listing,
        )
    if column is None:
        raise InputError(
            f"{path}: expected the name of a metric, one of {', '.join(logged[:MAX_NAMES_LISTED])}",
            code="missing-column",
            value="metric",
            hint=use("metric_column", purpose="to name one"),
        )
    name = table.column(column)
    curves = {}
    for tracked in table.runs:
        metric = tracked.values.get(name)
        if tracked.state is State.DELETED or not isinstance(metric, History):
            continue
        if below := [value for step, value in metric.steps if step > 0 and value < 0]:
            raise TableError(
                f"{path} run {tracked.name!r}, column {name!r}: expected 0 or more, got {below[0]:g}",
                code="unreadable-cell",
                value=below[0],
            )
        points = [(step, value, None, None) for step, value in metric.steps if step > 0]
        if points:
            curves[tracked.name if tracked.name not in curves else tracked.id] = points
    if not curves:
        raise TableError(
            f"{path}, column {name!r}: expected a metric with its steps, got none",
            code="no-steps",
            value=name,
            hint=listing,
        )
    return list(curves.items())


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
