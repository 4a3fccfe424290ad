"""Read TOML files that people write, such as fleets and plans, within bounds."""

import re
import tomllib
from pathlib import Path
from typing import Any

from laws.errors import FileError

MAX_BYTES = 1_000_000
MAX_KEY_PARTS = 30  # of a dotted key such as accelerators.h100.price: the parser's time grows with its square
MAX_DIGITS = 400  # of an integer; a float ends at 308

_DOTTED_KEY = re.compile(rf"^\s*\[*\s*(?:[^=\n#.]*\.){{{MAX_KEY_PARTS},}}[^=\n]*(?:=|\])", re.MULTILINE)
_LONG_INTEGER = re.compile(rf"(?<![\d.\"'])\d{{{MAX_DIGITS},}}")


def read_toml(path: Path, kind: str) -> tuple[dict[str, Any], bytes]:
    """Read a TOML file.

    Args:
        path: The file.
        kind: What the file is, for messages, such as "fleet file".

    Returns:
        The table, and the bytes of the file.

    Raises:
        FileError: The file cannot be read, is too large, or is not TOML.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # a NUL in a path is a ValueError
        reason = getattr(error, "strerror", None) or str(error)
        raise FileError(
            f"{kind} {path} cannot be read: {reason}", code="unreadable-file", value=str(path)
        ) from None
    if len(content) > MAX_BYTES:
        raise FileError(
            f"{kind} {path}: expected at most {MAX_BYTES:,} bytes", code="file-too-large", value=str(path)
        )
    try:
        text = content.decode()
        if _DOTTED_KEY.search(text):
            raise ValueError(f"a key has more than {MAX_KEY_PARTS} parts")
        if _LONG_INTEGER.search(text):
            raise ValueError(f"a number has more than {MAX_DIGITS} digits")
        return tomllib.loads(text), content
    except (ValueError, RecursionError) as error:  # TOML and UTF-8 errors are ValueErrors
        reason = (
            "it is nested too deeply" if isinstance(error, RecursionError) else " ".join(str(error).split())
        )
        raise FileError(
            f"{path} is not a TOML file: {reason}", code="invalid-toml", value=str(path)
        ) from None
