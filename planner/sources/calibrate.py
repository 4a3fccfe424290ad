"""Calibrate a domain: measure its learning curves on this machine, fit their laws, store both."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from calibrate import domains
from calibrate.data.archive import is_archive, prepare_from
from calibrate.engines.gpu_capacity import devices, gpus
from calibrate.engines.local import LocalEngine, Pool
from calibrate.engines.signals import ctrl_c_held
from calibrate.sweep.best_model import BestModel
from calibrate.sweep.progress import Progress
from calibrate.sweep.run import AGAIN, run_sweep
from calibrate.sweep.search import STAGES, planned_trainings
from calibrate.sweep.spec import Spec, run_id, shards_within
from calibrate.sweep.trials import trials
from calibrate.types import Budget, BudgetUse, Corpus, Domain, DomainCode, ReportProgress, Training
from laws.errors import PlannerError
from laws.storage.store import Store
from laws.types import Law, RunStatus
from planner.sources.calibrate_request import CalibrationRequest, budget_of, check_gpus, goal_of, preset_of

RUNGS_BEYOND = 10  # doublings of the largest trained size that the ladder goes on for
INSTALL = "calibrating needs more libraries ({missing} is missing): pip install 'scaling-planner[calibrate]'"


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What a calibration came to."""

    spec: Spec
    counts: Mapping[RunStatus, int]  # how the runs ended
    flops: float  # that the runs took
    saved: float  # FLOP that runs which were stopped early had still before them
    best: Mapping[str, Sequence[BestModel]]  # family -> best-fit model of each shard
    laws: Sequence[Law]
    spent: BudgetUse | None  # what a budget went for, where there was one
    beside: Sequence[Law]  # of single sizes, and the surface over all: asked by id alone
    problems: Sequence[str]  # best sizes at the edge, laws that could not be fitted: one line each


@dataclass(frozen=True, kw_only=True)
class ShardEstimate:
    """What one shard of one family is expected to cost."""

    family: str
    data: float
    sizes: tuple[int, ...]
    runs: int
    done: int
    flops: float  # of the runs that are not done
    seconds: float  # of one worker


@dataclass(frozen=True, kw_only=True)
class DryRun:
    """What a sweep will train at most, before anything is trained."""

    spec: Spec
    shards: Sequence[ShardEstimate]
    workers: int
    source: str  # where the expected time is known from
    spent: BudgetUse | None = None  # a budget, where there is one: its start alone is shown

    @property
    def seconds(self) -> float:
        """Return the expected time of the whole sweep."""
        return sum(shard.seconds for shard in self.shards) / self.workers


def prepare_sweep(request: CalibrationRequest, report: ReportProgress) -> tuple[Spec, DomainCode]:
    """Prepare the corpus, count the sizes and return what is to be trained."""
    domain, families, preset = preset_of(request)
    report("loading libraries", 0.0)  # torch takes seconds
    # a Ctrl-C amid the import of a native library aborts the process, so DuckDB, which the first result
    # that is stored asks for, is here, too
    with ctrl_c_held():
        code = _code(domain)
        import_module("duckdb")
    check_gpus(request, gpus())
    prepare: Callable[..., Corpus] = code.prepare
    if request.data is not None and is_archive(request.data):
        prepare = partial(prepare_from, code.prepare)
    corpus = prepare(
        cache=request.cache,
        source=request.data,
        available=preset.shards[-1],
        validation=preset.validation,
        seed=request.seed,
        report=report,
    )
    report("counting parameters and FLOP", 0.0)
    sizes = {family: preset.sizes[family] for family in families}
    ladder = {
        family: code.ladder(
            family, (*trained, *(trained[-1] * 2**i for i in range(1, RUNGS_BEYOND + 1))), corpus
        )
        for family, trained in sizes.items()
    }
    report("counting parameters and FLOP", 1.0)
    spec = Spec(
        domain=domain,
        preset_name=request.preset,
        preset=shards_within(preset, corpus),
        families=families,
        seed=request.seed,
        corpus=corpus,
        ladder=ladder,
    )
    return spec, code


def dry_run(request: CalibrationRequest, report: ReportProgress) -> DryRun:
    """Return what a sweep would train, without training more than a rate needs."""
    spec, code = prepare_sweep(request, report)
    store = Store(request.store)
    planned = {run_id(training): training for training in planned_trainings(spec, ())}
    done = {run.id: run for run in store.last_runs(planned) if run.status not in AGAIN}
    planned = {run_id(training): training for training in planned_trainings(spec, done.values())}
    known = _costs(spec, store, code, report)
    with make_engine(request, spec) as pool:
        workers = pool.workers
        within = _within(request, spec, store, pool, expected=partial(known.seconds, spec))
    if within:
        planned = {run_id(training): training for training in within.start.trainings}
        done = {run.id: run for run in store.last_runs(planned) if run.status not in AGAIN}
    shards = []
    for family in spec.families:
        for data in spec.preset.shards:
            here = {id: t for id, t in planned.items() if (t.family, t.data) == (family, data)}
            todo = [training for id, training in here.items() if id not in done]
            if not here:  # beyond a budget's start
                continue
            shards.append(
                ShardEstimate(
                    family=family,
                    data=data,
                    sizes=tuple(sorted({training.size for training in here.values()})),
                    runs=len(here),
                    done=len(here) - len(todo),
                    flops=sum(map(spec.flops, todo)),
                    seconds=sum(known.seconds(spec, training) for training in todo),
                )
            )
    return DryRun(
        spec=spec,
        shards=shards,
        workers=workers,
        source=known.source,
        spent=within.report() if within else None,
    )


