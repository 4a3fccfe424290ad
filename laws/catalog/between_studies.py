"""How far published studies of one question are from one another: the interval of an answer by one of them.

`between_studies.json` is written by `python -m docs.generators.between_studies`, which states the model.
"""

import functools
import json
import math
from importlib import resources
from typing import NamedTuple

# two-sided 90 % quantiles of Student's t by degrees of freedom
_T90 = {1: 6.314, 2: 2.920, 3: 2.353, 4: 2.132, 5: 2.015, 6: 1.943, 7: 1.895, 8: 1.860, 9: 1.833, 10: 1.812}
_KINDS = {"params": "allocation", "data": "allocation", "batch": "setting", "learning-rate": "setting"}
_KINDS |= {"flops-per-token": "allocation", "vocabulary-params": "allocation", "steps": "setting"}


class Spread(NamedTuple):
    """How far one more study of a question may be from a given one."""

    kind: str  # "error", "allocation" or "setting"
    level: float  # standard deviation of the log of the ratio of two studies at one scale
    ratio: float  # standard deviation of the relative difference of their exponents
    freedom: float  # degrees of freedom of the Student t
    studies: tuple[str, ...]

    def interval(self, value: float, center: float | None) -> tuple[float, float]:
        """Return the 90 % interval of another study's value, wider with the distance from the range.

        Args:
            value: What the law says.
            center: What it says in the middle of the range that it measured; None where that is not known.

        Returns:
            Lower and upper end.
        """
        distance = 0.0 if center is None else math.log(value / center)
        half = self.quantile * math.hypot(self.level, self.ratio * distance)
        return value * math.exp(-half), value * math.exp(half)

    def ratio_interval(self, ratio: float) -> tuple[float, float]:
        """Return the interval of a ratio that an exponent gives.

        Args:
            ratio: New value over old value.

        Returns:
            Lower and upper end; a study whose value does not change at all is the limit.
        """
        share = min(self.quantile * self.ratio, 1.0)
        ends = ratio ** (1 - share), ratio ** (1 + share)
        return min(ends), max(ends)

    @property
    def quantile(self) -> float:
        """Return the two-sided 90 % quantile of the Student t."""
        return _T90[min(max(int(self.freedom), 1), 10)]


@functools.cache
def _rows() -> dict[str, Spread]:
    content = json.loads(
        resources.files("laws.catalog").joinpath("between_studies.json").read_text(encoding="utf-8")
    )
    return {name: Spread(**row | {"studies": tuple(row["studies"])}) for name, row in content.items()}


def between_studies(domain: str, metric: str) -> Spread | None:
    """Return how far studies of a question are from one another.

    Args:
        domain: The domain.
        metric: What the law predicts.

    Returns:
        The spread of the studies of the question; without two of them that of all questions of its kind. None
        for counts, such as FLOP per step, which studies do not differ about.
    """
    rows = _rows()
    if (name := f"{domain}/{metric}") in rows:
        return rows[name]
    errors = metric == "loss" or metric.endswith(("error", "er"))
    kind = "error" if errors else _KINDS.get(metric)
    return None if kind is None else rows[kind]
