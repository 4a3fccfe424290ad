"""Read a corpus from a tar or zip file.

Nothing outside a folder of the cache is written and nothing is executed. Messages name the archive and its
member, since the user never sees the folder of the cache.
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

from calibrate.data.decoding import reason
from calibrate.safe_names import check_levels, check_name
from calibrate.types import Corpus, ReportProgress
from laws.errors import CorpusError, PlannerError

MAX_EXPANSION = 200  # unpacked bytes over packed ones; text, images and sound stay far below
MIN_UNPACKED_LIMIT = 2**30  # bytes that any archive may unpack to
MAX_MEMBERS = 5_000_000  # ImageNet has 1.3 million

# Compressed tar files are recognized by name: to look into one is to unpack its beginning.
_SUFFIXES = frozenset({".tar", ".tgz", ".tbz2", ".txz", ".zip"})
_OTHER_COMPRESSIONS = {9: "deflate64", 93: "zstd", 95: "xz", 98: "PPMd"}
_READ_TOGETHER = 2**20  # bytes
_ENCRYPTED = 0x1  # flag of a zip member
_COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA})


def is_archive(source: Path) -> bool:
    """Return whether a regular file is an archive, by its content or by its name.

    Args:
        source: A path.

    Returns:
        True for a tar or zip file.
    """
    if not source.is_file():
        return False
    return bool(_SUFFIXES & {suffix.lower() for suffix in source.suffixes[-2:]}) or zipfile.is_zipfile(source)


def prepare_from(
    prepare: Callable[..., Corpus],
    *,
    cache: Path,
    source: Path,
    report: ReportProgress,
    **arguments: Any,
) -> Corpus:
    """Prepare the corpus that an archive holds, unpacked once into `cache`.

    Args:
        prepare: The `prepare` of a domain.
        cache: The folder of all prepared corpora.
        source: A tar or zip file.
        report: Takes what is being done, and the share of it that is done.
        arguments: Further arguments of `prepare`.

    Returns:
        The corpus; names in `skipped` are the archive's.

    Raises:
        PlannerError: As `unpacked` and `prepare` do, with the archive's names in the message.
    """
    folder = unpacked(source, cache)
    root = cache / folder.relative_to(cache).parts[0]

    def renamed(text: str) -> str:
        for path, top in ((folder.resolve(), root.resolve()), (folder, root)):
            text = re.sub(rf"{re.escape(str(path))}(?!/)", lambda _: str(source), text)
            text = text.replace(f"{top}/", f"{source}: ")
        return text

    def member(name: str) -> str:
        full = renamed(name)
        return full if full != name else renamed(str(folder / name))

    try:
        corpus = prepare(
            cache=cache,
            source=folder,
            report=lambda text, share: report(renamed(text), share),
            **arguments,
        )
    except PlannerError as error:
        error.message = renamed(error.message)
        error.args = (error.message,)
        raise
    return replace(corpus, skipped={member(name): renamed(why) for name, why in corpus.skipped.items()})


def unpacked(source: Path, cache: Path) -> Path:
    """Return the folder that a tar or zip file holds, unpacked once into `cache`.

    Args:
        source: A tar or zip file.
        cache: The folder of all prepared corpora.

    Returns:
        The folder; where the archive holds only one folder, that folder.

    Raises:
        CorpusError: It cannot be unpacked (code "archive-not-unpacked"): it is damaged, encrypted, larger
            than the limits above or than the free disk, or it names a file, a link or a device outside its
            folder. Nothing of it is kept then.
    """
    stamp = source.stat()
    key = f"{source.resolve()} {stamp.st_size} {stamp.st_mtime_ns}"
    folder = cache / f"unpacked-{hashlib.sha256(key.encode(errors='surrogateescape')).hexdigest()[:16]}"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="unpacking-") as temporary:
            making = Path(temporary) / "corpus"
            making.mkdir()
            try:
                _unpack(source, making)
            # decoders raise errors of a dozen types on damaged data; all mean the same
            except Exception as error:
                raise CorpusError(
                    f"{source} cannot be unpacked ({reason(error)})",
                    code="archive-not-unpacked",
                    value=str(source),
                    expected="a whole tar or zip file",
                ) from error
            try:
                making.rename(folder)
            except OSError:  # another process was faster with the same content
                if not folder.is_dir():
                    raise
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def _unpack(source: Path, folder: Path) -> None:
    limit = max(MIN_UNPACKED_LIMIT, MAX_EXPANSION * source.stat().st_size)
    if zipfile.is_zipfile(source):
        _unpack_zip(source, folder, limit)
    elif tarfile.is_tarfile(source):
        _unpack_tar(source, folder, limit)
    else:
        raise CorpusError("expected a folder, a tar or a zip file")


def _unpack_zip(source: Path, folder: Path, limit: int) -> None:
    with zipfile.ZipFile(source) as archive:
        total = 0
        for count, member in enumerate(archive.infolist(), 1):
            check_name(member.filename)
            if member.flag_bits & _ENCRYPTED:
                raise CorpusError(f"{member.filename!r} is encrypted: expected no password")
            if member.compress_type not in _COMPRESSIONS:
                method = _OTHER_COMPRESSIONS.get(member.compress_type, f"method {member.compress_type}")
                raise CorpusError(
                    f"{member.filename!r} is compressed by {method}: expected deflate, bzip2, LZMA or none"
                )
            total += member.file_size
            _check_total(count, total, limit, folder)
        archive.extractall(folder)  # noqa: S202 - every name was checked above


def _unpack_tar(source: Path, folder: Path, limit: int) -> None:
    if not hasattr(tarfile, "data_filter"):
        raise CorpusError("this Python has no safe way to unpack tar files: update it, or unpack by hand")
    with tarfile.open(source) as archive:
        count = total = 0
        # checked member by member: to reach the next header is to unpack what is before it
        for count, member in enumerate(archive, 1):
            check_levels(member.name)
            total += max(0, member.size)
            _check_total(count, total, limit, folder)
        archive.extractall(folder, filter="data")
        # gzip, bzip2 and xz compare their checksum at the end, which is after the last member
        rest = 0
        while archive.fileobj and (piece := archive.fileobj.read(_READ_TOGETHER)):
            rest += len(piece)
            _check_total(count, total + rest, limit, folder)


def _check_total(members: int, total: int, limit: int, folder: Path) -> None:
    """Refuse an archive whose members, so far, are more than fits."""
    if members > MAX_MEMBERS:
        raise CorpusError(f"it holds more than {MAX_MEMBERS:,} files: unpack it by hand")
    free = shutil.disk_usage(folder).free
    if total > free:
        raise CorpusError(f"it holds {total / 1e9:.3g} GB, and {free / 1e9:.3g} GB are free")
    if total > limit:
        raise CorpusError(
            f"it unpacks to more than {total / 1e9:.3g} GB, expected at most {limit / 1e9:.3g} GB: "
            "unpack it by hand if you trust it"
        )
