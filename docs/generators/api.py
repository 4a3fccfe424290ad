"""Print the reference of the Python API from its own docstrings, and Python sessions for the pages.

In a page:

    <!-- [[[cog import docs.generators.api as a; a.reference() ]]] -->
    <!-- [[[end]]] -->
"""

import ast
import inspect
import sys
from typing import Any

import planner


def reference() -> None:
    """Print a section for each public name: signature, docstring, and the members of classes."""
    lines = [""]
    for name in sorted(planner.__all__, key=lambda name: (name[0].isupper(), name)):
        lines += _section(f"planner.{name}", getattr(planner, name), "##")
        if inspect.isclass(getattr(planner, name)):
            for member, value in vars(getattr(planner, name)).items():
                if not member.startswith("_") and inspect.getdoc(value):
                    lines += _section(f"{name}.{member}", value, "###")
    sys.stdout.write("\n".join(lines) + "\n")


def _section(name: str, value: Any, heading: str) -> list[str]:
    signature = str(inspect.signature(value)) if inspect.isroutine(value) else ""
    for prefix in (
        "collections.abc.",
        "pathlib.",
        "datetime.",
        "planner.api.",
        "law.",
        "plan.",
        "samples.",
        "comparison.",
    ):
        signature = signature.replace(prefix, "")
    signature = signature.replace("self, ", "").replace("(self)", "()")
    code = ["```python", f"{name.rsplit('.', maxsplit=1)[-1]}{signature}", "```", ""] if signature else []
    return [f"{heading} {name}", "", *code, "```text", inspect.getdoc(value) or "", "```", ""]


def session(code: str, names: dict[str, Any]) -> None:
    """Run Python as in a notebook and print it with what its expressions show.

    Args:
        code: Statements; the value of an expression is printed after it.
        names: The variables of the page, which later sessions on it share.
    """
    lines = ["", "```pycon"]
    source = code.strip().splitlines()
    for node in ast.parse(code.strip()).body:
        text = source[node.lineno - 1 : node.end_lineno]
        lines += [f"{'...' if i else '>>>'} {line}" for i, line in enumerate(text)]
        block = compile(ast.Module([node], []), "page", "exec")
        if isinstance(node, ast.Expr):
            value = eval(compile(ast.Expression(node.value), "page", "eval"), names)
            lines += repr(value).splitlines()
        else:
            exec(block, names)
    sys.stdout.write("\n".join([*lines, "```", "", ""]))
