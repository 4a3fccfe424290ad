"""Measured points, checked in one place: all input validation and edge cases are handled here.

| input | what happens |
| --- | --- |
| NaN or infinite value, x at or below 0, y below 0 | refused; the message names the row and the value |
| x or y below 1e-100 or above 1e100 | refused: outside the range of floating-point exponentials |
| y exactly 0 | left out, warning `zero-left-out`: it has no logarithm |
| a standard error above 100 times its y | refused: it carries no information |
| fewer than two points, or all x equal | refused: no slope; a forecast accepts one size (`min_sizes`) |
| x in any order, several y at one x | accepted: order does not matter, repeats are rows of their own |
| a rate above 1 | kept, warning `rate-above-one` (word error rates exceed 1); above 2 refused |

Whether y falls with x is not judged here: `laws/fitting/fit.py` knows what the form expects.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from laws.codes import WarningCode
from laws.errors import InputError

Array = NDArray[np.float64]

MIN_MAGNITUDE, MAX_MAGNITUDE = 1e-100, 1e100  # of x and y
MAX_RATE = 2.0  # word error rates exceed 1; above 2 it is a percentage
MAX_RELATIVE_SE = 100.0  # standard error over y


@dataclass(frozen=True, eq=False)
class Points:
    """Measurements that a form can be fitted to, in base units; build them with `check_points`.

    Attributes:
        x: Data sizes (n,), ascending; for a joint law (n, 2) with columns (params, data).
        y: Errors or losses (n,); for a law of model sizes, parameters.
        y_se: Known standard errors of y (n,), in its unit.
        weight: Weights (n,): a point of weight 4 counts like 4 repeats, so its noise is half as wide.
        baseline_error: Error of the best constant answer (chance level), where it is known.
        warnings: Codes of what was done to the input.
    """

    x: Array
    y: Array
    y_se: Array | None = None
    weight: Array | None = None
    baseline_error: float | None = None
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.y)

    @property
    def distinct(self) -> int:
        """Return the number of distinct x (of distinct pairs for a joint law)."""
        return len(np.unique(self.x, axis=0))

    def part(self, rows: Any) -> "Points":
        """Return a selection of the points, unchecked.

        Args:
            rows: A boolean mask (n,), a slice or indices.

        Returns:
            These points, with the same baseline error and warnings.
        """
        y_se = None if self.y_se is None else self.y_se[rows]
        weight = None if self.weight is None else self.weight[rows]
        return replace(self, x=self.x[rows], y=self.y[rows], y_se=y_se, weight=weight)


def check_points(
    x: ArrayLike,
    y: ArrayLike,
    *,
    y_se: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    baseline_error: float | None = None,
    rate: bool = False,
    min_sizes: int = 2,
) -> Points:
    """Check measurements and return them as `Points`, ascending in x.

    Args:
        x: Data sizes (n,), or (n, 2) as (params, data) for a joint law.
        y: Errors or losses (n,); for a law of model sizes, parameters.
        y_se: Standard errors of y (n,).
        weight: Weights (n,), above 0.
        baseline_error: Error of the best constant answer (chance level).
        rate: Whether y is a fraction of errors.
        min_sizes: How many different x there must be.

    Returns:
        The points. The table at the head of this module lists what happens to unusual input.

    Raises:
        InputError: For input that cannot be fitted. Codes: "not-a-number", "shapes-differ", "no-points",
            "bad-value", "bad-standard-error", "bad-weight", "bad-baseline-error", "one-size".
    """
    xs, ys = _numbers(x, "x"), _numbers(y, "y")
    if xs.ndim not in {1, 2} or (xs.ndim == 2 and xs.shape[1] != 2) or ys.ndim != 1 or len(xs) != len(ys):
        raise InputError(
            f"x and y: expected one x, or one pair (params, data), per y, got shapes {xs.shape} and "
            f"{ys.shape}",
            code="shapes-differ",
        )
    if len(ys) == 0:
        raise InputError(
            "points: expected at least 2 at different sizes, 5 or more for a floor, got none",
            code="no-points",
        )
    limits = f"between {MIN_MAGNITUDE:g} and {MAX_MAGNITUDE:g}"
    _require(xs, lambda v: (v > 0) & np.isfinite(v), "x", "a finite number above 0")
    _require(xs, lambda v: (v >= MIN_MAGNITUDE) & (v <= MAX_MAGNITUDE), "x", f"a number {limits}")
    _require(ys, lambda v: (v >= 0) & np.isfinite(v), "y", "a finite number, 0 or above")
    _require(
        ys, lambda v: (v == 0) | ((v >= MIN_MAGNITUDE) & (v <= MAX_MAGNITUDE)), "y", f"0 or a number {limits}"
    )
    if rate:
        _require(ys, lambda v: v <= MAX_RATE, "y", "a fraction (35 % is 0.35; divide percentages by 100)")
    ses = _column(y_se, "y_se", len(ys), lambda v: (v >= 0) & np.isfinite(v), "a finite number, 0 or above")
    if ses is not None:
        small = (ys == 0) | (ses <= MAX_RELATIVE_SE * ys)
        _require(ses, lambda _: small, "y_se", f"at most {MAX_RELATIVE_SE:g} times y")
    weights = _column(
        weight, "weight", len(ys), lambda v: (v > 0) & np.isfinite(v), "a finite number above 0"
    )
    if baseline_error is not None and not (np.isfinite(baseline_error) and baseline_error > 0):
        raise InputError(
            f"baseline error: expected a finite number above 0, got {baseline_error}",
            code="bad-baseline-error",
            value=baseline_error,
        )

    order = np.lexsort((xs,)) if xs.ndim == 1 else np.lexsort((xs[:, 1], xs[:, 0]))
    points = Points(x=xs, y=ys, y_se=ses, weight=weights, baseline_error=baseline_error).part(order)
    warnings: list[str] = []
    if np.any(points.y == 0):
        points = points.part(points.y > 0)
        warnings.append(WarningCode.ZERO_LEFT_OUT)
    if rate and np.any(points.y > 1):
        warnings.append(WarningCode.RATE_ABOVE_ONE)
    columns = {"x": points.x} if points.x.ndim == 1 else {"params": points.x[:, 0], "data": points.x[:, 1]}
    for name, column in columns.items():
        _require_sizes(column, name, min_sizes)
    return replace(points, warnings=tuple(warnings))


CODES = {
    "y_se": "bad-standard-error",
    "weight": "bad-weight",
}  # of a bad value; of the other columns "bad-value"


def _numbers(values: ArrayLike, name: str) -> Array:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{name}: expected numbers, got something else: {error}", code="not-a-number"
        ) from None


def _require(values: Array, is_good: Callable[[Array], Any], name: str, expected: str) -> None:
    """Refuse the first bad value."""
    bad = ~is_good(values)
    if np.any(bad):
        row, value = int(np.argwhere(bad)[0][0]), float(values[bad][0])
        raise InputError(
            f"row {row + 1}, {name}: expected {expected}, got {value:g}",
            code=CODES.get(name, "bad-value"),
            value=value,
            expected=expected,
        )


def _require_sizes(column: Array, name: str, count: int) -> None:
    """Refuse fewer different sizes than `count`."""
    if len(np.unique(column)) < count:
        where = f" = {column[0]:g}" if len(column) else ""
        raise InputError(
            f"{name}: expected points at {count} or more different sizes, better at 5 in steps of 2x, got "
            f"{len(column)}, all at one {name}{where}",
            code="one-size",
        )


def _column(
    values: ArrayLike | None, name: str, n: int, is_good: Callable[[Array], Any], expected: str
) -> Array | None:
    """Return a column that may be missing, or refuse it."""
    if values is None:
        return None
    column = _numbers(values, name)
    if column.shape != (n,):
        raise InputError(
            f"{name}: expected one value for each of the {n} points, got shape {column.shape}",
            code="shapes-differ",
        )
    _require(column, is_good, name, expected)
    return column
