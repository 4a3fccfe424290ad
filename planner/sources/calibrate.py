"""Calibrate a domain: measure its learning curves, fit their laws, and store both."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from calibrate import domains
from calibrate.data.archive import is_archive, prepare_from
from calibrate.engines.gpu_capacity import count_gpus, worker_devices
from calibrate.engines.local import LocalEngine, Pool
from calibrate.engines.signals import ctrl_c_held
from calibrate.sweep.best_model import BestModel
from calibrate.sweep.progress import Progress
from calibrate.sweep.run import RETRIED, SweepResult, run_sweep
from calibrate.sweep.search import STAGES, planned_trainings
from calibrate.sweep.spec import MIN_SHARDS, Spec, run_id, shards_within
from calibrate.sweep.trials import memory_trials
from calibrate.types import (
    Budget,
    BudgetUse,
    Corpus,
    Domain,
    DomainCode,
    EdgeProblem,
    ReportProgress,
    TimeSource,
    Training,
)
from laws.errors import CorpusError, EngineError, PlannerError, run
from laws.storage.store import Store
from laws.types import Law, RunStatus
from planner.sources.calibrate_request import (
    CalibrationRequest,
    check_gpus,
    check_request,
    goal_of,
    parse_request_budget,
)

LADDER_DOUBLINGS = 10  # of the largest trained size, so that laws of size can be evaluated far beyond it
INSTALL_CALIBRATE = "pip install 'scaling-planner[calibrate]'"
INSTALL_RAY = "pip install 'scaling-planner[ray]'"


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The result of a calibration.

    Attributes:
        spec: The sweep.
        counts: Status -> how many trainings ended with it.
        flops: Training FLOP of all runs.
        saved: FLOP that early stopping saved.
        best: Family -> the best model of each shard.
        laws: The laws that answer questions.
        size_laws: Laws of single sizes and joint laws, which answer by id only.
        edges: Families whose best models are at the edge of what the sweep allowed.
        problems: Nodes that could not train, and laws that could not be fitted or stored: one line each.
        budget_use: What the budget was spent on; None without a budget.
    """

    spec: Spec
    counts: Mapping[RunStatus, int]
    flops: float
    saved: float
    best: Mapping[str, Sequence[BestModel]]
    laws: Sequence[Law]
    size_laws: Sequence[Law]
    edges: Sequence[EdgeProblem]
    problems: Sequence[str]
    budget_use: BudgetUse | None


@dataclass(frozen=True, kw_only=True)
class ShardEstimate:
    """The expected cost of one shard of one family.

    Attributes:
        family: The family.
        data: The shard, data unit.
        sizes: The sizes that are trained.
        runs: Planned trainings.
        done: Trainings that are done.
        flops: FLOP of the others.
        seconds: Time of the others with one worker.
    """

    family: str
    data: float
    sizes: tuple[int, ...]
    runs: int
    done: int
    flops: float
    seconds: float


@dataclass(frozen=True, kw_only=True)
class DryRun:
    """The trainings of a sweep, at most, before anything is trained.

    Attributes:
        spec: The sweep.
        shards: The expected cost of each shard.
        workers: Trainings at once.
        time_source: How the expected time is known.
        budget_use: The budget, whose start is all that is planned; None without a budget.
    """

    spec: Spec
    shards: Sequence[ShardEstimate]
    workers: int
    time_source: TimeSource
    budget_use: BudgetUse | None = None

    @property
    def seconds(self) -> float:
        """Return the expected time of the whole sweep."""
        return sum(shard.seconds for shard in self.shards) / self.workers


