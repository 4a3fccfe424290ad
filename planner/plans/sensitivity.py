"""Sensitivity: the share of the variance of an answer that each unknown explains."""

import math
from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise

GROUPS = 20


def shares(of: Sequence[float], unknowns: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Return the share of the variance of an answer's rank that knowing one unknown would remove.

    The first-order index Var(E[rank | unknown]) / Var(rank) (Sobol' 1993), from 20 groups of equal size along
    the unknown, less what groups of that size explain by chance (epsilon squared, Kelley 1935). Draws that
    never reach the target are infinite and rank last, together: what decides whether it is reached counts
    too. Unknowns that are not independent share what they explain, so shares need not add up to 1.

    Args:
        of: The answer, one value above 0 per posterior sample.
        unknowns: Name -> values of an unknown, one per posterior sample.

    Returns:
        Name -> share, from 0 to 1. Nothing for fewer than 100 samples, or a single value.
    """
    n = len(of)
    if n < 5 * GROUPS:
        return {}
    ranks = _ranks(of)
    mean = (n - 1) / 2
    total = math.fsum((rank - mean) ** 2 for rank in ranks)
    if not total:
        return {}
    explained = {}
    for name, draws in unknowns.items():
        if len(set(draws)) < GROUPS:
            continue  # set to one value: nothing to know
        ordered = sorted(range(n), key=draws.__getitem__)
        cuts = [round(g * n / GROUPS) for g in range(GROUPS + 1)]
        within = 0.0
        for low, high in pairwise(cuts):
            group = [ranks[i] for i in ordered[low:high]]
            middle = math.fsum(group) / len(group)
            within += math.fsum((rank - middle) ** 2 for rank in group)
        explained[name] = max(1 - within / total * (n - 1) / (n - GROUPS), 0.0)
    return explained


def _ranks(values: Sequence[float]) -> list[float]:
    """Return the rank of each value from 0 on; equal values, to rounding, share the mean of theirs."""
    ranks, first = [0.0] * len(values), 0
    order = sorted(range(len(values)), key=values.__getitem__)
    for _, tied in groupby(order, key=lambda i: f"{values[i]:.12e}"):
        rows = list(tied)
        for i in rows:
            ranks[i] = first + (len(rows) - 1) / 2
        first += len(rows)
    return ranks
