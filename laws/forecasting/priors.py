"""What is held possible of a curve before it is seen: a mixture of priors, called beliefs.

A belief is normal in the eight parameters of `laws/forecasting/drift.py`: a curve that saturates, one without a floor,
one that keeps to its law, ... Some are of the odds of an error (`laws/forecasting/odds.py`), which are there only where
the error of best guessing is known. `laws/forecasting/prior.json` states them, `docs/research/forecasting.md` explains them.
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
# where a curve comes from: a sweep of this program, from shards so small that little is learned, or elsewhere
Origin = Literal["elsewhere", "sweep"]


@dataclass(frozen=True, eq=False)
class Prior:
    """K beliefs about the parameters: normal with mean and sd (K, 8), weights (K,), names of forms."""

    names: tuple[str, ...]
    forms: tuple[str, ...]
    mean: Array
    sd: Array
    weight: Array
    of_odds: NDArray[np.bool_]  # (K,): whether a belief is of the odds of y instead of y

    def part(self, some: NDArray[np.bool_]) -> "Prior":
        """Return some of the beliefs, their weights summing to one."""
        weight = self.weight[some]
        return Prior(
            names=tuple(np.array(self.names)[some].tolist()),
            forms=tuple(np.array(self.forms)[some].tolist()),
            mean=self.mean[some],
            sd=self.sd[some],
            weight=weight / weight.sum(),
            of_odds=self.of_odds[some],
        )

    def log_parts(self, draws: Array) -> Array:
        """Return the log density (K, W) of each belief."""
        away = (draws[None] - self.mean[:, None]) / self.sd[:, None]
        constant = np.log(self.sd).sum(1) + 0.5 * self.mean.shape[1] * np.log(2 * np.pi)
        return np.asarray(-0.5 * (away**2).sum(2) - constant[:, None])

    def log_density(self, draws: Array, weight: Array) -> Array:
        """Return the log density (W,) of the beliefs mixed by weight (K,)."""
        with np.errstate(divide="ignore"):
            return log_sum(np.log(weight)[:, None] + self.log_parts(draws))


@cache
def bundled_prior(origin: Origin = "elsewhere") -> Prior:
    """Return the prior that ships with the tool, with the weights for curves of an origin."""
    text = (Path(__file__).parent / "prior.json").read_text(encoding="utf-8")
    beliefs = json.loads(text)["beliefs"]

    def column(key: str) -> Array:
        return np.array([[belief["parameters"][name][key] for name in PARAMETERS] for belief in beliefs])

    weight = np.array([belief["weight"][origin] for belief in beliefs])
    return Prior(
        names=tuple(belief["name"] for belief in beliefs),
        forms=tuple(belief["form"] for belief in beliefs),
        mean=column("mean"),
        sd=column("sd"),
        weight=weight / weight.sum(),
        of_odds=np.array([belief["odds"] for belief in beliefs]),
    )
