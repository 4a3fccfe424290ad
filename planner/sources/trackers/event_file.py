"""Read TensorBoard event files: the scalars and the hyperparameters in them.

An event file is a sequence of TFRecords: a length of eight bytes, its masked CRC-32C, the record, its masked
CRC-32C. A record is a protocol buffer `Event` (tensorflow/core/util/event.proto): step = 2, summary = 5; a
summary has values with tag = 1, simple_value = 2, tensor = 8, metadata = 9.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from planner.sources.trackers.protobuf import Value, fields, integer, message, messages, text
from planner.sources.trackers.runs import Cell, State, cell

MAX_BODY_BYTES = 2**20  # what is longer is an image, a graph or a sound
MAX_CHECKED_BYTES = 2**16  # a CRC in Python reads 5 MB per second
MAX_EVENTS = 20_000_000

STEP, SUMMARY = 2, 5
TAG, SIMPLE_VALUE, TENSOR, METADATA = 1, 2, 8, 9
DTYPE, TENSOR_CONTENT = 1, 4
# dtype -> format of an element in the content, and the field that has it instead
DTYPES = {1: ("<f", 5), 2: ("<d", 6), 3: ("<i", 7), 9: ("<q", 10), 19: ("<e", 13)}
PLUGIN, PLUGIN_NAME, PLUGIN_CONTENT = 1, 1, 2
SESSION_START, SESSION_END, HPARAMS = 3, 4, 1
NUMBER, STRING, BOOLEAN = 2, 3, 4  # fields of google.protobuf.Value
ENDS = {1: State.FINISHED, 2: State.FAILED, 3: State.RUNNING}

_CRC_TABLE: list[int] = []


@dataclass
class Events:
    """What one file holds.

    Attributes:
        scalars: Tag -> step -> value; the last value of a step counts.
        hparams: Name -> cell.
        state: How the run ended, as far as the file says.
        count: Records that were read.
    """

    scalars: dict[str, dict[int, float]] = field(default_factory=dict)
    hparams: dict[str, Cell] = field(default_factory=dict)
    state: State = State.UNKNOWN
    count: int = 0


def is_event_file(start: bytes) -> bool:
    """Return whether a file that starts with these bytes is an event file.

    Args:
        start: The first bytes of the file.

    Returns:
        True where bytes 8 to 11 are the masked checksum of the first eight.
    """
    return len(start) >= 12 and _masked_crc(start[:8]) == int.from_bytes(start[8:12], "little")


def read_event_file(path: Path) -> Events:
    """Read an event file as far as it is whole.

    Args:
        path: The file.

    Returns:
        Its scalars and hyperparameters. The state is CUT where the file ends within a record or is damaged,
        EMPTY where it has none.
    """
    events = Events()
    try:
        with path.open("rb") as file:
            for body in _bodies(file):
                _read_event(events, body)
                events.count += 1
                if events.count >= MAX_EVENTS:
                    break
    except (OSError, ValueError, struct.error):
        events.state = State.CUT
    if not events.count:
        events.state = State.EMPTY
    return events


def _bodies(file: BinaryIO) -> Iterator[bytes]:
    """Yield the records; long ones, which hold no scalar, as b""."""
    while head := file.read(12):
        if len(head) < 12 or _length_crc(head[:8]) != int.from_bytes(head[8:], "little"):
            raise ValueError("a length is cut off or damaged")
        length = int.from_bytes(head[:8], "little")
        if length > MAX_BODY_BYTES:
            file.seek(length + 3, 1)
            if not file.read(1):
                raise ValueError("a record is cut off")
            yield b""
            continue
        body, checksum = file.read(length), file.read(4)
        if len(body) < length or len(checksum) < 4:
            raise ValueError("a record is cut off")
        if length <= MAX_CHECKED_BYTES and _masked_crc(body) != int.from_bytes(checksum, "little"):
            raise ValueError("a record is damaged")
        yield body


def _read_event(events: Events, body: bytes) -> None:
    step = 0
    summaries = []
    for number, content in fields(body):
        if number == STEP and isinstance(content, int):
            step = content
        elif number == SUMMARY and isinstance(content, bytes):
            summaries.append(content)
    for summary in summaries:
        for value in messages(summary, 1):
            _read_value(events, step, value)


def _read_value(events: Events, step: int, data: bytes) -> None:
    parts: dict[int, Value] = dict(fields(data))
    tag, simple, tensor, metadata = (parts.get(n) for n in (TAG, SIMPLE_VALUE, TENSOR, METADATA))
    if not isinstance(tag, bytes):
        return
    if isinstance(metadata, bytes):
        plugin = message(metadata, PLUGIN)
        if text(plugin, PLUGIN_NAME) == "hparams":
            _read_hparams(events, message(plugin, PLUGIN_CONTENT))
            return
    number = None
    if isinstance(simple, bytes):
        number = struct.unpack("<f", simple)[0]
    elif isinstance(tensor, bytes):
        number = _scalar(tensor)
    if number is not None:
        events.scalars.setdefault(tag.decode("utf-8", "replace"), {})[step] = number


def _scalar(tensor: bytes) -> float | None:
    """Return the number of a tensor of one number; None for other tensors."""
    layout, value_field = DTYPES.get(integer(tensor, DTYPE), ("", 0))
    if not layout:
        return None
    content = message(tensor, TENSOR_CONTENT) or message(tensor, value_field)
    if len(content) == struct.calcsize(layout):
        return float(struct.unpack(layout, content)[0])
    plain = [n for field_number, n in fields(tensor) if field_number == value_field and isinstance(n, int)]
    return float(plain[0]) if layout in ("<i", "<q") and len(plain) == 1 else None


def _read_hparams(events: Events, content: bytes) -> None:
    for number, part in fields(content):
        if not isinstance(part, bytes):
            continue
        if number == SESSION_START:
            for entry in messages(part, HPARAMS):
                events.hparams[text(entry, 1)] = _hparam(message(entry, 2))
        elif number == SESSION_END:
            events.state = ENDS.get(integer(part, 1), State.UNKNOWN)


def _hparam(content: bytes) -> Cell:
    for number, part in fields(content):
        if number == NUMBER and isinstance(part, bytes):
            value = struct.unpack("<d", part)[0]
            return cell(int(value) if value.is_integer() else value)
        if number == STRING and isinstance(part, bytes):
            return cell(part.decode("utf-8", "replace"))
        if number == BOOLEAN:
            return bool(part)
    return None


def _crc(data: bytes) -> int:
    """Return the CRC-32C (Castagnoli) of some bytes; the standard library has another polynomial."""
    if not _CRC_TABLE:
        for byte in range(256):
            entry = byte
            for _ in range(8):
                entry = (entry >> 1) ^ (0x82F63B78 if entry & 1 else 0)
            _CRC_TABLE.append(entry)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = (crc >> 8) ^ _CRC_TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def _masked_crc(data: bytes) -> int:
    """Return the CRC as TFRecord stores it: rotated by 15 bits, plus a constant."""
    crc = _crc(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


_length_crc = lru_cache(maxsize=4096)(_masked_crc)
