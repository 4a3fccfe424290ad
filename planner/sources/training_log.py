"""Read the log of one training, a table with a column of steps or epochs, as a curve of its metric."""

from pathlib import Path

from laws.errors import InputError, UnknownName, use
from planner.sources.column_roles import MAX_NAMES_LISTED, column_like, listed
from planner.sources.headings import parse_heading
from planner.sources.table_file import read_names, read_rows
from planner.sources.trackers.runs import finite

STEP_NAMES = frozenset({"step", "_step", "global_step", "epoch", "iter", "iteration"})


def steps_column(names: tuple[str, ...]) -> str | None:
    """Return the column of steps; None where a table is no training's log.

    Args:
        names: The columns.

    Returns:
        The first column with a usual name of steps.
    """
    return next((name for name in names if name.strip().lower() in STEP_NAMES), None)


def log_curve(path: Path, column: str | None) -> list[tuple[float, float, None, None]]:
    """Return a metric over the steps of a training; step 0 is left out, since curves have no value there.

    Args:
        path: A table with a column of steps (see `steps_column`).
        column: The metric: the name of its column, or the last part of it.

    Returns:
        Step, value and two empty cells of each row that has a metric.

    Raises:
        InputError: The metric was not named ("missing-column"), or several columns end in the name.
        UnknownName: No column has the name.
    """
    names = read_names(path)
    step = steps_column(names)
    if column is None:
        others = [name.strip() for name in names if name != step]
        raise InputError(
            f"{path}: expected the name of a metric, one of {listed(others)}",
            code="missing-column",
            value="metric",
            hint=use("metric_column", purpose="to name one"),
        )
    rows = read_rows(path, [str(step), _metric(path, names, column)])
    numbers = [(finite(first), finite(second)) for first, second in rows]
    return [(x, y, None, None) for x, y in numbers if x is not None and y is not None and x > 0]


def _metric(path: Path, names: tuple[str, ...], column: str) -> str:
    if (same := column_like(column, names, path)) is not None:
        return same
    ends = [name for name in names if parse_heading(name).name.lower().endswith(f"/{column}".lower())]
    if len(ends) == 1:
        return ends[0]
    if ends:
        raise InputError(
            f"column {column!r} of {path}: expected one column, got {listed(ends)}",
            code="ambiguous-column",
            value=column,
        )
    shown = tuple(name.strip() for name in names[:MAX_NAMES_LISTED])
    raise UnknownName(f"column of {path}", column, shown, code="unknown-column")
