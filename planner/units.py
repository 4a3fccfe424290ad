"""The one door for numbers in and out: what people write becomes base units, and base units become text.

Base units are those of `laws/types.py`: fractions, seconds, dollars, device-hours, and data in the unit that
its law names. Nothing depends on the locale: a point separates decimals; a comma is refused, never guessed.
Every `format_*` prints what its `parse_*` reads back to the printed digits.
"""

import math
import re
from collections.abc import Mapping
from datetime import date

from laws.errors import PlannerError

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
}
SECONDS: Mapping[str, float] = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PRINTED = (("T", 1e12), ("B", 1e9), ("M", 1e6), ("k", 1e3))
_SECOND_WORDS: Mapping[str, str] = {
    "s": "s", "sec": "s", "second": "s", "seconds": "s",
    "m": "m", "min": "m", "minute": "m", "minutes": "m",
    "h": "h", "hour": "h", "hours": "h",
    "d": "d", "day": "d", "days": "d",
    "w": "w", "week": "w", "weeks": "w",
}  # fmt: skip


def _refuse(text: str, expected: str) -> PlannerError:
    hint = "; a point separates decimals and nothing separates thousands" if "," in text else ""
    return PlannerError(f"cannot read {text.strip()!r}: expected {expected}{hint}")


def _split(text: str, expected: str) -> tuple[float, str]:
    found = _QUANTITY.fullmatch(text)
    if found is None or not math.isfinite(float(found[1])):
        raise _refuse(text, expected)
    return float(found[1]), found[2]


def parse_number(text: str, *, expected: str = "a number such as 300M, 1e21 or 10k") -> float:
    """Read a plain number with an optional suffix (k, M, B or G, T, P, E, Z, or the word)."""
    value, suffix = _split(text, expected)
    factor = SUFFIXES.get(suffix)
    if factor is None or not math.isfinite(value * factor):
        hint = " (M is a million; m is not)" if suffix == "m" else ""
        raise _refuse(text, expected + hint)
    return _exact(value * factor)


def _exact(value: float) -> float:
    """Return what the decimal text means: 12.3 / 100 is 0.123, without the last binary digit's error."""
    return float(f"{value:.15g}")


def parse_fraction(
    text: str, *, expected: str = "a percentage such as 5% or a fraction such as 0.05"
) -> float:
    """Read `5%`, `5 %` or `0.05` as 0.05."""
    value, suffix = _split(text, expected)
    if suffix not in ("", "%"):
        raise _refuse(text, expected)
    return _exact(value / 100) if suffix else value


def parse_value(text: str, *, expected: str = "a number such as 0.05, 5% or 2.48") -> float:
    """Read a value of a metric whose unit nobody says: `5%` as 0.05, anything else as a plain number."""
    parse = parse_fraction if text.rstrip().endswith("%") else parse_number
    return parse(text, expected=expected)


def parse_metric(text: str, unit: str, *, metric: str) -> float:
    """Read a value of a metric: a percentage is allowed only where the metric is a fraction."""
    if unit == "fraction":
        return parse_fraction(
            text, expected=f"{metric} as a percentage such as 5% or a fraction such as 0.05"
        )
    if text.rstrip().endswith("%") and not unit:
        raise _refuse(text, f"{metric} as a number such as 2.48; a rate has the unit fraction")
    return parse_number(text, expected=f"{metric}{f' in {unit}' if unit else ''}, such as 2.48")


def checked_target(target: float, metric: str, unit: str, *, written: str = "") -> float:
    """Return the target, or raise PlannerError where no law could mean it; `written` is what was typed."""
    shown = format_metric(target, unit)
    if not target > 0:
        raise PlannerError(f"target {metric} {shown}: expected more than 0, no finite data set reaches it")
    if unit == "fraction" and target >= 1:
        percent = target < 100 and not written.rstrip().endswith("%")
        hint = f"; for {target:g} percent write {target:g}%" if percent else ""
        raise PlannerError(f"target {metric} {shown}: expected a rate below 100%{hint}")
    return target


def is_compute(word: str) -> bool:
    """Return whether a unit counts hours of a device and so no data."""
    return word.lower().startswith(("gpu", "device"))


