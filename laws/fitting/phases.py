"""Which measured sizes lie in which phase of a learning curve: small data, power law, floor.

Hestness et al. 2017 (arXiv:1712.00409, figure 6) tell three phases apart without a formula. Here the slope of
the three-phase form on log axes is β·L·R, with L = 1/(1 + (x0/x)^(1/w)), which rises through 1/2 where the
power law begins, and R = 1 − γ/y, which falls through 1/2 where half of the error is the floor. A size is in
the small-data phase where L is below 1/2 and the smaller, in the floor phase where R is, and in the power-law
phase elsewhere. Draw by draw of the posterior that gives probabilities.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from laws.codes import WarningCode
from laws.fitting import importance
from laws.fitting.coordinates import COORDINATES
from laws.fitting.fit import FOR_A_FLOOR
from laws.fitting.forms import FORMS
from laws.fitting.likelihood import log_posterior
from laws.points import Points

Array = NDArray[np.float64]
Phases = Mapping[str, Array]  # "x" and each of PHASES -> (n,)

PHASES = ("small-data", "power-law", "floor")
FORM = "three-phase"
ENOUGH = 6  # sizes: as many as the form has parameters, its noise included


def probabilities(points: Points, *, seed: int) -> Array:
    """Return the probability (n, 3) of each of PHASES at each point, under the posterior of FORM.

    By importance sampling alone, a twentieth of the time of a chain: which phase a size lies in is asked to a
    per cent, not to the tails.
    """
    coordinates = COORDINATES[FORM](points)
    log_density = log_posterior(points, FORMS[FORM], coordinates)
    weighted = importance.sample(log_density, coordinates.starts, np.random.default_rng(seed))
    with np.errstate(all="ignore"):  # draws without weight may lie anywhere
        p, log_x = coordinates.unpack(weighted.z)[0], np.log(points.x)
        begun = 1 / (1 + np.exp(-(log_x - np.log(p["onset"])[:, None]) / p["width"][:, None]))
        left = 1 - p["gamma"][:, None] * np.exp(-FORMS[FORM].log_y(points.x, p))
        small = weighted.weight @ ((begun < 0.5) & (begun < left))
        floor = weighted.weight @ ((left < 0.5) & (left <= begun))
    return np.asarray(np.clip(np.array([small, 1 - small - floor, floor]).T, 0.0, 1.0))


def leave_out_small_data(points: Points, *, seed: int) -> tuple[Points, Phases]:
    """Return the points that a single form is to be fitted to, and the phases of all of them.

    Left out is what probably lies in the small-data phase, with the warning `small-data-left-out`: it would
    bend a power law. The phases are columns: "x" (n,) and each of PHASES (n,). Fewer than ENOUGH sizes show
    no phases: all points, and nothing, come back.
    """
    if points.distinct < ENOUGH:
        return points, {}
    found = probabilities(points, seed=seed)
    phases = {"x": points.x} | dict(zip(PHASES, found.T, strict=True))
    kept = found[:, 0] < 0.5
    if kept.all() or len(np.unique(points.x[kept])) < FOR_A_FLOOR:
        return points, phases
    left = points.part(kept)
    return replace(left, warnings=(*left.warnings, WarningCode.SMALL_DATA_LEFT_OUT)), phases
