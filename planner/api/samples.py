"""Posterior samples of one quantity, with the questions people ask of them."""

import math
from typing import Any

from laws import paths
from laws.errors import InputError


class Samples:
    """Joint posterior samples of one quantity: sample i of every quantity of a plan belongs together.

    A sample is infinite where the target is never reached. There are none where the quantity is not known.
    """

    def __init__(self, values: tuple[float, ...], unit: str, *, label: str = "") -> None:
        """Hold samples in base units."""
        self._values = values
        self.unit = unit
        self.label = label

    @property
    def samples(self) -> Any:
        """Return the samples as a numpy array of shape (samples,)."""
        import numpy as np

        return np.array(self._values)

    @property
    def median(self) -> float:
        """Return the median; NaN where the quantity is not known, infinite where most samples are."""
        return paths.quantile(self._values, 0.5) if self._values else math.nan

    def interval(self, probability: float = 0.9) -> tuple[float, float]:
        """Return a central interval.

        Args:
            probability: How probable it is that the value lies inside, between 0 and 1.

        Returns:
            Both ends, in `unit`; NaN where the quantity is not known.

        Raises:
            InputError: The probability is not between 0 and 1.

        Example:
            >>> Samples((1.0, 2.0, 3.0), "hours").interval(0.5)
            (1.0, 3.0)
        """
        if not 0 < probability < 1:
            raise InputError(
                f"probability {probability} was given: expected a number between 0 and 1",
                code="bad-probability",
                value=probability,
            )
        if not self._values:
            return math.nan, math.nan
        tail = (1 - probability) / 2
        return paths.quantile(self._values, tail), paths.quantile(self._values, 1 - tail)

    def __len__(self) -> int:
        """Return the number of samples; 0 where the quantity is not known."""
        return len(self._values)

    def __repr__(self) -> str:
        """Return median, interval and unit."""
        name = f"{self.label}: " if self.label else ""
        if not self._values:
            return f"<{name}not known>"
        low, high = self.interval()
        return f"<{name}{self.median:.4g} {self.unit}, 90% interval {low:.4g} to {high:.4g}>"
