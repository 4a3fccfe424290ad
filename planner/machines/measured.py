"""The utilisation that calibration measured on a part, from its runs in the store."""

from collections.abc import Iterable

from laws.types import Run
from planner.assumptions import Assumption, given
from planner.machines.accelerators import Part

RUNS = 5  # the trainings with the most FLOP: small ones do not fill a device
ENOUGH = 3


def measured_utilisation(runs: Iterable[Run], part: Part, precision: str | None = None) -> Assumption | None:
    """Return the band of utilisation over the largest finished runs on this part; None below three runs.

    Training FLOP over seconds and peak, evaluation and loading of data included: what a training of this
    family reaches from end to end.
    """
    peak = part.peak_at(precision or part.usual_precision())
    fitting = [
        (run.flops, run.flops / run.seconds / peak)
        for run in runs
        if run.status == "finished" and run.flops and run.seconds and _is(run.device, part)
    ]
    largest = sorted(fitting)[-RUNS:]
    values = [share for _, share in largest if share <= 1]
    if len(values) < ENOUGH:
        return None
    return given(
        "utilisation",
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


def _is(device: str, part: Part) -> bool:
    """Return whether the name that a device gives itself is this part; a memory size counts where named."""
    own, ours = _words(device), _words(part.name)
    if own & _BOARDS != ours & _BOARDS:
        return False
    if not any(word.endswith("gb") for word in own):
        ours = {word for word in ours if not word.endswith("gb")}
    return bool(own) and ours - _MAKERS <= own


def _words(text: str) -> set[str]:
    return set(text.lower().replace("-", " ").replace("(", " ").replace(")", " ").split())
