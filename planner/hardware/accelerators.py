"""Accelerators as data: peak, memory, bandwidth, power and price, each with its source.

`accelerators.json` is the table; `planner/hardware/fleet.py` adds your own figures. Base units: FLOP/s
(dense, without sparsity), bytes, bytes/s, watts, US dollars per device-hour.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from laws.errors import UnknownName, run, use

PRECISIONS = ("bf16", "fp16", "fp32")  # in the order in which training prefers them


@dataclass(frozen=True, kw_only=True)
class Quote:
    """A price of one device-hour.

    Attributes:
        provider: Who offers it.
        kind: "on-demand", "spot", "contract", "ownership" (what an hour costs its owner) or "fleet".
        low: Lower end of the price, US dollars per device-hour.
        high: Upper end; it differs from `low` where a range was given.
        date: ISO 8601, possibly only year and month.
        place: Region.
        url: Where it was read.
        years: Length of the commitment that a contract asks for.
    """

    provider: str
    kind: str
    low: float
    high: float
    date: str
    place: str = ""
    url: str = ""
    years: float | None = None


@dataclass(frozen=True, kw_only=True)
class Observation:
    """A published utilization (model FLOP over peak FLOP).

    Attributes:
        run: The training or service.
        part: Id of the accelerator.
        low: Lower end of the utilization.
        high: Upper end.
        source: Key of `sources()`.
        kind: "training", "serving" or "projection".
        count: Number of devices.
    """

    run: str
    part: str
    low: float
    high: float
    source: str
    kind: str
    count: int | None = None


@dataclass(frozen=True, kw_only=True)
class Accelerator:
    """One accelerator.

    Attributes:
        id: Short name, such as h100-sxm.
        name: Full name.
        peak: Precision -> peak FLOP/s.
        memory: Bytes of the package.
        bandwidth: Bytes/s.
        year: Year of release.
        usable_memory: Bytes that software gets, where they are fewer than `memory`.
        power: Rated watts of the board.
        matmul: FLOP/s of the fastest matrix multiplication measured at 16 bit.
        quotes: Prices.
        aliases: Other short names.
        confidence: "exact", "secondary" or "uncertain".
        note: What else to know.
        sources: Figure -> keys of `sources()`.
        uncertain: Figures on which the sources disagree.
    """

    id: str
    name: str
    peak: Mapping[str, float]
    memory: float
    bandwidth: float
    year: int | None = None
    usable_memory: float | None = None
    power: float | None = None
    matmul: float | None = None
    quotes: tuple[Quote, ...] = ()
    aliases: tuple[str, ...] = ()
    confidence: str = "exact"
    note: str = ""
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    uncertain: tuple[str, ...] = ()

    @property
    def capacity(self) -> float:
        """Return the bytes that a training can use."""
        return self.memory if self.usable_memory is None else self.usable_memory

    def peak_at(self, precision: str) -> float:
        """Return the peak FLOP/s at a precision.

        Args:
            precision: Such as "bf16".

        Returns:
            FLOP/s, dense.

        Raises:
            UnknownName: The accelerator has no figure for the precision.
        """
        if precision not in self.peak:
            raise UnknownName(
                f"precision of {self.id}",
                precision,
                tuple(self.peak),
                code="unknown-precision",
                hint=use("precision", purpose="to choose one, or add its peak_tflops to a fleet file"),
            )
        return self.peak[precision]

    def usual_precision(self) -> str:
        """Return the precision that trainings use on it: bf16, else fp16, else the first it has."""
        return next((name for name in PRECISIONS if name in self.peak), next(iter(self.peak)))


@cache
def _table() -> dict[str, Any]:
    text = Path(__file__).with_name("accelerators.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


def _accelerator(name: str, row: Mapping[str, Any]) -> Accelerator:
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
    """Return the accelerators that come with the planner, by id."""
    return {name: _accelerator(name, row) for name, row in _table()["parts"].items()}


@cache
def sources() -> Mapping[str, str]:
    """Return the source behind each key, with its date."""
    return {
        key: f"{row['text']}, {row['date']}" if row["date"] else row["text"]
        for key, row in _table()["sources"].items()
    }


@cache
def observations() -> tuple[Observation, ...]:
    """Return the published utilizations, each of one run on one accelerator."""
    return tuple(Observation(**row) for row in _table()["utilization"])


def _folded(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def find_accelerator(accelerators: Mapping[str, Accelerator], name: str) -> Accelerator:
    """Return the accelerator with a name.

    Args:
        accelerators: Id -> accelerator.
        name: An id, an alias, a full name or what a device reports, such as "NVIDIA H100 80GB HBM3", in any
            case, with any spaces or dashes.

    Returns:
        The accelerator.

    Raises:
        UnknownName: None has the name ("unknown-accelerator").
    """
    named = _named(name, accelerators.values())
    if named is not None:
        return named
    reported = [one for one in accelerators.values() if is_accelerator(name, one)]
    if len(reported) == 1:
        return reported[0]
    # The folded name, so that NVIDIA-H100 is near h100; aliases count, so that tpu-v5 is near tpu-v5e.
    spellings = [
        *accelerators,
        *(alias for accelerator in accelerators.values() for alias in accelerator.aliases),
    ]
    raise UnknownName(
        "accelerator",
        name,
        spellings,
        code="unknown-accelerator",
        hint=run("accelerators", "list", purpose="to see all of them; a fleet file adds your own"),
    )


# words that makers add or leave out, and boards that differ from the accelerator of the same name without
# them
_MAKERS = frozenset(
    {"nvidia", "amd", "google", "aws", "intel", "tesla", "geforce", "instinct", "sxm", "sxm2", "sxm4", "sxm5"}
    | {"per", "gpu", "chip"}
)
_BOARDS = frozenset({"pcie", "nvl"})


def is_accelerator(device: str, accelerator: Accelerator) -> bool:
    """Return whether a device is this accelerator.

    Args:
        device: An id or alias, or the name that a device reports, such as "NVIDIA H100 80GB HBM3".
        accelerator: The accelerator.

    Returns:
        Whether the names agree. A memory size counts only where the device names one.
    """
    if _named(device, (accelerator,)) is not None:
        return True
    if _named(device, catalog().values()) is not None:
        return False  # it is the name of another one: a100-80 is no a100-40
    reported, listed = set(_words_in_order(device)), set(_words_in_order(accelerator.name))
    if reported & _BOARDS != listed & _BOARDS:
        return False
    if not any(word.endswith("gb") for word in reported):
        listed = {word for word in listed if not word.endswith("gb")}
    return bool(reported) and listed - _MAKERS <= reported


def _named(name: str, accelerators: Iterable[Accelerator]) -> Accelerator | None:
    """Return the accelerator with a name, with or without what makers add: NVIDIA H100 is h100."""
    accelerators = list(accelerators)
    names = {_folded(alias): one for one in accelerators for alias in one.aliases}
    names |= {_folded(one.name): one for one in accelerators}
    names |= {_folded(one.id): one for one in accelerators}  # an id wins over an alias
    short = "".join(word for word in _words_in_order(name) if word not in _MAKERS)
    return names.get(_folded(name), names.get(short))


def _words_in_order(text: str) -> list[str]:
    words = text.lower().replace("-", " ").replace("(", " ").replace(")", " ").split()
    return [f"{word}b" if word[:-1].isdigit() and word.endswith("g") else word for word in words]
