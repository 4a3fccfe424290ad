"""Fit scaling laws to a table of trainings that were measured elsewhere, and store them.

One file gives the error of the best model at each data size and, with a column of parameters, the size of
that model; or a joint law of parameters and data, where both vary independently and larger is better. Columns
of FLOP and of the data seen in training give what that costs.
"""

import math
import re
import statistics
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

from calibrate.types import ERROR_NOISE
from laws.build import LawProvenance, LawSubject, build_law, now
from laws.codes import WarningCode
from laws.errors import (
    ConflictingInput,
    InputError,
    PlannerError,
    StoreError,
    TableError,
    UnknownName,
    drop,
    run,
    use,
)
from laws.fitting.fit import NotConverged, Posterior, fit, fit_single_form
from laws.fitting.forms import FORMS
from laws.fitting.phases import Phases, leave_out_small_data
from laws.forecasting.forecast import Forecast, forecast
from laws.merging import merge_neighbors
from laws.points import Points, check_points
from laws.storage.store import Store
from laws.types import FORECAST, Law, SizeCost
from planner import units
from planner.lawmodel.info import COMPANIONS, WHOLE_TRAININGS
from planner.metrics import FRACTION, PERCENT_UNITS, MetricScale, usual_unit
from planner.sources.measurements import Measurements
from planner.sources.metric_terms import MetricOptions, MetricTerms, as_errors, lowest_value, rises_by_name
from planner.sources.pool import other_curves, shared_weights
from planner.sources.run_table import read_measurements
from planner.sources.tracked_table import RunChoice
from planner.sources.training_log import STEP_NAMES
from planner.sources.utilization import above_peak, utilization, with_flops_from_hours

AUTO = "auto"  # a forecast and one form; or the joint law where the file suits one
SURFACE = "surface"
ERROR_FORMS = tuple(name for name in FORMS if name not in {"size", SURFACE})
CHOICES = (AUTO, FORECAST, SURFACE, *ERROR_FORMS)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/+-]{0,59}")
METRIC_NAME = re.compile(r"\w[\w ()\[\]{}@%#:,&^*./+~-]{0,59}")
MAX_RUNS = 1000  # of a joint law: memory and time grow faster than the runs, about 0.5 GB at this many
MIN_CROSSED = 3  # model sizes, and data sizes of each, from which a joint law can be fitted


@dataclass(frozen=True, kw_only=True)
class Request:
    """What you say about a file of measurements.

    Attributes:
        path: The file, or several that are one table; `-` is standard input.
        domain: Name of the domain that the law is stored under.
        metric: Name of the metric.
        data_unit: What data is counted in, such as hours or tokens.
        metric_unit: Unit of the metric; None is a fraction for error rates, else no unit.
        family: Architecture that was trained.
        form: One of `CHOICES`.
        columns: Role -> name of its column, None for the usual names (see `read_measurements`).
        choice: Which runs of a tracker's store count, and which of their values.
        seed: Seed of the sampler.
        pool: Whether the domain's other curves in the store help to weight the forms.
        baseline_error: Error of chance-level answers, as typed.
        higher_is_better: Whether the metric rises with data; None to go by its name.
        metric_range: Least and best value of the metric as LOW:HIGH, as typed.
        chance_level: Value of the metric that guessing reaches, as typed.
        test_size: Number of test examples as typed, or the name of a column of them.
        points: Points in place of a file, each such as `300h=11.4%`.
        data_total: All data as typed, where data sizes are percentages of it.
        decimal_comma: Whether `1,340` is 1.34; None where the table shows it.
        peak_flops: Peak FLOP/s as typed, of devices that are not in the table of accelerators.
    """

    path: Path | tuple[Path, ...] = ()
    domain: str
    metric: str
    data_unit: str
    metric_unit: str | None = None
    family: str = ""
    form: str = AUTO
    columns: Mapping[str, str | None]
    choice: RunChoice = field(default_factory=RunChoice)
    seed: int = 0
    pool: bool = False
    baseline_error: str | None = None
    higher_is_better: bool | None = None
    metric_range: str | None = None
    chance_level: str | None = None
    test_size: str | None = None
    peak_flops: str | None = None
    points: tuple[str, ...] = ()
    data_total: str | None = None
    decimal_comma: bool | None = None

    @property
    def metric_options(self) -> MetricOptions:
        """Return what is said about the metric."""
        return MetricOptions(
            metric=self.metric,
            unit=self.metric_unit,
            higher_is_better=self.higher_is_better,
            range=self.metric_range,
            chance=self.chance_level,
            test_size=self.common_test_size,
        )

    @property
    def common_test_size(self) -> float | None:
        """Return the number of test examples of all rows; None where it is not given, or is a column."""
        if self.test_size is None:
            return None
        try:
            return units.parse_number(self.test_size)
        except InputError:
            return None

    @property
    def all_columns(self) -> Mapping[str, str | None]:
        """Return the columns by role, with that of the test size."""
        is_column = self.test_size is not None and self.common_test_size is None
        return {**self.columns, **({"test_size": self.test_size} if is_column else {})}

    @property
    def unit(self) -> str:
        """Return the unit of the metric."""
        return self.metric_unit or usual_unit(self.metric)

    @property
    def forecasts(self) -> bool:
        """Return whether a forecast is among the forms to fit."""
        return self.form in {AUTO, FORECAST}


