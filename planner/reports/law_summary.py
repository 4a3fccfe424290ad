"""Summary of a stored law: medians and 90% intervals of its parameters and predictions."""

import math
from collections.abc import Mapping, Sequence

from laws import paths
from laws.types import Law
from planner.units import format_number


def spread(draws: Sequence[float]) -> dict[str, float]:
    """Return the median and the 90% interval of posterior samples."""
    return {name: paths.quantile(draws, q) for name, q in (("q05", 0.05), ("median", 0.5), ("q95", 0.95))}


def predictions(law: Law, *, beyond: Sequence[int] = (1, 2, 3)) -> list[dict[str, float]]:
    """Return what a law predicts at its smallest and largest measured x and decades beyond, without noise."""
    if not law.paths:
        return []
    low, high = (math.log(x) for x in law.x_range)
    scales = [low, high, *(high + decades * math.log(10) for decades in beyond)]
    return [
        {"x": math.exp(t), **spread([math.exp(paths.value_at(law.grid, path, t)) for path in law.paths])}
        for t in scales
    ]


def phases(of: Mapping[str, Sequence[float]]) -> str:
    """Say for each measured size which phase of its curve it probably lies in, and how probably."""
    columns = {name: column for name, column in of.items() if name != "x"}
    texts = []
    for i, x in enumerate(of.get("x", ())):
        name = max(columns, key=lambda each: columns[each][i])
        texts.append(f"{format_number(x)} {name} {columns[name][i]:.0%}")
    return ", ".join(texts)
