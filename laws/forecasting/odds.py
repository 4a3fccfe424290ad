"""Read an error as odds against best guessing: y/(c − y), where the error c of best guessing is known.

A model that has learned nothing errs as often as the best guess, and no law of log y says so: there the
curve is flat, then falls faster and faster. The odds of an error fall as a power law from the start where
log y does only far below c, where both are the same: y = c/(1 + (x/x0)^β). That is the sigmoid that
Alabdulmohsin et al. 2022 (arXiv:2209.06640, equation 3) fit, without its floor and of width one; the drift,
the floor and the onset of `laws/forecasting/drift.py` are then those of the odds.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from laws.points import Points

Array = NDArray[np.float64]

BLUR = 0.01  # share of c by which a model that has learned nothing may err otherwise than the best guess


def odds(points: Points, ceiling: float) -> Points:
    """Return points of the odds y/(c − y), whose standard errors grow towards the ceiling c."""
    gap = np.maximum(ceiling - points.y, BLUR * ceiling)
    value = points.y / gap
    blur = BLUR * ceiling / gap
    known = 0.0 if points.y_se is None else points.y_se / points.y * ceiling / gap
    return replace(points, y=value, y_se=value * np.hypot(blur, known), baseline_error=None)


def log_error(log_odds: Array, ceiling: float) -> Array:
    """Return log y of log odds."""
    return np.asarray(np.log(ceiling) - np.logaddexp(0.0, -log_odds))


def log_steepness(y: Array, ceiling: float) -> Array:
    """Return log of d log odds / d log y at y: what a density of log odds is of log y, divided by it."""
    return np.asarray(-np.log(np.maximum(1 - y / ceiling, BLUR)))
