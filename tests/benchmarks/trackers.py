"""Time how long a large MLflow store takes to read: `python tests/benchmarks/trackers.py [RUNS] [STEPS]`."""

import sqlite3
import sys
import tempfile
import time
from pathlib import Path

from planner.sources.trackers.open_source import open_source

MAX_SECONDS = 2.0  # for 5,000 runs

SCHEMA = """
create table experiments (experiment_id integer primary key, name text, lifecycle_stage text);
create table runs (run_uuid text primary key, name text, status text, lifecycle_stage text,
    start_time integer, experiment_id integer);
create table params (key text, value text, run_uuid text, primary key (key, run_uuid));
create table tags (key text, value text, run_uuid text, primary key (key, run_uuid));
create table latest_metrics (key text, value float, timestamp integer, step integer, is_nan boolean,
    run_uuid text, primary key (key, run_uuid));
create table metrics (key text, value float, timestamp integer, run_uuid text, step integer, is_nan boolean,
    primary key (key, timestamp, step, run_uuid, value, is_nan));
insert into experiments values (1, 'ladder', 'active');
"""


def make_store(path: Path, runs: int, steps: int) -> None:
    """Write a store of one experiment with the tables that MLflow writes."""
    with sqlite3.connect(path) as store:
        store.executescript(SCHEMA)
        for n in range(runs):
            run = f"{n:032x}"
            store.execute("insert into runs values (?, ?, 'FINISHED', 'active', ?, 1)", (run, f"run-{n}", n))
            store.executemany(
                "insert into params values (?, ?, ?)",
                [(key, str(n), run) for key in ("hours", "params", "seed")],
            )
            values = [(0.5 - 0.001 * step, step) for step in range(steps)]
            store.executemany(
                "insert into metrics values ('val/wer', ?, ?, ?, ?, 0)",
                [(value, step, run, step) for value, step in values],
            )
            store.execute("insert into latest_metrics values ('val/wer', ?, 0, ?, 0, ?)", (*values[-1], run))
    store.close()


def main() -> None:
    """Print the time of the first and of the second read."""
    runs, steps = (int(text) for text in (*sys.argv[1:], *("5000", "100")[len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "mlflow.db")
        make_store(path, runs, steps)
        print(f"{runs:,} runs of {steps} steps, {path.stat().st_size / 1e6:.0f} MB")
        for _ in range(2):
            started = time.perf_counter()
            table = open_source(path)
            print(f"{len(table.kept):,} runs read in {time.perf_counter() - started:.2f} s")


if __name__ == "__main__":
    main()
