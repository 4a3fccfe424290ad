"""How far a joint law may drift beyond the largest compute that it was fitted to.

The posterior of L(N, D) says how uncertain its parameters are if its form is right. Beyond the measurements
the form is not exactly right: of the runs that were left out of six ladders, up to 100 times beyond in
compute (parameters times data), its 90 % intervals held 79 %. So each posterior sample drifts: log L changes
by `rate` for each decade of compute beyond the largest measured, the rates are normal around 0, and a drift
ends after MAX_DECADES. With it the intervals held 93 %, and medians are as before (docs/research/trust.md).
Pure Python: `planner estimate` imports it.
"""

import math
from statistics import NormalDist

DRIFT = 0.035  # standard deviation of the rates, per decade of compute
MAX_DECADES = 3.0
MAX_LOG = 700.0  # beyond it no float is large enough
_GOLDEN = (math.sqrt(5) - 1) / 2


def drift_rates(count: int) -> tuple[float, ...]:
    """Return the rates of posterior samples: normal, evenly spread, the same for the same number.

    Args:
        count: How many samples.

    Returns:
        Change of log L per decade of compute, one per sample; neighbors differ.
    """
    normal = NormalDist(0.0, DRIFT)
    return tuple(normal.inv_cdf((0.5 + i * _GOLDEN) % 1 or 0.5) for i in range(count))


def drift_factor(rate: float, compute: float, largest: float) -> float:
    """Return the factor by which a loss drifts.

    Args:
        rate: Change of log L per decade.
        compute: Parameters times data.
        largest: The largest that was measured; 0 for a law without measurements, which does not drift.

    Returns:
        The factor; 1 up to `largest`.
    """
    if not compute > largest > 0:
        return 1.0
    decades = MAX_DECADES if math.isinf(compute) else min(math.log10(compute / largest), MAX_DECADES)
    return math.exp(min(rate * decades, MAX_LOG))
