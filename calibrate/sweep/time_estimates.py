"""How long a sweep will take: from runs that are on record, else from a short training now."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from statistics import median

from calibrate.sweep.best_model import size_of
from calibrate.sweep.search import end_trainings
from calibrate.sweep.spec import Spec
from calibrate.training.train import EVALUATIONS, device_name, evaluation_seconds, train
from calibrate.types import DomainCode, Training
from laws.errors import PlannerError
from laws.types import Run

TRIAL = 3.0  # seconds of training that a rate is measured with


@dataclass(frozen=True)
class Cost:
    """What a model of one size costs on one device."""

    flop: float  # seconds a planned FLOP
    evaluation: float = 0.0  # seconds, where it is not in the former


@dataclass(frozen=True)
class TimeEstimates:
    """The cost of each family and size, and where it is known from."""

    sizes: dict[tuple[str, int], Cost]
    source: str

    def seconds(self, spec: Spec, training: Training) -> float:
        """Return the seconds that a training is expected to take."""
        cost = self.sizes[training.family, training.size]
        return spec.flops(training) * cost.flop + EVALUATIONS * cost.evaluation


def costs(spec: Spec, past: Iterable[Run], code: DomainCode, device: str) -> TimeEstimates:
    """Return costs on this device: from `past` runs where every size has one, else measured now."""
    wanted = [(family, size) for family in spec.families for size in spec.preset.sizes[family]]
    recorded = _recorded(spec, past, device_name(device))
    if all(key in recorded for key in wanted):
        return TimeEstimates(recorded, "earlier runs in the store")
    measured: dict[tuple[str, int], Cost] = {}
    for family in spec.families:
        sizes = spec.preset.sizes[family]
        tried = {size: _measured(spec, family, size, code, device) for size in {sizes[0], sizes[-1]}}
        measured |= {(family, size): _between(tried, size) for size in sizes}
    return TimeEstimates(
        measured,
        f"{TRIAL:g} s of training at the smallest and the largest size, just now on this device",
    )


def _recorded(spec: Spec, past: Iterable[Run], device: str) -> dict[tuple[str, int], Cost]:
    found: dict[tuple[str, int], list[float]] = {}
    flops = {(family, rung.size): rung.flops for family, rungs in spec.ladder.items() for rung in rungs}
    for run in past:
        key = (run.family, size_of(run))
        if run.device == device and run.seconds and key in flops and run.status == "finished":
            planned = min(float(run.hyper["epochs"]) * run.data, float(run.hyper["max_samples"]))
            found.setdefault(key, []).append(run.seconds / (planned * flops[key]))
    return {key: Cost(median(values)) for key, values in found.items()}


def _measured(spec: Spec, family: str, size: int, code: DomainCode, device: str) -> Cost:
    """Return the cost of a size from a short training on the smallest shard."""
    drawn = next(t for t in end_trainings(spec) if t.family == family and t.size == size)
    endless = replace(drawn, epochs=math.inf, max_samples=math.inf)
    flops = spec.rung(family, size).flops
    train(
        code, endless, spec.corpus, device=device, flops=flops, time_limit=0
    )  # what only a first step costs
    outcome = train(code, endless, spec.corpus, device=device, flops=flops, time_limit=TRIAL)
    if not outcome.flops:
        raise PlannerError(f"a trial training of {family} at size {size} gave nothing: {outcome.reason}")
    return Cost(outcome.seconds / outcome.flops, evaluation_seconds(code, drawn, spec.corpus, device))


def _between(tried: dict[int, Cost], size: int) -> Cost:
    """Return the cost of a size, on a straight line in log-log through the two that were tried."""
    small, large = min(tried), max(tried)
    share = math.log(size / small) / math.log(large / small) if small < large else 0.0

    def line(low: float, high: float) -> float:
        return math.exp((1 - share) * math.log(low) + share * math.log(high))

    return Cost(
        line(tried[small].flop, tried[large].flop), line(tried[small].evaluation, tried[large].evaluation)
    )
