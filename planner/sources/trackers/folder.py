"""Walk a folder of unknown origin: no link is followed, and every file read has a size limit."""

import os
from collections.abc import Iterator
from pathlib import Path

from planner.sources.trackers.runs import refuse_too_many

MAX_FILES = 500_000
MAX_LEVELS = 12
MAX_TEXT_BYTES = 2**26


def walk(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Yield every folder below a folder and the names of its files, sorted.

    Args:
        root: A folder; it may be a link itself.

    Yields:
        The folder and its file names, without links and without what is not a plain file.

    Raises:
        FileError: There are more than `MAX_FILES` files.
    """
    count = 0
    top = len(root.parts)
    for name, folders, files in os.walk(root, followlinks=False):
        folder = Path(name)
        folders[:] = sorted(f for f in folders if not (folder / f).is_symlink())
        if len(folder.parts) - top >= MAX_LEVELS:
            folders.clear()
        count += len(files)
        refuse_too_many(count, MAX_FILES, "files")
        yield folder, [f for f in sorted(files) if is_plain(folder / f)]


def is_plain(path: Path) -> bool:
    """Return whether a path is a file, neither a link nor a device.

    Args:
        path: The path.

    Returns:
        True for a plain file.
    """
    return path.is_file() and not path.is_symlink()


def read_text(path: Path, limit: int = MAX_TEXT_BYTES) -> str | None:
    """Return the text of a file; None where it cannot be read or is longer than `limit` bytes.

    Args:
        path: The file.
        limit: Largest size, in bytes.

    Returns:
        The text, decoded as UTF-8; bytes that are not are replaced.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError:
        return None
    return data.decode("utf-8", "replace") if len(data) <= limit else None
