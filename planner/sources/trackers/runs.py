"""Runs of a tracker as a table: one row per run, columns named as the tracker names them.

A metric that was logged at every step is a `History`. Its plain column is the last value, or the best one,
which is the smallest or the largest: only the caller knows. `X.min`, `X.max` and `X.last` name one of them.
"""

import math
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal

from laws.errors import FileError, InputError, UnknownName, use

MAX_RUNS = 200_000
MAX_COLUMNS = 10_000
MAX_DEPTH = 20  # of nested values
MAX_TEXT = 200  # characters of a cell; a longer text is neither a number nor a name
MAX_GROUPS_NAMED = 12

Cell = str | int | float | bool | None
Best = Literal["min", "max", "last"]


class State(StrEnum):
    """How a run ended, as its tracker recorded it."""

    FINISHED = "finished"
    UNKNOWN = "unknown"  # the tracker records no end; such runs are kept
    FAILED = "failed"
    KILLED = "killed"
    RUNNING = "running"
    PRUNED = "pruned"
    DELETED = "deleted"
    CUT = "cut off"  # the file ends within a record, or is damaged from there on
    EMPTY = "empty"


KEPT_STATES = frozenset({State.FINISHED, State.UNKNOWN})

_STATE_WORDS = {
    State.FINISHED: ("finished", "complete", "completed", "done", "success", "succeeded"),
    State.FAILED: ("failed", "fail", "failure", "crashed", "error", "diverged"),
    State.KILLED: ("killed", "canceled", "cancelled", "stopped", "preempted"),
    State.RUNNING: ("running", "pending", "scheduled", "waiting", "queued"),
    State.PRUNED: ("pruned",),
    State.DELETED: ("deleted",),
}
_STATES = {word: state for state, words in _STATE_WORDS.items() for word in words}


def state_of(word: object) -> State:
    """Return the state that a tracker's word stands for; UNKNOWN for any other word.

    Args:
        word: What the tracker recorded, in any case.

    Returns:
        The state.
    """
    return _STATES.get(str(word).strip().lower(), State.UNKNOWN)


@dataclass(frozen=True, slots=True)
class History:
    """The values of a metric over a run.

    Attributes:
        last: The last value; None where it is not finite: the run diverged.
        min: The smallest finite value.
        max: The largest finite value.
        count: How many values were logged.
        steps: Step and finite value of each, where the reader keeps them.
    """

    last: float | None
    min: float | None
    max: float | None
    count: int = 1
    steps: tuple[tuple[float, float], ...] = ()

    def best(self, which: Best) -> float | None:
        """Return the smallest, largest or last value; None for a run that ended in NaN or infinity.

        Args:
            which: `min`, `max` or `last`.

        Returns:
            The value, in the metric's unit.
        """
        return None if self.last is None else {"min": self.min, "max": self.max, "last": self.last}[which]


def history(values: Iterable[Any]) -> History:
    """Return the history of values in the order in which they were logged.

    Args:
        values: Numbers; NaN, infinity and anything but a number count as unmeasured.

    Returns:
        Their summary.
    """
    numbers = [finite(value) for value in values]
    measured = [number for number in numbers if number is not None]
    return History(
        numbers[-1] if numbers else None,
        min(measured, default=None),
        max(measured, default=None),
        len(numbers),
    )


def history_of_steps(steps: Iterable[tuple[Any, Any]]) -> History:
    """Return the history of values with their steps, in the order in which they were logged.

    Args:
        steps: Step and value; a value that is not a finite number counts as unmeasured.

    Returns:
        Their summary, with the steps.
    """
    pairs = list(steps)
    numbers = [(finite(step), finite(value)) for step, value in pairs]
    kept = tuple((step, value) for step, value in numbers if step is not None and value is not None)
    return replace(history(value for _, value in pairs), steps=kept)


def finite(value: Any) -> float | None:
    """Return a finite number, or None; trackers keep infinity as the largest double there is.

    Args:
        value: A number, or text that may be one.

    Returns:
        The number; None for anything else, for a truth value, NaN and infinity.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and abs(number) < sys.float_info.max else None


def cell(value: Any) -> Cell:
    """Return a value as a cell: a number that is not finite is an empty cell, a long text is cut.

    Args:
        value: What the tracker recorded.

    Returns:
        The cell; text has at most `MAX_TEXT` characters and an ellipsis.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return None if finite(value) is None else value
    text = str(value)
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"


