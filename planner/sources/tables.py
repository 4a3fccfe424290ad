"""Rows from one file, from several files that are one table, from a pipe, or from points that were typed."""

import hashlib
import re
import sys
import tempfile
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from laws.errors import InputError, MissingInput, TableError, use
from laws.types import TYPED_POINTS
from planner import units
from planner.sources.table_file import MAX_BYTES, FileRows, Row, read_file_rows, read_names

STANDARD_INPUT = "-"
MAX_FILES = 10_000
CHUNK_BYTES = 2**20


@dataclass(frozen=True)
class TableRows:
    """The rows of a table, whichever files they are from.

    Attributes:
        rows: The cells that were asked for, one tuple per row.
        unreadable: Name of a row that is not among them -> what is wrong with it.
        delimiter: What separates cells in the first file.
    """

    rows: list[Row]
    unreadable: dict[str, str]
    delimiter: str
    _prefixes: Sequence[str]
    _numbers: Sequence[Sequence[int]]
    _starts: Sequence[int]

    def name(self, n: int) -> str:
        """Return the name of a row for messages, such as "runs.csv row 3".

        Args:
            n: Its index.

        Returns:
            The file, and the number that an editor shows.
        """
        part = bisect_right(self._starts, n) - 1
        return f"{self._prefixes[part]} {self._numbers[part][n - self._starts[part]]}"

    def short_name(self, n: int) -> str:
        """Return the number of a row, with its file where there are several.

        Args:
            n: Its index.

        Returns:
            Such as "3", or "b.csv row 3".
        """
        return self.name(n) if len(self._prefixes) > 1 else str(self._numbers[0][n])


