"""Fit what was measured elsewhere: measurements become laws in the store, and `planner estimate` answers.

From one file come the error of the best model at each data size and, with a column of parameters, the size of
that model; or the surface over parameters and data, where both vary independently and larger is better.
Columns of FLOP and of the data that training saw say what that costs.
"""

import math
import re
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

from calibrate.types import ERROR_NOISE
from laws.build import LawProvenance, LawSubject, build_law, now
from laws.codes import WarningCode
from laws.errors import PlannerError
from laws.fitting.fit import NotConverged, Posterior, fit, fit_single_form
from laws.fitting.forms import FORMS
from laws.fitting.phases import Phases, leave_out_small_data
from laws.forecasting.forecast import Forecast, forecast
from laws.points import Points, check_points
from laws.storage.store import Store
from laws.types import FORECAST, Law, SizeCost
from planner import units
from planner.lawmodel.info import COMPANIONS, WHOLE
from planner.sources.pool import others, shared_weights
from planner.sources.run_table import Measurements, read
from planner.sources.utilization import counted, utilization

AUTO = "auto"  # a forecast, with one form beside it; or the surface where the file wants one
ERROR_FORMS = tuple(name for name in FORMS if name not in {"size", "surface"})
RATES = frozenset({"wer", "cer", "ter", "wper", "error", "top1", "top5"})
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/+-]{0,59}")
PERCENT = frozenset({"%", "percent", "percentage", "pct"})
RISING = frozenset({"accuracy", "acc", "bleu", "chrf", "f1", "auc", "map", "miou"})


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the user says of a file of measurements."""

    path: Path
    domain: str
    metric: str
    data_unit: str
    metric_unit: str | None = None  # None: a fraction for error rates, else not named
    family: str = ""
    form: str = AUTO
    columns: Mapping[str, str | None]
    seed: int = 0
    pool: bool = False  # whether the domain's other curves help to weigh the forms
    baseline_error: str | None = None  # the error of best guessing, as it was typed


@dataclass(frozen=True)
class Best:
    """The best training at one data size."""

    data: float
    metric: float
    se: float | None
    params: float | None
    samples: float | None = None  # data seen in training, repeats counted
    flops: float | None = None


def fit_file(request: Request, folder: Path) -> tuple[Law, ...]:
    """Fit every law that the file can carry, store them in `folder`, and return them.

    Raises:
        PlannerError: the request, the file or a fit cannot stand, in one line.
    """
    forms = (AUTO, FORECAST, "surface", *ERROR_FORMS)
    if request.form not in forms:
        raise PlannerError(f"no form is called {request.form!r}: wanted one of {', '.join(forms)}")
    request = replace(request, data_unit=units.unit_of_data(request.data_unit))
    named = {"domain": request.domain, "metric": request.metric, "data-unit": request.data_unit}
    named |= {"family": request.family} if request.family else {}
    for option, name in named.items():
        if not NAME.fullmatch(name):
            raise PlannerError(
                f"--{option} {name!r}: wanted a name of letters, digits, spaces and . _ / + - (60 at most), "
                "such as my-asr, wer or hours"
            )
    if request.metric in COMPANIONS:
        raise PlannerError(
            f"--metric {request.metric} is kept for laws that complete another: give an error or a loss, "
            "and name the column of parameters with --params-column"
        )
    if units.is_compute(request.data_unit):
        raise PlannerError(
            f"{request.data_unit} are compute, not data: wanted hours of audio, words, tokens, ..."
        )
    if request.metric.lower() in RISING:
        raise PlannerError(
            f"{request.metric} rises with data: give what falls instead, such as 1 - {request.metric}"
        )
    if request.metric_unit in PERCENT:
        raise PlannerError(
            f"--metric-unit {request.metric_unit}: rates are kept as fractions, give --metric-unit fraction; "
            "cells may be 0.35 or 35%"
        )
    unit = request.metric_unit or ("fraction" if request.metric.lower() in RATES else "")
    measured = read(
        request.path,
        metric=request.metric,
        metric_unit=unit,
        data_unit=request.data_unit,
        columns=request.columns,
    )
    for role, option in (("flops", "--flops-column"), ("gpu_hours", "--gpu-hours-column")):
        if (column := request.columns.get(role)) and measured.params is None:
            raise PlannerError(
                f"{option} {column}: {measured.path} has no column of parameters, and a training costs what "
                "its size does: name it with --params-column"
            )
    try:
        measured = counted(measured)
    except PlannerError:  # a device that nobody knows, in a column that nobody named
        if request.columns.get("gpu_hours") or request.columns.get("device"):
            raise
    curves = {}
    if request.pool:
        curves = others(folder, request.domain, family=request.family, metric=request.metric)
    store = Store(folder)
    store.check_writable()  # before minutes of fitting
    laws = _laws(request, measured, unit, curves)
    sequence = store.next_sequence()  # laws of one fit share it
    for law in laws:
        store.add_law(law, sequence=sequence)
    problems = store.publish()
    if problems:
        raise PlannerError(
            f"the store has files that cannot be used: {problems[0]}; see `planner store check`"
        )
    return laws


def _laws(
    request: Request, measured: Measurements, unit: str, curves: Mapping[str, Points]
) -> tuple[Law, ...]:
    made = partial(_law, request, measured, created=now(), curves=tuple(curves))
    surface = request.form == "surface" or (request.form == AUTO and _wants_surface(measured))
    if request.pool and (surface or request.form not in {AUTO, FORECAST}):
        form = "surface" if surface else request.form
        raise PlannerError(f"--pool weighs the forms of a forecast, and the form {form} is one: leave it out")
    if surface and request.baseline_error:
        raise PlannerError("--baseline-error tells where a curve begins, and a surface is none: leave it out")
    if surface:
        points = _pairs(measured, rate=unit == "fraction")
        found = fit(points, "surface", seed=request.seed)
        ladder = costs(_logged(measured, measured.data))
        return (made(found, points, metric=request.metric, unit=unit, ladder=ladder),)
    best = best_by_data(measured)
    se = [b.se for b in best if b.se is not None]
    points = check_points(
        [b.data for b in best],
        [b.metric for b in best],
        y_se=se if len(se) == len(best) else None,
        baseline_error=_best_guess(request.baseline_error, unit, best),
        rate=unit == "fraction",
        min_sizes=1 if request.form in {AUTO, FORECAST} else 2,
    )
    errors: list[Law] = []
    doubts: list[str] = []
    if request.form not in {AUTO, FORECAST} or (request.form == AUTO and points.distinct > 1):
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
            errors.append(made(posterior, of_form, metric=request.metric, unit=unit, phases=phases))
    if request.form in {AUTO, FORECAST}:
        weights = shared_weights(points, tuple(curves.values()), seed=request.seed) if curves else None
        told = forecast(points, seed=request.seed, weights=weights)
        errors.insert(0, made(told, points, metric=request.metric, unit=unit, warnings=doubts))
    sizes = [b.params for b in best if b.params is not None]
    if not sizes or len(best) < 2:
        return tuple(errors)
    step = _step(measured) if len(measured) > len(best) else 1.0
    # rounding to a grid is uniform in log y: its standard deviation is the step over the root of 12
    rounding = [size * math.log(step) / math.sqrt(12) for size in sizes] if step > 1 else None
    wanted = check_points([b.data for b in best], sizes, y_se=rounding)
    size = fit(wanted, "size", seed=request.seed)
    if measured.samples is not None:
        ladder = costs(_logged(measured, measured.samples))
    else:  # how often the data is seen depends on how much there is: of the models that the laws are of
        ladder = costs((b.params, b.flops, b.data) for b in best if b.params and b.flops)
    laws = [*errors, made(size, wanted, metric="params", unit="parameters", ladder=ladder)]
    if measured.samples is not None:
        seen = check_points([b.data for b in best], [b.samples for b in best if b.samples is not None])
        laws.append(
            made(fit(seen, "size", seed=request.seed), seen, metric="samples", unit=request.data_unit)
        )
    return tuple(laws)


def costs(trainings: Iterable[tuple[float, float, float]]) -> tuple[SizeCost, ...]:
    """Return what each size costs for a unit of data, from trainings: parameters, FLOP, data; the median."""
    of_size: dict[float, list[float]] = {}
    for params, flops, data in trainings:
        of_size.setdefault(params, []).append(flops / data)
    return tuple(
        SizeCost(size=params, params=params, flops=statistics.median(each))
        for params, each in sorted(of_size.items())
    )


def _logged(measured: Measurements, data: Sequence[float]) -> Iterable[tuple[float, float, float]]:
    """Return what `costs` asks of every training; nothing where the file does not say it."""
    return zip(measured.params or (), measured.flops or (), data, strict=False)


def _best_guess(typed: str | None, unit: str, best: Sequence[Best]) -> float | None:
    """Return the error of best guessing, which something was better than."""
    if typed is None:
        return None
    guess = units.parse_metric(typed, unit, metric="--baseline-error")
    least = min(each.metric for each in best)
    if unit == "fraction" and guess > 1:
        raise PlannerError(f"--baseline-error {typed}: wanted a fraction of at most 1, such as 99.9%")
    if guess <= least:
        raise PlannerError(
            f"--baseline-error {typed}: nothing measured lies below it, the least is "
            f"{units.format_metric(least, unit)}: give the error of an answer that looks at no input, "
            "99.9% where 1,000 classes are equally common"
        )
    return guess


def _step(measured: Measurements) -> float:
    """Return the largest ratio of neighboring sizes: the best size is known to no better than that."""
    tried = sorted(set(measured.params or ()))
    return max((large / small for small, large in pairwise(tried)), default=1.0)


def _pairs(measured: Measurements, *, rate: bool) -> Points:
    """Return the points of a surface."""
    if measured.params is None:
        raise PlannerError(
            f"a surface needs the parameters of each training: {measured.path} has no column for them, "
            "name it with --params-column"
        )
    pairs = list(zip(measured.params, measured.data, strict=True))
    return check_points(pairs, measured.metric, y_se=measured.se, rate=rate)


def _law(
    request: Request,
    measured: Measurements,
    found: Posterior | Forecast,
    points: Points,
    *,
    metric: str,
    unit: str,
    created: str,
    curves: tuple[str, ...],
    phases: Phases | None = None,
    ladder: Sequence[SizeCost] = (),
    warnings: Sequence[str] = (),
) -> Law:
    # a surface has no law of passes either
    whole = measured.samples is None or points.x.ndim > 1
    if ladder and "flops" not in measured.columns:
        warnings = [*warnings, WarningCode.FLOPS_FROM_HOURS]
    subject = LawSubject(
        domain=request.domain,
        family=request.family,
        metric=metric,
        metric_unit=unit,
        x_unit=request.data_unit,
    )
    provenance = LawProvenance(
        source="fitted",
        seed=request.seed,
        definitions={
            "metric": f"column {measured.columns['metric']!r} of the file, best value of each training"
        },
        details={
            "file": measured.path.name,
            "fingerprint": measured.fingerprint,
            "rows": str(len(measured)),
            **({"left_out": measured.left_out} if measured.unmeasured else {}),
            **utilization(measured),
            "columns": ", ".join(f"{role}={name}" for role, name in measured.columns.items()),
            "seed": str(request.seed),
        }
        | ({"pool": ", ".join(curves)} if isinstance(found, Forecast) and curves else {})
        | ({"flops": WHOLE} if ladder and whole else {}),
        created=created,
    )
    return build_law(found, points, subject, provenance, ladder=ladder, phases=phases, warnings=warnings)


def best_by_data(measured: Measurements) -> list[Best]:
    """Return the points of the error law.

    Without parameters every row is a point, repeats included. With them, seeds of one size are condensed to
    their median, and the smallest size that reaches the lowest error within noise stands for its data size
    (Hestness et al. 2017, arXiv:1712.00409, section 3; the same rule as in a calibration).
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
        middles = {params: _middle(measured.metric, rows) for params, rows in sizes.items()}
        enough = min(middles.values()) * (1 + ERROR_NOISE)
        params = min(size for size, middle in middles.items() if middle <= enough)
        rows = sizes[params]
        best.append(
            Best(
                data,
                middles[params],
                max(measured.se[i] for i in rows) if measured.se else None,
                params,
                _middle(measured.samples, rows) if measured.samples else None,
                _middle(measured.flops, rows) if measured.flops else None,
            )
        )
    return best


def _middle(column: Sequence[float], rows: Sequence[int]) -> float:
    return statistics.median(column[i] for i in rows)


def _wants_surface(measured: Measurements) -> bool:
    """Return whether E + A/N^a + B/D^b is the law to fit: N and D vary independently, and larger is better.

    Independently: at least 3 sizes were each tried at 3 amounts of data or more, and sizes do not simply grow
    with the data, as in a list of best models. Where each amount was tried with several sizes and the best
    one differs between amounts, models overfit: the error then rises with N, which the surface cannot say,
    and the best model of each amount is the law.
    """
    if measured.params is None:
        return False
    pairs = sorted(set(zip(measured.data, measured.params, strict=True)))
    sizes = [params for _, params in pairs]
    amounts = {data for data, _ in pairs}
    crossed = [size for size in set(sizes) if sizes.count(size) >= 3]
    if len(crossed) < 3 or len(amounts) < 3 or (len(amounts) == len(pairs) and sizes == sorted(sizes)):
        return False
    tried = [sum(data == amount for data, _ in pairs) for amount in amounts]
    return min(tried) < 2 or len({best.params for best in best_by_data(measured)}) == 1
