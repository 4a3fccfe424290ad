"""Read TensorBoard runs: a folder with event files is a run.

A run that was started again has several files: a later one wins from its first step on, tag by tag.
Hyperparameters are written to a child folder, which belongs to the run above it. Keras writes one run into
`train` and `validation`.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from planner.sources.trackers.event_file import Events, read_event_file
from planner.sources.trackers.folder import walk
from planner.sources.trackers.runs import (
    MAX_RUNS,
    Cell,
    History,
    Run,
    RunTable,
    State,
    history_of_steps,
    refuse_too_many,
)

KIND = "TensorBoard folder"
MARK = "tfevents"  # in the name of every event file
SPLITS = frozenset({"train", "validation", "val", "eval", "test"})


def read_tensorboard(root: Path) -> RunTable:
    """Read the TensorBoard runs below a folder, or of one event file.

    Args:
        root: A folder with event files or with runs in it; or one event file.

    Returns:
        The runs, with columns `scalars.X` and `hparams.X`. TensorBoard records the end of a run only
        with hyperparameters.
    """
    if root.is_file():
        return RunTable(KIND, "", (_run(root.parent, root.parent, _joined([read_event_file(root)])),))
    folders: dict[Path, Events] = {}
    for folder, names in walk(root):
        if files := [folder / name for name in names if MARK in name]:
            folders[folder] = _joined([read_event_file(path) for path in files])
        refuse_too_many(len(folders), MAX_RUNS, "runs")
    joined = _join_splits(_join_hparams(folders))
    return RunTable(KIND, "", tuple(_run(root, folder, events) for folder, events in joined.items()))


def _joined(files: list[Events]) -> Events:
    """Return the events of one folder, from the oldest file to the newest."""
    run = Events()
    for events in files:
        for tag, steps in events.scalars.items():
            first = next(iter(steps))
            before = {step: value for step, value in run.scalars.get(tag, {}).items() if step < first}
            run.scalars[tag] = before | steps
        run.hparams |= events.hparams
        run.count += events.count
        if events.state is not State.EMPTY:
            run.state = events.state
    if not run.count:
        run.state = State.EMPTY
    return run


def _join_hparams(folders: Mapping[Path, Events]) -> dict[Path, Events]:
    """Return the runs with each only child that has hyperparameters joined to the run above it."""
    children = Counter(folder.parent for folder, events in folders.items() if events.hparams)
    runs = dict(folders)
    for folder, events in folders.items():
        above = runs.get(folder.parent)
        if not events.hparams or above is None or children[folder.parent] > 1 or above.hparams:
            continue
        above.hparams |= events.hparams
        above.scalars = events.scalars | above.scalars
        if above.state is State.UNKNOWN:
            above.state = events.state
        del runs[folder]
    return runs


def _join_splits(runs: dict[Path, Events]) -> dict[Path, Events]:
    """Return the runs with `train` and `validation` of one folder joined; their tags start with that name."""
    splits = Counter(folder.parent for folder in runs if folder.name in SPLITS)
    joined: dict[Path, Events] = {}
    for folder, events in runs.items():
        above = folder.parent
        if folder.name not in SPLITS or splits[above] < 2 or above in runs:
            joined[folder] = events
            continue
        run = joined.setdefault(above, Events(state=events.state))
        run.scalars |= {f"{folder.name}/{tag}": steps for tag, steps in events.scalars.items()}
        run.hparams |= events.hparams
        run.state = max(run.state, events.state, key=lambda state: state in (State.CUT, State.EMPTY))
    return joined


def _run(root: Path, folder: Path, events: Events) -> Run:
    name = folder.relative_to(root).as_posix() if folder != root else folder.resolve().name
    values: dict[str, Cell | History] = {f"hparams.{key}": content for key, content in events.hparams.items()}
    for tag, steps in events.scalars.items():
        values[f"scalars.{tag}"] = history_of_steps(sorted(steps.items()))
    return Run(name, name, events.state, values)
