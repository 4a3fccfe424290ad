"""Odds of an error relative to the baseline error: y/(c − y).

A model that has learned nothing errs as often as the best constant answer, and no power law of log y
describes that: the curve is flat there, then falls faster and faster. The odds fall as a power law from the
start, where log y does so only far below c: y = c/(1 + (x/x0)^β). That is the sigmoid of Alabdulmohsin et al.
2022 (arXiv:2209.06640, equation 3), without its floor and of width one. Drift, floor and onset of
`laws/forecasting/drift.py` are then those of the odds.

| symbol | meaning |
| --- | --- |
| y | measured error |
| c | baseline error: error of the best constant answer (chance level) |
| x, x0, β | data size, size at which y is c/2, exponent |
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from laws.points import Points

Array = NDArray[np.float64]

BASELINE_BLUR = 0.01  # share of c by which the error of a model that has learned nothing may differ from c


def odds(points: Points, baseline_error: float) -> Points:
    """Convert measured errors to odds relative to the baseline error.

    Args:
        points: Points of one curve.
        baseline_error: Error c of the best constant answer.

    Returns:
        Points of y/(c − y). Their standard errors grow towards c, where the odds are hardly known. They carry
        no baseline error.
    """
    gap = np.maximum(baseline_error - points.y, BASELINE_BLUR * baseline_error)
    value = points.y / gap
    blur = BASELINE_BLUR * baseline_error / gap
    relative = 0.0 if points.y_se is None else points.y_se / points.y * baseline_error / gap
    return replace(points, y=value, y_se=value * np.hypot(blur, relative), baseline_error=None)


def log_error(log_odds: Array, baseline_error: float) -> Array:
    """Convert log odds back to log y.

    Args:
        log_odds: Logarithms of y/(c − y), of any shape.
        baseline_error: Error c of the best constant answer.

    Returns:
        log y, in the same shape.
    """
    return np.asarray(np.log(baseline_error) - np.logaddexp(0.0, -log_odds))


def log_steepness(y: Array, baseline_error: float) -> Array:
    """Return log of d log odds / d log y, the Jacobian between densities of log odds and of log y.

    Args:
        y: Errors, of any shape.
        baseline_error: Error c of the best constant answer.

    Returns:
        The logarithms, in the same shape.
    """
    return np.asarray(-np.log(np.maximum(1 - y / baseline_error, BASELINE_BLUR)))
