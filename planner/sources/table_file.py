"""Read the cells of a table file: CSV, TSV, JSONL or Parquet, without any guess that could change data.

Text is read by Python's own `csv` and `json`, Parquet by DuckDB. Nothing is inferred: quotes are double
quotes, no character starts a comment, cells stay text, and folder names such as `wer=0.01` are never read as
columns. Only the columns that are asked for are kept, so that a large column that nothing uses costs no
memory.
"""

import codecs
import csv
import glob
import gzip
import io
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import Any

from laws.errors import PlannerError, TableError

MAX_ROWS = 1_000_000  # a table of finished trainings is never longer
MAX_COLUMNS = 10_000
MAX_DEPTH = 20  # of JSON objects within one another
MAX_LINE_BYTES = 1_000_000
MAX_BYTES = 2**29  # of the whole text, decompressed
MAX_CELL_CHARACTERS = 200  # of a Parquet text; what is longer is cut and marked, and so never a number
MAX_DUCKDB_MEMORY = "512MB"

DELIMITERS = ",;\t|"  # of a CSV file; the header decides
TEXT_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson")
SUFFIXES = (*TEXT_SUFFIXES, ".parquet")
COMPRESSED_SUFFIXES = (".gz", ".zst")

GZIP, PARQUET, ZIP = b"\x1f\x8b", b"PAR1", b"PK\x03\x04"  # first bytes of a file
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

Row = tuple[Any, ...]


@dataclass(frozen=True)
class FileRows:
    """The rows of a table file.

    Attributes:
        rows: The cells that were asked for, one tuple per row.
        numbers: The number of each row as an editor shows it.
        unreadable: Number of a row that is not among them -> what is wrong with it.
        delimiter: What separates cells in the file; "" where it is not text with delimiters.
    """

    rows: list[Row]
    numbers: Sequence[int]
    unreadable: Mapping[int, str] = field(default_factory=dict)
    delimiter: str = ""


def read_names(path: Path) -> tuple[str, ...]:
    """Return the names of the columns of a table file, in order.

    Args:
        path: A file that ends in one of `SUFFIXES`; text may be compressed (.gz, .zst).

    Returns:
        The names, as written. A name that appears twice is returned twice.

    Raises:
        TableError: The file is missing, of another kind, or not a table.
    """
    kind = _kind(path)
    try:
        if kind == ".parquet":
            names = _parquet_names(path)
        elif kind in (".csv", ".tsv"):
            names = tuple(next(_csv_rows(path, kind), ()))
        else:
            names = _json_names(path)
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from None
    if not names:
        raise TableError(
            f"{path} is empty: expected a row of column names and one row per measurement", code="empty-table"
        )
    if len(names) > MAX_COLUMNS:
        raise TableError(
            f"{path} has {len(names):,} columns: expected at most {MAX_COLUMNS:,}", code="too-many-columns"
        )
    return names


def read_rows(path: Path, names: Sequence[str]) -> list[Row]:
    """Return the cells of some columns, one tuple per row.

    Args:
        path: A table file.
        names: Names of columns that `read_names` returned; their order is that of the cells.

    Returns:
        The rows. Cells of text files are text, those of JSONL and Parquet may be numbers; None is an empty
        cell.

    Raises:
        TableError: A row is not complete, a column of `names` appears twice, or the file has more than
            `MAX_ROWS` rows.
    """
    file = read_file_rows(path, names)
    for number, problem in file.unreadable.items():
        raise ragged_row(f"{path} row {number}", problem, number)
    return file.rows


def read_file_rows(path: Path, names: Sequence[str]) -> FileRows:
    """Return the cells of some columns, and which rows have more or fewer cells than the header.

    Args:
        path: A table file.
        names: Names of columns that `read_names` returned; their order is that of the cells.

    Returns:
        The rows.

    Raises:
        TableError: A column of `names` appears twice, or the file has more than `MAX_ROWS` rows.
    """
    kind = _kind(path)
    try:
        if kind in (".csv", ".tsv"):
            file = _csv_cells(path, kind, names)
        else:
            rows = _parquet_rows(path, names) if kind == ".parquet" else _json_cells(path, names)
            file = FileRows(rows, range(1, len(rows) + 1))
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from None
    if len(file.rows) + len(file.unreadable) > MAX_ROWS:
        raise TableError(
            f"{path} has more than {MAX_ROWS:,} rows: expected one row per finished training",
            code="too-many-rows",
        )
    return file


