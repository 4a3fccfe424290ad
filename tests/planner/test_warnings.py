"""Every warning code that the program can give has its sentence, its section, and nothing else has one."""

import ast
import re
from pathlib import Path

import pytest

from planner.warnings import WARNINGS, sentence

ROOT = Path(__file__).parent.parent.parent
CODE = re.compile(r"[a-z]+(-[a-z]+)+")


def given_codes():
    """Return the hyphenated texts in statements about warnings, and in functions that collect them."""
    codes = set()
    for path in [p for floor in ("laws", "calibrate", "planner") for p in (ROOT / floor).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            simple = isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr | ast.Return)
            about = simple and "warnings" in ast.unparse(node)
            collects = isinstance(node, ast.FunctionDef) and node.name.endswith(("warnings", "doubts"))
            if (about or collects) and path.name != "warnings.py":
                asked = {  # what is compared with is no code that is given
                    id(part)
                    for compare in ast.walk(node)
                    if isinstance(compare, ast.Compare)
                    for part in ast.walk(compare)
                }
                texts = (getattr(part, "value", None) for part in ast.walk(node) if id(part) not in asked)
                codes |= {text for text in texts if isinstance(text, str) and CODE.fullmatch(text)}
    return codes


def test_the_codes_in_the_source_are_found():
    assert {
        "extrapolated-far",
        "few-points",
        "zero-left-out",
        "price-old",
        "no-interval",
    } <= given_codes()


@pytest.mark.parametrize("code", sorted(given_codes()))
def test_every_code_has_a_sentence(code):
    assert code in WARNINGS


def test_every_sentence_has_a_section_and_every_section_a_sentence():
    page = (ROOT / "docs" / "warnings.md").read_text(encoding="utf-8")
    sections = re.findall(r"^### (.+)$", page, re.MULTILINE)
    assert sorted(sections) == sorted(WARNINGS)


@pytest.mark.parametrize("code", sorted(WARNINGS))
def test_a_code_is_plain_and_its_sentence_is_one(code):
    assert re.fullmatch("[a-z-]+", code)
    assert sentence(code).endswith(".")
    assert "\n" not in sentence(code)


def test_a_code_of_a_newer_version_is_shown_as_it_is():
    assert "not-yet-known" in sentence("not-yet-known")
