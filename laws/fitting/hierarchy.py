"""Partially pool the exponents of families: a hierarchical model, computed on a grid.

Hestness et al. 2017 (arXiv:1712.00409, section 4) found that within a domain architectures and optimizers
shift a curve and hardly change its slope. Two models are compared, each with prior probability 1/2:

- one exponent:  β_k = μ for every family,
- related ones:  log β_k ~ Normal(log μ, τ²), τ ~ half-Normal(1/2),

both with μ ~ half-Normal(1), the prior under which each family was fitted. The likelihood of a family's
exponent is its posterior divided by that prior; beyond the family's draws it is zero, where their density
divided by the prior would be noise. The normal is not cut off there: a wide one has little of its mass where
the families are, which is what speaks against it. Families are linked only through the exponent, so each
keeps its own intercept, floor and noise. A grid over log β, log μ and τ needs no sampler of its own.

| symbol | meaning | shape |
| --- | --- | --- |
| K, n | families, joint samples returned | |
| b | points of the grid of log β, over all draws | |
| m | points of the grid of log μ, over its prior | |
| β_k | exponent of family k | |
| μ, τ | common exponent; spread of log β_k around log μ | |
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]

RANGE_POINTS, QUANTILE_POINTS = 150, 80  # of the grid: over the whole range, and at each family's quantiles
SPREADS = np.geomspace(1e-3, 2.0, 24)  # values of τ; below the first, families are one
PRIOR_RANGE, PRIOR_POINTS = (np.log(1e-4), np.log(6.0)), 80  # of log μ
PRIOR_SPREAD = 0.5  # sd of τ's prior: exponents of one domain differ by a factor of 1.6, seldom 2.7
NEIGHBORS = 20  # draws of a family whose exponents are taken for the same


@dataclass(frozen=True, eq=False)
class PooledExponents:
    """Joint posterior samples of the exponents of K families.

    Attributes:
        same: Posterior probability that all families share one exponent.
        shared: Samples of that exponent (n,), if they do.
        exponents: Samples of each family's exponent (n, K), over both models.
        rows: Which sample of each family's law goes with its exponent (n, K).
    """

    same: float
    shared: Array
    exponents: Array
    rows: NDArray[np.int64]

    @property
    def ratio(self) -> Array:
        """Return samples (n,) of the largest exponent over the smallest."""
        return np.asarray(self.exponents.max(1) / self.exponents.min(1))


def pool_exponents(betas: Sequence[Array], *, seed: int, draws: int = 2000) -> PooledExponents:
    """Return the hierarchical posterior of the exponents of K >= 2 families.

    Args:
        betas: Positive posterior samples of each family's exponent: K arrays, sampled under the
            half-Normal(1) prior of `laws/fitting/coordinates.py`.
        seed: The same seed gives the same samples.
        draws: How many joint samples to return.

    Returns:
        The pooled exponents.
    """
    rng = np.random.default_rng(seed)
    logs = [np.log(beta) for beta in betas]
    margin = 0.5 * max(log.std() for log in logs) + 1e-3
    low, high = min(log.min() for log in logs) - margin, max(log.max() for log in logs) + margin
    # finest where the families' posteriors are narrow
    quantiles = [np.quantile(log, np.linspace(0, 1, QUANTILE_POINTS)) for log in logs]
    grid = np.unique(np.concatenate([np.linspace(low, high, RANGE_POINTS), *quantiles]))
    cell = np.gradient(grid)
    prior = _log_prior(grid)
    log_likelihood = np.array([_log_likelihood(log, grid) for log in logs])  # (K, b)
    log_likelihood -= log_likelihood.max(1, keepdims=True)
    likelihood = np.exp(log_likelihood)

    log_one = prior + log_likelihood.sum(0)
    one = cell * np.exp(log_one)
    # likelihood of (τ, μ) by each family: that of its exponent, averaged over Normal(log μ, τ²)
    middles = np.unique(np.concatenate([grid, np.linspace(*PRIOR_RANGE, PRIOR_POINTS)]))
    edges = np.concatenate([[grid[0]], (grid[1:] + grid[:-1]) / 2, [grid[-1]]])
    below = ndtr((edges - middles[:, None]) / SPREADS[:, None, None])
    normal = np.diff(below, axis=2)  # (τ, m, b): its mass in each cell
    averaged = normal @ likelihood.T  # (τ, m, K)
    # half-Normal density of τ times the width of its cell on a geometric grid
    of_spread = np.exp(-0.5 * (SPREADS / PRIOR_SPREAD) ** 2) * SPREADS
    of_spread /= of_spread.sum()
    related = of_spread[:, None] * np.gradient(middles) * np.exp(_log_prior(middles)) * averaged.prod(2)

    evidence = np.array([one.sum(), related.sum()])
    same = float(evidence[0] / evidence.sum())
    if not one.any():  # no exponent is among the draws of all families: none is shared
        one = cell * likelihood.mean(0)
    shared = rng.choice(len(grid), draws, p=one / one.sum())
    is_one = rng.random(draws) < same
    cells = rng.choice(related.size, draws, p=(related / related.sum()).ravel())
    spread, middle = np.unravel_index(cells, related.shape)
    columns = []
    for own in likelihood:
        weight = np.cumsum(normal[spread, middle] * own, axis=1)  # (n, b)
        index = (weight < rng.random((draws, 1)) * weight[:, -1:]).sum(1)
        columns.append(np.where(is_one, shared, np.minimum(index, len(grid) - 1)))
    indices = np.array(columns).T
    # a grid point stands for its cell
    exponents = grid[indices] + cell[indices] * (rng.random((draws, 1)) - 0.5)
    rows = np.array([_nearest(log, exponents[:, k], rng) for k, log in enumerate(logs)]).T
    return PooledExponents(same=same, shared=np.exp(grid[shared]), exponents=np.exp(exponents), rows=rows)


def _log_prior(log_beta: Array) -> Array:
    """Return the log density of log β where β is half-Normal(1)."""
    return np.asarray(0.5 * np.log(2 / np.pi) - 0.5 * np.exp(2 * log_beta) + log_beta)


def _log_likelihood(draws: Array, grid: Array) -> Array:
    """Return the log likelihood of an exponent on the grid of log β; -inf beyond the draws."""
    within = (grid >= draws.min()) & (grid <= draws.max())
    return np.where(within, _log_density(draws, grid) - _log_prior(grid), -np.inf)


def _log_density(draws: Array, grid: Array) -> Array:
    """Return the log of a Gaussian kernel density of draws on the grid (Silverman's width)."""
    width = max(1.06 * float(draws.std()) * len(draws) ** -0.2, 1e-6)
    away = (grid[:, None] - draws[None, ::2]) / width  # every other draw is plenty for a smooth line
    kernel: Array = np.logaddexp.reduce(-0.5 * away**2, axis=1)
    return kernel - float(np.log(len(draws[::2]) * width * np.sqrt(2 * np.pi)))


def _nearest(draws: Array, values: Array, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return for each value the index of a draw near it: one of the NEIGHBORS around it at random."""
    order = np.argsort(draws)
    index = np.searchsorted(draws[order], values) + rng.integers(-NEIGHBORS // 2, NEIGHBORS // 2, len(values))
    return np.asarray(order[np.clip(index, 0, len(draws) - 1)], dtype=np.int64)