def ragged_row(name: str, problem: str, number: int) -> TableError:
    """Return the error for a row with more or fewer cells than the header.

    Args:
        name: The row, such as "runs.csv row 3".
        problem: What is wrong with it.
        number: Its number.

    Returns:
        The error.
    """
    return TableError(f"{name} {problem}, as many as the header has names", code="ragged-row", value=number)


def first_row_number(path: Path) -> int:
    """Return the number that an editor shows at the first row of data: 2 after a header, else 1.

    Args:
        path: The table file.

    Returns:
        The number, counted from 1.
    """
    return 2 if any(suffix.lower() in (".csv", ".tsv") for suffix in path.suffixes) else 1


def table_suffix(path: Path) -> str:
    """Return the suffix that names a kind of table.

    Args:
        path: A path, which need not exist.

    Returns:
        One of `SUFFIXES`, in lower case and without that of a compression; "" for any other file.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in COMPRESSED_SUFFIXES]
    return suffixes[-1] if suffixes and suffixes[-1] in SUFFIXES else ""


def _kind(path: Path) -> str:
    """Return the suffix that says how to read a file, or refuse the file."""
    kind = table_suffix(path)
    if not path.is_file() and (kind or not path.exists()):
        reason = "no such file" if not path.exists() else "expected a file, got a folder or a device"
        raise TableError(f"{path}: {reason}", code="no-such-file", value=str(path))
    start = _start(path)
    if start.startswith(PARQUET):
        return ".parquet"
    if start.startswith(ZIP):
        raise TableError(
            f"{path}: expected text or Parquet, got a workbook or another zip file; save the sheet as CSV",
            code="unknown-file-type",
            value=str(path),
        )
    if not kind and _is_delimited(path):
        return ".csv"
    if not kind:
        raise TableError(
            f"{path}: expected a file that ends in {', '.join(SUFFIXES)} (text also as .csv.gz), or text "
            "with delimiters",
            code="unknown-file-type",
            value=str(path),
        )
    return kind


def _start(path: Path) -> bytes:
    """Return the first bytes of a file; none of one that cannot be opened, which its reader says better."""
    try:
        with path.open("rb") as file:
            return file.read(4)
    except OSError:
        return b""


def _is_delimited(path: Path) -> bool:
    """Return whether a file whose name says nothing is text with delimiters, such as a training.log."""
    try:
        lines = [line for line, _ in zip(_lines(path), range(2), strict=False)]
    except (OSError, EOFError, zlib.error, TableError):
        return False
    if len(lines) < 2 or lines[0].lstrip().startswith(("{", "[", "<")):
        return False
    mark = _delimiter(lines[0])
    return lines[0].count(mark) > 0 and lines[0].count(mark) == lines[1].count(mark)


def _csv_rows(path: Path, kind: str) -> Iterator[list[str]]:
    """Yield the rows of a CSV or TSV file, the header first; a blank line below it is an empty row."""
    lines = _lines(path)
    header = next((line for line in lines if line.strip()), "")
    delimiter = "\t" if kind == ".tsv" else _delimiter(header)
    reader = csv.reader(chain([header], lines), delimiter=delimiter, strict=True)
    try:
        yield from reader
    except csv.Error as error:
        raise TableError(
            f"{path} cannot be read: {error} in line {reader.line_num}", code="invalid-csv"
        ) from None


def _delimiter(header: str) -> str:
    """Return the delimiter that splits a header into the most names; a comma where several do."""
    return max(DELIMITERS, key=lambda mark: len(next(csv.reader([header], delimiter=mark), ())))


def _csv_cells(path: Path, kind: str, names: Sequence[str]) -> FileRows:
    rows = _csv_rows(path, kind)
    header = next(rows, [])
    _refuse_duplicates(path, header, names)
    columns = [header.index(name) for name in names]
    cells: list[Row] = []
    numbers: list[int] = []
    unreadable: dict[int, str] = {}
    for number, row in enumerate(rows, start=2):
        if not row:  # a blank line, which has a number of its own
            continue
        if len(row) < len(header) or any(cell.strip() for cell in row[len(header) :]):
            unreadable[number] = f"has {_counted(len(row), 'cell')}: expected {len(header)}"
        else:
            cells.append(tuple([row[i] for i in columns]))
            numbers.append(number)
        if number > MAX_ROWS + 1:
            break
    return FileRows(cells, numbers, unreadable, "\t" if kind == ".tsv" else _delimiter_of(path))


def _delimiter_of(path: Path) -> str:
    return _delimiter(next((line for line in _lines(path) if line.strip()), ""))


def _json_rows(path: Path) -> Iterator[list[tuple[str, Any]]]:
    """Yield the keys and values of each line of a JSONL file; blank lines are left out."""
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            pairs = json.loads(line, object_pairs_hook=_Pairs)
        except (ValueError, RecursionError) as error:
            # an integer of thousands of digits is a plain ValueError
            what = error.msg if isinstance(error, json.JSONDecodeError) else "a value is too large"
            raise TableError(
                f"{path} line {number} is not JSON: {what}", code="invalid-json", value=number
            ) from None
        if not isinstance(pairs, _Pairs):
            raise TableError(
                f"{path} line {number} is not a JSON object: expected one per row, such as "
                f'{{"x": 1, "y": 0.5}}',
                code="invalid-json",
                value=number,
            )
        yield pairs


def _json_names(path: Path) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for pairs in _json_rows(path):
        names |= dict.fromkeys(name for name, _ in _dotted(pairs))
        if len(names) > MAX_COLUMNS:
            break
    return tuple(names)


class _Pairs(list[tuple[str, Any]]):
    """The keys and values of a JSON object, in order, with every repetition."""


def _json_cells(path: Path, names: Sequence[str]) -> list[Row]:
    cells: list[Row] = []
    for row in _json_rows(path):
        pairs = list(_dotted(row))
        _refuse_duplicates(path, [name for name, _ in pairs], names)
        values = dict(pairs)
        cells.append(tuple(values.get(name) for name in names))
        if len(cells) > MAX_ROWS:
            break
    return cells


def _dotted(pairs: Sequence[tuple[str, Any]], above: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Yield the keys and values of a JSON object; those of objects within it are named with dots."""
    for name, value in pairs:
        if isinstance(value, _Pairs) and depth < MAX_DEPTH:
            yield from _dotted(value, f"{above}{name}.", depth + 1)
        else:
            yield f"{above}{name}", dict(value) if isinstance(value, _Pairs) else value


