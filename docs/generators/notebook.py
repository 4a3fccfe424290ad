"""Run the tutorial notebooks and write their outputs: `python -m docs.generators.notebook`.

A notebook is JSON, so neither Jupyter nor a kernel is needed to run its cells in order, as a reader would.
"""

import ast
import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "tutorials"


def executed(notebook: dict[str, Any]) -> dict[str, Any]:
    """Run all code cells in order, in an empty folder, and return the notebook with their outputs.

    Args:
        notebook: The notebook as JSON.

    Returns:
        The same cells; outputs are what was printed, and the value of a last expression.
    """
    names: dict[str, Any] = {}
    cells, count = [], 0
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        for cell in notebook["cells"]:
            if cell["cell_type"] == "code":
                count += 1
                outputs = _run("".join(cell["source"]), names, count)
                cell = {**cell, "execution_count": count, "outputs": outputs}  # noqa: PLW2901
            cells.append(cell)
    return {**notebook, "cells": cells}


def _run(source: str, names: dict[str, Any], count: int) -> list[dict[str, Any]]:
    *body, last = ast.parse(source).body
    printed, value = io.StringIO(), None
    with contextlib.redirect_stdout(printed):
        if isinstance(last, ast.Expr):
            exec(compile(ast.Module(body, []), "cell", "exec"), names)
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
        else:
            exec(compile(ast.Module([*body, last], []), "cell", "exec"), names)
    outputs: list[dict[str, Any]] = []
    if text := printed.getvalue():
        outputs.append({"name": "stdout", "output_type": "stream", "text": text.splitlines(keepends=True)})
    if value is not None:
        outputs.append(
            {"data": _data(value), "execution_count": count, "metadata": {}, "output_type": "execute_result"}
        )
    return outputs


def _data(value: Any) -> dict[str, list[str]]:
    """Return a value as a notebook shows it: HTML where it has any, a picture of a figure, and text."""
    data: dict[str, list[str]] = {}
    if hasattr(value, "savefig"):
        import matplotlib as mpl

        picture = io.StringIO()
        with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "planner"}):
            value.savefig(picture, format="svg", metadata={"Date": None, "Creator": None})
        data["image/svg+xml"] = picture.getvalue().splitlines(keepends=True)
        return {**data, "text/plain": ["<Figure>"]}
    if hasattr(value, "_repr_html_"):
        data["text/html"] = value._repr_html_().splitlines(keepends=True)
    return {**data, "text/plain": repr(value).splitlines(keepends=True)}


def main() -> None:
    """Run every notebook and write it back."""
    for path in sorted(FOLDER.glob("*.ipynb")):
        notebook = executed(json.loads(path.read_text(encoding="utf-8")))
        path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        sys.stdout.write(f"{path.name}\n")


if __name__ == "__main__":
    main()
