"""Values that the packages exchange: frozen dataclasses without numpy or pydantic.

They are standard-library dataclasses, so that a command which only reads stored laws imports nothing heavy.
`laws/storage/records.py` writes them to files and checks what it reads back with pydantic. Base units
everywhere: seconds, bytes, FLOP, fractions (5 % is 0.05), data in the unit that the record names.
"""

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

from laws import paths

RunStatus = Literal[
    "finished", "diverged", "out-of-memory", "bad-data", "timed-out", "stopped-early", "failed"
]
# "shipped": calibrated by the authors on an embedded corpus (`laws/catalog/bundled.py`)
Source = Literal["calibrated", "fitted", "published", "shipped"]

# the form of a law without an equation: drifting forms, weighted (laws/forecasting/forecast.py)
FORECAST = "forecast"
TYPED_POINTS = "points"  # the file in the provenance of points that were typed

# How pydantic reads a record back (laws/storage/records.py): unknown fields and infinities are refused.
_RECORD: dict[str, Any] = {"extra": "forbid", "allow_inf_nan": False}


@dataclass(frozen=True, kw_only=True)
class Run:
    """One attempt at one training: its specification, its result and the device."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _RECORD

    id: str  # hash of the specification: the same training has the same id
    attempt: int = 1
    status: RunStatus
    reason: str = ""  # one sentence when the status is not "finished"
    sweep: str
    domain: str
    family: str  # architecture, e.g. "ds2"
    optimizer: str
    data: float  # training-set size in data_unit
    data_unit: str
    params: int  # all trainable parameters
    flops: float | None = None  # training FLOP spent until the last step
    samples: float | None = None  # data seen until the best validation error, in data_unit (repeats counted)
    metrics: dict[str, float] = field(default_factory=dict)  # minimum validation value of each metric
    # (share of the planned samples, error) where settings are compared; only in the file, not in the index
    rungs: tuple[tuple[float, float], ...] = ()
    seconds: float | None = None
    device: str = ""
    seed: int = 0
    hyper: dict[str, float | int | str] = field(default_factory=dict)
    code: str = ""  # version of this program
    fingerprint: str = ""  # hash of the corpus
    created: str = ""  # ISO 8601, UTC


@dataclass(frozen=True, kw_only=True)
class SizeCost:
    """Exact cost of one model size, counted on the real model: one step of a size ladder."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _RECORD

    size: float  # the family's knob, e.g. the width
    params: float
    flops: float  # training FLOP (forward and backward) for one data unit, seen once
    memory: float | None = None  # bytes of weights, gradients and optimizer state


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """The plan of one calibration; its runs carry its id. Rewritten as a whole when the plan grows."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _RECORD

    id: str  # hash of the request: the same command continues the same sweep
    created: str  # ISO 8601, UTC
    domain: str
    preset: str
    seed: int
    planned: int  # number of trainings, those not yet drawn included
    runs: tuple[str, ...] = ()  # ids planned so far, in order; some may be finished runs of earlier sweeps
    fingerprint: str = ""  # hash of the corpus
    device: str = ""
    code: str = ""  # version of this program
    ladder: dict[str, tuple[SizeCost, ...]] = field(default_factory=dict)  # family -> exact cost of its sizes
    definitions: dict[str, str] = field(default_factory=dict)  # "parameters", "sample", each metric
    settings: dict[str, Any] = field(default_factory=dict)  # what else the plan depends on, plain JSON


@dataclass(frozen=True, kw_only=True)
class Law:
    """A sampled law: y against x as posterior samples, with everything needed to trust and repeat it.

    `parameters` holds posterior samples of the form's parameters. `paths` holds log y over `grid`, which is
    log x, one row per sample, from the smallest measured x to far beyond the largest. A law is evaluated by
    its paths (`laws/paths.py`), so a new form needs no change in the planner.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = _RECORD

    id: str  # hash of the content
    created: str  # ISO 8601, UTC
    source: Source
    domain: str
    family: str
    metric: str  # what y is: "wer", "loss", or "params" (best model size), "samples" (data seen to the best)
    metric_unit: str  # "fraction", "nats/word", "parameters", ...
    metric_ceiling: float | None = None  # of a metric that rises: its best value, and y is the distance to it
    x: str = "data"  # "data", or "params,data" for a joint surface
    x_unit: str  # "hours", "words", ...
    form: str  # a key of laws.fitting.forms.FORMS, or FORECAST
    parameters: dict[str, tuple[float, ...]]
    grid: tuple[float, ...] = ()
    paths: tuple[tuple[float, ...], ...] = ()
    x_range: tuple[float, float]  # smallest and largest measured data size
    n_points: int
    points: dict[str, tuple[float, ...]] = field(default_factory=dict)  # what was fitted: columns "x" (or
    # "params" and "data"), "y", and "y_se" where it was known; none in laws of the first version
    # of a single form: probability of each phase (`laws/fitting/phases.py`) at every size of column "x",
    # those that were left out of the fit included
    phases: dict[str, tuple[float, ...]] = field(default_factory=dict)
    forms: dict[str, float] = field(
        default_factory=dict
    )  # of a forecast: the weight of each form, summing to 1
    ladder: tuple[SizeCost, ...] = ()  # with a law of metric "params": the cost of each size
    diagnostics: dict[str, float] = field(default_factory=dict)  # rhat, ess_bulk, ess_tail, steps, tau, ...
    definitions: dict[str, str] = field(default_factory=dict)  # "parameters", "sample", "metric": what counts
    provenance: dict[str, str] = field(default_factory=dict)  # data fingerprint, code, device, seed, command
    runs: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()  # codes, explained in docs/reference/warnings.md


