"""Summary of a stored law: medians and 90% intervals of its parameters and predictions."""

import math
from collections.abc import Mapping, Sequence

from laws import paths
from laws.types import Law
from planner.lawmodel.info import law_info
from planner.metrics import MetricScale
from planner.units import format_number


def spread(draws: Sequence[float]) -> dict[str, float]:
    """Return the median and the 90% interval of posterior samples.

    Args:
        draws: The posterior samples.

    Returns:
        `q05`, `median` and `q95`.
    """
    return {name: paths.quantile(draws, q) for name, q in (("q05", 0.05), ("median", 0.5), ("q95", 0.95))}


def own_spread(scale: MetricScale, errors: Sequence[float]) -> dict[str, float]:
    """Return the median and the 90% interval of errors in the metric's own terms, in ascending order."""
    return dict(zip(("q05", "median", "q95"), scale.ends(*spread(errors).values()), strict=True))


def predictions(law: Law, *, beyond: Sequence[int] = (1, 2, 3)) -> list[dict[str, float]]:
    """Return what a law predicts at its smallest and largest measured x and decades beyond.

    Args:
        law: A stored law.
        beyond: How far beyond the largest measured x, in powers of ten.

    Returns:
        One record per x, with `q05`, `median` and `q95` of the metric in its own terms, without the noise of
        measurements; none without stored paths.
    """
    if not law.paths:
        return []
    low, high = (math.log(x) for x in law.x_range)
    scales = [low, high, *(high + decades * math.log(10) for decades in beyond)]
    terms = law_info(law).scale
    return [
        {
            "x": math.exp(t),
            **own_spread(terms, [math.exp(paths.value_at(law.grid, path, t)) for path in law.paths]),
        }
        for t in scales
    ]


def phases(of: Mapping[str, Sequence[float]]) -> str:
    """Name the most probable phase of the curve at each measured size, with its probability.

    Args:
        of: Phase -> its probability at each size; "x" -> the sizes.

    Returns:
        Text such as `1k power-law 80%, 1M floor 60%`; empty without sizes.
    """
    columns = {name: column for name, column in of.items() if name != "x"}
    texts = []
    for i, x in enumerate(of.get("x", ())):
        name = max(columns, key=lambda phase: columns[phase][i])
        texts.append(f"{format_number(x)} {name} {columns[name][i]:.0%}")
    return ", ".join(texts)
