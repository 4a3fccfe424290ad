"""The files of a corpus: regular files only, and folders that cannot be read are reported.

To open a FIFO or a device can wait without end, so nothing here returns one.
"""

import os
import stat
from collections.abc import Container
from pathlib import Path

from laws.errors import CorpusError, use


def check_source(source: Path, expected: str) -> None:
    """Check that a corpus is a regular file or a folder that can be read.

    Args:
        source: The path that was given.
        expected: What it should be, in words, for the message.

    Raises:
        CorpusError: There is nothing (code "corpus-not-found"), or it is a FIFO, a device or a socket (code
            "corpus-not-a-file").
    """
    try:
        mode = source.stat().st_mode
    except (OSError, ValueError) as error:
        raise CorpusError(
            f"corpus {source} does not exist or cannot be read ({getattr(error, 'strerror', error)}): "
            f"expected {expected}",
            code="corpus-not-found",
            value=str(source),
            hint=use("data", purpose="to name your corpus"),
        ) from None
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise CorpusError(
            f"corpus {source} is a FIFO, a device or a socket: expected {expected}",
            code="corpus-not-a-file",
            value=str(source),
        )


def files_below(
    root: Path,
    skipped: dict[str, str],
    *,
    suffixes: Container[str] | None = None,
    base: Path | None = None,
) -> list[Path]:
    """Return the regular files anywhere below a folder, sorted.

    Links to files are followed, links to folders are not.

    Args:
        root: The folder.
        skipped: Takes the folders that cannot be read, name -> reason.
        suffixes: Endings to keep, in lower case, such as ".txt"; None keeps every file.
        base: The folder that names in `skipped` are relative to; None leaves them whole.

    Returns:
        Paths that begin with `root`.
    """
    files: list[Path] = []
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    path = folder / entry.name
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(path)
                    elif (suffixes is None or path.suffix.lower() in suffixes) and path.is_file():
                        files.append(path)
        except OSError as error:
            name = str(folder.relative_to(base) if base else folder)
            skipped[name] = f"the folder cannot be read: {error.strerror}"
    return sorted(files)
