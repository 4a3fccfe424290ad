"""Open another program's SQLite file without any way to change it or to run what it holds."""

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from laws.errors import FileError

MAX_SECONDS = 60.0  # of one file; a store of 5,000 runs takes less than one
MAX_VALUE_BYTES = 10_000_000
CHECK_EVERY = 100_000  # instructions of SQLite's machine between two looks at the clock

SIGNATURE = b"SQLite format 3\0"
_ALLOWED = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION})


@contextmanager
def open_database(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a SQLite file for reading; errors of SQLite become one-line errors.

    A file that a writer has open, or left in the middle of a change, has a second file next to it. SQLite
    would write to read both, so a copy is read.

    Args:
        path: The file.

    Yields:
        The connection.

    Raises:
        FileError: The file is damaged or not a database, or takes longer than `MAX_SECONDS`.
    """
    companions = [path.with_name(path.name + end) for end in ("-wal", "-journal")]
    unfinished = [other for other in companions if other.is_file() and other.stat().st_size > 0]
    try:
        if not unfinished:
            with _connection(path) as connection:
                yield connection
            return
        with tempfile.TemporaryDirectory() as folder:
            for original in (path, *unfinished):
                shutil.copyfile(original, Path(folder, original.name.replace(path.name, "copy.db")))
            with _connection(Path(folder, "copy.db"), immutable=False) as connection:
                yield connection
    except (sqlite3.Error, OverflowError, UnicodeError) as error:  # SQLite's messages repeat damaged text
        reason = "its text is damaged" if isinstance(error, UnicodeError) else " ".join(str(error).split())
        if reason == "interrupted":
            reason = f"it takes more than {MAX_SECONDS:g} s"
        raise FileError(
            f"{path} cannot be read: {reason}", code="invalid-database", value=str(path)
        ) from None


@contextmanager
def _connection(path: Path, *, immutable: bool = True) -> Iterator[sqlite3.Connection]:
    options = "mode=ro&immutable=1" if immutable else "mode=rw"  # a copy of ours may be rolled back
    connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?{options}", uri=True)
    try:
        deadline = time.monotonic() + MAX_SECONDS
        connection.set_progress_handler(lambda: time.monotonic() > deadline, CHECK_EVERY)
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        connection.execute("pragma trusted_schema = off")
        connection.execute("pragma query_only = on")
        connection.set_authorizer(_authorize)
        yield connection
    finally:
        connection.close()


def _authorize(action: int, name: str | None, *_: Any) -> int:
    described = action == sqlite3.SQLITE_PRAGMA and name == "table_info"
    return sqlite3.SQLITE_OK if action in _ALLOWED or described else sqlite3.SQLITE_DENY


def table_columns(connection: sqlite3.Connection) -> dict[str, frozenset[str]]:
    """Return the columns of each table; views are left out, because they run what a stranger wrote.

    Args:
        connection: An open database.

    Returns:
        Name of a table -> names of its columns.
    """
    tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
    return {name: frozenset(row[1] for row in connection.execute(_table_info(name))) for name in tables}


def _table_info(table: str) -> str:
    quoted = table.replace('"', '""')
    return f'pragma table_info("{quoted}")'
