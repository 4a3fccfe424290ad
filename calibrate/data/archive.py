"""Read a corpus out of an archive that somebody sent.

Nothing outside a folder of the cache is written, nothing is executed, and whatever is said of a file names
the archive and its member: nobody has seen the folder.
"""

import hashlib
import re
import shutil
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from calibrate.safe_names import check_name
from calibrate.types import Corpus, ReportProgress
from laws.errors import CorpusError, PlannerError

# compressed tar files are told by their names: to look into one is to unpack its beginning
_NAMES = frozenset({".tar", ".tgz", ".tbz2", ".txz", ".zip"})


def is_archive(source: Path) -> bool:
    """Return whether a file is an archive, by its content or by what its name says of it."""
    if not source.is_file():
        return False
    return bool(_NAMES & {suffix.lower() for suffix in source.suffixes[-2:]}) or zipfile.is_zipfile(source)


def prepare_from(
    prepare: Callable[..., Corpus],
    *,
    cache: Path,
    source: Path,
    report: ReportProgress,
    **asked: Any,
) -> Corpus:
    """Return the corpus that a domain's `prepare` makes of a tar or zip file, unpacked once into `cache`.

    The other arguments are handed on. Raises PlannerError as `unpacked` and `prepare` do.
    """
    folder = unpacked(source, cache)
    root = cache / folder.relative_to(cache).parts[0]

    def named(text: str) -> str:
        for place, top in ((folder.resolve(), root.resolve()), (folder, root)):
            text = re.sub(rf"{re.escape(str(place))}(?!/)", lambda _: str(source), text)
            text = text.replace(f"{top}/", f"{source}: ")
        return text

    def member(name: str) -> str:
        full = named(name)
        return full if full != name else named(str(folder / name))

    try:
        corpus = prepare(
            cache=cache,
            source=folder,
            report=lambda text, share: report(named(text), share),
            **asked,
        )
    except PlannerError as error:
        raise PlannerError(named(str(error))) from error
    return replace(corpus, skipped={member(name): named(why) for name, why in corpus.skipped.items()})


def unpacked(source: Path, cache: Path) -> Path:
    """Return the folder that a tar or zip file holds, unpacked once into `cache`.

    Raises PlannerError where it is neither, is damaged, does not fit on the disk, or names a file, a link or
    a device outside its folder; nothing of it is kept then.
    """
    stamp = source.stat()
    asked = f"{source.resolve()} {stamp.st_size} {stamp.st_mtime_ns}"
    folder = cache / f"unpacked-{hashlib.sha256(asked.encode()).hexdigest()[:16]}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="unpacking-") as temporary:
            making = Path(temporary) / "corpus"
            making.mkdir()
            try:
                _unpack(source, making)
            except (tarfile.TarError, zipfile.BadZipFile, CorpusError, OSError, EOFError) as error:
                raise PlannerError(f"--data {source}: cannot be unpacked ({error})") from error
            try:
                making.rename(folder)
            except OSError:  # another process was faster with the same content
                if not folder.is_dir():
                    raise
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def _unpack(source: Path, folder: Path) -> None:
    if zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            for member in archive.infolist():
                check_name(member.filename)
            _check_room(sum(member.file_size for member in archive.infolist()), folder)
            archive.extractall(folder)  # noqa: S202 - every name was checked above
    elif tarfile.is_tarfile(source):
        if not hasattr(tarfile, "data_filter"):
            raise CorpusError("this Python has no safe way to unpack tar files: update it, or unpack by hand")
        with tarfile.open(source) as archive:
            _check_room(sum(member.size for member in archive), folder)
            archive.extractall(folder, filter="data")
    else:
        raise CorpusError("wanted a folder, a tar or a zip file")


def _check_room(needed: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise CorpusError(f"it holds {needed / 1e9:.3g} GB, and {free / 1e9:.3g} GB are free")
