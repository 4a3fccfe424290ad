"""The noise of measured points: Student-t on log y, partly shared by points that are close together.

log y_i = log f(x_i) + √v_i·e_i with v_i = s²/w_i + (se_i/y_i)² + l². The scale s is sampled; the weight w_i
and the standard error se_i are used where they are given. e_i is Student-t with ν degrees of freedom, sampled
too: with few of them a run that went wrong hardly counts, with many of them the noise is normal.

No form is exact, so measurements that are close together deviate from it together: hundreds of checkpoints of
one run, or of runs of nearly the same size, are not hundreds of independent measurements. Points less than a
factor of two apart are *neighbors*. Where there are any, a share ρ of the variance is correlated between them
like exp(−d/r). Given its nearest earlier neighbors, e_i is Student-t around its kriging mean, with the
kriging variance. That is a density in any order, and its correlations are those of the nearest neighbors'
Gaussian process (Vecchia 1988, doi:10.1111/j.2517-6161.1988.tb01729.x; Datta et al. 2016, arXiv:1406.7343,
equation 2); unlike there, the noise is Student-t.

| symbol | in code | meaning |
| --- | --- | --- |
| n, k | | points; neighbors of a point, at most MAX_NEIGHBORS |
| s, ν, ρ | "scale", "degrees", "shared" | scale, degrees of freedom, shared share of the variance |
| l | `MIN_NOISE` | no training repeats more exactly than that |
| d, r | `REACH` | distance in log x; 0.2 decades |
| v | `variance` | squared scale of each point's noise |
| z | | coordinates of a sampler; the noise has the last 2 or 3 columns |

| quantity | prior | why |
| --- | --- | --- |
| log s | Normal(log 0.03, 1.5) | repeats of a training scatter by 0.2 % to 60 % |
| ν − 2 | Gamma(2, rate 0.1) | tails of finite variance (Juárez, Steel 2010, doi:10.1198/jbes.2009.07145) |
| logit ρ | Normal(−2, 1.5) | a little is shared, unless the points say more |
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log, pi

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, gammaln

from laws.points import Points

Array = NDArray[np.float64]

MIN_NOISE = 3e-4
SCALE_MEAN, SCALE_SD = log(0.03), 1.5  # of the prior of log s
SHARED_MEAN, SHARED_SD = -2.0, 1.5  # of the prior of logit ρ
REACH = 0.2 * log(10)  # r: over how much of log x noise is shared; forecasts do not change when it is sampled
DEFAULT_DEGREES = 7.0  # ν where it was not sampled: of a forecast's noise, and of laws stored before it was
NEIGHBOR_RANGE = 0.99 * log(2)  # neighbors are nearer than that: data in steps of 2 has none
MAX_NEIGHBORS = 8  # that a point is conditioned on
NODES = np.linspace(-7.0, 7.0, 29)  # logit ρ at which the weights of kriging are tabulated


@dataclass(frozen=True, eq=False)
class Neighbors:
    """Kriging of each point from its earlier neighbors, for ρ at each of NODES."""

    rows: NDArray[np.intp]  # (n, k): its neighbors, nearest first; filled up with row 0 at weight 0
    weights: Array  # (k, nodes, n)
    left: Array  # (nodes, n): share of the variance that remains


@dataclass(frozen=True, eq=False)
class Noise:
    """The noise of one set of points.

    Attributes:
        points: The points.
    """

    points: Points

    @cached_property
    def neighbors(self) -> Neighbors | None:
        """Return the kriging table, or None where no two points are neighbors."""
        return _neighbors(np.log(self.points.x).reshape(len(self.points), -1))

    @property
    def columns(self) -> int:
        """Return how many columns of z are the noise's: [logit ρ with neighbors], log(ν − 2), log s."""
        return 2 if self.neighbors is None else 3

    @property
    def starts(self) -> list[tuple[float, ...]]:
        """Return values worth starting from, column by column."""
        return [(SHARED_MEAN,)] * (self.columns - 2) + [(log(10.0),), (log(0.01), log(0.1))]

    def unpack(self, z: Array) -> tuple[dict[str, Array], Array]:
        """Convert coordinates to parameters.

        Args:
            z: Coordinates (walkers, ...), of which the last `columns` are the noise's.

        Returns:
            "scale", "degrees" and, with neighbors, "shared", each (walkers,); and the log prior density
            (walkers,).
        """
        excess = np.exp(z[:, -2])
        parameters = {"scale": np.exp(z[:, -1]), "degrees": 2.0 + excess}
        prior = _normal(z[:, -1], SCALE_MEAN, SCALE_SD) + log(0.01) + 2 * z[:, -2] - 0.1 * excess
        if self.neighbors is not None:
            parameters["shared"] = expit(z[:, -3])
            prior = prior + _normal(z[:, -3], SHARED_MEAN, SHARED_SD)
        return parameters, prior

    def variance(self, scale: Array) -> Array:
        """Return the squared scale of each point's noise.

        Args:
            scale: s (walkers,).

        Returns:
            v (walkers, n).
        """
        shrink = 1.0 if self.points.weight is None else 1.0 / self.points.weight
        relative = 0.0 if self.points.y_se is None else (self.points.y_se / self.points.y) ** 2
        squared = scale[:, None] ** 2 * np.ones(len(self.points))
        return np.asarray(squared * shrink + relative + MIN_NOISE**2)

    def log_density(self, residual: Array, parameters: Mapping[str, Array]) -> Array:
        """Return the log density of residuals.

        Args:
            residual: Residuals of log y (walkers, n).
            parameters: "scale", "degrees" and, where neighbors share noise, "shared"; each (walkers,).

        Returns:
            Log densities (walkers,).
        """
        variance = self.variance(parameters["scale"])
        if self.neighbors is not None and "shared" in parameters:
            white = residual / np.sqrt(variance)
            with np.errstate(divide="ignore"):
                logit = np.log(parameters["shared"]) - np.log1p(-parameters["shared"])
            position = np.clip((logit - NODES[0]) / (NODES[1] - NODES[0]), 0, len(NODES) - 1)
            # linear interpolation between the nodes
            between = np.maximum(1 - np.abs(position[:, None] - np.arange(len(NODES))), 0)
            left = between @ self.neighbors.left
            expected = np.zeros_like(white)
            for rows, weights in zip(self.neighbors.rows.T, self.neighbors.weights, strict=True):
                expected += (between @ weights) * white[:, rows]
            squares, variance = (white - expected) ** 2 / left, variance * left
        else:
            squares = residual**2 / variance
        nu = parameters["degrees"]
        constant = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(nu * pi)
        tails = 0.5 * (nu + 1) * np.log1p(squares / nu[:, None]).sum(1)
        return np.asarray(residual.shape[1] * constant - tails - 0.5 * np.log(variance).sum(1))


