"""A law whose local slope drifts: the likelihood of a measured curve, and paths sampled from its posterior.

Measured curves bend away from every form that is fitted to them. Here the form gives the expected curve, and
its slope on log axes drifts: with t = log x and t_n the largest measured scale,

    log y(t) = a + log(g + (1 − g)·exp(m(t) − m(t_n) + d(t))) + e(t) + ε
    m(t)  = −c·s·log(1 + exp((τ(t) − t0)/s))         three phases: flat, then a power law of exponent c
    τ(t)  = t_n + (exp(b·(t − t_n)) − 1)/b           the exponent is c at t_n and grows like x^b
    d(t)  = ∫ u from t_n to t,  u an Ornstein-Uhlenbeck process: sd κ·√(c² + c0²), rate θ
    e(t)  = an Ornstein-Uhlenbeck process: noise that neighboring checkpoints share; ε: noise of one point

b = 0 is a power law, b > 0 the stretched exponential exp(−c/b·(x/x_n)^b) of curves that keep getting steeper
(exp and Weibull forms in Viering, Loog 2023, arXiv:2103.10948, table 1). Inside the data d enters through its
tangent, which keeps the model Gaussian given its eight parameters: a Kalman filter gives their exact
likelihood in O(n), with the level a integrated out under a flat prior. Integrated Ornstein-Uhlenbeck: Taylor,
Cumberland, Sy (1994), doi:10.1080/01621459.1994.10476806; a discrepancy added to a law: Kennedy, O'Hagan
(2001), doi:10.1111/1467-9868.00294.

| symbol | in code | meaning | shape |
| --- | --- | --- | --- |
| W, n, m | | posterior samples, measured scales, scales asked for | |
| t, t_n | `curve.t` | log x; the largest measured one | (n,) |
| a | `level` | log y of the law at t_n | (W,) |
| c, t0, b | `c`, `t0`, `bend` | exponent, onset, growth of the exponent | (W,) |
| s | `ONSET_WIDTH` | width of the onset in t | |
| g | `g` | the floor's share of y at t_n | (W,) |
| κ, θ | `kappa`, `theta` | spread of the slope's drift; its rate of return (per unit of t) | (W,) |
| σ | `sigma`, `shared` | noise of log y; the share of its variance that neighbors have in common | (W,) |
| d, u, e | | drift, its slope, shared noise: the state of the filter | (3, W) |
| | `shape` | log y without level and drift | (W, n) |
| | `tangent` | derivative of log y by d | (W, n) |
| | `own` | variance of the noise that a point shares with no other | (W, n) |
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from laws.fitting.noise import REACH

Array = NDArray[np.float64]

DECADE = np.log(10.0)
ONSET_WIDTH = 0.2 * DECADE  # s: an onset takes about half a decade; sampling it changed no forecast
MIN_SLOPE_SCALE = 0.03  # c0: by how much a slope may drift even where the law is flat
MIN_VARIANCE = 1e-10  # of log y: two points that differ by less count as equal
MAX_CURVE_POINTS = 28  # measurements are averaged to so many
RECENT_POINTS = 5  # whose standard errors say that of the next measurement
CHUNK = 256  # samples whose covariances are in memory together

# These texts are written into every forecast's law, whose id is a hash of them: they do not change.
PARAMETERS = {
    "exponent": "log c, the exponent of the power law",
    "floor": "logit g, the floor's share of y at the largest measured scale",
    "onset": "t0, where the power law begins: decades beyond the smallest measured scale",
    "drift": "log κ, spread of the local slope's drift relative to the exponent",
    "return": "log θ, how fast the slope returns to the law's: 1/decade",
    "noise": "log σ, noise of log y",
    "shared": "logit of the part of the noise's variance that neighbors share",
    "bend": "log b, by what share the exponent grows: 1/decade",
}


@dataclass(frozen=True, eq=False)
class LogCurve:
    """A measured curve on log axes, of at most a few dozen points.

    Attributes:
        t: log x (n,), ascending.
        log_y: log y (n,).
        count: How many measurements, or how much weight, each point stands for (n,).
        variance: Known variance of its log y (n,).
        next_variance: Known variance of the log y that is measured next.
    """

    t: Array
    log_y: Array
    count: Array
    variance: Array
    next_variance: float = 0.0


@dataclass(frozen=True, eq=False)
class _Terms:
    """The parameters of W samples in natural units, each (W,)."""

    c: Array
    g: Array
    t0: Array
    kappa: Array
    theta: Array
    sigma: Array
    shared: Array
    bend: Array


def thinned(
    x: Array,
    y: Array,
    *,
    y_se: Array | None = None,
    weight: Array | None = None,
    max_points: int = MAX_CURVE_POINTS,
) -> LogCurve:
    """Return the curve of measurements on log axes, neighbors averaged.

    Hundreds of checkpoints of one run tell little more than a few dozen averages, because their noise is
    shared.

    Args:
        x: Scales (n,), ascending.
        y: Errors or losses (n,).
        y_se: Standard errors of y (n,).
        weight: Weights (n,).
        max_points: How many points the curve has at most.

    Returns:
        The curve; measurements at one scale are one point.
    """
    t, log_y = np.log(x), np.log(y)
    weights = np.ones(len(t)) if weight is None else weight
    relative = np.zeros(len(t)) if y_se is None else (y_se / y) ** 2
    scales = np.unique(t)
    if len(scales) <= max_points:
        group = np.searchsorted(scales, t)
    else:
        cell = np.floor((max_points - 1e-9) * (t - t[0]) / (t[-1] - t[0])).astype(int)
        group = np.unique(np.minimum(cell, max_points - 1), return_inverse=True)[1]
    total = np.bincount(group, weights).astype(np.float64)

    def mean(values: Array) -> Array:
        return np.bincount(group, weights * values) / total

    size = np.bincount(group).astype(np.float64)
    return LogCurve(
        mean(t), mean(log_y), total, mean(relative) / size, float(relative[-RECENT_POINTS:].mean())
    )


def log_likelihood(curve: LogCurve, draws: Array) -> Array:
    """Return the log likelihood of parameters, the level integrated out.

    The filter starts at the largest scale, where d is 0 by definition, and runs backwards.

    Args:
        curve: The measured curve.
        draws: Parameters (W, 8) in the order of PARAMETERS.

    Returns:
        Log likelihoods (W,); minus infinity where they overflow.
    """
    terms = _terms(curve, draws)
    shape, tangent = _shape(curve.t, curve, terms)
    n, W = len(curve.t), len(draws)
    # two columns share one filter: the residual of the law, and the ones that carry the level
    columns = np.ones((n, 2, W))
    columns[:, 0] = (curve.log_y - shape).T[::-1]
    tangents = np.ascontiguousarray(tangent.T[::-1])
    shared = terms.sigma**2 * terms.shared
    own = (terms.sigma**2 - shared) / curve.count[::-1, None] + curve.variance[::-1, None] + MIN_VARIANCE
    shear, scale, added = _steps(-np.diff(curve.t[::-1]), terms)

    mean = np.zeros((3, 2, W))  # of d, u and e
    cov = np.zeros((3, 3, W))
    cov[1, 1], cov[2, 2] = terms.kappa**2, shared
    innovation, variance = np.empty((n, 2, W)), np.empty((n, W))
    for i in range(n):
        if i:
            j = i - 1
            mean[0] += shear[j] * mean[1]
            mean *= scale[j][:, None]
            cov[0] += shear[j] * cov[1]
            cov[:, 0] += shear[j] * cov[:, 1]
            cov *= scale[j][:, None] * scale[j]
            cov[:2, :2] += added[j]
            cov[2, 2] += shared * (1 - scale[j, 2] ** 2)
        gain = tangents[i] * cov[0] + cov[2]
        variance[i] = tangents[i] * gain[0] + gain[2] + own[i]
        innovation[i] = columns[i] - tangents[i] * mean[0] - mean[2]
        weight = gain / variance[i]
        mean += weight[:, None] * innovation[i]
        cov -= weight[:, None] * gain
    with np.errstate(all="ignore"):
        rr, ro, oo = (
            (innovation[:, a] * innovation[:, b] / variance).sum(0) for a, b in ((0, 0), (0, 1), (1, 1))
        )
        value = -0.5 * (rr - ro**2 / oo + np.log(oo) + np.log(variance).sum(0) + (n - 1) * np.log(2 * np.pi))
    return np.where(np.isfinite(value), value, -np.inf)


def moments(curve: LogCurve, draws: Array, t: Array) -> tuple[Array, Array]:
    """Return mean and variance of the log y that would be measured next.

    To first order in d, also beyond the data: good enough to compare components, not to report.

    Args:
        curve: The measured curve.
        draws: Parameters (W, 8) in the order of PARAMETERS.
        t: Log scales (m,).

    Returns:
        Mean and variance, both (W, m).
    """
    model = _conditioned(curve, draws)
    terms = model.terms
    law, slope = _shape(t, curve, terms)
    cross = model.tangent[:, None] * slope[:, :, None] * _drift_covariance(t, curve.t, curve, terms)
    cross += _shared_covariance(t, curve.t, terms)
    mean = law + model.level[:, None] + np.einsum("wmn,wn->wm", cross, model.pull)
    gained = np.einsum("wmi,wij->wmj", cross, model.inverse)
    prior = slope**2 * _drift_variance(t, curve, terms) + (terms.sigma**2)[:, None]
    unsure = (1 - gained.sum(2)) ** 2 / model.precision[:, None]
    variance = prior - (gained * cross).sum(2) + unsure + curve.next_variance
    return mean, np.maximum(variance, MIN_VARIANCE)


def paths(curve: LogCurve, draws: Array, t: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return one path of log y per sample of the parameters.

    A simulated path is conditioned on the data (Matheron's rule: Wilson et al. 2021, arXiv:2011.04026,
    equation 7). A measurement adds the shared noise, which goes on for a while beyond the last point, and
    noise of its own.

    Args:
        curve: The measured curve.
        draws: Parameters (W, 8) in the order of PARAMETERS.
        t: Log scales (m,), in any order.
        rng: The random stream.

    Returns:
        The law with its drift, and the next measurement, both (W, m).
    """
    chunks = [
        _paths(curve, draws[i : i + CHUNK], np.asarray(t, dtype=np.float64), rng)
        for i in range(0, len(draws), CHUNK)
    ]
    return np.concatenate([law for law, _ in chunks]), np.concatenate([measured for _, measured in chunks])


