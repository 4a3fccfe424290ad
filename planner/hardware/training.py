"""From training FLOP to bytes, memory, devices and time: plain formulas, and one training per posterior
sample.

Base units: FLOP, bytes, seconds. A sample may be infinite (a target that is never reached); everything
computed from it is infinite too, never NaN. Notation: N parameters, D positions (tokens, frames or images).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from laws.codes import WarningCode
from laws.errors import InputError, use
from laws.paths import quantile
from planner.assumptions import Assumption
from planner.hardware.accelerators import Accelerator
from planner.hardware.utilization import (
    DEVICES_PER_MACHINE,
    UtilizationModel,
    UtilizationSample,
    log_odds,
    predicted,
    size_of,
    utilization_model,
)

HOUR_SECONDS = 3600.0


def training_flops(params: float, positions: float) -> float:
    """Return 6 N D, the FLOP of a training whose model is not counted exactly.

    2 forward and 4 backward per parameter and position; attention and embeddings are left out (Kaplan et al.
    2020, section 2.1, arXiv:2001.08361).

    Args:
        params: Parameters N.
        positions: Positions D, all epochs together.

    Returns:
        FLOP.
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
    """Return the longer of the time to compute and the time to move the bytes (Williams et al. 2009).

    Args:
        flops: FLOP to compute.
        moved: Bytes to move.
        peak: Peak FLOP/s.
        bandwidth: Peak bytes/s.
        compute_share: Share of peak FLOP/s that software reaches (Hestness, Ardalani, Diamos 2019, section 5,
            arXiv:1909.01736).
        bandwidth_share: Share of peak bytes/s that software reaches (same source).

    Returns:
        Seconds.
    """
    return max(flops / (compute_share * peak), moved / (bandwidth_share * bandwidth))


def activation_bytes(params: float, *, bytes_per_unit: float = 34.0, aspect_ratio: float = 100.0) -> float:
    """Return the bytes of activations that one position keeps for the backward pass of a transformer.

    bytes_per_unit x depth x width (Korthikanti et al. 2022, Table 2, arXiv:2205.05198), where
    12 x depth x width^2 = N and width = aspect_ratio x depth.

    Args:
        params: Parameters N.
        bytes_per_unit: Bytes per position, layer and unit of width.
        aspect_ratio: Width over depth.

    Returns:
        Bytes per position.
    """
    if math.isinf(params):
        return math.inf
    width = math.cbrt(aspect_ratio * params / 12.0)
    return bytes_per_unit * params / (12.0 * width)


def fewest_devices(footprint: float, capacity: float, *, memory_share: float = 0.90) -> float:
    """Return how many devices hold a training that is split evenly over them.

    Args:
        footprint: Bytes of the training; may be infinite.
        capacity: Bytes of one device.
        memory_share: Share of the capacity that a training can use.

    Returns:
        Devices, at least 1; infinite for an infinite footprint.
    """
    if math.isinf(footprint):
        return math.inf
    return float(max(math.ceil(footprint / (memory_share * capacity)), 1))


def moved_bytes(
    flops: float,
    params: float,
    positions: float,
    *,
    traffic: float = 34.0,
    bytes_per_unit: float = 34.0,
    aspect_ratio: float = 100.0,
) -> float:
    """Return the bytes that a training moves through memory, all devices together.

    A step costs 6 N `positions` FLOP on each device. It moves `traffic` bytes per parameter, and writes and
    reads every kept activation once.

    Args:
        flops: FLOP of the training; may be infinite.
        params: Parameters N; may be infinite.
        positions: Positions per device and step.
        traffic: Bytes per parameter and step.
        bytes_per_unit: See `activation_bytes`.
        aspect_ratio: See `activation_bytes`.

    Returns:
        Bytes.
    """
    if math.isinf(flops) or math.isinf(params):
        return math.inf
    activations = (
        2.0
        * activation_bytes(params, bytes_per_unit=bytes_per_unit, aspect_ratio=aspect_ratio)
        / (6.0 * params)
    )
    return flops * (traffic / (6.0 * positions) + activations)


