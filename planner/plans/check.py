"""Check whether training runs fall on the expected learning curve (Hestness et al. 2017, section 5).

A run with more error than the law predicts has too small a model, was not trained well enough, or has other
data than the law was measured on. The law's companions say what the best models have, and so which cause is
likely.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from laws import paths
from laws.codes import WarningCode
from laws.errors import InputError, PlannerError, use
from laws.types import Law
from planner.lawmodel.info import law_info
from planner.lawmodel.sampled_curve import sampled_curve
from planner.lawmodel.select import SelectedLaw, select_law
from planner.lawmodel.selector import LawSelector
from planner.sources.measurements import Measurements
from planner.sources.metric_terms import as_errors_of
from planner.sources.run_table import read_measurements
from planner.sources.tracked_table import RunChoice

MIN_ON_CURVE, MIN_DOUBTFUL = 0.1, 0.01  # probabilities below which a run is doubtful, and off its curve
EVEN_ODDS = 0.5  # probability of a cause that nothing is known about
# a training error of more than this share of the validation error means that the model has not fitted its
# training data; one of less means that it has
MIN_UNFITTED, MAX_FITTED = 0.9, 0.5
CONTRADICTED = 0.1  # share that is left of a cause which the training error contradicts
FAR_BEYOND = 100  # times the largest measured data: beyond it the check warns of extrapolation
NOISE_SAMPLES = 99  # evenly spaced quantiles of the noise per posterior sample


class Verdict(StrEnum):
    """Whether a run is on its curve; the values are those of JSON."""

    ON_CURVE = "on its curve"
    DOUBTFUL = "doubtful"
    OFF = "off"


@dataclass(frozen=True, kw_only=True)
class CheckedRun:
    """One run compared with the law."""

    data: float
    value: float  # as an error, as is what is expected
    expected: tuple[float, float, float]  # 5%, 50% and 95% of the next measurement at this data size
    surprise: float  # probability of a measurement at least as far out, on either side
    causes: Mapping[str, float]  # "capacity", "optimization", "data" -> share; none for a run on its curve
    unknown: tuple[str, ...]  # columns that would tell the causes apart
    beyond: float  # times the largest measured data

    @property
    def factor(self) -> float:
        """Return the measured error over the expected one."""
        return self.value / self.expected[1]

    @property
    def verdict(self) -> Verdict:
        """Return whether the run is on its curve."""
        if self.surprise >= MIN_ON_CURVE:
            return Verdict.ON_CURVE
        return Verdict.DOUBTFUL if self.surprise >= MIN_DOUBTFUL else Verdict.OFF

    @property
    def likely(self) -> str | None:
        """Return the cause that is more likely than the others together, None where none is."""
        return next((name for name, share in self.causes.items() if share > 0.5), None)


@dataclass(frozen=True, kw_only=True)
class Check:
    """The runs of one file, each compared with one law."""

    law: Law
    runs: tuple[CheckedRun, ...]
    warnings: tuple[str, ...]
    left_out: str  # which rows have no metric, in a sentence; empty where all have


def check(
    path: Path,
    selector: LawSelector,
    folder: Path,
    columns: Mapping[str, str | None],
    choice: RunChoice | None = None,
) -> Check:
    """Compare every run of a file with the law that answers for it.

    Args:
        path: A file with one run per row.
        selector: What the law has to match.
        folder: The store.
        columns: Role of a column -> its name, None for the usual names.
        choice: Which runs of a tracker's store count, and which of their values.

    Returns:
        The runs with their verdicts and likely causes.

    Raises:
        LawError: No sampled law of one quantity answers.
        FileError: The file cannot be read.
        InputError: A value is zero.
    """
    selected = select_law(selector, folder, sampled=True)
    law = sampled_curve(selected.law)
    try:
        measured = read_measurements(
            path,
            metric=law.metric,
            metric_unit=law.metric_unit,
            data_unit=law.x_unit,
            columns=columns,
            choice=choice,
            rising=law.metric_ceiling is not None,
            lowest=-math.inf if law.metric_ceiling is not None else 0.0,
        )
        measured = as_errors_of(law_info(law).scale, measured)
    except PlannerError as error:
        if WarningCode.DOMAIN_CHOSEN in selected.warnings:
            purpose = f"to name another domain than {law.domain}, whose law {law.id} answers"
            error.hints = (*error.hints, use("domain", purpose=purpose))
        raise
    runs = tuple(_checked(selected, law, measured, i) for i in range(len(measured)))
    far = [WarningCode.EXTRAPOLATED_FAR] if any(checked.beyond > FAR_BEYOND for checked in runs) else []
    return Check(
        law=law,
        runs=runs,
        warnings=tuple(dict.fromkeys([*law.warnings, *far])),
        left_out=measured.left_out,
    )


def _checked(selected: SelectedLaw, law: Law, measured: Measurements, i: int) -> CheckedRun:
    data, value = measured.data[i], measured.metric[i]
    if value == 0:
        raise InputError(
            f"{measured.cell_name(i, 'metric')}: expected a value that is not perfect, "
            "which no law of this kind reaches",
            code="value-zero",
            value=value,
        )
    expected, surprise = next_measurement(law, data, value)
    causes: dict[str, float] = {}
    unknown: tuple[str, ...] = ()
    if surprise < MIN_ON_CURVE:
        causes, unknown = _causes(selected, measured, i, above=value > expected[1])
    return CheckedRun(
        data=data,
        value=value,
        expected=expected,
        surprise=surprise,
        causes=causes,
        unknown=unknown,
        beyond=data / law.x_range[1],
    )


def next_measurement(law: Law, data: float, value: float) -> tuple[tuple[float, float, float], float]:
    """Return what a law says of the next measurement, its noise included.

    Args:
        law: A sampled law of one quantity.
        data: The data size of the measurement, in the law's unit.
        value: The measured error.

    Returns:
        The 5%, 50% and 95% quantiles of the error, and the probability of one at least as far out as `value`.
    """
    import numpy as np
    from scipy.special import stdtr, stdtrit

    from laws.fitting.noise import MIN_NOISE, noise_of_law

    middle = np.array([paths.value_at(law.grid, path, math.log(data)) for path in law.paths])
    scale, degrees = noise_of_law(law.parameters)
    rows = np.linspace(0, len(scale) - 1, len(middle)).round().astype(int)
    scale, degrees = np.hypot(scale[rows], MIN_NOISE), degrees[rows]
    below = float(stdtr(degrees, (math.log(value) - middle) / scale).mean())
    levels = np.linspace(0.01, 0.99, NOISE_SAMPLES)
    values = (middle[:, None] + scale[:, None] * stdtrit(degrees[:, None], levels)).ravel()
    low, median, high = np.exp(np.quantile(values, (0.05, 0.5, 0.95))).tolist()
    return (low, median, high), min(1.0, 2 * min(below, 1 - below))


def _causes(
    selected: SelectedLaw, measured: Measurements, i: int, *, above: bool
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return the share of each cause, and the columns that would tell them apart.

    A run below its curve was evaluated on other data than the law was, whatever its model.
    """
    if not above:
        return {"capacity": 0.0, "optimization": 0.0, "data": 1.0}, ()
    data = measured.data[i]
    too_small = _probability_of_less(selected.size, data, measured.params, i)
    too_short = _probability_of_less(selected.samples, data, measured.samples, i)
    unknown = [name for name, share in {"params": too_small, "samples": too_short}.items() if share is None]
    capacity = EVEN_ODDS if too_small is None else too_small
    optimization = (1 - capacity) * (EVEN_ODDS if too_short is None else too_short)
    shares = {"capacity": capacity, "optimization": optimization, "data": 1 - capacity - optimization}
    if measured.train is None:
        unknown.append(f"train_{selected.law.metric}")
    else:
        shares = _given_training_error(shares, measured.train[i] / measured.metric[i])
    return shares, tuple(unknown)


def _given_training_error(shares: Mapping[str, float], ratio: float) -> dict[str, float]:
    """Return the shares of the causes given the training error as a share of the validation error."""
    capacity, optimization, data = shares["capacity"], shares["optimization"], shares["data"]
    if ratio <= MAX_FITTED:
        capacity, optimization = CONTRADICTED * capacity, CONTRADICTED * optimization
        data = 1 - capacity - optimization
    elif ratio >= MIN_UNFITTED:
        model = capacity + optimization
        part = capacity / model if model else 0.5
        data *= CONTRADICTED
        capacity, optimization = (1 - data) * part, (1 - data) * (1 - part)
    return {"capacity": capacity, "optimization": optimization, "data": data}


def _probability_of_less(
    law: Law | None, data: float, column: Sequence[float] | None, i: int
) -> float | None:
    """Return the probability that the run had less than the best models have; None where it is not known."""
    if law is None or column is None or not law.paths:
        return None
    best = [paths.value_at(law.grid, path, math.log(data)) for path in law.paths]
    return sum(value > math.log(column[i]) for value in best) / len(best) if column[i] > 0 else 1.0
