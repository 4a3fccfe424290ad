"""From device-hours to dollars, kilowatt-hours and CO2e, draw by draw.

The price of a device-hour is what providers quoted, or what the user says; how far quotes differ is part of
the interval. Base units: US dollars, kWh, kg CO2e.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from laws.codes import WarningCode
from planner.assumptions import Assumption
from planner.hardware.accelerators import Accelerator, Quote
from planner.hardware.training import Training

YEAR = timedelta(days=365)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a training costs, draw by draw; None where the part has no price or no rated power."""

    dollars: tuple[float, ...] | None
    kwh: tuple[float, ...] | None
    kg_co2e: tuple[float, ...] | None
    price: Assumption | None
    warnings: tuple[str, ...]


def quoted_on(quote: Quote) -> date | None:
    """Return the day of a quote, the first of its month or year if no more is known, None if undated."""
    year, month, day = (*quote.date.split("-"), "1", "1")[:3] if quote.date else ("", "", "")
    return date(int(year), int(month), int(day)) if year else None


def current_quotes(part: Accelerator) -> tuple[Quote, ...]:
    """Return the quotes a price is drawn from: each provider's newest, within a year of the newest of all.

    Only hours on demand count; a fleet file's own price stands alone. Spot, contract and ownership figures
    are kept for reading.
    """
    offers = [quote for quote in part.quotes if quote.kind in ("on-demand", "fleet")]
    dated = {quote: quoted_on(quote) or date.max for quote in offers}
    if not dated:
        return ()
    newest_of = {
        provider: max(day for quote, day in dated.items() if quote.provider == provider)
        for provider in {quote.provider for quote in offers}
    }
    newest = max(newest_of.values())
    return tuple(
        quote for quote, day in dated.items() if day == newest_of[quote.provider] and day > newest - YEAR
    )


def price_of(part: Accelerator) -> Assumption | None:
    """Return the price of a device-hour: every current quote equally likely; None where there is none."""
    quotes = current_quotes(part)
    if not quotes:
        return None
    own = quotes[0].kind == "fleet"
    days = sorted(quote.date for quote in quotes)
    span = days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
    count = "1 quote" if len(quotes) == 1 else f"{len(quotes)} quotes"
    return Assumption(
        name="price",
        bands=tuple((quote.low, quote.high) for quote in quotes),
        unit="USD/device-hour",
        text=f"price of one device-hour of {part.id}",
        source=quotes[0].provider if own else f"{count}, {span}",
        origin="fleet file" if own else "quotes",
    )


def price_warnings(part: Accelerator, price: Assumption | None, today: date) -> tuple[str, ...]:
    """Return what a reader has to know of a price: unknown, zero, older than a year."""
    if price is None:
        return (WarningCode.PRICE_UNKNOWN,)
    if price.high == 0:
        return (WarningCode.PRICE_ZERO,)
    if price.origin in ("quotes", "fleet file"):
        days = [day for quote in current_quotes(part) if (day := quoted_on(quote))]
        if days and today - max(days) > YEAR:
            return (WarningCode.PRICE_OLD,)
    return ()


def cost(training: Training, *, seed: int, today: date, price: Assumption | None = None) -> Cost:
    """Price a training: dollars, energy and greenhouse gases of each draw.

    `price` replaces the part's quotes. A price of zero is owned hardware: no dollars, but still energy.
    Energy is the rated power of the devices times the power usage effectiveness; hosts and network are left
    out, and devices seldom draw their full rating, so the two errors have opposite signs.
    """
    part = training.accelerator
    price = price or price_of(part)
    hours = training.gpu_hours
    warnings = price_warnings(part, price, today)
    dollars = None if price is None else _times(hours, price.draws(len(hours), seed))
    if part.power is None:
        return Cost(
            dollars=dollars,
            kwh=None,
            kg_co2e=None,
            price=price,
            warnings=(*warnings, WarningCode.POWER_UNKNOWN),
        )
    overhead = training.assumed["power_usage_effectiveness"].draws(len(hours), seed)
    kwh = _times(hours, [part.power / 1000.0 * share for share in overhead])
    carbon = training.assumed["carbon_intensity"].draws(len(hours), seed)
    return Cost(dollars=dollars, kwh=kwh, kg_co2e=_times(kwh, carbon), price=price, warnings=warnings)


def _times(amounts: Sequence[float], each: Sequence[float]) -> tuple[float, ...]:
    # nothing times infinity is nothing: owned hardware costs no dollars even where a target is never reached
    return tuple(a * b if b else 0.0 for a, b in zip(amounts, each, strict=True))
