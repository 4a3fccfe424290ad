"""Read text files: a file, a folder of them, or a glob; cut into passages that can be shuffled.

Whatever cannot be used is left out and counted under the name of its file, with the lines, never silently.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from glob import has_magic
from pathlib import Path
from typing import BinaryIO

from laws.errors import PlannerError

PASSAGE = 1000  # bytes after which a passage ends with the line
SUFFIXES = (".txt", ".text")
_NAMED = 3  # lines of a file that are named; the others are counted
_LONGEST = 2**12  # bytes of a line that are read together: some texts are one line


@dataclass(frozen=True)
class _Line:
    number: int  # from 1
    length: int  # bytes


@dataclass(frozen=True)
class Passages(Sequence[str]):
    """Passages of text files, read when they are asked for."""

    files: tuple[Path, ...]
    places: tuple[tuple[int, int, int], ...] = field(repr=False)  # (file, first byte, bytes)

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, place: int) -> str:  # type: ignore[override]  # nothing here is sliced
        number, begin, length = self.places[place]
        with self.files[number].open("rb") as file:
            file.seek(begin)
            return file.read(length).decode("utf-8")


def find(source: Path) -> tuple[Path, ...]:
    """Return the text files that a file, a folder or a glob names, sorted.

    A folder stands for the files anywhere below it that end in .txt or .text. Raises PlannerError where
    there is none.
    """
    if source.is_file():
        return (source,)
    if source.is_dir():
        found = sorted(p for p in source.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
        wanted = f"no file below it ends in {' or '.join(SUFFIXES)}; name others by a glob: 'FOLDER/**/*.md'"
    elif has_magic(str(source)):
        root = Path(source.anchor or ".")
        found = sorted(p for p in root.glob(str(source.relative_to(source.anchor))) if p.is_file())
        wanted = "the glob matches no file"
    else:
        raise PlannerError(f"--data {source} does not exist: give a text file, a folder of them or a glob")
    if not found:
        raise PlannerError(f"--data {source}: {wanted}")
    return tuple(found)


def passages(files: Sequence[Path], skipped: dict[str, str]) -> Passages:
    """Cut files at line ends into passages of about a thousand bytes; a line that is no text ends one.

    Lines that are not UTF-8 or hold a null byte go to `skipped`, file -> reason. Raises PlannerError where
    they are more than half of the text.
    """
    places: list[tuple[int, int, int]] = []
    lost = 0
    for number, path in enumerate(files):
        before = len(places)
        bad: dict[str, list[_Line]] = {}
        try:
            places.extend((number, begin, length) for begin, length in _pieces(path, bad))
        except OSError as error:
            del places[before:]
            skipped[str(path)] = f"cannot be read: {error.strerror}"
            continue
        lost += sum(line.length for lines in bad.values() for line in lines)
        if bad:
            skipped[str(path)] = "; ".join(_in_words(lines, why) for why, lines in bad.items())
        elif len(places) == before:
            skipped[str(path)] = "empty"
    if lost > sum(length for *_, length in places) and places:
        name, reason = next(iter(skipped.items()))
        raise PlannerError(
            f"more than half of the text cannot be read; the first is {name}: {reason}; wanted UTF-8: "
            "convert it with iconv, or name the files by a glob"
        )
    return Passages(tuple(files), tuple(places))


def cut(text: str) -> Iterator[str]:
    """Cut a text at line ends into passages of about a thousand characters."""
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


def _in_words(lines: list[_Line], why: str) -> str:
    named = ", ".join(str(line.number) for line in lines[:_NAMED])
    more = f" and {len(lines) - _NAMED} more" if len(lines) > _NAMED else ""
    return f"line{'s' if len(lines) > 1 else ''} {named}{more}: {why}"


def _pieces(path: Path, bad: dict[str, list[_Line]]) -> Iterator[tuple[int, int]]:
    """Yield the passages of a file as (first byte, bytes)."""
    begin = end = 0
    blank = True  # nothing but white space since `begin`
    with path.open("rb") as file:
        for number, line in _lines(file):
            why = _not_text(line)
            if why:
                bad.setdefault(why, []).append(_Line(number, len(line)))
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
    while line := file.readline(_LONGEST):
        if len(line) == _LONGEST and not line.endswith(b"\n"):
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
    if b"\0" in line:
        return "not text"
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return "not UTF-8"
    return ""
