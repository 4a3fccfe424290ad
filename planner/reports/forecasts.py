"""The reports of `planner forecasts`: records for scripts and tables for people."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from laws.storage.store import Store
from laws.types import Quantity
from planner import warnings
from planner.plans.quantities import METRICS, ValueFormat, keys, kind_of
from planner.plans.tracking.outcome import current
from planner.reports.quantities import counted, none_of
from planner.reports.report import Report

_ENDS = ("q05", "median", "q95")


def forecasts_records(store: Store, *, domain: str | None) -> list[dict[str, Any]]:
    """Return one record per forecast.

    Args:
        store: The store.
        domain: Only forecasts of this domain; None for all.

    Returns:
        Records, newest first, with the number of outcomes that count.
    """
    of = [outcome.forecast for outcome in current(store.outcomes())]
    return [{**asdict(row), "outcomes": of.count(row.id)} for row in store.forecasts(domain=domain)]


def forecasts_report(store: Store, records: Sequence[dict[str, Any]], *, domain: str | None) -> Report:
    """Return the table of forecasts.

    Args:
        store: The store.
        records: The records of `forecasts_records`.
        domain: The filter by domain.

    Returns:
        One row per forecast; where there are none, a note on why.
    """
    rows = tuple(
        (
            record["id"],
            record["day"],
            record["name"] or "-",
            f"{record['domain']}, {record['metric']}",
            _values(record, record["given"]) or "-",
            str(record["outcomes"] or "-"),
        )
        for record in records
    )
    notes: tuple[str, ...] = (
        "`planner forecasts show ID` shows a forecast; `planner outcome add ID` records its outcome.",
    )
    if not rows:
        names = {"domain": {row.domain for row in store.forecasts()}}
        notes = none_of({"domain": domain}, names) or (
            "`planner estimate ... --save` and `planner review PLAN --save` save forecasts.",
        )
    return Report(
        title=f"{counted(len(rows), 'forecast')} in {store.folder}",
        columns=("id", "day", "name", "of", "given", "outcomes"),
        rows=rows,
        notes=notes,
        words=frozenset(range(5)),
        whole=frozenset({0, 1}),
    )


def forecast_record(store: Store, id: str) -> dict[str, Any]:
    """Return one forecast for scripts.

    Args:
        store: The store.
        id: Id of the forecast, or its first characters.

    Returns:
        The forecast, with the intervals of its posterior samples, its warnings and its outcomes.

    Raises:
        StoreError: No forecast or several begin with `id`.
        FileError: Its file is damaged.
    """
    forecast = store.forecast(id)
    plain = {name: value for name, value in asdict(forecast).items() if name != "quantities"}
    return plain | {
        "quantities": {name: quantiles(quantity) for name, quantity in forecast.quantities.items()},
        "warnings": warnings.records(forecast.warnings),
        "outcomes": [
            asdict(outcome) for outcome in current(store.outcomes()) if outcome.forecast == forecast.id
        ],
    }


def forecast_report(record: dict[str, Any]) -> Report:
    """Return one forecast for people.

    Args:
        record: The record of `forecast_record`.

    Returns:
        One row per quantity; its question, outcomes, assumptions and warnings are below the table.
    """
    quantities = record["quantities"]
    order = [name for name in (*keys(), *quantities) if name in quantities]
    what = f"{record['name']}: " if record["name"] else ""
    return Report(
        title=f"{what}forecast {record['id']} of {record['day']}",
        columns=("", "5%", "median", "95%"),
        rows=tuple(
            (
                kind_of(name).label_of(record["metric"], quantities[name]["unit"]),
                *(_cell(name, quantities[name], end) for end in _ENDS),
            )
            for name in dict.fromkeys(order)
        ),
        notes=(
            record["question"],
            f"Given: {_values(record, record['given']) or 'limits only'}.",
            f"From law {record['law']} ({record['source']}), planner {record['code']}, seed "
            f"{record['seed']}.",
        ),
        sections={
            "Outcomes": [
                f"{outcome['day']}: {_values(record, outcome['observed'])}"
                f"{f' ({note})' if (note := outcome['note']) else ''}, outcome {outcome['id']}"
                for outcome in record["outcomes"]
            ],
            "Sources and assumptions": record["assumptions"],
            "Warnings": [f"{w['sentence']} [{w['code']}]" for w in record["warnings"]],
        },
    )


def quantiles(quantity: Quantity) -> dict[str, Any]:
    """Return the 50% and 90% intervals of a quantity.

    Args:
        quantity: Its posterior samples.

    Returns:
        `q05`, `q25`, `median`, `q75`, `q95` and `unit`; None for what is infinite or was not stated.
    """
    levels = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
    values = {
        name: quantity.quantile(level) for name, level in levels.items() if quantity.spread or level == 0.5
    }
    finite = {name: value for name, value in values.items() if math.isfinite(value)}
    return {name: finite.get(name) for name in levels} | {"unit": quantity.unit}


def saved_sentence(id: str) -> str:
    """Return the sentence that says how to record the outcome of a forecast.

    Args:
        id: Id of the saved forecast.

    Returns:
        The sentence, with the command.
    """
    return f"Saved as forecast {id}: run `planner outcome add {id}` to record its outcome."


def _values(record: dict[str, Any], values: dict[str, float]) -> str:
    """Return quantities as text, in the units of the forecast."""
    units = {name: quantity["unit"] for name, quantity in record["quantities"].items()}
    return ", ".join(
        f"{record['metric'] if name in METRICS else kind_of(name).label} "
        f"{kind_of(name).printed(value, units.get(name, '') if name in (*METRICS, 'data') else '')}"
        for name, value in values.items()
    )


def _cell(name: str, values: dict[str, Any], end: str) -> str:
    """Return a printed end of an interval; "-" stands for one that was not stated, "never" for infinity."""
    value = values[end]
    if value is not None:
        return kind_of(name).printed(
            value, values["unit"] if kind_of(name).format is ValueFormat.METRIC else ""
        )
    stated = values["median"] is None or values["q05"] is not None
    return "never" if stated else "-"
