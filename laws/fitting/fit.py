"""Fit one form to measured points: posterior samples by emcee, started from and checked by importance
sampling.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from laws.codes import WarningCode
from laws.errors import InputError, LawError, UnknownName
from laws.fitting import importance, sampler
from laws.fitting.coordinates import COORDINATES
from laws.fitting.diagnostics import effective_sizes
from laws.fitting.forms import FORMS
from laws.fitting.likelihood import log_posterior
from laws.points import Points

Array = NDArray[np.float64]

PRIOR_FLOOR_PROBABILITY = 0.5  # that a curve has a floor, before the data
MIN_TRUSTED_ESS = 400.0  # effective draws from which importance sampling can contradict emcee
MAX_GAP = 0.2  # posterior standard deviations between quantiles of the two samplers
LEVELS = np.array([0.05, 0.5, 0.95])  # of these quantiles
MIN_FLOOR_SIZES = 4  # fewer sizes cannot tell a floor from the slope
MIN_SIZE_RATIO = (
    1.0001  # of the largest over the smallest size: below, only the prior says how the error falls
)
ROUNDING_SLOPE = 1e-9  # what rounding makes of the slope through equal values
REFITS = 2  # of the sampler's mixture, where there are few points: their posterior has long tails


class NotConverged(LawError):
    """Raised when a chain does not reach N >= 50 tau and split-R-hat < 1.01.

    Args:
        form: The form that was fitted.
        steps: Steps of the chain after its burn-in.
        tau: Largest autocorrelation time, in steps.
        rhat: Largest split-R-hat.
    """

    code = "not-converged"

    def __init__(self, form: str, steps: int, tau: float, rhat: float) -> None:
        self.steps, self.tau, self.rhat = steps, tau, rhat
        expected = (
            f"steps >= {sampler.MIN_AUTOCORRELATION_TIMES:.0f} tau and split-R-hat < {sampler.MAX_RHAT}"
        )
        super().__init__(
            f"the fit of {form} did not settle: expected {expected}, got {steps} steps, tau "
            f"{tau:.0f}, split-R-hat "
            f"{rhat:.3f}; measure more or wider-spaced points, or fit a simpler form",
            value=form,
            expected=expected,
        )


@dataclass(frozen=True, eq=False)
class Posterior:
    """Posterior samples of a form's parameters and of the noise.

    Attributes:
        form: A key of FORMS.
        parameters: Each parameter of `FORMS[form]`, and those of the noise (`laws/fitting/noise.py`: "scale",
            "degrees" and, where points are near one another, "shared"), as an array (draws,). Row i of all of
            them is one joint sample; `FORMS[form].log_y(x, parameters)` evaluates them.
        diagnostics: Numbers that judge the samples, such as "rhat" and "ess_bulk".
        log_evidence: Log of the marginal likelihood; None where importance sampling failed.
        warnings: Codes.
    """

    form: str
    parameters: Mapping[str, Array]
    diagnostics: Mapping[str, float] = field(default_factory=dict)
    log_evidence: float | None = None
    warnings: tuple[str, ...] = ()


def fit(points: Points, form: str, *, seed: int, draws: int = 4000) -> Posterior:
    """Sample the posterior of one form.

    Args:
        points: The measured points.
        form: A key of FORMS.
        seed: The same seed gives the same samples.
        draws: How many equally weighted samples to return.

    Returns:
        The posterior. Its warnings are those of the points; `few-points` (no more points than parameters, so
        the priors matter too); `rising` or `falling` (against the form's direction); `importance-disagrees`
        (quantiles of the two samplers differ by more than MAX_GAP posterior standard deviations).

    Raises:
        UnknownName: For an unknown form.
        InputError: For points that the form cannot be fitted to. Codes: "wrong-columns", "too-few-sizes",
            "sizes-too-close".
        LawError: Where no law of the form is plausible; code "no-plausible-law".
        NotConverged: When the chain does not settle.
    """
    warnings = points.warnings + _check_form(points, form)
    coordinates = COORDINATES[form](points)
    log_density = log_posterior(points, FORMS[form], coordinates)
    rng = np.random.default_rng(seed)
    weighted = importance.sample(log_density, coordinates.starts, rng)
    start = _distinct(weighted, sampler.WALKERS, rng)
    chain = sampler.sample(
        log_density,
        start,
        weighted.mixture,
        seed=int(rng.integers(2**31)),
        share=0.9 if weighted.ess > 0.2 * len(weighted.z) else 0.5,
        refits=REFITS if WarningCode.FEW_POINTS in warnings else 0,
    )
    if not chain.converged:
        raise NotConverged(form, len(chain.z), chain.tau, chain.rhat)

    flat = chain.z.reshape(-1, chain.z.shape[2])
    gap = np.abs(np.quantile(flat, LEVELS, axis=0) - weighted.quantiles(LEVELS)) / flat.std(0)
    if weighted.ess >= MIN_TRUSTED_ESS and gap.max() > MAX_GAP:
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
        log_evidence=weighted.log_evidence if weighted.ess >= MIN_TRUSTED_ESS / 4 else None,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def fit_single_form(points: Points, *, seed: int, draws: int = 4000) -> Posterior:
    """Sample a power law that may or may not have a floor: the single form of a curve.

    A floor cannot be below zero, so a form that always has one sees a bend where there is none, and too large
    an
    exponent: 44 of 100 of its 90 % intervals miss it (docs/concepts/laws.md). So both forms are fitted and
    weighted by their evidence.

    Args:
        points: The measured points of one curve.
        seed: The same seed gives the same samples.
        draws: How many samples to return.

    Returns:
        The posterior. Its form is `power-floor`, with a floor of 0 in the samples of the power law; the
        diagnostic `floor` is the probability that there is one. With fewer than MIN_FLOOR_SIZES sizes the
        form is `power`.

    Raises:
        InputError, LawError, NotConverged: As `fit` does.
    """
    fit_power = partial(fit, points, "power", seed=seed, draws=draws)
    if points.distinct < MIN_FLOOR_SIZES:
        return fit_power()
    floored = fit(points, "power-floor", seed=seed, draws=draws)
    if floored.log_evidence is None:
        return floored
    try:
        power = fit_power()
    except NotConverged:
        return floored
    if power.log_evidence is None:
        return floored
    probability = float(expit(floored.log_evidence - power.log_evidence + logit(PRIOR_FLOOR_PROBABILITY)))
    has_floor = np.arange(draws) < round(probability * draws)
    # mixed, so that any part of the samples has some of both forms
    order = np.random.default_rng(seed).permutation(draws)
    without = {**power.parameters, "gamma": np.zeros(draws)}
    parameters = {
        name: np.where(has_floor, values, without[name])[order] for name, values in floored.parameters.items()
    }
    # of two chains the worse number counts
    worse = dict.fromkeys(("rhat", "tau", "importance_gap"), max)
    diagnostics = {
        name: worse.get(name, min)(value, power.diagnostics[name])
        for name, value in floored.diagnostics.items()
    }
    return replace(floored, parameters=parameters, diagnostics=diagnostics | {"floor": probability})


def size_ratio(points: Points) -> float:
    """Return the largest over the smallest size; for a joint law, of the axis that spans less.

    Args:
        points: The measured points.

    Returns:
        A ratio of at least 1.
    """
    columns = points.x.reshape(len(points), -1)
    return float((columns.max(0) / columns.min(0)).min())


def _check_form(points: Points, form: str) -> tuple[str, ...]:
    """Return the warnings about points for a form; refuse points that it cannot be fitted to."""
    if form not in FORMS:
        raise UnknownName("form", form, FORMS)
    parameters = len(FORMS[form].parameters)
    if (points.x.ndim == 2) != (form == "surface"):
        expected = "pairs (params, data)" if form == "surface" else "one x per y"
        raise InputError(
            f"form {form}: expected {expected}, got x of shape {points.x.shape}", code="wrong-columns"
        )
    if points.distinct < parameters:
        raise InputError(
            f"form {form}: expected {parameters} or more different sizes, one per parameter, got "
            f"{points.distinct}; "
            "measure at more sizes, or fit a form with fewer parameters",
            code="too-few-sizes",
            value=points.distinct,
        )
    ratio = size_ratio(points)
    if ratio < MIN_SIZE_RATIO:
        raise InputError(
            f"sizes: expected the largest to be at least {MIN_SIZE_RATIO:g} times the smallest, "
            f"better 2 times and "
            f"more, got {ratio:.10g} times",
            code="sizes-too-close",
            value=ratio,
        )
    columns = np.log(points.x).reshape(len(points), -1)
    design = np.column_stack([np.ones(len(points)), columns])
    slopes = np.linalg.lstsq(design, np.log(points.y), rcond=None)[0][1:]
    warnings = [WarningCode.FEW_POINTS] if len(points) <= parameters + 1 else []
    if form == "size":
        warnings += [WarningCode.FALLING] if slopes[0] < -ROUNDING_SLOPE else []
    elif np.any(slopes > ROUNDING_SLOPE):
        warnings += [WarningCode.RISING]
    return tuple(warnings)


def _distinct(weighted: importance.Weighted, n: int, rng: np.random.Generator) -> Array:
    """Return n different weighted draws: sampling without replacement by Gumbel keys."""
    with np.errstate(divide="ignore"):
        keys = np.log(weighted.weight) + rng.gumbel(size=len(weighted.weight))
    return weighted.z[np.argsort(-keys)[:n]]
