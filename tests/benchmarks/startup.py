"""Measure how long `planner` takes to start and to answer, compared with its libraries only.

    python -m tests.benchmarks.startup

It runs whole processes, in turn A B A B ..., and reports the median ratio of the pairs, since the machine's
speed drifts. Byte code is written and read, as in an installed program. The estimate reads a store with a
calibrated law, its size law and its samples law, 1,000 paths each. Limits: estimate at most 1.5 x `import
typer, rich.table, duckdb`, help at most 1.3 x `typer --help`.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "planner"))

from synthetic import passes, power, size

from laws.storage.store import Store

ESTIMATE_LIMIT, HELP_LIMIT = 1.5, 1.3
PLANNER = [sys.executable, "-c", "from planner.cli import main; main()"]


def measured(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """Return wall and CPU seconds of one whole process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def calibrated_store(folder: Path) -> Path:
    """Write a store like that of a calibration: error, size and samples laws of one domain."""
    store = Store(folder)
    for law in (
        power(0.4, 0.3, 0.03, spread=0.1, draws=1000),
        size(2e4, 0.6, spread=0.1, draws=1000),
        passes(12, draws=1000),
    ):
        store.add_law(law)
    assert store.publish() == ()
    return folder


def pairs(
    command: list[str], reference: list[str], runs: int, environment: dict[str, str]
) -> dict[str, list[float]]:
    """Return wall and CPU seconds of both commands, run in turn after one warm-up of each."""
    times: dict[str, list[float]] = {name: [] for name in ("wall", "cpu", "wall reference", "cpu reference")}
    for turn in range(runs + 1):
        ours, theirs = measured(command, environment), measured(reference, environment)
        if turn:
            for name, value in zip(times, (*ours, *theirs), strict=True):
                times[name].append(value)
    return times


def main() -> None:
    """Measure both commands and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=21)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        store = calibrated_store(Path(folder) / "store")
        environment = {**os.environ, "PLANNER_STORE": str(store), "COLUMNS": "80"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "bytecode")
        cases = [
            (
                "planner estimate",
                "import typer, rich.table, duckdb",
                [*PLANNER, "estimate", "--target-wer", "5%"],
                [sys.executable, "-c", "import typer, rich.table, duckdb"],
                ESTIMATE_LIMIT,
            ),
            (
                "planner --help",
                "typer --help",
                [*PLANNER, "--help"],
                [sys.executable, "-m", "typer", "--help"],
                HELP_LIMIT,
            ),
        ]
        print(
            "| command | reference | wall s | reference s | wall ratio | CPU s | reference s | CPU "
            "ratio | limit |"
        )
        print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
        for name, reference, command, other, limit in cases:
            times = pairs(command, other, runs, environment)
            median = {key: statistics.median(values) for key, values in times.items()}
            ratio = {
                key: statistics.median(
                    a / b for a, b in zip(times[key], times[f"{key} reference"], strict=True)
                )
                for key in ("wall", "cpu")
            }
            print(
                f"| {name} | {reference} | {median['wall']:.3f} | {median['wall reference']:.3f} "
                f"| {ratio['wall']:.2f} | {median['cpu']:.3f} | {median['cpu reference']:.3f} "
                f"| {ratio['cpu']:.2f} | {limit} |"
            )


if __name__ == "__main__":
    main()
