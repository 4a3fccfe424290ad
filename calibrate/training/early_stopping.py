"""Stop poor trials early: successive halving over the trials of one shard and size.

At each rung, a quarter and half of the planned samples, a run continues only if it is in the better half of
the runs that reached this rung before it, including itself (Jamieson and Talwalkar 2016, arXiv:1502.07943).
No run waits for later ones, as in the asynchronous form (Li et al. 2020, arXiv:1810.05934). Unlike there,
runs are compared in the order in which they were drawn, so the seed decides what is stopped, not the number
of workers or an interruption. Rungs are shares of the plan, so that runs are compared at the same point of
their learning-rate schedule. The first trial is never stopped.
"""

from bisect import insort
from collections.abc import Sequence

from calibrate.types import ERROR_NOISE

RUNGS = (0.25, 0.5)  # shares of the planned samples, in steps of 2x

Rungs = tuple[tuple[float, float], ...]  # (share of the planned samples, an error there)


def rungs_reached(history: Sequence[tuple[float, float]], planned: float) -> Rungs:
    """Return the rungs that a training reached, with its lowest error up to each.

    Args:
        history: (samples seen, validation error) of each evaluation.
        planned: Samples of the whole training.

    Returns:
        (share, error) of each rung.
    """
    rungs = []
    for share in RUNGS:
        passed = [i for i, (samples, _) in enumerate(history) if samples >= share * planned * (1 - 1e-9)]
        if passed:
            rungs.append((share, min(value for _, value in history[: passed[0] + 1])))
    return tuple(rungs)


def too_high(rungs: Rungs, thresholds: Rungs) -> tuple[float, float, float] | None:
    """Return the first rung at which the error of a training is too high to continue.

    Args:
        rungs: The rungs that the training reached.
        thresholds: The highest error at each rung with which it continues.

    Returns:
        Share of the planned samples, error and threshold; None where the training continues.
    """
    allowed = dict(thresholds)
    for share, error in rungs:
        if error > allowed.get(share, error):
            return share, error, allowed[share]
    return None


class RungResults:
    """The errors at the rungs of the trials of one shard and size so far."""

    def __init__(self) -> None:
        self._errors: dict[float, list[float]] = {share: [] for share in RUNGS}

    def add(self, rungs: Rungs) -> None:
        """Add a training that has ended.

        Args:
            rungs: The rungs that the training reached, and its error at each.
        """
        for share, error in rungs:
            insort(self._errors.setdefault(share, []), error)

    def thresholds(self) -> Rungs:
        """Return the highest error at each rung with which the next training continues.

        A training within noise of the better half is not stopped.
        """
        return tuple(
            (share, errors[len(errors) // 2] * (1 + ERROR_NOISE))
            for share, errors in self._errors.items()
            if errors
        )
