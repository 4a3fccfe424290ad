"""Functional forms of scaling laws.

Every form is a function of x and of its parameters that returns **log y**. x has shape (n,), or (n, 2) as
(params, data) for a joint law; each parameter is a number or an array (...,); the result is (n,) or (..., n).
So one signature serves one point, all walkers of a sampler and all posterior samples.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def power(x: ArrayLike, *, alpha: ArrayLike, beta: ArrayLike) -> Array:
    """Return log y of y = α·x^−β.

    α: error at x = 1; β: exponent, the error falls by the factor 2^−β with each doubling of the data.
    Source: Hestness et al. 2017, arXiv:1712.00409, section 3.

    Args:
        x: Data sizes (n,).
        alpha: α, a number or (...,).
        beta: β, a number or (...,).

    Returns:
        log y, (n,) or (..., n).
    """
    return np.log(_last(alpha)) - _last(beta) * np.log(x)


def power_floor(x: ArrayLike, *, alpha: ArrayLike, beta: ArrayLike, gamma: ArrayLike) -> Array:
    """Return log y of y = α·x^−β + γ.

    γ: irreducible error, which remains with any amount of data.
    Source: Hestness et al. 2017, arXiv:1712.00409, equation 1.

    Args:
        x: Data sizes (n,).
        alpha: α, a number or (...,).
        beta: β, a number or (...,).
        gamma: γ, a number or (...,).

    Returns:
        log y, (n,) or (..., n).
    """
    return np.log(np.exp(power(x, alpha=alpha, beta=beta)) + _last(gamma))


def three_phase(
    x: ArrayLike, *, ceiling: ArrayLike, beta: ArrayLike, gamma: ArrayLike, onset: ArrayLike, width: ArrayLike
) -> Array:
    """Return log y of y = (c − γ)·(1 + (x/x0)^(1/w))^(−β·w) + γ.

    c (ceiling): error at chance level, on the left; x0 (onset): data size where the power law begins;
    β: its exponent; γ: floor; w (width): how gradual the onset is, in units of log x.
    Source: the three phases of Hestness et al. 2017, arXiv:1712.00409, figure 6; the paper draws them
    without a formula, and this is the broken law below with a first exponent of 0.

    Args:
        x: Data sizes (n,).
        ceiling: c, a number or (...,).
        beta: β, a number or (...,).
        gamma: γ, at most c, a number or (...,).
        onset: x0, in the unit of x, a number or (...,).
        width: w, above 0, a number or (...,).

    Returns:
        log y, (n,) or (..., n).
    """
    w = _last(width)
    bend = w * np.logaddexp(0.0, (np.log(x) - np.log(_last(onset))) / w)
    return np.logaddexp(_log(np.asarray(ceiling) - gamma) - _last(beta) * bend, _log(gamma))


def broken(
    x: ArrayLike,
    *,
    alpha: ArrayLike,
    beta: ArrayLike,
    change: ArrayLike,
    gamma: ArrayLike,
    breakpoint: ArrayLike,
    width: ArrayLike,
) -> Array:
    """Return log y of y = γ + α·x^−β·(1 + (x/d)^(1/f))^(−c·f).

    α, β: power law before the break; d (breakpoint): where it bends; c (change): what the exponent gains
    there (β + c beyond it); f (width): how gradual the bend is, in units of log x; γ: floor.
    Source: Caballero et al. 2022, arXiv:2210.14891, equation 1 with n = 1 (there a, b, c0, c1, d1, f1).

    Args:
        x: Data sizes (n,).
        alpha: α, a number or (...,).
        beta: β, a number or (...,).
        change: c, a number or (...,).
        gamma: γ, a number or (...,).
        breakpoint: d, in the unit of x, a number or (...,).
        width: f, above 0, a number or (...,).

    Returns:
        log y, (n,) or (..., n).
    """
    w = _last(width)
    bend = w * np.logaddexp(0.0, (np.log(x) - np.log(_last(breakpoint))) / w)
    return np.logaddexp(power(x, alpha=alpha, beta=beta) - _last(change) * bend, _log(gamma))


def size(x: ArrayLike, *, sigma: ArrayLike, beta_p: ArrayLike) -> Array:
    """Return log s of s = σ·x^βp: parameters of the best-fit model at data size x.

    σ: parameters at x = 1; βp: exponent, below 1 where models need to grow more slowly than their data.
    Source: Hestness et al. 2017, arXiv:1712.00409, section 3.

    Args:
        x: Data sizes (n,).
        sigma: σ, a number or (...,).
        beta_p: βp, a number or (...,).

    Returns:
        log s, (n,) or (..., n).
    """
    return np.log(_last(sigma)) + _last(beta_p) * np.log(x)


def surface(x: ArrayLike, *, E: ArrayLike, A: ArrayLike, a: ArrayLike, B: ArrayLike, b: ArrayLike) -> Array:
    """Return log L of L = E + A/N^a + B/D^b, with x as (n, 2): parameters N and data D.

    E: irreducible loss; A, a: what a finite model costs; B, b: what finite data costs.
    Source: Hoffmann et al. 2022, arXiv:2203.15556, equation 2 (there a is α and b is β).

    Args:
        x: Pairs (N, D), (n, 2).
        E: E, a number or (...,).
        A: A, a number or (...,).
        a: a, a number or (...,).
        B: B, a number or (...,).
        b: b, a number or (...,).

    Returns:
        log L, (n,) or (..., n).
    """
    pairs = np.asarray(x, dtype=np.float64)
    of_size, of_data = power(pairs[:, 0], alpha=A, beta=a), power(pairs[:, 1], alpha=B, beta=b)
    return np.log(np.exp(of_size) + np.exp(of_data) + _last(E))


@dataclass(frozen=True)
class Form:
    """A form with its equation and its parameters.

    Attributes:
        function: Returns log y from x and the parameters.
        equation: The equation as text.
        parameters: Meaning of each parameter, by name.
    """

    function: Callable[..., Array]
    equation: str
    parameters: Mapping[str, str]

    def log_y(self, x: ArrayLike, parameters: Mapping[str, ArrayLike]) -> Array:
        """Evaluate the form.

        Args:
            x: Data sizes (n,), or pairs (params, data) (n, 2) for a joint law.
            parameters: The form's parameters, each a number or (...,). Other entries, such as the noise's
                scale, are ignored.

        Returns:
            log y (..., n).
        """
        return self.function(x, **{name: parameters[name] for name in self.parameters})


def _last(parameter: ArrayLike) -> Array:
    return np.asarray(parameter, dtype=np.float64)[..., None]


def _log(parameter: ArrayLike) -> Array:
    with np.errstate(divide="ignore"):
        return np.log(_last(parameter))


FORMS: dict[str, Form] = {
    "power": Form(power, "y = α·x^−β", {"alpha": "y at x = 1", "beta": "exponent"}),
    "power-floor": Form(
        power_floor, "y = α·x^−β + γ", {"alpha": "reducible y at x = 1", "beta": "exponent", "gamma": "floor"}
    ),
    "three-phase": Form(
        three_phase,
        "y = (c − γ)·(1 + (x/x0)^(1/w))^(−β·w) + γ",
        {
            "ceiling": "y at chance level",
            "beta": "exponent of the power law",
            "gamma": "floor",
            "onset": "x where the power law begins",
            "width": "how gradual the onset is, in log x",
        },
    ),
    "broken": Form(
        broken,
        "y = γ + α·x^−β·(1 + (x/d)^(1/f))^(−c·f)",
        {
            "alpha": "y at x = 1 by the first power law",
            "beta": "exponent before the break",
            "change": "what the exponent gains at the break",
            "gamma": "floor",
            "breakpoint": "x of the break",
            "width": "how gradual the break is, in log x",
        },
    ),
    "size": Form(size, "s = σ·x^βp", {"sigma": "parameters at x = 1", "beta_p": "exponent"}),
    "surface": Form(
        surface,
        "L = E + A/N^a + B/D^b",
        {
            "E": "irreducible loss",
            "A": "loss of a finite model at N = 1",
            "a": "exponent of the parameters",
            "B": "loss of finite data at D = 1",
            "b": "exponent of the data",
        },
    ),
}
