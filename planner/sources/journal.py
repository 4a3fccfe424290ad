"""Keep finished parts of a long computation in a file, so that the same command continues after it was stopped.

One JSON line per part, with a hash: a line that was cut off, edited or written by another program is ignored. The file
must be a regular one of this user, and no link to it is followed.
"""

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

from laws.storage.atomic_write import open_exclusive


def create(journal: Path) -> None:
    """Create a journal, or continue the one that is there.

    Args:
        journal: The file.

    Raises:
        OSError: The name is a link, a pipe, a device or someone else's file, or the system refuses.
    """
    os.close(open_exclusive(journal))


def finished_parts(journal: Path) -> dict[str, Any]:
    """Return what was finished before.

    Args:
        journal: A file that `create` made or found.

    Returns:
        The value of each part by its key.
    """
    with os.fdopen(open_exclusive(journal), encoding="utf-8", errors="replace") as file:
        file.seek(0)
        parts = {}
        for line in file:
            try:
                entry = json.loads(line)
                key, value, digest = entry["key"], entry["value"], entry["sha256"]
            except (ValueError, KeyError, TypeError, RecursionError):
                continue
            if digest == _digest(key, value):
                parts[key] = value
        return parts


def add(journal: Path, key: str, value: Any) -> None:
    """Append one finished part.

    Args:
        journal: A file that `create` made or found.
        key: The name of the part.
        value: Its result, plain JSON.
    """
    entry = {"key": key, "value": value, "sha256": _digest(key, value)}
    with os.fdopen(open_exclusive(journal), "a", encoding="utf-8") as file:
        file.write("\n" + json.dumps(entry) + "\n")  # the newline in front ends a line that was cut off


def remove(journal: Path) -> None:
    """Delete a journal whose parts are no longer needed.

    Args:
        journal: The file.
    """
    if stat.S_ISREG(journal.lstat().st_mode):
        journal.unlink()


def _digest(key: str, value: Any) -> str:
    return hashlib.sha256(json.dumps([key, value]).encode()).hexdigest()[:16]
