"""Every unusual input of a measurement has one defined answer."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from laws.errors import InputError
from laws.points import MAX_MAGNITUDE, MIN_MAGNITUDE, check_points

X, Y = [1.0, 2.0, 4.0, 8.0], [0.8, 0.6, 0.5, 0.4]


@pytest.mark.parametrize(
    ("x", "y", "code", "value"),
    [
        ([1, 2, np.nan], [0.5, 0.4, 0.3], "bad-value", np.nan),
        ([1, 2, np.inf], [0.5, 0.4, 0.3], "bad-value", np.inf),
        ([0, 2, 4], [0.5, 0.4, 0.3], "bad-value", 0),
        ([1, 2, 1e305], [0.5, 0.4, 0.3], "bad-value", 1e305),
        ([1e-305, 2, 4], [0.5, 0.4, 0.3], "bad-value", 1e-305),
        ([1, 2, 4], [0.5, np.nan, 0.3], "bad-value", np.nan),
        ([1, 2, 4], [0.5, np.inf, 0.3], "bad-value", np.inf),
        ([1, 2, 4], [0.5, 0.4, -0.1], "bad-value", -0.1),
        ([1, 2, 4], [0.5, 1e-200, 0.1], "bad-value", 1e-200),
        ([1, 2, 4], [50, 40, 30], "bad-value", 50),
        ([3], [0.5], "one-size", None),
        ([3, 3, 3], [0.5, 0.4, 0.3], "one-size", None),
        ([1, 2], [0.5, 0.0], "one-size", None),
        ([1, 2], [0.0, 0.0], "one-size", None),
        ([], [], "no-points", None),
        ([1, 2], [0.5], "shapes-differ", None),
        (["a", 2], [0.5, 0.4], "not-a-number", None),
        ([[1, 2], [1, 3], [1, 4]], [0.5, 0.4, 0.3], "one-size", None),
        ([[1, 2], [2, 2], [3, 2]], [0.5, 0.4, 0.3], "one-size", None),
    ],
)
def test_input_that_cannot_be_fitted_is_refused_in_one_line_with_its_value(
    x: list[float], y: list[float], code: str, value: float | None
) -> None:
    with pytest.raises(InputError) as caught:
        check_points(x, y, rate=True)
    assert caught.value.code == code
    assert caught.value.value == pytest.approx(value, nan_ok=True)
    assert "\n" not in str(caught.value)


def test_a_refused_value_is_named_by_row_and_column() -> None:
    with pytest.raises(InputError, match=r"row 2, y: expected .* got nan"):
        check_points([1, 2, 4], [0.5, np.nan, 0.3])


def test_points_are_sorted_and_columns_stay_together() -> None:
    order = [2, 0, 3, 1]
    points = check_points(
        np.array(X)[order],
        np.array(Y)[order],
        y_se=np.array([1, 2, 3, 4])[order] / 100,
        weight=np.array(X)[order],
    )
    assert points.x.tolist() == X
    assert points.y.tolist() == Y
    assert points.y_se is not None
    assert points.y_se.tolist() == [0.01, 0.02, 0.03, 0.04]
    assert points.weight is not None
    assert points.weight.tolist() == X
    assert points.warnings == ()


def test_an_error_of_zero_is_left_out_with_a_warning() -> None:
    points = check_points(X, [0.8, 0.6, 0.5, 0.0])
    assert len(points) == 3
    assert points.warnings == ("zero-left-out",)


def test_a_rate_above_one_is_kept_with_a_warning_and_a_loss_above_one_without() -> None:
    assert check_points(X, [1.3, 0.9, 0.7, 0.6], rate=True).warnings == ("rate-above-one",)
    assert check_points(X, [13.0, 9.0, 7.0, 6.0]).warnings == ()


@pytest.mark.parametrize(("column", "code"), [("y_se", "bad-standard-error"), ("weight", "bad-weight")])
@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_a_bad_standard_error_or_weight_is_refused(column: str, code: str, bad: float) -> None:
    with pytest.raises(InputError, match=f"row 2, {column}") as caught:
        check_points(X, Y, **{column: [0.1, bad, 0.1, 0.1]})  # type: ignore[arg-type]
    assert caught.value.code == code


def test_a_standard_error_that_leaves_no_information_is_refused() -> None:
    assert check_points(X, Y, y_se=[99 * y for y in Y]).y_se is not None
    with pytest.raises(InputError) as caught:
        check_points(X, Y, y_se=[0.1, 0.1, 1e6, 0.1])
    assert caught.value.code == "bad-standard-error"
    assert caught.value.value == 1e6


@pytest.mark.parametrize("bad", [float("nan"), 0.0, float("inf")])
def test_a_baseline_error_has_to_be_a_finite_number_above_zero(bad: float) -> None:
    with pytest.raises(InputError) as caught:
        check_points(X, Y, baseline_error=bad)
    assert caught.value.code == "bad-baseline-error"


_GOOD = st.floats(MIN_MAGNITUDE, MAX_MAGNITUDE)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(_GOOD, _GOOD), min_size=2, max_size=8))
def test_good_numbers_give_finite_ascending_points(rows: list[tuple[float, float]]) -> None:
    assume(len({x for x, _ in rows}) > 1)
    points = check_points([x for x, _ in rows], [y for _, y in rows])
    assert sorted(zip(points.x, points.y, strict=True)) == sorted(rows)
    assert np.all(np.diff(points.x) >= 0)
    assert points.distinct >= 2


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(_GOOD, _GOOD), min_size=1, max_size=7),
    st.floats(allow_nan=True).filter(lambda v: not MIN_MAGNITUDE <= v <= MAX_MAGNITUDE),
)
def test_one_bad_number_among_good_ones_is_refused_by_its_row(
    rows: list[tuple[float, float]], bad: float
) -> None:
    with pytest.raises(InputError, match=f"row {len(rows) + 1}, x") as caught:
        check_points([*(x for x, _ in rows), bad], [*(y for _, y in rows), 0.5])
    assert caught.value.code == "bad-value"
