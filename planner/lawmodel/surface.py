"""Closed forms over the joint loss surface L(N, D) = E + A/N^alpha + B/D^beta, and over data that repeats.

| symbol      | here                   | meaning                                                   |
| ----------- | ---------------------- | --------------------------------------------------------- |
| N           | params                 | number of parameters                                      |
| D           | data, seen             | tokens (or other samples) trained on, repeats counted     |
| U_D         | unique                 | different data                                            |
| E, A, B     | E, A, B                | irreducible loss, scales of the two terms                 |
| alpha, beta | alpha, beta            | exponents of parameters and of data                       |
| R_D*, R_N*  | data_half, params_half | repeats that cost data, parameters 1 - 1/e of their worth |

Pure Python: `planner estimate` evaluates these per posterior sample. A sample of a posterior may have
exponents near zero, so that a size or an amount of data exceeds every float: it is infinite then, and no
error.
"""

import math
from typing import NamedTuple

from laws.forecasting.joint_drift import drift_factor


def power(base: float, exponent: float) -> float:
    """Return base to the exponent, infinite where no float is that large.

    Args:
        base: At least 0.
        exponent: Any number; a negative one makes an infinity of a base of 0.

    Returns:
        The power.
    """
    try:
        return float(base**exponent)
    except (OverflowError, ZeroDivisionError):
        return math.inf


def exponential(value: float) -> float:
    """Return e to the value, infinite where no float is that large.

    Args:
        value: The exponent.

    Returns:
        The exponential.
    """
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def logarithm(value: float) -> float:
    """Return the natural logarithm of a value of at least 0; that of 0 is minus infinity.

    Args:
        value: A number of at least 0.

    Returns:
        The natural logarithm.
    """
    return math.log(value) if value > 0 else -math.inf


def quotient(dividend: float, divisor: float) -> float:
    """Return a quotient of numbers of at least 0; dividing by 0 gives infinity.

    Args:
        dividend: A number of at least 0.
        divisor: A number of at least 0.

    Returns:
        The quotient.
    """
    return dividend / divisor if divisor else math.inf


class Surface(NamedTuple):
    """One posterior sample of the loss surface (Hoffmann et al. 2022, equation 2, arXiv:2203.15556).

    A surface that was fitted here drifts beyond the largest compute that was measured
    (`laws/forecasting/joint_drift.py`). The balance of parameters and data is that without the drift.
    """

    E: float
    A: float
    B: float
    alpha: float
    beta: float
    rate: float = 0.0  # change of log L per decade of compute beyond the measurements
    largest: float = 0.0  # parameters times data of the largest measurement; 0: no drift

    def loss(self, params: float, data: float) -> float:
        """Return the loss of a model trained once on some data.

        Args:
            params: Number of parameters.
            data: Samples trained on.

        Returns:
            The loss, in the unit of E.
        """
        loss = self.E + quotient(self.A, power(params, self.alpha)) + quotient(self.B, power(data, self.beta))
        return loss * drift_factor(self.rate, params * data, self.largest) if self.rate else loss

    @property
    def floor(self) -> float:
        """Return the loss of any size on any amount of data."""
        return self.E * drift_factor(self.rate, math.inf, self.largest)

    def best_params_for(self, data: float) -> float:
        """Return the model size for which an amount of data is compute-optimal.

        Hoffmann et al. 2022, equation 4 solved for N given D instead of given the FLOP.

        Args:
            data: Samples trained on.

        Returns:
            The number of parameters.
        """
        ratio = quotient(self.alpha * self.A, self.beta * self.B)
        return power(ratio * power(data, self.beta), 1.0 / self.alpha)

    def least_flops(self, target: float) -> tuple[float, float]:
        """Return the model size and the data that reach a target loss with the fewest FLOP, without a drift.

        Args:
            target: The loss to reach.

        Returns:
            Parameters and samples; both infinite where the target is not above E.
        """
        excess = target - self.E
        if excess <= 0:
            return math.inf, math.inf
        # at the optimum the two terms share the excess as beta : alpha
        params = power(quotient(self.A * (self.alpha + self.beta), self.beta * excess), 1.0 / self.alpha)
        data = power(quotient(self.B * (self.alpha + self.beta), self.alpha * excess), 1.0 / self.beta)
        return params, data


def effective(unique: float, total: float, half: float) -> float:
    """Return how much new data repeated data is worth (Muennighoff et al. 2023, equation 5,
    arXiv:2305.16264).

    unique + unique x half x (1 - exp(-repeats / half)), repeats = total / unique - 1: the first repeats are
    worth almost as much as new data, and nothing is worth more than unique x (1 + half). The same formula
    holds for parameters beyond those that the unique data can use.

    Args:
        unique: Different data, or parameters that the data can use.
        total: Data seen, or all parameters.
        half: Repeats after which 1 - 1/e of the worth is lost.

    Returns:
        The worth, in the unit of `unique`.
    """
    if unique in (total, 0):
        return unique
    repeats = max(total / unique - 1.0, 0.0)
    return min(total, unique) - unique * half * math.expm1(-repeats / half)


class Repeated(NamedTuple):
    """A loss surface on which data repeats (Muennighoff et al. 2023, arXiv:2305.16264)."""

    surface: Surface
    data_half: float
    params_half: float

    def loss(self, params: float, samples_seen: float, unique: float) -> float:
        """Return the loss after training on data that partly repeats.

        Args:
            params: Number of parameters.
            samples_seen: Samples trained on, repeats counted.
            unique: Different samples that there are.

        Returns:
            The loss, in the unit of E.
        """
        new = min(unique, samples_seen)
        useful = min(self.surface.best_params_for(new), params)
        return self.surface.loss(
            effective(useful, params, self.params_half), effective(new, samples_seen, self.data_half)
        )
