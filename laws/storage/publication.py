"""Publish the DuckDB index of a store's record files, and open it for readers.

`publish` brings the index up to date with the files, in a copy that then replaces the published one: readers
keep what they have open and never wait, and the database is complete at every moment. A kill therefore cannot
lose the index; the next `publish` adds what is missing from it.

Only `publish` and `rebuild` write the database, under a lock of our own on another file: DuckDB's own
lock is lost as soon as the writing process closes any other descriptor of the database.
"""

import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from laws.errors import FileError, StoreError, run
from laws.storage import records
from laws.storage.files import (
    FOLDERS,
    R,
    Record,
    RecordFiles,
    Stamp,
    StoreBusyError,
    disk_errors,
    file_name,
    read_regular,
    sync_folder,
)
from laws.storage.sequence import Sequence
from laws.types import LawRow, Run

T = TypeVar("T")

_BATCH = 200  # records that are in memory at once while the index is written
_LISTED = 5000  # names of files that are in memory at once
_LIST_FORMAT = "scaling-planner/laws/2"
_MAX_LIST_BYTES = 2**30
_MAX_COST = 0.1  # share of the time that publishing may take
_ROW = set(LawRow._fields)
_REBUILD = run("store", "rebuild", purpose="to make it again from the files")


class Publication:
    """The published index of a folder of records; opening it reads nothing and creates nothing."""

    def __init__(self, files: RecordFiles) -> None:
        """Remember the record files."""
        self._files = files
        self.folder = files.folder
        self.sequence = Sequence(files, self.last_sequence)
        self._index = self.folder / "index.duckdb"
        self._list = self.folder / "laws.json"
        self._last_time = time.monotonic()
        self._cost_seconds = 0.0  # of the last publish

    def publish(self) -> tuple[str, ...]:
        """Bring the index up to date with the files.

        Returns:
            One line for each file that cannot be used.

        Raises:
            StoreError: The disk is full or may not be written; the index stays as it was.
        """
        return self._publish(wait=True)

    def publish_if_due(self, seconds: float) -> tuple[str, ...]:
        """Publish if the last time is long enough ago; at most a tenth of the time goes into publishing.

        Another process that publishes is not waited for: the next time will do.

        Args:
            seconds: Time between two publications, or more if one takes long.

        Returns:
            One line for each file that cannot be used.
        """
        if time.monotonic() - self._last_time < max(seconds, self._cost_seconds / _MAX_COST):
            return ()
        try:
            return self._publish(wait=False)
        except StoreBusyError:
            self._last_time = time.monotonic()
            return ()

    def catch_up(self) -> tuple[str, ...]:
        """Publish what a killed writer left, unless a writer is at work.

        Returns:
            One line for each file that cannot be used.

        Raises:
            StoreError: Files are missing from the index, and the folder may not be written.
        """
        if not self._files.exists():
            return ()
        if not self._files.writable:
            return self._as_published()
        try:
            with self._files.exclusive("index", wait=False):
                return self._build(fresh=False)
        except StoreBusyError:
            return ()

    def last_sequence(self) -> int:
        """Return the largest place in the order that a record has, published or not; 0 without records."""
        if not self._files.exists():
            return 0
        from laws.storage import index

        self.publish()
        _, number = self._published(index.last_sequence)
        return number or 0

    def _as_published(self) -> tuple[str, ...]:
        """Return a line for each file that the index names as unusable; refuse if files are newer."""
        from laws.storage import schema

        version, current = self._published(self._problems_of_current)
        if current is None and version == len(schema.STEPS):
            raise StoreError(
                f"{self.folder} has files that are newer than its index, and may not be written",
                code="index-behind",
                value=str(self.folder),
                hint=run("store", "rebuild", value="--store COPY", purpose="on a copy to add them"),
            )
        return _lines(current or {})

    def rebuild(self) -> tuple[str, ...]:
        """Make the index again from the files only.

        Returns:
            One line for each file that cannot be used.
        """
        with self._files.exclusive("index"):
            return self._build(fresh=True)

    def check(self) -> tuple[str, ...]:
        """Verify every file's hash, and that the index matches the files.

        Returns:
            One line for each fault, with what to do.
        """
        if not self._files.exists():
            return ()
        import tempfile  # only writing needs it, and it takes longer to import than a law to read

        with self._files.quiet("index"), tempfile.TemporaryDirectory() as temporary:
            copy = Path(temporary) / "index.duckdb"
            with _database_errors(self.folder, "check"):
                problems, rows, _ = self._fill(copy)
                faults = self._index_faults(copy, rows)
        leftovers = tuple(
            f"{name}: an interrupted write left it; nothing is lost, delete it"
            for name in self._files.leftovers()
        )
        fix = "restore the file from a copy, or delete it"
        return (*(f"{problem}; {fix}" for problem in _lines(problems)), *faults, *leftovers)

    @contextlib.contextmanager
    def reader(self) -> Iterator[Any]:
        """Open the published index, made again if it is missing or of an older schema; None without
        records.
        """
        if not self._index.exists() and not self._files.exists():
            yield None
            return
        import duckdb

        from laws.storage import schema

        with contextlib.ExitStack() as until_read:
            connection = self._open(self._index) if self._index.exists() else None
            if connection is None or schema.version(connection) < len(schema.STEPS):
                if connection is not None:
                    connection.close()
                connection = self._open(self._current_index(until_read))
            until_read.callback(connection.close)
            if (version := schema.version(connection)) > len(schema.STEPS):
                raise self._too_new(version)
            try:
                yield connection
            except duckdb.Error as error:
                raise self._unreadable() from error

    def _current_index(self, until_read: contextlib.ExitStack) -> Path:
        """Publish the index; for a folder that may not be written, make one elsewhere to be read once."""
        if self._files.writable:
            self.publish()
            return self._index
        import tempfile  # only writing needs it, and it takes longer to import than a law to read

        path = Path(until_read.enter_context(tempfile.TemporaryDirectory())) / self._index.name
        with _database_errors(self.folder, "read"):
            self._fill(path)
        return path

    def laws(self, filters: dict[str, Any]) -> Iterator[LawRow]:
        """Yield published laws, newest first.

        Args:
            filters: Values of fields; None stands for any.

        Yields:
            The rows that match.
        """
        rows = self._listed()
        if rows is None:
            with self.reader() as connection:
                if connection is None:
                    return
                from laws.storage import index

                rows = [row._asdict() for row in index.laws(connection)]
        for row in rows:
            if all(value in (None, row[name]) for name, value in filters.items()):
                yield _row(row)

    def _listed(self) -> list[dict[str, Any]] | None:
        """Return the published list of laws; None if there is none that this version can read."""
        try:
            content = json.loads(read_regular(self._list, max_bytes=_MAX_LIST_BYTES))
            rows: list[dict[str, Any]] = content["laws"]
            readable = content["format"] == _LIST_FORMAT and all(row.keys() == _ROW for row in rows)
        except (OSError, FileError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return rows if readable else None

    def _publish(self, *, wait: bool) -> tuple[str, ...]:
        start = time.monotonic()
        with self._files.exclusive("index", wait=wait):
            problems = self._build(fresh=False)
        self._last_time = time.monotonic()
        self._cost_seconds = self._last_time - start
        return problems

    def _build(self, *, fresh: bool) -> tuple[str, ...]:
        """Fill a copy of the index (or an empty one) from the files and publish it; the lock is held."""
        for pattern in (".index-*", f".{self._list.name}.*"):
            for leftover in self.folder.glob(pattern):
                _remove(leftover)

        version, current = (0, None) if fresh else self._published(self._problems_of_current)
        if current is not None and self._list.exists():
            return _lines(current)
        import tempfile  # only writing needs it, and it takes longer to import than a law to read

        workspace: Path | None = None
        try:
            with _database_errors(self._index, "write"):
                workspace = Path(tempfile.mkdtemp(prefix=".index-", dir=self.folder))
                copy = workspace / self._index.name
                if version:
                    shutil.copyfile(self._index, copy)
                problems, rows, last = self._fill(copy)
                with copy.open("rb") as file:
                    os.fsync(file.fileno())
                # The list first: as long as the index is the older one, the next publish makes both again.
                self._files.replace(self._list, _list_of(rows))
                copy.replace(self._index)
                sync_folder(self.folder)
        finally:
            if workspace is not None:
                _remove(workspace)
        self.sequence.advance(last)
        return _lines(problems)

    def _published(self, question: Callable[[Any], T]) -> tuple[int, T | None]:
        """Return the schema of the published index (0: missing or damaged) and its answer, if it has one."""
        if not self._index.is_file():
            return 0, None
        import duckdb

        from laws.storage import index, schema

        try:
            with contextlib.closing(index.connect(self._index, read_only=True)) as connection:
                version = schema.version(connection)
                if version > len(schema.STEPS):
                    raise self._too_new(version)
                return version, question(connection) if version == len(schema.STEPS) else None
        except duckdb.Error:
            return 0, None

    def _problems_of_current(self, connection: Any) -> dict[str, str] | None:
        """Return which files an index names as unusable; None if it is behind the files."""
        from laws.storage import index

        problems = index.unusable_files(connection)
        behind = self._gone(problems) or any(
            changed for kind in FOLDERS for changed in self._changed(connection, kind)
        )
        return None if behind else problems

    def _gone(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if not os.path.lexists(self.folder / name)]

    def _changed(self, connection: Any, kind: type[Record]) -> Iterator[list[Stamp]]:
        """Yield, some at a time, the files of a kind that an index does not know as they are now."""
        from laws.storage import index

        files = self._files.stamps(kind)
        while batch := list(islice(files, _LISTED)):
            yield index.changed_files(connection, batch)

    def _fill(self, path: Path) -> tuple[dict[str, str], list[LawRow], int]:
        """Read into a database every file that is new to it; return problems, laws and the last sequence."""
        from laws.storage import index, schema

        with contextlib.closing(index.connect(path, read_only=False)) as connection:
            schema.migrate(connection)
            index.forget_files(connection, self._gone(index.unusable_files(connection)))
            for kind in FOLDERS:
                for changed in self._changed(connection, kind):
                    for start in range(0, len(changed), _BATCH):
                        self._put(connection, kind, changed[start : start + _BATCH])
            connection.execute("checkpoint")
            return index.unusable_files(connection), index.laws(connection), index.last_sequence(connection)

    def _put(self, connection: Any, kind: type[R], files: list[Stamp]) -> None:
        from laws.storage import index

        notes: list[tuple[str, int, int, str | None]] = []
        valid: list[R] = []
        sequences: list[int] = []
        for name, size, modified in files:
            problem = None
            try:
                content = read_regular(self.folder / name)
                record = records.validate(content, kind)
                if file_name(record) != name:
                    raise FileError(
                        f"contains {file_name(record)}: expected a file of that name", code="wrong-name"
                    )
                valid.append(record)
                sequences.append(0 if kind is Run else records.sequence_of(content, kind))
            except (OSError, FileError) as error:
                problem = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            notes.append((name, size, modified, problem))
        connection.execute("begin")
        index.put_records(connection, kind, valid, sequences)
        index.note_files(connection, notes)
        connection.execute("commit")

    def _index_faults(self, copy: Path, rows: list[LawRow]) -> tuple[str, ...]:
        """Compare the published index and list with those that were made from the files just now."""
        from laws.storage import index

        fix = "rebuild the index"
        _, files = self._published(index.indexed_files)
        if files is None:
            if self._is_older():
                return ()  # an older program wrote it: the next command that reads it brings it up to date
            return (f"{self._index.name}: missing or damaged; {fix}",)
        gone = tuple(
            f"{name}: its file is gone, the index still has it; restore the file, or rebuild the index to "
            "forget it"
            for name in sorted(self._gone(files))
        )
        newer = sum(
            files.get(name) != (size, modified)
            for kind in FOLDERS
            for name, size, modified in self._files.stamps(kind)
        )
        if newer:
            return (
                *gone,
                f"{self._index.name}: {newer} {'file is' if newer == 1 else 'files are'} newer than "
                f"it; {fix}",
            )
        if gone:
            return gone
        with contextlib.closing(index.connect(copy, read_only=True)) as connection:
            tables = index.differences(connection, self._index)
        faults = []
        if tables:
            faults.append(f"{self._index.name}: differs from the files in {', '.join(tables)}; {fix}")
        if not self._list.is_file() or self._list.read_bytes() != _list_of(rows):
            faults.append(f"{self._list.name}: differs from the files; {fix}")
        return tuple(faults)

    def _is_older(self) -> bool:
        """Return whether the published index is sound and of an older schema."""
        import duckdb

        from laws.storage import schema

        if not self._index.is_file():
            return False
        try:
            with contextlib.closing(self._open(self._index)) as connection:
                return 0 < schema.version(connection) < len(schema.STEPS)
        except (duckdb.Error, StoreError):
            return False

    def _unreadable(self) -> StoreError:
        return StoreError(
            f"cannot read {self._index}", code="unreadable-index", value=str(self._index), hint=_REBUILD
        )

    def _open(self, path: Path) -> Any:
        import duckdb

        from laws.storage import index

        if not path.is_file():  # DuckDB would wait for a pipe
            raise self._unreadable()
        try:
            connection = index.connect(path, read_only=True)
            # An index from someone else may hold a view in place of a table: it reads no other file.
            connection.execute("set enable_external_access = false")
            return connection
        except duckdb.Error as error:
            raise self._unreadable() from error

    def _too_new(self, version: int) -> StoreError:
        from laws.storage import schema

        return StoreError(
            f"schema of {self._index}: expected at most {len(schema.STEPS)}, got {version}: update "
            f"this program",
            code="newer-store",
            value=version,
            expected=f"at most {len(schema.STEPS)}",
        )


def _lines(problems: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{name}: {problem}" for name, problem in sorted(problems.items()))


def _row(values: dict[str, Any]) -> LawRow:
    return LawRow(**{**values, "x_range": tuple(values["x_range"]), "warnings": tuple(values["warnings"])})


def _list_of(rows: list[LawRow]) -> bytes:
    return json.dumps({"format": _LIST_FORMAT, "laws": [row._asdict() for row in rows]}).encode()


@contextlib.contextmanager
def _database_errors(path: Path, action: str) -> Iterator[None]:
    """Turn an error of the disk or the database into a StoreError."""
    import duckdb

    with disk_errors(path, action):
        try:
            yield
        except duckdb.Error as error:
            raise StoreError(
                f"cannot {action} {path}: {str(error).splitlines()[0]}",
                code="database-error",
                value=str(path),
            ) from error


def _remove(path: Path) -> None:
    """Remove a file, a link or a folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