def unit_of_data(text: str) -> str:
    """Return a unit of data by its name here: hours of audio are `hours`, however they are typed."""
    return "hours" if text.strip().lower() in ("h", "hr", "hrs", "hour", "hours", "hours of audio") else text


def parse_data(text: str, unit: str) -> float:
    """Read an amount of data in `unit` (`10k`, `10000h`, `2.5M words`); any other unit is refused.

    Hours of audio are `h`, `hours` or `hours of audio`; hours of a device are not data.
    """
    expected = f"an amount of data in {unit}, such as {'10000h' if unit == 'hours' else '10M ' + unit}"
    value, rest = _split(text, expected)
    words = rest.split(maxsplit=1)
    if rest in SUFFIXES:
        return parse_number(text, expected=expected)
    suffix, name = ("", rest) if words[0] not in SUFFIXES else (words[0], words[1])
    names = {unit, unit.removesuffix("s")}
    if unit == "hours":
        names |= {"h", "hour of audio", "hours of audio", "audio-hours"}
    # "10kh" is not read: a suffix glued to a unit is a guess
    if name not in names:
        hint = "; GPU-hours are compute, not data" if is_compute(name) else ""
        raise PlannerError(f"cannot read {text.strip()!r}: expected {expected}{hint}")
    return parse_number(f"{value!r}{suffix}", expected=expected)


def parse_duration(text: str) -> float:
    """Read `30d`, `36h`, `5m`, `1h30m` or `90 s` as seconds; a bare number has no unit and is refused."""
    expected = "a duration such as 30d, 36h, 5m or 1h30m"
    parts = re.findall(rf"\s*({_NUMBER})\s*([A-Za-z]+)\s*", text)
    whole = re.fullmatch(rf"(?:\s*{_NUMBER}\s*[A-Za-z]+\s*)+", text)
    if whole is None or any(unit not in _SECOND_WORDS for _, unit in parts):
        hint = "; GPU-hours are not a duration" if "gpu" in text.lower() else ""
        raise _refuse(text, expected + hint)
    seconds = sum(float(value) * SECONDS[_SECOND_WORDS[unit]] for value, unit in parts)
    if not math.isfinite(seconds):
        raise _refuse(text, expected)
    return seconds


def parse_money(text: str) -> float:
    """Read `$50k`, `$1.2M` or `50000 USD` as US dollars."""
    expected = "US dollars such as $50k"
    stripped = text.strip()
    amount = stripped.removeprefix("$") if stripped.startswith("$") else stripped.removesuffix("USD")
    if amount == stripped:
        raise _refuse(text, expected)
    try:
        return parse_number(amount)
    except PlannerError:
        raise _refuse(text, expected) from None


def parse_data_price(text: str, unit: str) -> float:
    """Read `$12/hour` or `$3/1M tokens` as US dollars for one unit of data."""
    expected = f"US dollars for an amount of data, such as $12/{unit.removesuffix('s')}"
    money, slash, amount = text.partition("/")
    if not slash or not amount.strip():
        raise _refuse(text, expected)
    try:
        of = parse_data(amount if re.match(r"\s*[0-9.]", amount) else f"1 {amount.strip()}", unit)
        price = parse_money(money)
    except PlannerError:
        raise _refuse(text, expected) from None
    if of <= 0 or price < 0:
        raise _refuse(text, expected)
    return price / of


def parse_deadline(text: str, today: date) -> float:
    """Read a duration (`30d`) or a day (`2027-03-01`) as days from today; the past is refused."""
    if re.fullmatch(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}\s*", text):
        try:
            days = float((date.fromisoformat(text.strip()) - today).days)
        except ValueError:
            raise _refuse(text, "a day such as 2027-03-01, or a duration such as 30d") from None
        if days <= 0:
            raise PlannerError(f"deadline {text.strip()} is past: expected a day after today, {today}")
        return days
    days = parse_duration(text) / SECONDS["d"]
    if days <= 0:
        raise PlannerError(f"deadline {text.strip()}: expected a duration above 0, such as 30d")
    return days


def parse_probability(text: str) -> float:
    """Read `80%` or `0.8` as a probability between 0 and 1, both ends left out."""
    expected = "a probability above 0% and below 100%, such as 80%"
    value = parse_fraction(text, expected=expected)
    if not 0 < value < 1:
        raise _refuse(text, expected)
    return value


