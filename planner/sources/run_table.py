"""Read what was measured elsewhere: a CSV, Parquet or JSONL file becomes checked columns of numbers.

DuckDB reads the file; the path is a parameter of the query, never a part of its text. Cells may be written
as people write numbers (`35%`, `10k`), see `planner/units.py`. Nothing is left out in silence: a cell that
cannot be read is refused with its row and column; a row whose metric is empty or not finite is a training
that crashed or diverged, and is counted.
"""

import glob
import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from laws.errors import PlannerError
from planner import units

_READERS: Mapping[str, str] = {
    ".csv": "read_csv(?, header = true, all_varchar = true)",
    ".tsv": "read_csv(?, header = true, all_varchar = true)",
    ".parquet": "read_parquet(?)",
    ".jsonl": "read_json(?, format = 'newline_delimited')",
    ".ndjson": "read_json(?, format = 'newline_delimited')",
}
_COMPRESSED = (".gz", ".zst")
LARGEST_RATE = 2.0  # above it a rate is a percentage that lost its sign; word error rates do exceed 1
REACH = 1e100  # data sizes beyond, or below its inverse, are no sizes: laws reach a billion times further
MOST_NAMED = 10  # rows that are named where they were left out
LARGEST = 1_000_000  # rows: a table of finished trainings is never longer

# role -> names that a column of it goes by, besides what the user names; the metric and the unit are added
_NAMES: Mapping[str, tuple[str, ...]] = {
    "data": ("data", "x"),
    "metric": ("y",),
    "params": ("params", "parameters", "n_params", "num_params"),
    "se": ("y_se", "se", "stderr"),
    "seed": ("seed",),
    "samples": ("samples", "seen"),
    "flops": ("flops", "training_flops", "train_flops", "total_flops"),
    "gpu_hours": ("gpu_hours", "gpu-hours", "gpu hours"),
    "device": ("device", "gpu", "accelerator"),
    "train": (),
}


@dataclass(frozen=True, kw_only=True)
class Measurements:
    """Rows of one file in base units; what the file has no column for is None."""

    path: Path
    fingerprint: str  # sha256 of the file
    data: tuple[float, ...]
    metric: tuple[float, ...]
    params: tuple[float, ...] | None = None
    se: tuple[float, ...] | None = None
    seed: tuple[str, ...] | None = None
    samples: tuple[float, ...] | None = None  # data seen in training, repeats counted
    flops: tuple[float, ...] | None = None  # of the whole training
    gpu_hours: tuple[float, ...] | None = None  # hours of every device together
    device: tuple[str, ...] | None = None
    train: tuple[float, ...] | None = None  # the metric on the training data
    columns: Mapping[str, str]  # role -> the column that was read for it
    unmeasured: tuple[int, ...] = ()  # rows of the file, from 0, without a metric: they crashed or diverged

    def __len__(self) -> int:
        return len(self.data)

    @property
    def left_out(self) -> str:
        """Return the sentence that says which rows were left out; nothing where all were read."""
        if not self.unmeasured:
            return ""
        count = len(self.unmeasured)
        numbers = [str(_row(self.path, n)) for n in self.unmeasured[:MOST_NAMED]]
        named = ", ".join(numbers) + (", ..." if count > MOST_NAMED else "")
        has, was, row = ("has", "was", "row") if count == 1 else ("have", "were", "rows")
        return (
            f"{count} of {count + len(self)} rows {has} no {self.columns['metric']} and {was} left out: "
            f"{row} {named}."
        )

    def place(self, i: int, role: str) -> str:
        """Return where the cell of the i-th measurement stands that was read for a role."""
        kept = (n for n in range(len(self) + len(self.unmeasured)) if n not in self.unmeasured)
        return place(self.path, next(islice(kept, i, None)), self.columns[role])


