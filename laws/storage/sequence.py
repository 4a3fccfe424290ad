"""Number the records of a store, so that "newest" does not depend on the clock only.

A number is the time in microseconds, or one more than the last number where the clock did not move on or was
set back. So later records have larger numbers in one store, whatever its clock does, and numbers of several
stores can be compared when their records are copied together. The number is in the record's file
(`laws/storage/records.py`), so it survives a rebuild of the index; `STORE/sequence` has the last one and is
derived from the records where it is missing.
"""

import contextlib
import time
from collections.abc import Callable, Iterator

from laws.errors import FileError
from laws.storage.files import RecordFiles, disk_errors, read_regular, sync_folder

LOCK = "sequence"


class Sequence:
    """The numbers that a store gives to its records."""

    def __init__(self, files: RecordFiles, last_of_records: Callable[[], int]) -> None:
        """Read nothing yet.

        Args:
            files: The record files of the store.
            last_of_records: Returns the largest number of any record, for stores without a file of the last
                one.
        """
        self._files = files
        self._last_of_records = last_of_records
        self._path = files.folder / "sequence"

    def next(self) -> int:
        """Return a number that is larger than all that were given before; it is never given again."""
        with self.locked() as number:
            return number

    @contextlib.contextmanager
    def locked(self) -> Iterator[int]:
        """Provide the next number while no other process can take one.

        The number is on the disk before it is used: a process that is killed wastes a number and never reuses
        one.
        """
        # Asked before the lock is taken, because whoever publishes the index takes the lock inside of its
        # own.
        last = self._last()
        if last is None:
            last = self._last_of_records()
        with self._files.exclusive(LOCK):
            number = max(time.time_ns() // 1000, last + 1, (self._last() or 0) + 1)
            self._write(number)
            yield number

    def advance(self, number: int) -> None:
        """Let later numbers be larger than one that a record has.

        Args:
            number: The sequence number of the record.

        Raises:
            StoreError: The folder may not be written, or its file system has no locks.
        """
        if (self._last() or 0) >= number:
            return
        with self._files.exclusive(LOCK):
            if (self._last() or 0) < number:
                self._write(number)

    def _last(self) -> int | None:
        """Return the last number; None where no file says it, as in stores of older versions."""
        try:
            return int(read_regular(self._path, max_bytes=64))
        except (OSError, ValueError, FileError):
            return None

    def _write(self, number: int) -> None:
        with disk_errors(self._path, "write"):
            self._files.replace(self._path, b"%d\n" % number)
            sync_folder(self._files.folder)
