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
from numpy.typing import ArrayLike, NDArray

from laws.errors import PlannerError
from laws.fit import FOR_A_FLOOR, Posterior, fit
from laws.forms import FORMS
from laws.points import Points

Array = NDArray[np.float64]
Phases = Mapping[str, Array]  # "x" and each of PHASES -> (n,)

PHASES = ("small-data", "power-law", "floor")
FORM = "three-phase"
ENOUGH = 6  # sizes: as many as the form has parameters, its noise included


def probabilities(posterior: Posterior, x: ArrayLike) -> Array:
    """Return the probability (n, 3) of each of PHASES at sizes x (n,), from a posterior of the form FORM."""
    p, log_x = posterior.parameters, np.log(np.asarray(x, dtype=np.float64))
    begun = 1 / (1 + np.exp(-(log_x - np.log(p["onset"])[:, None]) / p["width"][:, None]))
    left = 1 - p["gamma"][:, None] * np.exp(-FORMS[FORM].log_y(np.exp(log_x), p))
    small = (begun < 0.5) & (begun < left)
    floor = (left < 0.5) & ~small
    found = np.array([small.mean(0), 1 - small.mean(0) - floor.mean(0), floor.mean(0)]).T
    return np.asarray(np.clip(found, 0.0, 1.0))


def apart(points: Points, *, seed: int) -> tuple[Points, Phases]:
    """Return the points that a single form is to be fitted to, and the phases of all of them.

    Left out is what probably lies in the small-data phase, with the warning `small-data-left-out`: it would
    bend a power law. The phases are columns: "x" (n,) and each of PHASES (n,). Fewer than ENOUGH sizes show
    no phases: all points, and nothing, come back.
    """
    if points.distinct < ENOUGH:
        return points, {}
    try:
        found = probabilities(fit(points, FORM, seed=seed), points.x)
    except PlannerError:  # a curve that this form cannot hold has no phases of its kind
        return points, {}
    phases = {"x": points.x} | dict(zip(PHASES, found.T, strict=True))
    kept = found[:, 0] < 0.5
    if kept.all() or len(np.unique(points.x[kept])) < FOR_A_FLOOR:
        return points, phases
    left = points.part(kept)
    return replace(left, warnings=(*left.warnings, "small-data-left-out")), phases
