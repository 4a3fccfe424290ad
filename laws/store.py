"""What was measured, fitted, forecast and what happened: one immutable file a record, one DuckDB index.

    STORE/runs/<id>.<attempt>.json   written once, when a training has ended
    STORE/sweeps/<id>.json
    STORE/laws/<id>.json
    STORE/forecasts/<id>.json        an estimate that was kept, with its draws
    STORE/outcomes/<id>.json         what happened after a forecast
    STORE/index.duckdb               what readers open; replaced whole, never written in place
    STORE/laws.json                  the list of laws, so that asking one needs no database
    STORE/locks/                     empty files that writers lock

A record is safe when `add_*` returns: temporary file, fsync, rename, fsync of the folder. `publish` brings
the index up to date with the files, in a copy that then replaces the published one: readers keep what they
have open and never wait, and the database is at every moment a complete one. A kill can therefore lose
neither a record nor the index; what is missing from the index is added by the next `publish`.

Nobody writes the database but `publish` and `rebuild`, under a lock of our own on another file: DuckDB's own
lock is lost as soon as the writing process closes any other descriptor of the database.
"""

import contextlib
import dataclasses
import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from laws import records
from laws.errors import PlannerError
from laws.types import KeptForecast, KeptForecastRow, Law, LawRow, Outcome, Run, RunStatus, Source, Sweep

__all__ = ["LawRow", "Store", "StoreBusyError"]

Record = records.Record
R = TypeVar("R", bound=Record)
T = TypeVar("T")
# name, bytes, time of the last change in ns: a file with the same stamp is not read again
Stamp = tuple[str, int, int]

_FOLDERS: dict[type, str] = {
    Run: "runs",
    Sweep: "sweeps",
    Law: "laws",
    KeptForecast: "forecasts",
    Outcome: "outcomes",
}
_CALLED: dict[type, tuple[str, str]] = {  # one of them, and the command that lists all
    Law: ("law", "planner laws list"),
    KeptForecast: ("forecast", "planner forecasts list"),
    Outcome: ("outcome", "planner outcome list"),
}
_BATCH = 200  # records that are in memory at once while the index is written
_LISTED = 5000  # names of files that are in memory at once
_LIST = "scaling-planner/laws/1"
_ROW = {field.name for field in dataclasses.fields(LawRow)}


class StoreBusyError(PlannerError):
    """Raised when another process holds a lock that was not to be waited for."""


