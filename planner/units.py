"""Parse and format quantities.

Base units are those of `laws/types.py`: fractions, seconds, dollars, device-hours, and data in its law's
unit. Nothing depends on the locale: `1'340`, `1 340` and `1,340.5` can be read in one way only and are read;
`1,340` could be two numbers and is an error, never a guess. Every `format_*` prints text that its `parse_*`
reads back to the printed digits.
"""

import itertools
import math
import re
from collections.abc import Mapping
from datetime import date

from laws.errors import InputError, PlannerError

_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*(.*?)\s*")

SUFFIXES: Mapping[str, float] = {
    "": 1.0,
    "k": 1e3,
    "K": 1e3,
    "M": 1e6,
    "G": 1e9,
    "B": 1e9,
    "T": 1e12,
    "P": 1e15,
    "E": 1e18,
    "Z": 1e21,
    "thousand": 1e3,
    "million": 1e6,
    "billion": 1e9,
    "trillion": 1e12,
    "b": 1e9,
    "bn": 1e9,
    "t": 1e12,
    "tn": 1e12,
}
SECONDS: Mapping[str, float] = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PRINTED_SUFFIXES = (("T", 1e12), ("B", 1e9), ("M", 1e6), ("k", 1e3))
_SECOND_WORDS: Mapping[str, str] = {
    "s": "s", "sec": "s", "secs": "s", "second": "s", "seconds": "s",
    "m": "m", "min": "m", "mins": "m", "minute": "m", "minutes": "m",
    "h": "h", "hr": "h", "hrs": "h", "hour": "h", "hours": "h",
    "d": "d", "day": "d", "days": "d",
    "w": "w", "week": "w", "weeks": "w",
}  # fmt: skip


# Hours of a data set are hours of audio: the one unit whose name could also mean compute.
AUDIO_UNIT = "hours"
_LABEL = re.compile(r"\s*(?:1\s+)?(?:label|annotation|item)s?\s*", re.IGNORECASE)  # one unit of the data
_AUDIO_SPELLINGS = frozenset({"h", "hr", "hrs", "hour", "hours", "hours of audio"})


# what separates groups of three digits, besides a comma or a point
_GROUP_MARKS = "'\u2019 \u00a0\u2009\u202f"
_WRITTEN = re.compile(rf"[0-9]+(?:[,.{_GROUP_MARKS}][0-9]+)+")
_GROUPED = re.compile(rf"[0-9]{{1,3}}(?:([{_GROUP_MARKS}])[0-9]{{3}})(?:\1[0-9]{{3}})*(?:[.,][0-9]+)?")
POINT, COMMA, EITHER = ".", ",", "?"


def decimal_mark(text: str) -> str:
    """Return which character separates the decimals of a number.

    Args:
        text: Text that holds one number, such as `1.340,5 hours`.

    Returns:
        `POINT` or `COMMA` where only one of them can; `EITHER` for `1,340`; "" where nothing tells.
    """
    match = _WRITTEN.search(text)
    if match is None:
        return ""
    marks = re.sub(rf"[0-9{_GROUP_MARKS}]", "", match[0])
    if not marks:
        return ""
    if len(set(marks)) == 2 or re.search(rf"[{_GROUP_MARKS}]", match[0]):
        return marks[-1]
    if len(marks) > 1:  # thousands have groups, decimals one mark
        return COMMA if marks[0] == POINT else POINT
    if marks == COMMA and re.fullmatch(r"[1-9][0-9]{0,2},[0-9]{3}", match[0]):
        return EITHER
    return marks


def plain_digits(text: str, mark: str = "") -> str:
    """Return text with its number as digits and a point: `1'340` is `1340`, `30,5%` is `30.5%`.

    Args:
        text: Text that holds one number.
        mark: Which character separates decimals, where that is known.

    Returns:
        The text, unchanged where its number cannot be read in one way.
    """
    match = _WRITTEN.search(text)
    if match is None:
        return text
    number = match[0]
    mark = mark or decimal_mark(text)
    if mark == EITHER:
        return text
    groups = COMMA if mark == POINT else POINT
    grouped = rf"[0-9]{{1,3}}(?:\{groups}[0-9]{{3}})+(?:\{mark}[0-9]+)?"
    if mark and re.fullmatch(grouped, number):
        number = number.replace(groups, "")
    elif _GROUPED.fullmatch(number):
        number = re.sub(rf"[{_GROUP_MARKS}]", "", number)
    elif not mark or not re.fullmatch(rf"[0-9]+\{mark}[0-9]+", number):
        return text
    return text[: match.start()] + number.replace(COMMA, POINT) + text[match.end() :]


