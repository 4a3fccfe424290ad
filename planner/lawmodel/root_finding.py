"""One root of a monotone function, in pure Python: what reads a plan backwards."""

import math
from collections.abc import Callable


def root(f: Callable[[float], float], low: float, high: float, *, tolerance: float = 1e-11) -> float:
    """Return where an increasing f crosses zero between low and high; the nearer end where it does not.

    The Illinois variant of regula falsi (Dowell and Jarratt 1971): exact in one step where f is a straight
    line, and never slower than bisection in kind. `tolerance` is absolute, in the unit of the argument.

    Args:
        f: An increasing function.
        low: Lower end of the interval.
        high: Upper end of the interval.
        tolerance: Largest distance from the root, in the unit of the argument.

    Returns:
        The argument at the root, or the nearer end.
    """
    at_low, at_high = f(low), f(high)
    if at_low >= 0:
        return low
    if at_high <= 0:
        return high
    side, halve = 0, False
    for _ in range(400):
        middle = high - at_high * (high - low) / (at_high - at_low)
        if halve or not low < middle < high:  # an end is infinite, or the step is below rounding
            middle = (low + high) / 2
        value = f(middle)
        if value == 0 or high - low < tolerance:
            return middle
        if value > 0:
            step, high, at_high = high - middle, middle, value
            at_low, side = (at_low / 2, 1) if side == 1 else (at_low, 1)
        else:
            step, low, at_low = middle - low, middle, value
            at_high, side = (at_high / 2, -1) if side == -1 else (at_high, -1)
        # a short step is the end only if the root is that near: where f is flat, steps are short far from it
        near = step < tolerance
        if near and f(middle - math.copysign(tolerance, value)) * value <= 0:
            return middle
        halve = near
    return (low + high) / 2
