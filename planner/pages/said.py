"""What a stored law says, summed up: its draws and its paths as medians and 90 % intervals."""

import math
from collections.abc import Sequence

from laws import paths
from laws.types import Law


def spread(draws: Sequence[float]) -> dict[str, float]:
    """Return median and 90 % interval of draws."""
    return {name: paths.quantile(draws, q) for name, q in (("q05", 0.05), ("median", 0.5), ("q95", 0.95))}


def predictions(law: Law, *, beyond: Sequence[int] = (1, 2, 3)) -> list[dict[str, float]]:
    """Return what a law says at its smallest and largest measured x and decades beyond, noise left out."""
    if not law.paths:
        return []
    low, high = (math.log(x) for x in law.x_range)
    scales = [low, high, *(high + decades * math.log(10) for decades in beyond)]
    return [
        {"x": math.exp(t), **spread([math.exp(paths.value_at(law.grid, path, t)) for path in law.paths])}
        for t in scales
    ]
