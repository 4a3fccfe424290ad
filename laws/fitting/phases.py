"""Assign measured sizes to the phases of a learning curve: small data, power law, floor.

Hestness et al. 2017 (arXiv:1712.00409, figure 6) distinguish three phases without a formula. Here the slope
of the three-phase form on log axes is β·L·R. A size is in the small-data phase where L is below 1/2 and the
smaller of the two, in the floor phase where R is, and in the power-law phase elsewhere. Posterior samples
give probabilities.

| symbol | meaning |
| --- | --- |
| L = 1/(1 + (x0/x)^(1/w)) | rises through 1/2 at the onset x0 of the power law; w is its width |
| R = 1 − γ/y | falls through 1/2 where half of the error is the floor γ |
| β | exponent of the power law |
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from laws.codes import WarningCode
from laws.errors import LawError
from laws.fitting import importance
from laws.fitting.coordinates import COORDINATES
from laws.fitting.fit import MIN_FLOOR_SIZES, MIN_SIZE_RATIO, size_ratio
from laws.fitting.forms import FORMS
from laws.fitting.likelihood import log_posterior
from laws.points import Points

Array = NDArray[np.float64]
Phases = Mapping[str, Array]  # "x" and each of PHASES -> (n,)

PHASES = ("small-data", "power-law", "floor")
FORM = "three-phase"
MIN_SIZES = 6  # as many as the form has parameters, its noise included


def probabilities(points: Points, *, seed: int) -> Array:
    """Return the probability of each phase at each point, under the posterior of the three-phase form.

    Only importance sampling is used, which takes a twentieth of the time of a chain: the phase of a size
    needs to be known to a per cent, not to the tails.

    Args:
        points: Points of one curve.
        seed: The same seed gives the same probabilities.

    Returns:
        Probabilities (n, 3) in the order of PHASES; rows sum to 1.

    Raises:
        LawError: Where no law of the form is plausible; code "no-plausible-law".
    """
    coordinates = COORDINATES[FORM](points)
    log_density = log_posterior(points, FORMS[FORM], coordinates)
    weighted = importance.sample(log_density, coordinates.starts, np.random.default_rng(seed))
    with np.errstate(all="ignore"):  # draws without weight may have any value
        p, log_x = coordinates.unpack(weighted.z)[0], np.log(points.x)
        rise = 1 / (1 + np.exp(-(log_x - np.log(p["onset"])[:, None]) / p["width"][:, None]))
        reducible = 1 - p["gamma"][:, None] * np.exp(-FORMS[FORM].log_y(points.x, p))
        small = weighted.weight @ ((rise < 0.5) & (rise < reducible))
        floor = weighted.weight @ ((reducible < 0.5) & (reducible <= rise))
    return np.asarray(np.clip(np.array([small, 1 - small - floor, floor]).T, 0.0, 1.0))


def leave_out_small_data(points: Points, *, seed: int) -> tuple[Points, Phases]:
    """Select the points that a single form is to be fitted to, and return the phases of all points.

    Points that are probably in the small-data phase are left out, because they would bend a power law.

    Args:
        points: Points of one curve.
        seed: The same seed gives the same answer.

    Returns:
        The points, with the warning `small-data-left-out` where some were left out, and the phases as
        columns: "x" (n,) and each of PHASES (n,). Where the points show no phases (fewer than MIN_SIZES
        sizes, sizes that are too close together, no plausible law), all points and no phases. Where too few
        points would be left, all points.
    """
    if points.distinct < MIN_SIZES or size_ratio(points) < MIN_SIZE_RATIO:
        return points, {}
    try:
        columns = probabilities(points, seed=seed)
    except LawError:
        return points, {}
    phases = {"x": points.x} | dict(zip(PHASES, columns.T, strict=True))
    kept = columns[:, 0] < 0.5
    if kept.all() or len(np.unique(points.x[kept])) < MIN_FLOOR_SIZES:
        return points, phases
    left = points.part(kept)
    return replace(left, warnings=(*left.warnings, WarningCode.SMALL_DATA_LEFT_OUT)), phases
