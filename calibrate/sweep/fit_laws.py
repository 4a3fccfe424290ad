"""Fit the laws of a finished sweep: errors, best model size and samples to the best, each against the data.

The laws that answer questions are fitted to the best models of the shards of one family
(`calibrate.sweep.best_model`), as in Hestness et al. 2017, arXiv:1712.00409. An error has two of them: a
forecast (`laws/forecasting/forecast.py`), which answers by default, and a single parametric form. Laws of
single sizes, and the joint law of size and data where larger is better, are stored in addition; they answer
by id only.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

from calibrate.sweep.best_model import BestModel, best_models, size_of
from calibrate.sweep.spec import MIN_SHARDS, Spec
from calibrate.types import ERROR_NOISE, EVALUATION_STEP, EdgeProblem
from calibrate.versions import code_version
from laws.build import LawProvenance, LawSubject, build_law, now
from laws.codes import WarningCode
from laws.errors import LawError, PlannerError
from laws.fitting.fit import Posterior, fit, fit_single_form
from laws.fitting.phases import Phases, leave_out_small_data
from laws.forecasting.forecast import Forecast, forecast
from laws.forecasting.priors import bundled_prior
from laws.points import check_points
from laws.types import FORECAST, Law, Run

MIN_SHARDS_OF_SIZE = 4  # for the law of a single size
MIN_CROSSED_SIZES = 3  # sizes trained on as many shards; with fewer the joint law is not identified
SIZE_LAW_DRAWS, SIZE_LAW_PATHS = 1000, 250  # each law of a size takes a quarter of a megabyte
SINGLE_FORM = "plain"  # one parametric form, with a floor where the shards support one


@dataclass(frozen=True, kw_only=True)
class CurveSpec:
    """A law to fit: y of each best model against the data."""

    metric: str
    unit: str
    form: str  # FORECAST, SINGLE_FORM, or a form of laws.fitting.forms
    value: Callable[[BestModel], float | None]
    rate: bool = False
    step: float = 1.0  # y is only known to the nearest multiple of this ratio


def best_by_family(spec: Spec, runs: Sequence[Run]) -> dict[str, list[BestModel]]:
    """Return the best models of a sweep.

    Args:
        spec: The sweep.
        runs: Its runs.

    Returns:
        Family -> the best model of each shard, by data size.
    """
    return {
        family: best_models((run for run in runs if run.family == family), spec.metric, spec.seed)
        for family in spec.families
    }


def edge_problems(spec: Spec, bests: Mapping[str, Sequence[BestModel]]) -> list[EdgeProblem]:
    """Return the families whose best models are at the edge of what the sweep allowed.

    Args:
        spec: The sweep.
        bests: Family -> the best model of each shard.

    Returns:
        One entry per family and edge.
    """
    problems = []
    for family, models in bests.items():
        counts = {
            WarningCode.SIZES_CUT: sum(_largest(spec, best) for best in models),
            WarningCode.TRAINING_CUT: sum(_cut_short(best) for best in models),
        }
        problems += [
            EdgeProblem(
                code=code, family=family, count=count, shards=len(models), size=spec.preset.sizes[family][-1]
            )
            for code, count in counts.items()
            if count
        ]
    return problems


def _largest(spec: Spec, best: BestModel) -> bool:
    return best.size == spec.preset.sizes[best.chosen.family][-1]


def _cut_short(best: BestModel) -> bool:
    """Return whether the limit on samples left a shard fewer epochs, and its last evaluation was the best.

    The last evaluation is usually the best, because the learning rate has decayed to zero; so both are
    required.
    """
    hyper = best.chosen.hyper
    allowed = float(hyper["max_samples"])
    fewer = allowed < float(hyper["epochs"]) * best.data
    return fewer and best.samples is not None and best.samples >= 0.99 * allowed


def curve_specs(spec: Spec, family: str) -> list[CurveSpec]:
    """Return the laws to fit for a family: every metric, the model size and the samples to the best error.

    The best size is only known to the nearest size that was tried, the samples to the nearest evaluation.

    Args:
        spec: The sweep.
        family: One of its families.

    Returns:
        The laws to fit.
    """
    params = [spec.size_cost(family, size).params for size in spec.preset.sizes[family]]
    step = max((large / small for small, large in pairwise(params)), default=2.0)
    metrics = [
        CurveSpec(
            metric=name,
            unit=unit,
            form=form,
            value=lambda best, name=name: best.metrics.get(name),  # type: ignore[misc]  # the default binds the loop variable
            rate=unit == "fraction",
        )
        for name, unit in spec.domain.metrics.items()
        for form in (FORECAST, SINGLE_FORM)
    ]
    return [
        *metrics,
        CurveSpec(metric="params", unit="parameters", form="size", value=lambda best: best.params, step=step),
        CurveSpec(
            metric="samples",
            unit=spec.domain.data_unit,
            form="size",
            value=lambda best: best.samples,
            step=EVALUATION_STEP,
        ),
    ]


def fit_sweep_laws(
    spec: Spec,
    bests: Mapping[str, Sequence[BestModel]],
    provenance: Mapping[str, str],
    failed: Callable[[str], None],
) -> Iterator[Law]:
    """Fit the laws of a sweep.

    Args:
        spec: The sweep.
        bests: Family -> the best model of each shard.
        provenance: More entries for the provenance of each law.
        failed: Called with one line for each law that cannot be fitted.

    Yields:
        The laws, in the order of families and metrics.
    """
    created = now()
    reported: set[str] = set()
    for family, models in bests.items():
        for curve in curve_specs(spec, family):
            try:
                yield _law(spec, family, models, curve, provenance, created=created)
            except PlannerError as error:
                line = f"no law of {curve.metric} for {family}: {error}"
                if line not in reported:  # too few shards are too few for both forms
                    failed(line)
                reported.add(line)


def fit_metric_law(spec: Spec, family: str, models: Sequence[BestModel], metric: str) -> Law:
    """Fit the law that answers for a metric.

    Args:
        spec: The sweep.
        family: One of its families.
        models: The best model of each shard so far.
        metric: A metric of the domain.

    Returns:
        The law; it is not stored.

    Raises:
        LawError: Fewer than MIN_SHARDS shards have a finished run ("too-few-shards").
    """
    curve = next(curve for curve in curve_specs(spec, family) if curve.metric == metric)
    return _law(spec, family, models, curve, {}, created=now())


def _law(
    spec: Spec,
    family: str,
    models: Sequence[BestModel],
    curve: CurveSpec,
    provenance: Mapping[str, str],
    *,
    created: str,
) -> Law:
    measured = [(best, y) for best in models if (y := curve.value(best)) is not None]
    if len(measured) < MIN_SHARDS:
        raise LawError(
            f"{len(measured)} shards have a finished run: expected {MIN_SHARDS} at least",
            code="too-few-shards",
            value=len(measured),
        )
    # rounding to a grid is uniform in log y, and the standard deviation of a uniform is its width over
    # sqrt(12)
    se = [y * math.log(curve.step) / math.sqrt(12) for _, y in measured] if curve.step > 1 else None
    points = check_points(
        [best.data for best, _ in measured],
        [y for _, y in measured],
        y_se=se,
        baseline_error=spec.corpus.guessing.get(curve.metric),
        rate=curve.rate,
    )
    edges = {
        WarningCode.SIZES_CUT: curve.metric == "params" and any(_largest(spec, best) for best, _ in measured),
        WarningCode.TRAINING_CUT: curve.metric != "params" and any(_cut_short(best) for best, _ in measured),
    }
    phases: Phases = {}
    posterior: Posterior | Forecast
    if curve.form == FORECAST:
        posterior = forecast(points, seed=spec.seed, prior=bundled_prior("sweep"))
    elif curve.form == SINGLE_FORM:
        points, phases = leave_out_small_data(points, seed=spec.seed)
        posterior = fit_single_form(points, seed=spec.seed)
    else:
        posterior = fit(points, curve.form, seed=spec.seed)
    return build_law(
        posterior,
        points,
        LawSubject(
            domain=spec.domain.name,
            family=family,
            metric=curve.metric,
            metric_unit=curve.unit,
            x_unit=spec.domain.data_unit,
        ),
        LawProvenance(
            source="calibrated",
            seed=spec.seed,
            definitions=spec.domain.definitions,
            details=_provenance(spec, (best.chosen for best, _ in measured)) | dict(provenance),
            runs=[id for best, _ in measured for id in best.runs],
            created=created,
        ),
        ladder=spec.ladder[family] if curve.metric == "params" else (),
        warnings=[code for code, is_so in edges.items() if is_so],
        phases=phases,
    )


def fit_size_laws(spec: Spec, runs: Sequence[Run], provenance: Mapping[str, str]) -> Iterator[Law]:
    """Fit the laws of single sizes, and the joint law of size and data where larger is better.

    They are laws of the first metric, from the best training of each shard and size with the sweep's own
    seed. A law that cannot be fitted is left out, because no command needs it.

    Args:
        spec: The sweep.
        runs: Its runs.
        provenance: More entries for the provenance of each law.

    Yields:
        The laws; they answer by id only.
    """
    created = now()
    for family in spec.families:
        cells = _cells(spec, family, runs)
        for size in spec.preset.sizes[family]:
            runs_of_size = [run for (_, other), run in sorted(cells.items()) if other == size]
            if len(runs_of_size) >= MIN_SHARDS_OF_SIZE:
                with suppress(PlannerError):
                    yield _size_law(spec, family, size, runs_of_size, provenance, created=created)
        if _larger_is_better(cells, spec.metric):
            with suppress(PlannerError):
                yield _size_law(spec, family, None, list(cells.values()), provenance, created=created)


def _cells(spec: Spec, family: str, runs: Sequence[Run]) -> dict[tuple[float, int], Run]:
    """Return the best training of each shard and size."""
    best: dict[tuple[float, int], Run] = {}
    for run in runs:
        if run.family == family and run.seed == spec.seed and run.status == "finished":
            cell = run.data, size_of(run)
            best[cell] = min(run, best.get(cell, run), key=lambda run: (run.metrics[spec.metric], run.id))
    return best


def _larger_is_better(cells: Mapping[tuple[float, int], Run], metric: str) -> bool:
    """Return whether L = E + A/N^a + B/D^b is identified: sizes and shards cross, and no model overfits."""
    sizes = [size for _, size in cells]
    crossed = [size for size in set(sizes) if sizes.count(size) >= MIN_CROSSED_SIZES]
    falls = all(
        cells[data, larger].metrics[metric] <= run.metrics[metric] * (1 + ERROR_NOISE)
        for (data, size), run in cells.items()
        for other, larger in cells
        if other == data and larger > size
    )
    return len(crossed) >= MIN_CROSSED_SIZES and falls


def _size_law(
    spec: Spec,
    family: str,
    size: int | None,
    runs: Sequence[Run],
    provenance: Mapping[str, str],
    *,
    created: str,
) -> Law:
    """Fit the law of one size, or with None the joint law of all."""
    unit = spec.domain.metrics[spec.metric]
    is_joint = size is None
    points = check_points(
        [(run.params, run.data) for run in runs] if is_joint else [run.data for run in runs],
        [run.metrics[spec.metric] for run in runs],
        rate=unit == "fraction",
    )
    if is_joint:
        posterior = fit(points, "surface", seed=spec.seed, draws=SIZE_LAW_DRAWS)
    else:
        points, _ = leave_out_small_data(points, seed=spec.seed)
        posterior = fit_single_form(points, seed=spec.seed, draws=SIZE_LAW_DRAWS)
    details = {"family": family, "passes": f"{spec.preset.epochs:g}", **provenance}
    return build_law(
        posterior,
        points,
        LawSubject(
            domain=spec.domain.name,
            family=f"{family}, {'all sizes' if is_joint else f'size {size}'}",
            metric=spec.metric,
            metric_unit=unit,
            x_unit=spec.domain.data_unit,
        ),
        LawProvenance(
            source="calibrated",
            seed=spec.seed,
            definitions=spec.domain.definitions,
            details=_provenance(spec, runs) | details,
            runs=[run.id for run in runs],
            created=created,
        ),
        ladder=spec.ladder[family] if is_joint else (),
        max_paths=SIZE_LAW_PATHS,
    )


def _provenance(spec: Spec, runs: Iterable[Run]) -> dict[str, str]:
    return {
        "corpus": spec.corpus.fingerprint,
        "code": code_version(),
        "sweep": spec.id,
        "preset": spec.preset_name,
        "seed": str(spec.seed),
        "device": ", ".join(sorted({run.device for run in runs})),
    }
