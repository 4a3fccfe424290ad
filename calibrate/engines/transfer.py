"""Copy a prepared corpus to another machine: packed into chunks here, unpacked once there.

Only names, sizes and bytes are sent; nothing in a corpus is executed or unpickled. A name that points outside
the folder is refused before anything is written.
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

MAX_CHUNK_BYTES = 32 * 2**20  # in memory at once


@dataclass(frozen=True)
class CorpusFile:
    """One file of a corpus."""

    name: str  # relative to the folder, with forward slashes
    size: int  # bytes
    modified: int  # ns


def list_files(folder: Path) -> tuple[CorpusFile, ...]:
    """Return the files of a folder, sorted by name.

    Args:
        folder: A folder; its subfolders are searched, too.

    Returns:
        Name, size and modification time of each file; empty where the folder does not exist.
    """
    files = []
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            status = path.stat()
            name = path.relative_to(folder).as_posix()
            files.append(CorpusFile(name, status.st_size, status.st_mtime_ns))
    return tuple(files)


def pack(folder: Path, files: Iterable[CorpusFile], chunk: int = MAX_CHUNK_BYTES) -> Iterator[bytes]:
    """Yield the bytes of files one after the other.

    Args:
        folder: The corpus.
        files: Its files, as listed.
        chunk: The most bytes per piece.

    Yields:
        Pieces; none contains bytes of two files.

    Raises:
        CorpusError: A file is shorter than listed ("corpus-changed").
    """
    for listed in files:
        left = listed.size
        with (folder / listed.name).open("rb") as file:
            while left and (piece := file.read(min(chunk, left))):
                left -= len(piece)
                yield piece
        if left:
            raise CorpusError(
                f"{folder / listed.name} changed while it was sent: expected {listed.size} bytes",
                code="corpus-changed",
            )


def find_corpus(corpus: Path, cache: Path, name: str, files: Iterable[CorpusFile]) -> Path | None:
    """Return the folder of a corpus on this machine.

    Args:
        corpus: Its folder on the machine that made it; it counts if sizes and times agree, as on a shared
            disk.
        cache: The cache of received corpora.
        name: The fingerprint of the corpus.
        files: Its files.

    Returns:
        The folder, or None if the corpus is not on this machine.
    """
    expected = tuple(files)
    if corpus.is_dir() and list_files(corpus) == expected:
        return corpus
    received = _received_folder(cache, name)
    return received if _is_complete(received, expected) else None


def unpack(
    cache: Path, name: str, files: Iterable[CorpusFile], pieces: Callable[[], Iterable[bytes]]
) -> Path:
    """Write a corpus into the cache, once, also when several processes do it at a time.

    Args:
        cache: The cache of received corpora.
        name: The fingerprint of the corpus.
        files: Its files.
        pieces: Returns their bytes, as `pack` yields them.

    Returns:
        The folder of the corpus.

    Raises:
        CorpusError: A name points outside the folder, or the bytes are not those of the files
            ("corpus-incomplete").
    """
    expected = tuple(files)
    for file in expected:
        check_name(file.name)
    folder = _received_folder(cache, name)
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_complete(folder, expected):
            return folder
        with tempfile.TemporaryDirectory(dir=cache, prefix="receiving-") as temporary:
            making = Path(temporary) / "corpus"
            _write(making, expected, iter(pieces()))
            shutil.rmtree(folder, ignore_errors=True)
            making.rename(folder)
    return folder


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
                    raise CorpusError(
                        f"{file.name} did not arrive whole: expected {file.size} bytes",
                        code="corpus-incomplete",
                    )
                left -= out.write(piece)
        os.utime(path, ns=(file.modified, file.modified))
    if next(pieces, None) is not None:
        raise CorpusError("more bytes arrived than the corpus has", code="corpus-incomplete")


def _received_folder(cache: Path, name: str) -> Path:
    if not name.isalnum():
        raise CorpusError(
            f"fingerprint {name!r}: expected letters and digits", code="invalid-fingerprint", value=name
        )
    return cache / f"received-{name}"


def _is_complete(folder: Path, files: tuple[CorpusFile, ...]) -> bool:
    present = [(file.name, file.size) for file in list_files(folder)]
    return folder.is_dir() and present == [(file.name, file.size) for file in files]
