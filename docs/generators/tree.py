"""Print the files of the three packages, each with the first line of its docstring, for the architecture
page.
"""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("laws", "calibrate", "planner")


def first_line(path: Path) -> str:
    """Return the first line of a module's docstring."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(text.split("\n\n")[0].split()).replace("|", "\\|")


def show() -> None:
    """Print a table for each folder."""
    lines = [""]
    for package in PACKAGES:
        folders = [ROOT / package, *sorted(path for path in (ROOT / package).rglob("*") if path.is_dir())]
        for folder in folders:
            files = [path for path in sorted(folder.glob("*.py")) if path.name != "__init__.py"]
            if files:
                lines += [
                    f"### {folder.relative_to(ROOT)}/",
                    "",
                    "| file | what it is for |",
                    "| --- | --- |",
                ]
                lines += [f"| `{path.name}` | {first_line(path)} |" for path in files] + [""]
    sys.stdout.write("\n".join(lines) + "\n")
