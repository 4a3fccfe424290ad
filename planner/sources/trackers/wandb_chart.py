"""Read a chart that was exported from W&B: a column per run, named `RUN - METRIC`, over the steps."""

from dataclasses import replace
from pathlib import Path

from laws.errors import TableError
from planner.sources.table_file import Row, read_names, read_rows, table_suffix
from planner.sources.trackers.runs import History, Run, RunTable, State, finite, history_of_steps

KIND = "W&B chart"
SEPARATOR = " - "  # between the name of a run and its metric
LEAST, LARGEST = "__MIN", "__MAX"  # of the values that one row of the export stands for


def is_chart(path: Path) -> bool:
    """Return whether a file is a chart's export: each `RUN - METRIC` has columns of its smallest and largest.

    Args:
        path: A file, which need not exist.

    Returns:
        True for such a CSV file.
    """
    if table_suffix(path) != ".csv" or not path.is_file():
        return False
    try:
        return bool(_metrics(read_names(path)))
    except TableError:
        return False  # its reader says what is wrong with it


def read_chart(path: Path) -> RunTable:
    """Read the runs of a chart's export.

    Args:
        path: The CSV file.

    Returns:
        The runs with the history of each metric; no run's end is recorded.

    Raises:
        TableError: The file cannot be read.
    """
    names = read_names(path)
    metrics = _metrics(names)
    used = [names[0], *(name + end for name in metrics for end in ("", LEAST, LARGEST))]
    rows = read_rows(path, used)
    runs: dict[str, dict[str, History]] = {}
    for i, name in enumerate(metrics):
        run, _, metric = name.rpartition(SEPARATOR)
        runs.setdefault(run, {})[metric] = _history(rows, 1 + 3 * i)
    return RunTable(KIND, "", tuple(Run(name, name, State.UNKNOWN, own) for name, own in runs.items()))


def _metrics(names: tuple[str, ...]) -> list[str]:
    own = set(names)
    return [name for name in names[1:] if SEPARATOR in name and name + LEAST in own and name + LARGEST in own]


def _history(rows: list[Row], i: int) -> History:
    """Return what the columns i to i + 2 say of a run; a row without a value is a step of another run."""
    logged = [(row[0], row[i]) for row in rows if str(row[i] or "").strip()]
    least, largest = (
        [number for row in rows if (number := finite(row[column])) is not None] for column in (i + 1, i + 2)
    )
    own = history_of_steps(logged)
    return replace(own, min=min(least, default=own.min), max=max(largest, default=own.max))
