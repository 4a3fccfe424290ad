"""Forecast a learning curve beyond its measured scales: drifting forms, weighted by their own forecasts.

A *belief* is a prior for the eight parameters of `laws/forecasting/drift.py` (`laws/forecasting/priors.py`). Each belief forecasts
the largest scales of the curve from the smaller ones, and is weighted by how well it did
(`laws/forecasting/stacking.py`). The weighted posterior is one density, likelihood × Σ_k (w_k/Z_k)·prior_k, which emcee
samples from walkers that importance sampling places (`laws/forecasting/exploration.py`); the importance draws also give
the evidences Z_k, and are what the chain is checked against. Where the error of best guessing is known
there are two such densities, one of y and one of its odds (`laws/forecasting/odds.py`), and the draws are divided among
them as their beliefs weigh.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from laws.codes import WarningCode
from laws.errors import PlannerError
from laws.fitting.importance import Mixture, log_sum
from laws.fitting.sampler import ensemble, independent
from laws.forecasting.drift import DECADE, PARAMETERS, LogCurve, log_likelihood, paths
from laws.forecasting.exploration import Exploration, explore, log_curve, odds_curve
from laws.forecasting.odds import log_error, log_steepness, odds
from laws.forecasting.priors import Prior, bundled_prior
from laws.forecasting.running_minima import ABOVE, WIDER, probability
from laws.forecasting.stacking import held_out_scores, stacking_weights
from laws.points import Points

Array = NDArray[np.float64]

WALKERS, STEPS = 400, 64
CHECKED = 1000  # draws by which samplers are compared
NORMAL80 = 2.56  # width of a normal distribution's 80 % interval in standard deviations
LEVELS = np.array([0.1, 0.5, 0.9])  # further out the quantiles of a thousand draws are noise
_NOISE = list(PARAMETERS).index("noise")


@dataclass(frozen=True, eq=False)
class ComponentPosterior:
    """Draws of one density: of log y, or of the log odds of y against a ceiling."""

    curve: LogCurve
    draws: Array  # (n, 8), in the order of laws.forecasting.drift.PARAMETERS
    lift: Array  # (n,): the scatter of a running minimum, in draws where the series is one, else 0
    ceiling: float | None = None  # of the odds

    def both(self, t: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return paths of log y (n, m) at log scales t (m,): the law, and the next measurement."""
        law, seen = paths(self.curve, self.draws, t, rng)
        lift = self.lift[:, None]
        after = np.where(t > self.curve.t[-1], lift, 0.0)
        law, seen = law + ABOVE * lift, seen + after * (ABOVE + WIDER * rng.standard_normal(seen.shape))
        if self.ceiling is None:
            return law, seen
        return log_error(law, self.ceiling), log_error(seen, self.ceiling)

    def noise(self, last: float) -> Array:
        """Return the standard deviation (n,) of the noise of log y near `last`, the y measured last."""
        sd = np.sqrt(np.exp(2 * self.draws[:, _NOISE]) + self.curve.next_variance)
        if self.ceiling is None:
            return np.asarray(sd)
        return np.asarray(sd / np.exp(log_steepness(np.array(last), self.ceiling)))


