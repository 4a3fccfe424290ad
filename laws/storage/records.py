"""Encode records as files and decode them again: JSON that carries the hash of its own content.

A file is one line, `{"format": ..., "sha256": ..., "record": {...}}`. The hash covers the bytes of the
record, so a reader verifies a file without parsing it twice and detects one that was cut short or edited.
Records that have an order (`laws/storage/sequence.py`) carry their number in front of the record; the hash
covers it too, the id of the record does not. Long rows of numbers (a law's samples and paths) are base64 of
little-endian
floats: eight times faster to read than JSON numbers, and readable by `numpy.frombuffer`. Reading needs no
pydantic.
"""

import base64
import dataclasses
import functools
import hashlib
import itertools
import json
import math
import re
import sys
from array import array
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, TypeVar, cast

from laws.errors import FileError, InputError
from laws.storage.plausible import check_law
from laws.types import Law, Outcome, Quantity, Run, SavedForecast, SizeCost, Sweep

Record = Run | Sweep | Law | SavedForecast | Outcome
R = TypeVar("R", bound=Record)

MAX_RECORD_BYTES = 256 * 1024 * 1024  # no record of this program comes near; a foreign file may
MAX_SEQUENCE = 2**62
_KINDS: dict[type, str] = {
    Run: "run",
    Sweep: "sweep",
    Law: "law",
    SavedForecast: "forecast",
    Outcome: "outcome",
}
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
_HEAD = re.compile(
    rb'\{"format":"scaling-planner/(?P<kind>[a-z]+)/(?P<version>\d+)","sha256":"(?P<hash>[0-9a-f]*)"'
    rb'(?:,"sequence":(?P<sequence>\d{1,19}))?,"record":'
)
_FORMAT = re.compile(rb'\{"format":"(scaling-planner/[a-z]+/\d+)"')


def encode(record: Record, *, sequence: int | None = None) -> bytes:
    """Return the content of a record's file.

    Args:
        record: The record.
        sequence: Its place in the order of a store; exported records have none.

    Returns:
        One line of JSON.

    Raises:
        InputError: A number is not finite, the id cannot be a file name, or the parts do not fit together.
    """
    _check_consistent(record)
    body = _canonical(_plain(record))
    number, order = ("", "") if sequence is None else (str(sequence), f'"sequence":{sequence},')
    kind = _format(type(record), ordered=sequence is not None)
    head = f'{{"format":"{kind}","sha256":"{_file_hash(number, body)}",'
    return head.encode() + order.encode() + b'"record":' + body + b"}\n"


def decode(raw: bytes, kind: type[R]) -> R:
    """Return the record of a file whose hash is right; fast, for files of a store.

    Args:
        raw: The content of the file.
        kind: The class of the record.

    Returns:
        The record; its values are not checked.

    Raises:
        FileError: The file was cut short, edited, is of another kind, or was written by a newer version.
    """
    body, _ = _body(raw, kind)
    try:
        return cast(R, _built(json.loads(body), kind))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileError(
            f"{_KINDS[kind]} with fields that this version does not read: {error}", code="unknown-fields"
        ) from error


def sequence_of(raw: bytes, kind: type[R]) -> int:
    """Return the place of a record in the order of all records.

    Args:
        raw: The content of its file.
        kind: The class of the record.

    Returns:
        The number in the file. Records from before there were numbers have the microseconds since 1970 at
        which they were made instead, or 0 if they do not say.

    Raises:
        FileError: The file was cut short, edited, is of another kind, or was written by a newer version.
    """
    body, number = _body(raw, kind)
    if number is not None:
        return number
    try:
        return time_of(json.loads(body).get("created"))
    except (ValueError, AttributeError):
        return 0


