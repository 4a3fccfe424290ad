"""The drawing of the house, held against the code: arrows run down, there is no circle."""

import ast
import graphlib
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


# what a folder of `planner/` may import of the others; the files beside them serve all
INSIDE = {
    "commands": {"pages", "plans", "measuring", "reading", "machines"},
    "pages": {"plans", "measuring", "reading", "machines"},
    "plans": {"reading", "machines"},
    "measuring": {"reading", "machines"},
    "reading": set[str](),
    "machines": set[str](),
}


@pytest.mark.parametrize("folder", INSIDE)
def test_the_folders_of_the_planner_stand_on_each_other(folder: str) -> None:
    for path in sorted((ROOT / "planner" / folder).glob("*.py")):
        used = {
            parts[1] for name in imports_of(path) if (parts := name.split("."))[0] == "planner" and parts[1:]
        }
        assert used & INSIDE.keys() <= INSIDE[folder] | {folder}, path
