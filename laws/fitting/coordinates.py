"""Unconstrained coordinates in which each form is sampled, with their priors.

Floor, intercept and exponent of a law are jointly flat: along a long curved ridge all three change and the
curve hardly does. So a curve is sampled by its *end points*, log y at the smallest and the largest measured
x, which the data fix almost independently; the exponent and the intercept follow. End points are measured
from a smooth curve through the points, in units of the noise: how well an end is known is proportional to the
noise. Every prior is stated on a quantity with a meaning, and the Jacobian to the coordinates is part of the
density. The prior of the noise is in `laws/fitting/noise.py`.

| quantity | prior | why |
| --- | --- | --- |
| log y at the largest x | Normal(mean log y of the data, 3) | a factor of 20 either way: no information |
| exponents | half-Normal(1) | measured ones are 0.05 … 1, theory says 1/2 or 1; flat where it matters |
| floor, as a share of y at the largest x | Uniform(0, 1) | no information below the data |
| onset of the power law, in ranges of log x from the left end | Normal(0, 1/2) | in the data or before them |
| break, in ranges of log x from the left end | Uniform(0, 1) | inside the data: outside it would not show |
| width of onset or break, in log x | log-Normal(log 1/2, 1/2) | a bend takes between a fifth and one decade |
| log ratio of the exponents at a break | Normal(0, 1/2) | either may be steeper, rarely by more than 2.7 |
| E, A/N^a, B/D^b, as shares of L at the largest N and D | uniform on the simplex | as for the floor |
| exponent of a model-size law | Normal(0.7, 0.5) | published ones are 0.5 … 1; any sign is possible |

| symbol | meaning | shape |
| --- | --- | --- |
| z | coordinates of all walkers; the noise has the last 2 or 3 columns | (walkers, dimension) |
| first, last | log y at the smallest and the largest x | (walkers,) |
| reducible | log of y minus the floor, at an end | (walkers,) |
| span | range of log x | |
| reach | change of log y between the ends for an exponent of 1 | (walkers,) |
| unit | scale of the noise in which ends are counted | (walkers,) |
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr, ndtri

from laws.fitting.noise import MIN_NOISE, Noise
from laws.points import Points

Array = NDArray[np.float64]

LOG_2PI = float(np.log(2 * np.pi))
START_FLOORS = (0.05, 0.3, 0.7)  # as shares of y at the last point


@dataclass(frozen=True)
class Coordinates:
    """The coordinates of one form on one set of points.

    Attributes:
        unpack: Function from z (walkers, dimension) to the parameters of the form, each (walkers,), and the
            log prior density of z (walkers,).
        starts: Starting points (k, dimension), read off the data.
        noise: The noise, whose coordinates are the last columns of z.
    """

    unpack: Callable[[Array], tuple[dict[str, Array], Array]]
    starts: Array
    noise: Noise


def power(points: Points) -> Coordinates:
    """Return the coordinates (first end, last end, noise) of a power law.

    Args:
        points: The measured points.

    Returns:
        The coordinates.
    """
    return _curve(points, floor=False, bend="")


def power_floor(points: Points) -> Coordinates:
    """Return the coordinates of a power law with a floor: those of `power` and Φ⁻¹(γ / y last).

    Φ⁻¹ turns the uniform prior into a normal one: a logit would have a long tail towards no floor at all.

    Args:
        points: The measured points.

    Returns:
        The coordinates.
    """
    return _curve(points, floor=True, bend="")


def three_phase(points: Points) -> Coordinates:
    """Return the coordinates of three phases: those of `power_floor`, the position of the onset, its log
    width.

    A known baseline error counts as one more measurement of the left plateau, good to 5 %.

    Args:
        points: The measured points.

    Returns:
        The coordinates.
    """
    return _curve(points, floor=True, bend="onset")


def broken(points: Points) -> Coordinates:
    """Return the coordinates of a broken law: those of `three_phase` (position through Φ⁻¹), log((β + c)/β).

    Args:
        points: The measured points.

    Returns:
        The coordinates.
    """
    return _curve(points, floor=True, bend="break")


def _curve(points: Points, *, floor: bool, bend: str) -> Coordinates:
    noise = Noise(points)
    log_x, log_y = np.log(points.x), np.log(points.y)
    low, span, level = log_x[0], log_x[-1] - log_x[0], log_y.mean()
    slope = np.polyfit(log_x, log_y, 1)[0]
    ends = _smooth_ends(points, degree=3 if bend else 1 + floor)

    def unpack(z: Array) -> tuple[dict[str, Array], Array]:
        columns = list(z.T)
        first, last, prior = _ends(noise, ends, z)
        prior = prior + _normal(last, level, 3.0)
        reducible_first, reducible_last, log_floor = first, last, np.full_like(last, -np.inf)
        if floor:
            log_floor = last + log_ndtr(columns[2])
            reducible_last = last + log_ndtr(-columns[2])
            reducible_first = first + np.log1p(-np.exp(log_floor - first))
            prior = prior + _normal(columns[2], 0.0, 1.0)
        reach, parameters = np.full_like(last, span), {}
        at_low, gain = np.zeros_like(last), np.zeros_like(last)
        if bend:
            position, log_width = columns[3], columns[4]
            if bend == "onset":
                prior = prior + _normal(position, 0.0, 0.5)
            else:
                prior = prior + _normal(position, 0.0, 1.0)
                position = ndtr(position)
            where, width = low + span * position, np.exp(log_width)
            at_low = width * np.logaddexp(0.0, (low - where) / width)
            turn = width * np.logaddexp(0.0, (low + span - where) / width) - at_low
            prior = prior + _normal(log_width, np.log(0.5), 0.5)
            reach = turn
            if bend == "break":
                gain = np.expm1(columns[5])
                prior = prior + _normal(columns[5], 0.0, 0.5)
                reach = span + gain * turn
            parameters = {"onset" if bend == "onset" else "breakpoint": np.exp(where), "width": width}
        beta = (reducible_first - reducible_last) / reach
        prior = prior + _half_normal(beta) + (first - reducible_first) - np.log(reach)
        parameters["beta"] = beta
        if floor:
            parameters["gamma"] = np.exp(log_floor)
        if bend == "onset":
            parameters["ceiling"] = np.exp(reducible_first + beta * at_low) + parameters["gamma"]
            if points.baseline_error is not None:
                prior = prior + _normal(np.log(parameters["ceiling"]), np.log(points.baseline_error), 0.05)
        else:
            parameters["alpha"] = np.exp(reducible_first + beta * low + beta * gain * at_low)
        if bend == "break":
            parameters["change"] = beta * gain
        return parameters, np.where(beta > 0, prior, -np.inf)

    last = log_y[points.x == points.x[-1]].mean()
    first = max(log_y[points.x == points.x[0]].mean(), last + 0.02)
    axes: list[tuple[float, ...]] = [(first, last - min(slope, -0.01) * span), (last,)]
    if floor:
        axes.append(tuple(float(ndtri(share)) for share in START_FLOORS))
    if bend:
        axes += [(0.0, 0.2, 0.5, 0.8) if bend == "onset" else (-0.8, 0.0, 0.8), (float(np.log(0.5)),)]
    if bend == "break":
        axes.append((-0.7, 0.7))
    return Coordinates(unpack, _in_noise(noise, ends, _grid(axes + noise.starts)), noise)


def size(points: Points) -> Coordinates:
    """Return the coordinates (first end, last end, noise) of a model-size law.

    Args:
        points: The measured points.

    Returns:
        The coordinates.
    """
    log_x, log_y = np.log(points.x), np.log(points.y)
    noise = Noise(points)
    span, level = log_x[-1] - log_x[0], log_y.mean()
    ends = _smooth_ends(points, degree=1)

    def unpack(z: Array) -> tuple[dict[str, Array], Array]:
        first, last, prior = _ends(noise, ends, z)
        beta = (last - first) / span
        prior = prior + _normal(last, level, 3.0) + _normal(beta, 0.7, 0.5) - np.log(span)
        return {"sigma": np.exp(first - beta * log_x[0]), "beta_p": beta}, prior

    starts = _grid([(float(ends[0]),), (float(ends[1]),), *noise.starts])
    return Coordinates(unpack, _in_noise(noise, ends, starts), noise)


def surface(points: Points) -> Coordinates:
    """Return the coordinates of a surface: its highest corner, the drop along each axis, the exponents.

    They are log L*, log(ΔN/L*), log(ΔD/L*), log a, log b and those of the noise, with L* = L(N max, D max),
    ΔN = L(N min, D max) − L* and ΔD likewise: differences that the runs measure directly. The first three
    are measured from a fitted surface in units of the noise, as the ends of a curve are: with no more runs
    than parameters the noise is not known within a factor of ten, and how well a drop is known goes with it.

    Args:
        points: The measured points.

    Returns:
        The coordinates.
    """
    noise = Noise(points)
    log_x, log_y = np.log(points.x), np.log(points.y)
    high, span, level = log_x.max(0), np.ptp(log_x, axis=0), log_y.mean()
    starts, center = _surface_starts(points, log_x - high, span)

    def scale(z: Array) -> Array:
        unit = _unit(noise, z)[:, None]
        # a drop is known to unit/drop of itself, and no worse than to a factor of e
        return np.concatenate([unit, unit / (unit + np.exp(center[1:]))], axis=1)

    def unpack(z: Array) -> tuple[dict[str, Array], Array]:
        units = scale(z)
        ends = center + units * z[:, :3]
        top, exponents = ends[:, 0], np.exp(z[:, 3:5])
        log_shares = ends[:, 1:] - np.log(np.expm1(exponents * span))  # of the terms A/N^a and B/D^b in L*
        rest = 1.0 - np.exp(log_shares).sum(1)
        prior = (
            _normal(top, level, 3.0)
            + np.log(2.0)  # density of the uniform distribution on the simplex
            + log_shares.sum(1)
            + (_half_normal(exponents) + z[:, 3:5]).sum(1)
            + np.log(units).sum(1)
        )
        terms = np.exp(top[:, None] + log_shares + exponents * high)
        parameters = {
            "E": np.exp(top) * rest,
            "A": terms[:, 0],
            "a": exponents[:, 0],
            "B": terms[:, 1],
            "b": exponents[:, 1],
        }
        return parameters, np.where(rest > 0, prior, -np.inf)

    z = np.concatenate([_grid([(float(v),) for v in start] + noise.starts) for start in starts])
    return Coordinates(unpack, np.column_stack([(z[:, :3] - center) / scale(z), z[:, 3:]]), noise)


def _surface_starts(points: Points, log_x: Array, span: Array) -> tuple[Array, Array]:
    """Return (log L*, log drops, log exponents) of 16 pairs of exponents, and the first three of the best.

    With both exponents given a surface is linear: solved for E, A, B in relative errors.
    """
    starts, misfits = [], []
    for exponents in product((0.1, 0.25, 0.5, 0.9), repeat=2):
        terms = np.exp(-log_x * np.asarray(exponents))
        columns = np.column_stack([np.ones(len(terms)), terms]) / points.y[:, None]
        solution = np.linalg.lstsq(columns, np.ones(len(terms)), rcond=None)[0]
        shares = np.maximum(solution, 0.01 * points.y.min())
        top = shares.sum()
        gains = np.log(shares[1:] / top * np.expm1(np.asarray(exponents) * span))
        starts.append([np.log(top), *gains, *np.log(exponents)])
        misfits.append(np.square(columns @ shares - 1).sum())
    return np.array(starts), np.array(starts[int(np.argmin(misfits))][:3])


COORDINATES: dict[str, Callable[[Points], Coordinates]] = {
    "power": power,
    "power-floor": power_floor,
    "three-phase": three_phase,
    "broken": broken,
    "size": size,
    "surface": surface,
}


def _grid(axes: list[tuple[float, ...]]) -> Array:
    return np.array(list(product(*axes)), dtype=np.float64)


def _smooth_ends(points: Points, *, degree: int) -> Array:
    """Return log y at the first and the last x of a polynomial in log x, robust to outliers.

    Least squares reweighted ten times as for Student-t noise of 3 degrees of freedom.
    """
    log_x, log_y = np.log(points.x), np.log(points.y)
    position = (log_x - log_x[0]) / (log_x[-1] - log_x[0])
    powers = position[:, None] ** np.arange(max(1, min(degree, points.distinct - 2)) + 1)
    weight = np.ones(len(position))
    for _ in range(10):
        root = np.sqrt(weight)[:, None]
        polynomial = np.linalg.lstsq(powers * root, log_y * root[:, 0], rcond=None)[0]
        residual = (log_y - powers @ polynomial) ** 2
        weight = 1 / (3 + residual / max(float((weight * residual).mean()), MIN_NOISE**2))
        weight /= weight.mean()
    return np.asarray([polynomial[0], polynomial.sum()])


def _ends(noise: Noise, ends: Array, z: Array) -> tuple[Array, Array, Array]:
    """Return log y at the first and the last x, and the log Jacobian of the units."""
    unit = _unit(noise, z)
    return ends[0] + unit * z[:, 0], ends[1] + unit * z[:, 1], 2 * np.log(unit)


def _in_noise(noise: Noise, ends: Array, z: Array) -> Array:
    """Return z with its first two columns, log y at the ends, in the units of `_ends`."""
    return np.column_stack([(z[:, :2] - ends) / _unit(noise, z)[:, None], z[:, 2:]])


def _unit(noise: Noise, z: Array) -> Array:
    return np.asarray(np.sqrt(noise.variance(np.exp(z[:, -1])).mean(1)))


def _normal(value: Array, mean: float, sd: float) -> Array:
    density: Array = -0.5 * ((value - mean) / sd) ** 2 - np.log(sd) - 0.5 * LOG_2PI
    return density


def _half_normal(value: Array) -> Array:
    density: Array = np.log(2.0) - 0.5 * value**2 - 0.5 * LOG_2PI
    return density
