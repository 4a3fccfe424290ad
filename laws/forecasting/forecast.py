"""Forecast a learning curve beyond its measured scales: a mixture of drifting forms, weighted by stacking.

The prior is a mixture of K components, each a normal distribution of the eight parameters of
`laws/forecasting/drift.py` (`laws/forecasting/priors.py`). Each component forecasts the largest scales of the
curve from the smaller ones and is weighted by its score (`laws/forecasting/stacking.py`). The weighted
posterior is one density, likelihood × Σ_k (w_k/Z_k)·prior_k. emcee samples it from walkers that importance
sampling places (`laws/forecasting/exploration.py`); the importance draws also give the evidences Z_k, and the
chain is checked against them. Where the baseline error is known there are two such densities, one of y and
one of its odds (`laws/forecasting/odds.py`), and the samples are divided among them by the weights of their
components.

| symbol | meaning | shape |
| --- | --- | --- |
| K | components of the prior | |
| w, Z | stacking weight and evidence of each component | (K,) |
| z | samples of the eight parameters | (n, 8) |
| t | log x | (m,) |
| lift | how far a measurement is above the law where the series is a running minimum, in log y | (n,) |
| c | baseline error, of the odds y/(c − y) | |
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from laws.codes import WarningCode
from laws.errors import InputError
from laws.fitting.importance import Mixture, log_sum
from laws.fitting.sampler import ensemble, independent
from laws.forecasting.drift import DECADE, PARAMETERS, LogCurve, log_likelihood, paths
from laws.forecasting.exploration import Exploration, explore, log_curve, odds_curve
from laws.forecasting.odds import log_error, log_steepness, odds
from laws.forecasting.priors import Prior, bundled_prior
from laws.forecasting.running_minima import ADDED_SCATTER, LIFT, probability
from laws.forecasting.stacking import held_out_scores, stacking_weights
from laws.points import Points

Array = NDArray[np.float64]

WALKERS, STEPS = 400, 64
CHECKED_DRAWS = 1000  # by which samplers are compared
CHECKED_DECADES = 0.5  # beyond the data, where they are compared
MAX_GAP = 0.5  # standard deviations of the forecast there, between samplers or between parts of a chain
MIN_TRUSTED_ESS = 400  # effective draws from which importance sampling can contradict emcee
NORMAL80 = 2.56  # width of a normal distribution's 80 % interval in standard deviations
LEVELS = np.array([0.1, 0.5, 0.9])  # further out the quantiles of a thousand draws are noise
MAX_QUANTILE_SCALES = 24  # at which quantiles are computed; between them they are interpolated
FEW_SIZES = 5  # fewer are too few to tell the shape of a curve
_NOISE = list(PARAMETERS).index("noise")


@dataclass(frozen=True, eq=False)
class ComponentPosterior:
    """Samples of one of the two densities: of log y, or of the log odds of y.

    Attributes:
        curve: The curve on log axes, of y or of its odds.
        draws: Samples (n, 8), in the order of PARAMETERS.
        lift: The scatter of a running minimum (n,) in samples where the series is one, else 0.
        baseline_error: Of the odds; None for the density of log y.
    """

    curve: LogCurve
    draws: Array
    lift: Array
    baseline_error: float | None = None

    def sample_paths(self, t: Array, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return one path of log y per sample.

        Args:
            t: Log scales (m,).
            rng: The random stream.

        Returns:
            The law without noise, and the next measurement at each scale, both (n, m).
        """
        law, measured = paths(self.curve, self.draws, t, rng)
        lift = self.lift[:, None]
        after = np.where(t > self.curve.t[-1], lift, 0.0)
        scatter = LIFT + ADDED_SCATTER * rng.standard_normal(measured.shape)
        law, measured = law + LIFT * lift, measured + after * scatter
        if self.baseline_error is None:
            return law, measured
        return log_error(law, self.baseline_error), log_error(measured, self.baseline_error)

    def noise(self, last: float) -> Array:
        """Return the standard deviation of the noise of log y.

        Args:
            last: The y measured last, near which the noise is asked for.

        Returns:
            Standard deviations (n,).
        """
        sd = np.sqrt(np.exp(2 * self.draws[:, _NOISE]) + self.curve.next_variance)
        if self.baseline_error is None:
            return np.asarray(sd)
        return np.asarray(sd / np.exp(log_steepness(np.array(last), self.baseline_error)))