def _unreadable(text: str, expected: str) -> InputError:
    note = ""
    if decimal_mark(text) == EITHER:
        number = _WRITTEN.search(text)
        digits = number[0] if number else ""
        note = f"; {digits} could be {digits.replace(',', '')} or {digits.replace(',', '.')}"
    elif "," in text:
        note = "; a point separates decimals"
    return InputError(
        f"cannot read {text.strip()!r}: expected {expected}{note}",
        code="unreadable-quantity",
        value=text,
        expected=expected,
    )


def _split(text: str, expected: str) -> tuple[float, str]:
    match = _QUANTITY.fullmatch(plain_digits(text))
    if match is None or not math.isfinite(float(match[1])):
        raise _unreadable(text, expected)
    return float(match[1]), match[2]


def parse_number(text: str, *, expected: str = "a number such as 300M, 1e21 or 10k") -> float:
    """Parse a plain number with an optional suffix.

    Args:
        text: Such as `300M`; the suffixes are k, M, B or G, T, P, E, Z, b, t, or the word.
        expected: What to say that was expected.

    Returns:
        The number.

    Raises:
        InputError: The text is not such a number ("unreadable-quantity").
    """
    value, suffix = _split(text, expected)
    factor = SUFFIXES.get(suffix, SUFFIXES.get(suffix.lower()) if len(suffix) > 3 else None)
    if factor is None or not math.isfinite(value * factor):
        note = " (M is a million; m is not)" if suffix == "m" else ""
        raise _unreadable(text, expected + note)
    return _exact(value * factor)


def _exact(value: float) -> float:
    """Return what the decimal text means: 12.3 / 100 is 0.123, without the last binary digit's error."""
    return float(f"{value:.15g}")


def parse_fraction(
    text: str, *, expected: str = "a percentage such as 5% or a fraction such as 0.05"
) -> float:
    """Parse `5%`, `5 %` or `0.05` as 0.05.

    Args:
        text: A percentage or a fraction.
        expected: What to say that was expected.

    Returns:
        The fraction.

    Raises:
        InputError: The text is neither ("unreadable-quantity").
    """
    value, suffix = _split(text, expected)
    if suffix not in ("", "%"):
        raise _unreadable(text, expected)
    return _exact(value / 100) if suffix else value


def parse_value(text: str, *, expected: str = "a number such as 0.05, 5% or 2.48") -> float:
    """Parse the value of a metric whose unit is unknown.

    Args:
        text: `5%` is 0.05, anything else a plain number.
        expected: What to say that was expected.

    Returns:
        The value.

    Raises:
        InputError: The text is not a number ("unreadable-quantity").
    """
    parse = parse_fraction if text.rstrip().endswith("%") else parse_number
    return parse(text, expected=expected)


def parse_metric(text: str, unit: str, *, metric: str) -> float:
    """Parse the value of a metric.

    Args:
        text: A number; a percentage only where the metric is a fraction.
        unit: Unit of the metric, "fraction" for rates, "" for none.
        metric: Name of the metric, for messages.

    Returns:
        The value in base units.

    Raises:
        InputError: The text is not such a value ("unreadable-quantity").
    """
    if unit == "fraction":
        expected = f"{metric} as a percentage such as 5% or a fraction such as 0.05"
        return parse_fraction(text, expected=expected)
    if text.rstrip().endswith("%") and not unit:
        raise _unreadable(text, f"{metric} as a number such as 2.48; a rate has the unit fraction")
    return parse_number(text, expected=f"{metric}{f' in {unit}' if unit else ''}, such as 2.48")


def checked_target(target: float, metric: str, unit: str, *, written: str = "") -> float:
    """Return a target, or refuse one that no law can reach or mean.

    Args:
        target: The value to reach.
        metric: Name of the metric.
        unit: Unit of the metric.
        written: The text that was typed.

    Returns:
        The target.

    Raises:
        InputError: It is not positive, or a rate of 100% or more ("impossible-target").
    """
    shown = format_metric(target, unit)
    if not target > 0:
        raise InputError(
            f"target {metric} {shown}: expected more than 0, which no finite data set reaches",
            code="impossible-target",
            value=target,
        )
    if unit == "fraction" and target >= 1:
        percent = target < 100 and not written.rstrip().endswith("%")
        note = f"; for {target:g} percent write {target:g}%" if percent else ""
        raise InputError(
            f"target {metric} {shown}: expected a rate below 100%{note}",
            code="impossible-target",
            value=target,
        )
    return target


