"""The laws of a finished sweep: errors, best model size and samples to the best, each against the data.

Those that answer are fitted to the best-fit models of the shards of one family (`calibrate.sweep.best_model`), the
composite of Hestness et al. 2017. An error has two of them: a forecast (`laws/forecasting/forecast.py`), which answers,
and one form, which answers where a form is asked for. Beside them stand the curves of single sizes, which the
composite follows from one size to the next, and the joint surface of size and data where larger is better.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise

from calibrate.sweep.best_model import BestModel, best_models, size_of
from calibrate.sweep.spec import Spec
from calibrate.types import ERROR_NOISE, EVALUATION_STEP
from calibrate.versions import code_version
from laws.build import LawProvenance, LawSubject, build_law, now
from laws.codes import WarningCode
from laws.errors import PlannerError
from laws.fitting.fit import Posterior, fit, fit_single_form
from laws.fitting.phases import Phases, leave_out_small_data
from laws.forecasting.forecast import Forecast, forecast
from laws.forecasting.priors import bundled_prior
from laws.points import check_points
from laws.types import FORECAST, Law, Run

FEWEST = 3  # shards below which nothing is fitted
ENOUGH = 4  # shards from which on a single size has a curve of its own
CROSSED = 3  # sizes that were trained on as many shards: fewer show no surface
DRAWS, LEAN = 1000, 250  # draws and paths of laws that are asked by id alone: a quarter of a megabyte each
PLAIN = "plain"  # one form, with a floor where the shards can tell it


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One law to be fitted: y of each best-fit model against the data."""

    metric: str
    unit: str
    form: str  # FORECAST, PLAIN, or a form of laws.fitting.forms
    value: Callable[[BestModel], float | None]
    rate: bool = False
    step: float = 1.0  # y is known to the nearest step of this ratio


def best_by_family(spec: Spec, runs: Sequence[Run]) -> dict[str, list[BestModel]]:
    """Return the best-fit models of a sweep: family -> one a shard, by data size."""
    return {
        family: best_models((run for run in runs if run.family == family), spec.metric, spec.seed)
        for family in spec.families
    }


def edge_problems(spec: Spec, bests: Mapping[str, Sequence[BestModel]]) -> list[str]:
    """Return one line for each family whose best models are at the edge of what the sweep allowed."""
    lines = []
    for family, models in bests.items():
        if count := sum(_largest(spec, best) for best in models):
            lines.append(
                f"{count} of {len(models)} shards are served best by the largest {family} that was tried "
                f"(size {spec.preset.sizes[family][-1]}): a larger one may do better, and the law of sizes "
                "is a lower bound"
            )
        if count := sum(_cut_short(best) for best in models):
            lines.append(
                f"{count} of {len(models)} shards were still getting better when the limit on samples ended "
                f"their training after fewer passes than the others had ({family}): longer training may do "
                "better, and part of the floor may be its lack"
            )
    return lines


def _largest(spec: Spec, best: BestModel) -> bool:
    return best.size == spec.preset.sizes[best.chosen.family][-1]


def _cut_short(best: BestModel) -> bool:
    """Return whether the limit on samples left a shard fewer passes, and the last evaluation was its best.

    That the last one is best says nothing alone: it is where the learning rate has come down to zero.
    """
    hyper = best.chosen.hyper
    allowed = float(hyper["max_samples"])
    fewer = allowed < float(hyper["epochs"]) * best.data
    return fewer and best.samples is not None and best.samples >= 0.99 * allowed


