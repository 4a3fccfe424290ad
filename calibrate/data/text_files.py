"""Read text files: a file, a folder of them, or a glob; cut into passages that can be shuffled.

What cannot be used is left out and counted under the name of its file, with the lines, never silently.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from glob import has_magic
from pathlib import Path
from typing import BinaryIO

from calibrate.data.files import check_source, files_below
from laws.errors import CorpusError

PASSAGE = 1000  # bytes after which a passage ends with the line
SUFFIXES = (".txt", ".text")
MAX_NAMED_LINES = 3  # lines of a file that are named; the others are counted
MAX_LINE = 2**12  # bytes of a line that are read together: some texts are one line
MAX_UNREADABLE = 2**26  # bytes of a file that is mostly not text after which the rest is not read

_EXPECTED = "a text file, a folder of them or a glob"


@dataclass
class _Unreadable:
    """The lines of one file that are left out for one reason."""

    first: list[int] = field(default_factory=list)  # numbers from 1, the first few
    count: int = 0
    size: int = 0  # bytes

    def add(self, number: int, size: int) -> None:
        """Count a line, or a part of one."""
        self.count += 1
        self.size += size
        if len(self.first) < MAX_NAMED_LINES:
            self.first.append(number)

    def describe(self, why: str) -> str:
        """Return which lines these are and why they are left out."""
        named = ", ".join(map(str, self.first))
        more = f" and {self.count - MAX_NAMED_LINES:,} more" if self.count > MAX_NAMED_LINES else ""
        return f"line{'s' if self.count > 1 else ''} {named}{more}: {why}"


@dataclass(frozen=True)
class Passages(Sequence[str]):
    """Passages of text files, each read from its file when it is needed.

    Args:
        files: The files.
        spans: For each passage the index of its file, its first byte and its bytes.
    """

    files: tuple[Path, ...]
    spans: tuple[tuple[int, int, int], ...] = field(repr=False)

    def __len__(self) -> int:
        """Return the number of passages."""
        return len(self.spans)

    def __getitem__(self, index: int) -> str:  # type: ignore[override]  # no caller needs slices
        """Return a passage."""
        number, begin, length = self.spans[index]
        with self.files[number].open("rb") as file:
            file.seek(begin)
            return file.read(length).decode("utf-8")


def find_text_files(source: Path, skipped: dict[str, str]) -> tuple[Path, ...]:
    """Return the text files that a file, a folder or a glob names, sorted.

    Args:
        source: A file; a folder, for the files anywhere below it that end in .txt or .text; or a glob.
        skipped: Takes the folders that cannot be read, name -> reason.

    Returns:
        At least one file.

    Raises:
        CorpusError: There is none (codes "corpus-not-found", "corpus-not-a-file", "corpus-without-files"),
            or the glob is not one (code "invalid-glob").
    """
    # a name may hold [ or *: it is a glob only where no file is called that
    if has_magic(str(source)) and not os.path.lexists(source):
        files, expected = _globbed(source), "a glob that matches at least one file"
    else:
        check_source(source, _EXPECTED)
        if source.is_file():
            return (source,)
        files = files_below(source, skipped, suffixes=SUFFIXES)
        expected = (
            f"a folder with files that end in {' or '.join(SUFFIXES)}, or a glob such as FOLDER/**/*.md"
        )
    if not files:
        unread = next((f"; {name}: {why}" for name, why in skipped.items()), "")
        raise CorpusError(
            f"corpus {source} has no text files: expected {expected}{unread}",
            code="corpus-without-files",
            value=str(source),
            expected=expected,
        )
    return tuple(files)


def _globbed(source: Path) -> list[Path]:
    root = Path(source.anchor or ".")
    try:
        return sorted(path for path in root.glob(str(source.relative_to(source.anchor))) if path.is_file())
    except ValueError as error:  # such as t/**.txt: ** must be a whole part of the path
        raise CorpusError(
            f"corpus {source} is not a glob ({error}): expected one such as FOLDER/**/*.txt",
            code="invalid-glob",
            value=str(source),
        ) from None


def passages(files: Sequence[Path], skipped: dict[str, str]) -> Passages:
    """Cut files at line ends into passages of about a thousand bytes; a line that is not text ends one.

    Args:
        files: Text files.
        skipped: Takes lines that are not UTF-8 or hold a null byte, file -> reason.

    Returns:
        The passages of all files, in order.

    Raises:
        CorpusError: More than half of the text cannot be read (code "mostly-unreadable").
    """
    spans: list[tuple[int, int, int]] = []
    lost = 0
    for number, path in enumerate(files):
        before = len(spans)
        unreadable: dict[str, _Unreadable] = {}
        try:
            spans.extend((number, begin, length) for begin, length in _pieces(path, unreadable))
            lost += sum(lines.size for lines in unreadable.values())
        except OSError as error:
            del spans[before:]
            skipped[str(path)] = f"cannot be read: {error.strerror}"
            continue
        if unreadable:
            skipped[str(path)] = "; ".join(lines.describe(why) for why, lines in unreadable.items())
        elif len(spans) == before:
            skipped[str(path)] = "empty"
    if lost > sum(length for *_, length in spans) and spans:
        name, reason = next(iter(skipped.items()))
        raise CorpusError(
            f"more than half of the text cannot be read, the first is {name}: {reason}: expected UTF-8; "
            "convert it with iconv, or name the files by a glob",
            code="mostly-unreadable",
            value=name,
            expected="UTF-8",
        )
    return Passages(tuple(files), tuple(spans))


def cut(text: str) -> Iterator[str]:
    """Cut a text at line ends into passages of about a thousand characters.

    Args:
        text: A text.

    Yields:
        Passages that together are the text.
    """
    lines: list[str] = []
    length = 0
    for line in text.splitlines(keepends=True):
        lines.append(line)
        length += len(line)
        if length >= PASSAGE:
            yield "".join(lines)
            lines, length = [], 0
    if lines:
        yield "".join(lines)


def _pieces(path: Path, unreadable: dict[str, _Unreadable]) -> Iterator[tuple[int, int]]:
    """Yield the passages of a file as (first byte, bytes)."""
    begin = end = lost = 0
    blank = True  # only white space since `begin`
    with path.open("rb") as file:
        for number, line in _lines(file):
            why = _not_text(line)
            if why:
                unreadable.setdefault(why, _Unreadable()).add(number, len(line))
                lost += len(line)
                readable = end - (lost - len(line))
                if lost > max(MAX_UNREADABLE, readable):  # such as a sparse file of a terabyte
                    rest = os.fstat(file.fileno()).st_size - file.tell()
                    unreadable.setdefault("not read, since most of the file is not text", _Unreadable()).add(
                        number + 1, rest
                    )
                    break
            else:
                end += len(line)
                blank = blank and line.isspace()
            if why or end - begin >= PASSAGE:
                if not blank:
                    yield begin, end - begin
                end += len(line) if why else 0
                begin, blank = end, True
    if not blank:
        yield begin, end - begin


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield the numbered lines of a file; a long one in parts that end between words or characters."""
    number = 1
    while line := file.readline(MAX_LINE):
        if len(line) == MAX_LINE and not line.endswith(b"\n"):
            part = line[: line.rfind(b" ") + 1] or _whole_characters(line)
            file.seek(len(part) - len(line), os.SEEK_CUR)
            yield number, part
        else:
            yield number, line
            number += 1


def _whole_characters(line: bytes) -> bytes:
    """Return the line without the part of a character that it may end in (UTF-8 takes 4 bytes at most)."""
    begin = next((i for i in range(1, 5) if line[-i] & 0xC0 != 0x80), 0)
    return line[:-begin] if begin and line[-begin] >= 0xC0 else line


def _not_text(line: bytes) -> str:
    """Return why a line is not text, or nothing where it is."""
    if b"\0" in line:
        return "not text"
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return "not UTF-8"
    return ""
