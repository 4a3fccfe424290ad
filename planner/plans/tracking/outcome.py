"""The outcome of a forecast: recorded once, corrected by an outcome that replaces it, never overwritten."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from laws.errors import ConflictingInput, InputError, MissingInput, use
from laws.storage.records import content_id
from laws.storage.store import Store
from laws.types import Outcome, SavedForecast
from planner import units
from planner.metrics import MetricScale
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
    """Store the outcome of a forecast.

    Args:
        store: The store of the forecast.
        id: Id of the forecast, or its first characters.
        observed: Key of a quantity -> its value as people write it, None where nothing is given.
        day: The day on which the values were known.
        today: The current day.
        note: Anything worth remembering.
        replaces: Id of the outcome that this one corrects; without values it only takes it back.

    Returns:
        The stored outcome.

    Raises:
        InputError: A value cannot be parsed, the day is in the future or before the forecast, or the outcome
            to replace is of another forecast.
        MissingInput: No value is given.
        ConflictingInput: A value is already recorded, or the outcome to replace is already replaced.
    """
    forecast = store.forecast(id)
    if day > today:
        raise InputError(
            f"date {day} is in the future: expected a past date", code="date-in-future", value=day.isoformat()
        )
    if day < date.fromisoformat(forecast.day):
        raise InputError(
            f"date {day} is before the forecast was made: expected {forecast.day} or later",
            code="date-before-forecast",
            value=day.isoformat(),
            hint=use("date"),
        )
    with store.exclusive(f"forecast-{forecast.id}"):  # two processes at once would not see each other
        return _add(store, forecast, observed, day=day, note=note, replaces=replaces)


def _add(
    store: Store,
    forecast: SavedForecast,
    observed: Mapping[str, str | None],
    *,
    day: date,
    note: str,
    replaces: str | None,
) -> Outcome:
    parsers = _parsers(forecast)
    if unfit := next(
        (name for name, text in observed.items() if text is not None and name not in parsers), None
    ):
        right = next(iter(parsers))
        raise InputError(
            f"{unfit} {observed[unfit]}: expected {right}, because {forecast.metric} "
            f"{'rises' if right == 'score' else 'falls'} with data",
            code="wrong-direction",
            value=observed[unfit],
            hint=use(right),
        )
    values = {
        name: value
        for name, text in observed.items()
        if text is not None and (value := positive(parsers[name], text, name)) is not None
    }
    recorded = [outcome for outcome in store.outcomes() if outcome.forecast == forecast.id]
    replaced = None if replaces is None else _replaceable(store.outcome(replaces), forecast, recorded)
    if not values and replaced is None:
        raise MissingInput(
            "no observed value is given: expected at least one",
            code="no-value",
            hint=use(next(iter(parsers)), "data", "params", "flops", "gpu_hours", "took", "cost"),
        )
    for outcome in current(recorded):
        again = [name for name in values if name in outcome.observed]
        if again and outcome.id != replaced:
            raise ConflictingInput(
                f"{' and '.join(again)}: expected a value that is not recorded, outcome {outcome.id} has "
                "it already",
                code="already-recorded",
                value=tuple(again),
                hint=use("replaces", value=outcome.id, purpose="to correct it"),
            )
    outcome = Outcome(
        id="",
        # finer than a second: a value that is recorded again after it was taken back is another event
        created=datetime.now(UTC).isoformat(timespec="microseconds"),
        forecast=forecast.id,
        day=day.isoformat(),
        observed=values,
        note=note,
        replaces=replaced,
    )
    outcome = replace(outcome, id=content_id(outcome))
    store.add_outcome(outcome)
    store.publish()
    return outcome


def current(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Return the outcomes that count.

    Args:
        outcomes: All outcomes.

    Returns:
        Those that were not replaced and do not only take another back.
    """
    replaced = {outcome.replaces for outcome in outcomes}
    return [outcome for outcome in outcomes if outcome.id not in replaced and outcome.observed]


def _replaceable(outcome: Outcome, forecast: SavedForecast, recorded: Sequence[Outcome]) -> str:
    """Return the id of the outcome to replace, if it can be replaced."""
    if outcome.forecast != forecast.id:
        raise InputError(
            f"outcome {outcome.id}: expected one of forecast {forecast.id}, got one of {outcome.forecast}",
            code="outcome-of-other-forecast",
            value=outcome.id,
        )
    for other in recorded:
        if other.replaces == outcome.id:
            raise ConflictingInput(
                f"outcome {outcome.id} is already replaced by {other.id}: expected the newer one",
                code="already-replaced",
                value=outcome.id,
                hint=use("replaces", value=other.id),
            )
    return outcome.id


def _parsers(forecast: SavedForecast) -> dict[str, Callable[[str], float]]:
    """Return the parser of each quantity, in the forecast's units."""
    data = forecast.quantities["data"].unit
    scale = MetricScale(forecast.metric, forecast.metric_unit, forecast.metric_ceiling)
    return {
        scale.quantity: scale.parse,
        "data": lambda text: units.parse_data(text, data),
        "params": units.parse_number,
        "flops": units.parse_number,
        "gpu_hours": units.parse_gpu_hours,
        "days": lambda text: units.parse_duration(text) / units.SECONDS["d"],
        "total_dollars": units.parse_money,
    }
