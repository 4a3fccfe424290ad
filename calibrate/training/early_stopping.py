"""Stop ill-tuned trainings early: successive halving over the settings drawn for one shard and size.

At the rungs, a quarter and half of the planned samples, a training goes on only if it is within the better
half of those that stood there before it, itself counted (Jamieson and Talwalkar 2016, arXiv:1502.07943; that
nobody waits for those who come later is of the asynchronous form, Li et al. 2020, arXiv:1810.05934). They are
compared in the order in which they were drawn and at equal shares of their plans, where their learning rates
stand equally high. So the seed decides what is stopped, not the number of workers nor an interruption. The
first draw is never stopped.
"""

from bisect import insort
from collections.abc import Sequence

from calibrate.types import ERROR_NOISE

RUNGS = (0.25, 0.5)  # of the planned samples: each rung stands for twice the training of the one before

Rungs = tuple[tuple[float, float], ...]  # (share of the planned samples, an error there)


def reached(history: Sequence[tuple[float, float]], planned: float) -> Rungs:
    """Return the rungs that a training came to and the lowest error up to each.

    `history` holds (samples seen, validation error).
    """
    found = []
    for share in RUNGS:
        passed = [i for i, (seen, _) in enumerate(history) if seen >= share * planned * (1 - 1e-9)]
        if passed:
            found.append((share, min(value for _, value in history[: passed[0] + 1])))
    return tuple(found)


def too_high(rungs: Rungs, bars: Rungs) -> str:
    """Return why a training is stopped, in a sentence; nothing where it goes on."""
    allowed = dict(bars)
    for share, value in rungs:
        if value > allowed.get(share, value):
            return (
                f"after {share:.0%} of its samples its error was {value:.4g}; the better half of the "
                f"settings drawn so far had at most {allowed[share]:.4g}"
            )
    return ""


class RungResults:
    """How the trainings of one shard and size stood at the rungs, those that were drawn so far."""

    def __init__(self) -> None:
        self._errors: dict[float, list[float]] = {share: [] for share in RUNGS}

    def add(self, rungs: Rungs) -> None:
        """Take in a training that has ended."""
        for share, error in rungs:
            insort(self._errors.setdefault(share, []), error)

    def bars(self) -> Rungs:
        """Return the highest error at each rung with which the next training goes on.

        What is within noise of the better half is not stopped.
        """
        return tuple(
            (share, errors[len(errors) // 2] * (1 + ERROR_NOISE))
            for share, errors in self._errors.items()
            if errors
        )
