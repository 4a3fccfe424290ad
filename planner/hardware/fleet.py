"""Your fleet: a TOML file with your own prices, counts and measurements, which override the built-in figures.

power_usage_effectiveness = 1.2           # for every accelerator
carbon_intensity = 0.35                   # kg CO2e/kWh

[parts.h100]                              # a known accelerator or alias: your figures win
count = 64
price = 2.10                              # USD per device-hour; 0 means that you own it
utilization = [0.35, 0.42]                # measured on your own jobs

[parts.my-chip]                           # a new name: a new accelerator
name = "My chip"
memory_gb = 96
bandwidth_tb_s = 2.4
power_w = 400
peak_tflops = { bf16 = 400, fp32 = 50 }
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from laws.errors import MAX_NAME_LENGTH, ConflictingInput, InputError, MissingInput, UnknownName
from planner import assumptions
from planner.assumptions import Assumption
from planner.hardware import accelerators
from planner.hardware.accelerators import Accelerator, Quote

_FIGURES = {"memory_gb": ("memory", 1e9), "bandwidth_tb_s": ("bandwidth", 1e12), "power_w": ("power", 1.0)}
MAX_COUNT = 10**9
_PRECISIONS = (*accelerators.PRECISIONS, "tf32", "fp8", "fp64")
_ASSUMED = tuple(name for name in assumptions.names() if name != "price")
_KEYS = ("name", "count", "price", "price_date", "peak_tflops", *_FIGURES, *_ASSUMED)


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """The accelerators that a plan can use, and their assumptions.

    Attributes:
        accelerators: Id -> accelerator.
        counts: Id -> number of devices.
        assumed: Name -> assumption for every accelerator.
        assumed_of: Id -> name -> assumption for one accelerator.
        source: Path of the fleet file; "" where there is none.
    """

    accelerators: Mapping[str, Accelerator]
    counts: Mapping[str, int] = field(default_factory=dict)
    assumed: Mapping[str, Assumption] = field(default_factory=dict)
    assumed_of: Mapping[str, Mapping[str, Assumption]] = field(default_factory=dict)
    source: str = ""

    def accelerator(self, name: str) -> Accelerator:
        """Return the accelerator with a name, see `find_accelerator`.

        Args:
            name: An id, an alias or a full name.

        Returns:
            The accelerator.

        Raises:
            UnknownName: None has the name ("unknown-accelerator").
        """
        return accelerators.find_accelerator(self.accelerators, name)

    def count(self, accelerator: Accelerator) -> int | None:
        """Return how many of an accelerator the fleet has; None where the file does not say.

        Args:
            accelerator: The accelerator.

        Returns:
            Number of devices.
        """
        return self.counts.get(accelerator.id)

    def assumptions(self, accelerator: Accelerator) -> dict[str, Assumption]:
        """Return the assumptions about an accelerator: its own, else the fleet's, else the defaults.

        Args:
            accelerator: The accelerator.

        Returns:
            Name -> assumption, without the price.
        """
        return assumptions.defaults() | dict(self.assumed) | dict(self.assumed_of.get(accelerator.id, {}))


def read_fleet(path: Path | None) -> Fleet:
    """Return the built-in accelerators, with your own figures from a fleet file.

    Args:
        path: The fleet file; None for the built-in accelerators only.

    Returns:
        The fleet.

    Raises:
        FileError: The file cannot be read or is not TOML.
        InputError: A key or a value of the file is not valid.
    """
    if path is None:
        return Fleet(accelerators=accelerators.catalog())
    from planner.toml_files import read_toml  # most questions have no fleet file

    table, _ = read_toml(path, "fleet file")
    return _fleet(table, str(path))


def _fleet(table: Mapping[str, Any], where: str) -> Fleet:
    table = assumptions.with_current_names(table, where)
    _check_keys(table, ("parts", *_ASSUMED), where)
    rows = table.get("parts", {})
    if not isinstance(rows, dict):
        raise _invalid("parts", rows, where, "a table for each accelerator, such as [parts.h100]")
    by_id = dict(accelerators.catalog())
    counts: dict[str, int] = {}
    assumed_of: dict[str, dict[str, Assumption]] = {}
    for name, given in rows.items():
        here = f"[parts.{name[:MAX_NAME_LENGTH]}] of {where}"
        if not isinstance(given, dict):
            raise _invalid(f"parts.{name}", given, where, f"a table, such as [parts.{name}]")
        row = assumptions.with_current_names(given, here)
        _check_keys(row, _KEYS, here)
        accelerator = _with_own_figures(name, row, by_id, here)
        if accelerator.id in assumed_of:
            raise ConflictingInput(
                f"{here} describes {accelerator.id} a second time: expected one table for it",
                code="duplicate-accelerator",
                value=name,
            )
        by_id[accelerator.id] = accelerator
        assumed_of[accelerator.id] = _assumed(row, here)
        if "count" in row:
            counts[accelerator.id] = _count(row["count"], here)
    return Fleet(
        accelerators=by_id,
        counts=counts,
        assumed=_assumed(table, where),
        assumed_of=assumed_of,
        source=where,
    )


def _with_own_figures(
    name: str, row: Mapping[str, Any], by_id: Mapping[str, Accelerator], here: str
) -> Accelerator:
    """Return the known accelerator with the row's figures, or the new one that the row describes."""
    figures = {
        figure: _positive(row[key], key, here) * unit
        for key, (figure, unit) in _FIGURES.items()
        if key in row
    }
    peak = {
        precision: _positive(value, f"peak_tflops.{precision}", here) * 1e12
        for precision, value in _peaks(row.get("peak_tflops", {}), here).items()
    }
    base = _base(name, row, by_id, here)
    own = {**dict.fromkeys(figures, (here,)), **dict.fromkeys((f"peak {p}" for p in peak), (here,))}
    return replace(
        base,
        name=str(row.get("name", base.name)),
        peak={**base.peak, **peak},
        memory=figures.get("memory", base.memory),
        usable_memory=None if "memory" in figures else base.usable_memory,
        bandwidth=figures.get("bandwidth", base.bandwidth),
        power=figures.get("power", base.power),
        matmul=None if "bf16" in peak or "fp16" in peak else base.matmul,
        quotes=_quotes(row, here) or base.quotes,
        sources={**base.sources, **own},
        uncertain=tuple(figure for figure in base.uncertain if figure not in own),
    )


