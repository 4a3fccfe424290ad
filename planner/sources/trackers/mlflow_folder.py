"""Read an MLflow file store (`mlruns`): a folder per experiment, in it a folder per run.

A run has a `meta.yaml` of flat `key: value` lines and a file per param, metric and tag; a slash in a name is
a folder. A metric's file has a line per step: time, value, step.
"""

from pathlib import Path

from planner.sources.trackers.folder import is_plain, read_text, walk
from planner.sources.trackers.mlflow_database import GROUP, KIND, PRIVATE_TAGS
from planner.sources.trackers.runs import (
    MAX_RUNS,
    Cell,
    History,
    Run,
    RunTable,
    State,
    cell,
    history_of_steps,
    refuse_too_many,
    state_of,
)

MAX_SMALL_BYTES = 100_000  # of a meta.yaml, a param or a tag
TRASH = ".trash"  # where deleted experiments go
_STATUS = {"1": "running", "2": "scheduled", "3": "finished", "4": "failed", "5": "killed"}


def is_run(meta: str | None) -> bool:
    """Return whether the text of a `meta.yaml` describes a run; others describe experiments.

    Args:
        meta: The text; None where the file cannot be read.

    Returns:
        True where it has the id of a run.
    """
    return meta is not None and bool({"run_id", "run_uuid"} & _fields(meta).keys())


def read_mlflow_folder(root: Path) -> RunTable:
    """Read every run of an MLflow file store.

    Args:
        root: The folder `mlruns`, one of its experiments, or a folder above.

    Returns:
        The runs, with columns `params.X`, `metrics.X` and `tags.X`.
    """
    runs: list[tuple[str, Run]] = []
    skipped = 0
    for folder, files in walk(root):
        if "meta.yaml" not in files:
            continue
        meta = read_text(folder / "meta.yaml", MAX_SMALL_BYTES)
        if is_run(meta):
            runs.append(_run(folder, _fields(meta or "")))
        elif meta is None or not _fields(meta):
            skipped += 1
        refuse_too_many(len(runs), MAX_RUNS, "runs")
    runs.sort(key=lambda started: started[0])
    return RunTable(
        KIND, GROUP, tuple(r for _, r in runs), {"unreadable meta.yaml": skipped} if skipped else {}
    )


def _run(folder: Path, meta: dict[str, str]) -> tuple[str, Run]:
    """Return the time a run started and the run."""
    values: dict[str, Cell | History] = {}
    for name, text in _files(folder / "params"):
        values[f"params.{name}"] = cell(text.strip())
    for name, text in _files(folder / "metrics"):
        values[f"metrics.{name}"] = _metric(text)
    for name, text in _files(folder / "tags"):
        if not name.startswith(PRIVATE_TAGS):
            values[f"tags.{name}"] = cell(text.strip())
    of_experiment = folder.parent / "meta.yaml"
    above = _fields(read_text(of_experiment, MAX_SMALL_BYTES) or "") if is_plain(of_experiment) else {}
    deleted = (
        "deleted" in (meta.get("lifecycle_stage"), above.get("lifecycle_stage")) or TRASH in folder.parts
    )
    status = meta.get("status", "")
    state = State.DELETED if deleted else state_of(_STATUS.get(status, status))
    run = meta.get("run_id") or meta.get("run_uuid", "")
    experiment = above.get("name") or meta.get("experiment_id", "")
    return meta.get("start_time", ""), Run(run, meta.get("run_name") or run, state, values, experiment)


def _files(folder: Path) -> list[tuple[str, str]]:
    """Return the name, with slashes, and the text of each file below a folder."""
    if not folder.is_dir() or folder.is_symlink():
        return []
    paths = [above / name for above, names in walk(folder) for name in names]
    return [
        (path.relative_to(folder).as_posix(), text) for path in paths if (text := read_text(path)) is not None
    ]


def _metric(text: str) -> History:
    """Return the history of a metric, in the order of its steps."""
    rows = [row for line in text.splitlines() if len(row := line.split()) >= 2]
    rows.sort(key=lambda row: int(row[2]) if len(row) > 2 and row[2].isdecimal() else 0)
    return history_of_steps((row[2] if len(row) > 2 else n, row[1]) for n, row in enumerate(rows))


def _fields(meta: str) -> dict[str, str]:
    """Return the flat `key: value` lines of a `meta.yaml`."""
    pairs = (line.partition(": ") for line in meta.splitlines())
    return {key: value.strip().strip("'\"") for key, mark, value in pairs if mark and not key.startswith(" ")}
