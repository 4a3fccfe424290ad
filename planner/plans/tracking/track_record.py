"""Were the forecasts right: each outcome held against what was said, and how often, by how much, how sharply.

A quantity that the question fixed is no forecast and is not compared. The error is held against what the law
says of the data that was used, whatever was planned; everything else counts only where the plan was followed,
because what another target would have taken was not forecast.
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
from planner.plans.tracking.outcome import current

FOLLOWED = 1.05  # within this factor of what was asked the plan counts as followed
FEW = 10  # outcomes below which nothing is proven
AGES = ((90, "up to 90 days"), (365, "up to a year"), (math.inf, "more than a year"))
ALL = "all"  # quantities together


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One quantity of one outcome beside what was forecast of it; `reason` says why it is not scored."""

    forecast: SavedForecast
    outcome: Outcome
    quantity: str
    observed: float
    said: Quantity | None
    reason: str = ""

    @property
    def age(self) -> int:
        """Return the days between the forecast and the outcome."""
        return (date.fromisoformat(self.outcome.day) - date.fromisoformat(self.forecast.day)).days

    def within(self, share: float) -> bool | None:
        """Return whether it observed inside the central interval of this share; None without an interval."""
        if self.said is None or not self.said.spread:
            return None
        low, high = (self.said.quantile((1 + side * share) / 2) for side in (-1, 1))
        return low <= self.observed <= high


@dataclass(frozen=True, kw_only=True)
class Score:
    """How one kind of forecast did; a share or mean is None where nothing has an interval."""

    domain: str
    age: str
    quantity: str  # or `ALL`
    outcomes: int  # different ones
    compared: int  # quantities of outcomes
    intervals: int  # of those, forecasts that stated an interval
    within_50: float | None
    within_90: float | None
    bias: float | None  # median of log (observed / median of the forecast)
    interval_score: float | None  # mean, of the logarithm
    open: int  # intervals open at the top, which have no score

    @property
    def few(self) -> bool:
        """Return whether these are too few to judge by."""
        return self.outcomes < FEW


def comparisons(store: Store, *, domain: str | None = None) -> list[Comparison]:
    """Return every quantity of every outcome that counts, beside what was said of it, by day.

    Raises:
        PlannerError: the file of a forecast is gone or damaged.
    """
    known = {row.id for row in store.forecasts(domain=domain)}

    @cache
    def forecast(id: str) -> SavedForecast:
        return store.forecast(id)

    @cache
    def reading(source: str, law: str) -> LawModel:
        if source == "published":
            return published_law_model(published_law(law), AllocationConstraints())
        return law_model(locate_law(store, law).law(law), AllocationConstraints())

    found = []
    counting = [each for each in current(store.outcomes()) if each.forecast in known]
    facts: dict[str, dict[str, float]] = {}  # what observed may have been recorded bit by bit
    for outcome in counting:
        facts[outcome.forecast] = facts.get(outcome.forecast, {}) | outcome.observed
    for outcome in counting:
        of = forecast(outcome.forecast)
        observed = facts[of.id]
        for name, value in outcome.observed.items():
            said: Quantity | None = None
            try:
                if name == "error" and "data" in observed:
                    said, reason = _error_at(observed, reading(of.source, of.law))
                else:
                    said, reason = _said(of, observed, name)
            except PlannerError as error:  # the law's file is gone
                reason = str(error)
            found.append(
                Comparison(
                    forecast=of, outcome=outcome, quantity=name, observed=value, said=said, reason=reason
                )
            )
    return found


def _said(forecast: SavedForecast, observed: Mapping[str, float], name: str) -> tuple[Quantity | None, str]:
    """Return what was forecast of a quantity, or why nothing was."""
    if name in forecast.given:
        return None, "it was asked for, not forecast"
    if name not in forecast.quantities:
        return None, "it was not forecast"
    for asked, value in forecast.given.items():
        became = observed.get(asked, value)
        if abs(math.log(became / value)) > math.log(FOLLOWED):
            what, unit = asked.replace("_", " "), ""
            if asked == "error":
                what, unit = forecast.metric, forecast.metric_unit
            texts = (units.format_metric(each, unit) for each in (became, value))
            return None, "the plan was not followed, {} became {} where {} was asked for".format(what, *texts)
    return forecast.quantities[name], ""


