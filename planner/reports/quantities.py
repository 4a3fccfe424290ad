"""Quantities as text: medians with their intervals, counts, and filters that match nothing."""

from collections.abc import Mapping

from laws.types import Quantity
from planner.plans.quantities import ValueFormat, kind_of


def counted(n: int, what: str) -> str:
    """Return a count with its noun.

    Args:
        n: How many.
        what: The noun in the singular; its plural ends in s.

    Returns:
        Text such as `1 outcome` or `2 outcomes`.
    """
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def none_of(filters: Mapping[str, str | None], names: Mapping[str, set[str]]) -> tuple[str, ...]:
    """Return a sentence for each filter that matches nothing.

    Args:
        filters: Kind of name, such as "domain", -> the name to filter by, None for no filter.
        names: Kind of name -> the names that exist.

    Returns:
        One sentence per unknown name, with the nearest name that exists.
    """
    from planner.lawmodel.suggest import suggestion  # most answers filter by no unknown name

    return tuple(
        f"Nothing is of {kind} {name!r}{suggestion(name, sorted(names[kind]))}."
        for kind, name in filters.items()
        if name is not None and name not in names[kind]
    )


def in_brackets(key: str, quantity: Quantity | None) -> str:
    """Return the median of a quantity with its 90% interval in brackets.

    Args:
        key: The key of the quantity.
        quantity: Its posterior samples.

    Returns:
        `median (5% to 95%)`, `median (5% or more)` where the end is open; "-" stands for an unknown value,
        "never" for an infinite one.
    """
    if quantity is None or not quantity.draws:
        return "-"
    kind = kind_of(key)
    ends = quantity.interval()
    unit = quantity.unit if kind.format is ValueFormat.METRIC else ""
    low, middle, high = (
        "never" if value is None else kind.printed(value, unit) for value in (ends.q05, ends.median, ends.q95)
    )
    if quantity.spread and ends.q95 is None and ends.q05 is not None:
        return f"{middle} ({low} or more)"
    return f"{middle} ({low} to {high})" if quantity.spread and low != high else middle
