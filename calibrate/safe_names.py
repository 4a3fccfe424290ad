"""Names of files that come from elsewhere: none may lie outside the folder it is joined to."""

from pathlib import PurePosixPath

from laws.errors import CorpusError


def check_name(name: str) -> None:
    """Raise CorpusError for a name that does not stay inside a folder it is joined to."""
    path = PurePosixPath(name)
    if not path.parts or "\0" in name or "\\" in name or path.is_absolute() or ".." in path.parts:
        raise CorpusError(f"it names a file outside its folder: {name!r}")