def scaling_efficiency(count: float, loss: float, measured_on: float = DEVICES_PER_MACHINE) -> float:
    """Return the share of throughput that `count` devices keep.

    Args:
        count: Number of devices.
        loss: Share of throughput lost with each doubling of the devices.
        measured_on: Number of devices with the full throughput.

    Returns:
        (1 - loss) to the power of the doublings.
    """
    return float((1.0 - loss) ** max(math.log2(count / measured_on), 0.0))


@dataclass(frozen=True, kw_only=True)
class Training:
    """One training on one fleet, one value per posterior sample.

    Attributes:
        accelerator: The accelerator.
        precision: Such as "bf16".
        count: Number of devices.
        gpu_hours: Device-hours, all devices together, scaling loss and time without work included.
        days: Days of wall time.
        utilization: Share of peak FLOP/s in a step on `count` devices, memory bound or not.
        moved: Bytes through memory, all devices together; empty where the model size is unknown.
        step: Seconds per step of `positions` per device, by the roofline; empty likewise.
        footprint: Bytes of weights, gradients, optimizer and activations; empty likewise.
        fewest: Devices that hold the footprint; empty likewise.
        memory_bound: Share of samples in which moving bytes takes longer than computing.
        assumed: Name -> assumption.
        warnings: Warning codes.
    """

    accelerator: Accelerator
    precision: str
    count: int
    gpu_hours: tuple[float, ...]
    days: tuple[float, ...]
    utilization: tuple[float, ...]
    moved: tuple[float, ...]
    step: tuple[float, ...]
    footprint: tuple[float, ...]
    fewest: tuple[float, ...]
    memory_bound: float
    assumed: Mapping[str, Assumption]
    warnings: tuple[str, ...]


class Throughput(NamedTuple):
    """The speed of one device, for one sample of the assumptions.

    Attributes:
        peak: Peak FLOP/s.
        bandwidth: Bytes/s of the training.
        utilization: Share of the peak in a step: a number, or a function of the model size.
        scaling_efficiency: Share of throughput that all devices together keep.
        working_time: Share of device-hours in which training works.
        positions: Positions per device and step.
        traffic: Bytes per parameter and step.
        activation_bytes: Bytes per position, layer and unit of width.
        aspect_ratio: Width over depth.
        state_bytes: Bytes of weights, gradients and optimizer per parameter.
        memory_share: Share of memory that a training can use.
    """

    peak: float
    bandwidth: float
    utilization: float | UtilizationSample
    scaling_efficiency: float
    working_time: float
    positions: float
    traffic: float
    activation_bytes: float
    aspect_ratio: float
    state_bytes: float
    memory_share: float

    def compute(self, flops: float, params: float | None) -> float:
        """Return the FLOP/s of a training that is not memory bound.

        Args:
            flops: Training FLOP.
            params: Parameters of the model; None where unknown: those that are best for the FLOP.

        Returns:
            FLOP/s of one device.
        """
        if isinstance(self.utilization, UtilizationSample):
            return self.peak * self.utilization.at(size_of(flops) if params is None else params)
        return self.peak * self.utilization

    def seconds(self, flops: float, params: float | None) -> float:
        """Return the seconds on one device: the longer of computing and moving bytes.

        Args:
            flops: Training FLOP.
            params: Parameters of the model; None where unknown, which leaves out moving bytes.

        Returns:
            Seconds, without waiting for other devices.
        """
        moved = 0.0 if params is None else self.moved(flops, params)
        return roofline_seconds(
            flops,
            moved,
            peak=self.compute(flops, params),
            bandwidth=self.bandwidth,
            compute_share=1.0,
            bandwidth_share=1.0,
        )

    def moved(self, flops: float, params: float) -> float:
        """Return the bytes that a training moves through memory.

        Args:
            flops: Training FLOP.
            params: Parameters of the model.

        Returns:
            Bytes, all steps together.
        """
        return moved_bytes(
            flops,
            params,
            self.positions,
            traffic=self.traffic,
            bytes_per_unit=self.activation_bytes,
            aspect_ratio=self.aspect_ratio,
        )

    def step_seconds(self, params: float) -> float:
        """Return the seconds of one step, waiting for the other devices included.

        Args:
            params: Parameters of the model.

        Returns:
            Seconds per step.
        """
        return self.seconds(training_flops(params, self.positions), params) / self.scaling_efficiency

    def hours(self, flops: float, params: float | None) -> float:
        """Return device-hours, all devices together.

        Args:
            flops: Training FLOP.
            params: Parameters of the model; None where unknown.

        Returns:
            Device-hours, waiting for other devices and time without work included.
        """
        return self.seconds(flops, params) / HOUR_SECONDS / self.scaling_efficiency / self.working_time

    def kept_bytes(self, params: float) -> float:
        """Return the bytes of activations that one device keeps in a step.

        Args:
            params: Parameters of the model.

        Returns:
            Bytes per device.
        """
        per_position = activation_bytes(
            params, bytes_per_unit=self.activation_bytes, aspect_ratio=self.aspect_ratio
        )
        return self.positions * per_position