@dataclass(frozen=True)
class Best:
    """The best training at one data size.

    Attributes:
        data: Data size.
        metric: Its error or loss.
        se: Standard error of the metric.
        params: Parameters of the model.
        samples: Data seen in training, repeats counted.
        flops: FLOP of the training.
    """

    data: float
    metric: float
    se: float | None
    params: float | None
    samples: float | None = None
    flops: float | None = None


@dataclass(frozen=True, kw_only=True)
class _Fitted:
    """A fit and what the law is to say about it."""

    posterior: Posterior | Forecast
    points: Points
    metric: str
    unit: str
    ceiling: float | None = None  # of a metric that rises
    phases: Phases | None = None
    ladder: Sequence[SizeCost] = ()
    warnings: Sequence[str] = ()


def fit_file(
    request: Request, folder: Path, *, progress: Callable[[str], None] = lambda _: None
) -> tuple[Law, ...]:
    """Fit every law that a file supports and store them.

    Args:
        request: The file and what you say about it.
        folder: Folder of the store.
        progress: Called with what is done next, such as "fitting 12 trainings".

    Returns:
        The laws, the one that answers questions first.

    Raises:
        InputError: The request cannot be fitted.
        TableError: The file, a column or a cell cannot be read.
        LawError: Sampling did not converge.
        StoreError: The store has files that cannot be used.
    """
    request = _checked(request)
    progress("reading")
    terms = _measured(request)
    curves = {}
    if request.pool:
        curves = other_curves(folder, request.domain, family=request.family, metric=request.metric)
    store = Store(folder)
    store.check_writable()  # before minutes of fitting
    progress(f"fitting {len(terms.measured):,} trainings")
    fits = _fits(request, terms, curves)
    created = now()
    laws = tuple(_law(request, terms, fitted, created=created, curves=tuple(curves)) for fitted in fits)
    store_fit(store, laws)
    return laws


def store_fit(store: Store, laws: Sequence[Law]) -> None:
    """Store the laws of one fit, and publish them.

    Args:
        store: The store.
        laws: The laws.

    Raises:
        StoreError: The store may not be written, or has files that cannot be used ("damaged-store").
    """
    store.add_fit(laws)
    if problems := store.publish():
        raise StoreError(
            f"the store has files that cannot be used: {problems[0]}",
            code="damaged-store",
            hint=run("store", "check", purpose="to list them"),
        )


def _checked(request: Request) -> Request:
    """Return the request with its data unit by its usual name; refuse what no file could satisfy."""
    if request.form not in CHOICES:
        raise UnknownName("form", request.form, CHOICES, code="unknown-form")
    request = replace(request, data_unit=units.unit_of_data(request.data_unit))
    names = {"domain": request.domain, "metric": request.metric, "data unit": request.data_unit}
    names |= {"family": request.family} if request.family else {}
    for kind, name in names.items():
        if not (METRIC_NAME if kind == "metric" else NAME).fullmatch(name):
            signs = "signs such as . _ / + - ( ) @ %" if kind == "metric" else ". _ / + -"
            raise InputError(
                f"{kind} {name!r}: expected at most 60 letters, digits, spaces and {signs}, such as "
                f"{'wer' if kind == 'metric' else 'my-asr'}",
                code="invalid-name",
                value=name,
            )
    if request.metric in COMPANIONS:
        raise InputError(
            f"metric {request.metric!r}: expected an error or a loss",
            code="reserved-metric",
            value=request.metric,
            hint=use("params_column", purpose="to name the column of parameters"),
        )
    if units.is_compute(request.data_unit):
        raise InputError(
            f"data unit {request.data_unit!r}: expected an amount of data, such as hours, words or "
            f"tokens, got compute",
            code="compute-not-data",
            value=request.data_unit,
        )
    return request


