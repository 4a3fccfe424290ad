"""Reports of accelerators and assumptions."""

from dataclasses import asdict
from typing import Any

from planner import assumptions
from planner.assumptions import Assumption
from planner.hardware import accelerators
from planner.hardware.accelerators import Accelerator, Quote
from planner.hardware.cost import current_quotes, price_of
from planner.hardware.fleet import Fleet
from planner.reports.report import Report
from planner.units import format_number, format_si

_WORDS = {"matmul": "fastest matmul", "usable_memory": "usable memory"}


def _price(accelerator: Accelerator) -> str:
    price = price_of(accelerator)
    return "-" if price is None else _range(price.low, price.high)


def _range(low: float, high: float) -> str:
    first, last = (format_number(value, digits=4) for value in (low, high))
    return first if first == last else f"{first} to {last}"


def list_records(fleet: Fleet) -> list[dict[str, Any]]:
    """Return one flat record per accelerator.

    Args:
        fleet: The accelerators with their counts and assumptions.

    Returns:
        Records in the order of the fleet, in base units; None where a figure is unknown.
    """
    records = []
    for accelerator in fleet.accelerators.values():
        price = price_of(accelerator)
        records.append(
            {
                "id": accelerator.id,
                "name": accelerator.name,
                "year": accelerator.year,
                **{f"peak_{name}_flops": accelerator.peak.get(name) for name in accelerators.PRECISIONS},
                "memory_bytes": accelerator.capacity,
                "bandwidth_bytes_per_s": accelerator.bandwidth,
                "power_w": accelerator.power,
                "price_low_usd_per_hour": price.low if price else None,
                "price_high_usd_per_hour": price.high if price else None,
                "price_date": max((quote.date for quote in current_quotes(accelerator)), default=None),
                "count": fleet.count(accelerator),
                "confidence": accelerator.confidence,
            }
        )
    return records


def list_report(fleet: Fleet) -> Report:
    """Return the table of all accelerators.

    Args:
        fleet: The accelerators with their counts and assumptions.

    Returns:
        One row per accelerator; a column of counts only where the fleet has counts.
    """
    rows = []
    for accelerator in fleet.accelerators.values():
        figures = (
            *((accelerator.peak.get(name), 1e12) for name in accelerators.PRECISIONS),
            (accelerator.capacity, 1e9),
            (accelerator.bandwidth, 1e12),
            (accelerator.power, 1.0),
        )
        cells = ("-" if value is None else f"{value / unit:.4g}" for value, unit in figures)
        count = (str(fleet.count(accelerator) or "-"),) if fleet.counts else ()
        rows.append((accelerator.id, *cells, _price(accelerator), *count))
    return Report(
        title="Accelerators",
        columns=(
            "id",
            *accelerators.PRECISIONS,
            "GB",
            "TB/s",
            "W",
            "USD/h",
            *(("count",) if fleet.counts else ()),
        ),
        rows=tuple(rows),
        notes=(
            "bf16, fp16, fp32: peak TFLOP/s, dense. USD/h: range of the newest on-demand quotes.",
            "`planner accelerators show ID` shows the source and date of every figure.",
        ),
    )


def accelerator_record(fleet: Fleet, accelerator: Accelerator) -> dict[str, Any]:
    """Return every figure of an accelerator.

    Args:
        fleet: The accelerators with their counts and assumptions.
        accelerator: The accelerator.

    Returns:
        Figures in base units with their sources, quotes, published utilization and assumptions.
    """
    sources = accelerators.sources()
    return {
        "id": accelerator.id,
        "name": accelerator.name,
        "year": accelerator.year,
        "aliases": list(accelerator.aliases),
        "confidence": accelerator.confidence,
        "note": accelerator.note,
        "count": fleet.count(accelerator),
        "figures": {
            figure: {
                "value": value,
                "unit": unit,
                "uncertain": figure in accelerator.uncertain,
                "sources": [sources.get(key, key) for key in accelerator.sources.get(figure, ())],
            }
            for figure, value, unit in _figures(accelerator)
        },
        "quotes": [
            asdict(quote) | {"current": quote in current_quotes(accelerator)} for quote in accelerator.quotes
        ],
        "utilization": [
            asdict(observation) | {"source": sources[observation.source]}
            for observation in accelerators.observations()
            if observation.part == accelerator.id
        ],
        "assumptions": assumptions_records(fleet, accelerator),
    }


def _figures(accelerator: Accelerator) -> list[tuple[str, float, str]]:
    rows: list[tuple[str, float | None, str]] = [
        *((f"peak {precision}", value, "FLOP/s") for precision, value in accelerator.peak.items()),
        ("matmul", accelerator.matmul, "FLOP/s"),
        ("memory", accelerator.memory, "B"),
        ("usable_memory", accelerator.usable_memory, "B"),
        ("bandwidth", accelerator.bandwidth, "B/s"),
        ("power", accelerator.power, "W"),
    ]
    return [(figure, value, unit) for figure, value, unit in rows if value is not None]