class Store:
    """A folder of records with its index; opening it reads nothing and creates nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._index = folder / "index.duckdb"
        self._list = folder / "laws.json"
        self._due = time.monotonic()
        self._cost = 0.0  # seconds that the last publish took

    def add_run(self, run: Run) -> None:
        """Write one ended attempt; the same id and attempt again changes nothing.

        Raises:
            PlannerError: a number is not finite, or the disk is full or not ours to write.
        """
        self._write(run, replace=False)

    def add_sweep(self, sweep: Sweep) -> None:
        """Write a sweep's plan; the same id again replaces it whole."""
        self._write(sweep, replace=True)

    def add_law(self, law: Law) -> None:
        """Write a fitted law; the same law again is not doubled, it only becomes the newest."""
        self._write(law, replace=True)

    def add_forecast(self, forecast: KeptForecast) -> None:
        """Write an estimate that is to be kept; the same one again changes nothing."""
        self._write(forecast, replace=False)

    def add_outcome(self, outcome: Outcome) -> None:
        """Write what happened; the same again changes nothing."""
        self._write(outcome, replace=False)

    def attempts(self, ids: Iterable[str]) -> dict[str, tuple[Run, ...]]:
        """Return every attempt on record of these runs, oldest first, read from the files themselves.

        It sees runs that are not published yet. A file that cannot be used counts as no attempt: `check`
        names it.
        """
        found: dict[str, tuple[Run, ...]] = {}
        for id, numbers in self._attempts(ids).items():
            readable = (self._attempt(id, number) for number in numbers)
            if runs := tuple(run for run in readable if run):
                found[id] = runs
        return found

    def last_attempts(self, ids: Iterable[str]) -> Iterator[tuple[str, int, Run | None]]:
        """Yield id, highest number and last usable record of each of these runs that has an attempt.

        What a sweep asks before it goes on, one record at a time; read from the files themselves.
        """
        for id, numbers in self._attempts(ids).items():
            readable = (self._attempt(id, number) for number in reversed(numbers))
            yield id, numbers[-1], next((run for run in readable if run), None)

    def _attempts(self, ids: Iterable[str]) -> dict[str, list[int]]:
        """Return the numbers of the attempts that have a file, ascending, by id."""
        wanted = set(ids)
        found: dict[str, list[int]] = {}
        folder = self.folder / _FOLDERS[Run]
        with os.scandir(folder) if folder.is_dir() else contextlib.nullcontext(()) as entries:
            for entry in entries:
                id, _, number = entry.name.removesuffix(".json").rpartition(".")
                if id in wanted and number.isdecimal():
                    found.setdefault(id, []).append(int(number))
        return {id: sorted(numbers) for id, numbers in found.items()}

    def _attempt(self, id: str, number: int) -> Run | None:
        try:
            run = self._read(f"{_FOLDERS[Run]}/{id}.{number}.json", Run)
        except PlannerError:
            return None
        return run if (run.id, run.attempt) == (id, number) else None

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
        """Publish what a killed writer left, unless a writer is at it now or the folder is read-only."""
        if not self._holds_records() or not os.access(self.folder, os.W_OK):
            return ()
        try:
            with self.exclusive("index", wait=False):
                return self._build(fresh=False)
        except StoreBusyError:
            return ()

    def rebuild(self) -> tuple[str, ...]:
        """Make the index anew from the files alone; return one line for each file that cannot be used."""
        with self.exclusive("index"):
            return self._build(fresh=True)

    def check(self) -> tuple[str, ...]:
        """Hold every file against its hash, and the index against the files; return a line for each fault."""
        if not self._holds_records():
            return ()
        with self.exclusive("index"):
            copy = self.folder / f".check-{os.getpid()}.duckdb"
            try:
                with _explained_database(f"checking {self.folder}"):
                    problems, rows = self._fill(copy)
                    faults = self._index_faults(copy, rows)
            finally:
                _remove_database(copy)
        left = tuple(
            f"{path.relative_to(self.folder)}: left by a write that was cut off; nothing is lost, delete it"
            for folder in _FOLDERS.values()
            for path in sorted((self.folder / folder).glob(".*"))
        )
        mend = "put a copy of the file back, or delete it"
        return (*(f"{problem}; {mend}" for problem in _lines(problems)), *faults, *left)

    @contextlib.contextmanager
    def exclusive(self, name: str, *, wait: bool = True) -> Iterator[None]:
        """Hold the store's lock of this name; the system frees it when the process ends, however it ends.

        A sweep holds `sweep-<id>` while it trains, so that two processes do not train the same.

        Raises:
            StoreBusyError: another holder, and `wait` is False.
        """
        path = self.folder / "locks" / name
        with _explained(f"locking {path}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                raise StoreBusyError(
                    f"another planner is at work on {name} in {self.folder}: wait for it to end"
                ) from None
            yield
        finally:
            os.close(descriptor)

    def runs(
        self, *, domain: str | None = None, sweep: str | None = None, status: RunStatus | None = None
    ) -> list[Run]:
        """Return published attempts by time; a sweep's include those it planned and found already done."""
        with self._reader() as connection:
            if connection is None:
                return []
            from laws import index

            return index.runs(connection, domain, sweep, status)

    def sweeps(self, *, domain: str | None = None) -> list[Sweep]:
        """Return published sweeps, newest first."""
        with self._reader() as connection:
            if connection is None:
                return []
            from laws import index

            return index.sweeps(connection, domain)

    def laws(
        self,
        *,
        domain: str | None = None,
        family: str | None = None,
        metric: str | None = None,
        source: Source | None = None,
    ) -> list[LawRow]:
        """Return published laws without draws and paths, newest first."""
        wanted = {"domain": domain, "family": family, "metric": metric, "source": source}
        return [_row(found) for found in self._matching(wanted)]

    def newest(self, domain: str, metric: str, family: str | None = None) -> LawRow | None:
        """Return the newest law of a metric, None when there is none; `law(row.id)` reads it whole."""
        found = next(self._matching({"domain": domain, "metric": metric, "family": family}), None)
        return None if found is None else _row(found)

    def _matching(self, wanted: dict[str, Any]) -> Iterator[dict[str, Any]]:
        rows = self._listed()
        if rows is None:
            with self._reader() as connection:
                if connection is None:
                    return
                from laws import index

                rows = [dataclasses.asdict(row) for row in index.laws(connection)]
        for row in rows:
            if all(value in (None, row[name]) for name, value in wanted.items()):
                yield row

    def law(self, id: str) -> Law:
        """Return one law whole, from its file; the first characters of its id are enough.

        Raises:
            PlannerError: no such law, several, or its file is damaged.
        """
        return self._whole(id, Law)

    def law_file(self, id: str) -> Path:
        """Return the file of a law: what `planner laws export` hands out and `import` takes."""
        return self._file(id, Law)

    def forecasts(self, *, domain: str | None = None) -> list[KeptForecastRow]:
        """Return published forecasts with intervals in place of draws, newest first."""
        with self._reader() as connection:
            if connection is None:
                return []
            from laws import index

            return index.forecasts(connection, domain)

    def forecast(self, id: str) -> KeptForecast:
        """Return one forecast whole, from its file; the first characters of its id are enough.

        Raises:
            PlannerError: no such forecast, several, or its file is damaged.
        """
        return self._whole(id, KeptForecast)

    def outcomes(self) -> list[Outcome]:
        """Return published outcomes in the order of their days, those that were replaced among them."""
        with self._reader() as connection:
            if connection is None:
                return []
            from laws import index

            return index.outcomes(connection)

    def outcome(self, id: str) -> Outcome:
        """Return one outcome, from its file; the first characters of its id are enough.

        Raises:
            PlannerError: no such outcome, several, or its file is damaged.
        """
        return self._whole(id, Outcome)

    def _whole(self, id: str, kind: type[R]) -> R:
        path = self._file(id, kind)
        try:
            return self._read(f"{_FOLDERS[kind]}/{path.name}", kind)
        except PlannerError as error:
            raise PlannerError(f"{error} (see `planner store check`)") from error

    def _file(self, id: str, kind: type) -> Path:
        """Return the file of the one record whose id begins so."""
        folder = self.folder / _FOLDERS[kind]
        found = (
            [path for path in folder.iterdir() if path.name.startswith(id)] if id and folder.is_dir() else []
        )
        whole = [path for path in found if path.stem == id]
        if not found:
            one, command = _CALLED[kind]
            raise PlannerError(f"no {one} {id!r} in {self.folder}: `{command}` shows them")
        if len(found) > 1 and not whole:
            raise PlannerError(f"{len(found)} {_FOLDERS[kind]} begin with {id!r}: write more of the id")
        return (whole or found)[0]

    def counts(self) -> dict[str, int]:
        """Return how many files of each kind are in the folder."""
        return {folder: sum(1 for _ in self._files(kind)) for kind, folder in _FOLDERS.items()}

    def _holds_records(self) -> bool:
        return any((self.folder / folder).is_dir() for folder in _FOLDERS.values())

    def _files(self, kind: type[Record]) -> Iterator[Stamp]:
        """Yield the stamp of every file of a kind; names that begin with a dot are unfinished."""
        folder = self.folder / _FOLDERS[kind]
        with os.scandir(folder) if folder.is_dir() else contextlib.nullcontext(()) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    with contextlib.suppress(FileNotFoundError):
                        status = entry.stat(follow_symlinks=False)
                        yield f"{folder.name}/{entry.name}", status.st_size, status.st_mtime_ns

    def _changed(self, connection: Any, kind: type[Record]) -> Iterator[list[Stamp]]:
        """Yield, some at a time, the files of a kind that an index does not know as they stand now."""
        from laws import index

        files = self._files(kind)
        while some := list(islice(files, _LISTED)):
            yield index.changed_files(connection, some)

    def _read(self, name: str, kind: type[R]) -> R:
        try:
            return records.decode((self.folder / name).read_bytes(), kind)
        except OSError as error:
            raise PlannerError(f"{self.folder / name}: {error.strerror}") from error
        except PlannerError as error:
            raise PlannerError(f"{self.folder / name}: {error}") from error

    def _write(self, record: Record, *, replace: bool) -> None:
        path = self.folder / _file_name(record)
        content = records.encode(record)
        records.check(content, type(record))  # what is acknowledged must also be readable
        with _explained(f"storing {path}"):
            if not path.parent.is_dir():
                path.parent.mkdir(parents=True, exist_ok=True)
                _sync_folder(self.folder)
                _sync_folder(self.folder.parent)
            self._replace(path, content, keep=not replace)
            _sync_folder(path.parent)

    def _replace(self, path: Path, content: bytes, *, keep: bool = False) -> None:
        """Write a file whole or not at all; `keep`: leave one that is there as it is."""
        temporary = path.with_name(f".{path.name}.{os.getpid()}-{time.monotonic_ns()}")
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if keep:
                # A link, unlike a rename, fails when the name is taken.
                with contextlib.suppress(FileExistsError):
                    path.hardlink_to(temporary)
            else:
                temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def _listed(self) -> list[dict[str, Any]] | None:
        """Return the published list of laws; None where there is none that this program can read."""
        try:
            content = json.loads(self._list.read_bytes())
            rows: list[dict[str, Any]] = content["laws"]
            known = content["format"] == _LIST and all(row.keys() == _ROW for row in rows)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return rows if known else None

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
            with _explained_database(f"writing the index of {self.folder}"):
                if version:
                    shutil.copyfile(self._index, copy)
                problems, rows = self._fill(copy)
                with copy.open("rb") as file:
                    os.fsync(file.fileno())
                # The list first: as long as the index is the older one, the next publish makes both anew.
                self._replace(self._list, _list_of(rows))
                copy.replace(self._index)
                _sync_folder(self.folder)
        finally:
            _remove_database(copy)
        return _lines(problems)

    def _published(self, question: Callable[[Any], T]) -> tuple[int, T | None]:
        """Return the schema of the published index (0: missing or damaged) and its answer, if it has one."""
        if not self._index.exists():
            return 0, None
        import duckdb

        from laws import index, schema

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
        from laws import index

        problems = index.unusable_files(connection)
        behind = self._gone(problems) or any(
            some for kind in _FOLDERS for some in self._changed(connection, kind)
        )
        return None if behind else problems

    def _gone(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if not os.path.lexists(self.folder / name)]

    def _fill(self, path: Path) -> tuple[dict[str, str], list[LawRow]]:
        """Read into a database every file that it does not hold as it stands now; return faults and laws."""
        from laws import index, schema

        with contextlib.closing(index.connect(path, read_only=False)) as connection:
            schema.migrate(connection)
            index.forget_files(connection, self._gone(index.unusable_files(connection)))
            for kind in _FOLDERS:
                for some in self._changed(connection, kind):
                    for start in range(0, len(some), _BATCH):
                        self._put(connection, kind, some[start : start + _BATCH])
            connection.execute("checkpoint")
            return index.unusable_files(connection), index.laws(connection)

    def _put(self, connection: Any, kind: type[R], files: list[Stamp]) -> None:
        from laws import index

        noted: list[tuple[str, int, int, str | None]] = []
        good: list[R] = []
        for name, size, modified in files:
            problem = None
            try:
                record = records.check((self.folder / name).read_bytes(), kind)
                if _file_name(record) != name:
                    raise PlannerError(f"holds {_file_name(record)}: give it that name")
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
        from laws import index

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
            for kind in _FOLDERS
            for name, size, modified in self._files(kind)
        )
        if late:
            return (*gone, f"{self._index.name}: {late} files are newer than it; {mend}")
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

    def _publish(self, *, wait: bool) -> tuple[str, ...]:
        begun = time.monotonic()
        with self.exclusive("index", wait=wait):
            problems = self._build(fresh=False)
        self._due = time.monotonic()
        self._cost = self._due - begun
        return problems

    @contextlib.contextmanager
    def _reader(self) -> Iterator[Any]:
        """Open the published index, made anew where it is missing or of an older schema; None: no records."""
        if not self._index.exists():
            if not self._holds_records():
                yield None
                return
            self.publish()
        import duckdb

        from laws import schema

        connection = self._open()
        version = schema.version(connection)
        if version < len(schema.STEPS):
            connection.close()
            self.publish()
            connection = self._open()
        try:
            if version > len(schema.STEPS):
                raise self._too_new(version)
            yield connection
        except duckdb.Error as error:
            raise self._unreadable() from error
        finally:
            connection.close()

    def _unreadable(self) -> PlannerError:
        return PlannerError(f"{self._index} cannot be read: `planner store rebuild` makes it anew")

    def _open(self) -> Any:
        import duckdb

        from laws import index

        try:
            connection = index.connect(self._index, read_only=True)
            # An index that somebody sent may hold a view in a table's place: it sees no other file.
            connection.execute("set enable_external_access = false")
            return connection
        except duckdb.Error as error:
            raise self._unreadable() from error

    def _too_new(self, version: int) -> PlannerError:
        from laws import schema

        return PlannerError(
            f"{self._index} is of schema {version}, wanted at most {len(schema.STEPS)}: update the program"
        )