def _measured(request: Request) -> MetricTerms:
    """Return the measurements as errors, with FLOP where they were logged or follow from GPU-hours."""
    measured = read_measurements(
        request.path,
        metric=request.metric,
        metric_unit=request.unit,
        data_unit=request.data_unit,
        columns=request.all_columns,
        choice=request.choice,
        rising=bool(rises_by_name(request.metric_options)),
        lowest=lowest_value(request.metric_options),
        points=request.points,
        decimal_mark={None: "", True: units.COMMA, False: units.POINT}[request.decimal_comma],
        data_total=None
        if request.data_total is None
        else units.parse_data(request.data_total, request.data_unit),
    )
    _refuse_own_steps(request, measured)
    for role in ("flops", "gpu_hours"):
        if (column := request.columns.get(role)) and measured.params is None:
            raise TableError(
                f"column {column!r} of {measured.path}: expected a column of parameters too, since "
                f"cost depends on "
                "model size",
                code="missing-column",
                value="params",
                hint=use("params_column", purpose="to name it"),
            )
    peak = None if request.peak_flops is None else units.parse_number(request.peak_flops)
    if peak is not None and peak <= 0:
        raise InputError(
            f"peak FLOP/s {request.peak_flops!r}: expected a number above 0",
            code="invalid-value",
            value=request.peak_flops,
            hint=use("peak_flops", value="4e14"),
        )
    measured = _with_unused_cost(measured, peak)
    try:
        measured = with_flops_from_hours(measured, peak)
    except PlannerError:  # an unknown device, in a column that was found by its usual name
        if request.columns.get("gpu_hours") or request.columns.get("device"):
            raise
    return as_errors(request.metric_options, measured)


def _with_unused_cost(measured: Measurements, peak: float | None) -> Measurements:
    """Return the measurements with a note for each column of cost that cannot be used."""
    if measured.params is not None:
        if measured.flops is not None or measured.gpu_hours is None or measured.device is not None or peak:
            return measured
        name = measured.columns.get("gpu_hours", "gpu_hours")
        note = f"Column {name!r} gives no compute cost: that needs a column 'device' too, such as h100."
        return replace(measured, notes=(*measured.notes, note))
    unused = [measured.columns[role] for role in ("flops", "gpu_hours") if role in measured.columns]
    notes = (
        f"Column {name!r} gives no compute cost: that needs a column of parameters too." for name in unused
    )
    return replace(measured, notes=(*measured.notes, *notes))


def _refuse_own_steps(request: Request, measured: Measurements) -> None:
    """Refuse the steps of a training as its data: they do not end where the training does."""
    column = measured.columns["data"].strip()
    if column.lower() in STEP_NAMES and column.lower().strip("_") != request.data_unit:
        raise TableError(
            f"column {column!r} of {measured.path}: expected amounts of data, one per finished training, got "
            "steps",
            code="steps-not-data",
            value=column,
            hint=(
                use("data_column", purpose="to name a column of data"),
                run("extrapolate", purpose="to forecast one training from its steps"),
            ),
        )


def _fits(request: Request, terms: MetricTerms, curves: Mapping[str, Points]) -> list[_Fitted]:
    """Return every fit that the file supports, the one that answers questions first."""
    measured = terms.measured
    surface = _is_surface(request, measured)
    _refuse_conflicts(request, surface=surface)
    if surface:
        return [_surface_fit(request, terms)]
    best = best_by_data(measured)
    fits = _error_fits(request, best, terms, tuple(curves.values()))
    if any(b.params is not None for b in best) and len(best) > 1:
        fits.append(_size_fit(request, measured, best))
        if measured.samples is not None:
            fits.append(_samples_fit(request, best))
    return fits


def _refuse_conflicts(request: Request, *, surface: bool) -> None:
    """Refuse options of a forecast where none is fitted."""
    if request.pool and (surface or not request.forecasts):
        form = SURFACE if surface else request.form
        raise ConflictingInput(
            f"form {form!r}: expected a forecast, whose forms other curves help to weight",
            code="pool-without-forecast",
            hint=drop("pool"),
        )
    if surface and (request.baseline_error or request.chance_level):
        raise ConflictingInput(
            "a joint law of parameters and data has no baseline error",
            code="baseline-of-surface",
            hint=drop("baseline_error" if request.baseline_error else "chance_level"),
        )