def is_compute(word: str) -> bool:
    """Return whether a unit counts device-hours, which are compute and not data.

    Args:
        word: Name of a unit, in any case.

    Returns:
        True for device-hours and GPU-hours.
    """
    return word.lower().startswith(("gpu", "device"))


def unit_of_data(text: str) -> str:
    """Return the name of a unit of data: any spelling of hours of audio is `hours`.

    Args:
        text: Name of a unit.

    Returns:
        `hours` for hours of audio, else the text as it is.
    """
    return AUDIO_UNIT if text.strip().lower() in _AUDIO_SPELLINGS else text


def parse_data(text: str, unit: str) -> float:
    """Parse an amount of data.

    Args:
        text: Such as `10k`, `10000h` or `2.5M words`. Hours of audio are `h`, `hours` or `hours of audio`, or
            any duration such as `10 minutes`; device-hours are not data.
        unit: The unit of the law's data.

    Returns:
        The amount in `unit`.

    Raises:
        InputError: The text has another unit, or is not an amount ("unreadable-quantity").
    """
    example = "10000h" if unit == AUDIO_UNIT else f"10M {unit}"
    expected = f"an amount of data in {unit}, such as {example}"
    value, rest = _split(text, expected)
    words = rest.split(maxsplit=1)
    if rest in SUFFIXES:
        return parse_number(text, expected=expected)
    suffix, name = ("", rest) if words[0] not in SUFFIXES else (words[0], words[1])
    names = {unit, unit.removesuffix("s")}
    if unit == AUDIO_UNIT:
        names |= {"h", "hour of audio", "hours of audio", "audio-hours"}
    if rest == "m":
        expected += " (10M is ten million, 10 min ten minutes; 10m could be either)"
    # not days and weeks: a day of recordings could be 24 hours or a working day
    initials = {word[0].lower() for word in re.findall("[A-Za-z]+", rest)}
    if unit in _SECOND_WORDS and rest != "m" and not initials & {"d", "w"}:
        seconds = _seconds(text)
        if seconds is not None:
            return _exact(seconds / SECONDS[_SECOND_WORDS[unit]])
    # "10kh" is not read: a suffix without a space before the unit is a guess
    if name not in names:
        note = "; GPU-hours are compute, not data" if is_compute(name) else ""
        raise _unreadable(text, f"{expected}{note}")
    return parse_number(f"{value!r}{suffix}", expected=expected)


def parse_duration(text: str) -> float:
    """Parse a duration.

    Args:
        text: Such as `30d`, `36h`, `5m`, `1h30m` or `90 s`; a bare number has no unit and is an error.

    Returns:
        Seconds.

    Raises:
        InputError: The text is not a duration ("unreadable-quantity").
    """
    seconds = _seconds(text)
    if seconds is None:
        note = "; GPU-hours are not a duration" if "gpu" in text.lower() else ""
        raise _unreadable(text, f"a duration such as 30d, 36h, 5m or 1h30m{note}")
    return seconds


def _seconds(text: str) -> float | None:
    """Return a duration in seconds; None for text that is not one."""
    text = plain_digits(text)
    parts = re.findall(rf"\s*({_NUMBER})\s*([A-Za-z]+)\s*", text)
    if re.fullmatch(rf"(?:\s*{_NUMBER}\s*[A-Za-z]+\s*)+", text) is None:
        return None
    # 5M is five million
    words = [_SECOND_WORDS.get(word if word == "M" else word.lower()) for _, word in parts]
    if None in words:
        return None
    seconds = sum(float(value) * SECONDS[word or ""] for (value, _), word in zip(parts, words, strict=True))
    return seconds if math.isfinite(seconds) else None


# What a shell leaves of $50k, $5000, $1.2M and $2M without single quotes: 0k, 000, .2M and M.
_LEFT_BY_SHELL = re.compile(r"0+[kKMBT]|0[0-9]|\.|[kKMBT]?$")


