"""Verify a law: what it forecasts at a data size that it has not seen, and what a training there measures."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from calibrate.sweep.best_model import BestModel
from laws.errors import InputError, use
from laws.storage.store import Store
from laws.types import Law, Outcome, SavedForecast
from planner import units
from planner.hardware.fleet import Fleet
from planner.lawmodel.info import law_info
from planner.lawmodel.sampled_curve import sampled_curve
from planner.lawmodel.select import select_law
from planner.lawmodel.selector import LawSelector
from planner.metrics import FRACTION
from planner.plans.check import next_measurement
from planner.plans.plan import Plan, plan
from planner.plans.question import Question
from planner.plans.tracking.forecasts import as_saved_forecast, save_forecasts
from planner.plans.tracking.outcome import add_outcome, current

NEXT_SIZE = 2.0  # times the largest measured data: the next step of a sweep
NAME = "verify"  # of the forecasts that are saved here


@dataclass(frozen=True, kw_only=True)
class Verification:
    """A forecast and the measurement that it was compared with.

    Attributes:
        law: The law.
        data: The data size, in the law's unit.
        expected: 5%, 50% and 95% of the error of the next measurement there, its noise included.
        value: The measured error.
        surprise: Probability of a measurement at least as far out.
        params: Parameters of the best model.
        seconds: Device-seconds of the trainings behind the value.
        forecast: Id of the saved forecast.
        outcome: Id of its outcome in the track record.
    """

    law: Law
    data: float
    expected: tuple[float, float, float]
    value: float
    surprise: float
    params: int
    seconds: float
    forecast: str
    outcome: str

    @property
    def inside(self) -> bool:
        """Return whether the measurement is inside the 90% interval."""
        return self.expected[0] <= self.value <= self.expected[2]


def law_to_verify(selector: LawSelector, folder: Path) -> Law:
    """Return the law to verify.

    Args:
        selector: What the law has to match.
        folder: The store.

    Returns:
        The newest law that matches.

    Raises:
        LawError: No law matches, or it is no sampled curve (`sampled_curve`).
    """
    return sampled_curve(select_law(selector, folder, sampled=True).law)


def size_to_verify(
    law: Law, folder: Path, fleet: Fleet, *, at: str | None, target: str | None, today: date
) -> float:
    """Return the data size to train at.

    Args:
        law: The law.
        folder: The store.
        fleet: The accelerators.
        at: The size as typed, such as `2h`; None for the target's, else twice the largest measured data.
        target: A target as typed: the size is where the law's median reaches it.
        today: The current day.

    Returns:
        The data size, in the law's unit.

    Raises:
        InputError: The median never reaches the target ("target-not-reached"), or a text cannot be parsed.
    """
    if at is not None:
        return units.parse_data(at, law.x_unit)
    if target is None:
        return NEXT_SIZE * law.x_range[1]
    question = Question.of(selector=LawSelector(law=law.id), target=target)
    needed = plan(question, folder, fleet, today=today).estimate.data.quantile(0.5)
    if not math.isfinite(needed):
        raise InputError(
            f"target {law.metric} {target}: expected one that the median of law {law.id} reaches",
            code="target-not-reached",
            value=target,
            hint=use("at", purpose="to train at a size that you choose"),
        )
    return float(f"{needed:.3g}")


def forecast_at(
    law: Law,
    data: float,
    folder: Path,
    fleet: Fleet,
    sentences: Callable[[Plan], list[str]],
    *,
    today: date,
) -> SavedForecast:
    """Return the saved forecast of a data size; it is saved once, before anything is trained there.

    Args:
        law: The law.
        data: The data size, in the law's unit.
        folder: The store.
        fleet: The accelerators.
        sentences: Returns the assumptions of a plan as sentences.
        today: The current day.

    Returns:
        The forecast.
    """
    store = Store(folder)
    for row in store.forecasts(domain=law.domain):
        if (row.law, row.name, row.given.get("data")) == (law.id, NAME, data):
            return store.forecast(row.id)
    question = Question.of(selector=LawSelector(law=law.id), data=_typed(data, law.x_unit))
    made = plan(question, folder, fleet, today=today)
    forecast = as_saved_forecast(made, sentences(made), today=today, name=NAME)
    forecast = replace(forecast, given={"data": data})
    save_forecasts(store, [forecast])
    return forecast


def verified(
    law: Law, data: float, measured: tuple[BestModel, float], forecast: SavedForecast, folder: Path
) -> Verification:
    """Compare a training with its forecast, and record the outcome once.

    Args:
        law: The law.
        data: The data size, in the law's unit.
        measured: The best model that was trained there, and the device-seconds of its trainings.
        forecast: The forecast that was saved before.
        folder: The store.

    Returns:
        The comparison.
    """
    store, (best, seconds) = Store(folder), measured
    value = best.metrics[law.metric]
    expected, surprise = next_measurement(law, data, value)
    recorded = [one for one in current(store.outcomes()) if one.forecast == forecast.id]
    outcome = recorded[0] if recorded else _recorded(store, law, data, value, forecast)
    return Verification(
        law=law,
        data=data,
        expected=expected,
        value=value,
        surprise=surprise,
        params=best.params,
        seconds=seconds,
        forecast=forecast.id,
        outcome=outcome.id,
    )


def _recorded(store: Store, law: Law, data: float, value: float, forecast: SavedForecast) -> Outcome:
    """Record the metric; the model is the best of the sizes that were tried, which no law forecasts."""
    scale, today = law_info(law).scale, date.today()
    own = scale.from_error(value)
    text = f"{100 * own:.6g}%" if law.metric_unit == FRACTION else f"{own:.6g}"
    observed = {scale.quantity: text, "data": _typed(data, law.x_unit)}
    return add_outcome(store, forecast.id, observed, day=today, today=today, note=NAME)


def _typed(data: float, unit: str) -> str:
    return f"{data:.12g}{'h' if unit == units.AUDIO_UNIT else ''}"