def _paths(curve: LogCurve, draws: Array, t: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    model = _conditioned(curve, draws)
    terms, n, W = model.terms, len(curve.t), len(draws)
    drift, noise = _simulated(np.concatenate([curve.t, t]), curve, terms, rng)
    level = model.level + rng.standard_normal(W) / np.sqrt(model.precision)
    simulated = model.tangent * drift[:, :n] + noise[:, :n] + np.sqrt(model.own) * rng.standard_normal((W, n))
    missing = np.einsum("wij,wj->wi", model.inverse, model.residual - level[:, None] - simulated)
    drift_n = _drift_covariance(t, curve.t, curve, terms)
    d = drift[:, n:] + np.einsum("wmn,wn->wm", drift_n, model.tangent * missing)
    e = noise[:, n:] + np.einsum("wmn,wn->wm", _shared_covariance(t, curve.t, terms), missing)

    law, slope = _shape(t, curve, terms)
    bent = np.logaddexp(np.log(terms.g)[:, None], np.log1p(-terms.g)[:, None] + _fall(t, curve, terms) + d)
    path = level[:, None] + np.where(t > curve.t[-1], bent, law + slope * d)
    own = (terms.sigma**2 * (1 - terms.shared))[:, None] + curve.next_variance
    return path, path + e + np.sqrt(own) * rng.standard_normal((W, len(t)))


@dataclass(frozen=True, eq=False)
class _Conditioned:
    """The model of each sample, conditioned on the data."""

    terms: _Terms
    tangent: Array  # (W, n)
    own: Array  # (W, n): variance of the noise that a point shares with no other
    inverse: Array  # (W, n, n): of the covariance of log y
    residual: Array  # (W, n), level included
    level: Array  # (W,)
    precision: Array  # (W,): of the level
    pull: Array  # (W, n): the inverse times the residual without its level


def _conditioned(curve: LogCurve, draws: Array) -> _Conditioned:
    """Condition the model of each sample on the data."""
    terms = _terms(curve, draws)
    shape, tangent = _shape(curve.t, curve, terms)
    n = len(curve.t)
    own = (terms.sigma**2 * (1 - terms.shared))[:, None] / curve.count + curve.variance + MIN_VARIANCE
    total = tangent[:, :, None] * tangent[:, None] * _drift_covariance(curve.t, curve.t, curve, terms)
    total += _shared_covariance(curve.t, curve.t, terms)
    total[:, range(n), range(n)] += own
    inverse = np.asarray(np.linalg.inv(total), dtype=np.float64)
    residual = curve.log_y - shape
    row = inverse.sum(2)
    precision = row.sum(1)
    level = (row * residual).sum(1) / precision
    pull = np.einsum("wij,wj->wi", inverse, residual - level[:, None])
    return _Conditioned(terms, tangent, own, inverse, residual, level, precision, pull)


def _terms(curve: LogCurve, draws: Array) -> _Terms:
    """Return the parameters in natural units; clipped, since an exponential of a far tail overflows."""
    z = draws.T
    c = np.exp(np.clip(z[0], -9, 2))
    g = 1 / (1 + np.exp(-np.clip(z[1], -30, 30)))
    return _Terms(
        c=c,
        g=g,
        t0=curve.t[0] + z[2] * DECADE,
        kappa=np.exp(np.clip(z[3], -12, 5)) * np.sqrt(c**2 + MIN_SLOPE_SCALE**2),
        theta=np.exp(np.clip(z[4], -7, 5)) / DECADE,
        sigma=np.exp(np.clip(z[5], -16, 3)),
        shared=1 / (1 + np.exp(-np.clip(z[6], -15, 15))),
        bend=np.exp(np.clip(z[7], -9, 2)) / DECADE,
    )


def _fall(t: Array, curve: LogCurve, terms: _Terms) -> Array:
    """Return m(t) − m(t_n), (W, m)."""
    last, bend = curve.t[-1], terms.bend[:, None]

    def soft(at: Array) -> Array:
        bent = last + np.expm1(np.minimum(bend * (at - last), 50.0)) / bend
        return np.asarray(np.logaddexp(0.0, (bent - terms.t0[:, None]) / ONSET_WIDTH))

    return np.asarray(-(terms.c * ONSET_WIDTH)[:, None] * (soft(t[None]) - soft(curve.t[None, -1:])))


def _shape(t: Array, curve: LogCurve, terms: _Terms) -> tuple[Array, Array]:
    """Return log y without level and drift, and its derivative by d, each (W, m)."""
    falling = np.log1p(-terms.g)[:, None] + _fall(t, curve, terms)
    shape = np.logaddexp(np.log(terms.g)[:, None], falling)
    return shape, np.exp(falling - shape)


def _steps(h: Array, terms: _Terms) -> tuple[Array, Array, Array]:
    """Return the transition of (d, u, e) over steps h (k,): shear (k, W), scale (k, 3, W), covariance of
    (d, u).
    """
    step = h[:, None]
    x = terms.theta * step
    decay = np.exp(-x)
    lost = -np.expm1(-x)
    wide = (terms.kappa / terms.theta) ** 2
    # below .01 the exact difference cancels to few digits; the series does not
    added = np.empty((len(h), 2, 2, len(terms.c)))
    added[:, 0, 0] = wide * np.where(x < 1e-2, x**3 * (2 / 3 - 0.5 * x), 2 * x - 3 + 4 * decay - decay**2)
    added[:, 0, 1] = added[:, 1, 0] = terms.kappa**2 / terms.theta * lost**2
    added[:, 1, 1] = terms.kappa**2 * -np.expm1(-2 * x)
    scale = np.stack(
        [np.ones_like(decay), decay, np.broadcast_to(np.exp(-step / REACH), decay.shape)], axis=1
    )
    return lost / terms.theta, scale, added


def _simulated(t: Array, curve: LogCurve, terms: _Terms, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return paths of d and e (W, m) from their prior, at any order of t, with d = 0 at t_n."""
    scales, index = np.unique(np.append(t, curve.t[-1]), return_inverse=True)
    W = len(terms.c)
    shear, scale, added = _steps(np.diff(scales), terms)
    shared = np.sqrt(terms.shared) * terms.sigma
    u, e, d = terms.kappa * rng.standard_normal(W), shared * rng.standard_normal(W), np.zeros(W)
    ds, es = [d], [e]
    for j in range(len(scales) - 1):
        first, second = rng.standard_normal((2, W))
        a = np.sqrt(np.maximum(added[j, 1, 1], 1e-300))
        b = added[j, 0, 1] / a
        d = d + shear[j] * u + b * first + np.sqrt(np.maximum(added[j, 0, 0] - b**2, 0)) * second
        u = scale[j, 1] * u + a * first
        e = scale[j, 2] * e + shared * np.sqrt(1 - scale[j, 2] ** 2) * rng.standard_normal(W)
        ds.append(d)
        es.append(e)
    drift, noise = np.array(ds)[index].T, np.array(es)[index].T
    return drift[:, :-1] - drift[:, -1:], noise[:, :-1]


def _gained(h: Array, terms: _Terms) -> Array:
    """Return V(h), the variance (W, ...) of what d gains over h (...)."""
    theta, kappa = (v.reshape(-1, *[1] * h.ndim) for v in (terms.theta, terms.kappa))
    x = theta * np.abs(h)
    return 2 * (kappa / theta) ** 2 * np.where(x < 1e-3, x**2 * (0.5 - x / 6), x + np.expm1(-x))


def _drift_variance(t: Array, curve: LogCurve, terms: _Terms) -> Array:
    return _gained(t - curve.t[-1], terms)


def _drift_covariance(s: Array, t: Array, curve: LogCurve, terms: _Terms) -> Array:
    """Return the covariance (W, len(s), len(t)) of d: half of V(s − t_n) + V(t − t_n) − V(s − t)."""
    left, right = _drift_variance(s, curve, terms), _drift_variance(t, curve, terms)
    return 0.5 * (left[:, :, None] + right[:, None] - _gained(s[:, None] - t[None], terms))


def _shared_covariance(s: Array, t: Array, terms: _Terms) -> Array:
    variance = (terms.sigma**2 * terms.shared)[:, None, None]
    return np.asarray(variance * np.exp(-np.abs(s[:, None] - t[None])[None] / REACH))
