"""Data drawn from a form's own prior, and the rank of the truth among the draws of its fit.

Simulation-based calibration (Talts et al. 2018, arXiv:1804.06788): where fits are right, these ranks are
uniform, for every parameter and for everything computed from them. The priors are written here once more,
from the tables in `laws/fitting/coordinates.py` and `laws/fitting/noise.py`, on the quantities on which they
are stated. The prior of the level is centered on the data, so any level will do: here y is 1 at the largest
x.
"""

import numpy as np

from laws.fitting.fit import NotConverged, fit
from laws.fitting.forms import FORMS
from laws.fitting.noise import MIN_NOISE, NEIGHBOR_RANGE, REACH
from laws.points import check_points

DRAWS = 99  # ranks go from 0 to 99
STEPS = 1e3 * 2.0 ** np.arange(8)  # no neighbors
CLOSE = 1e3 * 1.6 ** np.arange(12)  # each point is near those beside it
GRID = np.array([[n, d] for n in 1e6 * 4.0 ** np.arange(5) for d in 1e7 * 1.8 ** np.arange(6)])
PLACES = {
    "power": STEPS,
    "power-floor": STEPS,
    "three-phase": CLOSE,
    "broken": CLOSE,
    "size": STEPS,
    "surface": GRID,
}
FAR = {form: np.array([[1e10, 1e12]]) if form == "surface" else 100 * x[-1:] for form, x in PLACES.items()}


def parameters(form, rng):
    """Return one draw of a form's parameters from its prior."""
    x = PLACES[form]
    beta = abs(rng.standard_normal())
    if form == "surface":
        b = abs(rng.standard_normal())
        floor, of_size, of_data = rng.dirichlet([1, 1, 1])
        high = x.max(0)
        return {"E": floor, "A": of_size * high[0] ** beta, "a": beta, "B": of_data * high[1] ** b, "b": b}
    if form == "size":
        beta = rng.normal(0.7, 0.5)
        return {"sigma": x[-1] ** -beta, "beta_p": beta}
    if form == "power":
        return {"alpha": x[-1] ** beta, "beta": beta}
    gamma = rng.uniform()
    if form == "power-floor":
        return {"alpha": (1 - gamma) * x[-1] ** beta, "beta": beta, "gamma": gamma}
    at = x[0] * (x[-1] / x[0]) ** (rng.normal(0, 0.5) if form == "three-phase" else rng.uniform())
    shape = {"beta": beta, "gamma": 0.0, "width": np.exp(rng.normal(np.log(0.5), 0.5))}
    if form == "three-phase":
        shape |= {"onset": at, "ceiling": 1.0}
    else:
        shape |= {"breakpoint": at, "change": beta * np.expm1(rng.normal(0, 0.5)), "alpha": 1.0}
    reducible = (1 - gamma) / np.exp(FORMS[form].log_y(x[-1:], shape)[0])
    level = {"ceiling": reducible + gamma} if form == "three-phase" else {"alpha": reducible}
    return shape | level | {"gamma": gamma}


def residuals(x, noise, rng):
    """Return noise of log y at x, point by point: each given its nearest earlier neighbors."""
    places = np.log(x).reshape(len(x), -1)
    white = np.empty(len(x))
    for i, place in enumerate(places):
        distance = np.sqrt(((places[:i] - place) ** 2).sum(1))
        near = np.argsort(distance, kind="stable")[:8]
        near = near[distance[near] < NEIGHBOR_RANGE]
        group = places[np.append(near, i)]
        kernel = np.exp(-np.sqrt(((group[:, None] - group) ** 2).sum(2)) / REACH)
        kernel = noise["shared"] * kernel + (1 - noise["shared"]) * np.eye(len(group))
        weight = np.linalg.solve(kernel[:-1, :-1], kernel[:-1, -1])
        left = 1 - weight @ kernel[:-1, -1]
        white[i] = weight @ white[near] + np.sqrt(left) * rng.standard_t(noise["degrees"])
    return np.hypot(noise["scale"], MIN_NOISE) * white


def rank(form, seed):
    """Return the rank (0 to DRAWS) of each true quantity among the draws of one fit; None where refused."""
    rng = np.random.default_rng(seed)
    truth = parameters(form, rng)
    truth |= {
        "scale": np.exp(rng.normal(np.log(0.03), 1.5)),
        "degrees": 2 + rng.gamma(2, 10),
        "shared": 1 / (1 + np.exp(-rng.normal(-2, 1.5))),
    }
    log_y = FORMS[form].log_y(PLACES[form], truth) + residuals(PLACES[form], truth, rng)
    # a seed of its own: with that of the truth the sampler would draw the numbers that made the truth
    own = int(rng.integers(2**31))
    try:
        posterior = fit(check_points(PLACES[form], np.exp(log_y)), form, seed=own, draws=DRAWS)
    except NotConverged:
        return None
    far = {"far": FORMS[form].log_y(FAR[form], posterior.parameters)[:, 0]}
    truth["far"] = FORMS[form].log_y(FAR[form], truth)[0]
    return {name: int((draws < truth[name]).sum()) for name, draws in (posterior.parameters | far).items()}
