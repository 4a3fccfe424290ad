"""The expected time of a sweep: from runs on record, else from short trainings now."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median

from calibrate.sweep.best_model import size_of
from calibrate.sweep.search import end_trainings
from calibrate.sweep.spec import Spec
from calibrate.training.train import EVALUATIONS, device_name, evaluation_seconds, train
from calibrate.types import DomainCode, TimeSource, Training
from laws.errors import EngineError
from laws.types import Run

TRIAL_SECONDS = 3.0  # of training, to measure a rate


@dataclass(frozen=True)
class SizeTime:
    """The time that a model of one size takes on one device.

    Attributes:
        per_flop: Seconds per planned FLOP.
        evaluation: Seconds of one evaluation, where `per_flop` does not contain them.
    """

    per_flop: float
    evaluation: float = 0.0


@dataclass(frozen=True)
class TimeEstimates:
    """The time of each (family, size), and how it is known."""

    sizes: dict[tuple[str, int], SizeTime]
    source: TimeSource

    def seconds(self, spec: Spec, training: Training) -> float:
        """Return the seconds that a training of a sweep is expected to take.

        Args:
            spec: The sweep.
            training: One of its trainings.

        Returns:
            Seconds, with those of its evaluations.
        """
        time = self.sizes[training.family, training.size]
        return spec.flops(training) * time.per_flop + EVALUATIONS * time.evaluation


def estimate_times(spec: Spec, past: Iterable[Run], code: DomainCode, device: str) -> TimeEstimates:
    """Estimate the time of trainings on a device.

    Args:
        spec: The sweep.
        past: Earlier runs; they are used where every size has one that finished on this device.
        code: The domain's module, to train for some seconds otherwise.
        device: A device of torch.

    Returns:
        The time of each size of the sweep.

    Raises:
        EngineError: A short training ended without a step ("trial-failed").
    """
    kinds = [(family, size) for family in spec.families for size in spec.preset.sizes[family]]
    recorded = _recorded(spec, past, device_name(device))
    if all(kind in recorded for kind in kinds):
        return TimeEstimates(recorded, TimeSource.RECORDED_RUNS)
    measured: dict[tuple[str, int], SizeTime] = {}
    for family in spec.families:
        sizes = spec.preset.sizes[family]
        tried = {size: _measured(spec, family, size, code, device) for size in {sizes[0], sizes[-1]}}
        measured |= {(family, size): _interpolated(tried, size) for size in sizes}
    return TimeEstimates(measured, TimeSource.SHORT_TRAININGS)


def _recorded(spec: Spec, past: Iterable[Run], device: str) -> dict[tuple[str, int], SizeTime]:
    runs: dict[tuple[str, int], list[tuple[float, float]]] = {}
    flops = {(family, cost.size): cost.flops for family, costs in spec.ladder.items() for cost in costs}
    for run in past:
        key = (run.family, size_of(run))
        if run.device == device and run.seconds and key in flops and run.status == "finished":
            planned = min(float(run.hyper["epochs"]) * run.data, float(run.hyper["max_samples"]))
            runs.setdefault(key, []).append((planned * flops[key], run.seconds))
    return {key: time_of_size(of_size) for key, of_size in runs.items()}


def time_of_size(runs: Sequence[tuple[float, float]]) -> SizeTime:
    """Return the time of a size from its runs: a constant for evaluations, and a time per FLOP.

    On small shards most of the time is that of evaluations. Both are fitted by least squares of the relative
    error; runs of one length, or that have no such line, give one rate.

    Args:
        runs: FLOP and seconds of each run.

    Returns:
        The time.
    """
    rate = SizeTime(median(seconds / flops for flops, seconds in runs))
    # c/s + r·f/s = 1 for each run: the normal equations of two unknowns
    ones, ratios = [1 / seconds for _, seconds in runs], [flops / seconds for flops, seconds in runs]
    aa, bb = _dot(ones, ones), _dot(ratios, ratios)
    ab, a, b = _dot(ones, ratios), sum(ones), sum(ratios)
    determinant = aa * bb - ab * ab
    if determinant <= 1e-9 * aa * bb:  # runs of one length
        return rate
    constant, per_flop = (a * bb - b * ab) / determinant, (b * aa - a * ab) / determinant
    return SizeTime(per_flop, constant / EVALUATIONS) if constant > 0 and per_flop > 0 else rate


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(left, right, strict=True))


def _measured(spec: Spec, family: str, size: int, code: DomainCode, device: str) -> SizeTime:
    """Return the time of a size, from a short training on the smallest shard."""
    drawn = next(t for t in end_trainings(spec) if t.family == family and t.size == size)
    endless = replace(drawn, epochs=math.inf, max_samples=math.inf)
    flops = spec.size_cost(family, size).flops
    # one step first: it takes time that no later step takes
    train(code, endless, spec.corpus, device=device, flops=flops, time_limit=0)
    outcome = train(code, endless, spec.corpus, device=device, flops=flops, time_limit=TRIAL_SECONDS)
    if not outcome.flops:
        raise EngineError(
            f"a trial training of {family} at size {size} ended without a step: {outcome.reason}",
            code="trial-failed",
            value=outcome.status,
        )
    return SizeTime(outcome.seconds / outcome.flops, evaluation_seconds(code, drawn, spec.corpus, device))


def _interpolated(tried: dict[int, SizeTime], size: int) -> SizeTime:
    """Return the time of a size, on a straight line in log-log through the two that were tried."""
    small, large = min(tried), max(tried)
    share = math.log(size / small) / math.log(large / small) if small < large else 0.0

    def line(low: float, high: float) -> float:
        return math.exp((1 - share) * math.log(low) + share * math.log(high))

    return SizeTime(
        line(tried[small].per_flop, tried[large].per_flop),
        line(tried[small].evaluation, tried[large].evaluation),
    )