def time_of(created: object) -> int:
    """Return an ISO 8601 time as microseconds since 1970.

    Args:
        created: The time as text; without a zone it is UTC.

    Returns:
        Microseconds; 0 for times before 1970 and for anything that is not a time.
    """
    try:
        time = datetime.fromisoformat(str(created))
        return max(round((time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp() * 1e6), 0)
    except (ValueError, OverflowError):
        return 0


def validate(raw: bytes, kind: type[R]) -> R:
    """Return the record of a file from anywhere, after checking the hash and every value in it.

    Args:
        raw: The content of the file.
        kind: The class of the record.

    Returns:
        The record.

    Raises:
        FileError: The message names the first thing that is wrong.
    """
    from pydantic import ValidationError

    body, _ = _body(raw, kind)
    try:
        content = json.loads(body)
        content = _in_memory(content) if kind is Outcome else content
        rows = _rows(content, kind)
        record: R = _adapter(_KINDS[kind]).validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the record"
        field = field if field.isprintable() else ascii(field)  # names from a foreign file, on one line
        raise FileError(
            f"not a {_KINDS[kind]}: {field}: {first['msg'].lower()}", code="invalid-record"
        ) from error
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise FileError(f"not a {_KINDS[kind]}: {error}", code="invalid-record") from error
    record = _with_rows(record, rows)
    try:
        _check_consistent(record)
        if isinstance(record, Law):
            check_law(record)
    except InputError as error:
        raise FileError(error.message, code=error.code, value=error.value, expected=error.expected) from error
    if isinstance(record, Law | SavedForecast | Outcome) and record.id != (
        content_hash := content_id(record)
    ):
        raise FileError(
            f"id of {_KINDS[kind]} {record.id}: expected {content_hash}, the hash of its content",
            code="wrong-id",
            value=record.id,
            expected=content_hash,
        )
    return record


def content_id(record: Law | SavedForecast | Outcome) -> str:
    """Return the hash of a record's content, which is its id.

    Args:
        record: A law, a forecast or an outcome; its `id` is ignored.

    Returns:
        16 hexadecimal digits. The time a law or a forecast was made is left out: a repeated fit is the same
        law. An outcome is an event: recorded again after it was taken back, it is another.
    """
    content = _plain(record)
    del content["id"]
    if not isinstance(record, Outcome):
        del content["created"]
    return hashlib.sha256(_canonical(content)).hexdigest()[:16]


def _canonical(content: dict[str, Any]) -> bytes:
    try:
        return json.dumps(
            content, allow_nan=False, ensure_ascii=False, separators=(",", ":"), sort_keys=True
        ).encode()
    except (TypeError, ValueError) as error:
        name = next((key for key, value in content.items() if not _writable(value)), "?")
        raise InputError(
            f"{name} = {content.get(name)!r:.80} cannot be stored: expected plain, finite values",
            code="unstorable-value",
            value=content.get(name),
            expected="plain, finite values",
        ) from error


def _writable(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def _format(kind: type, *, ordered: bool) -> str:
    return f"scaling-planner/{_KINDS[kind]}/{2 if ordered else 1}"


def _file_hash(sequence: str, body: bytes) -> str:
    """Return the hash in a file's head; without a number it is that of the record's bytes."""
    return hashlib.sha256((f"{sequence}," if sequence else "").encode() + body).hexdigest()


def _body(raw: bytes, kind: type) -> tuple[bytes, int | None]:
    """Return the bytes of the record inside a file and its sequence number, after checking the hash."""
    if len(raw) > MAX_RECORD_BYTES:
        raise FileError(
            f"{len(raw)} bytes: expected at most {MAX_RECORD_BYTES} of a {_KINDS[kind]}",
            code="file-too-large",
            value=len(raw),
        )
    head = _HEAD.match(raw)
    formats = {_format(kind, ordered=ordered).encode() for ordered in (False, True)}
    written = _FORMAT.match(raw)
    if written is None or written[1] not in formats:
        what = written[1].decode() if written else "not a file of this program"
        raise FileError(
            f"{what}: expected {_format(kind, ordered=False)}",
            code="foreign-file",
            value=what,
            expected=_format(kind, ordered=False),
        )
    rest = raw[head.end() :] if head else b""
    body = rest.removesuffix(b"\n").removesuffix(b"}")
    number = (head["sequence"] or b"").decode() if head else ""
    whole = head is not None and rest == body + b"}\n" and (head["version"] == b"2") == bool(number)
    if head is None or not whole or head["hash"].decode() != _file_hash(number, body):
        raise FileError(
            "the content does not match its hash: the file was cut short, or changed after it was written",
            code="damaged-file",
        )
    if number and int(number) > MAX_SEQUENCE:
        raise FileError(
            f"sequence {number}: expected at most {MAX_SEQUENCE}", code="invalid-record", value=number
        )
    return body, int(number) if number else None


def _plain(record: Record) -> dict[str, Any]:
    content = {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}
    if isinstance(record, Law):
        # as floats, so that 1 and 1.0 are the same content with the same hash
        content["grid"] = [float(x) for x in record.grid]
        content["x_range"] = [float(x) for x in record.x_range]
        content["diagnostics"] = {name: float(value) for name, value in record.diagnostics.items()}
        content["ladder"] = [_size_cost(cost) for cost in record.ladder]
        content["points"] = {name: [float(v) for v in column] for name, column in record.points.items()}
        content["phases"] = {name: [float(v) for v in column] for name, column in record.phases.items()}
        content["forms"] = {name: float(weight) for name, weight in record.forms.items()}
        for name in ("points", "phases", "forms"):
            if not content[name]:  # laws from before these were stored keep their hash
                del content[name]
        content["parameters"] = {name: _pack([row], "d") for name, row in record.parameters.items()}
        content["paths"] = _pack(record.paths, "f")
    if isinstance(record, Law | SavedForecast):
        if record.metric_ceiling is None:  # records of metrics that fall keep the file that they always had
            del content["metric_ceiling"]
        else:
            content["metric_ceiling"] = float(record.metric_ceiling)
    if isinstance(record, Run) and not record.rungs:
        del content["rungs"]  # a run without rungs keeps the file that it always had
    if isinstance(record, Sweep):
        content["ladder"] = {
            family: [_size_cost(cost) for cost in costs] for family, costs in record.ladder.items()
        }
    if isinstance(record, SavedForecast):
        content["given"] = {name: float(value) for name, value in record.given.items()}
        content["quantities"] = {
            name: {"unit": q.unit, "spread": q.spread, "draws": _pack([q.draws], "d", infinite=True)}
            for name, q in record.quantities.items()
        }
    if isinstance(record, Outcome):  # `observed` is "happened" in files, which ids are hashes of
        content["happened"] = {name: float(value) for name, value in content.pop("observed").items()}
    return content


def _in_memory(outcome: dict[str, Any]) -> dict[str, Any]:
    """Return an outcome with the name that its type has for what files call "happened"."""
    return {"observed" if name == "happened" else name: value for name, value in outcome.items()}


def _size_cost(cost: SizeCost) -> dict[str, float | None]:
    return {name: None if value is None else float(value) for name, value in dataclasses.asdict(cost).items()}


def _built(content: dict[str, Any], kind: type) -> Record:
    if kind is Law:
        content["ladder"] = tuple(SizeCost(**cost) for cost in content["ladder"])
        content["parameters"] = {name: _unpack(packed)[0] for name, packed in content["parameters"].items()}
        content["paths"] = tuple(_unpack(content["paths"]))
        for name in ("points", "phases"):
            content[name] = {key: tuple(column) for key, column in content.get(name, {}).items()}
        for name in ("grid", "x_range", "runs", "warnings"):
            content[name] = tuple(content[name])
    if kind is Run:
        content["rungs"] = tuple((share, error) for share, error in content.get("rungs", ()))
    if kind is Sweep:
        content["ladder"] = {
            family: tuple(SizeCost(**cost) for cost in costs) for family, costs in content["ladder"].items()
        }
        content["runs"] = tuple(content["runs"])
    if kind is SavedForecast:
        content["quantities"] = {
            name: Quantity(**{**quantity, "draws": _unpack(quantity["draws"])[0]})
            for name, quantity in content["quantities"].items()
        }
        for name in ("assumptions", "warnings"):
            content[name] = tuple(content[name])
    if kind is Outcome:
        content = _in_memory(content)
    return cast(Record, kind(**content))


@functools.cache
def _adapter(name: str) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(next(kind for kind, label in _KINDS.items() if label == name))


def _rows(content: dict[str, Any], kind: type) -> dict[str, Any]:
    """Take the packed rows out of a record's JSON, so that pydantic checks the rest without 200,000
    numbers.
    """
    if kind is SavedForecast:
        return _drawn(content)
    if kind is not Law:
        return {}
    draws = {name: _unpack(packed) for name, packed in content.pop("parameters").items()}
    if not all(len(rows) == 1 for rows in draws.values()):
        raise ValueError("posterior samples: expected one row per parameter")
    paths = tuple(_unpack(content.pop("paths")))
    if not all(map(math.isfinite, itertools.chain(*paths, *itertools.chain(*draws.values())))):
        raise ValueError("posterior samples and paths must be finite numbers")
    rows = {"parameters": {name: row for name, (row,) in draws.items()}, "paths": paths}
    content["parameters"], content["paths"] = {}, []
    return rows


def _drawn(content: dict[str, Any]) -> dict[str, tuple[float, ...]]:
    """Take the packed samples out of a forecast's JSON; one that never reaches its target is infinite."""
    rows = {}
    for name, quantity in content["quantities"].items():
        (rows[name],) = _unpack(quantity["draws"])
        if any(math.isnan(draw) or draw == -math.inf for draw in rows[name]):
            raise ValueError(f"a sample of {name} is not a number")
        quantity["draws"] = []
    return rows


def _with_rows(record: R, rows: dict[str, Any]) -> R:
    if isinstance(record, SavedForecast):
        drawn = {name: dataclasses.replace(q, draws=rows[name]) for name, q in record.quantities.items()}
        return dataclasses.replace(record, quantities=drawn)
    return dataclasses.replace(record, **rows)


def _pack(rows: Sequence[Sequence[float]], code: str, *, infinite: bool = False) -> dict[str, Any]:
    """Return rows of one length as {type, shape, base64}; paths are 4-byte floats, draws 8-byte."""
    columns = len(rows[0]) if rows else 0
    if any(len(row) != columns for row in rows):
        raise InputError("rows of numbers must have one length", code="invalid-record")
    flat: array[float] = array(code, itertools.chain.from_iterable(rows))
    if not all(math.isfinite(value) or (infinite and value == math.inf) for value in flat):
        raise InputError("posterior samples and paths must be finite numbers", code="unstorable-value")
    return {
        "type": "<f4" if code == "f" else "<f8",
        "shape": [len(rows), columns],
        "base64": base64.b64encode(_little(flat).tobytes()).decode(),
    }


def _unpack(packed: dict[str, Any]) -> list[tuple[float, ...]]:
    code: str = {"<f4": "f", "<f8": "d"}[packed["type"]]
    flat: array[float] = array(code)
    flat.frombytes(base64.b64decode(packed["base64"], validate=True))
    rows, columns = packed["shape"]
    if rows * columns != len(flat) or rows < 0 or columns < 0:
        raise ValueError(f"{len(flat)} numbers are not {rows} rows of {columns}")
    flat = _little(flat)
    return [tuple(flat[row * columns : (row + 1) * columns]) for row in range(rows)]


def _little(values: "array[float]") -> "array[float]":
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values


def _check_consistent(record: Record) -> None:
    """Check what no type can say: ids that are file names, sizes that fit, ranges that ascend."""
    name = f"{_KINDS[type(record)]} {record.id}"
    if not _ID.fullmatch(record.id):
        raise InputError(
            f"id {record.id!r:.90}: expected at most 80 letters, digits, - and _",
            code="invalid-id",
            value=record.id,
        )
    if isinstance(record, Run):
        _require(record.attempt >= 1, f"attempt of {name}: expected 1 or more, got {record.attempt}")
        _require(
            record.data > 0, f"data of {name}: expected more than 0 {record.data_unit}, got {record.data}"
        )
        _require(record.params >= 0, f"parameters of {name}: expected 0 or more, got {record.params}")
    if isinstance(record, Law):
        _check_shapes(record, name)
    if isinstance(record, SavedForecast | Outcome):
        _require(_is_day(record.day), f"day of {name}: expected YYYY-MM-DD, got {record.day!r:.40}")
    if isinstance(record, SavedForecast):
        counts = {quantity: len(q.draws) for quantity, q in record.quantities.items()}
        _require(
            bool(counts) and all(counts.values()), f"quantities of {name}: expected samples, got {counts}"
        )
    if isinstance(record, Outcome):
        for quantity, value in record.observed.items():
            _require(value > 0, f"{quantity} of {name}: expected more than 0, got {value}")
        _require(
            bool(record.observed) or record.replaces is not None,
            f"values of {name}: expected at least one, or an outcome that it replaces",
        )


def _check_shapes(law: Law, name: str) -> None:
    _require(len(law.x_range) == 2, f"measured range of {name}: expected two ends, got {len(law.x_range)}")
    low, high = law.x_range
    _require(0 < low <= high, f"measured range of {name}: expected 0 < low <= high, got {low} to {high}")
    counts = {parameter: len(samples) for parameter, samples in law.parameters.items()}
    _require(len(set(counts.values())) <= 1, f"samples of {name}: expected one length, got {counts}")
    _require(
        all(len(path) == len(law.grid) for path in law.paths),
        f"paths of {name}: expected {len(law.grid)} values, one per point of the grid",
    )
    _require(
        all(a < b for a, b in zip(law.grid, law.grid[1:], strict=False)), f"grid of {name}: must be ascending"
    )
    for label, table in (("points", law.points), ("phases", law.phases)):
        lengths = {column: len(values) for column, values in table.items()}
        _require(len(set(lengths.values())) <= 1, f"{label} of {name}: expected one length, got {lengths}")


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise InputError(otherwise, code="invalid-record")