def _surface_fit(request: Request, terms: MetricTerms) -> _Fitted:
    measured = terms.measured
    points = _pairs(measured, rate=terms.scale.unit == FRACTION)
    if len(points) > MAX_RUNS:
        raise TableError(
            f"{measured.path} has {len(points):,} runs for a joint law: expected at most {MAX_RUNS:,}",
            code="too-many-points",
            value=len(points),
            hint=use("form", value="forecast", purpose="to fit the best run at each data size"),
        )
    return _Fitted(
        posterior=fit(points, SURFACE, seed=request.seed),
        points=points,
        metric=request.metric,
        unit=terms.scale.unit,
        ceiling=terms.scale.ceiling,
        ladder=costs(_logged(measured, measured.data)),
    )


def _error_fits(
    request: Request, best: Sequence[Best], terms: MetricTerms, curves: Sequence[Points]
) -> list[_Fitted]:
    """Return the fits of the error: the forecast, then a single form."""
    points = _curve_points(request, best, terms)
    fitted = partial(_Fitted, metric=request.metric, unit=terms.scale.unit, ceiling=terms.scale.ceiling)
    fits: list[_Fitted] = []
    doubts: list[str] = []
    if not request.forecasts or (request.form == AUTO and points.distinct > 1):
        of_form = points
        sampled: Callable[..., Posterior] = partial(fit, form=request.form)
        phases: Phases = {}
        if request.form == AUTO:
            of_form, phases = leave_out_small_data(points, seed=request.seed)
            sampled = fit_single_form
        try:
            posterior = sampled(of_form, seed=request.seed)
        except NotConverged:
            if request.form != AUTO:
                raise
            doubts.append(WarningCode.FORM_UNSETTLED)
        else:
            fits.append(fitted(posterior=posterior, points=of_form, phases=phases))
    if request.forecasts:
        weights = shared_weights(points, curves, seed=request.seed) if curves else None
        posterior_of_all = forecast(points, seed=request.seed, weights=weights)
        fits.insert(0, fitted(posterior=posterior_of_all, points=points, warnings=doubts))
    return fits


def points_to_fit(request: Request) -> tuple[Points, str, MetricTerms]:
    """Return the points of the law that answers questions, as `fit_file` fits them.

    Args:
        request: The file and what you say about it.

    Returns:
        The points; what is fitted to them, "forecast" or a key of FORMS; and how the metric is read.

    Raises:
        InputError: The request cannot be fitted.
        TableError: The file, a column or a cell cannot be read.
    """
    request = _checked(request)
    terms = _measured(request)
    if _is_surface(request, terms.measured):
        return _pairs(terms.measured, rate=terms.scale.unit == FRACTION), SURFACE, terms
    points = _curve_points(request, best_by_data(terms.measured), terms)
    return points, FORECAST if request.forecasts else request.form, terms


def _is_surface(request: Request, measured: Measurements) -> bool:
    return request.form == SURFACE or (request.form == AUTO and _suits_surface(measured))


def _curve_points(request: Request, best: Sequence[Best], terms: MetricTerms) -> Points:
    se = [b.se for b in best if b.se is not None]
    points = check_points(
        [b.data for b in best],
        [b.metric for b in best],
        y_se=se if len(se) == len(best) else None,
        baseline_error=_baseline_error(request.baseline_error, terms, best),
        rate=terms.scale.unit == FRACTION,
        min_sizes=1 if request.forecasts else 2,
    )
    return merge_neighbors(points)


def _size_fit(request: Request, measured: Measurements, best: Sequence[Best]) -> _Fitted:
    """Return the fit of the best model size at each data size, with what each size costs."""
    sizes = [b.params for b in best if b.params is not None]
    step = _step(measured) if len(measured) > len(best) else 1.0
    # rounding to a grid is uniform in log y: its standard deviation is the step over the root of 12
    rounding = [size * math.log(step) / math.sqrt(12) for size in sizes] if step > 1 else None
    points = merge_neighbors(check_points([b.data for b in best], sizes, y_se=rounding))
    if measured.samples is not None:
        ladder = costs(_logged(measured, measured.samples))
    else:  # the number of epochs depends on the data size, so only the trainings of this law count
        ladder = costs((b.params, b.flops, b.data) for b in best if b.params and b.flops)
    return _Fitted(
        posterior=fit(points, "size", seed=request.seed),
        points=points,
        metric="params",
        unit="parameters",
        ladder=ladder,
        warnings=(WarningCode.SIZES_CUT,) if _at_edge(measured, best) else (),
    )