def read(
    path: Path, *, metric: str, metric_unit: str, data_unit: str, columns: Mapping[str, str | None]
) -> Measurements:
    """Return the measurements of a file; `columns` maps roles (the keys of `_NAMES`) to names given.

    Raises:
        PlannerError: the file, a column or a cell cannot be read, naming it.
    """
    names, rows = table(path)
    if not rows:
        raise PlannerError(
            f"{path} has no rows: wanted one a training, with columns such as {data_unit},{metric}"
        )
    known = {role: (*_NAMES[role],) for role in _NAMES}
    known["data"] = (data_unit, *known["data"])
    known["metric"] = (metric, *known["metric"])
    known["se"] = (f"{metric}_se", *known["se"])
    known["train"] = (f"train_{metric}",)
    found = {role: _column(path, names, role, columns.get(role), known[role]) for role in _NAMES}
    for role, option in (("data", "--data-column"), ("metric", "--metric-column")):
        if found[role] is None:
            raise PlannerError(
                f"{path} has no column {' or '.join(map(repr, known[role]))} (it has {_listed(names)}): "
                f"name the one that holds the {role} with {option}"
            )
    used = {
        role: name
        for role, name in found.items()
        if name is not None and (role in {"data", "metric"} or not _empty(rows, names.index(name)))
    }
    twice = [name for name in used.values() if list(used.values()).count(name) > 1]
    if twice:
        raise PlannerError(
            f"column {twice[0]!r} of {path} is asked for twice: name a column of its own for each"
        )

    of_metric = partial(units.parse_metric, unit=metric_unit, metric=metric)
    of_data = partial(units.parse_data, unit=data_unit)
    measured = [n for n, row in enumerate(rows) if not _absent(row[names.index(used["metric"])])]
    if not measured:
        raise PlannerError(f"column {used['metric']!r} of {path} has no value in any row: wanted one number")

    def cells(role: str) -> Iterable[tuple[str, Any]]:
        i = names.index(used[role])
        return ((place(path, n, used[role]), rows[n][i]) for n in measured)

    def numbers(role: str, parse: Callable[[str], float], *, zero: bool = False) -> tuple[float, ...]:
        found = []
        for where, cell in cells(role):
            value = number(where, cell, parse)
            if value < 0 or (value == 0 and not zero):
                raise PlannerError(f"{where} is {value:g}: wanted {'0 or more' if zero else 'more than 0'}")
            if role == "data" and not 1 / REACH <= value <= REACH:
                raise PlannerError(f"{where} is {value:g}: wanted a size between {1 / REACH:g} and {REACH:g}")
            if role == "metric" and metric_unit == "fraction" and value > LARGEST_RATE:
                raise PlannerError(f"{where} is {value:g}: wanted a fraction, 35 % is 0.35 or 35%")
            found.append(value)
        return tuple(found)

    return Measurements(
        path=path,
        fingerprint=hashlib.sha256(path.read_bytes()).hexdigest(),
        data=numbers("data", of_data),
        metric=numbers("metric", of_metric, zero=True),
        params=numbers("params", units.parse_number) if "params" in used else None,
        se=numbers("se", of_metric, zero=True) if "se" in used else None,
        seed=tuple(str(cell) for _, cell in cells("seed")) if "seed" in used else None,
        samples=numbers("samples", of_data) if "samples" in used else None,
        flops=numbers("flops", units.parse_number) if "flops" in used else None,
        gpu_hours=numbers("gpu_hours", units.parse_number) if "gpu_hours" in used else None,
        device=tuple(str(cell) for _, cell in cells("device")) if "device" in used else None,
        train=numbers("train", of_metric, zero=True) if "train" in used else None,
        columns=used,
        unmeasured=tuple(sorted(set(range(len(rows))) - set(measured))),
    )


