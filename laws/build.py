"""Build the law record that is stored and evaluated, from a posterior or a forecast."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from laws.fitting.fit import Posterior
from laws.fitting.forms import FORMS
from laws.fitting.noise import DEFAULT_DEGREES
from laws.fitting.phases import Phases
from laws.forecasting.drift import PARAMETERS
from laws.forecasting.forecast import Forecast
from laws.points import Points
from laws.storage.records import content_id
from laws.types import FORECAST, Law, SizeCost, Source

Array = NDArray[np.float64]

MAX_PATHS = 1000  # a 90 % interval is then good to a tenth of its width, and a law is read in a moment
DECADES_BEYOND_DATA = 9.0
FINE_STEP, COARSE_STEP = (
    0.05,
    0.1,
)  # decades between grid points: up to FINE_DECADES beyond the data, and further
FINE_DECADES = 2
# These texts, and those of PARAMETERS, are written into every forecast: a law's id is a hash of them too.
MEANINGS = PARAMETERS | {
    "scale": "of the noise of one log y, as a Student-t",
    "degrees": "of freedom of that Student-t",
    "odds": "1 where a draw is of the odds y/(ceiling - y), 0 where it is of y",
}


@dataclass(frozen=True)
class LawSubject:
    """What a law describes.

    Attributes:
        domain: Domain, such as "speech".
        family: Architecture, such as "ds2".
        metric: What y is, such as "wer".
        metric_unit: Unit of y, such as "fraction".
        x_unit: Unit of the data size, such as "hours".
        metric_ceiling: Best value of a metric that rises: y is the distance to it. None: y is the metric.
    """

    domain: str
    family: str
    metric: str
    metric_unit: str
    x_unit: str
    metric_ceiling: float | None = None


@dataclass(frozen=True, kw_only=True)
class LawProvenance:
    """Where a law comes from: everything needed to trust and repeat it.

    Attributes:
        source: Who measured it.
        seed: Seed of the sampler.
        definitions: What "parameters", "sample" and the metric count.
        details: Fingerprint of the data, version of the code, command, and the like.
        runs: Ids of the runs it was fitted to.
        created: When it was made; the present time if empty. Laws of one fit share it.
    """

    source: Source
    seed: int
    definitions: Mapping[str, str] = field(default_factory=dict)
    details: Mapping[str, str] = field(default_factory=dict)
    runs: Sequence[str] = ()
    created: str = ""


def grid(points: Points) -> Array:
    """Return the scales at which a law stores its paths.

    Args:
        points: Points of one curve.

    Returns:
        Ascending log x, from the smallest measured x to 1e9 times the largest.
    """
    low, high = np.log10(points.x.min()), np.log10(points.x.max())
    fine = low + FINE_STEP * np.arange(int(np.ceil((high + FINE_DECADES - low) / FINE_STEP)) + 1)
    rest = int(np.ceil((high + DECADES_BEYOND_DATA - fine[-1]) / COARSE_STEP))
    coarse = fine[-1] + COARSE_STEP * np.arange(1, rest + 1)
    return np.asarray(np.concatenate([fine, coarse]) * np.log(10))


def build_law(
    sampled: Posterior | Forecast,
    points: Points,
    subject: LawSubject,
    provenance: LawProvenance,
    *,
    ladder: Sequence[SizeCost] = (),
    warnings: Sequence[str] = (),
    phases: Phases | None = None,
    max_paths: int = MAX_PATHS,
) -> Law:
    """Build the law of a posterior or of a forecast.

    Args:
        sampled: The posterior of one form, or a forecast.
        points: The points that it was fitted to.
        subject: What the law describes.
        provenance: Where it comes from.
        ladder: With a law of model sizes: the cost of each size.
        warnings: Codes that follow those of the fit.
        phases: Probability of each phase at every measured size.
        max_paths: How many posterior samples of log y a single form stores; a forecast stores all it has.

    Returns:
        The law. Its id is a hash of everything but the time of making. A curve carries its paths, log y over
        `grid(points)`; a joint law has none and is evaluated by its equation.
    """
    curve = points.x.ndim == 1
    data = points.x if curve else points.x[:, 1]
    log_x = grid(points) if curve else np.empty(0)
    parameters = _parameters(sampled)
    is_forecast = isinstance(sampled, Forecast)
    meanings = {name: MEANINGS[name] for name in parameters if is_forecast and name in MEANINGS}
    law = Law(
        id="",
        created=provenance.created or now(),
        source=provenance.source,
        domain=subject.domain,
        family=subject.family,
        metric=subject.metric,
        metric_unit=subject.metric_unit,
        metric_ceiling=subject.metric_ceiling,
        x="data" if curve else "params,data",
        x_unit=subject.x_unit,
        form=FORECAST if isinstance(sampled, Forecast) else sampled.form,
        parameters={name: tuple(values.tolist()) for name, values in parameters.items()},
        grid=tuple(log_x.tolist()),
        paths=tuple(map(tuple, _paths(sampled, log_x, max_paths).tolist())),
        x_range=(float(data.min()), float(data.max())),
        n_points=len(points),
        points=_columns(points),
        phases={name: tuple(column.tolist()) for name, column in (phases or {}).items()},
        forms=dict(sampled.weights) if isinstance(sampled, Forecast) else {},
        ladder=tuple(ladder),
        diagnostics=dict(sampled.diagnostics),
        definitions=dict(provenance.definitions) | meanings,
        provenance=dict(provenance.details) | {"seed": str(provenance.seed)},
        runs=tuple(provenance.runs),
        warnings=tuple(dict.fromkeys([*sampled.warnings, *warnings])),
    )
    return replace(law, id=content_id(law))


def now() -> str:
    """Return the present time as laws carry it (ISO 8601, UTC); laws of one fit share it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def points_of(law: Law) -> Points:
    """Return the points that a law of one curve was fitted to.

    Args:
        law: A law that stores its points, as all do but those of the first version.

    Returns:
        Its points, without weights: a law does not store them.
    """
    columns = {name: np.array(values) for name, values in law.points.items()}
    # records keep the column's first name
    baseline_error = float(columns["ceiling"][0]) if "ceiling" in columns else None
    return Points(x=columns["x"], y=columns["y"], y_se=columns.get("y_se"), baseline_error=baseline_error)


