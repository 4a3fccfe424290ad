"""A record as a file: JSON that carries the hash of its own content, read back without pydantic.

One file is `{"format": ..., "sha256": ..., "record": {...}}` on one line. The hash is over the bytes of the
record as they stand, so a reader verifies a file without parsing it twice, and a file that was cut short or
edited is told from a good one. Long rows of numbers (a law's draws and paths) are base64 of little-endian
floats: eight times faster to read than JSON numbers, and readable by `numpy.frombuffer`.
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
from datetime import date
from typing import Any, TypeVar, cast

from laws.errors import PlannerError
from laws.types import Law, Outcome, Quantity, Run, SavedForecast, SizeCost, Sweep

Record = Run | Sweep | Law | SavedForecast | Outcome
R = TypeVar("R", bound=Record)

LARGEST = 256 * 1024 * 1024  # bytes: no record of ours comes near, a foreign file may
_KINDS: dict[type, str] = {
    Run: "run",
    Sweep: "sweep",
    Law: "law",
    SavedForecast: "forecast",
    Outcome: "outcome",
}
_FORMAT = "scaling-planner/{}/1"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")


def encode(record: Record) -> bytes:
    """Return the record's file.

    Raises:
        PlannerError: a number is not finite, the id is no file name, or the parts do not fit together.
    """
    _consistent(record)
    body = _canonical(_plain(record))
    head = f'{{"format":"{_FORMAT.format(_KINDS[type(record)])}","sha256":"{_sha256(body)}","record":'
    return head.encode() + body + b"}\n"


def decode(raw: bytes, kind: type[R]) -> R:
    """Return the record of a file whose hash holds; fast, for files that this program wrote.

    Raises:
        PlannerError: the file was cut short, edited, of another kind, or by a newer version.
    """
    body = _body(raw, kind)
    try:
        return cast(R, _built(json.loads(body), kind))
    except (KeyError, TypeError, ValueError) as error:
        raise PlannerError(
            f"the {_KINDS[kind]} has fields that this version does not know: {error}"
        ) from error


def validate(raw: bytes, kind: type[R]) -> R:
    """Return the record of a file from anywhere: hash, every field's type, sizes and finiteness are checked.

    Raises:
        PlannerError: naming the first thing that is wrong.
    """
    from pydantic import ValidationError

    body = _body(raw, kind)
    try:
        content = json.loads(body)
        content = _renamed(content) if kind is Outcome else content
        rows = _rows(content, kind)
        record: R = _adapter(_KINDS[kind]).validate_json(json.dumps(content), strict=True)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the record"
        place = place if place.isprintable() else ascii(place)  # names from a foreign file, on one line
        raise PlannerError(f"not a {_KINDS[kind]}: {place}: {first['msg'].lower()}") from error
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise PlannerError(f"not a {_KINDS[kind]}: {error}") from error
    record = _with_rows(record, rows)
    _consistent(record)
    if isinstance(record, Law | SavedForecast | Outcome) and record.id != (meant := content_id(record)):
        raise PlannerError(
            f"{_KINDS[kind]} {record.id} is not what its id says: by its content it is {meant}"
        )
    return record


def content_id(record: Law | SavedForecast | Outcome) -> str:
    """Return the hash of a record's content.

    The time it was made is left out of laws and forecasts: a repeated fit is the same law. An outcome is an
    event: said again after it was taken back, it is another.
    """
    content = _plain(record)
    del content["id"]
    if not isinstance(record, Outcome):
        del content["created"]
    return _sha256(_canonical(content))[:16]


def _canonical(content: dict[str, Any]) -> bytes:
    try:
        return json.dumps(
            content, allow_nan=False, ensure_ascii=False, separators=(",", ":"), sort_keys=True
        ).encode()
    except (TypeError, ValueError) as error:
        name = next((key for key, value in content.items() if not _writable(value)), "?")
        raise PlannerError(
            f"{name} = {content.get(name)!r:.80} cannot be stored: plain, finite values only"
        ) from error


def _writable(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        return False
    return True


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _body(raw: bytes, kind: type) -> bytes:
    """Return the bytes of the record inside a file after holding them against the hash."""
    if len(raw) > LARGEST:
        raise PlannerError(f"{len(raw)} bytes are more than any {_KINDS[kind]} has ({LARGEST})")
    head, found, rest = raw.partition(b',"record":')
    wanted = f'{{"format":"{_FORMAT.format(_KINDS[kind])}","sha256":"'.encode()
    cut_off = raw.startswith(wanted) and not found
    if not cut_off and not (found and head.startswith(wanted)):
        other = re.match(rb'\{"format":"(scaling-planner/[a-z]+/\d+)"', raw)
        what = other.group(1).decode() if other else "no file of this program"
        raise PlannerError(f"{what}, wanted {_FORMAT.format(_KINDS[kind])}")
    body = rest.removesuffix(b"\n").removesuffix(b"}")
    if cut_off or head[len(wanted) :] != f'{_sha256(body)}"'.encode() or rest != body + b"}\n":
        raise PlannerError(
            "the content is not what its hash says: cut short, or changed after it was written"
        )
    return body


def _plain(record: Record) -> dict[str, Any]:
    content = {f.name: getattr(record, f.name) for f in dataclasses.fields(record)}
    if isinstance(record, Law):
        # as floats, so that 1 and 1.0 are the same content with the same hash
        content["grid"] = [float(x) for x in record.grid]
        content["x_range"] = [float(x) for x in record.x_range]
        content["diagnostics"] = {name: float(value) for name, value in record.diagnostics.items()}
        content["ladder"] = [_rung(rung) for rung in record.ladder]
        content["points"] = {name: [float(v) for v in column] for name, column in record.points.items()}
        content["phases"] = {name: [float(v) for v in column] for name, column in record.phases.items()}
        content["forms"] = {name: float(weight) for name, weight in record.forms.items()}
        for name in (
            "points",
            "phases",
            "forms",
        ):  # laws that were made before these were kept keep their hash
            if not content[name]:
                del content[name]
        content["parameters"] = {name: _pack([row], "d") for name, row in record.parameters.items()}
        content["paths"] = _pack(record.paths, "f")
    if isinstance(record, Run) and not record.rungs:
        del content["rungs"]  # a run that was held against no other has the file that it always had
    if isinstance(record, Sweep):
        content["ladder"] = {family: [_rung(r) for r in rungs] for family, rungs in record.ladder.items()}
    if isinstance(record, SavedForecast):
        content["given"] = {name: float(value) for name, value in record.given.items()}
        content["quantities"] = {
            name: {"unit": q.unit, "spread": q.spread, "draws": _pack([q.draws], "d", infinite=True)}
            for name, q in record.quantities.items()
        }
    if isinstance(record, Outcome):  # `observed` is "happened" in files, which ids are hashes of
        content["happened"] = {name: float(value) for name, value in content.pop("observed").items()}
    return content


def _renamed(outcome: dict[str, Any]) -> dict[str, Any]:
    """Return an outcome with the name that its type has for what files call "happened"."""
    return {"observed" if name == "happened" else name: value for name, value in outcome.items()}


def _rung(rung: SizeCost) -> dict[str, float | None]:
    return {name: None if value is None else float(value) for name, value in dataclasses.asdict(rung).items()}


def _built(content: dict[str, Any], kind: type) -> Record:
    if kind is Law:
        content["ladder"] = tuple(SizeCost(**rung) for rung in content["ladder"])
        content["parameters"] = {name: _unpack(packed)[0] for name, packed in content["parameters"].items()}
        content["paths"] = tuple(_unpack(content["paths"]))
        for name in ("points", "phases"):
            content[name] = {key: tuple(column) for key, column in content.get(name, {}).items()}
        for name in ("grid", "x_range", "runs", "warnings"):
            content[name] = tuple(content[name])
    if kind is Run:
        content["rungs"] = tuple((share, error) for share, error in content.get("rungs", ()))
    if kind is Sweep:
        content["ladder"] = {f: tuple(SizeCost(**rung) for rung in r) for f, r in content["ladder"].items()}
        content["runs"] = tuple(content["runs"])
    if kind is SavedForecast:
        content["quantities"] = {
            name: Quantity(**{**quantity, "draws": _unpack(quantity["draws"])[0]})
            for name, quantity in content["quantities"].items()
        }
        for name in ("assumptions", "warnings"):
            content[name] = tuple(content[name])
    if kind is Outcome:
        content = _renamed(content)
    return cast(Record, kind(**content))


@functools.cache
def _adapter(name: str) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(next(kind for kind, known in _KINDS.items() if known == name))


def _rows(content: dict[str, Any], kind: type) -> dict[str, Any]:
    """Take the packed rows out of a record's JSON: pydantic judges the rest without 200,000 numbers."""
    if kind is SavedForecast:
        return _drawn(content)
    if kind is not Law:
        return {}
    draws = {name: _unpack(packed) for name, packed in content.pop("parameters").items()}
    if not all(len(rows) == 1 for rows in draws.values()):
        raise ValueError("draws are one row a parameter")
    paths = tuple(_unpack(content.pop("paths")))
    if not all(map(math.isfinite, itertools.chain(*paths, *itertools.chain(*draws.values())))):
        raise ValueError("draws and paths must be finite numbers")
    rows = {"parameters": {name: row for name, (row,) in draws.items()}, "paths": paths}
    content["parameters"], content["paths"] = {}, []
    return rows