def prepare_sweep(
    request: CalibrationRequest,
    report: ReportProgress,
    *,
    shard: float | None = None,
    follows: Corpus | None = None,
) -> tuple[Spec, DomainCode]:
    """Prepare the corpus and count the sizes.

    Args:
        request: What was asked.
        report: Called with a step and the share of it that is done.
        shard: The only shard to train on, in place of those of the preset, in the domain's unit of data.
        follows: A smaller prepared corpus, whose vocabulary, or what else its data decided, is taken over; a
            domain of your own that has no such thing need not take the argument.

    Returns:
        The sweep and the domain's module.

    Raises:
        PlannerError: The request cannot be fulfilled (`check_request`), a library is missing
            ("library-missing"), or the corpus cannot be used.
    """
    domain, families, preset = check_request(request)
    if shard is not None:
        preset = replace(preset, shards=(shard,))
    report("loading libraries", 0.0)  # torch takes seconds
    # Ctrl-C during the import of a native library aborts the process. DuckDB is imported here for that
    # reason: storing the first result would import it in the middle of the sweep.
    with ctrl_c_held():
        code = _code(domain)
        import_module("duckdb")
    check_gpus(request, count_gpus())
    prepare: Callable[..., Corpus] = code.prepare
    if request.data is not None and is_archive(request.data):
        prepare = partial(prepare_from, code.prepare)
    taken_over = {"follows": follows.folder} if follows and takes(code.prepare, "follows") else {}
    embedded = {"embedded": preset.corpus} if preset.corpus and request.data is None else {}
    corpus = prepare(
        cache=request.cache,
        source=request.data,
        available=preset.shards[-1],
        validation=preset.validation,
        seed=request.seed,
        report=report,
        **taken_over,
        **embedded,
    )
    report("counting parameters and FLOP", 0.0)
    sizes = {family: preset.sizes[family] for family in families}
    ladder = {
        family: code.ladder(
            family, (*trained, *(trained[-1] * 2**i for i in range(1, LADDER_DOUBLINGS + 1))), corpus
        )
        for family, trained in sizes.items()
    }
    report("counting parameters and FLOP", 1.0)
    spec = Spec(
        domain=domain,
        preset_name=request.preset,
        preset=shards_within(preset, corpus, least=MIN_SHARDS if shard is None else 1),
        families=families,
        seed=request.seed,
        corpus=corpus,
        ladder=ladder,
    )
    return spec, code


def takes(function: Callable[..., Any], argument: str) -> bool:
    """Return whether a function has an argument of that name."""
    return argument in inspect.signature(function).parameters


def dry_run(request: CalibrationRequest, report: ReportProgress) -> DryRun:
    """Return what a sweep would train; trains some seconds at most, to measure the time.

    Args:
        request: What was asked.
        report: Called with a step and the share of it that is done.

    Returns:
        The planned trainings with their cost.
    """
    spec, code = prepare_sweep(request, report)
    store = Store(request.store)
    planned = {run_id(training): training for training in planned_trainings(spec, ())}
    done = {run.id: run for run in store.last_runs(planned) if run.status not in RETRIED}
    planned = {run_id(training): training for training in planned_trainings(spec, done.values())}
    times = expected_times(spec, store, code, report)
    with make_engine(request, spec) as pool:
        workers = pool.workers
        within = _budgeted(request, spec, store, pool, expected=partial(times.seconds, spec))
    if within:
        planned = {run_id(training): training for training in within.start.trainings}
        done = {run.id: run for run in store.last_runs(planned) if run.status not in RETRIED}
    shards = []
    for family in spec.families:
        for data in spec.preset.shards:
            of_shard = {id: t for id, t in planned.items() if (t.family, t.data) == (family, data)}
            todo = [training for id, training in of_shard.items() if id not in done]
            if not of_shard:  # not in the start of a budget
                continue
            shards.append(
                ShardEstimate(
                    family=family,
                    data=data,
                    sizes=tuple(sorted({training.size for training in of_shard.values()})),
                    runs=len(of_shard),
                    done=len(of_shard) - len(todo),
                    flops=sum(map(spec.flops, todo)),
                    seconds=sum(times.seconds(spec, training) for training in todo),
                )
            )
    return DryRun(
        spec=spec,
        shards=shards,
        workers=workers,
        time_source=times.source,
        budget_use=within.report() if within else None,
    )


def calibrate(
    request: CalibrationRequest,
    report: ReportProgress,
    on_progress: Callable[[Progress], None],
    on_budget: Callable[[BudgetUse], None] = lambda _: None,
) -> Calibration:
    """Train what the sweep still lacks, fit its laws and store them.

    Args:
        request: What was asked.
        report: Called with a step before or after the training and the share of it that is done.
        on_progress: Called with the state of the sweep after each training.
        on_budget: Called with the use of the budget, at the start and after each step.

    Returns:
        The result.

    Raises:
        EngineError: No run finished ("no-run-finished").
        CorpusError: No run finished because the corpus is damaged ("corpus-unreadable").
        StoreBusyError: Another process runs the same sweep.
        PlannerError: See `prepare_sweep`.
    """
    spec, code = prepare_sweep(request, report)
    from calibrate.sweep.fit_laws import best_by_family, edge_problems, fit_size_laws, fit_sweep_laws

    store = Store(request.store)
    report("starting workers", 0.0)
    times = cache(lambda: expected_times(spec, store, code, report))
    with make_engine(request, spec) as engine:
        within = _budgeted(
            request,
            spec,
            store,
            engine,
            expected=lambda training: times().seconds(spec, training),
            on_budget=on_budget,
        )
        stages = within.stages() if within else STAGES
        result = run_sweep(spec, store, engine, engine.workers, on_progress, stages=stages)
    best = best_by_family(spec, result.incumbents)
    if not any(best.values()):
        raise _none_finished(result)
    problems = list(engine.problems)
    report("fitting laws", 0.0)
    provenance = {"command": request.command, "torch": _torch_version()}
    laws = store.add_fit(fit_sweep_laws(spec, best, provenance, problems.append))
    size_laws = list(fit_size_laws(spec, result.incumbents, provenance))
    if size_laws:
        store.fits.add_fit(size_laws)
    report("fitting laws", 1.0)
    problems += [*store.publish(), *(store.fits.publish() if size_laws else ())]
    return Calibration(
        spec=spec,
        counts=result.counts,
        flops=result.flops,
        saved=result.saved,
        best=best,
        laws=laws,
        budget_use=within.report() if within else None,
        size_laws=size_laws,
        edges=edge_problems(spec, best),
        problems=problems,
    )