def _at_edge(measured: Measurements, best: Sequence[Best]) -> bool:
    """Return whether the best model at a data size is the largest or the smallest of several tried there."""
    tried: dict[float, set[float]] = {}
    for data, params in zip(measured.data, measured.params or (), strict=True):
        tried.setdefault(data, set()).add(params)
    return any(len(tried[b.data]) > 1 and b.params in (max(tried[b.data]), min(tried[b.data])) for b in best)


def _samples_fit(request: Request, best: Sequence[Best]) -> _Fitted:
    """Return the fit of the data that the best trainings saw, repeats counted, at each data size."""
    samples = [b.samples for b in best if b.samples is not None]
    points = merge_neighbors(check_points([b.data for b in best], samples))
    return _Fitted(
        posterior=fit(points, "size", seed=request.seed),
        points=points,
        metric="samples",
        unit=request.data_unit,
    )


def costs(trainings: Iterable[tuple[float, float, float]]) -> tuple[SizeCost, ...]:
    """Return the training cost of each model size.

    Args:
        trainings: Parameters, FLOP and data of each training.

    Returns:
        For each size, ascending, the median FLOP per unit of data.
    """
    of_size: dict[float, list[float]] = {}
    for params, flops, data in trainings:
        of_size.setdefault(params, []).append(flops / data)
    return tuple(
        SizeCost(size=params, params=params, flops=statistics.median(per_unit))
        for params, per_unit in sorted(of_size.items())
    )


def _logged(measured: Measurements, data: Sequence[float]) -> Iterable[tuple[float, float, float]]:
    """Return parameters, FLOP and data of every training; nothing where the file lacks one of them."""
    return zip(measured.params or (), measured.flops or (), data, strict=False)


def _baseline_error(typed: str | None, terms: MetricTerms, best: Sequence[Best]) -> float | None:
    """Return the error of chance-level answers; None where it is not known."""
    if typed is None:
        return terms.baseline_error
    unit = terms.scale.unit
    baseline = MetricScale("the baseline error", unit, terms.scale.ceiling).parse(typed)
    lowest = min(b.metric for b in best)
    if unit == "fraction" and baseline > 1:
        raise InputError(
            f"baseline error {typed}: expected a fraction of at most 1, such as 99.9%",
            code="invalid-baseline-error",
            value=typed,
        )
    if baseline <= lowest:
        raise InputError(
            f"baseline error {typed}: expected more than the lowest measured error, "
            f"{units.format_metric(lowest, unit)}; it is that of chance-level answers, such as 99.9% "
            f"for 1,000 "
            "equally common classes",
            code="invalid-baseline-error",
            value=typed,
        )
    return baseline


def _step(measured: Measurements) -> float:
    """Return the largest ratio of neighboring sizes: the best size is known only to within that."""
    tried = sorted(set(measured.params or ()))
    return max((large / small for small, large in pairwise(tried)), default=1.0)


def _pairs(measured: Measurements, *, rate: bool) -> Points:
    """Return the points of a joint law."""
    if measured.params is None:
        raise TableError(
            f"{measured.path}: expected a column of parameters for a joint law, got none",
            code="missing-column",
            value="params",
            hint=use("params_column", purpose="to name it"),
        )
    pairs = list(zip(measured.params, measured.data, strict=True))
    return check_points(pairs, measured.metric, y_se=measured.se, rate=rate)


