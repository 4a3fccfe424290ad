"""Open, check and rebuild a store, and report on it."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from laws.errors import PlannerError, StoreError, run, use
from laws.storage.files import FOLDERS
from laws.storage.store import Store
from planner.reports.quantities import counted
from planner.reports.report import Report


def current(folder: Path) -> Store:
    """Return a store, with its index updated if no one else is writing and the folder is writable.

    Args:
        folder: Folder of the store.

    Returns:
        The store. A line on stderr says where its index is older than its files.
    """
    store = Store(folder)
    try:
        problems = store.catch_up()
    except PlannerError as error:
        sys.stderr.write(f"planner: showing the last index: {error}\n")
    else:
        if problems:
            few = counted(len(problems), "file")
            sys.stderr.write(f"planner: {few} cannot be used; see `planner store check`\n")
    return store


def check(folder: Path) -> dict[str, Any]:
    """Verify the hash of every file, and that the index matches the files.

    Args:
        folder: Folder of the store.

    Returns:
        Counts of files, and `faults`, one line each.

    Raises:
        StoreError: The folder is not a store.
    """
    store = _existing(folder)
    return {
        "store": str(folder),
        **store.counts(),
        "faults": [*store.check(), *(f"fits/{fault}" for fault in store.fits.check())],
    }


def rebuild(folder: Path) -> dict[str, Any]:
    """Rebuild the index from the files.

    Args:
        folder: Folder of the store.

    Returns:
        Counts of files, and `faults`, one line each.

    Raises:
        StoreError: The folder is not a store.
    """
    store = _existing(folder)
    problems = list(store.rebuild())
    return {"store": str(folder), **store.counts(), "faults": problems}


def report(record: dict[str, Any], done: str) -> Report:
    """Return counts and faults for people.

    Args:
        record: What `check` or `rebuild` returned.
        done: The title where no file has a fault.

    Returns:
        The report.
    """
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
        raise StoreError(
            f"no store at {folder}",
            code="no-store",
            value=str(folder),
            hint=(
                use("store", purpose="to name another"),
                run("fit", purpose="or `planner calibrate` to make one"),
            ),
        )
    return Store(folder)
