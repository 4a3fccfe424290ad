"""The notebooks run from top to bottom, and show what they print now."""

import json

import pytest

from docs.generators.notebook import FOLDER, executed

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def texts(notebook):
    """Return the outputs of each code cell as text; the bytes of a picture differ between versions."""
    return [
        ["".join(output.get("text") or output["data"]["text/plain"]) for output in cell["outputs"]]
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
    ]


def test_there_is_a_tutorial():
    assert NOTEBOOKS


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_what_it_prints(path):
    pytest.importorskip("matplotlib")
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    assert texts(executed(notebook)) == texts(notebook)
