"""Read a column of cells as people write them: missing values, decimal marks and suffixes that depend on it.

One cell can be ambiguous where its column is not: `1,340` next to `30,5` is 1.34, next to `490` it is 1340.
So the column decides, and one that does not is an error that names the readings.

| cells | the column is read as |
| --- | --- |
| `0.5`, or `1,340.5`, or `1,340,000` | decimals after a point; commas between thousands |
| `30,5`, or `1.340,5`, or any comma in a file with semicolons between cells | decimals after a comma |
| `1,340` among whole numbers below 1000 | commas between thousands |
| `1,340` and nothing else | an error: 1340 or 1.34 |
| `3m` among `7b`, `10k` or `2t` | millions |
| `30m` among `1 hour` or `90s` | minutes |
| `3m` and nothing else | an error: 3 million or 3 minutes |
"""

import math
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

from laws.errors import TableError, use
from planner import units

MISSING = frozenset(
    {"", "na", "n/a", "n.a.", "#n/a", "nan", "none", "null", "nil", "missing", "?"}
    | {"-", "--", "---", "\u2013", "\u2014"}
)
_NEEDS_COLUMN = re.compile("[,m]|[0-9]['\u2019 \u00a0\u2009\u202f][0-9]|[0-9]\\.[0-9]+\\.[0-9]")
_LETTER_M = re.compile(r"(\s*[+-]?[0-9][0-9.,]*\s*)m(?=\s|$)")


def is_missing(content: Any) -> bool:
    """Return whether a cell holds no value.

    Args:
        content: What the file has there.

    Returns:
        True for empty cells, for words such as `n/a`, `-` and `None`, for NaN, for infinity, and for the
        largest double, which trackers write for infinity.
    """
    if content is None or (isinstance(content, str) and content.strip().lower() in MISSING):
        return True
    try:
        number = float(content)
    except (TypeError, ValueError, OverflowError):
        return False
    return not math.isfinite(number) or abs(number) >= sys.float_info.max


def plain_cells(
    cells: Sequence[Any], name: Callable[[int], str], *, mark: str = "", delimiter: str = ""
) -> list[Any]:
    """Return a column with numbers that each can be read in one way: digits, a point, `M` or `min`.

    Args:
        cells: The column.
        name: Returns the name of a cell for messages, from its index.
        mark: The decimal mark, where you named it: `units.POINT` or `units.COMMA`.
        delimiter: What separates the cells of the file; a semicolon leaves commas to decimals.

    Returns:
        The cells; those that are not text are unchanged.

    Raises:
        TableError: A cell could be two numbers ("ambiguous-number"), or two cells need different decimal
            marks ("mixed-decimal-marks").
    """
    texts = {i: cell for i, cell in enumerate(cells) if isinstance(cell, str) and not is_missing(cell)}
    if not any(_NEEDS_COLUMN.search(text) for text in texts.values()):
        return list(cells)
    mark = mark or _decimal_mark(texts, name, delimiter)
    letter = _meaning_of_m(list(texts.values()))
    plain = list(cells)
    for i, text in texts.items():
        plain[i] = units.plain_digits(text, mark) if mark else units.plain_digits(text)
        if _LETTER_M.match(text):
            if not letter:
                digits = text.strip()[:-1].strip()
                raise TableError(
                    f"{name(i)}: expected {digits}M for million or {digits} min for minutes, got "
                    f"{text.strip()!r}",
                    code="ambiguous-number",
                    value=text,
                )
            plain[i] = _LETTER_M.sub(rf"\g<1>{letter}", plain[i], count=1)
    return plain


def _decimal_mark(texts: dict[int, str], name: Callable[[int], str], delimiter: str) -> str:
    """Return the decimal mark of a column; "" where no cell has one."""
    marks = {i: units.decimal_mark(text) for i, text in texts.items()}
    first = {mark: i for i, mark in reversed(marks.items())}
    if units.POINT in first and units.COMMA in first:
        point, comma = first[units.POINT], first[units.COMMA]
        if not all(_could_be_grouped(texts[i]) for i, mark in marks.items() if mark == units.POINT):
            raise TableError(
                f"{name(comma)}: expected one decimal mark in the column, got {texts[comma].strip()!r} and "
                f"{texts[point].strip()!r}",
                code="mixed-decimal-marks",
                value=texts[comma],
            )
        return units.COMMA  # 1.340 next to 30,5
    for mark in (units.POINT, units.COMMA):
        if mark in first:
            return mark
    if units.EITHER not in first:
        return ""
    if delimiter == ";":
        return units.COMMA
    if any(re.match(r"\s*[0-9]{1,3}(?![0-9.,])", text) for text in texts.values()):
        return units.POINT
    i = first[units.EITHER]
    digits = texts[i].strip()
    raise TableError(
        f"{name(i)}: expected a number that can be read in one way, got {digits!r}, which could be "
        f"{digits.replace(',', '')} or {digits.replace(',', '.')}",
        code="ambiguous-number",
        value=texts[i],
        hint=use("decimal_mark", value="point", purpose="or comma to say which"),
    )


def _could_be_grouped(text: str) -> bool:
    """Return whether the points of a number could stand between thousands."""
    return re.match(r"\s*[0-9]{1,3}(?:\.[0-9]{3})+(?![0-9.,])", text) is not None


def _meaning_of_m(texts: Sequence[str]) -> str:
    """Return what the suffix m stands for in a column; "" where nothing tells."""
    suffixes = {match[1] for text in texts if (match := re.search(r"[0-9]\s*([A-Za-z]+)\s*$", text))}
    if suffixes & {"b", "B", "k", "K", "t", "T", "bn", "M"}:
        return "M"
    if suffixes & {"h", "hr", "hrs", "hour", "hours", "s", "sec", "seconds"}:
        return "min"
    return ""
