"""docs/reference/errors.md has every code of the sources, with its class, a meaning and a next step."""

import inspect
import re

import pytest

from docs.generators import errors as generator
from laws import errors

CODES = generator.codes()
CLASSES = [
    kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.PlannerError)
]


def test_every_code_has_a_meaning_and_no_meaning_is_left_over() -> None:
    assert sorted(CODES.keys() ^ generator.MEANINGS.keys()) == []


def test_the_page_is_what_its_script_gives() -> None:
    assert generator.PAGE.read_text(encoding="utf-8") == generator.page(), (
        "run python -m docs.generators.errors"
    )


@pytest.mark.parametrize("code", CODES)
def test_a_code_is_lower_case_words_with_hyphens(code: str) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z0-9…]+)*", code)


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_is_in_the_tree_and_has_a_code(kind: type[errors.PlannerError]) -> None:
    assert kind.__name__ in (errors.__doc__ or "")
    assert kind.code in CODES
