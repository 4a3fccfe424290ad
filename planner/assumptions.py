"""Default hardware assumptions, with sources. You can override each one.

An assumption is one value or a band. A band is sampled with a seed, uniformly between its ends, so that what
is not known widens every interval that depends on it.
"""

import functools
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from laws.errors import ConflictingInput, InputError, UnknownName


class Assumption(NamedTuple):
    """One assumption; several bands are equally likely (the quotes of several providers)."""

    name: str
    bands: tuple[tuple[float, float], ...]
    unit: str
    text: str
    source: str
    origin: str = "default"  # "default", "predicted", "quotes", "fleet file", "option", "measured"

    @property
    def is_default(self) -> bool:
        """Return whether neither a person nor a measurement set it."""
        return self.origin in ("default", "predicted")

    @property
    def low(self) -> float:
        """Return the smallest value."""
        return min(low for low, _ in self.bands)

    @property
    def high(self) -> float:
        """Return the largest value."""
        return max(high for _, high in self.bands)

    def draws(self, n: int, seed: int) -> tuple[float, ...]:
        """Return samples of the assumption.

        Args:
            n: How many.
            seed: The same seed gives the same samples.

        Returns:
            n values, one from each n-th of the distribution, in random order.
        """
        if self.low == self.high:
            return (self.low,) * n
        # The stream keeps the name it was first written with: a new spelling must not change an answer.
        return _sampled(tuple(self.bands), _STREAMS.get(self.name, self.name), n, seed)


@functools.lru_cache(maxsize=64)  # an answer and its sensitivity take the same samples
def _sampled(bands: tuple[tuple[float, float], ...], stream: str, n: int, seed: int) -> tuple[float, ...]:
    """Return n values of the bands, one from each n-th of the distribution, in random order."""
    import random  # a question without hardware samples nothing

    rng = random.Random(f"{seed}/{stream}")  # a string seeds alike in every process
    order = list(range(n))
    rng.shuffle(order)
    values = []
    for i in order:
        position = (i + rng.random()) / n * len(bands)
        band = min(int(position), len(bands) - 1)
        low, high = bands[band]
        values.append(low + (high - low) * (position - band))
    return tuple(values)


_SPELLINGS = {"utilisation": "utilization"}  # files and commands of earlier versions
_STREAMS = {new: old for old, new in _SPELLINGS.items()}


class _Bounds(NamedTuple):
    """The values that an assumption may have."""

    low: float
    high: float = math.inf
    low_allowed: bool = True
    high_allowed: bool = True

    def contain(self, value: float) -> bool:
        """Return whether a value is finite and within the bounds."""
        above = value > self.low or (self.low_allowed and value == self.low)
        below = value < self.high or (self.high_allowed and value == self.high)
        return math.isfinite(value) and above and below

    def text(self) -> str:
        """Return the bounds as text, such as `above 0 and at most 1`."""
        low = f"{'at least' if self.low_allowed else 'above'} {self.low:g}"
        if math.isinf(self.high):
            return low
        return f"{low} and {'at most' if self.high_allowed else 'below'} {self.high:g}"


_SHARE = _Bounds(0.0, 1.0, low_allowed=False)
_BOUNDS: Mapping[str, _Bounds] = {
    "utilization": _SHARE,
    "utilization_devices": _Bounds(1.0),
    "working_time": _SHARE,
    "mixture_of_experts": _Bounds(0.0, 1.0),
    "scaling_loss": _Bounds(0.0, 1.0, high_allowed=False),
    "bandwidth_share": _SHARE,
    "memory_share": _SHARE,
    "state_bytes": _Bounds(0.0, low_allowed=False),
    "traffic_bytes": _Bounds(0.0),
    "activation_bytes": _Bounds(0.0),
    "aspect_ratio": _Bounds(0.0, low_allowed=False),
    "positions": _Bounds(1.0),
    "price": _Bounds(0.0),
    "power_usage_effectiveness": _Bounds(1.0),
    "carbon_intensity": _Bounds(0.0),
}