def _none_finished(result: SweepResult) -> PlannerError:
    """Return the error of a sweep without a finished run; a damaged corpus is the corpus's fault."""
    run_ = result.unfinished
    count = sum(result.counts.values())
    if run_ and set(result.counts) == {"bad-data"}:
        return CorpusError(
            f"no run could read the corpus ({run_.reason}): repair or replace it, then run the "
            "same command again",
            code="corpus-unreadable",
            value=run_.reason,
        )
    reason = f": {run_.status}, {run_.reason}" if run_ else ""
    return EngineError(
        f"none of the {count} runs finished{reason}",
        code="no-run-finished",
        value=count,
        hint=run("runs", "list", purpose="to see them all"),
    )


def _budgeted(
    request: CalibrationRequest,
    spec: Spec,
    store: Store,
    engine: Pool,
    *,
    expected: Callable[[Training], float],
    on_budget: Callable[[BudgetUse], None] = lambda _: None,
) -> Any:
    """Return the sweep within a budget (`calibrate.sweep.budget.BudgetedSweep`), None without one."""
    if not request.budget:
        return None
    from calibrate.sweep.budget import BudgetedSweep

    amount, unit = parse_request_budget(request)
    gpus = engine.gpus if isinstance(engine, LocalEngine) else 0
    budget = Budget(amount=amount, unit=unit, workers=engine.workers, gpus=gpus)
    return BudgetedSweep(
        spec, store, budget, goal_of(request, spec.domain), expected=expected, on_progress=on_budget
    )


def expected_times(spec: Spec, store: Store, code: DomainCode, report: ReportProgress) -> Any:
    """Return the expected time of trainings on this machine; trains some seconds at most where none is known.

    Args:
        spec: The sweep.
        store: The store, whose finished runs tell the time.
        code: The domain's module.
        report: Called with a step and the share of it that is done.

    Returns:
        The times (`calibrate.sweep.time_estimates`).
    """
    from calibrate.sweep.time_estimates import estimate_times

    report("measuring the speed of this machine", 0.0)
    (device,) = worker_devices((), 1)
    times = estimate_times(spec, store.runs(domain=spec.domain.name, status="finished"), code, device)
    report("measuring the speed of this machine", 1.0)
    return times


def make_engine(request: CalibrationRequest, spec: Spec) -> Pool:
    """Return the engine of a request, a context manager.

    Args:
        request: What was asked.
        spec: The sweep.

    Returns:
        An engine that is not yet started.

    Raises:
        EngineError: Ray is not installed ("library-missing").
    """
    if request.engine == "ray":
        if find_spec("ray") is None:
            raise EngineError(
                f"the engine ray needs a library that is not installed: {INSTALL_RAY}",
                code="library-missing",
                value="ray",
            )
        from calibrate.engines.ray_cluster import RayEngine

        return RayEngine(
            request.address, module=spec.domain.module, workers=request.workers, trials=memory_trials(spec)
        )
    return LocalEngine(worker_devices(memory_trials(spec), request.workers))


def _code(domain: Domain) -> DomainCode:
    if find_spec("torch") is None:
        raise _missing("torch")
    try:
        return domains.domain_code(domain)
    except ModuleNotFoundError as error:
        raise _missing(error.name or str(error)) from error


def _missing(library: str) -> EngineError:
    return EngineError(
        f"calibrating needs {library}, which is not installed: {INSTALL_CALIBRATE}",
        code="library-missing",
        value=library,
    )


def _torch_version() -> str:
    import torch

    return torch.__version__
