"""Every warning code that the program can give has its sentence, its section, and nothing else has one."""

import ast
import re
from pathlib import Path

import pytest

from laws.codes import WarningCode
from planner.severity import Severity, ranked, severity, short
from planner.warnings import WARNINGS, sentence

ROOT = Path(__file__).parent.parent.parent


SOURCES = [path for package in ("laws", "calibrate", "planner") for path in (ROOT / package).rglob("*.py")]


def raised_codes() -> set[str]:
    """Return the members of WarningCode that the program uses."""
    return {
        node.attr
        for path in SOURCES
        if path not in (ROOT / "planner" / "warnings.py", ROOT / "planner" / "severity.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "WarningCode"
    }


def test_every_code_is_given_somewhere_and_has_a_sentence() -> None:
    assert raised_codes() == {code.name for code in WarningCode}
    assert set(WARNINGS) == set(WarningCode)


def test_every_sentence_has_a_section_and_every_section_a_sentence():
    page = (ROOT / "docs" / "reference" / "warnings.md").read_text(encoding="utf-8")
    sections = re.findall(r"^### (.+)$", page, re.MULTILINE)
    assert sorted(sections) == sorted(WARNINGS)


@pytest.mark.parametrize("code", sorted(WARNINGS))
def test_a_code_is_plain_and_its_sentence_is_one(code):
    assert re.fullmatch("[a-z-]+", code)
    assert sentence(code).endswith(".")
    assert "\n" not in sentence(code)


def test_a_code_of_a_newer_version_is_shown_as_it_is():
    assert "not-yet-known" in sentence("not-yet-known")


@pytest.mark.parametrize("code", sorted(WARNINGS))
def test_every_code_has_a_severity_and_a_line_that_fits_next_to_it(code):
    assert severity(code) in Severity
    assert short(code) != sentence(code)
    assert len(f"! {short(code)}   {code}") <= 110
    assert len(short(code)) <= 66
    assert short(code).endswith(".")


def test_serious_warnings_come_first_and_unknown_ones_before_notes():
    codes = ranked([*sorted(WARNINGS), "not-yet-known", "one-point"])
    assert sorted(codes) == sorted([*WARNINGS, "not-yet-known"])
    severities = [severity(code) for code in codes]
    assert severities == sorted(severities, reverse=True)
    assert severity("not-yet-known") is Severity.CAUTION
