"""The log posterior density of a form on measured points, for all walkers at once."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from laws.fitting.coordinates import Coordinates
from laws.fitting.forms import Form
from laws.points import Points

Array = NDArray[np.float64]


def log_posterior(points: Points, form: Form, coordinates: Coordinates) -> Callable[[Array], Array]:
    """Return the log posterior density of a form as a function of its coordinates.

    Args:
        points: The measured points.
        form: The form.
        coordinates: Its coordinates on these points.

    Returns:
        A function from z (walkers, dimension) to log densities (walkers,), up to a constant. It never gives
        NaN: where anything overflows, the density is 0.
    """
    log_y = np.log(points.y)

    def log_density(z: Array) -> Array:
        with np.errstate(all="ignore"):  # far out, anything may overflow
            parameters, prior = coordinates.unpack(z)
            residual = log_y - form.log_y(points.x, parameters)
            scatter, noise_prior = coordinates.noise.unpack(z)
            total = coordinates.noise.log_density(residual, scatter) + prior + noise_prior
        return np.where(np.isfinite(total), total, -np.inf)

    return log_density