def parse_money(text: str) -> float:
    """Parse an amount of US dollars.

    Args:
        text: Such as `$50k`, `$50,000`, `50k` or `50000 USD`.

    Returns:
        US dollars.

    Raises:
        InputError: The text is not an amount of dollars ("unreadable-quantity").
    """
    expected = "US dollars such as $50k"
    stripped = text.strip()
    if _LEFT_BY_SHELL.match(stripped):
        raise _unquoted(text, "'$50k'")
    is_dollars = stripped.startswith("$")
    amount = stripped.removeprefix("$") if is_dollars else stripped.removesuffix("USD")
    if any(sign in text for sign in "€£¥"):
        expected += "; convert other currencies first"
    try:
        # dollars are written with commas between thousands
        return parse_number(plain_digits(amount, POINT) if is_dollars else amount)
    except PlannerError:
        raise _unreadable(text, expected) from None


def _unquoted(text: str, example: str) -> InputError:
    """Return the error for an amount of dollars that a shell has cut: to it, $5 of $50k is a variable."""
    return InputError(
        f"cannot read {text.strip()!r}: expected US dollars in single quotes, such as {example}, because a "
        "shell replaces $ and the digit after it",
        code="unreadable-quantity",
        value=text,
        expected=f"US dollars such as {example}",
    )


def parse_data_price(text: str, unit: str) -> float:
    """Parse a price of data.

    Args:
        text: Such as `$12/hour`, `$3/1M tokens`, or `$0.50/label` of data that is labeled one by one.
        unit: The unit of the law's data.

    Returns:
        US dollars per unit of data.

    Raises:
        InputError: The text is not such a price ("unreadable-quantity").
    """
    expected = f"US dollars for an amount of data, such as $12/{unit.removesuffix('s')}"
    money, slash, amount = text.partition("/")
    if slash and "$" not in money and "USD" not in money:
        raise _unquoted(text, f"'$12/{unit.removesuffix('s')}'")
    if not slash or not amount.strip():
        raise _unreadable(text, _price_of_unit(money, unit) or expected)
    if unit not in (AUDIO_UNIT, "tokens") and _LABEL.fullmatch(amount):
        amount = unit
    try:
        units = parse_data(amount if re.match(r"\s*[0-9.]", amount) else f"1 {amount.strip()}", unit)
        price = parse_money(money)
    except PlannerError:
        raise _unreadable(text, expected) from None
    if units <= 0 or not 0 <= price < math.inf or not math.isfinite(price / units):
        raise _unreadable(text, expected)
    return price / units


def _price_of_unit(money: str, unit: str) -> str:
    """Return what is expected in place of a price that names no amount of data; "" where it is no price."""
    try:
        parse_money(money)
    except PlannerError:
        return ""
    dollars = money.strip() if "$" in money else f"${money.strip()}"
    return f"US dollars for an amount of data, such as '{dollars}/{unit.removesuffix('s')}'"


def parse_day(text: str, *, expected: str = "a date such as 2027-03-01") -> date:
    """Parse a date.

    Args:
        text: A date as YYYY-MM-DD.
        expected: What to say that was expected.

    Returns:
        The date.

    Raises:
        InputError: The text is not a date ("unreadable-quantity").
    """
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise _unreadable(text, expected) from None


def parse_deadline(text: str, today: date) -> float:
    """Parse a deadline.

    Args:
        text: A duration such as `30d` or `1 month`, or a date such as `2027-03-01`.
        today: The date to count from, the start of the plan.

    Returns:
        Days from that date, more than 0.

    Raises:
        InputError: The text is neither ("unreadable-quantity"), or not in the future ("past-deadline").
    """
    if re.fullmatch(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}\s*", text):
        expected = "a date such as 2027-03-01, or a duration such as 30d"
        days = float((parse_day(text, expected=expected) - today).days)
        if days <= 0:
            raise InputError(
                f"deadline {text.strip()}: expected a date after {today}, when the plan starts",
                code="past-deadline",
                value=text,
            )
        return days
    if re.fullmatch(r"\s*[0-9.]+\s*m\s*", text):
        raise _unreadable(text, "a deadline such as '3 months' or 90d (m is minutes)")
    months = re.fullmatch(r"\s*([0-9]{1,3})\s*(?:months?|mo)\s*", text)
    days = _days_of_months(today, int(months[1])) if months else parse_duration(text) / SECONDS["d"]
    if days <= 0:
        raise InputError(
            f"deadline {text.strip()}: expected a duration above 0, such as 30d",
            code="past-deadline",
            value=text,
        )
    return days


