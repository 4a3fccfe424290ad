"""Train at a data size that a calibrated law has not seen, as its sweep trained."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from calibrate.sweep.best_model import BestModel, size_of
from calibrate.sweep.progress import Progress
from calibrate.sweep.run import RETRIED, run_sweep
from calibrate.sweep.search import Runs, TrialQueue, repeats, search_cells
from calibrate.sweep.spec import Spec, run_id
from calibrate.types import DomainCode, ReportProgress, Training
from laws.errors import EngineError, InputError, LawError, run, use
from laws.storage.store import Store
from laws.types import Law
from planner.sources.calibrate import expected_times, make_engine, prepare_sweep
from planner.sources.calibrate_request import CalibrationRequest


@dataclass(frozen=True, kw_only=True)
class Point:
    """A data size to train at, with the sweep that trains there.

    Attributes:
        request: The request of the law's sweep.
        law: The law.
        spec: The sweep of the one size.
        code: The domain's module.
        sizes: The model sizes to train: those that were best or larger on the law's largest shard.
    """

    request: CalibrationRequest
    law: Law
    spec: Spec
    code: DomainCode
    sizes: tuple[int, ...]

    def stage(self, spec: Spec, runs: Runs) -> Iterator[TrialQueue]:  # noqa: ARG002 - all stages look alike
        """Yield the trainings, in every size.

        Args:
            spec: The sweep.
            runs: Its runs so far.

        Returns:
            The trials of each size.
        """
        (data,) = spec.preset.shards
        return search_cells(spec, [(self.law.family, data, size) for size in self.sizes])


def request_of(law: Law, request: CalibrationRequest, store: Store) -> CalibrationRequest:
    """Return the request of the sweep that a law is from.

    Args:
        law: A law.
        request: What was typed: domain, data, store, cache and machines.
        store: The store of the law.

    Returns:
        The request with the preset, seed and families of the law's sweep.

    Raises:
        LawError: The law is not of a sweep in this store ("no-sweep-of-law").
    """
    sweep = next((s for s in store.sweeps() if s.id == law.provenance.get("sweep")), None)
    if law.source != "calibrated" or sweep is None:
        raise LawError(
            f"law {law.id} is not from a sweep in this store: expected a law of `planner calibrate`, because "
            "its trainings are repeated on more data",
            code="no-sweep-of-law",
            value=law.id,
            hint=run("check", value="RUNS.csv", purpose="to compare your own runs with it"),
        )
    return replace(request, preset=sweep.preset, seed=sweep.seed, families=tuple(sweep.ladder))


def prepare_point(law: Law, data: float, request: CalibrationRequest, report: ReportProgress) -> Point:
    """Prepare the corpus for a training at a data size.

    Args:
        law: A calibrated law.
        data: The data size, in the law's unit.
        request: The request of the law's sweep.
        report: Called with a step and the share of it that is done.

    Returns:
        What to train.

    Raises:
        InputError: The data size was trained by the sweep ("already-trained").
        LawError: The corpus or the domain is another one than the sweep's ("other-sweep").
        CorpusError: The corpus is too small ("corpus-too-small").
    """
    if data <= law.x_range[1]:
        raise InputError(
            f"{data:g} {law.x_unit}: expected more than {law.x_range[1]:g} {law.x_unit}, the largest data of "
            f"law {law.id}",
            code="already-trained",
            value=data,
            hint=use("at"),
        )
    original, _ = prepare_sweep(request, report)
    if original.id != law.provenance.get("sweep"):
        raise LawError(
            f"law {law.id} is of another corpus, or of an older version of domain {law.domain}: expected the "
            "corpus of its sweep",
            code="other-sweep",
            value=law.id,
            hint=(
                use("data", purpose="to name the corpus it was measured on"),
                run("calibrate", value=f"--domain {request.domain}", purpose="to measure again"),
            ),
        )
    spec, code = prepare_sweep(request, report, shard=data, follows=original.corpus)
    chosen = max(Store(request.store).last_runs(law.runs), key=lambda one: one.data)
    sizes = tuple(size for size in spec.preset.sizes[law.family] if size >= size_of(chosen))
    return Point(request=request, law=law, spec=spec, code=code, sizes=sizes)


def planned(point: Point, report: ReportProgress) -> tuple[list[Training], float, float]:
    """Return what is still to be trained, and what it takes.

    Args:
        point: The data size.
        report: Called with a step and the share of it that is done.

    Returns:
        The trainings, their FLOP, and the expected seconds with one worker.
    """
    spec, store = point.spec, Store(point.request.store)
    trainings = {run_id(one): one for queue in point.stage(spec, ()) for one in queue}
    done = {one.id for one in store.last_runs(trainings) if one.status not in RETRIED}
    todo = [one for id, one in trainings.items() if id not in done]
    times = expected_times(spec, store, point.code, report)
    return todo, sum(map(spec.flops, todo)), sum(times.seconds(spec, one) for one in todo)


def train_point(
    point: Point, report: ReportProgress, on_progress: Callable[[Progress], None]
) -> tuple[BestModel, float]:
    """Train at a data size; what is done is kept, and the same call continues.

    Args:
        point: The data size.
        report: Called with a step before or after the training and the share of it that is done.
        on_progress: Called with the state of the sweep after each training.

    Returns:
        The best model, chosen as on the shards of the sweep, and the device-seconds of its runs.

    Raises:
        EngineError: No run finished ("no-run-finished").
    """
    from calibrate.sweep.fit_laws import best_by_family

    spec, store = point.spec, Store(point.request.store)
    report("starting workers", 0.0)
    with make_engine(point.request, spec) as engine:
        result = run_sweep(spec, store, engine, engine.workers, on_progress, stages=(point.stage, repeats))
    models = best_by_family(spec, result.incumbents).get(point.law.family)
    if not models:
        reason = f": {result.unfinished.status}, {result.unfinished.reason}" if result.unfinished else ""
        raise EngineError(
            f"none of the {sum(result.counts.values())} runs finished{reason}",
            code="no-run-finished",
            hint=run("runs", "list", purpose="to see them all"),
        )
    (best,) = models
    return best, sum(one.seconds or 0.0 for one in store.last_runs(best.runs))