@dataclass(frozen=True, eq=False)
class Forecast:
    """Posterior samples of a curve, evaluated as paths of log y at any scales.

    Where the measured series is a running minimum (`laws/forecasting/running_minima.py`), the next
    measurements are above it.

    Attributes:
        posteriors: Samples of log y and, where the baseline error is known, of its log odds.
        last: y at the largest measured scale.
        weights: Weight of each form, summing to 1.
        diagnostics: Numbers that judge the samples.
        warnings: Codes.
        max_error: y stays at or below it; None without a bound.
        seed: Seed of the paths.
    """

    posteriors: tuple[ComponentPosterior, ...]
    last: float
    weights: dict[str, float]
    diagnostics: dict[str, float]
    warnings: tuple[str, ...]
    max_error: float | None
    seed: int

    @property
    def end(self) -> float:
        """Return log x of the largest measured scale."""
        return float(self.posteriors[0].curve.t[-1])

    def parameters(self) -> dict[str, Array]:
        """Return the samples (draws,) by name; where odds are sampled too, "odds" is 1 for their samples."""
        rows = self._mixed([sampled.draws for sampled in self.posteriors])
        by_name = dict(zip(PARAMETERS, rows.T, strict=True))
        if any(sampled.baseline_error is not None for sampled in self.posteriors):
            by_name["odds"] = self._mixed(
                [
                    np.full(len(sampled.draws), float(sampled.baseline_error is not None))
                    for sampled in self.posteriors
                ]
            )
        return by_name

    def noise(self) -> Array:
        """Return the standard deviation (draws,) of the noise of log y near the largest measured scale."""
        return self._mixed([sampled.noise(self.last) for sampled in self.posteriors])

    def paths(self, x: ArrayLike) -> Array:
        """Return paths of log y without noise.

        Args:
            x: Scales (m,).

        Returns:
            Paths (draws, m).
        """
        return self._sample_paths(x)[0]

    def measurements(self, x: ArrayLike) -> Array:
        """Return log y as it would be measured, noise included.

        Args:
            x: Scales (m,).

        Returns:
            Measurements (draws, m).
        """
        return self._sample_paths(x)[1]

    def quantiles(self, x: ArrayLike, levels: Sequence[float]) -> Array:
        """Return quantiles of y as it would be measured, noise included.

        Computed at MAX_QUANTILE_SCALES scales at most, and interpolated between them on log axes.

        Args:
            x: Scales (m,).
            levels: Levels between 0 and 1.

        Returns:
            Quantiles of y (len(levels), m).
        """
        t = np.log(np.asarray(x, dtype=np.float64))
        count = MAX_QUANTILE_SCALES
        grid = np.unique(t) if len(np.unique(t)) <= count else np.linspace(t.min(), t.max(), count)
        lines = np.quantile(self.measurements(np.exp(grid)), levels, axis=0)
        return np.exp([np.interp(t, grid, line) for line in lines])

    def _sample_paths(self, x: ArrayLike) -> tuple[Array, Array]:
        t = np.log(np.asarray(x, dtype=np.float64))
        rng = np.random.default_rng(self.seed)
        pairs = [sampled.sample_paths(t, rng) for sampled in self.posteriors]
        law, measured = (self._mixed([pair[i] for pair in pairs]) for i in (0, 1))
        if self.max_error is None:
            return law, measured
        return np.minimum(law, np.log(self.max_error)), np.minimum(measured, np.log(self.max_error))

    def _mixed(self, rows: Sequence[Array]) -> Array:
        """Return the rows of both densities in one order, in which any stretch has samples of both."""
        together = np.concatenate(rows)
        if len(self.posteriors) == 1:
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
    """Forecast a curve.

    Args:
        points: Points of one curve; one point suffices.
        seed: The same seed gives the same forecast.
        draws: How many joint samples to return.
        weights: Weights (K,) of the components, from `stacking_weights` over a collection; by default this
            curve's own held-out scales decide.
        prior: The components; those of the package if None.
        chain: False keeps the importance draws, for back-tests over hundreds of curves.

    Returns:
        The forecast. Its warnings are those of the points; `one-point`, `no-trend`, `rising`, `few-points`,
        `running-minimum` (docs/reference/warnings.md); `not-converged` (the chain still moved) and
        `importance-disagrees` (the two samplers differ), both by more than MAX_GAP standard deviations of the
        forecast half a decade beyond the data.

    Raises:
        InputError: For points of a joint law; code "wrong-columns".
    """
    if points.x.ndim != 1:
        raise InputError(
            f"forecast: expected the points of one curve, y against one x, got x of shape {points.x.shape}",
            code="wrong-columns",
        )
    prior = prior or bundled_prior()
    if weights is None:
        weights = stacking_weights([held_out_scores(points, seed=seed, prior=prior)], prior=prior)[0]
    posteriors: list[ComponentPosterior] = []
    diagnostics: dict[str, float] = {}
    warnings = points.warnings + _doubts(points)
    count_of_odds = round(draws * float(weights[prior.is_odds].sum()))
    for mask, count, baseline_error in (
        (~prior.is_odds, draws - count_of_odds, None),
        (prior.is_odds, count_of_odds, points.baseline_error),
    ):
        if not count:
            continue
        sampled, numbers, codes = _sample(
            points, baseline_error, prior.subset(mask), weights[mask], draws=count, seed=seed, chain=chain
        )
        posteriors.append(sampled)
        # of two densities the worse number counts
        for name, value in numbers.items():
            worse = min if name in {"importance_ess", "acceptance"} else max
            diagnostics[name] = worse(value, diagnostics.get(name, value))
        warnings += codes
    return Forecast(
        posteriors=tuple(posteriors),
        last=float(points.y[-1]),
        weights=_form_weights(prior, weights),
        diagnostics=diagnostics,
        warnings=tuple(dict.fromkeys(warnings)),
        max_error=_max_error(points),
        seed=seed,
    )


