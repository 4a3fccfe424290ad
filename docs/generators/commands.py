"""Print the reference of every command from the program's own help.

In a page:

    <!-- [[[cog import docs.generators.commands as m; m.show() ]]] -->
    <!-- [[[end]]] -->
"""

import sys
from collections.abc import Iterator

import typer
from typer.main import get_command

from planner.cli import assembled
from planner.commands.help import EXAMPLES


def show() -> None:
    """Print a section for each command: usage, description and a table of its options."""
    root = get_command(assembled())
    context = typer.Context(root, info_name="planner")
    lines = [""]
    for path, command in _leaves(root, ("planner",), context):
        lines += _section(path, command, context)
    sys.stdout.write("\n".join(lines) + "\n")


def _leaves(command, path: tuple[str, ...], context) -> Iterator[tuple[tuple[str, ...], object]]:  # type: ignore[no-untyped-def]
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name, child in children.items():
        yield from _leaves(child, (*path, name), context)


def _section(path, command, context) -> list[str]:  # type: ignore[no-untyped-def]
    own = typer.Context(command, info_name=" ".join(path[1:]), parent=context)
    usage = " ".join(command.collect_usage_pieces(own))
    description = (command.help or "").strip().split("\f")[0]
    lines = [f"## {' '.join(path)}", "", *_paragraphs(description), f"`{' '.join(path)} {usage}`", ""]
    rows = [row for parameter in command.get_params(own) if (row := _row(parameter, own))]
    if rows:
        lines += ["| option | what it does |", "| --- | --- |", *rows, ""]
    if examples := EXAMPLES.get(" ".join(path[1:])):
        lines += ["```", *examples, "```", ""]
    return lines


def _paragraphs(text: str) -> list[str]:
    return [line for block in text.split("\n\n") for line in (" ".join(block.split()), "")] if text else []


def _row(parameter, context) -> str | None:  # type: ignore[no-untyped-def]
    record = parameter.get_help_record(context)
    if record is None or "--help" in parameter.opts:
        return None
    names, text = record
    return f"| `{_cell(names)}` | {_cell(text)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
