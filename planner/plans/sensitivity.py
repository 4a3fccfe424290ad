"""Sensitivity: the share of the variance of an answer that each unknown explains."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

GROUPS = 20


def shares(of: Sequence[float], unknowns: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Return the share of the variance of log `of` that knowing one unknown would remove.

    The first-order index Var(E[log of | unknown]) / Var(log of) (Sobol' 1993), from 20 groups of equal size
    along the unknown, less what groups of that size explain by chance (epsilon squared, Kelley 1935).
    Unknowns that are not independent share what they explain, so shares need not add up to 1. Draws that
    never reach the target are left out; fewer than 100 others, or a single value, give no shares.

    Args:
        of: The answer, one value per posterior sample.
        unknowns: Name -> values of an unknown, one per posterior sample.

    Returns:
        Name -> share, from 0 to 1.
    """
    rows = [i for i, value in enumerate(of) if 0 < value < math.inf]
    logs = {i: math.log(of[i]) for i in rows}
    n = len(rows)
    if n < 5 * GROUPS:
        return {}
    mean = math.fsum(logs.values()) / n
    total = math.fsum((value - mean) ** 2 for value in logs.values())
    if total <= 1e-18 * n:
        return {}
    explained = {}
    for name, draws in unknowns.items():
        if len({draws[i] for i in rows}) < GROUPS:
            continue  # set to one value: nothing to know
        ordered = [logs[i] for i in sorted(rows, key=draws.__getitem__)]
        cuts = [round(g * n / GROUPS) for g in range(GROUPS + 1)]
        within = 0.0
        for low, high in pairwise(cuts):
            group = ordered[low:high]
            middle = math.fsum(group) / len(group)
            within += math.fsum((value - middle) ** 2 for value in group)
        explained[name] = max(1 - within / total * (n - 1) / (n - GROUPS), 0.0)
    return explained
