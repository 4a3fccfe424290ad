"""The record files of a store: written whole and once, read, listed, looked up by id, locked.

A record is safe when `write` returns: temporary file, fsync, rename, fsync of the folder.
"""

import contextlib
import errno
import fcntl
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from laws.errors import FileError, Hint, StoreError, run, use
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


class _Listing(NamedTuple):
    """What one record of a kind is called, and the command that lists all."""

    noun: str
    command: tuple[str, ...]


_LISTINGS: dict[type, _Listing] = {
    Law: _Listing("law", ("laws", "list")),
    SavedForecast: _Listing("forecast", ("forecasts", "list")),
    Outcome: _Listing("outcome", ("outcome", "list")),
}
_NO_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EMLINK, errno.EINVAL)
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL)
_CHECK = run("store", "check", purpose="to see every file that cannot be used")


class StoreBusyError(StoreError):
    """Raised when another process has a lock and the caller does not want to wait."""

    code = "store-busy"


class RecordFiles:
    """A folder of records; opening it reads nothing and creates nothing."""

    def __init__(self, folder: Path) -> None:
        """Remember the folder of the store."""
        self.folder = folder

    def write(self, record: Record, *, replace: bool, sequence: int | None = None) -> None:
        """Write one record.

        Args:
            record: The record.
            replace: Replace a record of the same name; otherwise it stays as it is.
            sequence: The place of the record in the order of the store; runs have none.

        Raises:
            InputError: The record holds a value that cannot be stored.
            StoreError: The disk is full or may not be written.
        """
        path = self.folder / file_name(record)
        content = records.encode(record, sequence=sequence)
        records.validate(content, type(record))  # what is acknowledged must also be readable
        with disk_errors(path, "write"):
            if not path.parent.is_dir():
                path.parent.mkdir(parents=True, exist_ok=True)
                sync_folder(self.folder)
                sync_folder(self.folder.parent)
            self.replace(path, content, keep=not replace)
            sync_folder(path.parent)

    def replace(self, path: Path, content: bytes, *, keep: bool = False) -> None:
        """Write a file whole or not at all.

        Args:
            path: The file.
            content: Its new content.
            keep: Leave a file of that name as it is.
        """
        temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
        try:
            with temporary.open("xb") as file:  # exclusive: never through a link that someone put there
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if keep:
                self._link(temporary, path)
            else:
                temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

    def _link(self, temporary: Path, path: Path) -> None:
        """Give a file its name unless the name is taken.

        A link, unlike a rename, fails when the name is taken. A file system without hard links (exFAT, some
        network mounts) gets a rename under a lock.
        """
        try:
            path.hardlink_to(temporary)
        except FileExistsError:
            return
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            with self.exclusive("names"):
                if not os.path.lexists(path):
                    temporary.replace(path)

    def read(self, name: str, kind: type[R]) -> R:
        """Return the record of a file.

        Args:
            name: The file's name within the store.
            kind: The class of the record.

        Returns:
            The record.

        Raises:
            FileError: The file is missing, damaged or not a regular file.
        """
        try:
            return records.decode(read_regular(self.folder / name), kind)
        except OSError as error:
            raise FileError(f"{self.folder / name}: {error.strerror}", code="unreadable-file") from error
        except FileError as error:
            raise FileError(f"{self.folder / name}: {error.message}", code=error.code) from error

    def load(self, id: str, kind: type[R]) -> R:
        """Return the one record whose id begins with `id`.

        Args:
            id: The id, or its first characters.
            kind: The class of the record.

        Returns:
            The record; one whose id is exactly `id` has precedence.

        Raises:
            StoreError: No record or several begin with it.
            FileError: Its file is damaged.
        """
        path = self.path_of(id, kind)
        try:
            return self.read(f"{FOLDERS[kind]}/{path.name}", kind)
        except FileError as error:
            raise FileError(error.message, code=error.code, hint=_CHECK) from error

    def path_of(self, id: str, kind: type) -> Path:
        """Return the file of the one record whose id begins with `id`.

        Args:
            id: The id, or its first characters.
            kind: The class of the record.

        Returns:
            The path; a record whose id is exactly `id` has precedence.

        Raises:
            StoreError: No record or several begin with it.
        """
        folder = self.folder / FOLDERS[kind]
        matches = (
            [path for path in folder.iterdir() if path.name.startswith(id)] if id and folder.is_dir() else []
        )
        exact = [path for path in matches if path.stem == id]
        if not matches:
            noun, command = _LISTINGS[kind]
            raise StoreError(
                f"no {noun} {id!r} in {self.folder}",
                code="record-not-found",
                value=id,
                hint=run(*command, purpose="to see all"),
            )
        if len(matches) > 1 and not exact:
            raise StoreError(
                f"{id!r} matches {len(matches)} {FOLDERS[kind]}: expected more characters of the id",
                code="ambiguous-id",
                value=id,
                expected=f"more characters, such as {matches[0].stem}",
            )
        return (exact or matches)[0]

    def sequence_of(self, record: Record) -> int | None:
        """Return the sequence number that the file of a record has.

        Args:
            record: The record; its kind and name say which file.

        Returns:
            The number, or None if the file is missing or damaged.
        """
        try:
            return records.sequence_of(read_regular(self.folder / file_name(record)), type(record))
        except (OSError, FileError):
            return None

    def attempts(self, ids: Iterable[str]) -> dict[str, tuple[Run, ...]]:
        """Return every attempt on record of some runs, read from the files themselves.

        Args:
            ids: The ids of the runs.

        Returns:
            The attempts by id, oldest first, those that are not published yet among them. A file that cannot
            be used counts as no attempt; `check` names it.
        """
        attempts: dict[str, tuple[Run, ...]] = {}
        for id, numbers in self._attempts(ids).items():
            readable = (self._attempt(id, number) for number in numbers)
            if runs := tuple(run for run in readable if run):
                attempts[id] = runs
        return attempts

    def last_attempts(self, ids: Iterable[str]) -> Iterator[tuple[str, int, Run | None]]:
        """Yield id, highest number and last usable record of each of these runs that has an attempt.

        A sweep asks this before it continues, one record at a time; read from the files themselves.

        Args:
            ids: The ids of the runs.

        Yields:
            Id, number of the last attempt, and last usable record or None.
        """
        for id, numbers in self._attempts(ids).items():
            readable = (self._attempt(id, number) for number in reversed(numbers))
            yield id, numbers[-1], next((run for run in readable if run), None)

    def _attempts(self, ids: Iterable[str]) -> dict[str, list[int]]:
        """Return the numbers of the attempts that have a file, ascending, by id."""
        requested = set(ids)
        numbers: dict[str, list[int]] = {}
        folder = self.folder / FOLDERS[Run]
        with os.scandir(folder) if folder.is_dir() else contextlib.nullcontext(()) as entries:
            for entry in entries:
                id, _, number = entry.name.removesuffix(".json").rpartition(".")
                if id in requested and number.isdecimal():
                    numbers.setdefault(id, []).append(int(number))
        return {id: sorted(attempts) for id, attempts in numbers.items()}

    def _attempt(self, id: str, number: int) -> Run | None:
        try:
            run = self.read(f"{FOLDERS[Run]}/{id}.{number}.json", Run)
        except FileError:
            return None
        return run if (run.id, run.attempt) == (id, number) else None

    def stamps(self, kind: type[Record]) -> Iterator[Stamp]:
        """Yield the stamp of every file of a kind; names that begin with a dot are unfinished.

        Args:
            kind: The class of the records.

        Yields:
            Name within the store, bytes and time of the last change (ns), in any order.
        """
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
        """Return whether the folder may be written: not a mounted snapshot or someone else's folder."""
        return os.access(self.folder, os.W_OK)

    @contextlib.contextmanager
    def quiet(self, name: str) -> Iterator[None]:
        """Keep others from taking the lock of this name while files are read, as far as possible.

        In a folder that may not be written the lock is shared, and not taken at all if it has no file.

        Args:
            name: The name of the lock.

        Raises:
            StoreError: The folder may be written, and its file system has no locks.
        """
        if self.writable:
            with self.exclusive(name):
                yield
            return
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):
                descriptor = os.open(
                    self.folder / "locks" / name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW
                )
                stack.callback(os.close, descriptor)
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield

    @contextlib.contextmanager
    def exclusive(self, name: str, *, wait: bool = True) -> Iterator[None]:
        """Hold the store's lock of this name; the system frees it when the process ends, however it ends.

        A sweep holds `sweep-<id>` while it trains, so that two processes do not train the same.

        Args:
            name: The name of the lock.
            wait: Wait while another process has it.

        Raises:
            StoreBusyError: Another process has the lock, and `wait` is False.
            StoreError: The file system has no locks, or may not be written.
        """
        path = self.folder / "locks" / name
        with disk_errors(path, "lock"):
            path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(path, flags, 0o666)
        try:
            try:
                _lock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB), path)
            except BlockingIOError:
                raise StoreBusyError(
                    f"{self.folder} is busy: another process works on {name}", value=name
                ) from None
            yield
        finally:
            os.close(descriptor)

    def is_locked(self, name: str) -> bool:
        """Return whether a process holds a lock now; create nothing.

        Args:
            name: The name of the lock.

        Returns:
            False too where the lock cannot be looked at.
        """
        try:
            descriptor = os.open(self.folder / "locks" / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            os.close(descriptor)
        return False

    def check_writable(self) -> None:
        """Check that records can be written and locked, before work is done for them; create nothing.

        Raises:
            StoreError: The folder may not be written, or its file system has no file locks.
        """
        import tempfile  # only a command that writes a store needs it

        folder = self.folder
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        with disk_errors(folder, "write"), tempfile.TemporaryFile(dir=folder) as file:
            _lock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB, folder)

    def leftovers(self) -> tuple[str, ...]:
        """Return the names of files that an interrupted write left behind."""
        return tuple(
            str(path.relative_to(self.folder))
            for folder in FOLDERS.values()
            for path in sorted((self.folder / folder).glob(".*"))
        )


