"""The utilization that trainings reached on a part: those of a calibration, or logged elsewhere."""

from collections.abc import Iterable
from dataclasses import replace

from laws.types import Law, Run
from planner.assumptions import Assumption, override, parse_assumption
from planner.hardware.accelerators import Accelerator

RUNS = 5  # the trainings with the most FLOP: small ones do not fill a device
ENOUGH = 3
LOGGED = "utilization on "  # with the id of a part, in the provenance of a fitted law


def measured_utilization(
    law: Law, runs: Iterable[Run], part: Accelerator, precision: str | None = None
) -> Assumption | None:
    """Return the band of utilization that was measured on a part with a law; None where too little was.

    That of the trainings which the law was fitted to where they were logged elsewhere, else of the largest
    finished `runs` on the part.
    """
    # logged ones were held against the peak of the precision that trainings use: they say nothing of another
    logged = law.provenance.get(f"{LOGGED}{part.id}")
    if logged is not None and precision in (None, part.usual_precision()):
        of = f"trainings of law {law.id} on {part.id}"
        band = ".." in logged
        source = (
            f"the largest {of}, evaluation included" if band else f"GPU-hours of {of}, taken for FLOP by it"
        )
        return replace(parse_assumption(f"utilization={logged}"), origin="measured", source=source)
    trainings = (
        (run.flops, run.seconds, run.device)
        for run in runs
        if run.status == "finished" and run.flops and run.seconds
    )
    return reached(trainings, part, precision)


def reached(
    trainings: Iterable[tuple[float, float, str]], part: Accelerator, precision: str | None = None
) -> Assumption | None:
    """Return the band of utilization over the largest trainings on this part; None below three.

    A training is its FLOP, the seconds of device that it took, and the device's name. FLOP over seconds and
    peak, evaluation and loading of data included: what a training reaches from end to end.
    """
    peak = part.peak_at(precision or part.usual_precision())
    fitting = [
        (flops, flops / seconds / peak) for flops, seconds, device in trainings if is_part(device, part)
    ]
    largest = sorted(fitting)[-RUNS:]
    values = [share for _, share in largest if share <= 1]
    if len(values) < ENOUGH:
        return None
    return override(
        "utilization",
        min(values),
        max(values),
        origin="measured",
        source=f"the {len(values)} largest of {len(fitting)} runs on {part.id}, evaluation included",
    )


# words that makers add or leave out, and boards that differ from the part of the same name without them
_MAKERS = frozenset(
    {"nvidia", "amd", "google", "tesla", "geforce", "instinct", "sxm", "sxm2", "sxm4", "sxm5"}
)
_BOARDS = frozenset({"pcie", "nvl"})


def is_part(device: str, part: Accelerator) -> bool:
    """Return whether a device is this part: by an id or alias, or by the name that it gives itself.

    A memory size counts where it is named.
    """
    if device.lower() in {part.id, *part.aliases}:
        return True
    own, ours = _words(device), _words(part.name)
    if own & _BOARDS != ours & _BOARDS:
        return False
    if not any(word.endswith("gb") for word in own):
        ours = {word for word in ours if not word.endswith("gb")}
    return bool(own) and ours - _MAKERS <= own


def _words(text: str) -> set[str]:
    return set(text.lower().replace("-", " ").replace("(", " ").replace(")", " ").split())
