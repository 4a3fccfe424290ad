"""Plain English where people read: help, warnings, error messages and reports have none of these phrases."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from planner.cli import COMMANDS, assembled
from planner.warnings import WARNINGS

ROOT = Path(__file__).parent.parent

# phrase -> what to write instead
BANNED = {
    r"\bh[eo]ld\b(?: \S+){0,4} against\b": "compare ... with",
    r"\bstands? on\b": "is based on",
    r"\blies on\b": "is on",
    r"\bstands alone\b": "is the only one",
    r"\b(?:nor|and|but) (?:what|who) (?:is|was|has|cannot) ": "name the thing",
    r"(?:^|[.:;] )What (?:is|was|has|cannot) [^?]*(?:\.|$)": "name the thing",
    r"\banew\b": "again",
    r"\bmend(?:ed|s)?\b": "fix",
    r"\blest\b": "so that ... not",
    r"\bbeside\b": "next to, besides",
    r"\balone\b": "only",
    r"\bforetold\b": "predicted",
    r"\bbegun\b": "started",
    r"\b(?:no|some)body\b": "no one, someone",
    r"\bslip of the hand\b": "typo",
    r"\b(?:is|are) no [a-z]+(?: |$)": "is not a ...",
    r"\bcomes? to\b": "is, amounts to",
    r"\btells? of\b": "reports",
    r"\bwanted\b": "expected",
    r"\butilis|\blabelled\b|\bfavour|\bdigitised\b": "US spelling",
}
ALLOWED = ("there is no ", "there are no ", "is no longer ", "are no longer ", "is no more ")


def faults(text: str) -> list[str]:
    """Return each banned phrase of a text with what to write instead."""
    one_line = " ".join(text.split())
    return [
        f"{match[0]!r}: {instead}"
        for phrase, instead in BANNED.items()
        for match in re.finditer(phrase, one_line, re.IGNORECASE)
        if not any(one_line[max(match.start() - 6, 0) :].lower().find(ok, 0, 20) >= 0 for ok in ALLOWED)
    ]


def command_lines() -> list[list[str]]:
    """Return the words of every command, the groups and their commands alike."""
    lines: list[list[str]] = [[]]
    app = typer.main.get_command(assembled())
    for name in COMMANDS:
        lines.append([name])
        subcommands = getattr(app.commands[name], "commands", {})  # type: ignore[attr-defined]
        lines += [[name, sub] for sub in subcommands]
    return lines


@pytest.mark.parametrize("words", command_lines(), ids=" ".join)
def test_help_is_plain(words: list[str]) -> None:
    result = CliRunner().invoke(assembled(words), [*words, "--help"])
    assert result.exit_code == 0
    assert faults(result.stdout) == []


@pytest.mark.parametrize("code", sorted(WARNINGS))
def test_warnings_are_plain(code: str) -> None:
    assert faults(WARNINGS[code]) == []


def texts(node: ast.AST) -> Iterator[str]:
    """Yield the string literals below a node; a value inside an f-string is "..."."""
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(p.value) if isinstance(p, ast.Constant) else "..." for p in node.values)
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.value
    else:
        for child in ast.iter_child_nodes(node):
            yield from texts(child)


SOURCES = [
    path for package in ("laws", "calibrate", "planner") for path in sorted((ROOT / package).rglob("*.py"))
]


def shown(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and text of every literal that a person sees: in raised errors and in reports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        is_report = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Report"
        if isinstance(node, ast.Raise) or is_report:
            yield from ((node.lineno, text) for text in texts(node))


@pytest.mark.parametrize("path", SOURCES, ids=[str(path.relative_to(ROOT)) for path in SOURCES])
def test_messages_are_plain(path: Path) -> None:
    assert [f"line {line}: {fault}" for line, text in shown(path) for fault in faults(text)] == []


def test_the_phrases_are_found_and_their_plain_forms_are_not() -> None:
    for text in ("hold files against their hashes", "wanted a number", "it is no day", "Nobody said so"):
        assert faults(text)
    for text in ("compare files", "expected a number", "there is no store", "is no longer read"):
        assert not faults(text)


PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]


def _sentences(block: str) -> list[str]:
    """Return the rows of a table, or a paragraph as one line."""
    return block.splitlines() if block.lstrip().startswith(("|", "#")) else [block]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_pages_are_plain(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    prose = re.sub(r"```.*?```|<!--.*?-->|`[^`\n]*`", "", text, flags=re.DOTALL)
    lines = [line for block in prose.split("\n\n") for line in _sentences(block)]
    assert [fault for line in lines for fault in faults(line)] == []