def noise_of_law(parameters: Mapping[str, Sequence[float]]) -> tuple[Array, Array]:
    """Return the noise of a stored law.

    Args:
        parameters: The law's parameters.

    Returns:
        Scale and degrees of freedom, each (draws,); DEFAULT_DEGREES for laws that do not store them.
    """
    scale = np.asarray(parameters["scale"], dtype=np.float64)
    degrees = parameters.get("degrees")
    return scale, np.full(len(scale), DEFAULT_DEGREES) if degrees is None else np.asarray(
        degrees, dtype=np.float64
    )


def _neighbors(places: Array) -> Neighbors | None:
    """Return the kriging table of points (n, d) on log axes."""
    n = len(places)
    rows, near = np.zeros((n, MAX_NEIGHBORS), dtype=np.intp), np.zeros((n, MAX_NEIGHBORS), dtype=bool)
    for i in range(1, n):
        distance = np.sqrt(((places[:i] - places[i]) ** 2).sum(1))
        nearest = np.argsort(distance, kind="stable")[:MAX_NEIGHBORS]
        nearest = nearest[distance[nearest] < NEIGHBOR_RANGE]
        rows[i, : len(nearest)], near[i, : len(nearest)] = nearest, True
    if not near.any():
        return None
    most = int(near.sum(1).max())
    rows, near = rows[:, :most], near[:, :most]
    group = np.concatenate([places[rows], places[:, None]], axis=1)  # (n, k + 1, d): neighbors, the point
    kernel = np.exp(-np.sqrt(((group[:, :, None] - group[:, None]) ** 2).sum(3)) / REACH)
    real = np.column_stack([near, np.ones(n, dtype=bool)])
    kernel = np.where(real[:, :, None] & real[:, None], kernel, 0.0)  # padding shares nothing
    share = expit(NODES)[:, None, None, None]
    correlation = share * kernel + (1 - share) * np.eye(most + 1)
    correlation[..., range(most + 1), range(most + 1)] = 1.0
    among, between = correlation[..., :-1, :-1], correlation[..., :-1, -1:]
    weights = np.linalg.solve(among, between)
    left = 1 - np.asarray((weights * between).sum((2, 3)), dtype=np.float64)
    table = np.asarray(weights[..., 0].transpose(2, 0, 1), dtype=np.float64)
    return Neighbors(rows, table.copy(), left)


def _normal(value: Array, mean: float, sd: float) -> Array:
    return np.asarray(-0.5 * ((value - mean) / sd) ** 2 - log(sd) - 0.5 * log(2 * pi))
