"""Names of files that come from elsewhere: none may lie outside the folder that it is joined to."""

from pathlib import Path, PurePosixPath

from laws.errors import CorpusError

MAX_LEVELS = 100  # folders inside folders; a thousand exhaust Python's stack when they are deleted


def check_name(name: str) -> None:
    """Check that a name stays inside a folder that it is joined to.

    Args:
        name: A relative path with `/` between its parts.

    Raises:
        CorpusError: It does not (code "name-outside"), or it is too deep (code "name-too-deep").
    """
    path = PurePosixPath(name)
    if not path.parts or "\0" in name or "\\" in name or path.is_absolute() or ".." in path.parts:
        raise CorpusError(f"it names a file outside its folder: {name!r}", code="name-outside", value=name)
    check_levels(name)


def check_levels(name: str) -> None:
    """Check that a name has at most MAX_LEVELS folders.

    Args:
        name: A path with `/` between its parts.

    Raises:
        CorpusError: It has more (code "name-too-deep").
    """
    levels = name.count("/")
    if levels > MAX_LEVELS:
        raise CorpusError(
            f"a name has {levels:,} folders inside each other: expected at most {MAX_LEVELS}",
            code="name-too-deep",
            value=levels,
        )


def is_file(path: Path) -> bool:
    """Return whether a path, whatever is written in it, names a regular file.

    Args:
        path: A path whose name may come from elsewhere.

    Returns:
        False also for names that no file can have: too long, a loop of links, half a surrogate pair.
    """
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def file_inside(folder: Path, name: str) -> Path | str:
    """Return the file that a name gives below a folder, or the reason why it cannot be used.

    Args:
        folder: A folder, resolved.
        name: A path from a file that someone else wrote; links are followed.

    Returns:
        The resolved path of a regular file, or a reason in words.
    """
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder):
            return f"{name!r} is outside {folder}"
        return path if path.is_file() else f"there is no file {name!r}"
    # a loop of links is a RuntimeError or OSError; a null byte or half a surrogate pair is a ValueError
    except (OSError, RuntimeError, ValueError):
        return f"{name!r} is not the name of a file"
