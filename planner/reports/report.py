"""Print a result: the only file that imports rich.

A `Report` is a table with a title and notes. `show` prints it for people, or the same content as JSON, CSV or
Markdown. CSV and JSON have full precision; the table and Markdown have the text that `planner/units.py`
formatted. Names from elsewhere are made safe here, for terminals, spreadsheets and web pages alike.
"""

import json
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from laws.errors import harmless
from planner.reports import brief
from planner.reports.brief import Brief
from planner.reports.formats import Format

MIN_WIDTH = 20  # characters; terminals of editors report a width of 0


class Report(NamedTuple):
    """One table for people, with notes.

    Attributes:
        title: What the table shows.
        columns: Headings of the columns.
        rows: Cells, as printed text.
        notes: Sentences below the table.
        sections: Heading -> sentences below the notes; empty ones are left out.
        words: Columns of words, which are aligned left; others are aligned right.
        whole: Columns that are never folded, since you copy them into the next command.
        groups: Heading -> index of the row that it is above.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: Sequence[str] = ()
    sections: Mapping[str, Sequence[str]] = {}
    words: frozenset[int] = frozenset({0})
    whole: frozenset[int] = frozenset()
    groups: Mapping[str, int] = {}

    def parts(self) -> list[tuple[str, Sequence[tuple[str, ...]]]]:
        """Return each heading with its rows; all rows under "" where there are no groups."""
        ends = [*self.groups.values(), len(self.rows)][1:]
        parts: list[tuple[str, Sequence[tuple[str, ...]]]] = [
            (name, self.rows[at:end]) for (name, at), end in zip(self.groups.items(), ends, strict=True)
        ]
        return parts or [("", self.rows)]

    def passages(self) -> list[tuple[str, Sequence[str]]]:
        """Return the sentences below the table: the notes under "", then each section that has any."""
        return [(heading, lines) for heading, lines in (("", self.notes), *self.sections.items()) if lines]


def show(
    report: Report | Brief | None,
    records: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    style: Format,
) -> None:
    """Print a result on stdout.

    Args:
        report: The result for people; None where the style is one for scripts.
        records: The result for scripts: JSON prints it, CSV prints one row per record.
        style: How to print it.
    """
    if style is Format.json:
        from planner.text import json_text  # a table needs neither this nor the library of the others

        unicode = (sys.stdout.encoding or "").lower().startswith("utf")
        _write(json_text(json.dumps(records, indent=2, ensure_ascii=not unicode, allow_nan=False)))
    elif style is Format.csv:
        _write(_csv([records] if isinstance(records, Mapping) else records))
    elif isinstance(report, Report):
        if style is Format.markdown:
            _write(markdown(report))
        else:
            _table(report)
    elif report is not None:
        _write(brief.markdown(report) if style is Format.markdown else brief.terminal(report))


def _write(text: str) -> None:
    sys.stdout.write(text.rstrip("\n") + "\n" if text else "")


def flat(record: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a nested record as one level.

    Args:
        record: A record as JSON has it.
        prefix: What to put before each key.

    Returns:
        Keys such as `data.q05`; a list of records becomes their codes or ids.
    """
    from planner.text import csv_cell

    cells: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, Mapping):
            cells |= flat(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple):
            names = (v.get("code", v.get("id", "")) if isinstance(v, Mapping) else v for v in value)
            cells[prefix + key] = csv_cell("; ".join(str(name) for name in names))
        else:
            cells[prefix + key] = csv_cell(value)
    return cells


def _csv(records: Sequence[Mapping[str, Any]]) -> str:
    import csv
    import io

    rows = [flat(record) for record in records]
    if not rows:
        return ""  # the names of the columns come with the first row
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(key for row in rows for key in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def markdown(report: Report) -> str:
    """Return a report as Markdown.

    Args:
        report: The result for people.

    Returns:
        The text, in which no name can open an HTML tag.
    """
    from planner.text import markdown_text

    lines = [f"### {report.title}"]
    for heading, rows in report.parts():
        head, *body = ["| " + " | ".join(map(_cell, row)) + " |" for row in (report.columns, *rows)]
        lines += ["", *([f"**{heading}**", ""] if heading else [])]
        lines += [head, "|" + " --- |" * len(report.columns), *body]
    for heading, notes in report.passages():
        lines += ["", *([f"**{heading}**", ""] if heading else []), *(f"- {note}" for note in notes)]
    return markdown_text("\n".join(lines))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _flat(text: str) -> str:
    return harmless(" ".join(text.split("\n")))


def _table(report: Report) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    console.width = max(console.width, MIN_WIDTH)
    console.print(Text(_flat(report.title), "bold"))
    for heading, rows in report.parts():
        plain = not heading  # beneath its heading a group needs neither the names of columns nor a frame
        table = Table(box=SIMPLE_HEAD, pad_edge=not plain, show_edge=plain, show_header=plain)
        for i, column in enumerate(report.columns):
            side: Literal["left", "right"] = "left" if i in report.words else "right"
            table.add_column(Text(column), justify=side, overflow="fold", no_wrap=i in report.whole)
        for row in rows:
            table.add_row(*(Text(_flat(cell)) for cell in row))
        if heading:
            console.print(Text(f"\n{_flat(heading)}", "bold"))
        console.print(table)
    if report.groups:
        console.print()
    for heading, notes in report.passages():
        if heading:
            console.print(Text(f"\n{heading}", "bold"))
        for note in notes:
            for i, line in enumerate(textwrap.wrap(_flat(note), console.width - 4, break_on_hyphens=False)):
                console.print(Text(f"{'  ' if i else '- '}{line}"))
