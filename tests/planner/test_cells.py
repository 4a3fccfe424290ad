"""Columns of cells as people write them: what one cell leaves open, its column decides or asks."""

import math

import pytest

from laws.errors import TableError
from planner import units
from planner.sources.cells import is_missing, plain_cells


def name(i: int) -> str:
    return f"row {i}"


@pytest.mark.parametrize(
    ("cells", "plain"),
    [
        (["1", "10", "1,000", "5,000"], ["1", "10", "1000", "5000"]),
        (["30,5%", "18,2%", "8,4%"], ["30.5%", "18.2%", "8.4%"]),
        (["1,340", "30,5"], ["1.340", "30.5"]),
        (["1.340", "30,5", "12.000,5"], ["1340", "30.5", "12000.5"]),
        (["1,340", "0.5"], ["1340", "0.5"]),
        (["1'340", "1'903", "12"], ["1340", "1903", "12"]),
        (["1\u202f340", "12 000 h"], ["1340", "12000 h"]),
        (["3m", "7b"], ["3M", "7b"]),
        (["125m", "1.3B"], ["125M", "1.3B"]),
        (["10m", "1 hour"], ["10min", "1 hour"]),
        ([1.5, None, "n/a", 3], [1.5, None, "n/a", 3]),
    ],
)
def test_a_consistent_column_is_read(cells: list[object], plain: list[object]) -> None:
    assert plain_cells(cells, name) == plain


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        (["1,340"], "ambiguous-number"),
        (["1,340", "1,903", "12,500"], "ambiguous-number"),
        (["3m"], "ambiguous-number"),
        (["3m", "7m"], "ambiguous-number"),
        (["0.5", "0,4"], "mixed-decimal-marks"),
    ],
)
def test_a_column_that_could_be_two_is_asked_about(cells: list[str], code: str) -> None:
    with pytest.raises(TableError) as refusal:
        plain_cells(cells, name)
    assert refusal.value.code == code
    assert refusal.value.value in cells


def test_the_answer_to_the_question_is_heard() -> None:
    assert plain_cells(["1,340"], name, mark=units.POINT) == ["1340"]
    assert plain_cells(["1,340"], name, mark=units.COMMA) == ["1.340"]
    assert plain_cells(["1,340"], name, delimiter=";") == ["1.340"]


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        " ",
        "NA",
        "n/a",
        "-",
        "None",
        "null",
        "NaN",
        "inf",
        "-Infinity",
        math.nan,
        math.inf,
        1.7976931348623157e308,
        -1.7976931348623157e308,
        "1.7976931348623157e+308",
    ],
)
def test_a_missing_value_is_known_by_its_words(content: object) -> None:
    assert is_missing(content)


@pytest.mark.parametrize("content", ["0", 0, 0.0, "low", "-1", True, "1e300"])
def test_what_was_written_is_not_missing(content: object) -> None:
    assert not is_missing(content)
