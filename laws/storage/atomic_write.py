"""Write a file whole or not at all, so that nobody meets half of it."""

import os
from collections.abc import Callable
from pathlib import Path


def write_atomically(out: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file beside `out` and move it there; a device or a pipe is written to as it is.

    Raises OSError, whose `strerror` says what the system refused.
    """
    place = Path(os.path.realpath(out))  # what a link names is replaced, not the link
    if place.exists() and not place.is_file():
        write(place)
        return
    part = place.with_name(f".{place.name}.{os.getpid()}")
    try:
        part.touch()  # what is wrong with the folder is said by the system, in its few words
        write(part)
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)
