"""Accelerators as they are shown: the records that scripts read and the sheets that people read."""

from dataclasses import asdict
from typing import Any

from planner import assumptions
from planner.assumptions import Assumption
from planner.hardware import accelerators
from planner.hardware.accelerators import Accelerator
from planner.hardware.cost import current_quotes, price_of
from planner.hardware.fleet import Fleet
from planner.reports.report import Report
from planner.units import format_number, format_si

_WORDS = {"matmul": "fastest matmul", "usable_memory": "usable memory"}


def _price(part: Accelerator) -> str:
    price = price_of(part)
    return "-" if price is None else _range(price.low, price.high)


def _range(low: float, high: float) -> str:
    first, last = (format_number(value, digits=4) for value in (low, high))
    return first if first == last else f"{first} to {last}"


def parts_records(fleet: Fleet) -> list[dict[str, Any]]:
    """Return one flat record a part, in base units; None where a figure is not known."""
    records = []
    for part in fleet.accelerators.values():
        price = price_of(part)
        records.append(
            {
                "id": part.id,
                "name": part.name,
                "year": part.year,
                **{f"peak_{name}_flops": part.peak.get(name) for name in accelerators.PRECISIONS},
                "memory_bytes": part.capacity,
                "bandwidth_bytes_per_s": part.bandwidth,
                "power_w": part.power,
                "price_low_usd_per_hour": price.low if price else None,
                "price_high_usd_per_hour": price.high if price else None,
                "price_date": max((quote.date for quote in current_quotes(part)), default=None),
                "count": fleet.count(part),
                "confidence": part.confidence,
            }
        )
    return records


def parts_report(fleet: Fleet) -> Report:
    """Return the table of all parts."""
    rows = []
    for part in fleet.accelerators.values():
        figures = (
            *((part.peak.get(name), 1e12) for name in accelerators.PRECISIONS),
            (part.capacity, 1e9),
            (part.bandwidth, 1e12),
            (part.power, 1.0),
        )
        cells = ("-" if value is None else f"{value / unit:.4g}" for value, unit in figures)
        count = (str(fleet.count(part) or "-"),) if fleet.counts else ()
        rows.append((part.id, *cells, _price(part), *count))
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
            "bf16, fp16, fp32: peak TFLOP/s, dense. USD/h: range of the newest quotes on demand.",
            "`planner accelerators show ID` gives source and date of every figure.",
        ),
    )


def part_record(fleet: Fleet, part: Accelerator) -> dict[str, Any]:
    """Return everything known of a part, in base units, every figure with its sources."""
    sources = accelerators.sources()
    return {
        "id": part.id,
        "name": part.name,
        "year": part.year,
        "aliases": list(part.aliases),
        "confidence": part.confidence,
        "note": part.note,
        "count": fleet.count(part),
        "figures": {
            figure: {
                "value": value,
                "unit": unit,
                "uncertain": figure in part.uncertain,
                "sources": [sources.get(key, key) for key in part.sources.get(figure, ())],
            }
            for figure, value, unit in _figures(part)
        },
        "quotes": [asdict(quote) | {"current": quote in current_quotes(part)} for quote in part.quotes],
        "utilization": [
            asdict(seen) | {"source": sources[seen.source]}
            for seen in accelerators.observations()
            if seen.part == part.id
        ],
        "assumptions": assumptions_records(fleet, part),
    }


def _figures(part: Accelerator) -> list[tuple[str, float, str]]:
    rows: list[tuple[str, float | None, str]] = [
        *((f"peak {precision}", value, "FLOP/s") for precision, value in part.peak.items()),
        ("matmul", part.matmul, "FLOP/s"),
        ("memory", part.memory, "B"),
        ("usable_memory", part.usable_memory, "B"),
        ("bandwidth", part.bandwidth, "B/s"),
        ("power", part.power, "W"),
    ]
    return [(figure, value, unit) for figure, value, unit in rows if value is not None]


def part_report(fleet: Fleet, part: Accelerator) -> Report:
    """Return one part for people: its figures, what its price comes from, what runs on it reached."""
    cited: dict[str, None] = {}
    rows = []
    for figure, value, unit in _figures(part):
        keys = part.sources.get(figure, ())
        cited |= dict.fromkeys(keys)
        doubt = ", uncertain" if figure in part.uncertain else ""
        rows.append((_WORDS.get(figure, figure) + doubt, format_si(value, unit), ", ".join(keys)))
    if (count := fleet.count(part)) is not None:
        rows.append(("count", str(count), fleet.source))
    quotes = current_quotes(part)
    for quote in quotes:
        said = " ".join(piece for piece in (quote.provider, quote.place, quote.date) if piece)
        rows.append(("USD/h", _range(quote.low, quote.high), said))
    for seen in accelerators.observations():
        if seen.part == part.id:
            cited |= {seen.source: None}
            on = f"{seen.run}, {seen.count} devices" if seen.count else seen.run
            rows.append((f"utilization, {seen.kind}", _range(seen.low, seen.high), f"{on}: {seen.source}"))
    own = [a for a in fleet.assumptions(part).values() if a.origin != "default"]
    rows += [(a.name, _range(a.low, a.high), a.source) for a in own]
    known = accelerators.sources()
    older = len(part.quotes) - len(quotes)
    notes = [
        *([part.note] if part.note else []),
        *([f"Confidence in these figures: {part.confidence}."] if part.confidence != "exact" else []),
        *([f"{older} older or other quotes: `--format json`."] if older else []),
        *(f"{key}: {known[key]}" for key in cited if key in known),
    ]
    return Report(
        title=f"{part.name} ({part.id})",
        columns=("", "value", "source"),
        rows=tuple(rows),
        notes=tuple(notes),
        words=frozenset({0, 2}),
    )


def assumptions_records(fleet: Fleet, part: Accelerator | None) -> list[dict[str, Any]]:
    """Return what a plan assumes, of any part or of one."""
    return [asdict(a) | {"low": a.low, "high": a.high} for a in _assumed(fleet, part)]


def assumptions_report(fleet: Fleet, part: Accelerator | None) -> Report:
    """Return the assumptions for people, each with its sentence and source."""
    assumed = _assumed(fleet, part)
    return Report(
        title="Assumed" + (f" of {part.id}" if part else " of every part"),
        columns=("name", "value", "unit"),
        rows=tuple((a.name, _range(a.low, a.high), a.unit) for a in assumed),
        notes=(
            *(f"{a.name}: {a.text}. Source: {a.source}." for a in assumed),
            "A range is drawn from uniformly. A fleet file sets your own.",
        ),
        words=frozenset({0, 2}),
    )


def _assumed(fleet: Fleet, part: Accelerator | None) -> list[Assumption]:
    if part is None:
        return list((assumptions.defaults() | dict(fleet.assumed)).values())
    price = price_of(part)
    return [*fleet.assumptions(part).values(), *([price] if price else [])]
