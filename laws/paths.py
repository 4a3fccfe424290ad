"""Read a law's paths forwards (error at a scale) and backwards (scale for an error), draw by draw.

Pure Python on purpose: `planner estimate` answers from stored draws without numpy. A path is log y over a
common grid of log x; between grid points it is a straight line in log-log space, which is exact for a power
law and, at the 0.05-decade spacing that fits store, within 1e-4 for the other forms.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence

INFINITE = math.inf


def value_at(grid: Sequence[float], path: Sequence[float], log_x: float) -> float:
    """Return log y of one path at log_x, continued with the path's end slope outside the grid."""
    i = min(max(bisect_right(grid, log_x) - 1, 0), len(grid) - 2)
    slope = (path[i + 1] - path[i]) / (grid[i + 1] - grid[i])
    return path[i] + slope * (log_x - grid[i])


def inverse(grid: Sequence[float], path: Sequence[float], log_y: float) -> float:
    """Return the smallest log x from which on a path stays at or below log_y; inf when it never is.

    A path that comes down to log_y and ends above it, as over a hump, counts from where it first comes down.
    A target above the path's first point is continued backwards with the first slope, so a target that
    the smallest measured set already beats comes back as less data than that, not as the grid's edge.
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
    """Return the inverted-CDF quantile: a member of the sample, so infinities never turn into NaN."""
    ordered = sorted(values)
    return ordered[min(max(math.ceil(level * len(ordered)) - 1, 0), len(ordered) - 1)]
