"""Weight mixture components by their log score on the curve's held-out largest scales (stacking).

Stacking: Yao et al. 2018, arXiv:1704.02030; leaving out the future: Bürkner et al. 2020, arXiv:1902.06281.
Unlike there, curves of one collection share their weights, and the prior's weights count as a few more
curves.

| symbol | meaning | shape |
| --- | --- | --- |
| K | components of the prior | |
| n | curves of a collection | |
| score | log score of each component on the held-out scales of each curve | (n, K) |
| w | weights of the collection: maximize Σ log Σ w·exp(score) + PRIOR_CURVES·Σ prior·log w | (K,) |
| weights | of each curve, proportional to w·exp(OWN_POWER·score) | (n, K) |
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

SCORED_DRAWS = 600  # by which a component is scored
MAX_COUNTED_POINTS = 4  # of the held-out future that count as independent: neighbors share their noise
MAX_SCORED_POINTS = 8  # at which the density is computed
OWN_POWER = 0.5  # to which a curve's own evidence about the weights is raised: one curve is little evidence
PRIOR_CURVES = 2.0  # how many curves of a collection the prior's weights are worth
HELD_OUT_RANGE = 0.95 * np.log(2)  # of log x: the last factor of two, whatever the rounding
MIN_RANGE_LEFT = 0.1  # of log x, without which nothing is left to learn from
OUTLIER_SHARE, OUTLIER_SD = 0.02, 0.7  # one point in fifty may be anywhere, in log y around the last one


def held_out_scores(points: Points, *, seed: int, prior: Prior | None = None) -> Array:
    """Score each component by its forecast of the curve's largest scales from the smaller ones.

    Held out is the last factor of two: at least one scale, and two remain. The score is the mean log density
    of its points, times at most MAX_COUNTED_POINTS.

    Args:
        points: Points of one curve.
        seed: The same seed gives the same scores.
        prior: The components; those of the package if None.

    Returns:
        Log scores (K,). Zeros where too little is left to learn from; minus infinity for components of odds
        where the baseline error is not known.
    """
    prior = prior or bundled_prior()
    t = np.log(points.x)
    scales = np.unique(t)
    cut = max(np.sum(scales <= scales[-1] - HELD_OUT_RANGE), 2)
    cut = min(cut, len(scales) - 1)
    if cut < 2 or scales[cut - 1] - scales[0] < MIN_RANGE_LEFT:
        return np.where(usable_components(points, prior), 0.0, -np.inf)
    early, late = points.part(t <= scales[cut - 1]), points.part(t > scales[cut - 1])
    return log_scores(early, late, seed=seed, prior=prior) * min(len(late), MAX_COUNTED_POINTS)


def usable_components(points: Points, prior: Prior) -> NDArray[np.bool_]:
    """Return which components apply to these points.

    Args:
        points: Points of one curve.
        prior: The components.

    Returns:
        A mask (K,): False for components of odds where the baseline error is not known.
    """
    has_baseline = points.baseline_error is not None and bool(np.isfinite(points.baseline_error))
    return ~prior.is_odds | has_baseline


def log_scores(early: Points, late: Points, *, seed: int, prior: Prior | None = None) -> Array:
    """Score each component by the density of late points, forecast from early ones.

    Args:
        early: Points that the forecast sees.
        late: Points that it does not see.
        seed: The same seed gives the same scores.
        prior: The components; those of the package if None.

    Returns:
        Mean log densities of late log y (K,); minus infinity for components that do not apply.
    """
    prior = prior or bundled_prior()
    score = np.full(len(prior.names), -np.inf)
    usable = usable_components(early, prior)
    for mask, baseline_error in (
        (usable & ~prior.is_odds, None),
        (usable & prior.is_odds, early.baseline_error),
    ):
        if mask.any():
            score[mask] = _log_scores(
                early, late, seed=seed, prior=prior.subset(mask), baseline_error=baseline_error
            )
    return score


def _log_scores(
    early: Points, late: Points, *, seed: int, prior: Prior, baseline_error: float | None
) -> Array:
    """Return the scores of components of y, or with a baseline error of its odds; both as densities of log
    y.
    """
    rng = np.random.default_rng(seed)
    curve = log_curve(early) if baseline_error is None else odds_curve(odds(early, baseline_error))
    explored = explore(curve, prior, rng)
    log_weight = explored.log_ratio + prior.log_components(explored.z)
    weight = np.exp(log_weight - np.logaddexp.reduce(log_weight, axis=1)[:, None])
    z = np.concatenate([explored.z[rng.choice(len(row), SCORED_DRAWS, p=row)] for row in weight])
    which = np.unique(np.linspace(0, len(late) - 1, MAX_SCORED_POINTS).round().astype(int))
    mean, variance = moments(curve, z, np.log(late.x[which]))
    log_y = np.log(late.y[which])
    log_value, steepness = log_y, np.zeros(len(which))
    if baseline_error is not None:
        log_value = np.log(odds(late, baseline_error).y[which])
        steepness = log_steepness(late.y[which], baseline_error)
    density = -0.5 * ((log_value - mean) ** 2 / variance + np.log(2 * np.pi * variance)) + steepness
    density = density.reshape(len(weight), SCORED_DRAWS, len(which))
    score = np.logaddexp.reduce(density, axis=1) - np.log(SCORED_DRAWS)
    # a component is not dismissed for a jump that none of them predicted
    away = (log_y - np.log(early.y[-1])) / OUTLIER_SD
    outlier = -0.5 * away**2 - np.log(OUTLIER_SD) - 0.5 * np.log(2 * np.pi)
    score = np.logaddexp(np.log(1 - OUTLIER_SHARE) + score, np.log(OUTLIER_SHARE) + outlier)
    return np.asarray(score.mean(1))


def stacking_weights(scores: Sequence[Array], *, prior: Prior | None = None) -> Array:
    """Return the weights of the components for each curve of a collection.

    The weights of the collection maximize its held-out likelihood, with the prior's weights counted as
    PRIOR_CURVES curves (expectation-maximization). Each curve then shifts them by its own score to the power
    OWN_POWER.

    Args:
        scores: Log scores (K,) of each of n curves, from `held_out_scores`.
        prior: The components; those of the package if None.

    Returns:
        Weights (n, K); rows sum to 1. A component that applies to no curve of the collection weighs nothing.
    """
    prior = prior or bundled_prior()
    score = np.array(scores)
    usable = np.isfinite(score).any(0)
    stated = np.where(usable, prior.weight, 0.0)
    stated = stated / stated.sum()
    common = stated
    with np.errstate(divide="ignore"):
        for _ in range(100):
            share = np.log(common) + score
            share = np.exp(share - np.logaddexp.reduce(share, axis=1)[:, None])
            common = share.sum(0) + PRIOR_CURVES * stated
            common = common / common.sum()
        log_weight = np.log(common) + np.where(np.isfinite(score), OWN_POWER * score, -np.inf)
    return np.asarray(np.exp(log_weight - np.logaddexp.reduce(log_weight, axis=1)[:, None]))
