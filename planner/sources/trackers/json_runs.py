"""Read runs from JSON: an object per file, an array of objects, or the `trainer_state.json` of Hugging Face.

Nested values are named with dots; lists within a run are left out. A field `state` or `status` with a word
such as "failed" says how a run ended.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from laws.errors import FileError
from planner.sources.trackers.folder import read_text, walk
from planner.sources.trackers.runs import (
    MAX_RUNS,
    Cell,
    History,
    Run,
    RunTable,
    State,
    cell,
    finite,
    flat,
    history_of_steps,
    refuse_too_many,
    state_of,
)

KIND = "JSON file"
FOLDER_KIND = "folder of JSON files"
TRAINER_KIND = "trainer state"
STATE_FIELDS = ("state", "status", "State", "Status")
LOG = "log_history"  # of a trainer state: a list of what was logged at a step
_CHECKPOINT = re.compile(r"checkpoint-\d+")


def read_json(root: Path) -> RunTable:
    """Read the runs of a JSON file, or of every `*.json` below a folder.

    Args:
        root: A file, or a folder.

    Returns:
        The runs. Files of a folder that are not JSON, or hold no object, are counted as skipped.

    Raises:
        FileError: The file is not JSON, or holds no object.
    """
    if root.is_file():
        content = _load(root)
        runs = [] if content is None else _runs(content, root.stem)
        if not runs:
            raise FileError(
                f"{root}: expected JSON with an object per run", code="invalid-json", value=str(root)
            )
        return RunTable(TRAINER_KIND if _is_trainer_state(content) else KIND, "", tuple(runs))
    return _read_files(
        root, (folder / name for folder, names in walk(root) for name in names if name.endswith(".json"))
    )


def read_json_files(files: Sequence[Path]) -> RunTable:
    """Read the runs of several JSON files, as `read_json` does those of the folder that holds all of them.

    Args:
        files: The files.

    Returns:
        The runs.
    """
    files = [path.absolute() for path in files]
    return _read_files(Path(os.path.commonpath([path.parent for path in files])), files)


def _read_files(root: Path, files: Iterable[Path]) -> RunTable:
    runs: list[Run] = []
    trainers: dict[str, Any] = {}
    skipped = 0
    for path in files:
        content = _load(path)
        if _is_trainer_state(content):
            _keep_newest(trainers, _trainer_name(root, path), content)
            continue
        file_runs = _runs(content, path.relative_to(root).with_suffix("").as_posix())
        runs += file_runs
        skipped += not file_runs
        refuse_too_many(len(runs), MAX_RUNS, "runs")
    if trainers:  # other JSON next to trainer states is their configuration
        states = tuple(_trainer_run(content, name) for name, content in trainers.items())
        return RunTable(TRAINER_KIND, "", states)
    return RunTable(FOLDER_KIND, "", tuple(runs), {"not a JSON object": skipped} if skipped else {})


def _load(path: Path) -> Any:
    """Return the content of a JSON file; None where it has none."""
    text = read_text(path)
    try:
        return None if text is None else json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return None


def _runs(content: Any, name: str) -> list[Run]:
    """Return the run of an object, or the runs of an array of objects."""
    if _is_trainer_state(content):
        return [_trainer_run(content, name)]
    if isinstance(content, Mapping):
        return [_run(content, name)]
    if isinstance(content, Sequence) and not isinstance(content, str):
        return [_run(item, f"{name}[{n}]") for n, item in enumerate(content) if isinstance(item, Mapping)]
    return []


def _run(content: Mapping[str, Any], name: str) -> Run:
    states = (state_of(content[key]) for key in STATE_FIELDS if isinstance(content.get(key), str))
    values: dict[str, Cell | History] = dict(flat(dict(content), ""))
    return Run(name, name, next(states, State.UNKNOWN), values)


def _is_trainer_state(content: Any) -> bool:
    return isinstance(content, Mapping) and isinstance(content.get(LOG), list) and "global_step" in content


def _trainer_name(root: Path, path: Path) -> str:
    """Return the name of the training that a trainer state belongs to: its folder, without the checkpoint."""
    folder = (
        path.parent.parent if _CHECKPOINT.fullmatch(path.parent.name) and path.parent != root else path.parent
    )
    return folder.relative_to(root).as_posix() if folder != root else root.resolve().name


def _keep_newest(trainers: dict[str, Any], name: str, content: Mapping[str, Any]) -> None:
    """Keep the state with the most steps: a training has one per checkpoint."""
    before = trainers.get(name)
    if before is None or (finite(content["global_step"]) or 0) >= (finite(before["global_step"]) or 0):
        trainers[name] = content


def _trainer_run(content: Mapping[str, Any], name: str) -> Run:
    """Return the run of a trainer state: its plain numbers, and the history of what was logged."""
    logged: dict[str, list[tuple[Any, Any]]] = {}
    for entry in content[LOG]:
        for key, value in entry.items() if isinstance(entry, Mapping) else ():
            logged.setdefault(str(key), []).append((entry.get("step"), value))
    values: dict[str, Cell | History] = {key: history_of_steps(items) for key, items in logged.items()}
    values |= {key: cell(value) for key, value in content.items() if isinstance(value, int | float)}
    if not values.get("num_input_tokens_seen"):
        values.pop("num_input_tokens_seen", None)  # 0 where counting was not asked for
    step, last = finite(content["global_step"]), finite(content.get("max_steps"))
    ended = step is not None and last is not None and step >= last
    return Run(name, name, State.FINISHED if ended else State.UNKNOWN, values)
