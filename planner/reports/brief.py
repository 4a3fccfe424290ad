"""A short result on one screen: the answer in a sentence, a few rows, what is doubtful, what to do next.

Printed without rich, which would take more time than all the rest of printing. Colors are the terminal's own,
so they suit light and dark ones; where there are none, marks and codes say the same.
"""

import os
import sys
import textwrap
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from laws.errors import harmless
from planner.severity import Severity, severity, short

MAX_WARNINGS = 3  # on the screen; --explain and JSON have all
MIN_WIDTH, DEFAULT_WIDTH, MAX_TEXT_WIDTH = 20, 80, 100  # columns; longer lines of text are hard to read
GAP = "   "  # between columns
MIN_SENTENCE = 24  # columns; a narrower terminal has the code of a warning below it
BOLD, DIM, RED, YELLOW = "1", "2", "31", "33"
Paint = Callable[[str, str], str]  # a text and its style, "" for none
_COLORS = {Severity.SERIOUS: RED, Severity.CAUTION: YELLOW, Severity.NOTE: ""}


class Brief(NamedTuple):
    """A short result.

    Attributes:
        lead: The answer in sentences, the most important first.
        columns: Headings of the table; the first is of the labels.
        rows: Cells, as printed text.
        plot: Lines of a drawing, printed as they are.
        remarks: Sentences below the table.
        warnings: Codes of the warnings that matter, the most important first.
        more_warnings: How many there are besides.
        next: A command that runs as it is printed; "" for none.
        why: Where the rest is, such as the option that prints it; "" for nowhere.
    """

    lead: tuple[str, ...]
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    plot: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    more_warnings: int = 0
    next: str = ""
    why: str = ""


def terminal(brief: Brief) -> str:
    """Return a short result as text for the terminal that it is printed on.

    Args:
        brief: The result.

    Returns:
        Lines that fit its width, with its colors where it has any.
    """
    width = terminal_width()
    paint = _painted if has_colors() else _plain
    text_width = min(width, MAX_TEXT_WIDTH)
    blocks = [
        [
            paint(line, "" if i else BOLD)
            for i, text in enumerate(brief.lead)
            for line in _wrapped(text, text_width)
        ]
    ]
    blocks.append(list(brief.plot))
    blocks.append(_table(brief.columns, brief.rows, width, paint))
    blocks.append([line for text in brief.remarks for line in _wrapped(text, text_width)])
    codes = [line for code in brief.warnings for line in _warning(code, text_width, paint)]
    if brief.more_warnings:
        more = f"{brief.more_warnings} more warning{'s' if brief.more_warnings > 1 else ''}"
        codes.append(paint(f"  {more}{f': {brief.why}' if brief.why else ''}", DIM))
    blocks.append(codes)
    blocks.append(_next(brief, width, paint))
    return "\n\n".join("\n".join(lines) for lines in blocks if lines) + "\n"


def _next(brief: Brief, width: int, paint: Paint) -> list[str]:
    """Return the next command, whole so that it can be copied, and where the rest is."""
    command = f"{paint('Next:', BOLD)} {_safe(brief.next)}" if brief.next else ""
    why = f"{paint('Why:', BOLD)} {brief.why}" if brief.why else ""
    if command and why and len(f"Next: {brief.next}    Why: {brief.why}") <= width:
        return [f"{command}    {why}"]
    return [line for line in (command, why.replace(" ", "  ", 1)) if line]


def _warning(code: str, width: int, paint: Paint) -> list[str]:
    """Return one warning with its mark, and with its code at the right."""
    room = width - 2 - len(code) - len(GAP)
    mark = paint("!" if severity(code) > Severity.NOTE else "-", _COLORS[severity(code)])
    if room < MIN_SENTENCE:
        first, *rest = textwrap.wrap(f"{short(code)} [{code}]", width - 2, break_on_hyphens=False)
        return [f"{mark} {first}", *(f"  {line}" for line in rest)]
    first, *rest = textwrap.wrap(short(code), room, break_on_hyphens=False)
    return [
        f"{mark} {first:<{room}}{GAP}{paint(_safe(code), DIM)}",
        *(f"  {line}" for line in rest),
    ]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int, paint: Paint) -> list[str]:
    """Return the table: labels and intervals to the left, the column between them to the right."""
    if not rows:
        return []
    cells = [[_safe(cell) for cell in row] for row in ((columns, *rows) if any(columns) else rows)]
    widths = [max(map(text_width, column)) for column in zip(*cells, strict=True)]
    room = width - 2 - len(GAP) * (len(widths) - 1) - sum(widths[:-1])
    lines = []
    for number, row in enumerate(cells):
        *fixed, last = row
        parts = [_justified(cell, widths[i], right=i > 0) for i, cell in enumerate(fixed)]
        start = "  " + GAP.join(parts) + GAP
        folded = textwrap.wrap(last, room, break_on_hyphens=False) if room >= MIN_WIDTH else [last]
        heading = DIM if number == 0 and any(columns) else ""
        for i, piece in enumerate(folded or [""]):
            line = (start if i == 0 else " " * text_width(start)) + piece
            lines.append(paint(line.rstrip(), heading))
    return lines


def _justified(cell: str, width: int, *, right: bool) -> str:
    pad = " " * (width - text_width(cell))
    return pad + cell if right else cell + pad


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(_safe(text), width, break_on_hyphens=False)


def _safe(text: str) -> str:
    return harmless(" ".join(text.split("\n")))


def text_width(text: str) -> int:
    """Return how many columns a text takes: letters of East Asian scripts take two."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return len(text) + wide - sum(unicodedata.combining(letter) > 0 for letter in text)


def terminal_width() -> int:
    """Return the columns of the terminal, 80 where the output is no terminal and nothing says otherwise."""
    import shutil

    return max(shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns, MIN_WIDTH)


def has_colors() -> bool:
    """Return whether the terminal shows colors: NO_COLOR and FORCE_COLOR decide where they are set."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM", "") not in ("", "dumb", "unknown")


def _painted(text: str, style: str) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if style and text else text


def _plain(text: str, style: str) -> str:  # noqa: ARG001 - a terminal without colors
    return text


def markdown(brief: Brief) -> str:
    """Return a short result as Markdown.

    Args:
        brief: The result.

    Returns:
        The text, in which no name can open an HTML tag.
    """
    from planner.text import markdown_text

    head, *others = brief.lead
    blocks: list[Iterable[str]] = [[f"### {head}"], *([line] for line in others)]
    if brief.rows:
        columns = brief.columns if any(brief.columns) else ("",) * len(brief.rows[0])
        body = ["| " + " | ".join(map(_cell, row)) + " |" for row in (columns, *brief.rows)]
        blocks.append([body[0], "|" + " --- |" * len(columns), *body[1:]])
    blocks += [[line] for line in brief.remarks]
    blocks.append(f"- {short(code)} [{code}]" for code in brief.warnings)
    blocks.append([f"Next: `{brief.next}`"] if brief.next else [])
    return markdown_text("\n\n".join(text for block in blocks if (text := "\n".join(block))))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
