"""Series that are running minima: the best value so far, not what was measured.

Collections often keep, at each checkpoint, the lowest error so far. Such a series never rises, lies below the
law by a little more than its own scatter, and is followed by measurements that scatter more than it does.
Nothing says so in the file, but independent noise would have made a long series rise somewhere.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FEWEST = 8  # scales from which on never rising says something
BEFORE = 0.2  # share of series that never rise by rule, not by chance, before one is seen
# In units of the series' own scatter: how far the next measurement lies above, and how much it adds to the
# scatter. Simulated minima of independent noise have .1 to 1.2 and .9 to 1.4 where one value in ten repeats,
# .5 to 2 and 1.3 to 1.8 where one in three does (tests/laws/test_minima.py).
ABOVE, WIDER = 1.0, 1.0


def probability(x: Array, y: Array, sigma: Array) -> Array:
    """Return the probability (W,) that y (n,) at x (n,) is a running minimum, if its noise is sigma (W,).

    Bayes' rule over two explanations of a series that never rises: it was made so, or the noise of log y
    happened to let it. The law's fall from scale to scale is the mean of five steps around.
    """
    from scipy.special import log_ndtr

    places, where = np.unique(x, return_inverse=True)
    steps = np.diff(np.bincount(where, np.log(y)) / np.bincount(where))
    if len(places) < FEWEST or steps.max() > 0:
        return np.zeros(len(sigma))
    five = np.ones(min(5, len(steps)))
    fall = np.convolve(steps, five, "same") / np.convolve(np.ones(len(steps)), five, "same")
    by_chance = log_ndtr(-fall / (np.sqrt(2) * sigma[:, None])).sum(1)
    return np.asarray(BEFORE / (BEFORE + (1 - BEFORE) * np.exp(by_chance)))
