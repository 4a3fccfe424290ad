"""Mixture prior over learning-curve shapes.

Each component is a normal distribution of the eight parameters of `laws/forecasting/drift.py`: a curve that
saturates, one without a floor, one that keeps to its law, ... Some components describe the odds of an error
(`laws/forecasting/odds.py`); they can be used only where the baseline error is known.
`laws/forecasting/prior.json` states the components, docs/research/forecasting.md explains them.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from laws.fitting.importance import log_sum
from laws.forecasting.drift import PARAMETERS

Array = NDArray[np.float64]
# where a curve comes from: a sweep of this program, whose smallest shards teach a model little, or elsewhere
Origin = Literal["elsewhere", "sweep"]


@dataclass(frozen=True, eq=False)
class Prior:
    """A mixture of K normal distributions of the eight parameters.

    Attributes:
        names: Names of the components.
        forms: The form of law that each belongs to; several components may share one.
        mean: Means (K, 8), in the order of PARAMETERS.
        sd: Standard deviations (K, 8).
        weight: Weights (K,), summing to 1.
        is_odds: Whether a component describes the odds of y instead of y (K,).
    """

    names: tuple[str, ...]
    forms: tuple[str, ...]
    mean: Array
    sd: Array
    weight: Array
    is_odds: NDArray[np.bool_]

    def subset(self, mask: NDArray[np.bool_]) -> "Prior":
        """Return some of the components, their weights scaled to sum to 1.

        Args:
            mask: Which components to keep (K,).

        Returns:
            The prior of those components.
        """
        weight = self.weight[mask]
        return Prior(
            names=tuple(np.array(self.names)[mask].tolist()),
            forms=tuple(np.array(self.forms)[mask].tolist()),
            mean=self.mean[mask],
            sd=self.sd[mask],
            weight=weight / weight.sum(),
            is_odds=self.is_odds[mask],
        )

    def log_components(self, draws: Array) -> Array:
        """Return the log density of each component, without its weight.

        Args:
            draws: Parameters (W, 8).

        Returns:
            Log densities (K, W).
        """
        away = (draws[None] - self.mean[:, None]) / self.sd[:, None]
        constant = np.log(self.sd).sum(1) + 0.5 * self.mean.shape[1] * np.log(2 * np.pi)
        return np.asarray(-0.5 * (away**2).sum(2) - constant[:, None])

    def log_density(self, draws: Array, weight: Array) -> Array:
        """Return the log density of a mixture of the components.

        Args:
            draws: Parameters (W, 8).
            weight: Weights (K,) in place of the prior's own.

        Returns:
            Log densities (W,).
        """
        with np.errstate(divide="ignore"):
            return log_sum(np.log(weight)[:, None] + self.log_components(draws))


@cache
def bundled_prior(origin: Origin = "elsewhere") -> Prior:
    """Return the prior that comes with the package.

    Args:
        origin: Where the curve comes from; the weights of the components depend on it.

    Returns:
        The prior.
    """
    text = (Path(__file__).parent / "prior.json").read_text(encoding="utf-8")
    components = json.loads(text)["components"]

    def column(key: str) -> Array:
        return np.array([[stated["parameters"][name][key] for name in PARAMETERS] for stated in components])

    weight = np.array([stated["weight"][origin] for stated in components])
    return Prior(
        names=tuple(stated["name"] for stated in components),
        forms=tuple(stated["form"] for stated in components),
        mean=column("mean"),
        sd=column("sd"),
        weight=weight / weight.sum(),
        is_odds=np.array([stated["odds"] for stated in components]),
    )
