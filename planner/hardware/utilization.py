"""Utilization predicted from model size, device, precision and number of devices.

The model is fitted to the published trainings of `trainings.csv` by `docs/generators/utilization.py`;
`utilization.json` holds its coefficients with their covariance. The log-odds of the utilization in a step are
normal around a line. A sample takes the log-odds of a uniform number instead of a normal quantile, scaled so
that both have the same 90 % interval; its tails are heavier. The panel of a review repeats the arithmetic.
"""

import json
import math
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from planner.assumptions import Assumption

FEATURES = ("one", "size", "small", "doublings", "fp8", "fp32", "mixture")
DEVICES_PER_MACHINE = 8  # doublings of the devices count beyond one machine
TOKENS_PER_PARAMETER = 20.0  # of a model whose size is unknown (Hoffmann et al. 2022, arXiv:2203.15556)
_SAME_INTERVAL = 1.6449 / math.log(0.95 / 0.05)  # a normal 95 % quantile over a logistic one


def features(params: float, count: float, *, precision: str, mixture: bool) -> tuple[float, ...]:
    """Return the features of a training, in the order of `FEATURES`.

    Args:
        params: Parameters that a token uses.
        count: Number of devices.
        precision: Such as "bf16"; tf32 counts as fp32.
        mixture: Whether the model is a mixture of experts.

    Returns:
        A constant, decades of parameters above 10 billion and below 1 billion, doublings beyond one machine,
        and whether the training is at 8 bit, at 32 bit, a mixture.
    """
    size = math.log10(params / 1e10)
    return (
        1.0,
        size,
        min(size + 1.0, 0.0),
        max(math.log2(count / DEVICES_PER_MACHINE), 0.0),
        float(precision == "fp8"),
        float(precision in ("fp32", "tf32")),
        float(mixture),
    )


class UtilizationModel(NamedTuple):
    """The utilization on one kind of device, for any model size and number of devices.

    Attributes:
        mean: Coefficients of a constant, `size`, `small` and `doublings`.
        covariance: Their covariance, row by row.
        spread: Variance of a training around the line.
        small: Standard deviation that each decade below a billion parameters adds.
    """

    mean: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    spread: float
    small: float

    def at(self, params: float, count: float) -> tuple[float, float]:
        """Return center and scale of the log-odds of the utilization.

        Args:
            params: Parameters that a token uses.
            count: Number of devices.

        Returns:
            Center, and the factor of the log-odds of a uniform number.
        """
        size = math.log10(params / 1e10)
        x = (1.0, size, min(size + 1.0, 0.0), max(math.log2(count / DEVICES_PER_MACHINE), 0.0))
        center = sum(a * b for a, b in zip(self.mean, x, strict=True))
        variance = self.spread + (self.small * x[2]) ** 2
        for row, a in zip(self.covariance, x, strict=True):
            if a:
                variance += a * sum(c * b for c, b in zip(row, x, strict=True))
        return center, _SAME_INTERVAL * math.sqrt(variance)

    def quantile(self, share: float, params: float, count: float) -> float:
        """Return a quantile of the utilization.

        Args:
            share: Such as 0.05; a uniform number gives a sample.
            params: Parameters that a token uses.
            count: Number of devices.

        Returns:
            Model FLOP over peak FLOP in a step.
        """
        center, scale = self.at(params, count)
        return _logistic(center + scale * log_odds(share))


class UtilizationSample(NamedTuple):
    """One sample of a utilization model on a number of devices: a function of the model size."""

    model: UtilizationModel
    devices: int
    log_odds: float

    def at(self, params: float) -> float:
        """Return the utilization in a step.

        Args:
            params: Parameters that a token uses; an infinite size is a target that is never reached.

        Returns:
            Model FLOP over peak FLOP.
        """
        if math.isinf(params):
            return 1.0  # any finite speed: the FLOP are infinite
        center, scale = self.model.at(params, self.devices)
        return _logistic(center + scale * self.log_odds)


def log_odds(share: float) -> float:
    """Return log(share / (1 - share)), of a share that is kept off 0 and 1.

    Args:
        share: A number of [0, 1].

    Returns:
        The log-odds.
    """
    share = min(max(share, 1e-9), 1 - 1e-9)
    return math.log(share / (1.0 - share))


def _logistic(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-value))


def size_of(flops: float) -> float:
    """Return the parameters of a model of which only the FLOP are known: the compute-optimal ones.

    Args:
        flops: Training FLOP.

    Returns:
        Parameters, with 20 tokens per parameter.
    """
    return math.sqrt(max(flops, 1.0) / (6.0 * TOKENS_PER_PARAMETER))


@cache
def _fitted() -> dict[str, Any]:
    text = Path(__file__).with_name("utilization.json").read_text(encoding="utf-8")
    fitted: dict[str, Any] = json.loads(text)
    return fitted


@cache
def utilization_model(accelerator: str, precision: str, *, mixture: bool = False) -> UtilizationModel:
    """Return the model of the utilization on an accelerator.

    Args:
        accelerator: Its id; one without published trainings gets the average device and a wider spread.
        precision: Precision of the training.
        mixture: Whether the model is a mixture of experts.

    Returns:
        The model.
    """
    fitted = _fitted()
    names, mean, covariance, spreads = (fitted[key] for key in ("names", "mean", "covariance", "spreads"))
    row = dict(zip(names, range(len(names)), strict=True))
    family = fitted["families"].get(accelerator)
    constant = ["one", *([family] if family else []), *(["mixture"] if mixture else [])]
    if precision == "fp8":
        constant.append("fp8")
    elif precision in ("fp32", "tf32"):
        constant.append("fp32")
    groups = [[row[name] for name in constant], *([row[name]] for name in ("size", "small", "doublings"))]
    spread = spreads["report"] ** 2 + spreads["run"] ** 2
    spread += spreads["mixture"] ** 2 if mixture else 0.0
    spread += 0.0 if family else spreads["family"] ** 2
    return UtilizationModel(
        mean=tuple(sum(mean[i] for i in group) for group in groups),
        covariance=tuple(
            tuple(sum(covariance[i][j] for i in left for j in right) for right in groups) for left in groups
        ),
        spread=spread,
        small=spreads["small"],
    )


def predicted(
    base: Assumption, model: UtilizationModel, params: float, *, count: int, accelerator: str, precision: str
) -> Assumption:
    """Return the predicted utilization of one training as an assumption that can be read.

    Args:
        base: The default assumption.
        model: The model of the accelerator.
        params: Parameters that a token uses.
        count: Number of devices.
        accelerator: Id of the accelerator.
        precision: Precision of the training.

    Returns:
        The assumption, with the 90 % interval as its band.
    """
    low, high = (model.quantile(share, params, count) for share in (0.05, 0.95))
    return base._replace(
        bands=((low, high),),
        text=f"model FLOP over peak FLOP in a step: 90% interval for {params:.2g} parameters on {count} "
        f"{accelerator} at {precision}",
    )