def _law(
    request: Request, terms: MetricTerms, fitted: _Fitted, *, created: str, curves: tuple[str, ...]
) -> Law:
    measured = terms.measured
    # FLOP are of whole trainings where the data seen is unknown; a joint law has no law of epochs either
    whole = measured.samples is None or fitted.points.x.ndim > 1
    warnings = [*fitted.warnings]
    if fitted.ladder and "flops" not in measured.columns:
        warnings.append(WarningCode.FLOPS_FROM_HOURS)
    if measured.flops is None and measured.gpu_hours is not None and measured.device is not None:
        warnings.append(WarningCode.DEVICE_NOT_LISTED)
    if above_peak(measured):
        warnings.append(WarningCode.FLOPS_ABOVE_PEAK)
    details = {
        "file": measured.path.name,
        "fingerprint": measured.fingerprint,
        "rows": str(len(measured)),
        **({"left_out": measured.left_out} if measured.left_out else {}),
        **({"read_as": " ".join(measured.notes)} if measured.notes else {}),
        **({"terms": terms.note} if terms.note else {}),
        **({"metric_unit": request.metric_unit} if request.metric_unit in PERCENT_UNITS else {}),
        **utilization(measured),
        **request.choice.provenance,
        "columns": ", ".join(f"{role}={name}" for role, name in measured.columns.items()),
        "seed": str(request.seed),
        **({"pool": ", ".join(curves)} if isinstance(fitted.posterior, Forecast) and curves else {}),
        **({"flops": WHOLE_TRAININGS} if fitted.ladder and whole else {}),
    }
    column = measured.columns["metric"]
    return build_law(
        fitted.posterior,
        fitted.points,
        LawSubject(
            domain=request.domain,
            family=request.family,
            metric=fitted.metric,
            metric_unit=fitted.unit,
            x_unit=request.data_unit,
            metric_ceiling=fitted.ceiling,
        ),
        LawProvenance(
            source="fitted",
            seed=request.seed,
            definitions={
                "metric": f"column {column!r} of the file, {request.choice.value} value of each training"
            },
            details=details,
            created=created,
        ),
        ladder=fitted.ladder,
        phases=fitted.phases,
        warnings=warnings,
    )


def best_by_data(measured: Measurements) -> list[Best]:
    """Return the best training at each data size: the points of the error law.

    Without parameters every row is a point, repeats included. With them, the seeds of one size are condensed
    to their median, and each data size takes the smallest model whose error is the lowest within noise
    (Hestness et al. 2017, arXiv:1712.00409, section 3; a calibration uses the same rule).

    Args:
        measured: The measurements of a file.

    Returns:
        The points, by data size where there are parameters, else in the order of the rows.
    """
    if measured.params is None:
        se: Sequence[float | None] = measured.se or (None,) * len(measured)
        return [
            Best(data, y, error, None)
            for data, y, error in zip(measured.data, measured.metric, se, strict=True)
        ]
    cells: dict[float, dict[float, list[int]]] = {}
    for i, (data, params) in enumerate(zip(measured.data, measured.params, strict=True)):
        cells.setdefault(data, {}).setdefault(params, []).append(i)
    best = []
    for data, sizes in sorted(cells.items()):
        medians = {params: _median(measured.metric, rows) for params, rows in sizes.items()}
        within_noise = min(medians.values()) * (1 + ERROR_NOISE)
        params = min(size for size, median in medians.items() if median <= within_noise)
        rows = sizes[params]
        best.append(
            Best(
                data,
                medians[params],
                max(measured.se[i] for i in rows) if measured.se else None,
                params,
                _median(measured.samples, rows) if measured.samples else None,
                _median(measured.flops, rows) if measured.flops else None,
            )
        )
    return best


def _median(column: Sequence[float], rows: Sequence[int]) -> float:
    return statistics.median(column[i] for i in rows)


def _suits_surface(measured: Measurements) -> bool:
    """Return whether the joint law E + A/N^a + B/D^b suits a file: N and D vary independently, larger is
    better.

    Independently means that at least 3 sizes were each tried at 3 data sizes or more, and that sizes do not
    simply grow with the data, as in a list of best models. Two data sizes are enough where the largest model
    tried was the best at each of them. Where each data size was tried with several models and the best one
    differs between data sizes, but not because larger ones were not tried, models overfit: the error then
    rises with N, which the joint law cannot express, and the law is that of the best models.
    """
    if measured.params is None:
        return False
    pairs = sorted(set(zip(measured.data, measured.params, strict=True)))
    sizes = [params for _, params in pairs]
    largest = dict(pairs)  # of each data size
    bests = best_by_data(measured)
    is_largest = all(best.params == largest[best.data] for best in bests)
    least = MIN_CROSSED - 1 if is_largest else MIN_CROSSED
    crossed = [size for size, tried_at in Counter(sizes).items() if tried_at >= least]
    if (
        len(crossed) < MIN_CROSSED
        or len(largest) < least
        or (len(largest) == len(pairs) and sizes == sorted(sizes))
    ):
        return False
    models_tried = Counter(data for data, _ in pairs)
    return min(models_tried.values()) < 2 or is_largest or len({best.params for best in bests}) == 1
