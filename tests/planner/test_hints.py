"""Errors and their hints, as one line for a terminal."""

import pytest

from laws.errors import PlannerError, UnknownName, drop, run, use
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


def test_a_message_in_python_mentions_no_option() -> None:
    hints = (
        run("fit", value="RUNS.csv --domain my-asr", purpose="to fit a law of it"),
        use("data_column", purpose="to name the column of the data size"),
        drop("single_form"),
    )
    error = PlannerError("no law", hint=hints)
    assert "--" not in str(error)
    assert "--domain my-asr" in line(error)
