"""Open the runs of a tracker: what a source is, is told by its content, never by its name.

Nothing of a source is run, changed or followed out of its folder. Users, hosts and paths in it are not read.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from laws.errors import ConflictingInput, FileError
from planner.sources.trackers import (
    json_runs,
    mlflow_database,
    mlflow_folder,
    optuna_database,
    tensorboard,
    wandb,
    wandb_chart,
)
from planner.sources.trackers.database import SIGNATURE, open_database, table_columns
from planner.sources.trackers.event_file import is_event_file
from planner.sources.trackers.folder import read_text, walk
from planner.sources.trackers.runs import MAX_RUNS, RunTable, refuse_too_many

DATABASE_ENDS = (".db", ".sqlite", ".sqlite3")
EXPECTED = (
    "an MLflow store, a W&B folder, TensorBoard event files, an Optuna storage, JSON, or a table "
    "(CSV, TSV, JSONL, Parquet)"
)
START_BYTES = 64
IDENTIFIED = frozenset({mlflow_database.KIND, wandb.KIND})  # trackers whose ids belong to one run each

_READERS = {
    mlflow_database.KIND: mlflow_folder.read_mlflow_folder,
    wandb.KIND: wandb.read_wandb,
    tensorboard.KIND: tensorboard.read_tensorboard,
    json_runs.KIND: json_runs.read_json,
    wandb_chart.KIND: wandb_chart.read_chart,
}


def open_source(path: Path, where: Mapping[str, str] | None = None) -> RunTable:
    """Read the runs of one experiment, study or project.

    Args:
        path: The file or folder.
        where: Column -> the text that it must have, such as `{"experiment": "asr"}`.

    Returns:
        The runs that fulfill every condition, also those that did not finish.

    Raises:
        FileError: The source is missing, damaged, of no known kind, or holds no run.
        ConflictingInput: A folder holds runs of several trackers.
        InputError: The runs belong to several experiments, studies or projects.
    """
    return read_source(path).where(where or {})


def read_source(path: Path, *, with_steps: bool = False) -> RunTable:
    """Read every run of a tracker's file or folder.

    Args:
        path: The file or folder.
        with_steps: Whether a database, too, is read with the value of a metric at each step.

    Returns:
        The runs.

    Raises:
        FileError: The source is missing, damaged, of no known kind, or holds no run.
        ConflictingInput: A folder holds runs of several trackers.
    """
    try:
        table = (_read_folder if path.is_dir() else _read_file)(path, with_steps)
    except OSError as error:
        raise FileError(
            f"{path} cannot be read: {error.strerror or error}", code="unreadable-source", value=str(path)
        ) from None
    if not table.runs:
        raise FileError(f"{path}: expected runs, got an empty {table.kind}", code="no-runs", value=str(path))
    return table


def read_sources(paths: Sequence[Path]) -> RunTable:
    """Read every run of several files or folders of one tracker, such as one JSON file per run.

    Args:
        paths: The files or folders; one that a link names again counts once.

    Returns:
        The runs.

    Raises:
        FileError: A source cannot be read.
        ConflictingInput: The sources are of several trackers, or hold parts of the same run.
    """
    distinct = list({path.resolve(): path for path in paths}.values())
    if len(distinct) == 1:
        return read_source(distinct[0])
    if all(path.is_file() and _kind_of_file(path) == json_runs.KIND for path in distinct):
        return json_runs.read_json_files(distinct)
    tables = [read_source(path) for path in distinct]
    kinds = dict.fromkeys(table.kind for table in tables)
    if len(kinds) > 1:
        raise ConflictingInput(
            f"sources: expected runs of one tracker, got {', '.join(kinds)}", code="several-sources"
        )
    runs = [run for table in tables for run in table.runs]
    refuse_too_many(len(runs), MAX_RUNS, "runs")
    if tables[0].kind in IDENTIFIED:
        identity, count = Counter(run.id for run in runs).most_common(1)[0]
        if count > 1:
            raise ConflictingInput(
                f"sources: expected each run in one of them, got {identity!r} in {count}; name the folder "
                "that holds them",
                code="run-given-twice",
                value=identity,
            )
    skipped = sum((Counter(table.skipped) for table in tables), Counter[str]())
    return replace(tables[0], runs=tuple(runs), skipped=skipped)


def is_source(path: Path) -> bool:
    """Return whether a path is a folder, or a file that looks like one of a tracker.

    Args:
        path: The path; it need not exist.

    Returns:
        True for any folder, and for a file that a tracker's reader recognizes.
    """
    return path.is_dir() or (path.is_file() and bool(_kind_of_file(path)))


def _read_file(path: Path, with_steps: bool) -> RunTable:
    if not path.is_file():
        raise FileError(f"{path}: no such file or folder", code="no-such-file", value=str(path))
    kind = _kind_of_file(path)
    if kind == SIGNATURE.decode():
        return _read_database(path, with_steps)
    if not kind:
        raise FileError(f"{path}: expected {EXPECTED}", code="unknown-source", value=str(path))
    return _READERS[kind](path)


def _kind_of_file(path: Path) -> str:
    """Return what a file is by its first bytes; "" for none of ours."""
    with path.open("rb") as file:
        start = file.read(START_BYTES)
    if start.startswith(SIGNATURE):
        return SIGNATURE.decode()
    if start.startswith(wandb.SIGNATURE):
        return wandb.KIND
    if is_event_file(start):
        return tensorboard.KIND
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text[:1] in (b"{", b"["):
        return json_runs.KIND
    return wandb_chart.KIND if wandb_chart.is_chart(path) else ""


def _read_database(path: Path, with_steps: bool) -> RunTable:
    with open_database(path) as connection:
        columns = table_columns(connection)
        if columns.keys() >= mlflow_database.TABLES:
            return mlflow_database.read_mlflow_database(connection, with_steps=with_steps)
        if columns.keys() >= optuna_database.TABLES:
            return optuna_database.read_optuna_database(connection, columns)
    raise FileError(
        f"{path}: expected the tables of MLflow or Optuna, got another SQLite file",
        code="unknown-source",
        value=str(path),
    )


def _read_folder(root: Path, with_steps: bool) -> RunTable:
    kinds, databases = _kinds_of_folder(root)
    if len(databases) == 1 and not kinds:
        return _read_database(databases[0], with_steps)
    if len(kinds) + len(databases) > 1:
        listed = ", ".join([*sorted(kinds), *(f"SQLite file {path.name}" for path in databases)])
        raise ConflictingInput(
            f"{root}: expected runs of one tracker, got {listed}", code="several-sources", value=str(root)
        )
    if kinds:
        return _READERS[kinds.pop()](root)
    table = json_runs.read_json(root)
    if not table.runs:
        raise FileError(f"{root} holds no runs: expected {EXPECTED}", code="unknown-source", value=str(root))
    return table


def _kinds_of_folder(root: Path) -> tuple[set[str], list[Path]]:
    """Return which trackers left runs in a folder, and the databases in it.

    What lies within a run of MLflow or W&B is that run's own: its artifacts may be event files or JSON.
    """
    kinds: set[str] = set()
    databases: list[Path] = []
    runs: set[Path] = set()
    for folder, names in walk(root):
        if any(above in runs for above in folder.parents):
            continue
        if any(name.endswith(".wandb") for name in names):
            kinds.add(wandb.KIND)
            runs.add(folder)
        elif "meta.yaml" in names and mlflow_folder.is_run(
            read_text(folder / "meta.yaml", mlflow_folder.MAX_SMALL_BYTES)
        ):
            kinds.add(mlflow_database.KIND)
            runs.add(folder)
        elif any(tensorboard.MARK in name for name in names):
            kinds.add(tensorboard.KIND)
        databases += [
            folder / name for name in names if name.endswith(DATABASE_ENDS) and _is_database(folder / name)
        ]
    return kinds, databases


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(SIGNATURE)) == SIGNATURE
