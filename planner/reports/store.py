"""Keep a store in order: bring its index up to date, check it, make the index anew."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from laws.errors import PlannerError
from laws.storage.files import FOLDERS
from laws.storage.store import Store
from planner.reports.quantities import counted
from planner.reports.report import Report


def current(folder: Path) -> Store:
    """Return the store, its index up to date if nobody is writing and the folder may be written."""
    store = Store(folder)
    try:
        problems = store.catch_up()
    except PlannerError as error:
        sys.stderr.write(f"planner: shown as of the last index: {error}\n")
    else:
        if problems:
            few = counted(len(problems), "file")
            sys.stderr.write(f"planner: {few} cannot be used: `planner store check` names them\n")
    return store


def check(folder: Path) -> dict[str, Any]:
    """Hold every file against its hash and the index against the files."""
    store = _existing(folder)
    return {
        "store": str(folder),
        **store.counts(),
        "faults": [*store.check(), *(f"fits/{fault}" for fault in store.fits.check())],
    }


def rebuild(folder: Path) -> dict[str, Any]:
    """Make the index anew from the files alone."""
    store = _existing(folder)
    problems = list(store.rebuild())
    return {"store": str(folder), **store.counts(), "faults": problems}


def report(record: dict[str, Any], done: str) -> Report:
    """Return counts and faults for people; `done` says what was done when there is no fault."""
    faults: Sequence[str] = record["faults"]
    return Report(
        title=f"{record['store']}: {counted(len(faults), 'fault')}"
        if faults
        else f"{record['store']}: {done}",
        columns=("files", "count"),
        rows=tuple((kind, str(n)) for kind, n in record.items() if kind not in ("store", "faults")),
        notes=tuple(faults),
    )


def _existing(folder: Path) -> Store:
    if not any((folder / name).exists() for name in ("index.duckdb", *FOLDERS.values())):
        raise PlannerError(
            f"no store at {folder}: `planner calibrate` and `planner fit` make one, or give --store"
        )
    return Store(folder)
