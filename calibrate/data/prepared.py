"""Make a corpus once: in a folder beside its place, renamed into it when it is whole."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from calibrate.types import Corpus
from laws.errors import CorpusError

DESCRIPTION = "corpus.json"


def once(cache: Path, name: str, asked: object, make: Callable[[Path], dict[str, Any]]) -> Corpus:
    """Return the corpus that `make` wrote, made now if the same was never asked before.

    `asked` is everything that the content follows from: its text names the folder below `cache`.
    `make(folder)` writes the files and returns the description: "fingerprint", "available", "skipped",
    "notes" for the reader if there are any, and what the domain wants to know again.
    """
    folder = cache / f"{name}-{hashlib.sha256(repr(asked).encode()).hexdigest()[:16]}"
    if not (folder / DESCRIPTION).is_file():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="making-") as temporary:
            making = Path(temporary) / name
            making.mkdir()
            described = make(making)
            (making / DESCRIPTION).write_text(json.dumps(described), encoding="utf-8")
            try:
                making.rename(folder)
            except OSError:
                if not folder.is_dir():  # it is there where another process was first with the same content
                    raise
    found = description(folder)
    return Corpus(
        folder=folder,
        fingerprint=found["fingerprint"],
        available=float(found["available"]),
        skipped=found["skipped"],
        notes=tuple(found.get("notes", ())),
    )


def description(folder: Path) -> dict[str, Any]:
    """Return what is written down of a prepared corpus; raise CorpusError where it is damaged."""
    try:
        return dict(json.loads((folder / DESCRIPTION).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise damaged(folder, error) from None


def first_left_out(source: Path, skipped: Mapping[str, str]) -> str:
    """Name the first file of a source that was left out, with its folder, and say why."""
    name, reason = next(iter(skipped.items()))
    return f"the first is {(source.parent if source.is_file() else source) / name}: {reason}"


def damaged(folder: Path, why: object) -> CorpusError:
    """Return the error that says what to do about a corpus that cannot be read."""
    return CorpusError(f"the prepared corpus in {folder} cannot be read ({why}): delete it and run again")
