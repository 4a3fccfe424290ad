"""Print the libraries that the program uses, with their licenses, from what is installed.

In a page:

    <!-- [[[cog import docs.generators.licenses as l; l.show() ]]] -->
    <!-- [[[end]]] -->
"""

import re
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, metadata, requires
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
NAME = re.compile(r"[A-Za-z0-9_.-]+")
TOOLS = ("dev", "all")  # only tests need the one; the other is all extras


def show() -> None:
    """Print one row per library: license, and the extra that needs it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {"": project["dependencies"]} | {
        extra: lines for extra, lines in project["optional-dependencies"].items() if extra not in TOOLS
    }
    rows: dict[str, tuple[str, str]] = {}
    for extra, lines in needed.items():
        waiting = [NAME.match(line)[0] for line in lines]  # type: ignore[index]
        while waiting:
            name = waiting.pop()
            key = re.sub(r"[-_.]+", "-", name).lower()
            if key in rows:
                continue
            try:
                rows[key] = (_license(name), extra)
            except PackageNotFoundError:  # for another system or version of Python
                continue
            waiting += [
                NAME.match(line)[0]  # type: ignore[index]
                for line in requires(name) or ()
                if "extra ==" not in line and "sys_platform" not in line and "platform_system" not in line
            ]
    lines_out = ["", "| library | license | needed by |", "| --- | --- | --- |"]
    lines_out += [
        f"| {name} | {of} | {extra or 'the program'} |" for name, (of, extra) in sorted(rows.items())
    ]
    sys.stdout.write("\n".join([*lines_out, "", ""]))


def _license(name: str) -> str:
    """Return the license that a distribution states: an expression, a classifier, or a line of its text."""
    of = metadata(name)
    classifiers = [line.split(" :: ")[-1] for line in of.get_all("Classifier") or () if "License ::" in line]
    text = (
        of["License-Expression"] or "; ".join(classifiers) or (of["License"] or "not stated").splitlines()[0]
    )
    return str(text).replace("|", "/")[:80]