def calibrate(
    request: CalibrationRequest,
    report: ReportProgress,
    progress: Callable[[Progress], None],
    told: Callable[[BudgetUse], None] = lambda _: None,
) -> Calibration:
    """Train what the sweep still misses, fit its laws and store them.

    `told` hears what a budget went for, as it goes. Raises PlannerError where nothing came out: no run
    finished, or another process runs the same sweep.
    """
    spec, code = prepare_sweep(request, report)
    from calibrate.sweep.fit_laws import best_by_family, edge_problems, fit_size_laws, fit_sweep_laws

    store = Store(request.store)
    report("starting workers", 0.0)
    costs = cache(lambda: _costs(spec, store, code, report))
    with make_engine(request, spec) as engine:
        within = _within(
            request,
            spec,
            store,
            engine,
            expected=lambda training: costs().seconds(spec, training),
            told=told,
        )
        stages = within.stages() if within else STAGES
        swept = run_sweep(spec, store, engine, engine.workers, progress, stages=stages)
    best = best_by_family(spec, swept.incumbents)
    if not any(best.values()):
        why = f": {swept.unfinished.status}, {swept.unfinished.reason}" if swept.unfinished else ""
        count = sum(swept.counts.values())
        raise PlannerError(f"none of the {count} runs finished{why}; `planner runs list` shows them all")
    problems = [*engine.problems, *edge_problems(spec, best)]
    laws = []
    report("fitting laws", 0.0)
    provenance = {"command": request.command, "torch": _torch_version()}
    sequence = store.next_sequence()  # laws of one fit share it
    for law in fit_sweep_laws(spec, best, provenance, problems.append):
        store.add_law(law, sequence=sequence)
        laws.append(law)
    more = list(fit_size_laws(spec, swept.incumbents, provenance))
    sequence = store.fits.next_sequence() if more else 0
    for law in more:
        store.fits.add_law(law, sequence=sequence)
    report("fitting laws", 1.0)
    problems += [*store.publish(), *(store.fits.publish() if more else ())]
    return Calibration(
        spec=spec,
        counts=swept.counts,
        flops=swept.flops,
        saved=swept.saved,
        best=best,
        laws=laws,
        spent=within.report() if within else None,
        beside=more,
        problems=problems,
    )


def _within(
    request: CalibrationRequest,
    spec: Spec,
    store: Store,
    engine: Pool,
    *,
    expected: Callable[[Training], float],
    told: Callable[[BudgetUse], None] = lambda _: None,
) -> Any:
    """Return the sweep within the budget that was given (`calibrate.sweep.budget.Within`), None without one."""
    if not request.budget:
        return None
    from calibrate.sweep.budget import BudgetedSweep

    amount, unit = budget_of(request)
    gpus = engine.gpus if isinstance(engine, LocalEngine) else 0
    budget = Budget(amount=amount, unit=unit, workers=engine.workers, gpus=gpus)
    return BudgetedSweep(spec, store, budget, goal_of(request, spec.domain), expected=expected, told=told)


def _costs(spec: Spec, store: Store, code: DomainCode, report: ReportProgress) -> Any:
    """Return what trainings are expected to take on this machine (`calibrate.sweep.time_estimates.Costs`)."""
    from calibrate.sweep.time_estimates import costs

    report("measuring how fast this machine is", 0.0)
    (device,) = devices((), 1)
    known = costs(spec, store.runs(domain=spec.domain.name, status="finished"), code, device)
    report("measuring how fast this machine is", 1.0)
    return known


def make_engine(request: CalibrationRequest, spec: Spec) -> Pool:
    """Return the engine that a request names, for what is to be trained; a context manager."""
    if request.engine == "ray":
        if find_spec("ray") is None:
            raise PlannerError("--engine ray needs one more library: pip install 'scaling-planner[ray]'")
        from calibrate.engines.ray_cluster import RayEngine

        return RayEngine(
            request.address, module=spec.domain.module, workers=request.workers, trials=trials(spec)
        )
    return LocalEngine(devices(trials(spec), request.workers))


def _code(domain: Domain) -> DomainCode:
    if find_spec("torch") is None:
        raise PlannerError(INSTALL.format(missing="torch"))
    try:
        return domains.domain_code(domain)
    except ModuleNotFoundError as error:
        raise PlannerError(INSTALL.format(missing=error.name)) from error


def _torch_version() -> str:
    import torch

    return torch.__version__
