"""Decode files from elsewhere: how much memory all threads take together, and what decoders print."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from laws.errors import harmless

# Lines that mpg123 (MP3) and libtiff write to the process's stderr, past Python.
_NOTES = re.compile(
    rb"(?:Note: |Warning: |\[src/libmpg123"
    rb"|_?(?:TIFF|JPEG|LZW|ZIP|Fax|PixarLog|LogL|Thunder|NeXT|WebP|ZSTD|LERC|LZMA|Dump|CCITT)\w*: )[^\n]*\n"
)


class SharedLimit:
    """An amount that threads use together: one that needs more than is left waits for the others.

    Args:
        amount: The most that is in use at a time.
    """

    def __init__(self, amount: int) -> None:
        self.amount = self._left = amount
        self._changed = Condition()

    @contextmanager
    def reserve(self, amount: int) -> Iterator[None]:
        """Use an amount until the context ends.

        Args:
            amount: At most `self.amount`; a larger one would wait forever.

        Yields:
            None, once the amount is free.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._left >= amount)
            self._left -= amount
        try:
            yield
        finally:
            with self._changed:
                self._left += amount
                self._changed.notify_all()


@contextmanager
def quiet_decoders() -> Iterator[None]:
    """Keep the notes of decoders off the screen, which they write past Python to file descriptor 2.

    What others write there meanwhile appears when the context ends.
    """
    try:
        kept = os.dup(2)
    except OSError:  # closed: there is no screen
        yield
        return
    with os.fdopen(kept, "wb") as screen, tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            written.seek(0)
            screen.write(_NOTES.sub(b"", written.read()))


def return_memory() -> None:
    """Return freed memory to the system, which glibc keeps for every thread that ever used it."""
    import ctypes

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # other C libraries have no such function
    if trim:
        trim(0)


def reason(error: object) -> str:
    """Return what an error of a decoder says, in one line.

    Args:
        error: An exception, or the text of one.

    Returns:
        The text without control characters; the name of its type where it is empty.
    """
    return harmless(" ".join(str(error).split())) or type(error).__name__