_DEFAULTS = (
    Assumption(
        name="utilization",
        bands=((0.16, 0.49),),
        unit="share of peak",
        text="model FLOP over peak FLOP in a step, predicted from model size, device, precision and number "
        "of devices; here the 90% interval for 7 billion parameters on 64 h100-sxm at bf16",
        source="a regression on 188 published utilizations of 48 reports (docs/reference/compute.md), whose "
        "90% intervals hold 95% of the figures of reports left out",
        origin="predicted",
    ),
    Assumption(
        name="working_time",
        bands=((0.70, 1.0),),
        unit="share of device-hours",
        text="share of the hours that training works: the rest is failures, restarts, checkpoints, "
        "evaluation and waiting",
        source="12 published trainings with both a rate in the step and their GPU-hours: .67 to 1.0, median "
        ".9 (docs/reference/compute.md); Llama 3 405B reports over .9 (arXiv:2407.21783)",
    ),
    Assumption(
        name="scaling_loss",
        bands=((0.005, 0.04),),
        unit="share lost per doubling",
        text="share of throughput lost per doubling of the devices beyond those of a utilization that you "
        "set",
        source="2.2% and 3.8% per doubling for 16B and 128B parameters on 256 to 8,192 TPU v5e (MaxText), 2% "
        "for GPT-3 on 96 to 4,608 H100 (Megatron-LM README), 1.6% for MPT-7B on 8 to 512 H100 (llm-foundry)",
    ),
    Assumption(
        name="bandwidth_share",
        bands=((0.70, 0.70),),
        unit="share of peak",
        text="memory bandwidth that a training reaches",
        source="Hestness, Ardalani, Diamos 2019, section 5 (arXiv:1909.01736)",
    ),
    Assumption(
        name="memory_share",
        bands=((0.90, 0.90),),
        unit="share of memory",
        text="share of memory left for training besides the runtime and fragmentation",
        source="a judgment",
    ),
    Assumption(
        name="state_bytes",
        bands=((10.0, 16.0),),
        unit="bytes per parameter",
        text="weights and gradients at 16 bit, Adam's master weights and two moments at 32 bit (2 + 2 + 12); "
        "all at 32 bit it is 4 + 4 + 8, the same; with moments at 8 bit it is 2 + 2 + 4 + 2",
        source="Rajbhandari et al. 2020, section 3.1 (arXiv:1910.02054); Dettmers et al. 2022, 8-bit "
        "optimizers (arXiv:2110.02861)",
    ),
    Assumption(
        name="traffic_bytes",
        bands=((34.0, 34.0),),
        unit="bytes per parameter and step",
        text="weights, gradients and optimizer state read and written once a step, weights read once more",
        source="counted from state_bytes",
    ),
    Assumption(
        name="activation_bytes",
        bands=((34.0, 34.0),),
        unit="bytes per position, layer and unit of width",
        text="activations that a transformer keeps with attention recomputed; 2 if all is recomputed",
        source="Korthikanti et al. 2022, Table 2 (arXiv:2205.05198)",
    ),
    Assumption(
        name="aspect_ratio",
        bands=((100.0, 100.0),),
        unit="width over depth",
        text="shape of the model, with 12 x depth x width^2 parameters",
        source="Kaplan et al. 2020, section 3.1: the loss hardly depends on it (arXiv:2001.08361)",
    ),
    Assumption(
        name="positions",
        bands=((8192.0, 8192.0),),
        unit="positions per device and step",
        text="tokens, frames or images that one device works on between two updates of the weights",
        source="a judgment; fewer make a training memory bound",
    ),
    Assumption(
        name="power_usage_effectiveness",
        bands=((1.1, 1.58),),
        unit="site over IT power",
        text="power of the site over the power of its machines",
        source="Uptime Institute 2023: industry average 1.58; large new sites reach 1.1 to 1.3",
    ),
    Assumption(
        name="carbon_intensity",
        bands=((0.056, 0.713),),
        unit="kg CO2e/kWh",
        text="greenhouse gases of a kilowatt-hour over its life cycle, from France to India; the world "
        "average is .481",
        source="Ember, July 2024, for 2023 (Our World in Data and Statista)",
    ),
)


