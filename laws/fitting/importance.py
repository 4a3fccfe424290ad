"""Adaptive mixture importance sampling: weighted draws, evidence, and a proposal like the posterior.

The proposal is a mixture of multivariate Student-t distributions, refitted to the weighted draws after each
stage by expectation-maximization (Cappé et al. 2008, arXiv:0710.4242). All stages are weighted together by
the deterministic mixture of their proposals (Cornuet et al. 2012, arXiv:0907.1254). A draw that weighs too
much shows a tail that the mixture misses; the mixture gets a component there (Raftery and Bao 2010,
doi:10.1111/j.1541-0420.2010.01399.x), because a chain that proposes from it would be stuck in that tail.

It needs a few thousand evaluations, and a low effective sample size shows where it failed. It gives emcee its
start and one of its proposals, and emcee is checked against it; the posterior samples that a law stores are
emcee's.

| symbol | meaning | shape |
| --- | --- | --- |
| n, d, k | draws, coordinates, components of a mixture | |
| z | draws | (n, d) |
| density | log of the unnormalized posterior density at z | (n,) |
| proposal | log Σ over stages of (draws of the stage × its mixture's density) at z | (n,) |
| weight | exp(density − proposal), normalized to sum 1 | (n,) |
| ess | effective sample size 1 / Σ weight² | |
| log_evidence | log ∫ density = log Σ exp(density − proposal) | |
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from math import lgamma, log, pi

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import logsumexp

from laws.errors import LawError

Array = NDArray[np.float64]
LogDensity = Callable[[Array], Array]

DEGREES = 5.0  # of freedom of the proposal: heavier tails than most posteriors here
MAX_RELATIVE_WEIGHT = 8.0  # in mean weights: a draw above it shows a tail that the mixture misses
MAX_EXTENSIONS, EXTENSION_DRAWS = 12, 200  # components added for missed tails, and how many draws each gets
EXTENSION_SHARE = 0.02  # of each added component in the proposal
MODES_SEARCHED, MODE_DEPTH = (
    3,
    4.0,
)  # starts that are optimized; modes lower than this below the best are dropped


def log_sum(logs: Array) -> Array:
    """Return log Σ exp(logs) over the first axis, whose largest entry is finite.

    Five times as fast as np.logaddexp.reduce.

    Args:
        logs: Logarithms (k, ...).

    Returns:
        The logarithms of the sums (...).
    """
    largest = logs.max(0)
    return np.asarray(largest + np.log(np.exp(logs - largest).sum(0)))


@dataclass(frozen=True)
class Mixture:
    """A mixture of k Student-t distributions in d dimensions.

    Attributes:
        weight: Shares of the components (k,), summing to 1.
        mean: Their centers (k, d).
        factor: Lower Cholesky factors of their scale matrices (k, d, d).
    """

    weight: Array
    mean: Array
    factor: Array

    def draw(self, n: int, rng: np.random.Generator | np.random.RandomState) -> Array:
        """Return draws of the mixture.

        Args:
            n: How many.
            rng: The random stream; emcee passes numpy's older one.

        Returns:
            Draws (n, d).
        """
        which = rng.choice(len(self.weight), size=n, p=self.weight)
        normal = rng.standard_normal((n, self.mean.shape[1]))
        stretch = np.sqrt(DEGREES / rng.chisquare(DEGREES, size=n))
        away = np.einsum("nij,nj->ni", self.factor[which], normal) * stretch[:, None]
        return np.asarray(self.mean[which] + away)

    def log_components(self, z: Array) -> Array:
        """Return the log density of each component, its share included.

        Args:
            z: Points (n, d).

        Returns:
            Log densities (k, n).
        """
        k, d = self.mean.shape
        white = self._whitening.reshape(k * d, d) @ z.T - self._center
        white *= white
        tails = np.log(1 + white.reshape(k, d, -1).sum(1) / DEGREES)  # log1p has no vector instructions
        return np.asarray(self._constant[:, None] - 0.5 * (DEGREES + d) * tails)

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
        constant = lgamma((DEGREES + d) / 2) - lgamma(DEGREES / 2) - 0.5 * d * log(DEGREES * pi)
        return np.asarray(constant + np.log(self.weight) - volume)

    def log_density(self, z: Array) -> Array:
        """Return the log density of the mixture.

        Args:
            z: Points (n, d).

        Returns:
            Log densities (n,).
        """
        return log_sum(self.log_components(z))


@dataclass(frozen=True)
class Weighted:
    """Weighted draws of a posterior, and the mixture that proposes them.

    Attributes:
        z: Draws (n, d).
        weight: Their weights (n,), summing to 1.
        ess: Effective sample size.
        log_evidence: Log of the integral of the unnormalized density.
        mixture: The proposal, fitted to the draws.
    """

    z: Array
    weight: Array
    ess: float
    log_evidence: float
    mixture: Mixture

    def quantiles(self, levels: Array) -> Array:
        """Return quantiles of each coordinate.

        Args:
            levels: Levels between 0 and 1.

        Returns:
            Quantiles (len(levels), d).
        """
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
        here = log_sum(np.array([log(m) + used.log_density(fresh) for m, used in self.used]))
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
    log_density: LogDensity,
    starts: Array,
    rng: np.random.Generator,
    *,
    size: int = 1000,
    max_stages: int = 16,
) -> Weighted:
    """Return weighted draws of a density.

    Stages of `size` draws follow one another, at least 3, until the effective sample size is half of all
    draws: from there on the mixture hardly improves. A last stage is four times as large; where its effective
    sample size is too low, small stages continue. Missed tails get a component at the end.

    Args:
        log_density: Function from (n, d) to (n,), unnormalized.
        starts: Points (k, d) from which modes are searched.
        rng: The random stream.
        size: Draws per stage.
        max_stages: How many stages there are at most.

    Returns:
        The weighted draws.

    Raises:
        LawError: Where no draw has a density, or all weight is in so few draws that they have no scatter.
            Code "no-plausible-law".
    """
    with np.errstate(all="ignore"):
        try:
            return _sample(log_density, starts, rng, size=size, max_stages=max_stages)
        except np.linalg.LinAlgError:
            raise _implausible() from None


def _implausible() -> LawError:
    return LawError(
        "points: expected some law of this form to be plausible, got none: the sizes are too close "
        "together, or the "
        "values too far apart or too uncertain",
        code="no-plausible-law",
    )


def _sample(
    log_density: LogDensity, starts: Array, rng: np.random.Generator, *, size: int, max_stages: int
) -> Weighted:
    mixture = _around_modes(log_density, starts)
    drawn = _Drawn(np.empty((0, starts.shape[1])))
    last = False
    while True:
        drawn.add(4 * size if last else size, mixture, log_density, rng)
        weight = drawn.weight
        if not np.isfinite(weight).all():
            raise _implausible()
        ess = 1 / (weight**2).sum()
        mixture = refit(drawn.z, weight, rng)
        if last and (ess > 0.4 * len(weight) or len(drawn.used) >= max_stages):
            break
        # the large stage may find a tail that the small ones missed: then small ones go on
        stages = len(drawn.used)
        last = not last and stages >= 3 and (ess > 0.5 * len(weight) or stages >= max_stages - 1)
    extensions: list[Mixture] = []
    while len(extensions) < MAX_EXTENSIONS and weight.max() * len(weight) > MAX_RELATIVE_WEIGHT:
        extensions.append(_around(drawn.z, int(np.argmax(weight)), weight))
        drawn.add(EXTENSION_DRAWS, extensions[-1], log_density, rng)
        weight = drawn.weight
    mixture = _joined(refit(drawn.z, weight, rng), extensions)
    return Weighted(drawn.z, weight, float(1 / (weight**2).sum()), drawn.log_evidence, mixture)


def extend(mixture: Mixture, z: Array, density: Array) -> Mixture:
    """Return a mixture with components added in tails that it misses.

    A draw lies in such a tail where the density is more than MAX_RELATIVE_WEIGHT times the mixture's, in
    units of the median of that ratio over the draws.

    Args:
        mixture: The mixture.
        z: Draws (n, d) of the density.
        density: Log density (n,) at z, up to a constant.

    Returns:
        The mixture with at most MAX_EXTENSIONS more components.
    """
    extensions: list[Mixture] = []
    while True:
        joined = _joined(mixture, extensions)
        excess = density - joined.log_density(z)
        excess -= np.median(excess)
        if len(extensions) == MAX_EXTENSIONS or excess.max() < log(MAX_RELATIVE_WEIGHT):
            return joined
        extensions.append(_around(z, int(np.argmax(excess)), np.full(len(z), 1 / len(z))))


def _around(z: Array, row: int, weight: Array) -> Mixture:
    """Return one component at a draw, as wide as the draws nearest to it."""
    overall = np.cov(z.T, aweights=weight) + 1e-12 * np.eye(z.shape[1])
    white = (z - z[row]) @ np.linalg.inv(np.linalg.cholesky(overall)).T
    near = np.argsort((white**2).sum(1))[:EXTENSION_DRAWS]
    share = weight[near] + 1 / len(
        z
    )  # half by weight and half by count: weights only would make it too narrow
    away = z[near] - z[row]
    scatter = (away.T * (share / share.sum())) @ away + 1e-3 * overall
    return Mixture(np.ones(1), z[row][None], np.linalg.cholesky(scatter)[None])


def _joined(mixture: Mixture, extensions: list[Mixture]) -> Mixture:
    """Return the mixture with the added components, each a share EXTENSION_SHARE of it."""
    count = len(extensions)
    return Mixture(
        np.append((1 - EXTENSION_SHARE * count) * mixture.weight, np.full(count, EXTENSION_SHARE)),
        np.concatenate([mixture.mean, *(added.mean for added in extensions)]),
        np.concatenate([mixture.factor, *(added.factor for added in extensions)]),
    )


def _around_modes(log_density: LogDensity, starts: Array) -> Mixture:
    """Return a wide mixture at the best modes reached from the best starts."""
    step = 1e-5
    d = starts.shape[1]
    offsets = np.concatenate([np.zeros((1, d)), step * np.eye(d), -step * np.eye(d)])

    def cost(z: Array) -> tuple[float, Array]:
        values = np.minimum(-log_density(z + offsets), 1e10)
        return float(values[0]), (values[1 : d + 1] - values[d + 1 :]) / (2 * step)

    best = starts[np.argsort(-log_density(starts))[:MODES_SEARCHED]]
    minima = [minimize(cost, start, jac=True, method="BFGS", options={"maxiter": 200}) for start in best]
    lowest = min(minimum.fun for minimum in minima)
    modes = np.array([minimum.x for minimum in minima if minimum.fun < lowest + MODE_DEPTH])
    if not len(modes):
        raise _implausible()
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
    """Return a mixture fitted to weighted draws by five steps of expectation-maximization.

    Args:
        z: Draws (m, d).
        weight: Their weights (m,), summing to 1.
        rng: The random stream.
        n: How many draws are resampled by weight and fitted to.

    Returns:
        A mixture of at most max(4, d) components, and a wide one over all of them.
    """
    z = z[rng.choice(len(z), n, p=weight)]
    d = z.shape[1]
    components = max(4, d)
    overall = np.cov(z.T)
    overall += 1e-12 * (1 + np.trace(overall)) * np.eye(d)  # a few heavy draws may be in a plane
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
