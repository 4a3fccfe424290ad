"""Print the files of the three packages, each with the first sentence of its docstring, for the README."""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = (
    "planner",
    "planner/commands",
    "planner/reports",
    "planner/plans",
    "planner/sources",
    "planner/lawmodel",
    "planner/hardware",
    "calibrate",
    "calibrate/domains",
    "calibrate/domains",
    "calibrate/data",
    "calibrate/models",
    "laws",
)
TEXT = 84  # characters of a sentence that fit a line


def sentence(path: Path) -> str:
    """Return the first sentence of a module's docstring, shortened to a line."""
    line = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]
    text = line.split(". ")[0].rstrip(".")
    return text if len(text) <= TEXT else text[: TEXT - 2].rsplit(" ", 1)[0] + " …"


def show() -> None:
    """Print the tree as a fenced block."""
    lines = ["", "```"]
    for folder in FOLDERS:
        lines.append(f"{folder}/")
        files = (path for path in sorted((ROOT / folder).glob("*.py")) if path.name != "__init__.py")
        lines += [f"  {path.name:<16} {sentence(path)}" for path in files]
    lines += ["tests/", "docs/", "```", "", ""]
    sys.stdout.write("\n".join(lines))
