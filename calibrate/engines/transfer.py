"""Bring a prepared corpus to another machine: packed into chunks here, unpacked once there.

Only names, sizes and bytes travel; nothing in a corpus is executed or unpickled. A name that would lie
outside the folder is refused before anything is written.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from calibrate.safe_names import check_name
from laws.errors import CorpusError

CHUNK = 32 * 2**20  # bytes that are in memory at once


@dataclass(frozen=True)
class CorpusFile:
    """One file of a corpus."""

    name: str  # relative to the folder, with forward slashes
    size: int  # bytes
    modified: int  # ns


def list_files(folder: Path) -> tuple[CorpusFile, ...]:
    """Return the files of a folder, sorted by name."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            status = path.stat()
            name = path.relative_to(folder).as_posix()
            found.append(CorpusFile(name, status.st_size, status.st_mtime_ns))
    return tuple(found)


def pack(folder: Path, files: Iterable[CorpusFile], chunk: int = CHUNK) -> Iterator[bytes]:
    """Yield the bytes of the files behind each other, in pieces of `chunk` bytes at most.

    Raises CorpusError where a file is not as it was listed.
    """
    for listed in files:
        left = listed.size
        with (folder / listed.name).open("rb") as file:
            while left and (piece := file.read(min(chunk, left))):
                left -= len(piece)
                yield piece
        if left:
            raise CorpusError(f"{folder / listed.name} was cut short while it was sent: run again")


def find_corpus(corpus: Path, cache: Path, name: str, files: Iterable[CorpusFile]) -> Path | None:
    """Return where a corpus lies on this machine: in the folder of its maker, in the cache, or nowhere.

    The maker's folder counts when its files have the same sizes and times: it is the same disk.
    """
    wanted = tuple(files)
    if corpus.is_dir() and list_files(corpus) == wanted:
        return corpus
    received = _place(cache, name)
    return received if _holds(received, wanted) else None


def unpack(
    cache: Path, name: str, files: Iterable[CorpusFile], pieces: Callable[[], Iterable[bytes]]
) -> Path:
    """Write a corpus into the cache under `name` and return its folder; once, however many ask at a time.

    Raises CorpusError where a name lies outside the folder or the bytes are not those that were listed.
    """
    wanted = tuple(files)
    for file in wanted:
        check_name(file.name)
    place = _place(cache, name)
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f".{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _holds(place, wanted):
            return place
        with tempfile.TemporaryDirectory(dir=cache, prefix="receiving-") as temporary:
            making = Path(temporary) / "corpus"
            _write(making, wanted, iter(pieces()))
            shutil.rmtree(place, ignore_errors=True)
            making.rename(place)
    return place


def _write(folder: Path, files: tuple[CorpusFile, ...], pieces: Iterator[bytes]) -> None:
    folder.mkdir()
    for file in files:
        path = folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        left = file.size
        with path.open("xb") as out:
            while left:
                piece = next(pieces, b"")
                if not 0 < len(piece) <= left:
                    raise CorpusError(f"{file.name} did not arrive whole: run again")
                left -= out.write(piece)
        os.utime(path, ns=(file.modified, file.modified))
    if next(pieces, None) is not None:
        raise CorpusError("more bytes arrived than the corpus has")


def _place(cache: Path, name: str) -> Path:
    if not name.isalnum():
        raise CorpusError(f"{name!r} is no fingerprint of a corpus")
    return cache / f"received-{name}"


def _holds(folder: Path, files: tuple[CorpusFile, ...]) -> bool:
    found = [(file.name, file.size) for file in list_files(folder)]
    return folder.is_dir() and found == [(file.name, file.size) for file in files]