class LawRow(NamedTuple):
    """One row of the list of laws: a law without its samples, paths and ladder."""

    id: str
    created: str
    source: Source
    domain: str
    family: str
    metric: str
    metric_unit: str
    x: str
    x_unit: str
    form: str
    x_range: tuple[float, float]
    n_points: int
    warnings: tuple[str, ...]
    sequence: int = (
        0  # place in the order of its store: laws of one fit share it, later fits have a larger one
    )
    metric_ceiling: float | None = None  # best value of a metric that rises


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Median and 90 % interval of one quantity; None where it is infinite or unknown."""

    q05: float | None
    median: float | None
    q95: float | None
    unit: str


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """One quantity as joint posterior samples: position i of every quantity of an answer is one scenario."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _RECORD

    draws: tuple[
        float, ...
    ]  # infinite where the target is never reached; empty where the quantity is unknown
    unit: str
    spread: bool = True  # False: one published figure without a stated uncertainty

    def interval(self) -> Interval:
        """Return the median and the 90 % interval; None for values that are infinite or unknown."""
        if not self.draws:
            return Interval(q05=None, median=None, q95=None, unit=self.unit)
        low, middle, high = (self.quantile(level) for level in (0.05, 0.5, 0.95))
        return Interval(
            q05=_finite(low) if self.spread else None,
            median=_finite(middle),
            q95=_finite(high) if self.spread else None,
            unit=self.unit,
        )

    def quantile(self, level: float) -> float:
        """Return a quantile of the samples.

        Args:
            level: Between 0 and 1.

        Returns:
            The smallest sample with at least this share of them at or below it.
        """
        return paths.quantile(self.draws, level)


@dataclass(frozen=True, kw_only=True)
class SavedForecast:
    """One saved estimate: the question, its day, and the answer as posterior samples."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _RECORD

    id: str  # hash of the content
    created: str  # ISO 8601, UTC
    day: str  # ISO 8601: the day of its prices and deadlines
    name: str = ""  # of the product
    question: str  # as a command line
    given: dict[str, float]  # quantities that were given, not forecast
    source: Source
    law: str  # id
    companions: dict[str, str] = field(default_factory=dict)  # "params", "samples" -> law
    domain: str
    family: str
    metric: str
    metric_unit: str
    metric_ceiling: float | None = None  # of a metric that rises: its best value
    quantities: dict[str, Quantity]  # "error" or "score", "data", "gpu_hours", "total_dollars", ...
    probability: float | None = None  # that the target can be reached; None: the law has no posterior
    seed: int = 0
    code: str = ""  # version of this program
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()  # codes, explained in docs/reference/warnings.md


@dataclass(frozen=True, kw_only=True)
class SavedForecastRow:
    """One row of the list of forecasts: intervals in place of samples."""

    id: str
    created: str
    day: str
    name: str
    question: str
    given: dict[str, float]
    source: Source
    law: str
    domain: str
    family: str
    metric: str
    metric_unit: str
    metric_ceiling: float | None = None
    quantities: dict[str, Interval]
    probability: float | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """Observed values after a forecast. A correction is a new outcome that names the one it replaces."""

    __pydantic_config__: ClassVar[dict[str, Any]] = _RECORD

    id: str  # hash of the content
    created: str  # ISO 8601, UTC
    forecast: str  # id
    day: str  # ISO 8601: when it was known
    observed: dict[str, float]  # quantity -> value, in the forecast's unit; empty: a retraction
    note: str = ""
    replaces: str | None = None  # id of an outcome that was recorded wrongly


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