def _parameters(sampled: Posterior | Forecast) -> Mapping[str, Array]:
    """Return posterior samples by name, always with the noise's "scale" and "degrees"."""
    if not isinstance(sampled, Forecast):
        return sampled.parameters
    sd = sampled.noise()
    scale = sd * np.sqrt((DEFAULT_DEGREES - 2) / DEFAULT_DEGREES)
    return {**sampled.parameters(), "scale": scale, "degrees": np.full(len(sd), DEFAULT_DEGREES)}


def _paths(sampled: Posterior | Forecast, log_x: Array, count: int) -> Array:
    """Return samples of log y (draws, m) over log x; of a joint law, which has no grid, none."""
    if not len(log_x):
        return np.empty((0, 0))
    if isinstance(sampled, Forecast):
        return _falling(sampled.paths(np.exp(log_x)), log_x > sampled.end)
    rows = np.linspace(0, len(sampled.parameters["scale"]) - 1, count).round().astype(int)
    drawn = {name: values[rows] for name, values in sampled.parameters.items()}
    return FORMS[sampled.form].log_y(np.exp(log_x), drawn)


def _falling(paths: Array, beyond: NDArray[np.bool_]) -> Array:
    """Return paths that never rise beyond the data.

    Beyond the data a sampled path may rise again. Because you can always train on less data, we take the
    running minimum. On 246 points of 51 measured curves the 90 % interval held 92.3 % with it, and as many
    without it. Inside the data a hump stays: without humps there, the interval held 10 % less.
    """
    return np.hstack([paths[:, ~beyond], np.minimum.accumulate(paths[:, beyond], axis=1)])


def _columns(points: Points) -> dict[str, tuple[float, ...]]:
    """Return the points as columns of a record."""
    x = {"x": points.x} if points.x.ndim == 1 else {"params": points.x[:, 0], "data": points.x[:, 1]}
    columns = x | {"y": points.y}
    if points.y_se is not None:
        columns |= {"y_se": points.y_se}
    if points.baseline_error is not None and np.isfinite(points.baseline_error):
        columns |= {"ceiling": np.full(len(points), points.baseline_error)}
    return {name: tuple(column.tolist()) for name, column in columns.items()}
