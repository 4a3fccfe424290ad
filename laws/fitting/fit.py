"""Fit one form to measured points: a posterior by emcee, started from and checked by importance sampling."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from laws.codes import WarningCode
from laws.errors import PlannerError
from laws.fitting import importance, sampler
from laws.fitting.coordinates import COORDINATES
from laws.fitting.diagnostics import effective_sizes
from laws.fitting.forms import FORMS
from laws.fitting.likelihood import log_posterior
from laws.points import Points

Array = NDArray[np.float64]

FLOORS = 0.5  # probability that a curve has a floor, before the data
TRUSTED = 400.0  # effective draws from which importance sampling can contradict emcee
LEVELS = np.array([0.05, 0.5, 0.95])
FOR_A_FLOOR = 4  # sizes below which a floor cannot be told from the slope


class NotConverged(PlannerError):
    """Raised when a chain does not reach N >= 50 tau and split-R-hat < 1.01; carries the numbers."""

    def __init__(self, form: str, steps: int, tau: float, rhat: float) -> None:
        self.steps, self.tau, self.rhat = steps, tau, rhat
        super().__init__(
            f"the fit of {form} did not settle: {steps} steps, tau {tau:.0f}, split-R-hat {rhat:.3f}, wanted "
            f"steps >= {sampler.TAUS:.0f} tau and R-hat < {sampler.RHAT}: "
            "measure more or wider-spaced points, or fit a simpler form"
        )


@dataclass(frozen=True, eq=False)
class Posterior:
    """What the points say about a form: draws of its parameters and of the noise.

    `parameters` maps each parameter of `FORMS[form]`, and those of the noise (`laws/fitting/noise.py`: "scale",
    "degrees" and, where points are near one another, "shared"), to an array (draws,); row i of all of them is
    one joint draw. `FORMS[form].log_y(x, parameters)` reads it.
    """

    form: str
    parameters: Mapping[str, Array]
    diagnostics: Mapping[str, float] = field(default_factory=dict)
    log_evidence: float | None = None  # None where importance sampling failed
    warnings: tuple[str, ...] = ()


def fit(points: Points, form: str, *, seed: int, draws: int = 4000) -> Posterior:
    """Return the posterior of one form: `draws` equally weighted draws, the same for the same seed.

    Raises PlannerError for an unknown form or too few points, NotConverged when the chain does not settle.
    Warnings: those of the points; `few-points` (no more points than parameters: the priors speak too);
    `rising` or `falling` (against the form's direction); `importance-disagrees` (the two samplers differ by
    more than 0.2 posterior standard deviations).
    """
    warnings = points.warnings + _judge(points, form)
    coordinates = COORDINATES[form](points)
    log_density = log_posterior(points, FORMS[form], coordinates)
    rng = np.random.default_rng(seed)
    weighted = importance.sample(log_density, coordinates.starts, rng)
    start = _distinct(weighted, sampler.WALKERS, rng)
    share = 0.9 if weighted.ess > 0.2 * len(weighted.z) else 0.5
    chain = sampler.sample(log_density, start, weighted.mixture, seed=int(rng.integers(2**31)), share=share)
    if not chain.converged:
        raise NotConverged(form, len(chain.z), chain.tau, chain.rhat)

    flat = chain.z.reshape(-1, chain.z.shape[2])
    gap = np.abs(np.quantile(flat, LEVELS, axis=0) - weighted.quantiles(LEVELS)) / flat.std(0)
    if weighted.ess >= TRUSTED and gap.max() > 0.2:
        warnings += (WarningCode.IMPORTANCE_DISAGREES,)
    bulk, tail = effective_sizes(chain.z)
    rows = np.linspace(0, len(flat) - 1, draws).round().astype(int)
    parameters = coordinates.unpack(flat[rows])[0]
    return Posterior(
        form=form,
        parameters={name: parameters[name] for name in FORMS[form].parameters}
        | coordinates.noise.unpack(flat[rows])[0],
        diagnostics={
            "rhat": chain.rhat,
            "ess_bulk": bulk,
            "ess_tail": tail,
            "tau": chain.tau,
            "steps": float(len(chain.z)),
            "walkers": float(chain.z.shape[1]),
            "acceptance": chain.acceptance,
            "importance_ess": weighted.ess,
            "importance_gap": float(gap.max()),
        },
        log_evidence=weighted.log_evidence if weighted.ess >= TRUSTED / 4 else None,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def fit_single_form(points: Points, *, seed: int, draws: int = 4000) -> Posterior:
    """Return the posterior of the one form of a curve where nobody asks for one: a power law, maybe a floor.

    A floor cannot be below zero, so a form that has one for certain sees a bend where there is none, and
    too large an exponent: 44 of 100 of its 90 % intervals miss it (docs/concepts/laws.md). So both forms are fitted
    and weighed by their evidence, FLOORS to one before the data. The form is `power-floor`, with a floor of 0
    in the draws of the power law; the diagnostic `floor` is the probability that there is one. Fewer than
    FOR_A_FLOOR sizes cannot tell a floor from the slope, and the form is `power`.
    """
    without = partial(fit, points, "power", seed=seed, draws=draws)
    if points.distinct < FOR_A_FLOOR:
        return without()
    found = fit(points, "power-floor", seed=seed, draws=draws)
    if found.log_evidence is None:
        return found
    try:
        simple = without()
    except NotConverged:
        return found
    if simple.log_evidence is None:
        return found
    floor = float(expit(found.log_evidence - simple.log_evidence + logit(FLOORS)))
    from_floor = np.arange(draws) < round(floor * draws)
    order = np.random.default_rng(seed).permutation(draws)  # whoever takes some of the draws takes of both
    both = {**simple.parameters, "gamma": np.zeros(draws)}
    parameters = {
        name: np.where(from_floor, values, both[name])[order] for name, values in found.parameters.items()
    }
    worse = dict.fromkeys(("rhat", "tau", "importance_gap"), max)
    diagnostics = {
        name: worse.get(name, min)(value, simple.diagnostics[name])
        for name, value in found.diagnostics.items()
    }
    return replace(found, parameters=parameters, diagnostics=diagnostics | {"floor": floor})


def _judge(points: Points, form: str) -> tuple[str, ...]:
    """Return the warnings about points for a form, or raise PlannerError where they cannot hold it."""
    if form not in FORMS:
        raise PlannerError(f"there is no form {form!r}: choose one of {', '.join(FORMS)}")
    parameters = len(FORMS[form].parameters)
    if (points.x.ndim == 2) != (form == "surface"):
        wanted = "pairs (params, data)" if form == "surface" else "one x for each y"
        raise PlannerError(f"the form {form} needs {wanted}: choose another form or other columns")
    if points.distinct < parameters:
        raise PlannerError(
            f"{points.distinct} different sizes cannot hold the {parameters} parameters of the form {form}: "
            f"measure at {parameters} or more, or fit a form with fewer parameters"
        )
    columns = np.log(points.x).reshape(len(points), -1)
    design = np.column_stack([np.ones(len(points)), columns])
    slopes = np.linalg.lstsq(design, np.log(points.y), rcond=None)[0][1:]
    warnings = [WarningCode.FEW_POINTS] if len(points) <= parameters + 1 else []
    level = 1e-9  # what rounding makes of the slope through equal values
    if form == "size":
        warnings += [WarningCode.FALLING] if slopes[0] < -level else []
    elif np.any(slopes > level):
        warnings += [WarningCode.RISING]
    return tuple(warnings)


def _distinct(weighted: importance.Weighted, n: int, rng: np.random.Generator) -> Array:
    """Return n different weighted draws: sampling without replacement by Gumbel keys."""
    with np.errstate(divide="ignore"):
        keys = np.log(weighted.weight) + rng.gumbel(size=len(weighted.weight))
    return weighted.z[np.argsort(-keys)[:n]]