class _File(NamedTuple):
    """One of the files of a table."""

    title: str
    path: Path
    names: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Where rows come from.

    Attributes:
        title: For messages.
        names: The columns of all files, in order.
        fingerprint: SHA-256 of the content.
    """

    title: str
    names: tuple[str, ...]
    fingerprint: str
    _files: Sequence[_File] = ()
    _points: Sequence[tuple[str, str]] = ()

    def read(self, names: Sequence[str]) -> TableRows:
        """Return the cells of some columns.

        Args:
            names: Columns of the table. A file that lacks one has empty cells.

        Returns:
            The rows of all files, one after another.

        Raises:
            TableError: A file cannot be read.
        """
        if self._points:
            order = [self.names.index(name) for name in names]
            rows: list[Row] = [tuple(point[i] for i in order) for point in self._points]
            parts = [FileRows(rows, range(1, len(rows) + 1))]
            prefixes = ["point"]
        else:
            prefixes = [f"{file.title} row" for file in self._files]
            parts = [_read_part(file, names) for file in self._files]
        counts = [len(part.rows) for part in parts]
        return TableRows(
            [row for part in parts for row in part.rows],
            {
                f"{prefix} {number}": problem
                for prefix, part in zip(prefixes, parts, strict=True)
                for number, problem in part.unreadable.items()
            },
            parts[0].delimiter,
            prefixes,
            [part.numbers for part in parts],
            [0, *accumulate(counts[:-1])],
        )


def _read_part(file: _File, names: Sequence[str]) -> FileRows:
    """Return the rows of one of several files, with empty cells in the columns that it lacks."""
    own = set(file.names)
    part = read_file_rows(file.path, [name for name in names if name in own])
    if all(name in own for name in names):
        return part
    rows: list[Row] = []
    for row in part.rows:
        cells = iter(row)
        rows.append(tuple(next(cells) if name in own else None for name in names))
    return FileRows(rows, part.numbers, part.unreadable, part.delimiter)


def table_of_files(files: Sequence[tuple[str, Path]]) -> Table:
    """Return files as one table.

    Args:
        files: The title of each file for messages, and its path.

    Returns:
        The table; its columns are those of all files.

    Raises:
        TableError: A file cannot be read, or there are too many.
    """
    if len(files) > MAX_FILES:
        raise TableError(f"files: expected at most {MAX_FILES:,}, got {len(files):,}", code="too-many-files")
    parts = [_File(title, path, read_names(path)) for title, path in files]
    names = tuple(name for part in parts[:1] for name in part.names)
    for part in parts[1:]:
        names += tuple(name for name in part.names if name not in names)
    digests = [hashlib.sha256(path.read_bytes()).hexdigest() for _, path in files]
    digest = digests[0] if len(files) == 1 else hashlib.sha256(" ".join(digests).encode()).hexdigest()
    return Table(title_of([title for title, _ in files]), names, digest, parts)


def title_of(titles: Sequence[str]) -> str:
    """Return one title for several files.

    Args:
        titles: Those of the files.

    Returns:
        Such as "a.csv and 2 more files".
    """
    more = len(titles) - 1
    return titles[0] + (f" and {more} more file{'s' if more > 1 else ''}" if more else "")


def table_of_points(points: Sequence[str], *, metric: str, data_unit: str) -> Table:
    """Return typed points as a table.

    Args:
        points: Each a data size, an equals sign and the metric, such as `300h=11.4%`.
        metric: Name of the metric.
        data_unit: Unit of the data size.

    Returns:
        The table with a column for each.

    Raises:
        InputError: A point has no equals sign ("invalid-point").
    """
    rows = [_point(text) for text in points]
    digest = hashlib.sha256(repr((data_unit, metric, rows)).encode()).hexdigest()
    return Table(TYPED_POINTS, (data_unit, metric), digest, _points=rows)


def _point(text: str) -> tuple[str, str]:
    data, equals, value = text.rpartition("=")
    if not (equals and data.strip() and value.strip()):
        raise InputError(
            f"point {text!r}: expected DATA=VALUE, such as 300h=11.4%", code="invalid-point", value=text
        )
    return data.strip(), value.strip()


def unit_of_points(points: Sequence[str]) -> str:
    """Return the unit that typed points have.

    Args:
        points: Such as `300h=11.4%` or `10M tokens=3.2`.

    Returns:
        The unit, such as "hours" or "tokens".

    Raises:
        MissingInput: No point has one ("missing-data-unit").
        InputError: A point has no equals sign ("invalid-point").
    """
    return unit_of_amounts([_point(text)[0] for text in points])


def unit_of_amounts(amounts: Sequence[str]) -> str:
    """Return the unit that typed amounts of data have.

    Args:
        amounts: Such as `300h` or `685 examples`.

    Returns:
        The unit, such as "hours" or "examples".

    Raises:
        MissingInput: No amount has one ("missing-data-unit").
    """
    for amount in amounts:
        words = re.sub(r"^[^A-Za-z]*", "", amount).split()
        words = words[1:] if words and words[0] in units.SUFFIXES else words
        if words:
            unit = units.unit_of_data(" ".join(words))
            return units.AUDIO_UNIT if re.fullmatch("min|mins|minutes?|s|sec|seconds?", unit) else unit
    raise missing_data_unit()


def missing_data_unit() -> MissingInput:
    """Return the error for a data size whose unit nothing tells."""
    return MissingInput(
        "unit of the data size: expected one such as hours, tokens or images, got none",
        code="missing-data-unit",
        hint=use("data_unit", value="hours", purpose="to say what data is counted in"),
    )


def expanded(paths: Sequence[Path]) -> list[Path]:
    """Return paths with the files that each pattern stands for, where the shell did not expand it.

    Args:
        paths: Files, folders and patterns such as `results/*.json`.

    Returns:
        The paths; a pattern that nothing matches is kept as it is.
    """
    files: list[Path] = []
    for path in paths:
        matches: list[Path] = []
        if any(sign in str(path) for sign in "*?[") and not path.exists():
            matches = sorted(Path(path.anchor or ".").glob(str(path.relative_to(path.anchor))))
        files += matches or [path]
    return files


@contextmanager
def on_disk(paths: Sequence[Path]) -> Iterator[list[tuple[str, Path]]]:
    """Yield each source with its title, after what comes through a pipe was written to a temporary file.

    Args:
        paths: Files and folders; `-` is standard input.

    Yields:
        The title for messages and the path of each.

    Raises:
        TableError: Standard input is a terminal, empty or too large.
    """
    with tempfile.TemporaryDirectory(prefix="planner-") as folder:
        yield [_on_disk(path, Path(folder) / str(i)) for i, path in enumerate(paths)]


def _on_disk(path: Path, copy: Path) -> tuple[str, Path]:
    is_input = str(path) == STANDARD_INPUT
    if not is_input and (not path.exists() or path.is_file() or path.is_dir()):
        return str(path), path
    title = "standard input" if is_input or str(path) == "/dev/stdin" else str(path)
    copy.mkdir()
    file = copy / "table"
    with nullcontext(sys.stdin.buffer) if is_input else path.open("rb") as pipe, file.open("wb") as target:
        if pipe.isatty():
            raise TableError(
                f"{title}: expected a table from a pipe, got a terminal", code="unreadable-table", value=title
            )
        while chunk := pipe.read(CHUNK_BYTES):
            target.write(chunk)
            if target.tell() > MAX_BYTES:
                raise TableError(f"{title}: expected at most {MAX_BYTES:,} bytes", code="table-too-large")
    if not file.stat().st_size:
        raise TableError(f"{title} is empty: expected a table", code="empty-table", value=title)
    with file.open("rb") as content:
        if content.readline(MAX_BYTES).lstrip().startswith(b"{") and content.readline(1024).startswith(b"{"):
            return title, file.rename(copy / "table.jsonl")
    return title, file
