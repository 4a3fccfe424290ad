"""Judge beliefs by what they forecast of a curve's own largest scales, and weigh them by it.

Stacking (Yao et al. 2018, arXiv:1704.02030) on the future left out (Bürkner et al. 2020, arXiv:1902.06281).
Curves of one collection share what they learned about the weights.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from laws.forecasting.drift import moments
from laws.forecasting.exploration import explore, log_curve, odds_curve
from laws.forecasting.odds import log_steepness, odds
from laws.forecasting.priors import Prior, bundled_prior
from laws.points import Points

Array = NDArray[np.float64]

JUDGES = 600  # draws by which a belief is judged
COUNTED = 4  # points of the left-out future that count as facts: neighbors share their noise
TRUST = 0.5  # power of a curve's own evidence about the weights
EQUALS = 2.0  # how many curves of a collection the weights learned elsewhere are worth


def held_out_scores(points: Points, *, seed: int, prior: Prior | None = None) -> Array:
    """Return the log score (K,) of each belief on the largest scales of the curve, forecast from the smaller.

    Left out is the last factor of two (at least one scale, leaving two); the score is the mean log density of
    its points, at most COUNTED of them counted. Zeros where too little is left to learn from; minus infinity
    for beliefs about odds where the error of best guessing is not known.
    """
    prior = prior or bundled_prior()
    t = np.log(points.x)
    places = np.unique(t)
    cut = max(np.sum(places <= places[-1] - 0.95 * np.log(2)), 2)
    cut = min(cut, len(places) - 1)
    if cut < 2 or places[cut - 1] - places[0] < 0.1:
        return np.where(usable_components(points, prior), 0.0, -np.inf)
    early, late = points.part(t <= places[cut - 1]), points.part(t > places[cut - 1])
    return log_scores(early, late, seed=seed, prior=prior) * min(len(late), COUNTED)


def usable_components(points: Points, prior: Prior) -> NDArray[np.bool_]:
    """Return which beliefs (K,) can be held about these points."""
    known = points.baseline_error is not None and bool(np.isfinite(points.baseline_error))
    return ~prior.of_odds | known


def log_scores(early: Points, late: Points, *, seed: int, prior: Prior | None = None) -> Array:
    """Return the mean log density (K,) of late points under each belief, forecast from the early ones."""
    prior = prior or bundled_prior()
    score = np.full(len(prior.names), -np.inf)
    held = usable_components(early, prior)
    for some, ceiling in ((held & ~prior.of_odds, None), (held & prior.of_odds, early.baseline_error)):
        if some.any():
            score[some] = _judged(early, late, seed=seed, prior=prior.part(some), ceiling=ceiling)
    return score


def _judged(early: Points, late: Points, *, seed: int, prior: Prior, ceiling: float | None) -> Array:
    """Return the scores of beliefs about y, or with a ceiling about its odds; of log y both."""
    rng = np.random.default_rng(seed)
    curve = log_curve(early) if ceiling is None else odds_curve(odds(early, ceiling))
    explored = explore(curve, prior, rng)
    log_weight = explored.log_ratio + prior.log_parts(explored.z)
    weight = np.exp(log_weight - np.logaddexp.reduce(log_weight, axis=1)[:, None])
    z = np.concatenate([explored.z[rng.choice(len(w), JUDGES, p=w)] for w in weight])
    which = np.unique(np.linspace(0, len(late) - 1, 8).round().astype(int))
    mean, variance = moments(curve, z, np.log(late.x[which]))
    log_y = np.log(late.y[which])
    log_read, steepness = log_y, np.zeros(len(which))
    if ceiling is not None:
        log_read = np.log(odds(late, ceiling).y[which])
        steepness = log_steepness(late.y[which], ceiling)
    density = -0.5 * ((log_read - mean) ** 2 / variance + np.log(2 * np.pi * variance)) + steepness
    density = density.reshape(len(weight), JUDGES, len(which))
    score = np.logaddexp.reduce(density, axis=1) - np.log(JUDGES)
    # one point in fifty may be anywhere: a belief is not dismissed for a jump that none of them foresaw
    wild = -0.5 * ((log_y - np.log(early.y[-1])) / 0.7) ** 2 - np.log(0.7) - 0.5 * np.log(2 * np.pi)
    score = np.logaddexp(np.log(0.98) + score, np.log(0.02) + wild)
    return np.asarray(score.mean(1))


def stacking_weights(scores: Sequence[Array], *, prior: Prior | None = None) -> Array:
    """Return the weights (n, K) of the beliefs for each of n curves of one collection, from their log scores.

    The collection's weights maximize its held-out likelihood, with the prior's weights counted as EQUALS
    curves (expectation-maximization); each curve then shifts them by its own score to the power TRUST. A
    belief that can be held about no curve of the collection weighs nothing.
    """
    prior = prior or bundled_prior()
    score = np.array(scores)
    held = np.isfinite(score).any(0)
    stated = np.where(held, prior.weight, 0.0)
    stated = stated / stated.sum()
    common = stated
    with np.errstate(divide="ignore"):
        for _ in range(100):
            share = np.log(common) + score
            share = np.exp(share - np.logaddexp.reduce(share, axis=1)[:, None])
            common = share.sum(0) + EQUALS * stated
            common = common / common.sum()
        each = np.log(common) + np.where(np.isfinite(score), TRUST * score, -np.inf)
    return np.asarray(np.exp(each - np.logaddexp.reduce(each, axis=1)[:, None]))