# name -> unit and text of what has no default value of its own
_WITHOUT_DEFAULT = {
    "price": ("USD/device-hour", "price of one device-hour"),
    "utilization_devices": ("devices", "devices on which the utilization that you set was measured; else 8"),
    "mixture_of_experts": ("0 or 1", "1 for a mixture of experts, whose utilization is lower"),
}


def defaults() -> dict[str, Assumption]:
    """Return the default assumptions by name; the price comes with the accelerator."""
    return {assumption.name: assumption for assumption in _DEFAULTS}


def names() -> tuple[str, ...]:
    """Return the name of everything that can be assumed."""
    return tuple(_BOUNDS)


def checked_band(name: str, low: float, high: float, *, where: str) -> tuple[float, float]:
    """Return a band of values if an assumption may have it.

    Args:
        name: Name of the assumption.
        low: Smallest value.
        high: Largest value.
        where: Where the band was given, for the message.

    Returns:
        The band.

    Raises:
        InputError: A value is out of bounds, or the larger value comes first.
    """
    bounds = _BOUNDS[name]
    for value in (low, high):
        if not bounds.contain(value):
            raise InputError(
                f"{name} in {where}: expected a number {bounds.text()}, got {value:g}",
                code="assumption-out-of-bounds",
                value=value,
                expected=bounds.text(),
            )
    if low > high:
        raise InputError(
            f"{name} in {where}: expected the smaller value first, got [{low:g}, {high:g}]",
            code="band-reversed",
            value=(low, high),
        )
    return low, high


def current_name(name: str) -> str:
    """Return the current spelling of an assumption's name; older files spell some otherwise.

    Args:
        name: The name as a file or an option spells it.

    Returns:
        The current name; a name without a former spelling as it is.
    """
    return _SPELLINGS.get(name, name)


def with_current_names(row: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Return a table of a file with its keys as they are spelled now.

    Args:
        row: Key -> value.
        where: The table and its file, for the message.

    Returns:
        Key as it is spelled now -> value.

    Raises:
        ConflictingInput: A key is there in both spellings.
    """
    renamed = {current_name(key): value for key, value in row.items()}
    if len(renamed) < len(row):
        twice = next(new for old, new in _SPELLINGS.items() if old in row and new in row)
        raise ConflictingInput(
            f"key {twice!r} in {where}: expected once, got both spellings", code="repeated-key"
        )
    return renamed


def override(
    name: str, low: float, high: float | None = None, *, origin: str, source: str = ""
) -> Assumption:
    """Return an assumption with a value or a band of your own.

    Args:
        name: Name of the assumption, in any spelling.
        low: The value, or the smallest one of a band.
        high: The largest value of a band.
        origin: Where it comes from: "fleet file", "option" or "measured".
        source: More about where it comes from; the origin where nothing is given.

    Returns:
        The assumption.

    Raises:
        UnknownName: The name of an assumption is unknown.
        InputError: The value is out of bounds.
    """
    name = current_name(name)
    if name not in _BOUNDS:
        raise UnknownName("assumption", name, names())
    band = checked_band(name, low, low if high is None else high, where=source or origin)
    base = defaults().get(name) or Assumption(
        name=name, bands=(), unit=_WITHOUT_DEFAULT[name][0], text=_WITHOUT_DEFAULT[name][1], source=""
    )
    return base._replace(bands=(band,), origin=origin, source=source or origin)


def parse_assumption(text: str) -> Assumption:
    """Return the assumption of a text such as `utilization=0.4` or `utilization=0.35..0.42`.

    Args:
        text: NAME=VALUE or NAME=LOW..HIGH.

    Returns:
        The assumption.

    Raises:
        UnknownName: The name of an assumption is unknown.
        InputError: The text cannot be parsed, or the value is out of bounds.
    """
    name, _, value = (piece.strip() for piece in text.partition("="))
    low, dots, high = (piece.strip() for piece in value.partition(".."))
    try:
        values = float(low), float(high) if dots else None
    except ValueError:
        raise InputError(
            f"assumption {text!r}: expected NAME=VALUE or NAME=LOW..HIGH, such as utilization=0.35..0.42",
            code="unreadable-assumption",
            value=text,
        ) from None
    return override(name, *values, origin="option", source=f"assume {text}")
