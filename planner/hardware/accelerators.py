"""Accelerators as data: what a part does, holds, moves, draws and costs, and who says so.

`accelerators.json` is the table; `planner/hardware/fleet.py` lays a user's own figures over it. Base units:
FLOP/s (dense, without sparsity), bytes, bytes/s, watts, US dollars per device-hour.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from laws.errors import PlannerError

PRECISIONS = ("bf16", "fp16", "fp32")  # in the order in which training prefers them


@dataclass(frozen=True, kw_only=True)
class Quote:
    """What one provider asked for one device-hour on one day; low and high differ where a range was given."""

    provider: str
    kind: str  # "on-demand", "spot", "contract", "ownership" (what an hour costs its owner), "fleet"
    low: float
    high: float
    date: str  # ISO 8601, possibly only year and month
    place: str = ""
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Observation:
    """A utilization (model FLOP over peak) that somebody reported for a run."""

    run: str
    part: str
    low: float
    high: float
    source: str
    kind: str  # "training", "serving", "projection"
    count: int | None = None


@dataclass(frozen=True, kw_only=True)
class Accelerator:
    """One accelerator."""

    id: str
    name: str
    peak: Mapping[str, float]  # precision -> FLOP/s
    memory: float
    bandwidth: float
    year: int | None = None
    usable_memory: float | None = None  # where software gets less than the package holds
    power: float | None = None  # rated power of the board
    matmul: float | None = None  # fastest matrix multiplication measured at 16 bit, FLOP/s
    quotes: tuple[Quote, ...] = ()
    aliases: tuple[str, ...] = ()
    confidence: str = "exact"
    note: str = ""
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # figure -> keys of `sources()`
    uncertain: tuple[str, ...] = ()  # figures that the sources do not settle

    @property
    def capacity(self) -> float:
        """Return the bytes that a training can be given."""
        return self.memory if self.usable_memory is None else self.usable_memory

    def peak_at(self, precision: str) -> float:
        """Return the peak FLOP/s at a precision; refuse one that the part has no figure for."""
        if precision in self.peak:
            return self.peak[precision]
        raise PlannerError(
            f"{self.id} has no figure for {precision}: it has {', '.join(self.peak)}; choose one with "
            f"--precision or give {precision} under peak_tflops in a fleet file"
        )

    def usual_precision(self) -> str:
        """Return the precision that trainings use on this part: bf16, else fp16, else the first it has."""
        return next((name for name in PRECISIONS if name in self.peak), next(iter(self.peak)))


@cache
def _table() -> dict[str, Any]:
    text = Path(__file__).with_name("accelerators.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


def _part(name: str, row: Mapping[str, Any]) -> Accelerator:
    figures = {f"peak {precision}": figure for precision, figure in row["peak_flops"].items()}
    names = {
        "memory": "memory_bytes",
        "usable_memory": "usable_memory_bytes",
        "bandwidth": "bandwidth_bytes_per_s",
        "power": "power_w",
        "matmul": "matmul_flops",
    }
    figures |= {figure: row[key] for figure, key in names.items() if key in row}
    value = {figure: float(entry["value"]) for figure, entry in figures.items()}
    return Accelerator(
        id=name,
        name=row["name"],
        year=row["year"],
        peak={precision: value[f"peak {precision}"] for precision in row["peak_flops"]},
        memory=value["memory"],
        usable_memory=value.get("usable_memory"),
        bandwidth=value["bandwidth"],
        power=value.get("power"),
        matmul=value.get("matmul"),
        quotes=tuple(Quote(**quote) for quote in row["quotes"]),
        aliases=tuple(row["aliases"]),
        confidence=row["confidence"],
        note=row["note"],
        sources={figure: tuple(entry["sources"]) for figure, entry in figures.items()},
        uncertain=tuple(figure for figure, entry in figures.items() if "confidence" in entry),
    )


@cache
def catalog() -> Mapping[str, Accelerator]:
    """Return the parts that ship with the planner, by id."""
    return {name: _part(name, row) for name, row in _table()["parts"].items()}


@cache
def sources() -> Mapping[str, str]:
    """Return the source behind each key, with its date."""
    return {
        key: f"{row['text']}, {row['date']}" if row["date"] else row["text"]
        for key, row in _table()["sources"].items()
    }


@cache
def observations() -> tuple[Observation, ...]:
    """Return the utilizations that were reported, each for one run on one part."""
    return tuple(Observation(**row) for row in _table()["utilization"])


def _folded(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def find_accelerator(parts: Mapping[str, Accelerator], name: str) -> Accelerator:
    """Return the part called `name`: its id, an alias, or either with other case, spaces or dashes."""
    wanted = _folded(name)
    names = {_folded(alias): part for part in parts.values() for alias in part.aliases}
    names |= {_folded(part.name): part for part in parts.values()}
    names |= {_folded(key): part for key, part in parts.items()}  # an id wins over an alias
    if wanted in names:
        return names[wanted]
    raise PlannerError(
        f"no accelerator is called {name!r}: {did_you_mean(parts, name)}"
        f"`planner accelerators list` shows all {len(parts)}, a fleet file adds your own"
    )


def did_you_mean(parts: Mapping[str, Accelerator], name: str) -> str:
    """Return the question that names the nearest parts, empty where none is near."""
    # wider than `laws.errors.closest`: `tpu-v5` may mean either of two, and that finds none for `nvidia-h100`
    from difflib import get_close_matches

    spellings = [*parts, *(alias for part in parts.values() for alias in part.aliases)]
    near = get_close_matches(name.lower(), spellings, n=3, cutoff=0.5)
    return f"did you mean {' or '.join(near)}? " if near else ""
