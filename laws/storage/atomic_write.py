"""Write a file whole or not at all, so that no reader ever opens half of it."""

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path


def write_atomically(out: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file next to `out` and rename it to `out`; a device or a pipe is written to as it
    is.

    The file is made in a folder of its own, with a random name, that only this user may enter: in a folder
    that others may write to, nothing that they put there is followed or overwritten. A link of the user's own
    is followed, one of someone else's is refused. A file that is replaced keeps its permissions.

    Args:
        out: The file to write.
        write: Writes the content to the path that it is given.

    Raises:
        OSError: The system refuses; `strerror` says what.
    """
    target = _target(out)
    if target.exists() and not target.is_file():
        write(target)
        return
    workspace = Path(tempfile.mkdtemp(prefix=f".{target.name[:50]}.", dir=target.parent))
    try:
        part = workspace / target.name  # the same ending: writers choose the format by it
        part.touch()  # an error of the folder is reported in the few words of the system
        write(part)
        if target.exists():
            part.chmod(stat.S_IMODE(target.stat().st_mode))
        part.replace(target)
    finally:
        shutil.rmtree(workspace, ignore_errors=True)


def _target(out: Path) -> Path:
    """Return the file that a name stands for; refuse links that another user made."""
    path = out.absolute()
    if path.is_symlink():  # what it names is replaced, not the link
        owner = path.lstat().st_uid
        if owner not in (os.geteuid(), 0, path.parent.stat().st_uid):
            raise OSError(errno.ELOOP, "a link of another user", str(out))
    return Path(os.path.realpath(path))