def _parquet_names(path: Path) -> tuple[str, ...]:
    """Return the names of the top level of a Parquet file; DuckDB itself renames those that appear twice."""
    rows = _query(path, "select name, coalesce(num_children, 0) from parquet_schema(?)")
    names: list[str] = []
    below = 0  # rows of the schema that are still inside a nested column
    for name, children in rows[1:]:  # the first row is the root
        if below == 0:
            names.append(name)
        else:
            below -= 1
        below += children
    return tuple(names)


def _parquet_rows(path: Path, names: Sequence[str]) -> list[Row]:
    in_file = _parquet_names(path)
    _refuse_duplicates(path, in_file, names)
    reader = "read_parquet(?, hive_partitioning = false, filename = false)"
    # by position, because DuckDB takes `wer` and `WER` for one name
    columns = [_query(path, f"describe select * from {reader}")[in_file.index(name)] for name in names]  # noqa: S608
    cells = ", ".join(_cell(name, kind) for name, kind, *_ in columns)
    return _query(path, f"select {cells} from {reader} limit {MAX_ROWS + 1}")  # noqa: S608 - names are quoted


_NUMBERS = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"}
    | {"UHUGEINT", "FLOAT", "DOUBLE", "BOOLEAN"}
)


def _cell(name: str, kind: str) -> str:
    """Return the SQL of a column: numbers as they are, everything else as text of bounded length.

    As text a time stamp needs no time zone data, and a long text no memory.
    """
    column = '"' + name.replace('"', '""') + '"'
    if kind in _NUMBERS or kind.startswith("DECIMAL"):
        return column
    text = f"cast({column} as varchar)"
    return (
        f"case when length({text}) > {MAX_CELL_CHARACTERS} "
        f"then left({text}, {MAX_CELL_CHARACTERS}) || '…' else {text} end"
    )