_COMMITMENT = (
    "Prices of a commitment of years are not in the default price: plan with one by --assume price=USD."
)


def _commitments(accelerator: Accelerator) -> list[Quote]:
    """Return the newest price of each provider for each length of a commitment."""
    newest: dict[tuple[str, float], Quote] = {}
    for quote in accelerator.quotes:
        key = (quote.provider, quote.years or 0.0)
        if quote.years and (key not in newest or newest[key].date < quote.date):
            newest[key] = quote
    return sorted(newest.values(), key=lambda quote: (quote.years or 0.0, quote.low))


def accelerator_report(fleet: Fleet, accelerator: Accelerator) -> Report:
    """Return one accelerator for people.

    Args:
        fleet: The accelerators with their counts and assumptions.
        accelerator: The accelerator.

    Returns:
        Figures, prices and published utilization, with their sources below the table.
    """
    cited: dict[str, None] = {}
    rows = []
    for figure, value, unit in _figures(accelerator):
        keys = accelerator.sources.get(figure, ())
        cited |= dict.fromkeys(keys)
        doubt = ", uncertain" if figure in accelerator.uncertain else ""
        rows.append((_WORDS.get(figure, figure) + doubt, format_si(value, unit), ", ".join(keys)))
    if (count := fleet.count(accelerator)) is not None:
        rows.append(("count", str(count), fleet.source))
    quotes = current_quotes(accelerator)
    for quote in quotes:
        source = " ".join(piece for piece in (quote.provider, quote.place, quote.date) if piece)
        rows.append(("USD/h", _range(quote.low, quote.high), source))
    commitments = _commitments(accelerator)
    for quote in commitments:
        label = f"USD/h, {quote.years:g} year{'' if quote.years == 1 else 's'}"
        source = " ".join(piece for piece in (quote.provider, quote.place, quote.date) if piece)
        rows.append((label, _range(quote.low, quote.high), source))
    for published in accelerators.observations():
        if published.part == accelerator.id:
            cited |= {published.source: None}
            devices = f", {published.count} devices" if published.count else ""
            source = f"{published.run}{devices}: {published.source}"
            rows.append((f"utilization, {published.kind}", _range(published.low, published.high), source))
    own = [a for a in fleet.assumptions(accelerator).values() if not a.is_default]
    rows += [(a.name, _range(a.low, a.high), a.source) for a in own]
    sources = accelerators.sources()
    older = len(accelerator.quotes) - len(quotes) - len(commitments)
    notes = [
        *([accelerator.note] if accelerator.note else []),
        *(
            [f"Confidence in these figures: {accelerator.confidence}."]
            if accelerator.confidence != "exact"
            else []
        ),
        *([_COMMITMENT] if commitments else []),
        *([f"{older} older or other quotes: `--format json`."] if older else []),
        *(f"{key}: {sources[key]}" for key in cited if key in sources),
    ]
    return Report(
        title=f"{accelerator.name} ({accelerator.id})",
        columns=("", "value", "source"),
        rows=tuple(rows),
        notes=tuple(notes),
        words=frozenset({0, 2}),
    )


def assumptions_records(fleet: Fleet, accelerator: Accelerator | None) -> list[dict[str, Any]]:
    """Return the assumptions about every accelerator, or about one, as records.

    Args:
        fleet: The accelerators with their counts and assumptions.
        accelerator: The accelerator; None for the assumptions that hold for all.

    Returns:
        One record per assumption, with its range `low` to `high`; a price only for one accelerator.
    """
    return [a._asdict() | {"low": a.low, "high": a.high} for a in _assumed(fleet, accelerator)]


def assumptions_report(fleet: Fleet, accelerator: Accelerator | None) -> Report:
    """Return the assumptions for people.

    Args:
        fleet: The accelerators with their counts and assumptions.
        accelerator: The accelerator; None for the assumptions that hold for all.

    Returns:
        One row per assumption; its explanation and source are notes.
    """
    assumed = _assumed(fleet, accelerator)
    return Report(
        title="Assumptions about " + (accelerator.id if accelerator else "every accelerator"),
        columns=("name", "value", "unit"),
        rows=tuple((a.name, _range(a.low, a.high), a.unit) for a in assumed),
        notes=(
            *(f"{a.name}: {a.text}. Source: {a.source}." for a in assumed),
            "Values are drawn uniformly from a range. Set your own in a fleet file.",
        ),
        words=frozenset({0, 2}),
    )


def _assumed(fleet: Fleet, accelerator: Accelerator | None) -> list[Assumption]:
    if accelerator is None:
        return list((assumptions.defaults() | dict(fleet.assumed)).values())
    price = price_of(accelerator)
    return [*fleet.assumptions(accelerator).values(), *([price] if price else [])]
