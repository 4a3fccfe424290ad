"""The log posterior density of a form on measured points, for all walkers at once."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from laws.fitting.coordinates import Coordinates
from laws.fitting.forms import Form
from laws.points import Points

Array = NDArray[np.float64]


def log_posterior(points: Points, form: Form, coordinates: Coordinates) -> Callable[[Array], Array]:
    """Return the function z (walkers, dimension) -> log density (walkers,), never NaN."""
    log_y = np.log(points.y)

    def log_density(z: Array) -> Array:
        with np.errstate(all="ignore"):  # far out, anything overflows: such places have density 0
            parameters, prior = coordinates.unpack(z)
            residual = log_y - form.log_y(points.x, parameters)
            scatter, noise_prior = coordinates.noise.unpack(z)
            total = coordinates.noise.log_density(residual, scatter) + prior + noise_prior
        return np.where(np.isfinite(total), total, -np.inf)

    return log_density
