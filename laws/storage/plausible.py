"""Refuse laws whose numbers cannot be those of a measurement: a right hash does not make a number usable.

The bounds are far beyond anything that was ever measured, and far within what floating point can represent,
so that products and ratios of such numbers stay finite.
"""

import math
from collections.abc import Collection

from laws.errors import InputError
from laws.types import Law, SizeCost

MIN_SCALE, MAX_SCALE = 1e-30, 1e60  # data sizes, parameters, FLOP of one unit of data
MAX_LOG_SCALE = 200.0  # of the grid: paths go on for nine decades beyond the largest measured size
MAX_LOG_VALUE = 345.0  # of a path: products of two values stay finite
MAX_SAMPLE = 1e100  # of a parameter
MAX_POINTS = 10**9


def check_law(law: Law) -> None:
    """Check that every number of a law is in the range of possible measurements.

    Args:
        law: A law whose shapes were checked.

    Raises:
        InputError: The message names the first number that is out of range.
    """
    name = f"law {law.id}"
    low, high = law.x_range
    _within((low, high), MIN_SCALE, MAX_SCALE, f"measured range of {name}")
    _within((law.n_points,), 0, MAX_POINTS, f"number of points of {name}")
    _within(law.grid, -MAX_LOG_SCALE, MAX_LOG_SCALE, f"grid of {name}")
    if law.grid and not (law.grid[0] <= math.log(high) + 1e-6 and law.grid[-1] >= math.log(low) - 1e-6):
        raise _refusal(
            f"grid of {name}: expected one that covers the measured range {low:g} to {high:g}", law.grid[0]
        )
    for path in law.paths:
        _within(path, -MAX_LOG_VALUE, MAX_LOG_VALUE, f"paths of {name}")
    for parameter, samples in law.parameters.items():
        _within(samples, -MAX_SAMPLE, MAX_SAMPLE, f"parameter {parameter!r:.40} of {name}")
    for column, values in law.points.items():
        _within(values, -MAX_SCALE, MAX_SCALE, f"points {column!r:.40} of {name}")
    for column, values in law.phases.items():
        _within(values, 0.0, MAX_SCALE if column == "x" else 1.0 + 1e-6, f"phases {column!r:.40} of {name}")
    _within(law.forms.values(), 0.0, 1.0 + 1e-6, f"weights of the forms of {name}")
    for cost in law.ladder:
        _check_cost(cost, f"cost of a size of {name}")


def _check_cost(cost: SizeCost, what: str) -> None:
    _within((cost.size, cost.params, cost.flops), MIN_SCALE, MAX_SCALE, what)
    if cost.memory is not None:
        _within((cost.memory,), 0.0, MAX_SCALE, what)


def _within(values: Collection[float], low: float, high: float, what: str) -> None:
    least, most = min(values, default=low), max(values, default=high)
    for value in (least, most):
        if not low <= value <= high:
            raise _refusal(f"{what}: expected {low:g} to {high:g}, got {value:g}", value)


def _refusal(message: str, value: float) -> InputError:
    return InputError(message, code="implausible-value", value=value)
