"""Explore a curve's posterior under all prior components at once, by importance sampling.

Nineteen stages propose from one Student-t per component; all stages are weighted together (deterministic
mixture: Cornuet et al. 2012, arXiv:0907.1254). The draws give the evidence of each component, the scores for
stacking, and where emcee starts.

| symbol | meaning | shape |
| --- | --- | --- |
| K, d, n | components, coordinates (8), draws of all stages | |
| z | draws | (n, d) |
| parts | log prior density of each component at z | (K, n) |
| likelihood | log likelihood at z | (n,) |
| proposal | log density of the mixture of all stages' proposals at z | (n,) |
| log_ratio | likelihood − proposal; plus the log prior, it is a log importance weight | (n,) |
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from laws.fitting.importance import Mixture, log_sum
from laws.forecasting.drift import LogCurve, log_likelihood, thinned
from laws.forecasting.priors import Prior
from laws.points import Points

Array = NDArray[np.float64]

STAGES = (4000, *[1000] * 18)  # draws of each stage, the first from the prior
HIDDEN_NOISE = (
    0.01  # noise of log y that rounding hides where values repeat: no measured error is free of noise
)
MIN_LOG_EVIDENCE = -50.0  # relative to the largest: a smaller one would leave no number to divide by


def log_curve(points: Points) -> LogCurve:
    """Return the curve of points on log axes.

    Args:
        points: Points of one curve.

    Returns:
        The curve, averaged to a few dozen points; where its values repeat, with the noise that rounding
        hides.
    """
    curve = thinned(points.x, points.y, y_se=points.y_se, weight=points.weight)
    if _repeats(points):
        curve = replace(curve, variance=curve.variance + HIDDEN_NOISE**2)
    return curve


def odds_curve(points: Points) -> LogCurve:
    """Return the curve of the odds of an error on log axes.

    Args:
        points: Points that `laws.forecasting.odds.odds` made.

    Returns:
        The curve. The next measurement has the standard error of the last one: odds are blurred near the
        baseline error, and further down they are not.
    """
    last = 0.0 if points.y_se is None else float(points.y_se[-1] / points.y[-1])
    return replace(log_curve(points), next_variance=last**2)


def _repeats(points: Points) -> bool:
    """Return whether the later half of the range, three scales or more, has only one value."""
    t = np.log(points.x)
    recent = t >= t[-1] - 0.5 * (t[-1] - t[0]) - 1e-9
    return len(np.unique(t[recent])) >= 3 and len(np.unique(points.y[recent])) == 1


@dataclass(frozen=True, eq=False)
class Exploration:
    """Importance draws of a curve's posterior under all components.

    Attributes:
        curve: The curve.
        z: Draws (n, 8), in the order of PARAMETERS.
        log_ratio: Log likelihood minus log proposal density (n,).
        mixture: One Student-t per component, around its posterior.
        evidence: Marginal likelihood of each component (K,), relative to the largest.
    """

    curve: LogCurve
    z: Array
    log_ratio: Array
    mixture: Mixture
    evidence: Array

    def weights_under(self, prior: Prior, weight: Array) -> Array:
        """Return the importance weights of the draws under a mixture of the components.

        Args:
            prior: The components.
            weight: Their weights (K,).

        Returns:
            Weights (n,), summing to 1.
        """
        log_weight = self.log_ratio + prior.log_density(self.z, weight)
        return np.asarray(np.exp(log_weight - np.logaddexp.reduce(log_weight)))


def explore(curve: LogCurve, prior: Prior, rng: np.random.Generator) -> Exploration:
    """Draw importance samples in stages: from the prior, then around the posterior of each component.

    Each stage proposes from one Student-t per component, so that every component is covered, also one that
    the data refute. All draws serve all components, weighted by the mixture of all proposals.

    Args:
        curve: The curve on log axes.
        prior: The components.
        rng: The random stream.

    Returns:
        The draws, with the evidence of each component.
    """
    K, d = prior.mean.shape
    mixture = Mixture(np.full(K, 1 / K), prior.mean, np.array([np.diag(sd) for sd in prior.sd]))
    z, parts, likelihood, proposal = np.empty((0, d)), np.empty((K, 0)), np.empty(0), np.empty(0)
    stages: list[tuple[float, Mixture]] = []
    for size in STAGES:
        fresh = mixture.draw(size, rng)
        stages.append((np.log(size / sum(STAGES)), mixture))
        share, newest = stages[-1]
        of_fresh = log_sum(np.array([log_share + stage.log_density(fresh) for log_share, stage in stages]))
        proposal = np.append(np.logaddexp(proposal, share + newest.log_density(z)), of_fresh)
        z, parts = np.concatenate([z, fresh]), np.concatenate([parts, prior.log_components(fresh)], axis=1)
        likelihood = np.append(likelihood, log_likelihood(curve, fresh))
        ratio = likelihood - proposal
        mixture = _around(z, ratio + parts, prior)
    evidence = log_sum((ratio + parts).T)
    return Exploration(
        curve, z, ratio, mixture, np.exp(np.maximum(evidence - evidence.max(), MIN_LOG_EVIDENCE))
    )


def _around(z: Array, log_weight: Array, prior: Prior) -> Mixture:
    """Return one Student-t per component with the mean and covariance of its draws, by log_weight (K, n)."""
    K, d = prior.mean.shape
    mean, factor = np.empty((K, d)), np.empty((K, d, d))
    for k in range(K):
        weight = _tempered(log_weight[k], 8 * d)
        heavy = weight > 1e-9
        weight, near = weight[heavy], z[heavy]
        mean[k] = weight @ near
        away = near - mean[k]
        factor[k] = np.linalg.cholesky((away.T * weight) @ away + 1e-4 * np.diag(prior.sd[k] ** 2))
    return Mixture(np.full(K, 1 / K), mean, factor)


def _tempered(log_weight: Array, min_ess: float) -> Array:
    """Return weights, flattened until their effective number is large enough for a covariance."""
    power = 1.0
    while True:
        weight = np.exp(power * (log_weight - log_weight.max()))
        weight /= weight.sum()
        if 1 / (weight**2).sum() >= min_ess or power < 0.02:
            return np.asarray(weight)
        power *= 0.7