def parse_gpu_hours(text: str) -> float:
    """Read `5000`, `5k` or `5k GPU-hours` as device-hours; plain `h` is refused, it could be audio."""
    expected = "GPU-hours such as 5000, 5k or '5k GPU-hours'"
    amount = re.sub(r"\s*gpu[- ]?(hours?|h)\s*$", "", text, flags=re.IGNORECASE)
    try:
        return parse_number(amount)
    except PlannerError:
        raise _refuse(text, expected) from None


def parse_budget(text: str) -> tuple[float, str]:
    """Read `1e17` or `1e17 FLOP`, `30m`, `5 GPU-hours`: an amount of "FLOP", "seconds" or "GPU-seconds"."""
    if re.search(r"gpu", text, re.IGNORECASE):
        return 3600 * parse_gpu_hours(text), "GPU-seconds"
    found = re.fullmatch(rf"\s*({_NUMBER}\s*[A-Z]?)\s*(FLOPs?|flops?)?\s*", text)
    if found:
        return parse_number(found[1].replace(" ", "")), "FLOP"
    try:
        return parse_duration(text), "seconds"
    except PlannerError:
        raise _refuse(text, "a time such as 30m, FLOP such as 1e17, or '5 GPU-hours'") from None


def format_number(value: float, *, digits: int = 3) -> str:
    """Print a number to `digits` significant digits: 870, 12.5k, 300M, 1.2e21."""
    if not math.isfinite(value):
        return "∞" if value > 0 else "-∞"
    rounded = float(f"{value:.{digits - 1}e}")
    for suffix, factor in _PRINTED:
        if factor <= abs(rounded) < 1e15:
            return _decimal(rounded / factor, digits) + suffix
    return _decimal(rounded, digits)


def format_flops(value: float, *, digits: int = 3) -> str:
    """Print FLOP in powers of ten, as papers do: 1.2e21."""
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
    """Print 0.05 as `5%`."""
    return f"{_decimal(100 * value, digits)}%"


def format_metric(value: float, unit: str, *, digits: int = 3) -> str:
    """Print a value of a metric: fractions as percentages, everything else as a number with its unit."""
    if unit == "fraction":
        return format_fraction(value, digits=digits)
    return f"{format_number(value, digits=digits)} {unit}".rstrip()


def data_in_words(unit: str) -> str:
    """Return what a unit of data is called: hours are said to be of audio."""
    return "hours of audio" if unit == "hours" else unit


def format_data(value: float, unit: str, *, digits: int = 3) -> str:
    """Print an amount of data with its unit."""
    number = format_number(value, digits=digits)
    return "1 hour of audio" if (number, unit) == ("1", "hours") else f"{number} {data_in_words(unit)}"


def format_duration(seconds: float) -> str:
    """Print seconds in the largest unit of which there is at least one: `36h` is `1.5d`."""
    for unit in ("d", "h", "m"):
        if seconds >= SECONDS[unit]:
            return f"{_decimal(seconds / SECONDS[unit], 3)}{unit}"
    return f"{_decimal(seconds, 3)}s"


def format_money(dollars: float) -> str:
    """Print US dollars: `$50k`."""
    return f"${format_number(dollars)}"


def format_gpu_hours(hours: float) -> str:
    """Print device-hours with a name that no hour of audio carries: `5k GPU-hours`."""
    return f"{format_number(hours)} GPU-hours"


def format_si(value: float, unit: str, *, digits: int = 3) -> str:
    """Print a physical quantity with an SI prefix: `989 TFLOP/s`, `80 GB`; printed only, never read."""
    if not math.isfinite(value):
        return format_number(value)
    rounded = float(f"{value:.{digits - 1}e}")
    for prefix, factor in (("E", 1e18), ("P", 1e15), ("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3)):
        # peaks are spoken of in TFLOP/s up to several thousand
        if abs(rounded) >= factor * (10 if prefix in "EP" else 1):
            return f"{_decimal(rounded / factor, digits)} {prefix}{unit}".rstrip()
    return f"{_decimal(rounded, digits)} {unit}".rstrip()
