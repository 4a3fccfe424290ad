"""Back-test a law: fit it without the largest scales, and compare its forecasts there with the measurements.

Besides the law, two plain lines are fitted by least squares to the same points: a power law, and a power law
with a floor. Those of a joint law go by compute, the product of parameters and data.

| quantity | meaning |
| --- | --- |
| bias | median of log (measured / median of the forecast) |
| interval score | of the 90 % interval of log y: its width, and 20 times what it missed by |
| rmsle | root mean squared log (measured / median) |

The interval score is that of Gneiting, Raftery 2007 (doi:10.1198/016214506000001437), equation 43.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from laws.errors import InputError
from laws.fitting.fit import Posterior, fit
from laws.fitting.forms import FORMS
from laws.fitting.noise import MIN_NOISE
from laws.forecasting.forecast import forecast
from laws.forecasting.joint_drift import drift_factor, drift_rates
from laws.points import Points
from laws.types import FORECAST

Array = NDArray[np.float64]

SHARE = 0.3  # of the sizes that are left out unless you say how many
MIN_KEPT = 3  # sizes that are fitted
FLOORS = np.linspace(0.0, 0.999, 400)  # as shares of the smallest y, that a plain floor may have
LEVELS = (0.05, 0.5, 0.95)
MISSED = 2 / 0.1  # what an interval of 90 % pays for each unit that it missed by


@dataclass(frozen=True, kw_only=True)
class HeldOut:
    """One measurement that was left out, with its forecasts.

    Attributes:
        data: Its data size.
        params: Parameters, for a joint law.
        measured: y.
        quantiles: 5 %, 50 % and 95 % of the measurement that was forecast, noise included.
        plain: Plain form ("power", "power-floor") -> y that it says; a form that does not fall is left out.
    """

    data: float
    params: float | None
    measured: float
    quantiles: tuple[float, float, float]
    plain: Mapping[str, float]

    @property
    def inside(self) -> bool:
        """Return whether the measurement is in the 90 % interval."""
        return self.quantiles[0] <= self.measured <= self.quantiles[2]

    @property
    def log_ratio(self) -> float:
        """Return log (measured / median of the forecast)."""
        return float(np.log(self.measured / self.quantiles[1]))

    @property
    def interval_score(self) -> float:
        """Return the score of the 90 % interval of log y."""
        low, high = np.log(self.quantiles[0]), np.log(self.quantiles[2])
        missed = max(low - np.log(self.measured), np.log(self.measured) - high, 0.0)
        return float(high - low + MISSED * missed)


@dataclass(frozen=True, kw_only=True)
class Backtest:
    """Forecasts of the largest scales by a law that has not seen them.

    Attributes:
        form: What was fitted: a key of FORMS, or "forecast".
        kept: Number of points that were fitted.
        largest_kept: The largest scale among them: data, or compute (parameters times data) of a joint law.
        rows: What was left out, ascending.
    """

    form: str
    kept: int
    largest_kept: float
    rows: tuple[HeldOut, ...]

    @property
    def coverage(self) -> float:
        """Return the share of measurements in the 90 % interval."""
        return sum(row.inside for row in self.rows) / len(self.rows)

    @property
    def bias(self) -> float:
        """Return the median of log (measured / median)."""
        return float(np.median([row.log_ratio for row in self.rows]))

    @property
    def interval_score(self) -> float:
        """Return the mean interval score."""
        return float(np.mean([row.interval_score for row in self.rows]))

    @property
    def rmsle(self) -> dict[str, float]:
        """Return the rmsle of the law and of each plain form, by form."""
        ratios = {self.form: [row.log_ratio for row in self.rows]}
        for name in self.rows[0].plain:
            ratios[name] = [float(np.log(row.measured / row.plain[name])) for row in self.rows]
        return {name: float(np.sqrt(np.mean(np.square(column)))) for name, column in ratios.items()}


def backtest(points: Points, form: str, *, seed: int, leave_out: int | None = None) -> Backtest:
    """Fit all but the largest scales, and forecast those.

    Args:
        points: The measured points.
        form: "forecast", or a key of FORMS.
        seed: The same seed gives the same answer.
        leave_out: How many of the largest sizes are left out: of data, or of compute for a joint law. None
            for the largest 30 %, at least one.

    Returns:
        The forecasts with what was measured.

    Raises:
        InputError: Fewer than MIN_KEPT sizes would be left ("too-few-sizes"), or they cannot be fitted.
        LawError: The fit did not settle.
    """
    scale = _scale(points)
    sizes = np.unique(scale)
    count = max(1, int(SHARE * len(sizes))) if leave_out is None else leave_out
    if len(sizes) <= MIN_KEPT:
        raise InputError(
            f"sizes: expected {MIN_KEPT + 1} or more, of which {MIN_KEPT} are fitted, got {len(sizes)}",
            code="too-few-sizes",
            value=len(sizes),
        )
    if not 1 <= count <= len(sizes) - MIN_KEPT:
        raise InputError(
            f"sizes to leave out: expected 1 to {len(sizes) - MIN_KEPT}, so that {MIN_KEPT} of "
            f"{len(sizes)} are left, got {count}",
            code="too-few-sizes",
            value=count,
        )
    late = scale >= sizes[-count]
    early, future = points.part(~late), points.part(late)
    levels = np.exp(np.quantile(_measurements(early, form, future.x, seed=seed), LEVELS, axis=0))
    plain = _plain(_scale(early), early.y, scale[late])
    rows = []
    for i in np.argsort(scale[late], kind="stable"):
        x = np.atleast_1d(future.x[i])
        rows.append(
            HeldOut(
                data=float(x[-1]),
                params=float(x[0]) if len(x) > 1 else None,
                measured=float(future.y[i]),
                quantiles=(float(levels[0, i]), float(levels[1, i]), float(levels[2, i])),
                plain={name: float(values[i]) for name, values in plain.items()},
            )
        )
    return Backtest(form=form, kept=len(early), largest_kept=float(sizes[-count - 1]), rows=tuple(rows))


def _scale(points: Points) -> Array:
    return points.x if points.x.ndim == 1 else points.x.prod(1)


def _measurements(points: Points, form: str, x: Array, *, seed: int) -> Array:
    """Return posterior samples (draws, m) of log y as it would be measured at x, noise included."""
    if form == FORECAST:
        return forecast(points, seed=seed).measurements(x)
    posterior: Posterior = fit(points, form, seed=seed)
    middle = FORMS[form].log_y(x, posterior.parameters)
    if x.ndim > 1:  # a joint law
        largest = float(points.x.prod(1).max())
        decades = np.log([drift_factor(1.0, float(compute), largest) for compute in x.prod(1)])
        middle = middle + np.array(drift_rates(len(middle)))[:, None] * decades
    scale = np.hypot(posterior.parameters["scale"], MIN_NOISE)[:, None]
    degrees = posterior.parameters["degrees"][:, None]
    return middle + scale * np.random.default_rng(seed).standard_t(degrees, middle.shape)


def _plain(x: Array, y: Array, at: Array) -> dict[str, Array]:
    """Return what plain lines say at some scales, by form; lines that do not fall are left out."""
    lines = {}
    for name, floors in (("power", FLOORS[:1]), ("power-floor", FLOORS)):
        candidates = [line for share in floors if (line := _line(x, y, share * y.min())) is not None]
        if candidates:
            _, floor, level, slope = min(candidates)
            lines[name] = floor + np.exp(level + slope * np.log(at))
    return lines


def _line(x: Array, y: Array, floor: float) -> tuple[float, float, float, float] | None:
    """Return (misfit in log y, floor, level, slope) of floor + exp(level) x^slope; None where it rises."""
    slope, level = np.polyfit(np.log(x), np.log(y - floor), 1)
    fitted = floor + np.exp(level + slope * np.log(x))
    misfit = float(np.square(np.log(y) - np.log(fitted)).sum())
    return (misfit, floor, float(level), float(slope)) if slope < 0 else None