def throughputs(
    accelerator: Accelerator,
    n: int,
    *,
    count: int,
    assumed: Mapping[str, Assumption],
    seed: int,
    precision: str | None,
) -> list[Throughput]:
    """Return n samples of the speed of one of `count` devices.

    Args:
        accelerator: The accelerator.
        n: Number of samples.
        count: Number of devices.
        assumed: Name -> assumption, all of `Fleet.assumptions`.
        seed: Seed of the samples.
        precision: Precision of the training; None is the accelerator's usual one.

    Returns:
        The samples.

    Raises:
        InputError: `count` is below 1 ("invalid-count").
        UnknownName: The accelerator lacks the precision.
    """
    if count < 1:
        raise InputError(
            f"{count} devices: expected at least 1", code="invalid-count", value=count, hint=use("count")
        )
    precision = precision or accelerator.usual_precision()
    peak = accelerator.peak_at(precision)
    used = _used(assumed)
    model = _model(accelerator, precision, used)
    drawn = {name: assumption.draws(n, seed) for name, assumption in used.items()}
    utilization: Sequence[float | UtilizationSample] = drawn["utilization"]
    if model is not None:
        # the model has all of the scaling loss, or what there is of it on one machine
        predicted_on = min(count, DEVICES_PER_MACHINE) if "scaling_loss" in used else count
        shares = used["utilization"]._replace(bands=((0.0, 1.0),)).draws(n, seed)
        utilization = [UtilizationSample(model, predicted_on, log_odds(share)) for share in shares]
    loss, working = drawn.get("scaling_loss", (0.0,) * n), drawn.get("working_time", (1.0,) * n)
    measured_on = drawn.get("utilization_devices", (DEVICES_PER_MACHINE,) * n)
    return [
        Throughput(
            peak=peak,
            bandwidth=drawn["bandwidth_share"][i] * accelerator.bandwidth,
            utilization=utilization[i],
            scaling_efficiency=scaling_efficiency(count, loss[i], measured_on[i]),
            working_time=working[i],
            positions=drawn["positions"][i],
            traffic=drawn["traffic_bytes"][i],
            activation_bytes=drawn["activation_bytes"][i],
            aspect_ratio=drawn["aspect_ratio"][i],
            state_bytes=drawn["state_bytes"][i],
            memory_share=drawn["memory_share"][i],
        )
        for i in range(n)
    ]


def _used(assumed: Mapping[str, Assumption]) -> dict[str, Assumption]:
    """Return the assumptions that a training uses.

    A predicted utilization has the scaling loss in it, and hours that were logged have the time without work,
    unless a person sets them.
    """
    used, utilization = dict(assumed), assumed["utilization"]
    if utilization.origin == "predicted" and used["scaling_loss"].is_default:
        del used["scaling_loss"]
    if utilization.origin == "measured" and "working_time" in used and used["working_time"].is_default:
        del used["working_time"]
    return used


