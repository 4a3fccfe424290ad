"""Detect series that are running minima: the best value so far instead of each measured value.

Collections often keep, at each checkpoint, the lowest error so far. Such a series never rises, is below the
law by a little more than its own scatter, and is followed by measurements that scatter more than it does. The
file does not say so, but independent noise would have made a long series rise somewhere.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MIN_SCALES = 8  # from which on it means something that a series never rises
PRIOR_PROBABILITY = 0.2  # that a series is a running minimum, before it is looked at
# In units of the series' own scatter: how far the next measurement is above it, and how much it adds to the
# scatter. Simulated minima of independent noise have .1 to 1.2 and .9 to 1.4 where one value in ten repeats,
# .5 to 2 and 1.3 to 1.8 where one in three does (tests/laws/test_running_minima.py).
LIFT, ADDED_SCATTER = 1.0, 1.0


def probability(x: Array, y: Array, sigma: Array) -> Array:
    """Return the probability that a series is a running minimum.

    Bayes' rule over two explanations of a series that never rises: it was made so, or the noise of log y
    happened to allow it. The law's fall from one scale to the next is the mean of the five steps around it.

    Args:
        x: Scales (n,).
        y: Values (n,).
        sigma: Noise of log y in each posterior sample (W,).

    Returns:
        Probabilities (W,); zeros for a series that rises, or with fewer than MIN_SCALES scales.
    """
    from scipy.special import log_ndtr

    scales, index = np.unique(x, return_inverse=True)
    steps = np.diff(np.bincount(index, np.log(y)) / np.bincount(index))
    if len(scales) < MIN_SCALES or steps.max() > 0:
        return np.zeros(len(sigma))
    five = np.ones(min(5, len(steps)))
    fall = np.convolve(steps, five, "same") / np.convolve(np.ones(len(steps)), five, "same")
    by_chance = log_ndtr(-fall / (np.sqrt(2) * sigma[:, None])).sum(1)
    return np.asarray(PRIOR_PROBABILITY / (PRIOR_PROBABILITY + (1 - PRIOR_PROBABILITY) * np.exp(by_chance)))
