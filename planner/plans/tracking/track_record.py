"""Forecast evaluation: each outcome compared with its forecast; coverage, bias and sharpness of the
intervals.

A quantity that the question fixed is not a forecast and is not compared. The observed error is compared with
what the law predicts for the data that was used, whatever was planned. Everything else counts only where the
plan was followed, because what another target would have taken was not forecast.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from statistics import fmean, median

from laws.catalog.bundled import locate_law
from laws.catalog.published import published_law
from laws.errors import PlannerError
from laws.storage.store import Store
from laws.types import Outcome, Quantity, SavedForecast
from planner import units
from planner.lawmodel.allocation import AllocationConstraints
from planner.lawmodel.model import LawModel
from planner.lawmodel.published import published_law_model
from planner.lawmodel.stored import law_model
from planner.plans.quantities import METRICS
from planner.plans.tracking.outcome import current

MAX_DEVIATION = 1.05  # factor within which a plan counts as followed
MIN_OUTCOMES = 10  # below which nothing is proven
AGES = ((90, "up to 90 days"), (365, "up to a year"), (math.inf, "more than a year"))
ALL = "all"  # quantities together


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One quantity of one outcome with its forecast; `reason` says why it is not scored."""

    forecast: SavedForecast
    outcome: Outcome
    quantity: str
    observed: float
    predicted: Quantity | None
    reason: str = ""

    @property
    def age(self) -> int:
        """Return the days between the forecast and the outcome."""
        return (date.fromisoformat(self.outcome.day) - date.fromisoformat(self.forecast.day)).days

    def within(self, share: float) -> bool | None:
        """Return whether the observed value is inside a central interval.

        Args:
            share: Probability of the interval.

        Returns:
            Whether it is inside; None without an interval.
        """
        if self.predicted is None or not self.predicted.spread:
            return None
        low, high = (self.predicted.quantile((1 + side * share) / 2) for side in (-1, 1))
        return low <= self.observed <= high


@dataclass(frozen=True, kw_only=True)
class Score:
    """How well one kind of forecast did; a share or mean is None where nothing has an interval."""

    domain: str
    age: str
    quantity: str  # or `ALL`
    outcomes: int
    compared: int  # quantities of outcomes
    intervals: int  # of those, forecasts that stated an interval
    within_50: float | None
    within_90: float | None
    chance_90: tuple[float, float] | None  # between which within_90 lies by chance if intervals are right
    bias: float | None  # median of log (observed / median of the forecast)
    interval_score: float | None  # mean, of the logarithm
    open: int  # intervals open at the top, which have no score

    @property
    def few(self) -> bool:
        """Return whether these are too few outcomes to judge by."""
        return self.outcomes < MIN_OUTCOMES


def comparisons(store: Store, *, domain: str | None = None) -> list[Comparison]:
    """Return every quantity of every outcome that counts, with its forecast.

    Args:
        store: The store of forecasts and outcomes.
        domain: Forecasts of this domain only; None for all.

    Returns:
        The comparisons, by day.

    Raises:
        StoreError: The file of a forecast is missing or damaged.
    """
    ids = {row.id for row in store.forecasts(domain=domain)}

    @cache
    def forecast_of(id: str) -> SavedForecast:
        return store.forecast(id)

    @cache
    def model_of(source: str, law: str) -> LawModel:
        if source == "published":
            return published_law_model(published_law(law), AllocationConstraints())
        return law_model(locate_law(store, law).law(law), AllocationConstraints())

    compared = []
    counting = [outcome for outcome in current(store.outcomes()) if outcome.forecast in ids]
    observed: dict[str, dict[str, float]] = {}  # one training may have been recorded in several outcomes
    for outcome in counting:
        observed[outcome.forecast] = observed.get(outcome.forecast, {}) | outcome.observed
    for outcome in counting:
        forecast = forecast_of(outcome.forecast)
        together = observed[forecast.id]
        for key, value in outcome.observed.items():
            predicted: Quantity | None = None
            try:
                if key in METRICS and "data" in together:
                    predicted, reason = _error_at(together, model_of(forecast.source, forecast.law))
                else:
                    predicted, reason = _prediction(forecast, together, key)
            except PlannerError as error:  # the file of the law is gone
                reason = error.message
            compared.append(
                Comparison(
                    forecast=forecast,
                    outcome=outcome,
                    quantity=key,
                    observed=value,
                    predicted=predicted,
                    reason=reason,
                )
            )
    return compared


