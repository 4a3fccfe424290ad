"""The utilization that trainings reached on an accelerator: those of a calibration, or logged elsewhere."""

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial

from laws.types import Law, Run
from planner.assumptions import Assumption, override
from planner.hardware.accelerators import Accelerator, catalog, is_accelerator

MAX_RUNS = 5  # the trainings with the most FLOP: small ones do not fill a device
MIN_RUNS = 3
# keys of a fitted law's provenance, with the id of an accelerator; the second is that of earlier versions
_KEY = "utilization on "
_KEYS = (_KEY, "utilisation on ")


@dataclass(frozen=True)
class LoggedUtilization:
    """The utilization of logged trainings on one accelerator.

    Attributes:
        low: Lower end of the band, a share of peak FLOP/s.
        high: Upper end.
        measured: Whether it was measured; otherwise FLOP were computed from GPU-hours at this utilization.
    """

    low: float
    high: float
    measured: bool

    def as_text(self) -> str:
        """Return the text that a law's provenance keeps: `0.31..0.38`, or `0.38` where it was not
        measured.
        """
        return f"{self.low:.3g}..{self.high:.3g}" if self.measured else f"{self.low:g}"


def to_provenance(utilization: Mapping[str, LoggedUtilization]) -> dict[str, str]:
    """Return the entries of a law's provenance for the utilization on each accelerator.

    Args:
        utilization: Id of the accelerator -> its utilization.

    Returns:
        The entries, which `from_provenance` reads.
    """
    return {f"{_KEY}{id}": logged.as_text() for id, logged in utilization.items()}


def from_provenance(provenance: Mapping[str, str]) -> dict[str, LoggedUtilization]:
    """Return the utilization on each accelerator that a law's provenance keeps.

    Args:
        provenance: The provenance of a law, of this or of an earlier version.

    Returns:
        Id of the accelerator -> its utilization.
    """
    utilization = {}
    for key, text in provenance.items():
        prefix = next((prefix for prefix in _KEYS if key.startswith(prefix)), None)
        if prefix is not None:
            low, band, high = text.partition("..")
            with suppress(ValueError):  # a law from elsewhere may hold any text
                utilization[key.removeprefix(prefix)] = LoggedUtilization(
                    float(low), float(high if band else low), measured=bool(band)
                )
    return utilization


def logged_rate(law: Law) -> tuple[float | None, str]:
    """Return the pace of the trainings that a fitted law was logged with.

    Args:
        law: The law.

    Returns:
        FLOP per second of one device and its id; None and "" where no accelerator was logged, or
        several were.
    """
    logged_on = from_provenance(law.provenance)
    if len(logged_on) != 1:
        return None, ""
    ((id, logged),) = logged_on.items()
    accelerator = catalog().get(id)
    if accelerator is None or not 0 < logged.low <= logged.high < math.inf:  # a law from elsewhere
        return None, ""
    middle = math.sqrt(logged.low * logged.high)
    return middle * accelerator.peak_at(accelerator.usual_precision()), id


def measured_utilization(
    law: Law, runs: Iterable[Run], accelerator: Accelerator, precision: str | None = None
) -> Assumption | None:
    """Return the band of utilization that was measured with a law.

    Args:
        law: The law. Where it was fitted to trainings that were logged elsewhere, those count.
        runs: The runs of the law's sweep, which count otherwise.
        accelerator: The accelerator.
        precision: Precision of the training; None is the accelerator's usual one.

    Returns:
        The band; None where too little was measured.
    """
    logged_on = from_provenance(law.provenance)
    # FLOP that were computed from hours stand for hours: on every accelerator at the utilization they assume
    from_hours = next((one for one in logged_on.values() if not one.measured), None)
    logged = logged_on.get(accelerator.id, from_hours)
    # logged utilization is relative to the peak of the usual precision, and unknown at any other
    if logged is not None and precision in (None, accelerator.usual_precision()):
        on_it = f" on {accelerator.id}" if accelerator.id in logged_on else ""
        trainings_of = f"trainings of law {law.id}{on_it}"
        source = (
            f"the largest {trainings_of}, evaluation included"
            if logged.measured
            else f"GPU-hours of {trainings_of}, whose FLOP were computed at it"
        )
        return override("utilization", logged.low, logged.high, origin="measured")._replace(source=source)
    trainings = (
        (run.flops, run.seconds, run.device)
        for run in runs
        if run.status == "finished" and run.flops and run.seconds
    )
    return utilization_of(trainings, accelerator, precision)


def utilization_of(
    trainings: Iterable[tuple[float, float, str]], accelerator: Accelerator, precision: str | None = None
) -> Assumption | None:
    """Return the band of utilization over the largest trainings on an accelerator.

    Utilization is FLOP over seconds and peak FLOP/s, evaluation and loading of data included: what a training
    reaches end to end.

    Args:
        trainings: FLOP, device-seconds and the name of the device of each training.
        accelerator: The accelerator.
        precision: Precision of the training; None is the accelerator's usual one.

    Returns:
        The band; None below `MIN_RUNS` trainings.
    """
    peak = accelerator.peak_at(precision or accelerator.usual_precision())
    ours = cache(partial(is_accelerator, accelerator=accelerator))  # thousands of runs are on a few devices
    on_it = [(flops, flops / seconds / peak) for flops, seconds, device in trainings if ours(device)]
    largest = sorted(on_it)[-MAX_RUNS:]
    values = [share for _, share in largest if share <= 1]
    if len(values) < MIN_RUNS:
        return None
    return override(
        "utilization",
        min(values),
        max(values),
        origin="measured",
        source=f"the {len(values)} largest of {len(on_it)} runs on {accelerator.id}, evaluation included",
    )