def _form_weights(prior: Prior, weights: Array) -> dict[str, float]:
    """Return the weight of each form: of all its components."""
    by_form: dict[str, float] = {}
    for form, weight in zip(prior.forms, weights, strict=True):
        if weight > 0:
            by_form[form] = by_form.get(form, 0.0) + float(weight)
    return by_form


def _max_error(points: Points) -> float | None:
    """Return what y cannot exceed: the baseline error, or 1 for what may be a rate; never less than was
    measured.
    """
    largest = float(points.y.max())
    bound = points.baseline_error if points.baseline_error is not None else 1.0 if largest <= 1 else None
    return None if bound is None else max(bound, largest)


def _sample(
    points: Points,
    baseline_error: float | None,
    prior: Prior,
    weights: Array,
    *,
    draws: int,
    seed: int,
    chain: bool,
) -> tuple[ComponentPosterior, dict[str, float], tuple[str, ...]]:
    """Sample the posterior of log y under these components, or with a baseline error that of the log odds."""
    series = points if baseline_error is None else odds(points, baseline_error)
    curve = log_curve(series) if baseline_error is None else odds_curve(series)
    rng = np.random.default_rng(seed if baseline_error is None else [seed, 1])
    explored = explore(curve, prior, rng)
    # the stacked mixture of K posteriors is one posterior, under this mixture of their priors
    mixed = weights / explored.evidence
    mixed = mixed / mixed.sum()
    importance = explored.weights_under(prior, mixed)
    z = explored.z[rng.choice(len(importance), draws, p=importance)]
    diagnostics = {"importance_ess": float(1 / (importance**2).sum())}
    warnings: tuple[str, ...] = ()
    if chain:
        z, numbers, warnings = _chain(prior, mixed, explored, importance, draws=draws, rng=rng)
        diagnostics |= numbers
    sigma = np.exp(z[:, _NOISE])
    is_minimum = probability(series.x, series.y, sigma)
    if is_minimum.mean() > 0.5:
        warnings += (WarningCode.RUNNING_MINIMUM,)
    lift = np.where(rng.random(len(z)) < is_minimum, sigma, 0.0)
    return ComponentPosterior(curve, z, lift, baseline_error), diagnostics, warnings


