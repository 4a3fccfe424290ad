"""Forecast a learning curve beyond its measured scales: drifting forms, weighted by their own forecasts.

A *belief* is a prior for the eight parameters of `laws/drift.py`: a curve that saturates, one without a
floor, one that keeps to its law, ... (`laws/prior.json`, explained in `docs/forecasting.md`). Each belief
forecasts the largest scales of the curve from the smaller ones, and is weighted by how well it did:
stacking (Yao et al. 2018, arXiv:1704.02030) on the future left out (Bürkner et al. 2020, arXiv:1902.06281).
Curves of one collection share what they learned about the weights. The weighted posterior is one density,
likelihood × Σ_k (w_k/Z_k)·prior_k, which emcee samples from walkers that importance sampling places; the
importance draws also give the evidences Z_k, and are what the chain is checked against.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from laws.drift import DECADE, PARAMETERS, Curve, log_likelihood, moments, paths, thinned
from laws.errors import PlannerError
from laws.importance import Mixture, log_sum
from laws.minima import ABOVE, WIDER, probability
from laws.points import Points
from laws.sampler import ensemble, independent

Array = NDArray[np.float64]

STAGES = (4000, *[1000] * 18)  # draws of the stages of importance sampling, the first from the prior
JUDGES = 600  # draws by which a belief is judged
COUNTED = 4  # points of the left-out future that count as facts: neighbours share their noise
TRUST = 0.5  # power of a curve's own evidence about the weights
WALKERS, STEPS = 400, 64
STUCK = 0.01  # noise of log y that is hidden where values repeat: no measured error does, rounded ones do
CHECKED = 1000  # draws by which samplers are compared
NORMAL80 = 2.56  # width of a normal distribution's 80 % interval in standard deviations
LEVELS = np.array([0.1, 0.5, 0.9])  # further out the quantiles of a thousand draws are noise
EQUALS = 2.0  # how many curves of a collection the weights learned elsewhere are worth


@dataclass(frozen=True, eq=False)
class Prior:
    """K beliefs about the parameters: normal with mean and sd (K, 8), weights (K,), names of forms."""

    names: tuple[str, ...]
    forms: tuple[str, ...]
    mean: Array
    sd: Array
    weight: Array

    def log_parts(self, draws: Array) -> Array:
        """Return the log density (K, W) of each belief."""
        away = (draws[None] - self.mean[:, None]) / self.sd[:, None]
        constant = np.log(self.sd).sum(1) + 0.5 * self.mean.shape[1] * np.log(2 * np.pi)
        return np.asarray(-0.5 * (away**2).sum(2) - constant[:, None])

    def log_density(self, draws: Array, weight: Array) -> Array:
        """Return the log density (W,) of the beliefs mixed by weight (K,)."""
        with np.errstate(divide="ignore"):
            return log_sum(np.log(weight)[:, None] + self.log_parts(draws))


@cache
def shipped_prior() -> Prior:
    """Return the prior that ships with the tool."""
    text = (Path(__file__).parent / "prior.json").read_text(encoding="utf-8")
    content = json.loads(text)
    beliefs = content["beliefs"]

    def column(key: str) -> Array:
        return np.array([[belief["parameters"][name][key] for name in PARAMETERS] for belief in beliefs])

    weight = np.array([belief["weight"] for belief in beliefs])
    return Prior(
        names=tuple(belief["name"] for belief in beliefs),
        forms=tuple(belief["form"] for belief in beliefs),
        mean=column("mean"),
        sd=column("sd"),
        weight=weight / weight.sum(),
    )


@dataclass(frozen=True, eq=False)
class Forecast:
    """What a curve says about scales that nobody measured: draws, read as paths of log y on any grid.

    Where the measured series is a running minimum (`laws/minima.py`), what comes next lies above it.
    """

    curve: Curve
    draws: Array  # (draws, 8), in the order of laws.drift.PARAMETERS
    weights: dict[str, float]  # of the forms
    diagnostics: dict[str, float]
    warnings: tuple[str, ...]
    ceiling: float | None  # y stays at or below it
    seed: int
    lift: Array  # (draws,): the scatter of a running minimum, in draws where the series is one, else 0

    def paths(self, x: ArrayLike) -> Array:
        """Return noise-free paths of log y (draws, m) at scales x (m,)."""
        return self._both(x)[0]

    def measurements(self, x: ArrayLike) -> Array:
        """Return log y (draws, m) as it would be measured at scales x (m,), noise included."""
        return self._both(x)[1]

    def quantiles(self, x: ArrayLike, levels: Sequence[float]) -> Array:
        """Return the quantiles (len(levels), m) of y, noise included, at scales x (m,).

        Computed on at most 24 scales and read between them along straight lines on log axes.
        """
        t = np.log(np.asarray(x, dtype=np.float64))
        grid = np.unique(t) if len(np.unique(t)) <= 24 else np.linspace(t.min(), t.max(), 24)
        lines = np.quantile(self.measurements(np.exp(grid)), levels, axis=0)
        return np.exp([np.interp(t, grid, line) for line in lines])

    def _both(self, x: ArrayLike) -> tuple[Array, Array]:
        t = np.log(np.asarray(x, dtype=np.float64))
        rng = np.random.default_rng(self.seed)
        law, seen = paths(self.curve, self.draws, t, rng)
        lift = self.lift[:, None]
        after = np.where(t > self.curve.t[-1], lift, 0.0)
        law, seen = law + ABOVE * lift, seen + after * (ABOVE + WIDER * rng.standard_normal(seen.shape))
        if self.ceiling is None:
            return law, seen
        return np.minimum(law, np.log(self.ceiling)), np.minimum(seen, np.log(self.ceiling))


def forecast(
    points: Points,
    *,
    seed: int,
    draws: int = 1000,
    weights: Array | None = None,
    prior: Prior | None = None,
    chain: bool = True,
) -> Forecast:
    """Return the forecast of a curve: `draws` joint draws, the same for the same seed.

    `weights` (K,) of the beliefs come from `stacked` over a collection; without them this curve's own
    held-out scales decide. `chain=False` keeps the importance draws, for back-tests over hundreds of
    curves. Warnings: those of the points; `one-point`, `no-trend`, `rising`, `few-points`,
    `running-minimum` (see docs/warnings.md); `not-converged` (the chain still moved) and
    `importance-disagrees` (the two samplers differ), both by more than 0.5 standard deviations of the
    forecast half a decade on.
    """
    if points.x.ndim != 1:
        raise PlannerError("a forecast is of one curve: y against one x, not a surface of (params, data)")
    prior = prior or shipped_prior()
    curve = _curve(points)
    if weights is None:
        weights = stacked([held_out(points, seed=seed, prior=prior)], prior=prior)[0]
    rng = np.random.default_rng(seed)
    explored = _explore(curve, prior, rng)
    # the stacked mixture of K posteriors is one posterior, under this mixture of their priors
    mixed = weights / explored.evidence
    mixed = mixed / mixed.sum()
    importance = explored.under(prior, mixed)
    z = explored.z[rng.choice(len(importance), draws, p=importance)]
    diagnostics = {"importance_ess": float(1 / (importance**2).sum())}
    warnings = points.warnings + _doubts(points)
    if chain:
        z, more, said = _chain(curve, prior, mixed, explored, importance, draws=draws, rng=rng)
        diagnostics, warnings = diagnostics | more, warnings + said
    by_form: dict[str, float] = {}
    for form, weight in zip(prior.forms, weights, strict=True):
        by_form[form] = by_form.get(form, 0.0) + float(weight)
    ceiling = points.ceiling if points.ceiling is not None else 1.0 if points.y.max() <= 1 else None
    if ceiling is not None:
        ceiling = max(ceiling, float(points.y.max()))
    sigma = np.exp(z[:, list(PARAMETERS).index("noise")])
    minimum = probability(points.x, points.y, sigma)
    if minimum.mean() > 0.5:
        warnings += ("running-minimum",)
    lift = np.where(rng.random(len(z)) < minimum, sigma, 0.0)
    codes = tuple(dict.fromkeys(warnings))
    return Forecast(curve, z, by_form, diagnostics, codes, ceiling, seed, lift)


def held_out(points: Points, *, seed: int, prior: Prior | None = None) -> Array:
    """Return the log score (K,) of each belief on the largest scales of the curve, forecast from the smaller.

    Left out is the last factor of two (at least one scale, leaving two); the score is the mean log density of
    its points, at most COUNTED of them counted. Zeros where too little is left to learn from.
    """
    prior = prior or shipped_prior()
    t = np.log(points.x)
    places = np.unique(t)
    cut = max(np.sum(places <= places[-1] - 0.95 * np.log(2)), 2)
    cut = min(cut, len(places) - 1)
    if cut < 2 or places[cut - 1] - places[0] < 0.1:
        return np.zeros(len(prior.names))
    early, late = points.part(t <= places[cut - 1]), points.part(t > places[cut - 1])
    return judged(early, late, seed=seed, prior=prior) * min(len(late), COUNTED)


def judged(early: Points, late: Points, *, seed: int, prior: Prior | None = None) -> Array:
    """Return the mean log density (K,) of late points under each belief, forecast from the early ones."""
    prior = prior or shipped_prior()
    curve = _curve(early)
    rng = np.random.default_rng(seed)
    explored = _explore(curve, prior, rng)
    log_weight = explored.log_ratio + prior.log_parts(explored.z)
    weight = np.exp(log_weight - np.logaddexp.reduce(log_weight, axis=1)[:, None])
    z = np.concatenate([explored.z[rng.choice(len(w), JUDGES, p=w)] for w in weight])
    which = np.unique(np.linspace(0, len(late) - 1, 8).round().astype(int))
    mean, variance = moments(curve, z, np.log(late.x[which]))
    log_y = np.log(late.y[which])
    density = -0.5 * ((log_y - mean) ** 2 / variance + np.log(2 * np.pi * variance))
    density = density.reshape(len(weight), JUDGES, len(which))
    score = np.logaddexp.reduce(density, axis=1) - np.log(JUDGES)
    # one point in fifty may be anywhere: a belief is not dismissed for a jump that none of them foresaw
    wild = -0.5 * ((log_y - np.log(early.y[-1])) / 0.7) ** 2 - np.log(0.7) - 0.5 * np.log(2 * np.pi)
    score = np.logaddexp(np.log(0.98) + score, np.log(0.02) + wild)
    return np.asarray(score.mean(1))


def stacked(scores: Sequence[Array], *, prior: Prior | None = None) -> Array:
    """Return the weights (n, K) of the beliefs for each of n curves of one collection, from their log scores.

    The collection's weights maximise its held-out likelihood, with the prior's weights counted as EQUALS
    curves (expectation-maximisation); each curve then shifts them by its own score to the power TRUST.
    """
    prior = prior or shipped_prior()
    score = np.array(scores)
    common = prior.weight
    for _ in range(100):
        share = np.log(common) + score
        share = np.exp(share - np.logaddexp.reduce(share, axis=1)[:, None])
        common = share.sum(0) + EQUALS * prior.weight
        common = common / common.sum()
    each = np.log(common) + TRUST * score
    return np.asarray(np.exp(each - np.logaddexp.reduce(each, axis=1)[:, None]))


@dataclass(frozen=True, eq=False)
class _Explored:
    """Importance draws of the posterior under all beliefs: z (n, 8) and log likelihood minus log proposal."""

    z: Array
    log_ratio: Array
    mixture: Mixture
    evidence: Array  # (K,), relative to the largest

    def under(self, prior: Prior, weight: Array) -> Array:
        """Return normalised importance weights (n,) of the posterior under the beliefs mixed by weight."""
        log_weight = self.log_ratio + prior.log_density(self.z, weight)
        return np.asarray(np.exp(log_weight - np.logaddexp.reduce(log_weight)))


def _explore(curve: Curve, prior: Prior, rng: np.random.Generator) -> _Explored:
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
    return _Explored(z, ratio, mixture, np.exp(np.maximum(evidence - evidence.max(), -50.0)))


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


def _chain(
    curve: Curve,
    prior: Prior,
    mixed: Array,
    explored: _Explored,
    importance: Array,
    *,
    draws: int,
    rng: np.random.Generator,
) -> tuple[Array, dict[str, float], tuple[str, ...]]:
    """Return draws of emcee, what judges them, and warnings.

    Many walkers that start from the posterior as importance sampling has it, and a few dozen steps: the
    chain need not find the posterior, only correct it (Chopin 2002, doi:10.1093/biomet/89.3.539, moves its
    particles likewise). A long chain of few walkers takes minutes here: the posterior is a mixture.
    """
    from emcee import State
    from emcee.moves import DEMove, MHMove, StretchMove

    def log_density(z: Array) -> Array:
        return np.asarray(log_likelihood(curve, z) + prior.log_density(z, mixed))

    # proposals in the proportions of the posterior: which belief holds how much of it
    parts = prior.log_parts(explored.z) + np.log(np.maximum(mixed, 1e-300))[:, None]
    held = np.exp(parts - log_sum(parts)) @ importance
    mixture = Mixture((held + 0.02) / (held + 0.02).sum(), explored.mixture.mean, explored.mixture.factor)
    start = explored.z[rng.choice(len(importance), WALKERS, p=importance)]
    # copies of one draw would leave differential evolution without differences
    start += 1e-3 * start.std(0) * rng.standard_normal(start.shape)
    moves = [(MHMove(independent(mixture)), 0.5), (DEMove(), 0.3), (StretchMove(), 0.2)]
    run = ensemble(len(start), start.shape[1], log_density, moves)
    state = np.random.RandomState(int(rng.integers(2**31))).get_state()
    run.run_mcmc(State(start, random_state=state), STEPS)
    z = run.get_chain()
    flat = z[STEPS // 2 :].reshape(-1, start.shape[1])
    earlier = z[STEPS // 4 : STEPS // 2].reshape(-1, start.shape[1])
    # half a decade on: what users read, and one number where parameters of a mixture have many modes
    ahead, own = curve.t[-1:] + 0.5 * DECADE, rng.spawn(1)[0]
    placed = explored.z[own.choice(len(importance), CHECKED, p=importance)]
    told, before, by_importance = (
        np.quantile(paths(curve, rows, ahead, own)[1][:, 0], LEVELS)
        for rows in (_some(flat, own), _some(earlier, own), placed)
    )
    spread = (told[2] - told[0]) / NORMAL80
    gap, moved = np.abs(told - by_importance) / spread, np.abs(told - before) / spread
    warnings: tuple[str, ...] = ("not-converged",) if moved.max() > 0.5 else ()
    if 1 / (importance**2).sum() >= 400 and gap.max() > 0.5:
        warnings += ("importance-disagrees",)
    rows = rng.choice(len(flat), draws, replace=len(flat) < draws)
    acceptance = float(run.acceptance_fraction.mean())
    numbers = {"importance_gap": float(gap.max()), "moved": float(moved.max()), "acceptance": acceptance}
    return flat[rows], numbers, warnings


def _some(z: Array, rng: np.random.Generator) -> Array:
    return z[rng.choice(len(z), CHECKED)]


def _curve(points: Points) -> Curve:
    curve = thinned(points.x, points.y, y_se=points.y_se, weight=points.weight)
    if _stuck(points):
        curve = replace(curve, variance=curve.variance + STUCK**2)
    return curve


def _stuck(points: Points) -> bool:
    """Return whether the later half of the range, three scales or more, has one value alone."""
    t = np.log(points.x)
    recent = t >= t[-1] - 0.5 * (t[-1] - t[0]) - 1e-9
    return len(np.unique(t[recent])) >= 3 and len(np.unique(points.y[recent])) == 1


def _doubts(points: Points) -> tuple[str, ...]:
    """Return the codes of what makes a curve hard to extrapolate."""
    if points.distinct < 2:
        return ("one-point",)
    warnings = ["few-points"] if points.distinct < 5 else []
    t, log_y = np.log(points.x) / DECADE, np.log(points.y)
    recent = t >= t[-1] - max(0.5 * (t[-1] - t[0]), 1e-12)
    if len(np.unique(t[recent])) < 3:
        recent = t >= np.unique(t)[-min(3, points.distinct)]
    slope, spread = _slope(t[recent], log_y[recent])
    if slope > 2 * spread and slope > 0:
        warnings.append("rising")
    elif abs(slope) <= 2 * spread:
        warnings.append("no-trend")
    return tuple(warnings)


def _slope(t: Array, log_y: Array) -> tuple[float, float]:
    """Return the least-squares slope and its standard error."""
    away = t - t.mean()
    square = (away**2).sum()
    slope = float((away * log_y).sum() / square)
    residual = log_y - log_y.mean() - slope * away
    return slope, float(np.sqrt((residual**2).sum() / max(len(t) - 2, 1) / square))
