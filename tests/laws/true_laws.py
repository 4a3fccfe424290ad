"""Laws whose truth is known, with data drawn from them: what fits are judged by."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from laws.fitting.fit import fit
from laws.fitting.forms import FORMS
from laws.points import Points, check_points

X = np.geomspace(1e3, 5e5, 10)
CHINCHILLA = (1.69, 406.0, 0.34, 410.0, 0.28)
ELSEWHERE = (0.4, 9.0, 0.15, 3.0, 0.45)  # other units, other exponents, small floor


def curve(seed, noise=0.02):
    return check_points(
        X, (2 * X**-0.3 + 0.05) * np.exp(noise * np.random.default_rng(seed).standard_normal(10))
    )


def surface(truth, params, data, seed):
    E, A, a, B, b = truth
    pairs = np.array([[n, d] for n in params for d in data])
    loss = E + A / pairs[:, 0] ** a + B / pairs[:, 1] ** b
    return check_points(pairs, loss * np.exp(0.01 * np.random.default_rng(seed).standard_normal(len(loss))))


@dataclass(frozen=True)
class Known:
    """A law with data drawn from it by seed."""

    points: Callable[[int], Points]
    form: str
    truth: Mapping[str, float]
    far: np.ndarray  # where it is asked for, far beyond the data
    flops: float = 0.0  # for which the best number of parameters is asked, on a surface

    def quantities(self, parameters):
        """Return what a planner asks of the law: its parameters, log y far out, the best size for FLOP."""
        asked = {name: np.asarray(parameters[name]) for name in self.truth}
        asked["far"] = FORMS[self.form].log_y(self.far, parameters)[..., 0]
        if self.flops:
            A, a, B, b = (asked[name] for name in "AaBb")
            # Hoffmann et al. 2022, arXiv:2203.15556, equation 4
            asked["N*"] = (a * A / (b * B)) ** (1 / (a + b)) * (self.flops / 6) ** (b / (a + b))
        return asked


CASES = {
    "curve": Known(curve, "power-floor", {"alpha": 2.0, "beta": 0.3, "gamma": 0.05}, np.array([1e7])),
    "surf_a": Known(
        lambda seed: surface(CHINCHILLA, np.geomspace(3e7, 3e9, 6), np.geomspace(6e8, 6e10, 10), seed),
        "surface",
        dict(zip("EAaBb", CHINCHILLA, strict=True)),
        np.array([[7e10, 1.4e12]]),
        1e23,
    ),
    "elsewhere": Known(
        lambda seed: surface(ELSEWHERE, np.geomspace(1e5, 3e7, 6), np.geomspace(10, 3e4, 10), seed),
        "surface",
        dict(zip("EAaBb", ELSEWHERE, strict=True)),
        np.array([[1e9, 1e6]]),
        6e15,
    ),
}


def holds(case, seeds):
    """Return how many 95 % intervals hold the truth, for each of the case's quantities."""
    known = CASES[case]
    truth = known.quantities(known.truth)
    hits = dict.fromkeys(truth, 0)
    for seed in seeds:
        # a seed of its own: with that of the noise the sampler would draw the same numbers again
        posterior = fit(known.points(seed), known.form, seed=10**6 + seed)
        for name, draws in known.quantities(posterior.parameters).items():
            low, high = np.quantile(draws, [0.025, 0.975])
            hits[name] += int(low <= truth[name] <= high)
    return hits
