"""Small tables as text for a terminal and as HTML for a notebook."""

from collections.abc import Sequence
from html import escape

from laws.errors import harmless

Rows = Sequence[Sequence[str]]


def as_text(title: str, columns: Sequence[str], rows: Rows, notes: Sequence[str] = ()) -> str:
    """Return a table as lines of text.

    Args:
        title: The first line.
        columns: Headings; the first column is aligned left, the others right.
        rows: Cells.
        notes: Lines below the table.

    Returns:
        The text.
    """
    table = [list(columns), *map(list, rows)]
    widths = [max(len(row[i]) for row in table) for i in range(len(columns))]
    lines = [
        "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in table
    ]
    return "\n".join(harmless(line.rstrip()) for line in (title, *lines, *notes))


def as_html(title: str, columns: Sequence[str], rows: Rows, notes: Sequence[str] = ()) -> str:
    """Return a table as HTML, in which no name can open a tag.

    Args:
        title: The caption.
        columns: Headings.
        rows: Cells.
        notes: Paragraphs below the table.

    Returns:
        The HTML.
    """
    head = "".join(f"<th>{escape(column)}</th>" for column in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    below = "".join(f"<p>{escape(note)}</p>" for note in notes)
    caption = f"<caption>{escape(title)}</caption>"
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{below}"
