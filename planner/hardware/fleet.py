"""A user's own fleet: a TOML file laid over the parts that ship, with own prices, counts and measurements.

power_usage_effectiveness = 1.2           # for every part
carbon_intensity = 0.35                   # kg CO2e/kWh

[parts.h100]                              # a known part or alias: what is given here wins
count = 64
price = 2.10                              # USD a device-hour; 0 means owned hardware
utilization = [0.35, 0.42]                # measured on your own jobs

[parts.my-chip]                           # a new name: a new part
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

from laws.errors import PlannerError, nearest
from planner import assumptions
from planner.assumptions import Assumption
from planner.hardware import accelerators
from planner.hardware.accelerators import Accelerator, Quote

_FIGURES = {"memory_gb": ("memory", 1e9), "bandwidth_tb_s": ("bandwidth", 1e12), "power_w": ("power", 1.0)}
_PRECISIONS = (*accelerators.PRECISIONS, "tf32", "fp8", "fp64")
_ASSUMED = tuple(name for name in assumptions.names() if name != "price")
_PART_KEYS = ("name", "count", "price", "price_date", "peak_tflops", *_FIGURES, *_ASSUMED)


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """The parts that a plan can use, and what is assumed of them."""

    accelerators: Mapping[str, Accelerator]
    counts: Mapping[str, int] = field(default_factory=dict)
    assumed: Mapping[str, Assumption] = field(default_factory=dict)  # for every part
    assumed_of: Mapping[str, Mapping[str, Assumption]] = field(default_factory=dict)  # for one part
    source: str = ""

    def accelerator(self, name: str) -> Accelerator:
        """Return the part of that name, alias or near spelling."""
        return accelerators.find_accelerator(self.accelerators, name)

    def count(self, part: Accelerator) -> int | None:
        """Return how many of this part the fleet has, None where the file does not say."""
        return self.counts.get(part.id)

    def assumptions(self, part: Accelerator) -> dict[str, Assumption]:
        """Return what is assumed of a part: its own over the fleet's over the defaults; no price."""
        return assumptions.defaults() | dict(self.assumed) | dict(self.assumed_of.get(part.id, {}))


def read_fleet(path: Path | None) -> Fleet:
    """Return the parts that ship, with the fleet file at `path` laid over them if there is one."""
    if path is None:
        return Fleet(accelerators=accelerators.catalog())
    import tomllib  # most questions bring no fleet file

    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PlannerError(
            f"cannot read the fleet file {path}: {error.strerror}; give an existing file with --fleet"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PlannerError(f"{path} is not a TOML file: {error}") from None
    return _fleet(table, str(path))


def _fleet(table: Mapping[str, Any], where: str) -> Fleet:
    table = {assumptions.current_name(key): value for key, value in table.items()}
    _known(table, ("parts", *_ASSUMED), where)
    rows = table.get("parts", {})
    if not isinstance(rows, dict):
        raise PlannerError(f"parts in {where}: wanted a table for each part, such as [parts.h100]")
    parts = dict(accelerators.catalog())
    counts: dict[str, int] = {}
    assumed_of: dict[str, dict[str, Assumption]] = {}
    for name, given in rows.items():
        here = f"[parts.{name}] of {where}"
        if not isinstance(given, dict):
            raise PlannerError(f"parts.{name} in {where}: wanted a table, such as [parts.{name}]")
        row = {assumptions.current_name(key): value for key, value in given.items()}
        _known(row, _PART_KEYS, here)
        part = _laid_over(name, row, parts, here)
        if part.id in assumed_of:
            raise PlannerError(f"{here} describes {part.id} a second time: keep one of the two tables")
        parts[part.id] = part
        assumed_of[part.id] = _assumed(row, here)
        if "count" in row:
            counts[part.id] = _count(row["count"], here)
    return Fleet(
        accelerators=parts, counts=counts, assumed=_assumed(table, where), assumed_of=assumed_of, source=where
    )


def _laid_over(name: str, row: Mapping[str, Any], parts: Mapping[str, Accelerator], here: str) -> Accelerator:
    """Return the known part with the row's figures, or the new part that the row describes."""
    figures = {
        figure: _positive(row[key], key, here) * unit
        for key, (figure, unit) in _FIGURES.items()
        if key in row
    }
    peak = {
        precision: _positive(value, f"peak_tflops.{precision}", here) * 1e12
        for precision, value in _peaks(row.get("peak_tflops", {}), here).items()
    }
    try:
        base = accelerators.find_accelerator(parts, name)
    except PlannerError:
        missing = [key for key in ("peak_tflops", "memory_gb", "bandwidth_tb_s") if key not in row]
        if missing:
            raise PlannerError(
                f"{here} names no known part: {accelerators.did_you_mean(parts, name)}"
                f"a new part needs {', '.join(missing)} too"
            ) from None
        base = Accelerator(
            id=name, name=str(row.get("name", name)), peak={}, memory=math.nan, bandwidth=math.nan
        )
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


def _quotes(row: Mapping[str, Any], here: str) -> tuple[Quote, ...]:
    if "price" not in row:
        if "price_date" in row:
            raise PlannerError(f"price_date in {here} dates no price: give price too")
        return ()
    low, high = _band(row["price"], "price", here)
    day = row.get("price_date", "")
    if not isinstance(day, date | str) or (isinstance(day, str) and day and not _is_day(day)):
        raise PlannerError(f"price_date = {day!r} in {here}: wanted a day such as 2026-11-23")
    return (Quote(provider=here, kind="fleet", low=low, high=high, date=str(day)),)


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _known(row: Mapping[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in row:
        if key not in keys:
            raise PlannerError(f"unknown key {key!r} in {where}{nearest(key, keys)}")


def _assumed(row: Mapping[str, Any], where: str) -> dict[str, Assumption]:
    found = {}
    for name in _ASSUMED:
        if name in row:
            low, high = _band(row[name], name, where)
            found[name] = assumptions.override(name, low, high, origin="fleet file", source=where)
    return found


def _band(value: object, key: str, where: str) -> tuple[float, float]:
    ends = value if isinstance(value, list) else [value, value]
    if len(ends) != 2:
        raise PlannerError(f"{key} = {value!r} in {where}: wanted one number or two, [low, high]")
    low, high = (_number(end, key, where) for end in ends)
    return assumptions.checked_band(key, low, high, where=where)


def _peaks(value: object, where: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise PlannerError(f"peak_tflops = {value!r} in {where}: wanted a table such as {{ bf16 = 400 }}")
    _known(value, _PRECISIONS, f"peak_tflops, {where}")
    return value


def _number(value: object, key: str, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PlannerError(f"{key} = {value!r} in {where}: wanted a number")
    return float(value)


def _positive(value: object, key: str, where: str) -> float:
    number = _number(value, key, where)
    if not math.isfinite(number) or number <= 0:
        raise PlannerError(f"{key} = {number:g} in {where}: wanted a number above 0")
    return number


def _count(value: object, where: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise PlannerError(f"count = {value!r} in {where}: wanted a whole number of devices, at least 1")
    return value
