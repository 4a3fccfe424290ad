"""Measured points, checked once: every odd input has its decided answer here, and nowhere else.

| input | answer |
| --- | --- |
| NaN or infinite value, x at or below 0, y below 0 | refused, naming the row and the value |
| y exactly 0 | left out, warning `zero-left-out`: a log has no place for it, and no data set is that good |
| fewer than two points, or all x equal | refused: there is no slope in them; a forecast takes one (`min_sizes`) |
| x in any order, several y at one x | taken: order says nothing, repeats are rows of their own |
| a rate above 1 | kept, warning `rate-above-one` (word error rates reach it); above 2 refused |

Whether y falls with x is not judged here: `laws/fitting/fit.py` knows what the form expects.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from laws.codes import WarningCode
from laws.errors import PlannerError

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Points:
    """Measurements that a form can be fitted to, in base units; build them with `check_points`.

    Shapes: x (n,) ascending, or (n, 2) with columns (params, data) for a surface; y, y_se, weight (n,).
    """

    x: Array
    y: Array
    y_se: Array | None = None  # known standard error of y, in the unit of y
    weight: Array | None = None  # a point of weight 4 counts like 4 repeats: its noise is half as wide
    baseline_error: float | None = None  # error of the best constant answer (chance level), where it is known
    warnings: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.y)

    @property
    def distinct(self) -> int:
        """Return the number of distinct x (of distinct rows on a surface)."""
        return len(np.unique(self.x, axis=0))

    def part(self, rows: Any) -> "Points":
        """Return the points at a boolean mask or slice of rows, unchecked."""
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
    """Return the measurements as `Points`, ascending in x, or raise PlannerError with one line.

    x (n,) or (n, 2) as (params, data); y (n,) the error or loss (or, for model sizes, the parameters);
    `rate` says that y is a fraction of errors, `min_sizes` how many different x there must be. The module's table
    lists what happens to odd input.
    """
    xs, ys = _numbers(x, "x"), _numbers(y, "y")
    if xs.ndim not in {1, 2} or (xs.ndim == 2 and xs.shape[1] != 2) or ys.ndim != 1 or len(xs) != len(ys):
        raise PlannerError(
            f"x has shape {xs.shape} and y {ys.shape}: each y needs one x, or one pair (params, data)"
        )
    if len(ys) == 0:
        raise PlannerError(
            "there are no points: at least 2 at different sizes are needed, 5 or more for a floor"
        )
    _require(xs, lambda v: (v > 0) & np.isfinite(v), "x", "a finite number above 0")
    _require(ys, lambda v: (v >= 0) & np.isfinite(v), "y", "a finite number, 0 or above")
    if rate:
        _require(ys, lambda v: v <= 2, "y", "a fraction (35 % is 0.35): divide percentages by 100")
    ses = _column(y_se, "y_se", len(ys), lambda v: (v >= 0) & np.isfinite(v), "a finite number, 0 or above")
    weights = _column(
        weight, "weight", len(ys), lambda v: (v > 0) & np.isfinite(v), "a finite number above 0"
    )
    if baseline_error is not None and not (np.isfinite(baseline_error) and baseline_error > 0):
        raise PlannerError(
            f"the baseline error is {baseline_error}: the error of best guessing is a finite number above 0"
        )

    order = np.lexsort((xs,)) if xs.ndim == 1 else np.lexsort((xs[:, 1], xs[:, 0]))
    points = Points(x=xs, y=ys, y_se=ses, weight=weights, baseline_error=baseline_error).part(order)
    warnings: list[str] = []
    if np.any(points.y == 0):
        points = points.part(points.y > 0)
        warnings.append(WarningCode.ZERO_LEFT_OUT)
    if rate and np.any(points.y > 1):
        warnings.append(WarningCode.RATE_ABOVE_ONE)
    columns = [points.x] if points.x.ndim == 1 else [points.x[:, 0], points.x[:, 1]]
    for column, name in zip(columns, ["x"] if points.x.ndim == 1 else ["params", "data"], strict=True):
        if len(np.unique(column)) < min_sizes:
            raise PlannerError(
                f"{len(column)} usable point(s), all at one {name}{_where(column)}: "
                "measure at 2 or more different sizes, better at 5 in steps of 2x"
            )
    return replace(points, warnings=tuple(dict.fromkeys(warnings)))


def _numbers(values: ArrayLike, name: str) -> Array:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise PlannerError(f"{name} holds something that is not a number: {error}") from None


def _require(values: Array, good: Any, name: str, wanted: str) -> None:
    bad = ~good(values)
    if np.any(bad):
        row = int(np.argwhere(bad)[0][0])
        raise PlannerError(f"row {row + 1}: {name} is {values[bad][0]:g}, wanted {wanted}")


def _column(values: ArrayLike | None, name: str, n: int, good: Any, wanted: str) -> Array | None:
    if values is None:
        return None
    column = _numbers(values, name)
    if column.shape != (n,):
        raise PlannerError(f"{name} has shape {column.shape}: one value for each of the {n} points is needed")
    _require(column, good, name, wanted)
    return column


def _where(column: Sequence[float] | Array) -> str:
    return f" = {column[0]:g}" if len(column) else ""
