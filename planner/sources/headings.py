"""Headings as people write them: `params (M)`, `tokens (billions)`, `WER%`, `Audio [min]`, `# hours`.

A scale or unit in a heading holds for every cell below it that is a bare number. It is applied by writing it
after the number, so that `124` below `params (M)` is read like a cell `124M`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# what a heading says -> what is written after each bare number
_SCALES = {
    "%": "%", "percent": "%", "pct": "%", "percentage": "%", "in %": "%",
    "k": "k", "thousand": "k", "thousands": "k", "1k": "k",
    "M": "M", "m": "m", "mn": "M", "mio": "M", "million": "M", "millions": "M", "mill": "M",
    "b": "B", "B": "B", "bn": "B", "G": "B", "billion": "B", "billions": "B",
    "t": "T", "T": "T", "tn": "T", "trillion": "T", "trillions": "T",
    "P": "P", "E": "E", "Z": "Z", "K": "k",
}  # fmt: skip
_TIMES = {
    "s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s",
    "min": "min", "mins": "min", "minute": "min", "minutes": "min",
    "h": "h", "hr": "h", "hrs": "h", "hour": "h", "hours": "h",
}  # fmt: skip
_IN_WORDS = {
    "%": "percent", "k": "thousands", "M": "millions", "B": "billions", "T": "trillions",
    "P": "units of 1e15", "E": "units of 1e18", "Z": "units of 1e21", "s": "seconds", "min": "minutes",
}  # fmt: skip
_BRACKETS = re.compile(r"(.*?)\s*(?:\(([^()\[\]]*)\)|\[([^()\[\]]*)\])\s*")
_PERCENT_WORD = re.compile(r"(.*?)[\s_\-/,]*(?:%|(?<![a-z])(?:pct|percent|percentage))", re.IGNORECASE)
_SCALE_WORD = re.compile(r"(.*?)(?:\s+in\s+|\s*,\s*|_)(%|[kKMBGT]|[a-z]*illions?|thousands?)")
_POWER = re.compile(r"[x×*]?\s*(?:1e\+?([0-9]{1,2})|10\^([0-9]{1,2}))")


@dataclass(frozen=True)
class Heading:
    """A heading in its parts.

    Attributes:
        column: As the file has it.
        name: Without scale and unit.
        suffix: What its bare numbers stand for, such as "M" or "min"; "" where it says nothing.
    """

    column: str
    name: str
    suffix: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """Return the words of the name in lower case: those of `eval/mean_WER` are eval, mean, wer."""
        return tuple(word.lower() for word in re.split(r"[\W_]+", self.name) if word)

    @property
    def in_words(self) -> str:
        """Return what the suffix means, such as "millions"."""
        return _IN_WORDS.get(self.suffix, f"units of 1{self.suffix}")


def parse_heading(column: str) -> Heading:
    """Return a heading in its parts.

    Args:
        column: The heading as the file has it.

    Returns:
        The name, and the scale or unit of time that it gives.
    """
    text = column.strip().lstrip("#").strip()
    if match := _BRACKETS.fullmatch(text):
        inner = (match[2] or match[3] or "").strip()
        if suffix := _suffix(inner):
            return Heading(column, match[1], suffix)
        text = match[1] or inner
    if match := _PERCENT_WORD.fullmatch(text):
        return Heading(column, match[1], "%")
    if (match := _SCALE_WORD.fullmatch(text)) and (suffix := _suffix(match[2])):
        return Heading(column, match[1], suffix)
    return Heading(column, text)


def _suffix(text: str) -> str:
    """Return what a text in brackets says of the numbers below; "" where it says nothing of them."""
    if power := _POWER.fullmatch(text):
        return f"e{power[1] or power[2]}"
    words = text.removeprefix("in ").split()
    if len(words) == 1 and words[0].lower() in _TIMES:
        return _TIMES[words[0].lower()]
    # of "M tokens" or "million words" the unit is known from elsewhere
    if not 1 <= len(words) <= 2:
        return ""
    return _SCALES.get(words[0]) or (_SCALES.get(words[0].lower(), "") if len(words[0]) > 1 else "")


def with_suffix(cells: Sequence[Any], suffix: str) -> list[Any]:
    """Return a column with a suffix after each bare number.

    Args:
        cells: The column; text in plain digits (see `cells.plain_cells`), numbers, or None.
        suffix: Such as "M", "%" or "min"; "e6" stands for a power of ten.

    Returns:
        The cells; those that have a suffix of their own, or hold no number, are unchanged.
    """
    return [_suffixed(content, suffix) for content in cells]


def _suffixed(content: Any, suffix: str) -> Any:
    if isinstance(content, bool) or not isinstance(content, int | float | str):
        return content
    text = content.strip() if isinstance(content, str) else repr(content)
    if not re.fullmatch(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", text):
        return content
    if re.fullmatch("e[0-9]+", suffix):
        return f"{float(text) * float(f'1{suffix}'):.15g}"
    return f"{text}{suffix}"
