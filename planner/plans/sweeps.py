"""How far the sweeps of a store are: finished runs, the best so far, and the time left."""

import contextlib
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from laws.errors import InputError, run
from laws.storage.store import Store
from laws.types import Run, Sweep

MAX_PACE_RUNS = 20  # the last runs, whose pace is taken for the rest


@dataclass(frozen=True, kw_only=True)
class SweepState:
    """One sweep, with what its runs on record say."""

    sweep: Sweep
    is_running: bool  # a process works on it now
    finished: int
    failed: int  # trainings whose last attempt did not finish
    device_seconds: float  # of every attempt
    seconds_left: float | None  # at the pace of the last runs; None where too few have ended
    metric: str  # that the best runs are best in; "" without a finished run
    best: tuple[Run, ...]  # the best finished run of each data size, smallest first

    @property
    def is_complete(self) -> bool:
        """Return whether every planned training has ended."""
        return self.finished + self.failed >= self.sweep.planned


def sweep_states(store: Store, *, domain: str | None = None) -> list[SweepState]:
    """Return the sweeps of a store.

    Args:
        store: The store.
        domain: Only sweeps of this domain.

    Returns:
        Their states, the newest sweep first.
    """
    return [_state(store, sweep) for sweep in store.sweeps(domain=domain)]


def sweep_state(store: Store, id: str) -> SweepState:
    """Return one sweep.

    Args:
        store: The store.
        id: Its id, or the first characters of it.

    Returns:
        Its state.

    Raises:
        InputError: No sweep, or several, match the id.
    """
    sweeps = {sweep.id: sweep for sweep in store.sweeps()}
    return _state(store, sweeps[one_sweep(store, sweeps, id)])


def one_sweep(store: Store, ids: Collection[str], start: str) -> str:
    """Return the id of the sweep that starts with some characters.

    Args:
        store: The store, for the message.
        ids: The ids of its sweeps.
        start: An id, or its first characters.

    Returns:
        The id.

    Raises:
        InputError: No sweep, or several, match the characters.
    """
    matching = [start] if start in ids else [id for id in ids if id.startswith(start)]
    if len(matching) != 1:
        raise InputError(
            f"id {start!r} matches {len(matching)} sweeps of {store.folder}: expected one",
            code="ambiguous-id" if matching else "unknown-sweep",
            value=start,
            hint=run("sweeps", "list", purpose="to see them"),
        )
    return matching[0]


def _state(store: Store, sweep: Sweep) -> SweepState:
    last = list(store.last_runs(sweep.runs))
    finished = [one for one in last if one.status == "finished"]
    attempts = [one for several in store.attempts(sweep.runs).values() for one in several]
    metric = _metric(sweep, finished)
    complete = len(last) >= sweep.planned
    return SweepState(
        sweep=sweep,
        is_running=not complete and store.is_locked(f"sweep-{sweep.id}"),
        finished=len(finished),
        failed=len(last) - len(finished),
        device_seconds=sum(one.seconds or 0.0 for one in attempts),
        seconds_left=0.0 if complete else _seconds_left(attempts, sweep.planned - len(last)),
        metric=metric,
        best=_best(finished, metric),
    )


def _metric(sweep: Sweep, runs: Sequence[Run]) -> str:
    """Return the metric that decides which model is best: the first of the domain."""
    from calibrate.domains import DOMAINS

    names = dict.fromkeys(name for one in runs for name in one.metrics)
    domain = DOMAINS.get(sweep.domain)
    return next((name for name in (*(domain.metrics if domain else ()), *names) if name in names), "")


def _best(runs: Sequence[Run], metric: str) -> tuple[Run, ...]:
    best: dict[float, Run] = {}
    for one in runs:
        if metric in one.metrics and (
            one.data not in best or one.metrics[metric] < best[one.data].metrics[metric]
        ):
            best[one.data] = one
    return tuple(best[data] for data in sorted(best))


def _seconds_left(runs: Sequence[Run], left: int) -> float | None:
    """Return the time of the runs that are left, if each takes the median time between the last ends."""
    ends = []
    for one in runs:
        with contextlib.suppress(ValueError):
            ends.append(datetime.fromisoformat(one.created).timestamp())
    ends = sorted(ends)[-MAX_PACE_RUNS:]
    gaps = [later - earlier for earlier, later in itertools.pairwise(ends)]
    return median(gaps) * left if len(gaps) >= 2 else None