def _days_of_months(today: date, months: int) -> float:
    """Return the days until the same day of a later month, or the last day of a shorter one."""
    year, month = divmod(today.year * 12 + today.month - 1 + months, 12)
    for day in range(today.day, 0, -1):
        try:
            return float((date(year, month + 1, day) - today).days)
        except ValueError:  # the month is shorter
            continue
    raise AssertionError("every month has a first day")


def parse_probability(text: str) -> float:
    """Parse a probability.

    Args:
        text: Such as `80%` or `0.8`.

    Returns:
        The probability, between 0 and 1, both excluded.

    Raises:
        InputError: The text is not such a probability ("unreadable-quantity").
    """
    expected = "a probability above 0% and below 100%, such as 80%"
    value = parse_fraction(text, expected=expected)
    if not 0 < value < 1:
        raise _unreadable(text, expected)
    return value


def parse_gpu_hours(text: str) -> float:
    """Parse device-hours.

    Args:
        text: Such as `5000`, `5k` or `5k GPU-hours`; a plain `h` is an error, since it could be audio.

    Returns:
        Device-hours.

    Raises:
        InputError: The text is not such an amount ("unreadable-quantity").
    """
    amount = re.sub(r"\s*gpu[- ]?(hours?|h)\s*$", "", text, flags=re.IGNORECASE)
    try:
        return parse_number(amount)
    except PlannerError:
        raise _unreadable(text, "GPU-hours such as 5000, 5k or '5k GPU-hours'") from None


def parse_budget(text: str) -> tuple[float, str]:
    """Parse the budget of a measurement.

    Args:
        text: Such as `1e17`, `1e17 FLOP`, `30m` or `5 GPU-hours`.

    Returns:
        The amount, and its unit: "FLOP", "seconds" or "GPU-seconds".

    Raises:
        InputError: The text is none of these ("unreadable-quantity").
    """
    if re.search(r"gpu", text, re.IGNORECASE):
        return SECONDS["h"] * parse_gpu_hours(text), "GPU-seconds"
    flops = re.fullmatch(rf"\s*({_NUMBER}\s*[A-Z]?)\s*(FLOPs?|flops?)?\s*", text)
    if flops:
        return parse_number(flops[1].replace(" ", "")), "FLOP"
    try:
        return parse_duration(text), "seconds"
    except PlannerError:
        raise _unreadable(text, "a time such as 30m, FLOP such as 1e17, or '5 GPU-hours'") from None


def format_number(value: float, *, digits: int = 3) -> str:
    """Format a number to `digits` significant digits: 870, 12.5k, 300M, 1.2e21.

    Args:
        value: The number.
        digits: Significant digits.

    Returns:
        The number with a suffix (k, M, ...) or an exponent; ∞ for infinity.
    """
    if not math.isfinite(value):
        return "∞" if value > 0 else "-∞"
    rounded = float(f"{value:.{digits - 1}e}")
    for suffix, factor in _PRINTED_SUFFIXES:
        if factor <= abs(rounded) < 1e15:
            return _decimal(rounded / factor, digits) + suffix
    return _decimal(rounded, digits)


def format_flops(value: float, *, digits: int = 3) -> str:
    """Format FLOP in powers of ten, as papers do: 1.2e21.

    Args:
        value: FLOP.
        digits: Significant digits.

    Returns:
        The number, without a unit.
    """
    if not math.isfinite(value) or value == 0:
        return format_number(value)
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{_trim(mantissa)}e{int(exponent)}"


def _decimal(value: float, digits: int) -> str:
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    if value == 0 or -4 <= int(exponent) < 6:
        return _trim(f"{value:.{max(digits - 1 - int(exponent), 0)}f}")
    return f"{_trim(mantissa)}e{int(exponent)}"


