"""Make a corpus once: in a temporary folder, renamed to its final name when it is whole."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from calibrate.types import DAMAGED_CORPUS, Corpus
from laws.errors import CorpusError

DESCRIPTION = "corpus.json"
_SIZES = "files"  # in the description: file -> bytes


class Description(dict[str, Any]):
    """What is written down about a prepared corpus; a key that is missing means that it is damaged.

    Args:
        folder: The folder of the corpus.
        content: The entries.
    """

    def __init__(self, folder: Path, content: Mapping[str, Any]) -> None:
        super().__init__(content)
        self.folder = folder

    def __missing__(self, key: str) -> Any:
        """Raise CorpusError (code "damaged-corpus")."""
        raise damaged(self.folder, f"{DESCRIPTION} has no {key!r}")


def once(cache: Path, name: str, key: object, make: Callable[[Path], dict[str, Any]]) -> Corpus:
    """Return the corpus that `make` wrote; make it now if there is none with this key.

    Args:
        cache: The folder of all prepared corpora.
        name: The first part of the name of the corpus's folder.
        key: Everything that the content follows from; its `repr` names the folder.
        make: Writes the files into a folder and returns the description: "fingerprint", "available",
            "skipped", "notes" for the reader where there are any, and what the domain reads again.

    Returns:
        The prepared corpus.

    Raises:
        CorpusError: Its files are missing or were cut (code "damaged-corpus").
    """
    folder = cache / f"{name}-{hashlib.sha256(repr(key).encode()).hexdigest()[:16]}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="making-") as temporary:
            making = Path(temporary) / name
            making.mkdir()
            described = make(making)
            sizes = {path.name: path.stat().st_size for path in making.iterdir()}
            (making / DESCRIPTION).write_text(json.dumps(described | {_SIZES: sizes}), encoding="utf-8")
            try:
                making.rename(folder)
            except OSError:  # another process was first with the same content
                if not folder.is_dir():
                    raise
    content = description(folder)
    _check_sizes(folder, content.get(_SIZES, {}))
    return Corpus(
        folder=folder,
        fingerprint=content["fingerprint"],
        available=float(content["available"]),
        skipped=content["skipped"],
        notes=tuple(content.get("notes", ())),
    )


def _check_sizes(folder: Path, sizes: Mapping[str, int]) -> None:
    """Find damage before anything is trained: a run on a damaged corpus fails, and the corpus is at fault."""
    for name, size in sizes.items():
        path = folder / name
        if not path.is_file():
            raise damaged(folder, f"{name} is missing")
        if path.stat().st_size != size:
            raise damaged(folder, f"{name} has {path.stat().st_size:,} bytes, expected {size:,}")


def description(folder: Path) -> Description:
    """Return what is written down about a prepared corpus.

    Args:
        folder: The folder of the corpus.

    Returns:
        The description; to read a key that it lacks raises CorpusError, too.

    Raises:
        CorpusError: It is damaged (code "damaged-corpus").
    """
    path = folder / DESCRIPTION
    if not path.is_file():  # to open a FIFO would wait without end
        raise damaged(folder, f"there is no {DESCRIPTION}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise damaged(folder, error) from None
    if not isinstance(content, dict):
        raise damaged(folder, f"{DESCRIPTION} holds no JSON object")
    return Description(folder, content)


def first_left_out(source: Path, skipped: Mapping[str, str]) -> str:
    """Return a phrase that names the first file of a source that was left out, and says why.

    Args:
        source: The source, a file or a folder.
        skipped: Name below the source -> reason; not empty.

    Returns:
        The phrase.
    """
    name, why = next(iter(skipped.items()))
    return f"the first is {(source.parent if source.is_file() else source) / name}: {why}"


def damaged(folder: Path, why: object) -> CorpusError:
    """Return the error for a prepared corpus that cannot be read, with what to do about it.

    Args:
        folder: The folder of the corpus.
        why: What is wrong with it.

    Returns:
        The error, with code "damaged-corpus".
    """
    return CorpusError(
        f"the prepared corpus in {folder} cannot be read ({why}): delete it and run again",
        code=DAMAGED_CORPUS,
        value=str(folder),
    )
