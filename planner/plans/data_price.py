"""The price of data that you do not have yet: one price, or tiers that change with the amount."""

import math
import re
from typing import NamedTuple

from laws.errors import InputError
from planner import units

_NEXT_TIER = re.compile(r"\s*(?:,|;|\bthen\b)+\s*(?:then\b\s*)?", re.IGNORECASE)
_END_OF_TIER = re.compile(r"\s+up\s+to\s+", re.IGNORECASE)


class Tier(NamedTuple):
    """One price, and the amount of data up to which it is paid."""

    end: float  # in the law's unit of data, counted from the first unit that is bought
    price: float  # dollars per unit


class DataPrice(NamedTuple):
    """The tiers of a price, by increasing amount; the last one has no end."""

    tiers: tuple[Tier, ...]

    @property
    def is_free(self) -> bool:
        """Return whether no amount of data costs anything."""
        return all(tier.price == 0 for tier in self.tiers)

    def cost(self, amount: float) -> float:
        """Return the dollars for an amount of data.

        Args:
            amount: Data to buy, in the law's unit; may be infinite.

        Returns:
            Dollars.
        """
        dollars, start = 0.0, 0.0
        for tier in self.tiers:
            in_tier = min(amount, tier.end) - start
            if in_tier <= 0:
                break
            dollars += tier.price * in_tier if tier.price else 0.0
            start = tier.end
        return dollars

    def amount_for(self, budget: float) -> float:
        """Return the data that a budget buys.

        Args:
            budget: Dollars.

        Returns:
            Data in the law's unit; infinite where more of it costs nothing.
        """
        start, left = 0.0, budget
        for tier in self.tiers:
            full = tier.price * (tier.end - start) if tier.price else 0.0
            if full > left:
                return start + left / tier.price
            start, left = tier.end, left - full
        return math.inf


def parse_data_price(text: str, unit: str) -> DataPrice:
    """Parse a price of data, with or without tiers.

    Args:
        text: Such as `$12/hour`, or `$50/hour up to 1000h, then $90/hour`.
        unit: The unit of the law's data.

    Returns:
        The price.

    Raises:
        InputError: The text is not such a price ("unreadable-quantity"), or its tiers do not increase
            ("wrong-tiers").
    """
    pieces = _NEXT_TIER.split(text.strip()) if _END_OF_TIER.search(text) else [text]
    tiers: list[Tier] = []
    for number, piece in enumerate(pieces, start=1):
        price, *ends = _END_OF_TIER.split(piece)
        end = units.parse_data(ends[0], unit) if ends else math.inf
        if len(ends) > 1 or (end == math.inf) != (number == len(pieces)) or (tiers and end <= tiers[-1].end):
            raise InputError(
                f"data price {text.strip()!r}: expected every tier but the last to end, each at more data, "
                f"such as '$50/{unit.removesuffix('s')} up to 1000, then $90/{unit.removesuffix('s')}'",
                code="wrong-tiers",
                value=text,
            )
        tiers.append(Tier(end=end, price=units.parse_data_price(price, unit)))
    return DataPrice(tiers=tuple(tiers))


def parse_data_rate(text: str, unit: str) -> float:
    """Parse the pace at which data arrives.

    Args:
        text: Such as `200h/week`, `1000 examples per day` or `5k/month`.
        unit: The unit of the law's data.

    Returns:
        Data per day, in the law's unit.

    Raises:
        InputError: The text is not such a pace ("unreadable-quantity"), or not above 0 ("not-positive").
    """
    amount, _, period = re.sub(r"\s+(?:per|a)\s+", "/", text.strip()).partition("/")
    days = _DAYS.get(period.strip().lower())
    if days is None or not amount.strip():
        example = "200h/week" if unit == units.AUDIO_UNIT else f"1000 {unit}/week"
        expected = f"data per day, week, month or year, such as {example}"
        raise InputError(
            f"cannot read {text.strip()!r}: expected {expected}",
            code="unreadable-quantity",
            value=text,
            expected=expected,
        )
    rate = units.parse_data(amount, unit) / days
    if rate <= 0:
        raise InputError(f"data rate {text.strip()}: expected more than 0", code="not-positive", value=text)
    return rate


_DAYS = {"hour": 1 / 24, "day": 1.0, "d": 1.0, "week": 7.0, "w": 7.0, "month": 365.25 / 12, "year": 365.25}