def curves(spec: Spec, family: str) -> list[Curve]:
    """Return what is fitted for a family: every metric, the model size, the samples to the best.

    The best size is known only to the sizes that were tried, the samples to the moments of evaluation.
    """
    rungs = [spec.rung(family, size).params for size in spec.preset.sizes[family]]
    step = max((large / small for small, large in pairwise(rungs)), default=2.0)
    metrics = [
        Curve(
            metric=name,
            unit=unit,
            form=form,
            value=lambda best, name=name: best.metrics.get(name),  # type: ignore[misc]  # a default binds it
            rate=unit == "fraction",
        )
        for name, unit in spec.domain.metrics.items()
        for form in (FORECAST, PLAIN)
    ]
    return [
        *metrics,
        Curve(metric="params", unit="parameters", form="size", value=lambda best: best.params, step=step),
        Curve(
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
    """Fit and yield the laws of a sweep; what cannot be fitted is told to `failed` in one line."""
    created = now()
    told: set[str] = set()
    for family, models in bests.items():
        for curve in curves(spec, family):
            try:
                yield _law(spec, family, models, curve, provenance, created=created)
            except PlannerError as error:
                line = f"no law of {curve.metric} for {family}: {error}"
                if line not in told:  # too few shards are too few for every form
                    failed(line)
                told.add(line)


def answering(spec: Spec, family: str, models: Sequence[BestModel], metric: str) -> Law:
    """Return the law that answers for a metric, from what was measured so far."""
    curve = next(each for each in curves(spec, family) if each.metric == metric)
    return _law(spec, family, models, curve, {}, created=now())


def _law(
    spec: Spec,
    family: str,
    models: Sequence[BestModel],
    curve: Curve,
    provenance: Mapping[str, str],
    *,
    created: str,
) -> Law:
    measured = [(best, y) for best in models if (y := curve.value(best)) is not None]
    if len(measured) < FEWEST:
        raise PlannerError(f"{len(measured)} shards have a finished run, {FEWEST} are needed")
    # rounding to a grid is uniform in log y: its standard deviation is the step over the root of 12
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
    found: Posterior | Forecast
    if curve.form == FORECAST:
        found = forecast(points, seed=spec.seed, prior=bundled_prior("sweep"))
    elif curve.form == PLAIN:
        points, phases = leave_out_small_data(points, seed=spec.seed)
        found = fit_single_form(points, seed=spec.seed)
    else:
        found = fit(points, curve.form, seed=spec.seed)
    return build_law(
        found,
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
    """Fit and yield what stands beside the composites: curves of single sizes, and the joint surface.

    Of the metric that decides, from the best training of each shard and size with the sweep's own seed. What
    cannot be fitted is left out: these laws are asked by id and nothing waits for them.
    """
    created = now()
    for family in spec.families:
        cells = _cells(spec, family, runs)
        for size in spec.preset.sizes[family]:
            mine = [run for (_, of), run in sorted(cells.items()) if of == size]
            if len(mine) >= ENOUGH:
                with suppress(PlannerError):
                    yield _beside(spec, family, f"size {size}", mine, provenance, created=created)
        if _larger_is_better(cells, spec.metric):
            with suppress(PlannerError):
                yield _beside(spec, family, "all sizes", list(cells.values()), provenance, created=created)


def _cells(spec: Spec, family: str, runs: Sequence[Run]) -> dict[tuple[float, int], Run]:
    """Return the best training of each shard and size."""
    found: dict[tuple[float, int], Run] = {}
    for run in runs:
        if run.family == family and run.seed == spec.seed and run.status == "finished":
            cell = run.data, size_of(run)
            found[cell] = min(run, found.get(cell, run), key=lambda run: (run.metrics[spec.metric], run.id))
    return found


def _larger_is_better(cells: Mapping[tuple[float, int], Run], metric: str) -> bool:
    """Return whether L = E + A/N^a + B/D^b can be told: sizes and shards cross, and no model overfits."""
    sizes = [size for _, size in cells]
    crossed = [size for size in set(sizes) if sizes.count(size) >= CROSSED]
    falls = all(
        cells[data, larger].metrics[metric] <= run.metrics[metric] * (1 + ERROR_NOISE)
        for (data, size), run in cells.items()
        for other, larger in cells
        if other == data and larger > size
    )
    return len(crossed) >= CROSSED and falls


def _beside(
    spec: Spec, family: str, name: str, runs: Sequence[Run], provenance: Mapping[str, str], *, created: str
) -> Law:
    unit = spec.domain.metrics[spec.metric]
    surface = name == "all sizes"
    points = check_points(
        [(run.params, run.data) for run in runs] if surface else [run.data for run in runs],
        [run.metrics[spec.metric] for run in runs],
        rate=unit == "fraction",
    )
    if surface:
        found = fit(points, "surface", seed=spec.seed, draws=DRAWS)
    else:
        points, _ = leave_out_small_data(points, seed=spec.seed)
        found = fit_single_form(points, seed=spec.seed, draws=DRAWS)
    details = {"family": family, "passes": f"{spec.preset.epochs:g}", **provenance}
    return build_law(
        found,
        points,
        LawSubject(
            domain=spec.domain.name,
            family=f"{family}, {name}",
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
        ladder=spec.ladder[family] if surface else (),
        max_paths=LEAN,
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
