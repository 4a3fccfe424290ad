"""What happened after a forecast: recorded once, corrected by one that replaces it, never overwritten."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from laws.errors import PlannerError
from laws.storage.records import content_id
from laws.storage.store import Store
from laws.types import Outcome, SavedForecast
from planner import units
from planner.plans.question import positive


def add_outcome(
    store: Store,
    id: str,
    observed: Mapping[str, str | None],
    *,
    day: date,
    today: date,
    note: str = "",
    replaces: str | None = None,
) -> Outcome:
    """Store what happened after the forecast `id`: quantities by name, as people write them.

    Raises:
        PlannerError: no such forecast, a value that cannot be read, a day before the forecast or to come,
            nothing said, or something said again without naming the outcome that it replaces.
    """
    forecast = store.forecast(id)
    if day > today:
        raise PlannerError(f"{day} is to come: an outcome is of a day that has been")
    if day < date.fromisoformat(forecast.day):
        raise PlannerError(
            f"{day} is before the forecast was made ({forecast.day}): give the day with --date"
        )
    with store.exclusive(f"forecast-{forecast.id}"):  # two at once would not see each other
        return _added(store, forecast, observed, day=day, note=note, replaces=replaces)


def _added(
    store: Store,
    forecast: SavedForecast,
    observed: Mapping[str, str | None],
    *,
    day: date,
    note: str,
    replaces: str | None,
) -> Outcome:
    read = _readers(forecast)
    values = {
        name: value
        for name, text in observed.items()
        if (value := positive(read[name], text, name.replace("_", " "))) is not None
    }
    known = [each for each in store.outcomes() if each.forecast == forecast.id]
    wrong = None if replaces is None else _wrong(store.outcome(replaces), forecast, known)
    if not values and wrong is None:
        raise PlannerError(
            "nothing is said of what happened: give --error, --data, --params, --flops, --gpu-hours, --took "
            "or --cost"
        )
    for each in current(known):
        again = [name for name in values if name in each.observed]
        if again and each.id != wrong:
            raise PlannerError(
                f"outcome {each.id} has {' and '.join(again)} already: to correct it, add --replaces "
                f"{each.id}"
            )
    made = Outcome(
        id="",
        # finer than a second: what is said again at once, after it was taken back, is another event
        created=datetime.now(UTC).isoformat(timespec="microseconds"),
        forecast=forecast.id,
        day=day.isoformat(),
        observed=values,
        note=note,
        replaces=wrong,
    )
    made = replace(made, id=content_id(made))
    store.add_outcome(made)
    store.publish()
    return made


def current(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes that count: none that was replaced, none that only takes another back."""
    replaced = {each.replaces for each in outcomes}
    return [each for each in outcomes if each.id not in replaced and each.observed]


def _wrong(outcome: Outcome, forecast: SavedForecast, known: Sequence[Outcome]) -> str:
    """Return the id of the outcome to be replaced, if it can be."""
    if outcome.forecast != forecast.id:
        raise PlannerError(
            f"outcome {outcome.id} is of forecast {outcome.forecast}, not of {forecast.id}: one replaces "
            "another of the same forecast"
        )
    for each in known:
        if each.replaces == outcome.id:
            raise PlannerError(f"outcome {outcome.id} is replaced by {each.id} already: replace that one")
    return outcome.id


def _readers(forecast: SavedForecast) -> dict[str, Callable[[str], float]]:
    """Return how each quantity is read, in the forecast's units."""
    data = forecast.quantities["data"].unit
    return {
        "error": lambda text: units.parse_metric(text, forecast.metric_unit, metric=forecast.metric),
        "data": lambda text: units.parse_data(text, data),
        "params": units.parse_number,
        "flops": units.parse_number,
        "gpu_hours": units.parse_gpu_hours,
        "days": lambda text: units.parse_duration(text) / units.SECONDS["d"],
        "total_dollars": units.parse_money,
    }
