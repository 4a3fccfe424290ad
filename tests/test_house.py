"""The drawing of the house, held against the code: arrows run down, there is no circle."""

import ast
import graphlib
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {"laws": {"laws"}, "calibrate": {"calibrate", "laws"}, "planner": {"planner", "calibrate", "laws"}}
FILES = sorted(path for floor in FLOORS for path in (ROOT / floor).rglob("*.py"))


def module_name(path: Path) -> str:
    """Return the dotted name of a file of ours."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path) for path in FILES}


def imports_of(path: Path) -> set[str]:
    """Return every module of ours that a file imports, inside functions too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: imports are written in full"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found & MODULES


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_imports_run_down(path: Path) -> None:
    floor = path.relative_to(ROOT).parts[0]
    assert {name.split(".")[0] for name in imports_of(path)} <= FLOORS[floor]
    assert "TYPE_CHECKING" not in path.read_text(encoding="utf-8"), "a name needed only for types runs up"


def test_there_is_no_circle() -> None:
    # A package's __init__ is run by its parts; empty ones close no circle, so packages are left out.
    packages = {
        module_name(path) for path in FILES if path.name == "__init__.py" and not path.read_text().strip()
    }
    graph = {module_name(path): imports_of(path) - packages - {module_name(path)} for path in FILES}
    list(graphlib.TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("name", ["laws/types.py", "laws/paths.py", "laws/errors.py", "calibrate/types.py"])
def test_shared_values_need_only_the_standard_library(name: str) -> None:
    outside = set()
    for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            outside |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            outside.add(node.module.split(".")[0])
    assert not outside & {"numpy", "pydantic", "torch", "scipy", "duckdb", "emcee"}


# What each room may import of the other rooms of its package; files at the top of a package (types, units,
# errors, ...) serve every room, and only the files named here may use rooms.
ROOMS: dict[str, dict[str, set[str]]] = {
    "laws": {
        "fitting": set(),
        "forecasting": {"fitting"},
        "storage": set(),
        "catalog": {"storage"},
        "build": {"fitting", "forecasting", "storage"},
        "export": {"storage"},
    },
    "calibrate": {
        "data": set(),
        "models": {"data"},
        "training": set(),
        "domains": {"data", "models", "training"},
        "engines": {"training"},
        "sweep": {"engines", "training"},
    },
    "planner": {
        "hardware": set(),
        "lawmodel": set(),
        "sources": {"hardware", "lawmodel"},
        "plans": {"hardware", "lawmodel", "sources"},
        "reports": {"hardware", "lawmodel", "plans", "sources"},
        "api": {"hardware", "lawmodel", "plans", "reports", "sources"},
        "commands": {"hardware", "lawmodel", "plans", "reports", "sources"},
    },
}


@pytest.mark.parametrize("package", ROOMS)
def test_rooms_import_only_what_they_may(package: str) -> None:
    rooms = ROOMS[package]
    folders = {path.parent.name for path in (ROOT / package).glob("*/*.py")}
    assert folders <= rooms.keys(), "every room says what it may import"
    for path in sorted((ROOT / package).rglob("*.py")):
        room = path.relative_to(ROOT / package).with_suffix("").parts[0]
        if path.name == "cli.py":
            continue  # the entry point may use everything
        used = {
            parts[1] for name in imports_of(path) if (parts := name.split("."))[0] == package and parts[1:]
        }
        assert used & rooms.keys() <= rooms.get(room, set()) | {room}, path


def declared() -> set[str]:
    """Return the distributions that pyproject.toml names, extras included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    return {re.split(r"[^A-Za-z0-9._-]", text)[0].lower().replace("_", "-") for one in lists for text in one}


def test_only_declared_libraries_are_imported() -> None:
    """A library that comes with another one today may not come with it tomorrow."""
    owners, names_of_extras = packages_distributions(), declared()
    foreign = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            for name in {name.split(".")[0] for name in names} - {"laws", "calibrate", "planner"}:
                if name not in sys.stdlib_module_names:
                    distributions = {one.lower().replace("_", "-") for one in owners.get(name, [name])}
                    if not distributions & names_of_extras:
                        foreign[name] = str(path.relative_to(ROOT))
    # pandas and ArviZ: results convert to them where you have them; Markup is part of jinja2's interface
    assert foreign.keys() == {"pandas", "arviz", "markupsafe"}
