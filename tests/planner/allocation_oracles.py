"""Closed forms and searches over a loss surface that the planner's scaling paths are compared with."""

import math
from collections.abc import Callable

from planner.lawmodel.surface import Repeated, Surface


def data_for(surface: Surface, params: float, target: float) -> float:
    """Return the data that brings a model of a size to a target loss, infinite if none does."""
    left = target - surface.E - surface.A / params**surface.alpha
    return float((surface.B / left) ** (1.0 / surface.beta)) if left > 0 else math.inf


def best_split(surface: Surface, flops: float) -> tuple[float, float]:
    """Return (params, data) of the lowest loss for 6 N D = flops (Hoffmann et al. 2022, equation 4)."""
    g = (surface.alpha * surface.A / (surface.beta * surface.B)) ** (1.0 / (surface.alpha + surface.beta))
    params = g * (flops / 6.0) ** (surface.beta / (surface.alpha + surface.beta))
    return params, flops / (6.0 * params)


def best_repeated_split(repeated: Repeated, flops: float, unique: float) -> tuple[float, float]:
    """Return (params, data seen) of the lowest loss for 6 N D = flops when only `unique` data exists."""
    free = best_split(repeated.surface, flops)
    if free[1] <= unique:
        return free
    # between the largest size that the unique data can use and the size that sees it exactly once
    largest_used, one_epoch = repeated.surface.best_params_for(unique), flops / (6.0 * unique)
    params = minimum(lambda n: repeated.loss(n, flops / (6.0 * n), unique), largest_used, one_epoch)
    return params, flops / (6.0 * params)


def serve_and_train(surface: Surface, target: float, inference: float) -> tuple[float, float]:
    """Return (params, data) that reach a target loss with the fewest FLOP of training and inference together.

    Minimizes 6 N D + 2 N T with loss(N, D) = target (Sardana et al. 2023, section 2, arXiv:2401.00448). Both
    infinite where the target is not above E.
    """
    best, data = surface.least_flops(target)
    if math.isinf(best) or inference == 0:
        return best, data
    smallest = (surface.A / (target - surface.E)) ** (1.0 / surface.alpha)  # with endless data

    def total(params: float) -> float:
        return 6.0 * params * data_for(surface, params, target) + 2.0 * params * inference

    params = minimum(total, smallest, best)
    return params, data_for(surface, params, target)


def minimum(f: Callable[[float], float], low: float, high: float) -> float:
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