def _lock(descriptor: int, operation: int, path: Path) -> None:
    """Take a lock of the system; BlockingIOError passes through."""
    try:
        fcntl.flock(descriptor, operation)
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise StoreError(f"cannot lock {path}: {error.strerror}", code="unwritable-store") from error
        raise StoreError(
            f"cannot lock {path}: its file system has no file locks (flock)",
            code="no-file-locks",
            value=str(path),
            hint=use("store", value="FOLDER", purpose="to name a folder on a local disk"),
        ) from error


def file_name(record: Record) -> str:
    """Return the name of a record's file within the store.

    Args:
        record: The record.

    Returns:
        Folder and file name: "runs/ID.ATTEMPT.json" for a run, "laws/ID.json" for a law.
    """
    stem = f"{record.id}.{record.attempt}" if isinstance(record, Run) else record.id
    return f"{FOLDERS[type(record)]}/{stem}.json"


def read_regular(path: Path, *, max_bytes: int = records.MAX_RECORD_BYTES) -> bytes:
    """Return the content of a regular file; a pipe or a device, which could wait or go on forever, is
    refused.

    Args:
        path: The file.
        max_bytes: A larger file is refused before it is read.

    Returns:
        The content.

    Raises:
        OSError: The file cannot be read.
        FileError: It is not a regular file, or too large.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        if not stat.S_ISREG(status.st_mode):
            raise FileError("expected a regular file, got a pipe or a device", code="not-a-file")
        if status.st_size > max_bytes:
            raise FileError(
                f"{status.st_size} bytes: expected at most {max_bytes}",
                code="file-too-large",
                value=status.st_size,
            )
        return file.read()


@contextlib.contextmanager
def disk_errors(path: Path, action: str) -> Iterator[None]:
    """Turn an error of the disk into a StoreError.

    Args:
        path: The file or folder that is written or read.
        action: What is done to it, such as "write".

    Raises:
        StoreError: The block raised an OSError.
    """
    try:
        yield
    except OSError as error:
        refused = error.errno in (errno.EROFS, errno.EACCES, errno.EPERM)
        hint: tuple[Hint, ...] = ()
        if refused:
            hint = (
                use("store", value="FOLDER", purpose="to name a folder that may be written, such as a copy"),
            )
        raise StoreError(
            f"cannot {action} {path}: {error.strerror or error}",
            code="unwritable-store",
            value=str(path),
            hint=hint,
        ) from error


def sync_folder(folder: Path) -> None:
    """Make a rename or a link in a folder last; some network file systems cannot, and need not.

    Args:
        folder: The folder.

    Raises:
        OSError: The folder cannot be opened, or its disk has an error.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP):
            raise
    finally:
        os.close(descriptor)
