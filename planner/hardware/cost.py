"""From device-hours to dollars, kilowatt-hours and CO2e, one value per posterior sample.

The price of a device-hour is what providers quote, or what you set; the spread of the quotes is part of the
interval. Base units: US dollars, kWh, kg CO2e.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from laws.codes import WarningCode
from planner.assumptions import Assumption
from planner.hardware.accelerators import Accelerator, Quote
from planner.hardware.training import Training

YEAR = timedelta(days=365)


class Cost(NamedTuple):
    """The cost of a training, one value per posterior sample.

    Attributes:
        dollars: US dollars; None where the accelerator has no price.
        kwh: Energy; None where the accelerator has no rated power.
        kg_co2e: Greenhouse gases; None likewise.
        price: Price of a device-hour.
        warnings: Warning codes.
    """

    dollars: tuple[float, ...] | None
    kwh: tuple[float, ...] | None
    kg_co2e: tuple[float, ...] | None
    price: Assumption | None
    warnings: tuple[str, ...]


def quoted_on(quote: Quote) -> date | None:
    """Return the date of a quote, the first of its month or year where no day is given; None if undated.

    Args:
        quote: A quote, dated YYYY, YYYY-MM or YYYY-MM-DD, or not at all.

    Returns:
        The date.
    """
    year, month, day = (*quote.date.split("-"), "1", "1")[:3] if quote.date else ("", "", "")
    return date(int(year), int(month), int(day)) if year else None


def current_quotes(accelerator: Accelerator) -> tuple[Quote, ...]:
    """Return the quotes that the price is drawn from.

    Args:
        accelerator: The accelerator.

    Returns:
        Each provider's newest quote on demand, within a year of the newest of all; a price of a fleet file
        replaces them. Spot, contract and ownership prices are listed only.
    """
    offers = [quote for quote in accelerator.quotes if quote.kind in ("on-demand", "fleet")]
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


def price_of(accelerator: Accelerator) -> Assumption | None:
    """Return the price of a device-hour, every current quote equally likely; None where there is none.

    Args:
        accelerator: The accelerator.

    Returns:
        The price in US dollars per device-hour, one band per quote.
    """
    quotes = current_quotes(accelerator)
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
        text=f"price of one device-hour of {accelerator.id}",
        source=quotes[0].provider if own else f"{count}, {span}",
        origin="fleet file" if own else "quotes",
    )


def price_warnings(accelerator: Accelerator, price: Assumption | None, today: date) -> tuple[str, ...]:
    """Return the warning codes of a price: unknown, zero, or older than a year.

    Args:
        accelerator: The accelerator.
        price: Its price in US dollars per device-hour; None where it has none.
        today: Date at which a price counts as old.

    Returns:
        At most one code.
    """
    if price is None:
        return (WarningCode.PRICE_UNKNOWN,)
    if price.high == 0:
        return (WarningCode.PRICE_ZERO,)
    if price.origin in ("quotes", "fleet file"):
        days = [day for quote in current_quotes(accelerator) if (day := quoted_on(quote))]
        if days and today - max(days) > YEAR:
            return (WarningCode.PRICE_OLD,)
    return ()


def cost(training: Training, *, seed: int, today: date, price: Assumption | None = None) -> Cost:
    """Return the dollars, energy and greenhouse gases of a training.

    Energy is the rated power of the devices times the power usage effectiveness. Hosts and network are left
    out, and devices rarely draw their full rating, so the two errors have opposite signs.

    Args:
        training: The training.
        seed: Seed of the assumptions.
        today: Date at which a price counts as old.
        price: Price of a device-hour; None for the quotes. A price of zero is owned hardware, which still
            takes energy.

    Returns:
        The cost, one value per posterior sample.
    """
    accelerator = training.accelerator
    price = price or price_of(accelerator)
    hours = training.gpu_hours
    warnings = price_warnings(accelerator, price, today)
    dollars = None if price is None else _times(hours, price.draws(len(hours), seed))
    if accelerator.power is None:
        return Cost(
            dollars=dollars,
            kwh=None,
            kg_co2e=None,
            price=price,
            warnings=(*warnings, WarningCode.POWER_UNKNOWN),
        )
    overhead = training.assumed["power_usage_effectiveness"].draws(len(hours), seed)
    kwh = _times(hours, [accelerator.power / 1000.0 * share for share in overhead])
    carbon = training.assumed["carbon_intensity"].draws(len(hours), seed)
    return Cost(dollars=dollars, kwh=kwh, kg_co2e=_times(kwh, carbon), price=price, warnings=warnings)


def _times(amounts: Sequence[float], rates: Sequence[float]) -> tuple[float, ...]:
    # zero times infinity is zero here: owned hardware costs no dollars even where a target is never reached
    return tuple(a * b if b else 0.0 for a, b in zip(amounts, rates, strict=True))