def flat(value: Any, name: str) -> dict[str, Cell]:
    """Return the cells of a nested value, named with dots; lists are left out.

    Args:
        value: What JSON holds: objects, lists, text, numbers.
        name: The name of the value; "" at the top.

    Returns:
        Name -> cell.
    """
    cells: dict[str, Cell] = {}
    open_values = [(name, value, 0)]
    while open_values and len(cells) < MAX_COLUMNS:
        key, item, depth = open_values.pop()
        if isinstance(item, dict):
            if depth < MAX_DEPTH:
                nested = [(f"{key}.{k}" if key else str(k), v, depth + 1) for k, v in item.items()]
                open_values += reversed(nested)
        elif not isinstance(item, list):
            cells[key] = cell(item)
    return cells


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        id: The tracker's id, or the name.
        name: The name that a person gave.
        state: How it ended.
        values: Column -> cell, or the history of a metric.
        group: The experiment, study or project that the run belongs to; "" for none.
    """

    id: str
    name: str
    state: State
    values: Mapping[str, Cell | History]
    group: str = ""

    def value(self, column: str, best: Best = "last") -> Cell:
        """Return the cell of a column.

        Args:
            column: A name of `RunTable.columns`, also with `.min`, `.max` or `.last` after it.
            best: Which value of a metric the plain name stands for.

        Returns:
            The cell; None where the run has none.
        """
        content = self.values.get(column)
        if column in self.values:
            return content.best(best) if isinstance(content, History) else content
        base, _, which = column.rpartition(".")
        of_metric = self.values.get(base)
        if isinstance(of_metric, History) and which in ("min", "max", "last"):
            number: float | None = getattr(of_metric, which)
            return number
        return None


@dataclass(frozen=True)
class RunTable:
    """The runs of one source.

    Attributes:
        kind: What the source is, such as "MLflow store".
        group_column: What groups are called: "experiment", "study" or "project"; "" where there are none.
        runs: All runs, those that did not finish as well.
        skipped: Reason -> number of files that could not be read.
        states: States of the runs that count.
    """

    kind: str
    group_column: str
    runs: tuple[Run, ...]
    skipped: Mapping[str, int] = field(default_factory=dict)
    states: frozenset[State] = KEPT_STATES

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of all columns: id, name, state, the group, then those of the runs."""
        own = dict.fromkeys(name for run in self.runs for name in run.values)
        fixed = ("id", "name", "state", *filter(None, [self.group_column]))
        return tuple(dict.fromkeys([*fixed, *own]))

    @property
    def kept(self) -> tuple[Run, ...]:
        """Return the runs that count: by default those that finished, or whose tracker records no end."""
        return tuple(run for run in self.runs if run.state in self.states)

    @property
    def left_out(self) -> dict[str, int]:
        """Return reason -> number of runs whose state does not count, and of files that cannot be read."""
        states = Counter(run.state.value for run in self.runs if run.state not in self.states)
        return {**states, **self.skipped}

    def column(self, name: str) -> str:
        """Return the column that a name stands for: itself, or the one that ends in `.NAME` or `/NAME`.

        Args:
            name: The full name of a column, or its last part.

        Returns:
            The full name.

        Raises:
            UnknownName: No column has the name.
            InputError: Several columns end in the name.
        """
        columns = self.columns
        base, _, which = name.rpartition(".")
        if name in columns:
            return name
        if which in ("min", "max", "last") and base:
            return f"{self.column(base)}.{which}"
        ends = [column for column in columns if column.endswith((f".{name}", f"/{name}"))]
        if len(ends) > 1:
            raise InputError(
                f"column {name!r}: expected one column, got {', '.join(ends[:MAX_GROUPS_NAMED])}",
                code="ambiguous-column",
                value=name,
            )
        if not ends:
            raise UnknownName(f"column of the {self.kind}", name, columns, code="unknown-column")
        return ends[0]

    def cells(self, run: Run, columns: Sequence[str], best: Best = "last") -> tuple[Cell, ...]:
        """Return one row of the table.

        Args:
            run: A run of the table.
            columns: Names of columns.
            best: Which value of a metric a plain name stands for.

        Returns:
            A cell per column; None where the run has no value.
        """
        own: dict[str, Cell] = {"id": run.id, "name": run.name, "state": run.state.value}
        own[self.group_column] = run.group
        return tuple(
            run.value(c, best) if c in run.values else own.get(c, run.value(c, best)) for c in columns
        )

    def where(self, conditions: Mapping[str, str]) -> "RunTable":
        """Return the runs that fulfill every condition, all of one group.

        Args:
            conditions: Column -> the text that it must have.

        Returns:
            The table with those runs.

        Raises:
            InputError: No run is left, or the runs belong to several experiments, studies or projects.
        """
        runs = self.runs
        for name, expected in conditions.items():
            column = self.column(name)
            has_value = [run for run in runs if _equal(self.cells(run, [column])[0], expected)]
            if not has_value:
                cells = dict.fromkeys(str(self.cells(run, [column])[0]) for run in runs)
                raise UnknownName(f"{column} of the {self.kind}", expected, tuple(cells), code="no-such-run")
            runs = tuple(has_value)
        groups = Counter(run.group for run in runs if run.state in self.states)
        if len(groups) > 1:
            listed = ", ".join(
                f"{name} ({count} runs)" for name, count in groups.most_common(MAX_GROUPS_NAMED)
            )
            raise InputError(
                f"{self.kind}: expected runs of one {self.group_column}, got {len(groups)}: {listed}",
                code="several-groups",
                value=tuple(groups),
                expected=f"one {self.group_column}",
                hint=use("where", value=f"{self.group_column}={next(iter(groups))}", purpose="to choose one"),
            )
        return replace(self, runs=tuple(runs))


def _equal(content: Cell, expected: str) -> bool:
    if content is None:
        return False
    number = finite(expected)
    return str(content) == expected or (number is not None and finite(content) == number)


def refuse_too_many(count: int, limit: int, what: str) -> None:
    """Refuse a source that is larger than any that people have.

    Args:
        count: How many there are.
        limit: How many are read at most.
        what: What is counted, in the plural.

    Raises:
        FileError: There are more.
    """
    if count > limit:
        raise FileError(f"source: expected at most {limit:,} {what}", code="source-too-large", value=count)
