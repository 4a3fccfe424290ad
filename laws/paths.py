"""Evaluate a law's paths forwards (error at a scale) and backwards (scale for an error).

Pure Python on purpose: `planner estimate` answers from stored samples without importing numpy. A path is log
y over a common grid of log x, one per posterior sample. Between grid points it is a straight line in log-log
space: exact for a power law and, at the 0.05-decade spacing that laws store, within 1e-4 for the other forms.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence

INFINITE = math.inf


def value_at(grid: Sequence[float], path: Sequence[float], log_x: float) -> float:
    """Return log y of one path at one scale.

    Args:
        grid: log x, ascending.
        path: log y at each grid point.
        log_x: The scale; outside the grid the path continues with its end slope.

    Returns:
        log y.
    """
    i = min(max(bisect_right(grid, log_x) - 1, 0), len(grid) - 2)
    slope = (path[i + 1] - path[i]) / (grid[i + 1] - grid[i])
    return path[i] + slope * (log_x - grid[i])


def inverse(grid: Sequence[float], path: Sequence[float], log_y: float) -> float:
    """Return the smallest log x from which on a path stays at or below log_y.

    A path that falls to log_y and ends above it, as over a hump, counts from where it first reaches log_y.
    For a target above the path's first point the first slope is continued backwards, so a target that the
    smallest measured set already beats gives less data than that, not the grid's edge.

    Args:
        grid: log x, ascending.
        path: log y at each grid point.
        log_y: The target.

    Returns:
        log x; inf where the path never reaches the target.
    """
    if min(path) > log_y:
        return INFINITE
    last = len(path) - 1
    above = next((i for i in range(last, -1, -1) if path[i] > log_y), None)
    if above == last:
        above = next((i for i in range(last) if path[i] > log_y >= path[i + 1]), last)
    if above == last:
        return grid[0]
    if above is None:
        slope = (path[1] - path[0]) / (grid[1] - grid[0])
        return grid[0] + (log_y - path[0]) / slope if slope < 0 else -INFINITE
    share = (path[above] - log_y) / (path[above] - path[above + 1])
    return grid[above] + share * (grid[above + 1] - grid[above])


def quantile(values: Sequence[float], level: float) -> float:
    """Return the inverted-CDF quantile: a member of the sample, so infinities never become NaN.

    Args:
        values: The sample.
        level: Between 0 and 1.

    Returns:
        The smallest value with at least the share `level` of the sample at or below it.
    """
    ordered = sorted(values)
    return ordered[min(max(math.ceil(level * len(ordered)) - 1, 0), len(ordered) - 1)]
