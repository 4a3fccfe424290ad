"""The share of an accelerator's peak that logged trainings reached: the next training is planned with it."""

import math
from dataclasses import replace

from laws.errors import UnknownName
from planner.hardware.accelerators import Accelerator, catalog, find_accelerator
from planner.hardware.measured_utilization import (
    LoggedUtilization,
    to_provenance,
    utilization_of,
)
from planner.sources.measurements import Measurements

HOUR_SECONDS = 3600.0
# At which GPU-hours become FLOP. Any value gives the logged hours back on the same accelerator; a constant
# lets laws of different versions agree.
HOURS_UTILIZATION = 0.375


def utilization(measured: Measurements) -> dict[str, str]:
    """Return the utilization on each accelerator, as entries of a law's provenance.

    It takes columns of FLOP, GPU-hours and devices, and three trainings on a known accelerator. Where FLOP
    were computed from GPU-hours, it is the utilization that this assumed.

    Args:
        measured: The measurements of a file.

    Returns:
        The entries; none where the file does not give them.
    """
    if measured.flops is None or measured.gpu_hours is None or measured.device is None:
        return {}
    if "flops" not in measured.columns:
        ids = [one.id for device in dict.fromkeys(measured.device) if (one := _known(device)) is not None]
        logged = LoggedUtilization(HOURS_UTILIZATION, HOURS_UTILIZATION, measured=False)
        return to_provenance(dict.fromkeys(ids, logged))
    seconds = [HOUR_SECONDS * hours for hours in measured.gpu_hours]
    trainings = list(zip(measured.flops, seconds, measured.device, strict=True))
    return to_provenance(
        {
            accelerator.id: LoggedUtilization(band.low, band.high, measured=True)
            for accelerator in catalog().values()
            if (band := utilization_of(trainings, accelerator)) is not None
        }
    )


def above_peak(measured: Measurements) -> bool:
    """Return whether logged FLOP are more than the devices can compute in the logged hours.

    Args:
        measured: The measurements of a file.

    Returns:
        True where one training on a known accelerator is above its peak: no utilization is learned from it.
    """
    if "flops" not in measured.columns or measured.gpu_hours is None or measured.device is None:
        return False
    peaks = {
        device: math.inf if (one := _known(device)) is None else one.peak_at(one.usual_precision())
        for device in dict.fromkeys(measured.device)
    }
    trainings = zip(measured.flops or (), measured.gpu_hours, measured.device, strict=False)
    return any(flops > HOUR_SECONDS * hours * peaks[device] for flops, hours, device in trainings)


def with_flops_from_hours(measured: Measurements, peak_flops: float | None = None) -> Measurements:
    """Return the trainings with FLOP computed from GPU-hours, where only hours and devices were logged.

    All get the same utilization. The hours of an estimate on the same accelerator are then those of the logs
    whatever it is, and on another accelerator they follow the peak.

    Args:
        measured: The measurements of a file.
        peak_flops: Peak FLOP/s of devices that are not in the table of accelerators.

    Returns:
        The measurements, unchanged where FLOP were logged or hours were not.

    Raises:
        UnknownName: A device is not a known accelerator, and no peak was given.
    """
    if measured.flops is not None or measured.gpu_hours is None or measured.device is None:
        return measured
    peaks = {device: _peak(device, peak_flops) for device in dict.fromkeys(measured.device)}
    flops = (
        HOUR_SECONDS * hours * peaks[device] * HOURS_UTILIZATION
        for hours, device in zip(measured.gpu_hours, measured.device, strict=True)
    )
    return replace(measured, flops=tuple(flops))


def _known(device: str) -> Accelerator | None:
    try:
        return find_accelerator(catalog(), device)
    except UnknownName:
        return None


def _peak(device: str, peak_flops: float | None) -> float:
    accelerator = find_accelerator(catalog(), device) if peak_flops is None else _known(device)
    if accelerator is None:
        assert peak_flops is not None
        return peak_flops
    return accelerator.peak_at(accelerator.usual_precision())