@dataclass(frozen=True, eq=False)
class Forecast:
    """What a curve says about scales that nobody measured: draws, read as paths of log y on any grid.

    Where the measured series is a running minimum (`laws/forecasting/running_minima.py`), what comes next lies above it.
    """

    parts: tuple[ComponentPosterior, ...]
    last: float  # y at the largest measured scale
    weights: dict[str, float]  # of the forms
    diagnostics: dict[str, float]
    warnings: tuple[str, ...]
    ceiling: float | None  # y stays at or below it
    seed: int

    @property
    def end(self) -> float:
        """Return log x of the largest measured scale."""
        return float(self.parts[0].curve.t[-1])

    def parameters(self) -> dict[str, Array]:
        """Return the draws (draws,) by name; where there are two parts, "odds" is 1 for those of odds."""
        drawn = dict(zip(PARAMETERS, self._mixed([part.draws for part in self.parts]).T, strict=True))
        if any(part.ceiling is not None for part in self.parts):
            which = [np.full(len(part.draws), float(part.ceiling is not None)) for part in self.parts]
            drawn["odds"] = self._mixed(which)
        return drawn

    def noise(self) -> Array:
        """Return the standard deviation (draws,) of the noise of log y near the largest measured scale."""
        return self._mixed([part.noise(self.last) for part in self.parts])

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
        pairs = [part.both(t, rng) for part in self.parts]
        law, seen = (self._mixed([pair[i] for pair in pairs]) for i in (0, 1))
        if self.ceiling is None:
            return law, seen
        return np.minimum(law, np.log(self.ceiling)), np.minimum(seen, np.log(self.ceiling))

    def _mixed(self, rows: Sequence[Array]) -> Array:
        """Return the rows of all parts in one order, in which any stretch holds draws of all."""
        together = np.concatenate(rows)
        if len(self.parts) == 1:
            return together
        return together[np.random.default_rng(self.seed).permutation(len(together))]


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

    `weights` (K,) of the beliefs come from `stacking_weights` over a collection; without them this curve's own
    held-out scales decide. `chain=False` keeps the importance draws, for back-tests over hundreds of
    curves. Warnings: those of the points; `one-point`, `no-trend`, `rising`, `few-points`,
    `running-minimum` (see docs/reference/warnings.md); `not-converged` (the chain still moved) and
    `importance-disagrees` (the two samplers differ), both by more than 0.5 standard deviations of the
    forecast half a decade on.
    """
    if points.x.ndim != 1:
        raise PlannerError("a forecast is of one curve: y against one x, not a surface of (params, data)")
    prior = prior or bundled_prior()
    if weights is None:
        weights = stacking_weights([held_out_scores(points, seed=seed, prior=prior)], prior=prior)[0]
    parts: list[ComponentPosterior] = []
    diagnostics: dict[str, float] = {}
    warnings = points.warnings + _doubts(points)
    of_odds = round(draws * float(weights[prior.of_odds].sum()))
    for some, count, ceiling in (
        (~prior.of_odds, draws - of_odds, None),
        (prior.of_odds, of_odds, points.baseline_error),
    ):
        if not count:
            continue
        part, more, said = _part(
            points, ceiling, prior.part(some), weights[some], draws=count, seed=seed, chain=chain
        )
        parts.append(part)
        # of two densities the worse number stands for both
        for name, value in more.items():
            worse = min if name in {"importance_ess", "acceptance"} else max
            diagnostics[name] = worse(value, diagnostics.get(name, value))
        warnings += said
    by_form: dict[str, float] = {}
    for form, weight in zip(prior.forms, weights, strict=True):
        if weight > 0:
            by_form[form] = by_form.get(form, 0.0) + float(weight)
    highest = (
        points.baseline_error if points.baseline_error is not None else 1.0 if points.y.max() <= 1 else None
    )
    if highest is not None:
        highest = max(highest, float(points.y.max()))
    codes = tuple(dict.fromkeys(warnings))
    return Forecast(tuple(parts), float(points.y[-1]), by_form, diagnostics, codes, highest, seed)


def _part(
    points: Points,
    ceiling: float | None,
    prior: Prior,
    weights: Array,
    *,
    draws: int,
    seed: int,
    chain: bool,
) -> tuple[ComponentPosterior, dict[str, float], tuple[str, ...]]:
    """Return draws of the density that beliefs about y make together, or with a ceiling those about odds."""
    read = points if ceiling is None else odds(points, ceiling)
    curve = log_curve(read) if ceiling is None else odds_curve(read)
    rng = np.random.default_rng(seed if ceiling is None else [seed, 1])
    explored = explore(curve, prior, rng)
    # the stacked mixture of K posteriors is one posterior, under this mixture of their priors
    mixed = weights / explored.evidence
    mixed = mixed / mixed.sum()
    importance = explored.under(prior, mixed)
    z = explored.z[rng.choice(len(importance), draws, p=importance)]
    diagnostics = {"importance_ess": float(1 / (importance**2).sum())}
    warnings: tuple[str, ...] = ()
    if chain:
        z, more, warnings = _chain(prior, mixed, explored, importance, draws=draws, rng=rng)
        diagnostics |= more
    sigma = np.exp(z[:, _NOISE])
    minimum = probability(read.x, read.y, sigma)
    if minimum.mean() > 0.5:
        warnings += (WarningCode.RUNNING_MINIMUM,)
    lift = np.where(rng.random(len(z)) < minimum, sigma, 0.0)
    return ComponentPosterior(curve, z, lift, ceiling), diagnostics, warnings


def _chain(
    prior: Prior,
    mixed: Array,
    explored: Exploration,
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

    curve = explored.curve

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
    warnings: tuple[str, ...] = (WarningCode.NOT_CONVERGED,) if moved.max() > 0.5 else ()
    if 1 / (importance**2).sum() >= 400 and gap.max() > 0.5:
        warnings += (WarningCode.IMPORTANCE_DISAGREES,)
    rows = rng.choice(len(flat), draws, replace=len(flat) < draws)
    acceptance = float(run.acceptance_fraction.mean())
    numbers = {"importance_gap": float(gap.max()), "moved": float(moved.max()), "acceptance": acceptance}
    return flat[rows], numbers, warnings


def _some(z: Array, rng: np.random.Generator) -> Array:
    return z[rng.choice(len(z), CHECKED)]


def _doubts(points: Points) -> tuple[str, ...]:
    """Return the codes of what makes a curve hard to extrapolate."""
    if points.distinct < 2:
        return (WarningCode.ONE_POINT,)
    warnings = [WarningCode.FEW_POINTS] if points.distinct < 5 else []
    t, log_y = np.log(points.x) / DECADE, np.log(points.y)
    recent = t >= t[-1] - max(0.5 * (t[-1] - t[0]), 1e-12)
    if len(np.unique(t[recent])) < 3:
        recent = t >= np.unique(t)[-min(3, points.distinct)]
    slope, spread = _slope(t[recent], log_y[recent])
    if slope > 2 * spread and slope > 0:
        warnings.append(WarningCode.RISING)
    elif abs(slope) <= 2 * spread:
        warnings.append(WarningCode.NO_TREND)
    return tuple(warnings)


def _slope(t: Array, log_y: Array) -> tuple[float, float]:
    """Return the least-squares slope and its standard error."""
    away = t - t.mean()
    square = (away**2).sum()
    slope = float((away * log_y).sum() / square)
    residual = log_y - log_y.mean() - slope * away
    return slope, float(np.sqrt((residual**2).sum() / max(len(t) - 2, 1) / square))
