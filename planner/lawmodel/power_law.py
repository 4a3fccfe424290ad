"""The line that everyone draws by hand: one power law a x^-b through the points, by least squares in logs."""

import math
from collections.abc import Sequence

PowerLaw = tuple[float, float]  # a and b of a x^-b


def power_law(xs: Sequence[float], ys: Sequence[float]) -> PowerLaw | None:
    """Return the power law through points, by least squares of log y on log x.

    Args:
        xs: Data sizes.
        ys: Values of the metric, one per size.

    Returns:
        a and b of a x^-b; None where fewer than two sizes are positive, or where the values do not fall.
    """
    logs = [(math.log(x), math.log(y)) for x, y in zip(xs, ys, strict=True) if x > 0 and y > 0]
    if len({x for x, _ in logs}) < 2:
        return None
    x_mean, y_mean = (math.fsum(column) / len(logs) for column in zip(*logs, strict=True))
    spread = math.fsum((x - x_mean) ** 2 for x, _ in logs)
    slope = math.fsum((x - x_mean) * (y - y_mean) for x, y in logs) / spread
    if slope >= 0:
        return None
    return math.exp(y_mean - slope * x_mean), -slope


def value(of: PowerLaw, x: float) -> float:
    """Return the value of a power law at a data size."""
    return of[0] * math.exp(-of[1] * math.log(x))


def scale_for(of: PowerLaw, target: float) -> float:
    """Return the data size at which a power law reaches a value, infinite where that overflows."""
    try:
        return float((of[0] / target) ** (1 / of[1]))
    except OverflowError:
        return math.inf
