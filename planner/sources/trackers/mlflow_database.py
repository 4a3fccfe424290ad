"""Read an MLflow store that is a SQLite file (the default): experiments, runs, params, metrics, tags.

NaN is kept as the value 0 with `is_nan`, infinity as the largest double. `latest_metrics` has the last value
only, so the smallest and largest ones come from `metrics`.
"""

import sqlite3
import sys
from collections import defaultdict
from dataclasses import replace

from planner.sources.trackers.runs import (
    MAX_RUNS,
    Cell,
    History,
    Run,
    RunTable,
    State,
    cell,
    finite,
    refuse_too_many,
    state_of,
)

KIND = "MLflow store"
GROUP = "experiment"
TABLES = frozenset({"experiments", "runs", "params", "latest_metrics", "metrics", "tags"})
PRIVATE_TAGS = "mlflow."  # users, hosts, paths
MAX_STEPS = 2_000_000  # of all metrics together


def read_mlflow_database(connection: sqlite3.Connection, *, with_steps: bool = False) -> RunTable:
    """Read every run of an MLflow store.

    Args:
        connection: The open database, which has the tables of `TABLES`.
        with_steps: Whether to keep the value of a metric at each step, which takes time and memory.

    Returns:
        The runs, with columns `params.X`, `metrics.X` and `tags.X`.
    """
    values: dict[str, dict[str, Cell | History]] = defaultdict(dict)
    for run, key, value in connection.execute("select run_uuid, key, value from params"):
        values[run][f"params.{key}"] = cell(value)
    steps = _steps(connection) if with_steps else {}
    for run, key, metric in _metrics(connection):
        values[run][f"metrics.{key}"] = replace(metric, steps=tuple(steps.get((run, key), ())))
    for run, key, value in connection.execute("select run_uuid, key, value from tags"):
        if not str(key).startswith(PRIVATE_TAGS):
            values[run][f"tags.{key}"] = cell(value)
    rows = connection.execute(
        "select r.run_uuid, r.name, r.status, 'deleted' in (r.lifecycle_stage, e.lifecycle_stage), e.name "
        "from runs r join experiments e on e.experiment_id = r.experiment_id "
        "order by r.start_time, r.run_uuid"
    ).fetchmany(MAX_RUNS + 1)
    refuse_too_many(len(rows), MAX_RUNS, "runs")
    runs = [
        Run(
            str(run),
            str(name or run),
            State.DELETED if deleted else state_of(status),
            values.get(run, {}),
            str(experiment),
        )
        for run, name, status, deleted, experiment in rows
    ]
    return RunTable(KIND, GROUP, tuple(runs))


def _metrics(connection: sqlite3.Connection) -> list[tuple[str, str, History]]:
    """Return run, key and history of every metric."""
    largest = sys.float_info.max
    ranges = {
        (run, key): (low, high, count)
        for run, key, low, high, count in connection.execute(
            "select run_uuid, key, min(value), max(value), count(*) from metrics "
            "where not is_nan and value < ? and value > ? group by run_uuid, key",
            (largest, -largest),
        )
    }
    rows = connection.execute("select run_uuid, key, value, is_nan from latest_metrics")
    return [
        (run, key, _history(None if is_nan else finite(last), *ranges.get((run, key), (None, None, 1))))
        for run, key, last, is_nan in rows
    ]


def _steps(connection: sqlite3.Connection) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """Return run and key of every metric -> its steps and finite values."""
    largest = sys.float_info.max
    rows = connection.execute(
        "select run_uuid, key, step, value from metrics where not is_nan and value < ? and value > ? "
        "order by run_uuid, key, step, timestamp",
        (largest, -largest),
    ).fetchmany(MAX_STEPS + 1)
    refuse_too_many(len(rows), MAX_STEPS, "values of metrics")
    steps: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
    for run, key, step, value in rows:
        if (at := finite(step)) is not None and (number := finite(value)) is not None:
            steps[run, key].append((at, number))
    return steps


def _history(last: float | None, low: object, high: object, count: int) -> History:
    return History(last, finite(low), finite(high), count)
