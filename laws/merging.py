"""Merge measurements at nearly the same data size, where there are more than a fit needs.

Time and memory of a fit grow faster than its points, and hundreds of points within a percent of one another
say little more than their median. The range of log x is cut into equal cells; the points of a cell become one
at their mean log x and median log y. Of k points it has the weight 2k/π, the efficiency of a median of normal
noise (Kenney and Keeping 1951, part 2, section 8.11), so the scale of the noise stays that of one training.
Cells are narrow (a decade has 40 or more where the data spans six), so a law hardly bends within one.
"""

from dataclasses import replace

import numpy as np

from laws.codes import WarningCode
from laws.points import Points

MAX_POINTS = 500  # fitted as they are
CELLS = 250
MEDIAN_EFFICIENCY = 2 / np.pi


def merge_neighbors(points: Points) -> Points:
    """Return at most MAX_POINTS points of a curve.

    Args:
        points: The measured points of one curve, x of shape (n,).

    Returns:
        The points themselves where they are few enough; else one for each cell that has any, with the warning
        `points-merged`.
    """
    if len(points) <= MAX_POINTS:
        return points
    log_x, log_y = np.log(points.x), np.log(points.y)
    cell = np.minimum((CELLS * (log_x - log_x[0]) / (log_x[-1] - log_x[0])).astype(int), CELLS - 1)
    members = [np.flatnonzero(cell == number) for number in np.unique(cell)]
    x, y = (
        np.exp([reduce(column[rows]) for rows in members])
        for column, reduce in ((log_x, np.mean), (log_y, np.median))
    )
    weight = np.ones(len(points)) if points.weight is None else points.weight
    y_se = None
    if points.y_se is not None:
        relative = points.y_se / points.y
        y_se = y * [float(np.median(relative[rows])) / _gain(len(rows)) ** 0.5 for rows in members]
    return replace(
        points,
        x=x,
        y=y,
        y_se=y_se,
        weight=np.array([weight[rows].mean() * _gain(len(rows)) for rows in members]),
        warnings=(*points.warnings, WarningCode.POINTS_MERGED),
    )


def _gain(count: int) -> float:
    """Return how many times the weight of one point the median of some has."""
    return max(1.0, MEDIAN_EFFICIENCY * count)