def _trim(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def format_fraction(value: float, *, digits: int = 3) -> str:
    """Format 0.05 as `5%`.

    Args:
        value: A fraction; 1 is 100%.
        digits: Significant digits.

    Returns:
        The percentage.
    """
    return f"{_decimal(100 * value, digits)}%"


DIMENSIONLESS = "choices"  # as records call the unit of perplexity, which has none


def format_metric(value: float, unit: str, *, digits: int = 3) -> str:
    """Format the value of a metric: fractions as percentages, everything else as a number with its unit.

    Args:
        value: Value of the metric.
        unit: Its unit as records have it, such as `fraction`.
        digits: Significant digits.

    Returns:
        The value with its unit.
    """
    if unit == "fraction":
        return format_fraction(value, digits=digits)
    if unit == DIMENSIONLESS:
        unit = ""
    return f"{format_number(value, digits=digits)} {unit}".rstrip()


def data_in_words(unit: str) -> str:
    """Return the name of a unit of data for people: hours are hours of audio.

    Args:
        unit: Unit of data as records have it.

    Returns:
        The name.
    """
    return "hours of audio" if unit == AUDIO_UNIT else unit


def format_data(value: float, unit: str, *, digits: int = 3) -> str:
    """Format an amount of data with its unit.

    Args:
        value: The amount, in `unit`.
        unit: Unit of data as records have it.
        digits: Significant digits.

    Returns:
        The amount with the unit's name for people.
    """
    number = format_number(value, digits=digits)
    return "1 hour of audio" if (number, unit) == ("1", AUDIO_UNIT) else f"{number} {data_in_words(unit)}"


def format_count(value: float, *, digits: int = 3) -> str:
    """Format a number as prose does: 8,000 and 317,000, from a million on 3.4M.

    Args:
        value: The number.
        digits: Significant digits.

    Returns:
        The number.
    """
    rounded = float(f"{value:.{digits - 1}e}") if math.isfinite(value) else value
    return f"{rounded:,.0f}" if 1000 <= abs(rounded) < 1e6 else format_number(value, digits=digits)


def format_amount(value: float, unit: str, *, digits: int = 3) -> str:
    """Format an amount of data for a table: `8,000 h`, `1.4T tokens`.

    Args:
        value: The amount, in `unit`.
        unit: Unit of data as records have it.
        digits: Significant digits.

    Returns:
        The amount with its unit.
    """
    return f"{format_count(value, digits=digits)} {'h' if unit == AUDIO_UNIT else unit}"


def format_duration(seconds: float) -> str:
    """Format seconds in the largest unit that fits at least once: 36 hours are `1.5d`.

    Args:
        seconds: A duration of at least 0.

    Returns:
        The duration to 3 significant digits, in s, m, h or d.
    """
    for unit in ("d", "h", "m"):
        if seconds >= SECONDS[unit]:
            return f"{_decimal(seconds / SECONDS[unit], 3)}{unit}"
    return f"{_decimal(seconds, 3)}s"


def duration_in_words(seconds: float) -> str:
    """Print seconds for people, in the two largest units: `3.4 s`, `2 min 5 s`, `3 h 20 min`, `2 d 4 h`.

    Args:
        seconds: A duration, finite and not negative.

    Returns:
        The duration, rounded to the smaller unit.
    """
    if seconds < 9.95:
        return f"{_decimal(seconds, 2)} s"
    names = (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1))
    for (large, size), (small, part) in itertools.pairwise(names):
        count, rest = divmod(round(seconds / part) * part, size)
        if count:
            return f"{count:.0f} {large}" + (f" {rest / part:.0f} {small}" if rest else "")
    return f"{seconds:.0f} s"


def format_money(dollars: float) -> str:
    """Format US dollars: `$50k`.

    Args:
        dollars: US dollars.

    Returns:
        The amount to 3 significant digits.
    """
    return f"${format_number(dollars)}"


def format_gpu_hours(hours: float) -> str:
    """Format device-hours with a name that hours of audio do not have: `5k GPU-hours`.

    Args:
        hours: Device-hours.

    Returns:
        The amount to 3 significant digits, with its unit.
    """
    return f"{format_number(hours)} GPU-hours"


def format_si(value: float, unit: str, *, digits: int = 3) -> str:
    """Format a physical quantity with an SI prefix: `989 TFLOP/s`, `80 GB`; no parser reads it.

    Args:
        value: The quantity, in `unit`.
        unit: Unit without a prefix, such as `FLOP/s`.
        digits: Significant digits.

    Returns:
        The number, prefix and unit; only the number where it is infinite.
    """
    if not math.isfinite(value):
        return format_number(value)
    rounded = float(f"{value:.{digits - 1}e}")
    for prefix, factor in (("E", 1e18), ("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        # data sheets give peaks in TFLOP/s up to several thousand
        if abs(rounded) >= factor * (10 if unit == "FLOP/s" and prefix in "EP" else 1):
            return f"{_decimal(rounded / factor, digits)} {prefix}{unit}".rstrip()
    return f"{_decimal(rounded, digits)} {unit}".rstrip()
