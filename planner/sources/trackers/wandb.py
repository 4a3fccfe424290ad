"""Read W&B runs from the files `run-ID.wandb` that every run leaves in its folder `wandb/`.

The file is a log in LevelDB's format (a header of 7 bytes, then blocks of 32 KiB; each chunk has a CRC-32, a
length and a type) of protocol buffers named `Record`. The numbers of the fields are those of
wandb_internal.proto. User, host and paths are in the file as well and are not read.
"""

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from planner.sources.trackers.folder import walk
from planner.sources.trackers.protobuf import fields, integer, message, messages, text
from planner.sources.trackers.runs import (
    MAX_RUNS,
    Cell,
    History,
    Run,
    RunTable,
    State,
    finite,
    flat,
    history_of_steps,
    refuse_too_many,
)

KIND = "W&B folder"
GROUP = "project"
SIGNATURE = b":W&B"
HEADER_BYTES = 7
BLOCK_BYTES = 32_768
MAX_FILE_BYTES = 2**30
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4  # types of chunks

# fields of Record, of RunRecord, and of an item of a config, a summary or a history
HISTORY, SUMMARY, CONFIG, RUN, EXIT = 2, 3, 5, 17, 18
RUN_ID, PROJECT, RUN_CONFIG, RUN_SUMMARY, RUN_GROUP, DISPLAY_NAME = 1, 3, 4, 5, 6, 8
KEY, NESTED_KEY, JSON_VALUE = 1, 2, 16
PRIVATE = ("_wandb", "_timestamp")
KEPT_OF_METRIC = ("min", "max", "last", "mean", "best")  # what define_metric(summary=...) can keep
NOT_FINITE = ("nan", "inf", "-inf", "infinity", "-infinity")


@dataclass
class _Log:
    """What was read of one run so far."""

    id: str = ""
    name: str = ""
    project: str = ""
    group: str = ""
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    history: dict[str, dict[float, Any]] = field(default_factory=dict)  # key -> step -> value
    state: State = State.KILLED  # until a record says how it ended


def read_wandb(root: Path) -> RunTable:
    """Read the W&B runs of a folder, or of one file.

    Args:
        root: A folder `wandb`, one above, or a file `run-ID.wandb`.

    Returns:
        The runs, with columns `config.X` and `summary.X`. The parts of a resumed run are one run. A run
        without a record of its end was killed, or is running.
    """
    if root.is_file():
        paths = [root]
    else:
        paths = [folder / name for folder, names in walk(root) for name in names if name.endswith(".wandb")]
    refuse_too_many(len(paths), MAX_RUNS, "runs")
    logs: dict[str, _Log] = {}
    for path in sorted(paths, key=lambda p: (p.parent.name, p.name)):  # folders are named after their time
        name = path.name.removesuffix(".wandb").removeprefix("run-")
        _read_into(logs.setdefault(name, _Log(name, name)), path)
    return RunTable(KIND, GROUP, tuple(_run(log) for log in logs.values()))


def _read_into(log: _Log, path: Path) -> None:
    """Read one file of a run; what lies before a cut or a damage is used."""
    log.state = State.KILLED
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES)
    except OSError:
        data = b""
    if len(data) <= HEADER_BYTES:
        log.state = State.EMPTY
        return
    first_step = None
    try:
        for record in records(data):
            for number, content in fields(record):
                if isinstance(content, bytes):
                    first_step = _read_record(log, number, content, first_step)
    except ValueError:
        log.state = State.CUT


def records(data: bytes) -> Iterator[bytes]:
    """Yield the records of a log.

    Args:
        data: The whole file.

    Yields:
        The bytes of each record.

    Raises:
        ValueError: The log is cut off or damaged at this place.
    """
    if not data.startswith(SIGNATURE):
        raise ValueError("not a W&B log")
    at = HEADER_BYTES
    parts: list[bytes] = []
    while at < len(data):
        room = BLOCK_BYTES - at % BLOCK_BYTES
        if room < HEADER_BYTES:  # the rest of a block that has no room for a header
            at += room
            continue
        if at + HEADER_BYTES > len(data):
            raise ValueError("a header is cut off")
        checksum, length, kind = struct.unpack_from("<IHB", data, at)
        start, at = at + HEADER_BYTES, at + HEADER_BYTES + length
        if at > len(data) or zlib.crc32(data[start - 1 : at]) != checksum:
            raise ValueError("a chunk is cut off or damaged")
        if kind in (FULL, FIRST):
            parts = []
        parts.append(data[start:at])
        if kind in (FULL, LAST):
            yield b"".join(parts)


def _read_record(log: _Log, number: int, content: bytes, first_step: float | None) -> float | None:
    """Read one record of a run; return the first step of this file."""
    if number == RUN:
        log.id = text(content, RUN_ID) or log.id
        log.name = text(content, DISPLAY_NAME) or log.name
        log.project = text(content, PROJECT) or log.project
        log.config |= _items(message(content, RUN_CONFIG))
        log.group = text(content, RUN_GROUP) or log.group
        log.summary |= _items(message(content, RUN_SUMMARY))
    elif number == CONFIG:
        log.config |= _items(content)
    elif number == SUMMARY:
        log.summary |= _items(content)
    elif number == HISTORY:
        return _read_history(log, _items(content), first_step)
    elif number == EXIT:
        log.state = State.FINISHED if integer(content, 1) == 0 else State.FAILED
    return first_step


def _read_history(log: _Log, values: dict[str, Any], first_step: float | None) -> float:
    step = finite(values.get("_step"))
    step = step if step is not None else float(len(log.history.get("_step", ())))
    if first_step is None:  # a resumed run goes on from here: what came after it before is void
        first_step = step
        for steps in log.history.values():
            for later in [s for s in steps if s >= step]:
                del steps[later]
    for key, value in values.items():
        if isinstance(value, int | float) or str(value).lower() in NOT_FINITE:
            log.history.setdefault(key, {})[step] = value
    return first_step


def _items(content: bytes) -> dict[str, Any]:
    """Return the items of a config, a summary or a history; their values are written as JSON."""
    items = {}
    for item in messages(content, 1):
        nested = [part.decode("utf-8", "replace") for part in messages(item, NESTED_KEY)]
        key = text(item, KEY) or ".".join(nested)
        if key and not key.startswith(PRIVATE):
            try:
                items[key] = json.loads(message(item, JSON_VALUE))
            except (ValueError, RecursionError):
                items[key] = None
    return items


def _run(log: _Log) -> Run:
    values: dict[str, Cell | History] = {"group": log.group} if log.group else {}
    values |= flat(log.config, "config")
    for key, value in log.summary.items():
        kept = isinstance(value, dict) and set(value) <= set(KEPT_OF_METRIC)
        values |= flat(next(iter(value.values()), None) if kept else value, f"summary.{key}")
    for key, steps in log.history.items():
        if steps:
            values[f"summary.{key}"] = history_of_steps(sorted(steps.items()))
    return Run(log.id, log.name, log.state, values, log.project)
