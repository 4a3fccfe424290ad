"""Choose the measurements that reduce the uncertainty of an answer most for their cost.

The samples of a law say how the log errors at possible scales vary together with the quantity of interest,
and so how much a measurement there would tell. With normal noise, measuring scale j once reduces the variance
of q by Cov(q, f_j)² / (Var f_j + s_j²), the gain of a linear Gaussian model (Lindley 1956,
doi:10.1214/aoms/1177728069, in variance); the remaining covariances follow. Measurements are chosen one after
the other, the largest gain per cost first.

| symbol | meaning | shape |
| --- | --- | --- |
| n, m | posterior samples, candidate measurements | |
| q | quantity of interest | (n,) |
| f | log error at each candidate's scale | (n, m) |
| s | standard deviation of the noise of a measurement | (m,) |
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from laws import paths
from laws.fitting.noise import noise_of_law
from laws.types import Law

Array = NDArray[np.float64]
SEED = 0
UNREACHED_FACTOR = (
    100.0  # times the largest measured data: the scale of a target that most samples never reach
)
SHARD_NOISE = (
    0.5  # share of the noise's variance that belongs to the shard: more runs on it do not average it away
)


@dataclass(frozen=True)
class Pick:
    """One chosen measurement.

    Attributes:
        candidate: Index of the candidate.
        sd: Standard deviation of the quantity of interest once this and all earlier picks are measured.
    """

    candidate: int
    sd: float


def choose_measurements(
    quantity: ArrayLike,
    log_error: ArrayLike,
    noise: ArrayLike,
    cost: Sequence[float],
    *,
    budget: float,
    max_picks: int = 20,
    min_gain: float = 0.01,
) -> list[Pick]:
    """Choose what to measure within a budget.

    Args:
        quantity: The quantity of interest in each posterior sample (n,).
        log_error: Log error at each candidate's scale (n, m).
        noise: Standard deviation of a measurement of it (m,).
        cost: Cost of each candidate (m,), in the unit of `budget`.
        budget: What all picks may cost together.
        max_picks: How many picks there are at most.
        min_gain: The least share of the standard deviation that a pick has to take off.

    Returns:
        The picks in order; a candidate may be picked again.
    """
    q, f = np.asarray(quantity, dtype=np.float64), np.asarray(log_error, dtype=np.float64)
    covariance = np.cov(np.column_stack([q, f]).T)
    variance, left = np.asarray(noise, dtype=np.float64) ** 2, budget
    picks: list[Pick] = []
    while len(picks) < max_picks:
        gain = covariance[0, 1:] ** 2 / (np.diag(covariance)[1:] + variance)
        affordable = np.asarray(cost) <= left
        worth = np.where(affordable & (gain > 0), gain / np.asarray(cost), -np.inf)
        enough = gain >= (1 - (1 - min_gain) ** 2) * covariance[0, 0]
        worth = np.where(enough, worth, -np.inf)
        best = int(np.argmax(worth))
        if not np.isfinite(worth[best]):
            break
        row = covariance[best + 1]
        covariance = covariance - np.outer(row, row) / (row[best + 1] + variance[best])
        left -= cost[best]
        picks.append(Pick(best, float(np.sqrt(max(covariance[0, 0], 0.0)))))
    return picks


def choose_runs(
    laws: Sequence[Law],
    scale: float,
    candidates: Sequence[tuple[int, float]],
    cost: Sequence[float],
    *,
    budget: float,
    max_picks: int,
) -> list[Pick]:
    """Choose what to train to reduce the uncertainty of the laws' lowest error at a scale.

    Args:
        laws: Laws of curves, with paths.
        scale: Data size at which the error is of interest.
        candidates: Possible runs: the index of a law and a data size.
        cost: Cost of each candidate, in the unit of `budget`.
        budget: What all runs may cost together.
        max_picks: How many runs there are at most.

    Returns:
        The picks in order.
    """
    paired = _paired(laws)
    log_error = np.column_stack([_at(paired[i], x) for i, x in candidates])
    noise = [_sd(law) * math.sqrt(SHARD_NOISE) for law in laws]
    own = np.array([noise[i] for i, _ in candidates])
    log_error = log_error + own * np.random.default_rng(SEED).standard_normal(log_error.shape)
    return choose_measurements(
        log_errors(laws, scale), log_error, own, cost, budget=budget, max_picks=max_picks
    )


def log_errors(laws: Sequence[Law], x: float) -> Array:
    """Return the logarithm of the laws' lowest error at a data size.

    Args:
        laws: Laws of curves, with paths.
        x: Data size.

    Returns:
        One value per posterior sample (n,).
    """
    return np.asarray(np.min([_at(sampled, x) for sampled in _paired(laws)], axis=0))


def data_needed(laws: Sequence[Law], target: float) -> Array:
    """Return the data with which the first of the laws reaches a target.

    Args:
        laws: Laws of curves, with paths.
        target: Error to reach.

    Returns:
        Data sizes, one per posterior sample (n,); inf where no law reaches it.
    """
    log_target = math.log(target)
    log_data = [[paths.inverse(grid, path, log_target) for path in drawn] for grid, drawn in _paired(laws)]
    return np.asarray(np.exp(np.min(log_data, axis=0)))


def scale_of_interest(laws: Sequence[Law], target: float) -> float:
    """Return the data size at which the answer to a target is to be made more certain.

    Args:
        laws: Laws of curves, with paths.
        target: Error to reach.

    Returns:
        The median of the data needed, at least the smallest measured data. Where most samples never reach the
        target, UNREACHED_FACTOR times the largest measured data.
    """
    median = paths.quantile(data_needed(laws, target).tolist(), 0.5)
    if math.isinf(median):
        return UNREACHED_FACTOR * max(law.x_range[1] for law in laws)
    return max(median, min(law.x_range[0] for law in laws))


SampledPaths = tuple[Sequence[float], Sequence[Sequence[float]]]  # a grid of log x, and paths over it


def _paired(laws: Sequence[Law]) -> list[SampledPaths]:
    """Return equally many paths of each law, paired at random: the laws were fitted independently."""
    count = min(len(law.paths) for law in laws)
    orders = [np.random.default_rng((SEED, i)).permutation(len(law.paths)) for i, law in enumerate(laws)]
    orders[0] = np.arange(count)
    return [
        (law.grid, [law.paths[i] for i in order[:count]]) for law, order in zip(laws, orders, strict=True)
    ]


def _at(sampled: SampledPaths, x: float) -> Array:
    grid, drawn = sampled
    return np.array([paths.value_at(grid, path, math.log(x)) for path in drawn])


def _sd(law: Law) -> float:
    """Return the median standard deviation of one log error."""
    scale, degrees = noise_of_law(law.parameters)
    return float(np.median(scale * np.sqrt(degrees / (degrees - 2))))
