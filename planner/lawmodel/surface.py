"""Where to spend compute: closed forms over the loss surface E + A/N^alpha + B/D^beta.

N is the number of parameters, D the tokens (or other positions) trained on. Pure Python; for a posterior
these are called draw by draw.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from laws.errors import PlannerError


@dataclass(frozen=True, kw_only=True)
class Surface:
    """One draw of the loss surface (Hoffmann et al. 2022, equation 2, arXiv:2203.15556)."""

    E: float
    A: float
    B: float
    alpha: float
    beta: float

    def loss(self, params: float, data: float) -> float:
        """Return the loss of a model of `params` parameters trained once on `data`."""
        return float(self.E + self.A / params**self.alpha + self.B / data**self.beta)

    def data_for(self, params: float, target: float) -> float:
        """Return the data that brings a model of this size to a target loss, infinite if none does."""
        left = target - self.E - self.A / params**self.alpha
        return float((self.B / left) ** (1.0 / self.beta)) if left > 0 else math.inf

    def best_split(self, flops: float) -> tuple[float, float]:
        """Return (params, data) of the lowest loss for 6 N D = flops (Hoffmann et al. 2022, equation 4)."""
        g = (self.alpha * self.A / (self.beta * self.B)) ** (1.0 / (self.alpha + self.beta))
        params = g * (flops / 6.0) ** (self.beta / (self.alpha + self.beta))
        return params, flops / (6.0 * params)

    def best_params_for(self, data: float) -> float:
        """Return the size for which `data` is the best amount: the same split read from the data."""
        ratio = self.alpha * self.A / (self.beta * self.B)
        return float((ratio * data**self.beta) ** (1.0 / self.alpha))

    def least_flops(self, target: float) -> tuple[float, float]:
        """Return (params, data) that reach a target loss with the fewest training FLOP, infinite below E."""
        excess = target - self.E
        if excess <= 0:
            return math.inf, math.inf
        # at the best split the two terms share the excess as beta : alpha
        params = (self.A * (self.alpha + self.beta) / (self.beta * excess)) ** (1.0 / self.alpha)
        data = (self.B * (self.alpha + self.beta) / (self.alpha * excess)) ** (1.0 / self.beta)
        return params, data


def effective(unique: float, seen: float, half: float) -> float:
    """Return what `seen` is worth when only `unique` of it is new (Muennighoff et al. 2023, equation 5).

    unique + unique x half x (1 - exp(-repeats / half)), repeats = seen / unique - 1: the first repeats are
    worth almost as much as new data, and nothing is worth more than unique x (1 + half). The same formula
    holds for parameters beyond those that the unique data can use.
    """
    repeats = max(seen / unique - 1.0, 0.0)
    return min(seen, unique) - unique * half * math.expm1(-repeats / half)


@dataclass(frozen=True, kw_only=True)
class Repeated:
    """A loss surface on which data repeats (Muennighoff et al. 2023, arXiv:2305.16264)."""

    surface: Surface
    data_half: float  # R_D*: repeats at which data has lost 1 - 1/e of its worth
    params_half: float  # R_N*: the same of parameters beyond the best size for the unique data

    def loss(self, params: float, seen: float, unique: float) -> float:
        """Return the loss after `seen` data of which `unique` is new."""
        new = min(unique, seen)
        useful = min(self.surface.best_params_for(new), params)
        return self.surface.loss(
            effective(useful, params, self.params_half), effective(new, seen, self.data_half)
        )

    def best_split(self, flops: float, unique: float) -> tuple[float, float]:
        """Return (params, data seen) of the lowest loss for 6 N D = flops when only `unique` data exists."""
        free = self.surface.best_split(flops)
        if free[1] <= unique:
            return free
        # between the largest size that the unique data can use and the size that sees it exactly once
        largest_used, one_pass = self.surface.best_params_for(unique), flops / (6.0 * unique)
        params = _minimum(lambda n: self.loss(n, flops / (6.0 * n), unique), largest_used, one_pass)
        return params, flops / (6.0 * params)


def serve_and_train(surface: Surface, target: float, served: float) -> tuple[float, float]:
    """Return (params, data) that reach a target loss with the fewest FLOP of training and serving together.

    Minimizes 6 N D + 2 N served with loss(N, D) = target (Sardana et al. 2023, section 2, arXiv:2401.00448).
    Both infinite where the target is not above E.
    """
    if served < 0:
        raise PlannerError(f"{served:g} tokens served: wanted at least 0")
    best, data = surface.least_flops(target)
    if math.isinf(best) or served == 0:
        return best, data
    smallest = (surface.A / (target - surface.E)) ** (
        1.0 / surface.alpha
    )  # reaches the target with endless data

    def total(params: float) -> float:
        return 6.0 * params * surface.data_for(params, target) + 2.0 * params * served

    params = _minimum(total, smallest, best)
    return params, surface.data_for(params, target)


def _minimum(f: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function with one valley is smallest, by golden section on a log axis."""
    a, b = math.log(low), math.log(high)
    golden = (math.sqrt(5.0) - 1.0) / 2.0
    while b - a > 1e-9:
        left, right = b - golden * (b - a), a + golden * (b - a)
        if f(math.exp(left)) <= f(math.exp(right)):
            b = right
        else:
            a = left
    return math.exp((a + b) / 2.0)
