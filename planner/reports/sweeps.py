"""The reports of `planner sweeps`."""

from collections.abc import Sequence
from typing import Any

from planner import units
from planner.metrics import known_metric
from planner.plans.sweeps import SweepState
from planner.reports.quantities import counted
from planner.reports.report import Report


def record(state: SweepState) -> dict[str, Any]:
    """Return one sweep for scripts.

    Args:
        state: The sweep.

    Returns:
        Plain values; `best` has the best finished run of each data size.
    """
    sweep = state.sweep
    return {
        "id": sweep.id,
        "domain": sweep.domain,
        "preset": sweep.preset,
        "seed": sweep.seed,
        "created": sweep.created,
        "status": _status(state),
        "planned": sweep.planned,
        "finished": state.finished,
        "failed": state.failed,
        "device_seconds": state.device_seconds,
        "seconds_left": state.seconds_left,
        "device": sweep.device,
        "metric": state.metric,
        "best": [
            {
                "data": run.data,
                "data_unit": run.data_unit,
                "family": run.family,
                "params": run.params,
                "error": run.metrics[state.metric],
                "run": run.id,
            }
            for run in state.best
        ],
    }


def sweeps_report(states: Sequence[SweepState]) -> Report:
    """Return the table of sweeps.

    Args:
        states: The sweeps, the newest first.

    Returns:
        One row per sweep.
    """
    return Report(
        title=counted(len(states), "sweep"),
        columns=("id", "of", "status", "done", "time spent", "left", "best so far"),
        rows=tuple(
            (
                state.sweep.id[:8],
                f"{state.sweep.domain} {state.sweep.preset}",
                _status(state),
                f"{state.finished + state.failed} of {state.sweep.planned}",
                units.duration_in_words(state.device_seconds),
                _left(state),
                _last_best(state),
            )
            for state in states
        ),
        notes=() if states else ("`planner calibrate` makes sweeps.",),
        words=frozenset({0, 1, 2}),
        whole=frozenset({0, 2}),
    )


def sweep_report(state: SweepState) -> Report:
    """Return one sweep for people.

    Args:
        state: The sweep.

    Returns:
        The best run of each data size, and how far the sweep is.
    """
    sweep = state.sweep
    unit = units.data_in_words(state.best[0].data_unit) if state.best else "data"
    failed = f"; {counted(state.failed, 'training')} did not finish" if state.failed else ""
    left = "" if state.is_complete else f" About {_left(state)} left, at the pace of the last runs."
    return Report(
        title=f"Sweep {sweep.id[:8]}: {sweep.domain}, preset {sweep.preset}, {_status(state)}",
        columns=(unit, state.metric or "error", "family", "parameters", "run"),
        rows=tuple(
            (
                units.format_number(run.data),
                _error(run.metrics[state.metric], state.metric),
                run.family,
                units.format_number(run.params),
                run.id[:8],
            )
            for run in state.best
        ),
        notes=(
            f"{state.finished + state.failed} of {counted(sweep.planned, 'training')} done{failed}.{left}",
            f"Time of all trainings together: {units.duration_in_words(state.device_seconds)}"
            f"{f' on {sweep.device}' if sweep.device else ''}.",
            *_continue(state),
        ),
        words=frozenset({2, 4}),
    )


def _continue(state: SweepState) -> tuple[str, ...]:
    if state.is_complete or state.is_running:
        return ()
    sweep = state.sweep
    return (
        "Nothing works on it now. The command that started it continues it, such as "
        f"planner calibrate --domain {sweep.domain} --preset {sweep.preset}",
    )


def _status(state: SweepState) -> str:
    if state.is_complete:
        return "complete"
    return "running" if state.is_running else "stopped"


def _left(state: SweepState) -> str:
    if state.is_complete:
        return "-"
    return "not known" if state.seconds_left is None else units.duration_in_words(state.seconds_left)


def _last_best(state: SweepState) -> str:
    if not state.best:
        return "-"
    run = state.best[-1]
    error = _error(run.metrics[state.metric], state.metric)
    return f"{state.metric} {error} at {units.format_data(run.data, run.data_unit)}"


def _error(value: float, metric: str) -> str:
    known = known_metric(metric)
    return units.format_metric(value, "fraction" if known is not None and known.unit == "fraction" else "")
