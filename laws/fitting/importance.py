"""Adaptive mixture importance sampling: weighted draws, evidence, and a proposal like the posterior.

The proposal is a mixture of multivariate Student-t distributions, refitted to the weighted draws after each
stage by expectation-maximization (Cappé et al. 2008, arXiv:0710.4242); all stages are weighted together by
the deterministic mixture of their proposals (Cornuet et al. 2012, arXiv:0907.1254). Then, where single draws
weigh too much, the mixture misses a tail, and gets a component there (Raftery and Bao 2010,
doi:10.1111/j.1541-0420.2010.01399.x): a chain that proposes from it would be stuck in that tail. It needs a
few thousand evaluations and says by its effective sample size when it failed. What it gives is where emcee
starts, one of emcee's proposals, and what emcee is checked against; the draws that are stored are emcee's.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from math import lgamma, log, pi

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

Array = NDArray[np.float64]
LogDensity = Callable[[Array], Array]

TAILS = 5.0  # degrees of freedom of the proposal: heavier tails than most posteriors here
HEAVY = 8.0  # mean weights above which a draw shows a tail that the mixture misses
MENDS, AROUND = 12, 200  # components that are added for that at most, and the draws that each gets
MENDED = 0.02  # share of each in the proposal


def log_sum(logs: Array) -> Array:
    """Return log Σ exp(logs) over the first axis, whose largest is finite: five times np.logaddexp.reduce."""
    most = logs.max(0)
    return np.asarray(most + np.log(np.exp(logs - most).sum(0)))


@dataclass(frozen=True)
class Mixture:
    """A mixture of k Student-t distributions in d dimensions."""

    weight: Array  # (k,)
    mean: Array  # (k, d)
    factor: Array  # (k, d, d): lower Cholesky factors of the scale matrices

    def draw(self, n: int, rng: np.random.Generator | np.random.RandomState) -> Array:
        """Return n draws (n, d)."""
        which = rng.choice(len(self.weight), size=n, p=self.weight)
        normal = rng.standard_normal((n, self.mean.shape[1]))
        stretch = np.sqrt(TAILS / rng.chisquare(TAILS, size=n))
        away = np.einsum("nij,nj->ni", self.factor[which], normal) * stretch[:, None]
        return np.asarray(self.mean[which] + away)

    def log_components(self, z: Array) -> Array:
        """Return the log density of each weighted component (k, n)."""
        k, d = self.mean.shape
        white = self._whitening.reshape(k * d, d) @ z.T - self._center
        white *= white
        tails = np.log(1 + white.reshape(k, d, -1).sum(1) / TAILS)  # log1p has no vector instructions
        return np.asarray(self._constant[:, None] - 0.5 * (TAILS + d) * tails)

    @cached_property
    def _whitening(self) -> Array:
        return np.asarray(np.linalg.inv(self.factor))

    @cached_property
    def _center(self) -> Array:
        return np.asarray((self._whitening @ self.mean[:, :, None]).reshape(-1, 1))

    @cached_property
    def _constant(self) -> Array:
        d = self.mean.shape[1]
        volume = np.log(np.diagonal(self.factor, axis1=1, axis2=2)).sum(1)
        constant = lgamma((TAILS + d) / 2) - lgamma(TAILS / 2) - 0.5 * d * log(TAILS * pi)
        return np.asarray(constant + np.log(self.weight) - volume)

    def log_density(self, z: Array) -> Array:
        """Return the log density (n,) at z (n, d)."""
        return log_sum(self.log_components(z))


@dataclass(frozen=True)
class Weighted:
    """Weighted draws of a posterior, and the mixture that proposes them."""

    z: Array  # (n, d)
    weight: Array  # (n,), sums to 1
    ess: float
    log_evidence: float
    mixture: Mixture

    def quantiles(self, levels: Array) -> Array:
        """Return the quantiles (len(levels), d) of each coordinate."""
        columns = []
        for column in self.z.T:
            order = np.argsort(column)
            below = np.cumsum(self.weight[order])
            columns.append(column[order][np.minimum(np.searchsorted(below, levels), len(order) - 1)])
        return np.array(columns).T


@dataclass
class _Drawn:
    """All draws so far, each weighted by the sum of all proposals, whichever of them it came from."""

    z: Array
    density: Array = field(default_factory=lambda: np.empty(0))
    proposal: Array = field(default_factory=lambda: np.empty(0))
    used: list[tuple[int, Mixture]] = field(default_factory=list)

    def add(self, n: int, mixture: Mixture, log_density: LogDensity, rng: np.random.Generator) -> None:
        """Draw n more from a mixture."""
        fresh = mixture.draw(n, rng)
        self.used.append((n, mixture))
        before = np.logaddexp(self.proposal, log(n) + mixture.log_density(self.z))
        here = log_sum(np.array([log(m) + each.log_density(fresh) for m, each in self.used]))
        self.proposal = np.concatenate([before, here])
        self.z = np.concatenate([self.z, fresh])
        self.density = np.concatenate([self.density, log_density(fresh)])

    @property
    def log_evidence(self) -> float:
        return float(logsumexp(self.density - self.proposal))

    @property
    def weight(self) -> Array:
        return np.asarray(np.exp(self.density - self.proposal - self.log_evidence))


def sample(
    log_density: LogDensity, starts: Array, rng: np.random.Generator, *, size: int = 1000, longest: int = 16
) -> Weighted:
    """Return weighted draws; `starts` (k, d) are searched for modes first.

    Stages of `size` draws follow one another, at least 3 and at most `longest`, until the effective sample
    size is half of all draws: from there on the mixture hardly improves. A last stage is four times as large,
    and where it finds less than it should the small ones go on. Missed tails are mended at the end.
    """
    mixture = _around_modes(log_density, starts)
    drawn = _Drawn(np.empty((0, starts.shape[1])))
    last = False
    while True:
        drawn.add(4 * size if last else size, mixture, log_density, rng)
        weight = drawn.weight
        ess = 1 / (weight**2).sum()
        mixture = refit(drawn.z, weight, rng)
        if last and (ess > 0.4 * len(weight) or len(drawn.used) >= longest):
            break
        # the large stage may find a tail that the small ones missed: then small ones go on
        stages = len(drawn.used)
        last = not last and stages >= 3 and (ess > 0.5 * len(weight) or stages >= longest - 1)
    mends: list[Mixture] = []
    while len(mends) < MENDS and weight.max() * len(weight) > HEAVY:
        mends.append(_around(drawn.z, int(np.argmax(weight)), weight))
        drawn.add(AROUND, mends[-1], log_density, rng)
        weight = drawn.weight
    mixture = _joined(refit(drawn.z, weight, rng), mends)
    return Weighted(drawn.z, weight, float(1 / (weight**2).sum()), drawn.log_evidence, mixture)


def mended(mixture: Mixture, z: Array, density: Array) -> Mixture:
    """Return a mixture with components added where draws z (n, d) of the density lie in tails it misses.

    There the density (n,), in logs and up to a constant, is more than HEAVY times the mixture's, in units of
    its median over the draws.
    """
    mends: list[Mixture] = []
    while True:
        joined = _joined(mixture, mends)
        excess = density - joined.log_density(z)
        excess -= np.median(excess)
        if len(mends) == MENDS or excess.max() < log(HEAVY):
            return joined
        mends.append(_around(z, int(np.argmax(excess)), np.full(len(z), 1 / len(z))))


def _around(z: Array, row: int, weight: Array) -> Mixture:
    """Return one component at a draw, as wide as the draws nearest to it lie around it."""
    overall = np.cov(z.T, aweights=weight) + 1e-12 * np.eye(z.shape[1])
    white = (z - z[row]) @ np.linalg.inv(np.linalg.cholesky(overall)).T
    near = np.argsort((white**2).sum(1))[:AROUND]
    share = weight[near] + 1 / len(z)  # between the draws as they lie and as they weigh
    away = z[near] - z[row]
    scatter = (away.T * (share / share.sum())) @ away + 1e-3 * overall
    return Mixture(np.ones(1), z[row][None], np.linalg.cholesky(scatter)[None])


def _joined(mixture: Mixture, mends: list[Mixture]) -> Mixture:
    """Return the mixture with each mend holding a share MENDED of it."""
    return Mixture(
        np.append((1 - MENDED * len(mends)) * mixture.weight, np.full(len(mends), MENDED)),
        np.concatenate([mixture.mean, *(each.mean for each in mends)]),
        np.concatenate([mixture.factor, *(each.factor for each in mends)]),
    )


def _around_modes(log_density: LogDensity, starts: Array) -> Mixture:
    """Return a wide mixture at the best modes reached from the best starts."""
    step = 1e-5
    d = starts.shape[1]
    offsets = np.concatenate([np.zeros((1, d)), step * np.eye(d), -step * np.eye(d)])

    def cost(z: Array) -> tuple[float, Array]:
        values = np.minimum(-log_density(z + offsets), 1e10)
        return float(values[0]), (values[1 : d + 1] - values[d + 1 :]) / (2 * step)

    best = starts[np.argsort(-log_density(starts))[:3]]
    found = [minimize(cost, start, jac=True, method="BFGS", options={"maxiter": 200}) for start in best]
    lowest = min(each.fun for each in found)
    modes = np.array([each.x for each in found if each.fun < lowest + 4])
    factors = np.array([_laplace_factor(log_density, mode) for mode in modes])
    return Mixture(np.full(len(modes), 1 / len(modes)), modes, factors)


def _laplace_factor(log_density: LogDensity, mode: Array) -> Array:
    """Return the Cholesky factor of the inverse curvature at a mode, kept between sensible widths."""
    d, step = len(mode), 1e-3
    i, j = np.triu_indices(d)
    unit = step * np.eye(d)
    corners = [mode + s * unit[i] + t * unit[j] for s, t in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
    pp, pm, mp, mm = log_density(np.concatenate(corners)).reshape(4, -1)
    with np.errstate(invalid="ignore"):
        second = -(pp - pm - mp + mm) / (4 * step**2)
    curvature = np.zeros((d, d))
    curvature[i, j] = curvature[j, i] = np.where(np.isfinite(second), second, 0.0)
    values, vectors = np.linalg.eigh(curvature)
    spread = 1.2 / np.sqrt(np.clip(values, 0.1, None))  # a flat direction gets a width of about 4
    return np.asarray(np.linalg.cholesky((vectors * spread**2) @ vectors.T))


def refit(z: Array, weight: Array, rng: np.random.Generator, *, n: int = 2000) -> Mixture:
    """Return a mixture fitted by five steps of expectation-maximization to n draws resampled by weight."""
    z = z[rng.choice(len(z), n, p=weight)]
    d = z.shape[1]
    components = max(4, d)
    overall = np.cov(z.T)
    overall += 1e-12 * (1 + np.trace(overall)) * np.eye(d)  # draws of few weights may lie in a plane
    factor = np.linalg.cholesky(overall)
    mixture = Mixture(
        np.full(components, 1 / components), z[:components], np.repeat(factor[None], components, 0)
    )
    for _ in range(5):
        parts = mixture.log_components(z)
        share = np.exp(parts - log_sum(parts)) / n  # (k, n)
        share = share[share.sum(1) > 0.02]
        mass = share.sum(1)
        mean = share @ z / mass[:, None]
        away = z[None] - mean[:, None]
        scatter = (share[:, None, :] * away.transpose(0, 2, 1)) @ away / mass[:, None, None]
        # a Student-t is wider than its scale; the overall scatter keeps a small component from collapsing
        factors = np.linalg.cholesky(0.8 * scatter + 0.02 * overall)
        mixture = Mixture(mass / mass.sum(), mean, factors)
    # one wide component over everything keeps weights bounded where the fit missed a tail (Hesterberg 1995)
    return Mixture(
        np.append(0.9 * mixture.weight, 0.1),
        np.concatenate([mixture.mean, z.mean(0)[None]]),
        np.concatenate([mixture.factor, 2.0 * factor[None]]),
    )