def _model(
    accelerator: Accelerator, precision: str, assumed: Mapping[str, Assumption]
) -> UtilizationModel | None:
    """Return what predicts the utilization; None where it is set or measured."""
    if assumed["utilization"].origin != "predicted":
        return None
    mixture = "mixture_of_experts" in assumed and assumed["mixture_of_experts"].high > 0
    return utilization_model(accelerator.id, precision, mixture=mixture)


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
    """Return device-hours, days and memory of a training on `count` devices.

    Args:
        flops: Training FLOP of each posterior sample.
        params: Parameters of each sample; empty where the model size is unknown, which leaves memory out.
        accelerator: The accelerator.
        count: Number of devices.
        assumed: Name -> assumption, all of `Fleet.assumptions`.
        seed: Seed of the assumptions.
        precision: Precision of the training; None is the accelerator's usual one.
        state: Bytes of weights, gradients and optimizer of each sample, where they were counted; None for
            state_bytes x parameters.

    Returns:
        The training.

    Raises:
        InputError: `count` is below 1, or a sample is NaN or negative.
        UnknownName: The accelerator lacks the precision.
    """
    _check(flops, params)
    precision = precision or accelerator.usual_precision()
    speeds = throughputs(
        accelerator, len(flops), count=count, assumed=assumed, seed=seed, precision=precision
    )
    used = _used(assumed)
    model = _model(accelerator, precision, used)
    sizes = [size for size in params or map(size_of, flops) if math.isfinite(size)]  # where it is reached
    if model is not None and sizes:
        size = quantile(sizes, 0.5)
        used["utilization"] = predicted(
            used["utilization"], model, size, count=count, accelerator=accelerator.id, precision=precision
        )
    hours, reached, moved, steps, footprints, fewest = [], [], [], [], [], []
    bound = 0
    for i, (work, speed) in enumerate(zip(flops, speeds, strict=True)):
        one_size = params[i] if params else None
        seconds, compute = speed.seconds(work, one_size), speed.compute(work, one_size)
        at_compute = work / compute
        if one_size is not None:
            one = (speed.state_bytes * one_size if state is None else state[i]) + speed.kept_bytes(one_size)
            moved.append(speed.moved(work, one_size))
            steps.append(speed.step_seconds(one_size))
            footprints.append(one)
            fewest.append(fewest_devices(one, accelerator.capacity, memory_share=speed.memory_share))
        bound += seconds > at_compute
        hours.append(speed.hours(work, one_size))
        reached.append(
            compute
            / speed.peak
            * speed.scaling_efficiency
            * (at_compute / seconds if 0 < seconds < math.inf else 1.0)
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
        memory_bound=bound / len(speeds),
        assumed=used,
        warnings=_warnings(accelerator, count, used, fewest, bound / len(speeds)),
    )


def _check(flops: Sequence[float], params: Sequence[float]) -> None:
    if not flops or (params and len(flops) != len(params)):
        raise InputError(
            f"{len(flops)} samples of FLOP and {len(params)} of parameters: expected as many of both, "
            f"at least 1",
            code="unequal-samples",
        )
    if bad := [value for value in flops if math.isnan(value) or value < 0]:
        raise InputError(f"a sample of FLOP: expected 0 or more, got {bad[0]}", code="invalid-sample")
    if bad := [value for value in params if math.isnan(value) or value <= 0]:
        raise InputError(f"a sample of parameters: expected more than 0, got {bad[0]}", code="invalid-sample")


def _warnings(
    accelerator: Accelerator,
    count: int,
    assumed: Mapping[str, Assumption],
    fewest: Sequence[float],
    bound: float,
) -> tuple[str, ...]:
    codes = []
    utilization = assumed["utilization"]
    if utilization.is_default:
        codes.append(WarningCode.UTILIZATION_ASSUMED)
    if (
        accelerator.matmul
        and "bf16" in accelerator.peak
        and utilization.high > accelerator.matmul / accelerator.peak["bf16"]
    ):
        codes.append(WarningCode.UTILIZATION_ABOVE_MATMUL)
    if accelerator.confidence != "exact" or accelerator.uncertain:
        codes.append(WarningCode.PART_UNCERTAIN)
    if not fewest:
        return (*codes, WarningCode.MEMORY_UNKNOWN)
    if bound > 0.5:
        codes.append(WarningCode.MEMORY_BOUND)
    median = quantile(fewest, 0.5)
    if math.isinf(median):  # the target is never reached: no model has to fit
        return tuple(codes)
    if median > 1:
        codes.append(WarningCode.MODEL_LARGER_THAN_DEVICE)
    if median > count:
        codes.append(WarningCode.DOES_NOT_FIT)
    return tuple(codes)
