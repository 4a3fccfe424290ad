"""From training FLOP to bytes, memory, devices and time: plain formulas, and one training draw by draw.

Base units: FLOP, bytes, seconds. A draw may be infinite (a target that is never reached); what follows from
it is infinite too, never NaN.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from laws.codes import WarningCode
from laws.errors import PlannerError
from laws.paths import quantile
from planner.assumptions import Assumption
from planner.hardware.accelerators import Accelerator

SCALING_BASE = 8  # devices of one machine: the scaling loss counts doublings beyond it


def training_flops(params: float, positions: float) -> float:
    """Return 6 N D, the FLOP of a training where the model is not counted exactly.

    Forward 2, backward 4 for each parameter and position; attention and embeddings are left out (Kaplan et
    al. 2020, section 2.1, arXiv:2001.08361).
    """
    return 6.0 * params * positions


def roofline_seconds(
    flops: float,
    moved: float,
    *,
    peak: float,
    bandwidth: float,
    compute_share: float = 0.80,
    bandwidth_share: float = 0.70,
) -> float:
    """Return the longer of the time to compute and the time to move the bytes.

    The shares are what software reaches of the two peaks (Hestness, Ardalani, Diamos 2019, section 5,
    arXiv:1909.01736; the roofline is Williams et al. 2009).
    """
    return max(flops / (compute_share * peak), moved / (bandwidth_share * bandwidth))


def activation_bytes(params: float, *, flops_per_sample: float = 34.0, aspect_ratio: float = 100.0) -> float:
    """Return the bytes of activations that one position keeps for the backward pass of a transformer.

    per_unit x depth x width (Korthikanti et al. 2022, Table 2, arXiv:2205.05198), where
    12 x depth x width^2 = params and width = aspect_ratio x depth.
    """
    if math.isinf(params):
        return math.inf
    width = math.cbrt(aspect_ratio * params / 12.0)
    return flops_per_sample * params / (12.0 * width)


def fewest_devices(footprint: float, capacity: float, *, memory_share: float = 0.90) -> float:
    """Return how many devices hold a footprint that is split evenly over them; infinite if it is."""
    if math.isinf(footprint):
        return math.inf
    return float(max(math.ceil(footprint / (memory_share * capacity)), 1))


def moved_bytes(
    flops: float,
    params: float,
    positions: float,
    *,
    traffic: float = 34.0,
    flops_per_sample: float = 34.0,
    aspect_ratio: float = 100.0,
) -> float:
    """Return the bytes that a training moves through memory, all devices together.

    A step of `positions` costs 6 N positions FLOP on each device; it moves `traffic` bytes a parameter, and
    writes and reads every kept activation once.
    """
    if math.isinf(flops) or math.isinf(params):
        return math.inf
    activations = (
        2.0
        * activation_bytes(params, flops_per_sample=flops_per_sample, aspect_ratio=aspect_ratio)
        / (6.0 * params)
    )
    return flops * (traffic / (6.0 * positions) + activations)


def scaling_efficiency(count: float, loss: float) -> float:
    """Return the share of throughput left on `count` devices: (1 - loss) for each doubling beyond 8."""
    return float((1.0 - loss) ** max(math.log2(count / SCALING_BASE), 0.0))


@dataclass(frozen=True, kw_only=True)
class Training:
    """One training on one fleet, draw by draw."""

    accelerator: Accelerator
    precision: str
    count: int
    gpu_hours: tuple[float, ...]  # device-hours, all devices together, the scaling loss included
    days: tuple[float, ...]
    utilization: tuple[float, ...]  # reached on `count` devices, memory bound or not
    moved: tuple[float, ...]  # bytes through memory, all devices together; empty where the size is not known
    step: tuple[float, ...]  # seconds of a step of `positions` a device, by the roofline; empty likewise
    footprint: tuple[float, ...]  # bytes; empty where the model's size is not known
    fewest: tuple[float, ...]  # devices that hold the footprint; empty likewise
    memory_bound: float  # share of draws in which moving bytes takes longer than computing
    assumed: Mapping[str, Assumption]
    warnings: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Throughput:
    """How fast one device works in one draw of the assumptions."""

    compute: float  # FLOP/s reached
    bandwidth: float  # bytes/s reached
    utilization: float  # the share of the peak behind `compute`
    left: float  # share of the throughput left on all devices
    positions: float
    traffic: float
    activation_bytes: float
    aspect_ratio: float
    state_bytes: float
    memory_share: float

    def seconds(self, flops: float, params: float | None) -> float:
        """Return the longer of computing and moving bytes, on one device; memory traffic needs the size."""
        moved = 0.0 if params is None else self.moved(flops, params)
        return roofline_seconds(
            flops,
            moved,
            peak=self.compute,
            bandwidth=self.bandwidth,
            compute_share=1.0,
            bandwidth_share=1.0,
        )

    def moved(self, flops: float, params: float) -> float:
        """Return the bytes that FLOP of a model of this size move through memory."""
        return moved_bytes(
            flops,
            params,
            self.positions,
            traffic=self.traffic,
            flops_per_sample=self.activation_bytes,
            aspect_ratio=self.aspect_ratio,
        )

    def step_seconds(self, params: float) -> float:
        """Return the seconds of one step of `positions` on each device, waiting for the others included."""
        return self.seconds(training_flops(params, self.positions), params) / self.left

    def hours(self, flops: float, params: float | None) -> float:
        """Return device-hours, all devices together."""
        return self.seconds(flops, params) / 3600.0 / self.left

    def kept_bytes(self, params: float) -> float:
        """Return the bytes of activations that one device keeps in a step."""
        each = activation_bytes(
            params, flops_per_sample=self.activation_bytes, aspect_ratio=self.aspect_ratio
        )
        return self.positions * each


def throughputs(
    accelerator: Accelerator,
    n: int,
    *,
    count: int,
    assumed: Mapping[str, Assumption],
    seed: int,
    precision: str | None,
) -> list[Throughput]:
    """Return n draws of how fast each of `count` devices of an accelerator works.

    Raises PlannerError for a count below 1 and a precision that the accelerator lacks.
    """
    if count < 1:
        raise PlannerError(f"{count} devices: wanted at least 1; give --count")
    peak = accelerator.peak_at(precision or accelerator.usual_precision())
    drawn = {name: assumption.draws(n, seed) for name, assumption in assumed.items()}
    return [
        Throughput(
            compute=drawn["utilization"][i] * peak,
            bandwidth=drawn["bandwidth_share"][i] * accelerator.bandwidth,
            utilization=drawn["utilization"][i],
            left=scaling_efficiency(count, drawn["scaling_loss"][i]),
            positions=drawn["positions"][i],
            traffic=drawn["traffic_bytes"][i],
            activation_bytes=drawn["activation_bytes"][i],
            aspect_ratio=drawn["aspect_ratio"][i],
            state_bytes=drawn["state_bytes"][i],
            memory_share=drawn["memory_share"][i],
        )
        for i in range(n)
    ]


def train(
    flops: Sequence[float],
    params: Sequence[float],
    accelerator: Accelerator,
    *,
    count: int,
    assumed: Mapping[str, Assumption],
    seed: int,
    precision: str | None = None,
    state: Sequence[float] | None = None,
) -> Training:
    """Carry draws of training FLOP and model size to device-hours, days and memory on `count` devices.

    `assumed` holds every assumption by name (`Fleet.assumptions`). `params` is empty where no law says how
    large the model is: memory and its traffic are then left out. `state` gives the bytes of weights,
    gradients and optimizer of each draw where a ladder counted them; otherwise state_bytes x params.
    Raises PlannerError for a count below 1, a precision the accelerator lacks, draws that are NaN or below 0.
    """
    _check(flops, params)
    precision = precision or accelerator.usual_precision()
    found = throughputs(accelerator, len(flops), count=count, assumed=assumed, seed=seed, precision=precision)
    hours, reached, moved, steps, footprints, fewest = [], [], [], [], [], []
    bound = 0
    for i, (work, pace) in enumerate(zip(flops, found, strict=True)):
        size = params[i] if params else None
        seconds, at_compute = pace.seconds(work, size), work / pace.compute
        if size is not None:
            one = (pace.state_bytes * size if state is None else state[i]) + pace.kept_bytes(size)
            moved.append(pace.moved(work, size))
            steps.append(pace.step_seconds(size))
            footprints.append(one)
            fewest.append(fewest_devices(one, accelerator.capacity, memory_share=pace.memory_share))
        bound += seconds > at_compute
        hours.append(seconds / 3600.0 / pace.left)
        reached.append(
            pace.utilization * pace.left * (at_compute / seconds if 0 < seconds < math.inf else 1.0)
        )
    return Training(
        accelerator=accelerator,
        precision=precision,
        count=count,
        gpu_hours=tuple(hours),
        days=tuple(h / 24.0 / count for h in hours),
        utilization=tuple(reached),
        moved=tuple(moved),
        step=tuple(steps),
        footprint=tuple(footprints),
        fewest=tuple(fewest),
        memory_bound=bound / len(found),
        assumed=assumed,
        warnings=_warnings(accelerator, count, assumed, fewest, bound / len(found)),
    )


def flops_within(
    gpu_hours: Sequence[float],
    params: Sequence[float],
    accelerator: Accelerator,
    *,
    count: int,
    assumed: Mapping[str, Assumption],
    seed: int,
    precision: str | None = None,
) -> tuple[float, ...]:
    """Return the training FLOP that device-hours pay for, draw by draw: `train` read backwards."""
    unit = 1e18  # hours are proportional to FLOP once the size is known
    each = train(
        [unit] * len(params),
        params,
        accelerator,
        count=count,
        assumed=assumed,
        seed=seed,
        precision=precision,
    )
    return tuple(unit * hours / of_unit for hours, of_unit in zip(gpu_hours, each.gpu_hours, strict=True))


def _check(flops: Sequence[float], params: Sequence[float]) -> None:
    if not flops or (params and len(flops) != len(params)):
        raise PlannerError(
            f"{len(flops)} draws of FLOP and {len(params)} of parameters: wanted as many of both, at least 1"
        )
    if bad := [value for value in flops if math.isnan(value) or value < 0]:
        raise PlannerError(f"a draw of FLOP is {bad[0]}: wanted a number of at least 0")
    if bad := [value for value in params if math.isnan(value) or value <= 0]:
        raise PlannerError(f"a draw of parameters is {bad[0]}: wanted a number above 0")


def _warnings(
    accelerator: Accelerator,
    count: int,
    assumed: Mapping[str, Assumption],
    fewest: Sequence[float],
    bound: float,
) -> tuple[str, ...]:
    found = []
    utilization = assumed["utilization"]
    if utilization.origin == "default":
        found.append(WarningCode.UTILIZATION_ASSUMED)
    if (
        accelerator.matmul
        and "bf16" in accelerator.peak
        and utilization.high > accelerator.matmul / accelerator.peak["bf16"]
    ):
        found.append(WarningCode.UTILIZATION_ABOVE_MATMUL)
    if accelerator.confidence != "exact" or accelerator.uncertain:
        found.append(WarningCode.PART_UNCERTAIN)
    if not fewest:
        return (*found, WarningCode.MEMORY_UNKNOWN)
    if bound > 0.5:
        found.append(WarningCode.MEMORY_BOUND)
    middle = quantile(fewest, 0.5)
    if math.isinf(middle):  # the target is never reached: there is no model to hold
        return tuple(found)
    if middle > 1:
        found.append(WarningCode.MODEL_LARGER_THAN_DEVICE)
    if middle > count:
        found.append(WarningCode.DOES_NOT_FIT)
    return tuple(found)