def _prediction(
    forecast: SavedForecast, observed: Mapping[str, float], key: str
) -> tuple[Quantity | None, str]:
    """Return the forecast of a quantity, or why there is none."""
    if key in forecast.given:
        return None, "it was given, not forecast"
    if key not in forecast.quantities:
        return None, "it was not forecast"
    for given, planned in forecast.given.items():
        actual = observed.get(given, planned)
        if abs(math.log(actual / planned)) > math.log(MAX_DEVIATION):
            name, unit = given.replace("_", " "), ""
            if given in METRICS:
                name, unit = forecast.metric, forecast.metric_unit
            texts = (units.format_metric(value, unit) for value in (planned, actual))
            return None, "the plan was not followed: {} {} was planned, got {}".format(name, *texts)
    return forecast.quantities[key], ""


def _error_at(observed: Mapping[str, float], model: LawModel) -> tuple[Quantity | None, str]:
    """Return the error that the law predicts for the data that was used, or why it predicts none."""
    x, params = observed["data"], observed.get("params")
    if model.is_joint:
        if params is None:
            return None, "this law needs the parameters besides the data: record them too"
        draws = tuple(s.loss(params, x) for s in model.scenarios if s.loss is not None)
    else:
        draws = tuple(s.error(min(x, s.high)) for s in model.scenarios)
    errors = Quantity(draws=draws, unit=model.law.metric_unit)
    return model.law.scale.of_errors(errors), ""


def scores(compared: Iterable[Comparison]) -> list[Score]:
    """Return how well forecasts did, by domain and age, for all quantities together and for each by itself.

    Args:
        compared: Outcomes with their forecasts.

    Returns:
        One score per domain, age and quantity.
    """
    groups: dict[tuple[str, str, str], list[Comparison]] = {}
    for comparison in compared:
        if comparison.predicted is not None:
            age = next(text for days, text in AGES if comparison.age <= days)
            for quantity in (ALL, comparison.quantity):
                groups.setdefault((comparison.forecast.domain, age, quantity), []).append(comparison)
    ranks = {text: rank for rank, (_, text) in enumerate(AGES)}
    order = sorted(groups, key=lambda key: (key[0], ranks[key[1]], key[2] != ALL))
    return [_score(key, groups[key]) for key in order]


def _score(key: tuple[str, str, str], group: Sequence[Comparison]) -> Score:
    pairs = [(c.observed, c.predicted) for c in group if c.predicted is not None]
    widths = [_interval_score(observed, predicted) for observed, predicted in pairs if predicted.spread]
    closed = [width for width in widths if math.isfinite(width)]
    bias = median(_log_ratio(observed, predicted.quantile(0.5)) for observed, predicted in pairs)
    domain, age, quantity = key
    stated = len({c.outcome.id for c in group if c.within(0.9) is not None})
    return Score(
        domain=domain,
        age=age,
        quantity=quantity,
        outcomes=len({comparison.outcome.id for comparison in group}),
        compared=len(group),
        intervals=len(widths),
        within_50=_share([comparison.within(0.5) for comparison in group]),
        within_90=_share([comparison.within(0.9) for comparison in group]),
        # quantities of one outcome depend on one another, so its intervals count as one
        chance_90=by_chance(stated) if stated else None,
        bias=bias if math.isfinite(bias) else None,
        interval_score=fmean(closed) if closed else None,
        open=len(widths) - len(closed),
    )


def _share(inside: Sequence[bool | None]) -> float | None:
    stated = [value for value in inside if value is not None]
    return sum(stated) / len(stated) if stated else None


def _log_ratio(observed: float, middle: float) -> float:
    if middle <= 0:
        return math.inf
    return math.log(observed / middle) if math.isfinite(middle) else -math.inf


def _interval_score(observed: float, predicted: Quantity) -> float:
    """Return the score of the 90% interval of the logarithm: its width, and 20 times what it missed by.

    Gneiting & Raftery 2007 (doi:10.1198/016214506000001437), equation 43, with alpha 0.1. Infinite for an
    interval that is open at the top.
    """
    low, high = predicted.quantile(0.05), predicted.quantile(0.95)
    if low <= 0 or not math.isfinite(high):
        return math.inf
    missed = max(math.log(low / observed), math.log(observed / high), 0.0)
    return math.log(high / low) + 2 / 0.1 * missed


def by_chance(n: int, share: float = 0.9) -> tuple[float, float]:
    """Return between which shares n independent outcomes fall in 95 of 100 cases if intervals are right.

    Args:
        n: Number of outcomes.
        share: Probability of the intervals.

    Returns:
        The smallest and the largest share.
    """
    below = 0.0
    ends = [0, n]
    for k in range(n + 1):
        before, below = below, below + math.comb(n, k) * share**k * (1 - share) ** (n - k)
        if before < 0.025 <= below:
            ends[0] = k
        if before < 0.975 <= below:
            ends[1] = k
    return ends[0] / n, ends[1] / n
