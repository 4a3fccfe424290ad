"""What a plan takes for granted: each assumption is a value with its sentence and source, and can be set.

An assumption is one value or a band. A band is drawn from with a seed, uniformly between its ends, so that
what nobody knows widens every interval that depends on it.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from laws.errors import PlannerError, nearest


@dataclass(frozen=True, kw_only=True)
class Assumption:
    """One assumption; several bands are equally likely (the quotes of several providers)."""

    name: str
    bands: tuple[tuple[float, float], ...]
    unit: str
    text: str
    source: str
    origin: str = "default"  # "default", "quotes", "fleet file", "option", "measured"

    @property
    def low(self) -> float:
        """Return the smallest value."""
        return min(low for low, _ in self.bands)

    @property
    def high(self) -> float:
        """Return the largest value."""
        return max(high for _, high in self.bands)

    def draws(self, n: int, seed: int) -> tuple[float, ...]:
        """Return n values, one from each n-th of the distribution, in random order; a seed repeats them."""
        if self.low == self.high:
            return (self.low,) * n
        import random  # a question without machines draws nothing

        # A string seeds alike in every process. The stream keeps the name it was first written with: a new
        # spelling must not change an answer.
        rng = random.Random(f"{seed}/{_STREAMS.get(self.name, self.name)}")
        order = list(range(n))
        rng.shuffle(order)
        values = []
        for i in order:
            place = (i + rng.random()) / n * len(self.bands)
            band = min(int(place), len(self.bands) - 1)
            low, high = self.bands[band]
            values.append(low + (high - low) * (place - band))
        return tuple(values)


_SPELLINGS = {"utilisation": "utilization"}  # files and commands of earlier versions
_STREAMS = {new: old for old, new in _SPELLINGS.items()}

_BOUNDS: Mapping[str, tuple[float, float, str]] = {
    # name: smallest, largest, in words; "above" and "below" leave the end itself out
    "utilization": (0.0, 1.0, "above 0 and at most 1"),
    "scaling_loss": (0.0, 1.0, "at least 0 and below 1"),
    "bandwidth_share": (0.0, 1.0, "above 0 and at most 1"),
    "memory_share": (0.0, 1.0, "above 0 and at most 1"),
    "state_bytes": (0.0, math.inf, "above 0"),
    "traffic_bytes": (0.0, math.inf, "at least 0"),
    "activation_bytes": (0.0, math.inf, "at least 0"),
    "aspect_ratio": (0.0, math.inf, "above 0"),
    "positions": (1.0, math.inf, "at least 1"),
    "price": (0.0, math.inf, "at least 0"),
    "power_usage_effectiveness": (1.0, math.inf, "at least 1"),
    "carbon_intensity": (0.0, math.inf, "at least 0"),
}

_DEFAULTS = (
    Assumption(
        name="utilization",
        bands=((0.30, 0.45),),
        unit="share of peak",
        text="model FLOP over peak FLOP, on one machine of 8 devices",
        source="a judgment from reported trainings of 0.21 to 0.60 (`planner accelerators show`), "
        "not a published number; small or recurrent models reach less",
    ),
    Assumption(
        name="scaling_loss",
        bands=((0.016, 0.07),),
        unit="share lost a doubling",
        text="share of throughput lost each time the devices double beyond 8",
        source="MPT-7B from 8 to 512 H100 (.464 to .422, llm-foundry at 8c8dd48f7) and Llama 3 405B from "
        "8,192 to 16,384 H100 (430 to 400 TFLOP/s a device, arXiv:2407.21783)",
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
        text="memory left for a training beside the runtime and fragmentation",
        source="a judgment",
    ),
    Assumption(
        name="state_bytes",
        bands=((16.0, 16.0),),
        unit="bytes a parameter",
        text="weights and gradients at 16 bit, Adam's master weights and two moments at 32 bit (2 + 2 + 12); "
        "all at 32 bit it is 4 + 4 + 8, the same",
        source="Rajbhandari et al. 2020, section 3.1 (arXiv:1910.02054)",
    ),
    Assumption(
        name="traffic_bytes",
        bands=((34.0, 34.0),),
        unit="bytes a parameter and step",
        text="weights, gradients and optimizer state read and written once a step, weights read once more",
        source="counted from state_bytes",
    ),
    Assumption(
        name="activation_bytes",
        bands=((34.0, 34.0),),
        unit="bytes a position, layer and unit of width",
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
        unit="positions a device and step",
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
        bands=((0.481, 0.481),),
        unit="kg CO2e/kWh",
        text="greenhouse gases of a kilowatt-hour over its life cycle, world average; grids differ 20-fold",
        source="Ember, July 2024, world 2023",
    ),
)


def defaults() -> dict[str, Assumption]:
    """Return the assumptions that hold where nobody says otherwise; the price comes with the part."""
    return {assumption.name: assumption for assumption in _DEFAULTS}


def names() -> tuple[str, ...]:
    """Return the name of everything that can be assumed."""
    return tuple(_BOUNDS)


def checked_band(name: str, low: float, high: float, *, where: str) -> tuple[float, float]:
    """Return the band if it makes sense for this assumption; refuse it with the reason otherwise."""
    least, most, words = _BOUNDS[name]
    for value in (low, high):
        outside = not math.isfinite(value) or value < least or value > most
        at_open_end = ("above" in words and value == least) or ("below" in words and value == most)
        if outside or at_open_end:
            raise PlannerError(f"{name} = {value:g} in {where}: wanted a number {words}")
    if low > high:
        raise PlannerError(f"{name} = [{low:g}, {high:g}] in {where}: wanted the smaller value first")
    return low, high


def current_name(name: str) -> str:
    """Return the name of an assumption as it is spelled now; files of earlier versions spell some otherwise."""
    return _SPELLINGS.get(name, name)


def override(
    name: str, low: float, high: float | None = None, *, origin: str, source: str = ""
) -> Assumption:
    """Return an assumption that somebody set: one value, or a band from low to high."""
    name = current_name(name)
    if name not in _BOUNDS:
        raise PlannerError(f"there is no assumption {name!r}{nearest(name, names())}")
    band = checked_band(name, low, low if high is None else high, where=source or origin)
    known = defaults().get(name)
    base = known or Assumption(
        name=name, bands=(), unit="USD/device-hour", text="price of one device-hour", source=""
    )
    return replace(base, bands=(band,), origin=origin, source=source or origin)


def parse_assumption(text: str) -> Assumption:
    """Read `utilization=0.4` or `utilization=0.35..0.42`, as people write it on the command line."""
    name, equals, value = (piece.strip() for piece in text.partition("="))
    wanted = "wanted NAME=VALUE or NAME=LOW..HIGH, such as utilization=0.35..0.42"
    if not equals:
        raise PlannerError(f"cannot read the assumption {text!r}: {wanted}")
    low, dots, high = (piece.strip() for piece in value.partition(".."))
    try:
        return override(
            name, float(low), float(high) if dots else None, origin="option", source=f"--assume {text}"
        )
    except ValueError:
        raise PlannerError(f"cannot read the assumption {text!r}: {wanted}") from None