def _error_at(observed: Mapping[str, float], reading: LawModel) -> tuple[Quantity | None, str]:
    """Return what the law says of the error at the data that was used."""
    x, size = observed["data"], observed.get("params")
    scenarios = reading.scenarios
    if reading.is_joint:
        if size is None:
            return None, "this law needs the parameters beside the data: record them, too"
        draws = tuple(world.loss(size, x) for world in scenarios if world.loss is not None)
    else:
        draws = tuple(world.error(min(x, world.high)) for world in scenarios)
    return Quantity(draws=draws, unit=reading.law.metric_unit, spread=reading.has_posterior), ""


def scores(found: Iterable[Comparison]) -> list[Score]:
    """Return how the forecasts did for each domain and age, all quantities together and each alone."""
    groups: dict[tuple[str, str, str], list[Comparison]] = {}
    for each in found:
        if each.said is not None:
            age = next(words for days, words in AGES if each.age <= days)
            for quantity in (ALL, each.quantity):
                groups.setdefault((each.forecast.domain, age, quantity), []).append(each)
    places = {words: place for place, (_, words) in enumerate(AGES)}
    order = sorted(groups, key=lambda key: (key[0], places[key[1]], key[2] != ALL))
    return [_score(key, groups[key]) for key in order]


def _score(key: tuple[str, str, str], group: Sequence[Comparison]) -> Score:
    said = [(each, each.said) for each in group if each.said is not None]
    sized = [(each.observed, quantity) for each, quantity in said if quantity.spread]
    widths = [_interval_score(observed, quantity) for observed, quantity in sized]
    closed = [width for width in widths if math.isfinite(width)]
    bias = median(_log_ratio(each.observed, quantity.quantile(0.5)) for each, quantity in said)
    domain, age, quantity = key
    return Score(
        domain=domain,
        age=age,
        quantity=quantity,
        outcomes=len({each.outcome.id for each in group}),
        compared=len(group),
        intervals=len(sized),
        within_50=_share([each.within(0.5) for each in group]),
        within_90=_share([each.within(0.9) for each in group]),
        bias=bias if math.isfinite(bias) else None,
        interval_score=fmean(closed) if closed else None,
        open=len(widths) - len(closed),
    )


def _share(inside: Sequence[bool | None]) -> float | None:
    known = [each for each in inside if each is not None]
    return sum(known) / len(known) if known else None


def _log_ratio(observed: float, middle: float) -> float:
    if middle <= 0:
        return math.inf
    return math.log(observed / middle) if math.isfinite(middle) else -math.inf


def _interval_score(observed: float, said: Quantity) -> float:
    """Return the score of the 90 % interval of the logarithm: its width, and 20 times what it missed by.

    Gneiting & Raftery 2007 (doi:10.1198/016214506000001437), equation 43, with alpha 0.1. Infinite for an
    interval that is open at the top.
    """
    low, high = said.quantile(0.05), said.quantile(0.95)
    if low <= 0 or not math.isfinite(high):
        return math.inf
    missed = max(math.log(low / observed), math.log(observed / high), 0.0)
    return math.log(high / low) + 2 / 0.1 * missed


def by_chance(n: int, share: float = 0.9) -> tuple[float, float]:
    """Return between which shares n independent outcomes fall in 95 of 100 cases if `share` is right."""
    below = 0.0
    ends = [0, n]
    for k in range(n + 1):
        before, below = below, below + math.comb(n, k) * share**k * (1 - share) ** (n - k)
        if before < 0.025 <= below:
            ends[0] = k
        if before < 0.975 <= below:
            ends[1] = k
    return ends[0] / n, ends[1] / n