def _chain(
    prior: Prior,
    mixed: Array,
    explored: Exploration,
    importance: Array,
    *,
    draws: int,
    rng: np.random.Generator,
) -> tuple[Array, dict[str, float], tuple[str, ...]]:
    """Return samples of emcee, the numbers that judge them, and warnings.

    Many walkers start from the importance draws and take a few dozen steps: the chain need not find the
    posterior, only correct it (Chopin 2002, doi:10.1093/biomet/89.3.539, moves its particles likewise). A
    long chain of few walkers takes minutes here, because the posterior is a mixture.
    """
    from emcee import State
    from emcee.moves import DEMove, MHMove, StretchMove

    curve = explored.curve

    def log_density(z: Array) -> Array:
        return np.asarray(log_likelihood(curve, z) + prior.log_density(z, mixed))

    # proposals in the proportions of the posterior: how much of it each component has
    parts = prior.log_components(explored.z) + np.log(np.maximum(mixed, 1e-300))[:, None]
    share = np.exp(parts - log_sum(parts)) @ importance
    # 0.02 keeps every component among the proposals
    mixture = Mixture((share + 0.02) / (share + 0.02).sum(), explored.mixture.mean, explored.mixture.factor)
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
    # half a decade beyond the data: users read that, and it is one number where parameters have many modes
    ahead, own = curve.t[-1:] + CHECKED_DECADES * DECADE, rng.spawn(1)[0]
    drawn = explored.z[own.choice(len(importance), CHECKED_DRAWS, p=importance)]
    by_chain, by_earlier, by_importance = (
        np.quantile(paths(curve, rows, ahead, own)[1][:, 0], LEVELS)
        for rows in (_some(flat, own), _some(earlier, own), drawn)
    )
    spread = (by_chain[2] - by_chain[0]) / NORMAL80
    gap, moved = np.abs(by_chain - by_importance) / spread, np.abs(by_chain - by_earlier) / spread
    warnings: tuple[str, ...] = (WarningCode.NOT_CONVERGED,) if moved.max() > MAX_GAP else ()
    if 1 / (importance**2).sum() >= MIN_TRUSTED_ESS and gap.max() > MAX_GAP:
        warnings += (WarningCode.IMPORTANCE_DISAGREES,)
    rows = rng.choice(len(flat), draws, replace=len(flat) < draws)
    acceptance = float(run.acceptance_fraction.mean())
    numbers = {"importance_gap": float(gap.max()), "moved": float(moved.max()), "acceptance": acceptance}
    return flat[rows], numbers, warnings


def _some(z: Array, rng: np.random.Generator) -> Array:
    return z[rng.choice(len(z), CHECKED_DRAWS)]


def _doubts(points: Points) -> tuple[str, ...]:
    """Return the codes of what makes a curve hard to extrapolate."""
    if points.distinct < 2:
        return (WarningCode.ONE_POINT,)
    warnings = [WarningCode.FEW_POINTS] if points.distinct < FEW_SIZES else []
    t, log_y = np.log(points.x) / DECADE, np.log(points.y)
    recent = t >= t[-1] - max(0.5 * (t[-1] - t[0]), 1e-12)
    if len(np.unique(t[recent])) < 3:
        recent = t >= np.unique(t)[-min(3, points.distinct)]
    slope, error = _slope(t[recent], log_y[recent])
    if slope > 2 * error and slope > 0:
        warnings.append(WarningCode.RISING)
    elif abs(slope) <= 2 * error:
        warnings.append(WarningCode.NO_TREND)
    return tuple(warnings)


def _slope(t: Array, log_y: Array) -> tuple[float, float]:
    """Return the least-squares slope and its standard error."""
    away = t - t.mean()
    square = (away**2).sum()
    slope = float((away * log_y).sum() / square)
    residual = log_y - log_y.mean() - slope * away
    return slope, float(np.sqrt((residual**2).sum() / max(len(t) - 2, 1) / square))
