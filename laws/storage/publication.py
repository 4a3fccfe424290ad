"""The DuckDB index over a store's record files, and how readers come to it.

`publish` brings the index up to date with the files, in a copy that then replaces the published one: readers
keep what they have open and never wait, and the database is at every moment a complete one. A kill can
therefore not lose the index; what is missing from it is added by the next `publish`.

Nobody writes the database but `publish` and `rebuild`, under a lock of our own on another file: DuckDB's own
lock is lost as soon as the writing process closes any other descriptor of the database.
"""

import contextlib
import dataclasses
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from laws.errors import PlannerError
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
    sync_folder,
)
from laws.types import LawRow

T = TypeVar("T")

_BATCH = 200  # records that are in memory at once while the index is written
_LISTED = 5000  # names of files that are in memory at once
_LIST = "scaling-planner/laws/1"
_ROW = {field.name for field in dataclasses.fields(LawRow)}


class Publication:
    """The published index of a folder of records; opening it reads nothing and creates nothing."""

    def __init__(self, files: RecordFiles) -> None:
        self._files = files
        self.folder = files.folder
        self._index = self.folder / "index.duckdb"
        self._list = self.folder / "laws.json"
        self._due = time.monotonic()
        self._cost = 0.0  # seconds that the last publish took

    def publish(self) -> tuple[str, ...]:
        """Bring the index up to date with the files; return one line for each file that cannot be used.

        Raises:
            PlannerError: the disk is full or not ours to write; the index stays as it was.
        """
        return self._publish(wait=True)

    def publish_if_due(self, seconds: float) -> tuple[str, ...]:
        """Publish when the last time is this long ago; at most a tenth of the time goes into publishing.

        Whoever holds the index now is not waited for: the next time will do.
        """
        if time.monotonic() - self._due < max(seconds, 10 * self._cost):
            return ()
        try:
            return self._publish(wait=False)
        except StoreBusyError:
            self._due = time.monotonic()
            return ()

    def catch_up(self) -> tuple[str, ...]:
        """Publish what a killed writer left, unless a writer is at it now.

        Raises:
            PlannerError: files are missing from the index, and the folder is not ours to write.
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

    def _as_published(self) -> tuple[str, ...]:
        """Return a line for each file that the index names as unusable; refuse where files are newer."""
        from laws.storage import schema

        version, current = self._published(self._problems_of_current)
        if current is None and version == len(schema.STEPS):
            raise PlannerError(
                f"{self.folder} has newer files and may not be written: copy it, and "
                "`planner store rebuild --store COPY` adds them"
            )
        return _lines(current or {})

    def rebuild(self) -> tuple[str, ...]:
        """Make the index anew from the files alone; return one line for each file that cannot be used."""
        with self._files.exclusive("index"):
            return self._build(fresh=True)

    def check(self) -> tuple[str, ...]:
        """Hold every file against its hash, and the index against the files; return a line for each fault."""
        if not self._files.exists():
            return ()
        with self._files.quiet("index"), tempfile.TemporaryDirectory() as temporary:
            copy = Path(temporary) / "index.duckdb"
            with _database_errors(f"checking {self.folder}"):
                problems, rows = self._fill(copy)
                faults = self._index_faults(copy, rows)
        left = tuple(
            f"{name}: left by a write that was cut off; nothing is lost, delete it"
            for name in self._files.leftovers()
        )
        mend = "put a copy of the file back, or delete it"
        return (*(f"{problem}; {mend}" for problem in _lines(problems)), *faults, *left)

    @contextlib.contextmanager
    def reader(self) -> Iterator[Any]:
        """Open the published index, made anew where it is missing or of an older schema; None: no records."""
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
                connection = self._open(self._anew(until_read))
            until_read.callback(connection.close)
            if (version := schema.version(connection)) > len(schema.STEPS):
                raise self._too_new(version)
            try:
                yield connection
            except duckdb.Error as error:
                raise self._unreadable() from error

    def _anew(self, until_read: contextlib.ExitStack) -> Path:
        """Publish the index; in a folder that may not be written, make one elsewhere to be read once."""
        if self._files.writable:
            self.publish()
            return self._index
        path = Path(until_read.enter_context(tempfile.TemporaryDirectory())) / self._index.name
        with _database_errors(f"reading {self.folder}"):
            self._fill(path)
        return path

    def laws(self, wanted: dict[str, Any]) -> Iterator[LawRow]:
        """Yield the published laws, newest first, whose fields are as wanted (None: any)."""
        rows = self._listed()
        if rows is None:
            with self.reader() as connection:
                if connection is None:
                    return
                from laws.storage import index

                rows = [dataclasses.asdict(row) for row in index.laws(connection)]
        for row in rows:
            if all(value in (None, row[name]) for name, value in wanted.items()):
                yield _row(row)

    def _listed(self) -> list[dict[str, Any]] | None:
        """Return the published list of laws; None where there is none that this program can read."""
        try:
            content = json.loads(self._list.read_bytes())
            rows: list[dict[str, Any]] = content["laws"]
            known = content["format"] == _LIST and all(row.keys() == _ROW for row in rows)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return rows if known else None

    def _publish(self, *, wait: bool) -> tuple[str, ...]:
        begun = time.monotonic()
        with self._files.exclusive("index", wait=wait):
            problems = self._build(fresh=False)
        self._due = time.monotonic()
        self._cost = self._due - begun
        return problems

    def _build(self, *, fresh: bool) -> tuple[str, ...]:
        """Fill a copy of the index (or an empty one) from the files and publish it; the lock is held."""
        for name in (".index-*", f".{self._list.name}.*"):
            for left in self.folder.glob(name):
                _remove(left)

        version, current = (0, None) if fresh else self._published(self._problems_of_current)
        if current is not None and self._list.exists():
            return _lines(current)
        copy = self.folder / f".index-{os.getpid()}.duckdb"
        try:
            with _database_errors(f"writing the index of {self.folder}"):
                if version:
                    shutil.copyfile(self._index, copy)
                problems, rows = self._fill(copy)
                with copy.open("rb") as file:
                    os.fsync(file.fileno())
                # The list first: as long as the index is the older one, the next publish makes both anew.
                self._files.replace(self._list, _list_of(rows))
                copy.replace(self._index)
                sync_folder(self.folder)
        finally:
            _remove_database(copy)
        return _lines(problems)

    def _published(self, question: Callable[[Any], T]) -> tuple[int, T | None]:
        """Return the schema of the published index (0: missing or damaged) and its answer, if it has one."""
        if not self._index.exists():
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
        """Return which files an index names as unusable; None where it is behind the files."""
        from laws.storage import index

        problems = index.unusable_files(connection)
        behind = self._gone(problems) or any(
            some for kind in FOLDERS for some in self._changed(connection, kind)
        )
        return None if behind else problems

    def _gone(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if not os.path.lexists(self.folder / name)]

    def _changed(self, connection: Any, kind: type[Record]) -> Iterator[list[Stamp]]:
        """Yield, some at a time, the files of a kind that an index does not know as they stand now."""
        from laws.storage import index

        files = self._files.stamps(kind)
        while some := list(islice(files, _LISTED)):
            yield index.changed_files(connection, some)

    def _fill(self, path: Path) -> tuple[dict[str, str], list[LawRow]]:
        """Read into a database every file that it does not hold as it stands now; return faults and laws."""
        from laws.storage import index, schema

        with contextlib.closing(index.connect(path, read_only=False)) as connection:
            schema.migrate(connection)
            index.forget_files(connection, self._gone(index.unusable_files(connection)))
            for kind in FOLDERS:
                for some in self._changed(connection, kind):
                    for start in range(0, len(some), _BATCH):
                        self._put(connection, kind, some[start : start + _BATCH])
            connection.execute("checkpoint")
            return index.unusable_files(connection), index.laws(connection)

    def _put(self, connection: Any, kind: type[R], files: list[Stamp]) -> None:
        from laws.storage import index

        noted: list[tuple[str, int, int, str | None]] = []
        good: list[R] = []
        for name, size, modified in files:
            problem = None
            try:
                record = records.validate((self.folder / name).read_bytes(), kind)
                if file_name(record) != name:
                    raise PlannerError(f"holds {file_name(record)}: give it that name")
                good.append(record)
            except (OSError, PlannerError) as error:
                problem = str(error)
            noted.append((name, size, modified, problem))
        connection.execute("begin")
        index.put(connection, kind, good)
        index.note_files(connection, noted)
        connection.execute("commit")

    def _index_faults(self, copy: Path, rows: list[LawRow]) -> tuple[str, ...]:
        """Hold the published index and list against those that were made from the files just now."""
        from laws.storage import index

        mend = "`planner store rebuild` mends it"
        _, known = self._published(index.known_files)
        if known is None:
            return (f"{self._index.name}: missing, damaged or older than this program; {mend}",)
        gone = tuple(
            f"{name}: its file is gone, the index still has it; restore the file, or forget it with "
            "`planner store rebuild`"
            for name in sorted(self._gone(known))
        )
        late = sum(
            known.get(name) != (size, modified)
            for kind in FOLDERS
            for name, size, modified in self._files.stamps(kind)
        )
        if late:
            return (
                *gone,
                f"{self._index.name}: {late} {'file is' if late == 1 else 'files are'} newer than it; {mend}",
            )
        if gone:
            return gone
        with contextlib.closing(index.connect(copy, read_only=True)) as connection:
            tables = index.differences(connection, self._index)
        faults = []
        if tables:
            faults.append(f"{self._index.name}: not what the files say in {', '.join(tables)}; {mend}")
        if not self._list.exists() or self._list.read_bytes() != _list_of(rows):
            faults.append(f"{self._list.name}: not what the files say; {mend}")
        return tuple(faults)

    def _unreadable(self) -> PlannerError:
        return PlannerError(f"{self._index} cannot be read: `planner store rebuild` makes it anew")

    def _open(self, path: Path) -> Any:
        import duckdb

        from laws.storage import index

        try:
            connection = index.connect(path, read_only=True)
            # An index that somebody sent may hold a view in a table's place: it sees no other file.
            connection.execute("set enable_external_access = false")
            return connection
        except duckdb.Error as error:
            raise self._unreadable() from error

    def _too_new(self, version: int) -> PlannerError:
        from laws.storage import schema

        return PlannerError(
            f"{self._index} is of schema {version}, wanted at most {len(schema.STEPS)}: update the program"
        )


def _lines(problems: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{name}: {problem}" for name, problem in sorted(problems.items()))


def _row(found: dict[str, Any]) -> LawRow:
    return LawRow(**{**found, "x_range": tuple(found["x_range"]), "warnings": tuple(found["warnings"])})


def _list_of(rows: list[LawRow]) -> bytes:
    return json.dumps({"format": _LIST, "laws": [dataclasses.asdict(row) for row in rows]}).encode()


@contextlib.contextmanager
def _database_errors(doing: str) -> Iterator[None]:
    """Turn what the disk or the database refuses into one line."""
    import duckdb

    with disk_errors(doing):
        try:
            yield
        except duckdb.Error as error:
            raise PlannerError(f"{doing} failed: {str(error).splitlines()[0]}") from error


def _remove_database(path: Path) -> None:
    for suffix in ("", ".wal", ".tmp"):
        _remove(path.with_name(path.name + suffix))


def _remove(path: Path) -> None:
    """Remove a file, or the folder that DuckDB spills into."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