def _file_name(record: Record) -> str:
    stem = f"{record.id}.{record.attempt}" if isinstance(record, Run) else record.id
    return f"{_FOLDERS[type(record)]}/{stem}.json"


def _lines(problems: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{name}: {problem}" for name, problem in sorted(problems.items()))


def _row(found: dict[str, Any]) -> LawRow:
    return LawRow(**{**found, "x_range": tuple(found["x_range"]), "warnings": tuple(found["warnings"])})


def _list_of(rows: list[LawRow]) -> bytes:
    return json.dumps({"format": _LIST, "laws": [dataclasses.asdict(row) for row in rows]}).encode()


@contextlib.contextmanager
def _explained(doing: str) -> Iterator[None]:
    """Turn what the disk refuses into one line."""
    try:
        yield
    except OSError as error:
        raise PlannerError(f"{doing} failed: {error.strerror or error}") from error


@contextlib.contextmanager
def _explained_database(doing: str) -> Iterator[None]:
    """Turn what the disk or the database refuses into one line."""
    import duckdb

    with _explained(doing):
        try:
            yield
        except duckdb.Error as error:
            raise PlannerError(f"{doing} failed: {str(error).splitlines()[0]}") from error


def _sync_folder(folder: Path) -> None:
    """Make a rename or a link in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove_database(path: Path) -> None:
    for suffix in ("", ".wal", ".tmp"):
        _remove(path.with_name(path.name + suffix))


def _remove(path: Path) -> None:
    """Remove a file, or the folder that DuckDB spills into."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