def table(path: Path) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the names of the columns and the rows of a CSV, TSV, Parquet or JSONL file."""
    import duckdb

    kinds = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in _COMPRESSED]
    reader = _READERS.get(kinds[-1] if kinds else "")
    if reader is None:
        raise PlannerError(f"{path}: wanted a file that ends in {', '.join(_READERS)} (CSV also as .csv.gz)")
    if not path.is_file():
        raise PlannerError(
            f"{path}: no such file" if not path.exists() else f"{path} is a folder, wanted a file"
        )
    config: dict[str, Any] = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
    try:
        with duckdb.connect(config=config) as connection:
            # escaped, because DuckDB takes * ? [ in a path for a pattern
            result = connection.execute(f"select * from {reader}", [glob.escape(str(path))])  # noqa: S608 - our text
            names = [column[0] for column in result.description]
            rows = result.fetchmany(LARGEST + 1)
    except (duckdb.Error, OSError) as error:
        raise PlannerError(f"{path} cannot be read: {_why(path, error)}") from None
    if path.stat().st_size == 0 or names in (
        ["column0"],
        ["json"],
    ):  # what DuckDB calls a column without a name
        raise PlannerError(f"{path} is empty or not a table: wanted a row of names and one row a measurement")
    if len(names) == 1 and (mark := next((mark for mark in ",;\t" if mark in names[0]), None)):
        raise PlannerError(
            f"{path} is not a table: {names[0][:60]!r} is read as one name, since not every line has as many "
            f"{mark!r} as the first"
        )
    if len(rows) > LARGEST:
        raise PlannerError(f"{path} has more than {LARGEST:,} rows: wanted one row a finished training")
    return names, rows


def _why(path: Path, error: Exception) -> str:
    """Return why a file cannot be read, in the words of what read it, or because it is no text."""
    if path.suffix.lower() in (".csv", ".tsv", ".jsonl", ".ndjson"):
        try:
            path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as undecoded:
            line = undecoded.object[: undecoded.start].count(b"\n") + 1
            return f"line {line} is not UTF-8: save it as text in UTF-8"
        except OSError as unread:
            return unread.strerror or str(unread)
    first, *others = [line.strip() for line in str(error).strip().splitlines()]
    return " ".join([first, *others[:1]])


def place(path: Path, n: int, column: str) -> str:
    """Return where the cell of the n-th measurement (from 0) stands, counted as editors count rows."""
    return f"{path} row {_row(path, n)}, column {column!r}"


def _row(path: Path, n: int) -> int:
    return n + 1 + any(suffix.lower() in (".csv", ".tsv") for suffix in path.suffixes)


def _column(
    path: Path, names: Sequence[str], role: str, given: str | None, known: Sequence[str]
) -> str | None:
    if given is not None:
        if given not in names:
            raise PlannerError(f"{path} has no column {given!r} for the {role}: it has {_listed(names)}")
        return given
    return next((found for name in known if (found := column_like(name, names)) is not None), None)


def column_like(name: str, names: Sequence[str]) -> str | None:
    """Return the first of the columns that has a name, in any case and with spaces around it."""
    return next((each for each in names if each.strip().lower() == name.lower()), None)


def _empty(rows: Sequence[tuple[Any, ...]], column: int) -> bool:
    return all(row[column] is None or row[column] == "" for row in rows)


def _absent(cell: Any) -> bool:
    """Return whether a cell holds no measurement: nothing, or what logs write of a loss that is no number."""
    try:
        return cell is None or not str(cell).strip() or not math.isfinite(float(cell))
    except (TypeError, ValueError):
        return False  # whatever it is, it has to be read, or refused by name


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:12]))
    return f"{shown}, ..." if len(names) > 12 else shown


def number(where: str, cell: Any, parse: Callable[[str], float]) -> float:
    """Return a cell as a finite number in base units."""
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        raise PlannerError(f"{where} is empty: wanted a number; take the row out if it was not measured")
    try:
        if isinstance(cell, bool):
            raise TypeError
        value = parse(cell) if isinstance(cell, str) else float(cell)
    except PlannerError as error:
        raise PlannerError(f"{where}: {error}") from None
    except (TypeError, ValueError, OverflowError):
        raise PlannerError(f"{where} is {str(cell)[:40]!r}: wanted a number") from None
    if not math.isfinite(value):
        raise PlannerError(f"{where} is {value}: wanted a finite number")
    return value