def _base(name: str, row: Mapping[str, Any], by_id: Mapping[str, Accelerator], here: str) -> Accelerator:
    """Return the known accelerator that a row is about, or an empty one for a new name."""
    try:
        return accelerators.find_accelerator(by_id, name)
    except UnknownName as unknown:
        missing = [key for key in ("peak_tflops", "memory_gb", "bandwidth_tb_s") if key not in row]
        if missing:
            near = f"; did you mean {unknown.suggestion!r}?" if unknown.suggestion else ""
            raise MissingInput(
                f"{here} is a new accelerator: expected {', '.join(missing)} too{near}",
                code="incomplete-accelerator",
                value=name,
            ) from None
    return Accelerator(id=name, name=str(row.get("name", name)), peak={}, memory=math.nan, bandwidth=math.nan)


def _quotes(row: Mapping[str, Any], here: str) -> tuple[Quote, ...]:
    if "price" not in row:
        if "price_date" in row:
            raise MissingInput(f"price_date in {here}: expected a price too", code="date-without-price")
        return ()
    low, high = _band(row["price"], "price", here)
    day = row.get("price_date", "")
    if not isinstance(day, date | str) or (isinstance(day, str) and day and not _is_date(day)):
        raise _invalid("price_date", day, here, "a date such as 2026-11-23")
    return (Quote(provider=here, kind="fleet", low=low, high=high, date=str(day)),)


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _invalid(key: str, value: object, where: str, expected: str) -> InputError:
    got = f"{value:g}" if isinstance(value, float) else repr(value)[:60]
    return InputError(
        f"{key} in {where}: expected {expected}, got {got}",
        code="invalid-value",
        value=value,
        expected=expected,
    )


def _check_keys(row: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in row:
        if key not in keys:
            raise UnknownName("key", key, keys, where=where, code="unknown-key")


def _assumed(row: Mapping[str, Any], where: str) -> dict[str, Assumption]:
    assumed = {}
    for name in _ASSUMED:
        if name in row:
            low, high = _band(row[name], name, where)
            assumed[name] = assumptions.override(name, low, high, origin="fleet file", source=where)
    return assumed


def _band(value: object, key: str, where: str) -> tuple[float, float]:
    ends = value if isinstance(value, list) else [value, value]
    if len(ends) != 2:
        raise _invalid(key, value, where, "one number or two, [low, high]")
    low, high = (_number(end, key, where) for end in ends)
    return assumptions.checked_band(key, low, high, where=where)


def _peaks(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise _invalid("peak_tflops", value, where, "a table such as { bf16 = 400 }")
    _check_keys(value, _PRECISIONS, f"peak_tflops, {where}")
    return value


def _number(value: object, key: str, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _invalid(key, value, where, "a number")
    try:
        return float(value)
    except OverflowError:  # an integer of hundreds of digits
        raise _invalid(key, math.inf, where, "a finite number") from None


def _positive(value: object, key: str, where: str) -> float:
    number = _number(value, key, where)
    if not math.isfinite(number) or number <= 0:
        raise _invalid(key, number, where, "a number above 0")
    return number


def _count(value: object, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_COUNT:
        raise _invalid("count", str(value)[:20], where, f"a whole number of devices from 1 to {MAX_COUNT:,}")
    return value
