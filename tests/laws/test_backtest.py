"""Back-tests: what is left out is not seen, known laws are forecast, plain lines are what they say."""

import numpy as np
import pytest

from laws.errors import InputError
from laws.forecasting.backtest import MISSED, backtest
from laws.points import check_points

X = np.geomspace(1e2, 1e5, 10)


def curve(seed, *, noise=0.01, floor=0.05):
    return check_points(
        X, (2 * X**-0.3 + floor) * np.exp(noise * np.random.default_rng(seed).standard_normal(len(X)))
    )


def test_the_largest_sizes_are_left_out_and_not_seen():
    points = curve(0)
    tested = backtest(points, "power", seed=0)
    assert [row.data for row in tested.rows] == pytest.approx(X[-3:])
    assert (tested.kept, tested.largest_kept) == (7, pytest.approx(X[-4]))
    late = points.x >= X[-3]
    other = check_points(points.x, np.where(late, 2 * points.y, points.y))
    again = backtest(other, "power", seed=0)
    assert [row.quantiles for row in again.rows] == [row.quantiles for row in tested.rows]
    assert [row.measured for row in again.rows] == pytest.approx([2 * row.measured for row in tested.rows])


def test_scores_are_those_of_the_definitions():
    row = backtest(curve(0), "power", seed=0, leave_out=1).rows[0]
    low, _, high = np.log(row.quantiles)
    beyond = max(low - np.log(row.measured), np.log(row.measured) - high, 0)
    assert row.interval_score == pytest.approx(high - low + MISSED * beyond)
    assert row.inside is bool(low <= np.log(row.measured) <= high)


def test_plain_lines_are_least_squares():
    points = curve(1, noise=0.0)
    tested = backtest(points, "power-floor", seed=0, leave_out=2)
    slope, level = np.polyfit(np.log(X[:-2]), np.log(points.y[:-2]), 1)
    for row in tested.rows:
        assert row.plain["power"] == pytest.approx(np.exp(level + slope * np.log(row.data)))
        assert row.plain["power-floor"] == pytest.approx(row.measured, rel=0.01)  # without noise it is exact
    assert tested.rmsle["power-floor"] < tested.rmsle["power"]


def test_a_joint_law_leaves_out_the_most_compute():
    params, data = np.meshgrid([1e7, 3e7, 1e8, 3e8], [1e9, 3e9, 1e10])
    x = np.column_stack([params.ravel(), data.ravel()])
    y = 1.7 + 400 / x[:, 0] ** 0.34 + 410 / x[:, 1] ** 0.28
    y *= np.exp(0.005 * np.random.default_rng(0).standard_normal(len(y)))
    tested = backtest(check_points(x, y), "surface", seed=0, leave_out=2)
    assert [(row.params, row.data) for row in tested.rows][-1] == (3e8, 1e10)
    assert all(row.inside for row in tested.rows)
    assert abs(tested.bias) < 0.05


@pytest.mark.parametrize("leave_out", [0, 8, 20])
def test_three_sizes_stay(leave_out):
    with pytest.raises(InputError) as refused:
        backtest(curve(0), "power", seed=0, leave_out=leave_out)
    assert refused.value.code == "too-few-sizes"
    with pytest.raises(InputError):
        backtest(check_points(X[:3], X[:3] ** -0.3), "power", seed=0)


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_intervals_of_known_curves_hold():
    """Of 60 curves with 3 sizes left out, .9 of 180 are due; below .82 or above .97 is one alarm in 100."""
    inside = [
        row.inside
        for seed in range(60)
        for row in backtest(curve(seed, noise=0.02), "forecast", seed=seed).rows
    ]
    assert 0.82 <= np.mean(inside) <= 0.99
