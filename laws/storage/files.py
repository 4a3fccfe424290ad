"""The record files of a store: written whole and once, read, listed, found by id, locked.

A record is safe when `write` returns: temporary file, fsync, rename, fsync of the folder.
"""

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from laws.errors import PlannerError, StoreError
from laws.storage import records
from laws.types import Law, Outcome, Run, SavedForecast, Sweep

Record = records.Record
R = TypeVar("R", bound=Record)
# name, bytes, time of the last change in ns: a file with the same stamp is not read again
Stamp = tuple[str, int, int]

FOLDERS: dict[type, str] = {
    Run: "runs",
    Sweep: "sweeps",
    Law: "laws",
    SavedForecast: "forecasts",
    Outcome: "outcomes",
}
_CALLED: dict[type, tuple[str, str]] = {  # one of them, and the command that lists all
    Law: ("law", "planner laws list"),
    SavedForecast: ("forecast", "planner forecasts list"),
    Outcome: ("outcome", "planner outcome list"),
}


class StoreBusyError(StoreError):
    """Raised when another process holds a lock that was not to be waited for."""

    code = "store-busy"


class RecordFiles:
    """A folder of records; opening it reads nothing and creates nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, record: Record, *, replace: bool) -> None:
        """Write one record; `replace` says what happens to one of the same name: written over, or left."""
        path = self.folder / file_name(record)
        content = records.encode(record)
        records.validate(content, type(record))  # what is acknowledged must also be readable
        with disk_errors(f"storing {path}"):
            if not path.parent.is_dir():
                path.parent.mkdir(parents=True, exist_ok=True)
                sync_folder(self.folder)
                sync_folder(self.folder.parent)
            self.replace(path, content, keep=not replace)
            sync_folder(path.parent)

    def replace(self, path: Path, content: bytes, *, keep: bool = False) -> None:
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

    def read(self, name: str, kind: type[R]) -> R:
        """Return the record of a file; one that is missing or damaged is a PlannerError."""
        try:
            return records.decode((self.folder / name).read_bytes(), kind)
        except OSError as error:
            raise PlannerError(f"{self.folder / name}: {error.strerror}") from error
        except PlannerError as error:
            raise PlannerError(f"{self.folder / name}: {error}") from error

    def load(self, id: str, kind: type[R]) -> R:
        """Return the one record whose id begins so; none, several or a damaged file are a PlannerError."""
        path = self.path_of(id, kind)
        try:
            return self.read(f"{FOLDERS[kind]}/{path.name}", kind)
        except PlannerError as error:
            raise PlannerError(f"{error} (see `planner store check`)") from error

    def path_of(self, id: str, kind: type) -> Path:
        """Return the file of the one record whose id begins so."""
        folder = self.folder / FOLDERS[kind]
        found = (
            [path for path in folder.iterdir() if path.name.startswith(id)] if id and folder.is_dir() else []
        )
        whole = [path for path in found if path.stem == id]
        if not found:
            one, command = _CALLED[kind]
            raise PlannerError(f"no {one} {id!r} in {self.folder}: `{command}` shows them")
        if len(found) > 1 and not whole:
            raise PlannerError(f"{len(found)} {FOLDERS[kind]} begin with {id!r}: write more of the id")
        return (whole or found)[0]

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
        folder = self.folder / FOLDERS[Run]
        with os.scandir(folder) if folder.is_dir() else contextlib.nullcontext(()) as entries:
            for entry in entries:
                id, _, number = entry.name.removesuffix(".json").rpartition(".")
                if id in wanted and number.isdecimal():
                    found.setdefault(id, []).append(int(number))
        return {id: sorted(numbers) for id, numbers in found.items()}

    def _attempt(self, id: str, number: int) -> Run | None:
        try:
            run = self.read(f"{FOLDERS[Run]}/{id}.{number}.json", Run)
        except PlannerError:
            return None
        return run if (run.id, run.attempt) == (id, number) else None

    def stamps(self, kind: type[Record]) -> Iterator[Stamp]:
        """Yield the stamp of every file of a kind; names that begin with a dot are unfinished."""
        folder = self.folder / FOLDERS[kind]
        with os.scandir(folder) if folder.is_dir() else contextlib.nullcontext(()) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    with contextlib.suppress(FileNotFoundError):
                        status = entry.stat(follow_symlinks=False)
                        yield f"{folder.name}/{entry.name}", status.st_size, status.st_mtime_ns

    def exists(self) -> bool:
        """Return whether the folder is a store at all."""
        return any((self.folder / folder).is_dir() for folder in FOLDERS.values())

    def counts(self) -> dict[str, int]:
        """Return how many files of each kind are in the folder."""
        return {folder: sum(1 for _ in self.stamps(kind)) for kind, folder in FOLDERS.items()}

    @property
    def writable(self) -> bool:
        """Return whether the folder may be written: no mounted snapshot, not somebody else's."""
        return os.access(self.folder, os.W_OK)

    @contextlib.contextmanager
    def quiet(self, name: str) -> Iterator[None]:
        """Keep those who want the lock of this name waiting while files are read, as far as may be.

        In a folder that may not be written the lock is shared, and not held at all where it has no file.
        """
        if self.writable:
            with self.exclusive(name):
                yield
            return
        with contextlib.ExitStack() as held:
            with contextlib.suppress(OSError):
                file = held.enter_context((self.folder / "locks" / name).open("rb"))
                fcntl.flock(file, fcntl.LOCK_SH)
            yield

    @contextlib.contextmanager
    def exclusive(self, name: str, *, wait: bool = True) -> Iterator[None]:
        """Hold the store's lock of this name; the system frees it when the process ends, however it ends.

        A sweep holds `sweep-<id>` while it trains, so that two processes do not train the same.

        Raises:
            StoreBusyError: another holder, and `wait` is False.
        """
        path = self.folder / "locks" / name
        with disk_errors(f"locking {path}"):
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

    def leftovers(self) -> tuple[str, ...]:
        """Return the names of files that a write which was cut off left behind."""
        return tuple(
            str(path.relative_to(self.folder))
            for folder in FOLDERS.values()
            for path in sorted((self.folder / folder).glob(".*"))
        )


def file_name(record: Record) -> str:
    """Return where a record lies, from the store's folder."""
    stem = f"{record.id}.{record.attempt}" if isinstance(record, Run) else record.id
    return f"{FOLDERS[type(record)]}/{stem}.json"


@contextlib.contextmanager
def disk_errors(doing: str) -> Iterator[None]:
    """Turn what the disk refuses into one line."""
    try:
        yield
    except OSError as error:
        refused = error.errno in (errno.EROFS, errno.EACCES, errno.EPERM)
        mend = "; give --store a folder that may be written, such as a copy" if refused else ""
        raise PlannerError(f"{doing} failed: {error.strerror or error}{mend}") from error


def sync_folder(folder: Path) -> None:
    """Make a rename or a link in a folder last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
