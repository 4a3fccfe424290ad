"""Paths read backwards: where a target is reached for good, also on paths that rise in between."""

import math

import pytest

from laws.paths import inverse, value_at

GRID = (0.0, 1.0, 2.0, 3.0, 4.0)


@pytest.mark.parametrize(
    ("path", "target", "log_x"),
    [
        ((4.0, 3.0, 2.0, 1.0, 0.0), 1.5, 2.5),
        ((4.0, 3.0, 2.0, 1.0, 0.0), 1.0, 3.0),
        ((4.0, 3.0, 2.0, 1.0, 0.0), -0.5, math.inf),
        ((4.0, 3.0, 2.0, 1.0, 0.0), 5.0, -1.0),  # continued backwards
        ((4.0, 1.0, 3.0, 2.0, 0.0), 1.5, 3.25),  # over a hump: where it stays below
        ((4.0, 1.0, 3.0, 2.0, 2.0), 1.5, 5 / 6),  # it ends above: where it was once
        ((1.0, 3.0, 2.0, 2.0, 0.0), 1.5, 3.25),  # it begins below and comes back
        ((1.0, 3.0, 2.0, 2.0, 2.0), 1.5, 0.0),  # it begins below and does not come back
        ((2.0, 2.0, 2.0, 2.0, 2.0), 2.0, -math.inf),  # flat at the target
        ((2.0, 2.0, 2.0, 2.0, 2.0), 1.0, math.inf),
    ],
)
def test_a_target_is_reached_where_the_path_stays_below_it(path, target, log_x):
    assert inverse(GRID, path, target) == pytest.approx(log_x)
    if math.isfinite(log_x) and log_x > 0:
        assert value_at(GRID, path, log_x) == pytest.approx(target)
