"""Diagnostics of a chain: autocorrelation time, split-R-hat, bulk and tail effective sample size.

A chain is an array (steps, walkers, d). Everything is vectorized over walkers and coordinates.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Array = NDArray[np.float64]


def autocorrelation_time(chain: Array, *, window: float = 5.0) -> Array:
    """Return the integrated autocorrelation time, of all walkers together.

    Lags are summed up to the smallest M with M >= window·tau(M), or to a tenth of the chain: where that is
    not enough the result is a lower bound, and above a fiftieth of the chain's length. Unlike in the source,
    deviations are taken from the mean of all walkers, so that a walker that is stuck shows.
    Source: Goodman and Weare 2010, section 5; window by Sokal 1996.

    Args:
        chain: Positions (steps, walkers, d).
        window: Autocorrelation times up to which lags are summed.

    Returns:
        Times (d,) in steps, at least 1; inf for a coordinate that never moved.
    """
    steps = len(chain)
    away = chain - chain.mean((0, 1))
    variance = np.einsum("swd,swd->d", away, away) / steps
    tau = np.where(variance > 0, 1.0, np.inf)
    done = ~np.isfinite(tau)
    for lag in range(1, max(steps // 10, 1) + 1):
        product = np.einsum("swd,swd->d", away[:-lag], away[lag:]) / (steps - lag)
        with np.errstate(invalid="ignore", divide="ignore"):
            tau = np.where(done, tau, tau + 2.0 * product / variance)
        done |= lag >= window * tau
        if done.all():
            break
    return np.asarray(np.maximum(tau, 1.0))


def split_rhat(chain: Array) -> Array:
    """Return split-R-hat, each half of each walker counting as a chain of its own.

    Source: Gelman et al. 2013, Bayesian Data Analysis, third edition, equations 11.3 and 11.4.

    Args:
        chain: Positions (steps, walkers, d).

    Returns:
        R-hat (d,); inf where nothing moved.
    """
    half = len(chain) // 2
    halves = np.concatenate([chain[:half], chain[-half:]], axis=1)  # (half, 2 walkers, d)
    within = halves.var(axis=0, ddof=1).mean(0)
    between = halves.mean(0).var(axis=0, ddof=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        rhat = np.sqrt((half - 1) / half + between / within)
    return np.where(np.isfinite(rhat), rhat, np.inf)


def effective_sizes(chain: Array) -> tuple[float, float]:
    """Return bulk and tail effective sample size.

    Bulk: of the rank-normalized draws; tail: of the indicators of the 5 % and 95 % quantiles, the smaller.
    Source: Vehtari et al. 2021, arXiv:1903.08008, section 4.

    Args:
        chain: Positions (steps, walkers, d).

    Returns:
        Bulk and tail size, the smallest over the coordinates.
    """
    draws = chain.reshape(-1, chain.shape[2])
    total = len(draws)
    ranks = np.argsort(np.argsort(draws, axis=0), axis=0)
    bulk = ndtri((ranks + 0.625) / (total + 0.25)).reshape(chain.shape)
    low, high = np.quantile(draws, [0.05, 0.95], axis=0)
    tails = np.concatenate([chain <= low, chain >= high], axis=2).astype(np.float64)
    return float(total / autocorrelation_time(bulk).max()), float(total / autocorrelation_time(tails).max())
