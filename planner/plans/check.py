"""Does a training lie on its curve? A law used as a test of runs (Hestness et al. 2017, section 5).

A run that errs more than the law allows has too small a model, was not trained to its best, or its data is
not what the law was measured on. Which of them is judged by what the law's companions say of the best models.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from laws import paths
from laws.codes import WarningCode
from laws.errors import PlannerError
from laws.types import Law
from planner.lawmodel.select import SelectedLaw, select_law
from planner.lawmodel.selector import LawSelector
from planner.sources.run_table import Measurements, read_measurements

DOUBTFUL, OFF = 0.1, 0.01  # probabilities below which a run is doubted, and called off its curve
UNKNOWN = 0.5  # probability of a cause of which nothing is known
# a model that errs on its training data nearly as it does elsewhere has not fitted it; one that errs half as
# much has
UNFITTED, FITTED = 0.9, 0.5
CONTRADICTED = 0.1  # what is left of a cause that the training error speaks against


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One run held against the law."""

    data: float
    value: float
    expected: tuple[float, float, float]  # 5 %, 50 % and 95 % of the next measurement at this data size
    surprise: float  # probability of a measurement at least as far out, on either side
    causes: Mapping[str, float]  # "capacity", "optimization", "data" -> share; none for a run on its curve
    unknown: tuple[str, ...]  # columns that would tell the causes apart
    beyond: float  # times the largest measured data

    @property
    def factor(self) -> float:
        """Return the measured error over the expected one."""
        return self.value / self.expected[1]

    @property
    def verdict(self) -> str:
        """Return what the surprise comes to."""
        return "on its curve" if self.surprise >= DOUBTFUL else "doubtful" if self.surprise >= OFF else "off"

    @property
    def likely(self) -> str | None:
        """Return the cause that is more likely than the others together, None where none is."""
        return next((name for name, share in self.causes.items() if share > 0.5), None)


@dataclass(frozen=True, kw_only=True)
class Check:
    """The runs of one file, each held against one law."""

    law: Law
    runs: tuple[Checked, ...]
    warnings: tuple[str, ...]
    left_out: str  # which rows have no metric, in a sentence; empty where all have


def check(path: Path, choice: LawSelector, folder: Path, columns: Mapping[str, str | None]) -> Check:
    """Return every run of a file held against the law in the store at `folder` that answers for it.

    Raises PlannerError where no sampled law of one quantity answers, or the file cannot be read.
    """
    chosen = select_law(choice, folder, sampled=True)
    law = chosen.law
    if not isinstance(law, Law) or not law.paths or "scale" not in law.parameters:
        raise PlannerError(
            f"law {law.id} has no sampled curve with noise, so nothing says how far a run may lie from it: "
            "measure one with `planner calibrate`, or fit one with `planner fit`"
        )
    try:
        measured = read_measurements(
            path, metric=law.metric, metric_unit=law.metric_unit, data_unit=law.x_unit, columns=columns
        )
    except PlannerError as error:
        if WarningCode.DOMAIN_CHOSEN not in chosen.warnings:
            raise
        raise PlannerError(
            f"{error}; law {law.id} of {law.domain} was asked: --domain names another"
        ) from None
    runs = tuple(_checked(chosen, law, measured, i) for i in range(len(measured)))
    far = [WarningCode.EXTRAPOLATED_FAR] if any(run.beyond > 100 for run in runs) else []
    return Check(
        law=law,
        runs=runs,
        warnings=tuple(dict.fromkeys([*law.warnings, *far])),
        left_out=measured.left_out,
    )


def _checked(chosen: SelectedLaw, law: Law, measured: Measurements, i: int) -> Checked:
    data, value = measured.data[i], measured.metric[i]
    if value == 0:
        raise PlannerError(
            f"{measured.cell_name(i, 'metric')} is 0: wanted more than 0, which no law of this kind reaches"
        )
    expected, surprise = _predicted(law, data, value)
    causes: dict[str, float] = {}
    unknown: tuple[str, ...] = ()
    if surprise < DOUBTFUL:
        causes, unknown = _causes(chosen, measured, i, above=value > expected[1])
    return Checked(
        data=data,
        value=value,
        expected=expected,
        surprise=surprise,
        causes=causes,
        unknown=unknown,
        beyond=data / law.x_range[1],
    )


def _predicted(law: Law, data: float, value: float) -> tuple[tuple[float, float, float], float]:
    """Return quantiles of the next measurement at `data`, and how surprising `value` is."""
    import numpy as np
    from scipy.special import stdtr, stdtrit

    from laws.fitting.noise import MIN_NOISE, noise_of_law

    middle = np.array([paths.value_at(law.grid, path, math.log(data)) for path in law.paths])
    scale, degrees = noise_of_law(law.parameters)
    rows = np.linspace(0, len(scale) - 1, len(middle)).round().astype(int)
    scale, degrees = np.hypot(scale[rows], MIN_NOISE), degrees[rows]
    below = float(stdtr(degrees, (math.log(value) - middle) / scale).mean())
    # 99 evenly spaced places of the noise for each path stand for its distribution
    places = np.linspace(0.01, 0.99, 99)
    seen = (middle[:, None] + scale[:, None] * stdtrit(degrees[:, None], places)).ravel()
    low, median, high = np.exp(np.quantile(seen, (0.05, 0.5, 0.95))).tolist()
    return (low, median, high), min(1.0, 2 * min(below, 1 - below))


def _causes(
    chosen: SelectedLaw, measured: Measurements, i: int, *, above: bool
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return the share of each cause, and the columns whose lack leaves it open.

    A run below its curve was judged on other data than the law was, whatever its model.
    """
    if not above:
        return {"capacity": 0.0, "optimization": 0.0, "data": 1.0}, ()
    data = measured.data[i]
    small = _less(chosen.size, data, measured.params, i)
    short = _less(chosen.samples, data, measured.samples, i)
    known = {"params": small, "samples": short}
    unknown = [name for name, share in known.items() if share is None]
    capacity = UNKNOWN if small is None else small
    optimization = (1 - capacity) * (UNKNOWN if short is None else short)
    shares = {"capacity": capacity, "optimization": optimization, "data": 1 - capacity - optimization}
    if measured.train is None:
        unknown.append(f"train_{chosen.law.metric}")
    else:
        shares = _heard(shares, measured.train[i] / measured.metric[i])
    return shares, tuple(unknown)


def _heard(shares: Mapping[str, float], train: float) -> dict[str, float]:
    """Return the shares after the training error, as a share of the validation error, was heard."""
    capacity, optimization, data = shares["capacity"], shares["optimization"], shares["data"]
    if train <= FITTED:
        capacity, optimization = CONTRADICTED * capacity, CONTRADICTED * optimization
        data = 1 - capacity - optimization
    elif train >= UNFITTED:
        lack = capacity + optimization
        part = capacity / lack if lack else 0.5
        data *= CONTRADICTED
        capacity, optimization = (1 - data) * part, (1 - data) * (1 - part)
    return {"capacity": capacity, "optimization": optimization, "data": data}


def _less(law: Law | None, data: float, column: Sequence[float] | None, i: int) -> float | None:
    """Return the probability that the best models have more than the run had; None where nobody knows."""
    if law is None or column is None or not law.paths:
        return None
    wanted = [paths.value_at(law.grid, path, math.log(data)) for path in law.paths]
    return sum(value > math.log(column[i]) for value in wanted) / len(wanted) if column[i] > 0 else 1.0
