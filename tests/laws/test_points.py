"""Every odd input of a measurement has one decided answer."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laws.errors import PlannerError
from laws.points import check_points

X, Y = [1.0, 2.0, 4.0, 8.0], [0.8, 0.6, 0.5, 0.4]


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        ([1, 2, np.nan], [0.5, 0.4, 0.3], "row 3: x is nan"),
        ([1, 2, np.inf], [0.5, 0.4, 0.3], "row 3: x is inf"),
        ([0, 2, 4], [0.5, 0.4, 0.3], "row 1: x is 0"),
        ([1, 2, 4], [0.5, np.nan, 0.3], "row 2: y is nan"),
        ([1, 2, 4], [0.5, np.inf, 0.3], "row 2: y is inf"),
        ([1, 2, 4], [0.5, 0.4, -0.1], "row 3: y is -0.1"),
        ([1, 2, 4], [50, 40, 30], "divide percentages by 100"),
        ([3], [0.5], "1 usable point"),
        ([3, 3, 3], [0.5, 0.4, 0.3], "all at one x = 3"),
        ([1, 2], [0.5, 0.0], "1 usable point"),
        ([1, 2], [0.0, 0.0], "0 usable point"),
        ([], [], "there are no points"),
        ([1, 2], [0.5], "shape"),
        (["a", 2], [0.5, 0.4], "not a number"),
        ([[1, 2], [1, 3], [1, 4]], [0.5, 0.4, 0.3], "all at one params = 1"),
        ([[1, 2], [2, 2], [3, 2]], [0.5, 0.4, 0.3], "all at one data = 2"),
    ],
)
def test_what_cannot_be_fitted_is_refused_in_one_line_with_the_value(x, y, said):
    with pytest.raises(PlannerError, match=said) as caught:
        check_points(x, y, rate=True)
    assert "\n" not in str(caught.value)


def test_order_says_nothing_and_columns_stay_together():
    order = [2, 0, 3, 1]
    points = check_points(
        np.array(X)[order],
        np.array(Y)[order],
        y_se=np.array([1, 2, 3, 4])[order] / 100,
        weight=np.array(X)[order],
    )
    assert points.x.tolist() == X
    assert points.y.tolist() == Y
    assert points.y_se.tolist() == [0.01, 0.02, 0.03, 0.04]
    assert points.weight.tolist() == X
    assert points.warnings == ()


def test_an_error_of_zero_is_left_out_with_a_warning():
    points = check_points(X, [0.8, 0.6, 0.5, 0.0])
    assert len(points) == 3
    assert points.warnings == ("zero-left-out",)


def test_a_rate_above_one_is_kept_with_a_warning_and_a_loss_above_one_is_no_matter():
    assert check_points(X, [1.3, 0.9, 0.7, 0.6], rate=True).warnings == ("rate-above-one",)
    assert check_points(X, [13.0, 9.0, 7.0, 6.0]).warnings == ()


@pytest.mark.parametrize("column", ["y_se", "weight"])
@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
def test_a_bad_standard_error_or_weight_is_named(column, bad):
    with pytest.raises(PlannerError, match=f"row 2: {column} is"):
        check_points(X, Y, **{column: [0.1, bad, 0.1, 0.1]})


def test_a_ceiling_has_to_be_a_number_above_zero():
    with pytest.raises(PlannerError, match="the baseline error is nan"):
        check_points(X, Y, baseline_error=float("nan"))


@settings(deadline=None, max_examples=200)
@given(
    st.lists(st.tuples(st.floats(allow_nan=True), st.floats(allow_nan=True)), max_size=8),
    st.booleans(),
)
def test_any_numbers_give_finite_ascending_points_or_one_line(rows, rate):
    try:
        points = check_points([x for x, _ in rows], [y for _, y in rows], rate=rate)
    except PlannerError as refusal:
        assert "\n" not in str(refusal)
        return
    assert np.all(np.isfinite(points.x) & (points.x > 0) & np.isfinite(points.y) & (points.y > 0))
    assert np.all(np.diff(points.x) >= 0)
    assert points.distinct >= 2