def _query(path: Path, query: str) -> list[Row]:
    """Return the rows of a query whose one parameter is the path."""
    import duckdb

    config: dict[str, Any] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "memory_limit": MAX_DUCKDB_MEMORY,
        "temp_directory": "",
        "threads": 1,
    }
    try:
        with duckdb.connect(config=config) as connection:
            # escaped, because DuckDB takes * ? [ in a path for a pattern
            return connection.execute(query, [glob.escape(str(path))]).fetchmany(MAX_ROWS + 1)
    except duckdb.OutOfMemoryException:
        raise TableError(
            f"{path} cannot be read: it needs more than {MAX_DUCKDB_MEMORY} of memory", code="table-too-large"
        ) from None
    except duckdb.Error as error:
        reason = " ".join(str(error).split("\n")[0].split())
        raise TableError(f"{path} cannot be read as Parquet: {reason}", code="invalid-parquet") from None


def _lines(path: Path) -> Iterator[str]:
    """Yield the lines of a text file with their ends, each and all of them of bounded length."""
    if path.suffix.lower() == ".zst":
        yield from _zst_lines(path)
        return
    start = _start(path)
    if start.startswith(UTF16):
        yield from _utf16_lines(path)
        return
    total = 0
    is_gzip = start.startswith(GZIP) or path.suffix.lower() == ".gz"
    with gzip.open(path) if is_gzip else path.open("rb") as file:
        for number in count(1):
            line = file.readline(MAX_LINE_BYTES + 1)
            if not line:
                return
            total += len(line)
            if len(line) > MAX_LINE_BYTES or total > MAX_BYTES:
                raise TableError(
                    f"{path} line {number}: expected at most {MAX_LINE_BYTES:,} bytes per line and "
                    f"{MAX_BYTES:,} "
                    "in all",
                    code="table-too-large",
                    value=number,
                )
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                raise TableError(
                    f"{path} line {number} is not UTF-8: expected text saved as UTF-8",
                    code="not-utf-8",
                    value=number,
                ) from None
            yield from io.StringIO(text, newline="")  # which also ends a line at a lone carriage return


def _utf16_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a text in UTF-16, as spreadsheets save "Unicode text"."""
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise TableError(f"{path}: expected at most {MAX_BYTES:,} bytes", code="table-too-large")
    try:
        text = content.decode("utf-16")
    except UnicodeDecodeError:
        raise TableError(
            f"{path} is not the UTF-16 that it begins as: expected text saved as UTF-8", code="not-utf-8"
        ) from None
    yield from io.StringIO(text, newline="")


def _zst_lines(path: Path) -> Iterator[str]:
    """Yield the lines of a text that is compressed with Zstandard, which only DuckDB reads here."""
    reader = (
        "read_csv(?, auto_detect = false, header = false, columns = {'line': 'VARCHAR'}, delim = '\\x01', "
        "quote = '', escape = '', comment = '', compression = 'zstd', hive_partitioning = false)"
    )
    for (line,) in _query(path, f"select coalesce(line, '') from {reader}"):  # noqa: S608 - our text
        yield f"{line}\n"


def _refuse_duplicates(path: Path, header: Sequence[str], names: Sequence[str]) -> None:
    """Refuse a column that is used and appears twice: which of the two is meant cannot be known."""
    if len(set(header)) == len(header):
        return
    counts = Counter(header)
    if twice := next((name for name in names if counts[name] > 1), None):
        raise TableError(
            f"{path} has {counts[twice]} columns {twice!r}: expected one of each name",
            code="duplicate-column",
            value=twice,
        )


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def _unreadable(path: Path, error: Exception) -> PlannerError:
    reason = getattr(error, "strerror", None) or str(error)
    return TableError(f"{path} cannot be read: {reason}", code="unreadable-table")
