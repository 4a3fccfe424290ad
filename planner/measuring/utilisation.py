"""What share of a part's peak was reached by trainings that were logged elsewhere: the next one needs it."""

from planner.machines.accelerators import catalogue
from planner.machines.measured import LOGGED, reached
from planner.measuring.measurements import Measurements

HOUR = 3600.0  # seconds


def utilisation(measured: Measurements) -> dict[str, str]:
    """Return the utilisation that was reached on each part as provenance keeps it: `0.31..0.38`.

    It takes columns of FLOP, GPU-hours and devices, and three trainings on a part that is known.
    """
    if measured.flops is None or measured.gpu_hours is None or measured.device is None:
        return {}
    seconds = [HOUR * hours for hours in measured.gpu_hours]
    trainings = list(zip(measured.flops, seconds, measured.device, strict=True))
    return {
        f"{LOGGED}{part.id}": f"{band.low:.3g}..{band.high:.3g}"
        for part in catalogue().values()
        if (band := reached(trainings, part)) is not None
    }
