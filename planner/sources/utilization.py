"""What share of a part's peak was reached by trainings that were logged elsewhere: the next one needs it."""

from dataclasses import replace

from planner.assumptions import defaults
from planner.hardware.accelerators import Accelerator, catalog, find_accelerator
from planner.hardware.measured_utilization import LOGGED, is_part, reached
from planner.sources.run_table import Measurements

HOUR = 3600.0  # seconds


def utilization(measured: Measurements) -> dict[str, str]:
    """Return the utilization that was reached on each part as provenance keeps it: `0.31..0.38`.

    It takes columns of FLOP, GPU-hours and devices, and three trainings on a part that is known. Where FLOP
    were counted from the hours, it is the one number at which they were.
    """
    if measured.flops is None or measured.gpu_hours is None or measured.device is None:
        return {}
    if "flops" not in measured.columns:
        return {f"{LOGGED}{_part(device).id}": f"{_taken():g}" for device in measured.device}
    seconds = [HOUR * hours for hours in measured.gpu_hours]
    trainings = list(zip(measured.flops, seconds, measured.device, strict=True))
    return {
        f"{LOGGED}{part.id}": f"{band.low:.3g}..{band.high:.3g}"
        for part in catalog().values()
        if (band := reached(trainings, part)) is not None
    }


def counted(measured: Measurements) -> Measurements:
    """Return the trainings with FLOP from their GPU-hours, where hours and devices are all that was logged.

    At one utilization for all, the middle of what is assumed: the hours of an estimate on the same part are
    then those of the logs whatever it is, and on another part they follow the peak. Raises PlannerError
    where a device is no part that is known.
    """
    if measured.flops is not None or measured.gpu_hours is None or measured.device is None:
        return measured
    peaks = [(part := _part(device)).peak_at(part.usual_precision()) for device in measured.device]
    flops = (HOUR * hours * peak * _taken() for hours, peak in zip(measured.gpu_hours, peaks, strict=True))
    return replace(measured, flops=tuple(flops))


def _taken() -> float:
    """Return the utilization at which GPU-hours are taken for FLOP."""
    band = defaults()["utilization"]
    return (band.low + band.high) / 2


def _part(device: str) -> Accelerator:
    named = [part for part in catalog().values() if is_part(device, part)]
    return named[0] if len(named) == 1 else find_accelerator(catalog(), device)