def _drawn(content: dict[str, Any]) -> dict[str, tuple[float, ...]]:
    """Take the packed draws out of a forecast's JSON; a draw that never reaches its target is infinite."""
    rows = {}
    for name, quantity in content["quantities"].items():
        (rows[name],) = _unpack(quantity["draws"])
        if any(math.isnan(draw) or draw == -math.inf for draw in rows[name]):
            raise ValueError(f"a draw of {name} is no number")
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
        raise PlannerError("rows of numbers differ in length")
    flat: array[float] = array(code, itertools.chain.from_iterable(rows))
    if not all(math.isfinite(value) or (infinite and value == math.inf) for value in flat):
        raise PlannerError("draws and paths must be finite numbers")
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


def _consistent(record: Record) -> None:
    """Hold what no type can say: ids that are file names, sizes that fit, ranges that ascend."""
    if not _ID.fullmatch(record.id):
        raise PlannerError(f"id {record.id!r:.90} is not made of letters, digits, - and _ (at most 80)")
    if isinstance(record, Run):
        _require(record.attempt >= 1, f"attempt {record.attempt} of run {record.id}: they count from 1")
        _require(
            record.data > 0,
            f"run {record.id} has {record.data} {record.data_unit} of data: wanted more than 0",
        )
        _require(record.params >= 0, f"run {record.id} has {record.params} parameters")
    if isinstance(record, Law):
        low, high = record.x_range
        _require(
            0 < low <= high, f"law {record.id} has the measured range {low} to {high}: wanted 0 < low <= high"
        )
        lengths = {name: len(draws) for name, draws in record.parameters.items()}
        _require(len(set(lengths.values())) <= 1, f"law {record.id} has draws of different length: {lengths}")
        _require(
            all(len(path) == len(record.grid) for path in record.paths),
            f"law {record.id} has paths that do not fit its grid of {len(record.grid)} points",
        )
        _require(
            all(a < b for a, b in zip(record.grid, record.grid[1:], strict=False)),
            f"law {record.id} has a grid that does not ascend",
        )
        for what, table in (("points", record.points), ("phases", record.phases)):
            columns = {name: len(column) for name, column in table.items()}
            _require(
                len(set(columns.values())) <= 1,
                f"law {record.id} has {what} whose columns differ in length: {columns}",
            )
    if isinstance(record, SavedForecast | Outcome):
        what = f"{_KINDS[type(record)]} {record.id}"
        _require(_is_day(record.day), f"{what} is of {record.day!r:.40}: wanted a day such as 2027-03-01")
    if isinstance(record, SavedForecast):
        lengths = {name: len(q.draws) for name, q in record.quantities.items()}
        _require(bool(lengths) and all(lengths.values()), f"{what} has a quantity without draws: {lengths}")
    if isinstance(record, Outcome):
        for name, value in record.observed.items():
            _require(value > 0, f"{what} has {value} for {name}: wanted more than 0")
        _require(
            bool(record.observed) or record.replaces is not None, f"{what} says nothing of what happened"
        )


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise PlannerError(otherwise)
