"""Which measurements narrow an answer most for what they cost.

The draws of a law are possible worlds: how far the log errors at the scales that could be measured vary
together with the quantity that is asked, over the draws, says how much a measurement there would tell. With
normal noise, measuring scale j once takes Cov(q, f_j)² / (Var f_j + s²) off the variance of q (the gain of a
linear Gaussian model: Lindley 1956, doi:10.1214/aoms/1177728069, in variance), and the covariances left
follow. Runs are picked one after the other, the largest gain for its cost first.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from laws import paths
from laws.noise import stored
from laws.types import Law

Array = NDArray[np.float64]
SEED = 0


@dataclass(frozen=True)
class Pick:
    """One measurement: which candidate, and the standard deviation of the answer once it is made."""

    candidate: int
    sd: float


def picks(
    asked: ArrayLike,
    seen: ArrayLike,
    noise: ArrayLike,
    cost: Sequence[float],
    *,
    budget: float,
    most: int = 20,
    least: float = 0.01,
) -> list[Pick]:
    """Return what to measure within a budget, in order; a candidate may be measured again.

    `asked` (n,) holds what is asked in each of n draws, `seen` (n, m) the log error at m candidate scales,
    `noise` (m,) the sd of a measurement of it, `cost` (m,) what one costs, in the unit of `budget`. It ends
    after `most` picks, or when no pick takes `least` of the standard deviation off.
    """
    q, f = np.asarray(asked, dtype=np.float64), np.asarray(seen, dtype=np.float64)
    covariance = np.cov(np.column_stack([q, f]).T)
    spread, left = np.asarray(noise, dtype=np.float64) ** 2, budget
    found: list[Pick] = []
    while len(found) < most:
        gain = covariance[0, 1:] ** 2 / (np.diag(covariance)[1:] + spread)
        affordable = np.asarray(cost) <= left
        worth = np.where(affordable & (gain > 0), gain / np.asarray(cost), -np.inf)
        enough = gain >= (1 - (1 - least) ** 2) * covariance[0, 0]
        worth = np.where(enough, worth, -np.inf)
        best = int(np.argmax(worth))
        if not np.isfinite(worth[best]):
            break
        row = covariance[best + 1]
        covariance = covariance - np.outer(row, row) / (row[best + 1] + spread[best])
        left -= cost[best]
        found.append(Pick(best, float(np.sqrt(max(covariance[0, 0], 0.0)))))
    return found


def narrowing(
    law: Law, place: float, candidates: Sequence[float], cost: Sequence[float], *, budget: float, most: int
) -> list[Pick]:
    """Return which of the candidate data sizes to train on, so that the law's error at `place` gets surer.

    `cost` and `budget` are in one unit. Half of the noise is taken to be the shard's own, which no further
    training on it averages away.
    """
    seen = np.column_stack([log_errors(law, x) for x in candidates])
    scale, degrees = stored(law.parameters)
    own = float(np.median(scale * np.sqrt(degrees / (degrees - 2)))) * math.sqrt(0.5)
    seen = seen + own * np.random.default_rng(SEED).standard_normal(seen.shape)
    return picks(log_errors(law, place), seen, [own] * len(candidates), cost, budget=budget, most=most)


def log_errors(law: Law, x: float) -> Array:
    """Return the logarithm of the error at a data size, a value a draw."""
    return np.array([paths.value_at(law.grid, path, math.log(x)) for path in law.paths])
