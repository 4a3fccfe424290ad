"""Errors and their hints, as one line for a terminal."""

import pytest

from laws.errors import PlannerError, UnknownName, run
from planner.commands.hints import line

HINT = run("laws", "list", purpose="to see all laws")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("no law matches", "no law matches. Run `planner laws list` to see all laws."),
        (
            "no law x; did you mean 'y'?",
            "no law x; did you mean 'y'? Run `planner laws list` to see all laws.",
        ),
    ],
)
def test_a_hint_follows_a_message_with_one_punctuation_mark(message: str, expected: str) -> None:
    error = PlannerError(message, hint=HINT)
    assert line(error) == expected
    assert str(error).startswith(expected.partition(" Run")[0] + " ")


def test_a_question_about_a_near_name_ends_without_a_period() -> None:
    text = line(UnknownName("domain", "speach", ["speech", "text"], hint=HINT))
    assert "? Run `planner laws list`" in text
    assert "?." not in text


def test_a_message_without_hints_is_printed_as_it_is() -> None:
    assert line(PlannerError("no law matches")) == "no law matches"
