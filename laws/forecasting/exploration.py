"""Explore a curve's posterior under all beliefs at once by importance sampling, with each one's evidence.

Nineteen stages, one Student-t a belief, all stages weighted together (deterministic mixture: Cornuet et al.
2012, arXiv:0907.1254). It gives the evidences, the scores by which beliefs are judged, and where emcee
starts.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from laws.fitting.importance import Mixture, log_sum
from laws.forecasting.drift import LogCurve, log_likelihood, thinned
from laws.forecasting.priors import Prior
from laws.points import Points

Array = NDArray[np.float64]

STAGES = (4000, *[1000] * 18)  # draws of the stages of importance sampling, the first from the prior
STUCK = 0.01  # noise of log y that is hidden where values repeat: no measured error does, rounded ones do


def log_curve(points: Points) -> LogCurve:
    """Return the curve of points on log axes."""
    curve = thinned(points.x, points.y, y_se=points.y_se, weight=points.weight)
    if _stuck(points):
        curve = replace(curve, variance=curve.variance + STUCK**2)
    return curve


def odds_curve(points: Points) -> LogCurve:
    """Return the curve of `odds`: what blurs them near the ceiling blurs no measurement further down."""
    last = 0.0 if points.y_se is None else float(points.y_se[-1] / points.y[-1])
    return replace(log_curve(points), next_variance=last**2)


def _stuck(points: Points) -> bool:
    """Return whether the later half of the range, three scales or more, has one value alone."""
    t = np.log(points.x)
    recent = t >= t[-1] - 0.5 * (t[-1] - t[0]) - 1e-9
    return len(np.unique(t[recent])) >= 3 and len(np.unique(points.y[recent])) == 1


@dataclass(frozen=True, eq=False)
class Exploration:
    """Importance draws of the posterior under all beliefs: z (n, 8) and log likelihood minus log proposal."""

    curve: LogCurve
    z: Array
    log_ratio: Array
    mixture: Mixture
    evidence: Array  # (K,), relative to the largest

    def under(self, prior: Prior, weight: Array) -> Array:
        """Return normalized importance weights (n,) of the posterior under the beliefs mixed by weight."""
        log_weight = self.log_ratio + prior.log_density(self.z, weight)
        return np.asarray(np.exp(log_weight - np.logaddexp.reduce(log_weight)))


def explore(curve: LogCurve, prior: Prior, rng: np.random.Generator) -> Exploration:
    """Return importance draws in stages: from the prior, then around what each belief's posterior is.

    Each stage proposes from one Student-t a belief, so that every belief is covered, also one that the data
    refute; all draws together serve all beliefs, weighted by the mixture of all proposals.
    """
    K, d = prior.mean.shape
    mixture = Mixture(np.full(K, 1 / K), prior.mean, np.array([np.diag(sd) for sd in prior.sd]))
    z, parts, likelihood, proposal = np.empty((0, d)), np.empty((K, 0)), np.empty(0), np.empty(0)
    used: list[tuple[float, Mixture]] = []
    for size in STAGES:
        fresh = mixture.draw(size, rng)
        used.append((np.log(size / sum(STAGES)), mixture))
        share, newest = used[-1]
        of_fresh = log_sum(np.array([log_share + each.log_density(fresh) for log_share, each in used]))
        proposal = np.append(np.logaddexp(proposal, share + newest.log_density(z)), of_fresh)
        z, parts = np.concatenate([z, fresh]), np.concatenate([parts, prior.log_parts(fresh)], axis=1)
        likelihood = np.append(likelihood, log_likelihood(curve, fresh))
        ratio = likelihood - proposal
        mixture = _around(z, ratio + parts, prior)
    evidence = log_sum((ratio + parts).T)
    return Exploration(curve, z, ratio, mixture, np.exp(np.maximum(evidence - evidence.max(), -50.0)))


def _around(z: Array, log_weight: Array, prior: Prior) -> Mixture:
    """Return one Student-t a belief with the mean and covariance of its weighted draws: log_weight (K, n)."""
    K, d = prior.mean.shape
    mean, factor = np.empty((K, d)), np.empty((K, d, d))
    for k in range(K):
        weight = _tempered(log_weight[k], 8 * d)
        some = weight > 1e-9
        weight, near = weight[some], z[some]
        mean[k] = weight @ near
        away = near - mean[k]
        factor[k] = np.linalg.cholesky((away.T * weight) @ away + 1e-4 * np.diag(prior.sd[k] ** 2))
    return Mixture(np.full(K, 1 / K), mean, factor)


def _tempered(log_weight: Array, wanted: float) -> Array:
    """Return weights, flattened until their effective number is as wanted: few draws make no covariance."""
    power = 1.0
    while True:
        weight = np.exp(power * (log_weight - log_weight.max()))
        weight /= weight.sum()
        if 1 / (weight**2).sum() >= wanted or power < 0.02:
            return np.asarray(weight)
        power *= 0.7
