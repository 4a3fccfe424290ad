"""What share of a part's peak was reached by trainings that were logged elsewhere: the next one needs it."""

from planner.machines.accelerators import catalogue
from planner.machines.measured import reached
from planner.measuring.measurements import Measurements

HOUR = 3600.0  # seconds


def utilisation(measured: Measurements) -> str:
    """Return which utilisation was reached on which part, in a sentence; nothing where nobody knows.

    It takes columns of FLOP, GPU-hours and devices, and three trainings on a part that is known.
    """
    if measured.flops is None or measured.gpu_hours is None or measured.device is None:
        return ""
    seconds = [HOUR * hours for hours in measured.gpu_hours]
    trainings = list(zip(measured.flops, seconds, measured.device, strict=True))
    return " ".join(
        f"{band.low:.1%} to {band.high:.1%} of the peak of {part.id} was reached ({band.source}): ask with "
        f"--on {part.id} --assume utilisation={band.low:.3g}..{band.high:.3g}."
        for part in catalogue().values()
        if (band := reached(trainings, part)) is not None
    )
