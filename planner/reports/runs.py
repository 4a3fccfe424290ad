"""Reports of training runs, and their export."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from calibrate.domains import DOMAINS
from laws.errors import InputError
from laws.errors import run as run_hint
from laws.storage.store import Store
from laws.types import Run, RunStatus
from planner import units
from planner.plans.sweeps import one_sweep
from planner.reports.quantities import counted, none_of
from planner.reports.report import Report

# the first columns of an export; metrics and hyperparameters follow
_COLUMNS = (
    "id", "attempt", "status", "reason", "sweep", "domain", "family", "optimizer", "data", "data_unit",
    "params", "flops", "samples", "seconds", "device", "seed", "code", "fingerprint", "created",
)  # fmt: skip


def runs_records(
    store: Store, *, domain: str | None, sweep: str | None, status: RunStatus | None
) -> list[dict[str, Any]]:
    """Return one record per run.

    Args:
        store: The store.
        domain: Only runs of this domain; None for all.
        sweep: Only runs of the sweep whose id begins like this; None for all.
        status: Only runs whose last attempt has this status; None for all.

    Returns:
        Records with the result of the last attempt and the number of attempts.

    Raises:
        InputError: No sweep, or several, match `sweep`.
    """
    by_id: dict[str, list[Run]] = {}
    for run in store.runs(domain=domain, sweep=_sweep(store, sweep)):
        by_id.setdefault(run.id, []).append(run)
    last = {id: max(attempts, key=lambda run: run.attempt) for id, attempts in by_id.items()}
    return [
        {
            "id": run.id,
            "status": run.status,
            "reason": run.reason,
            "attempts": len(by_id[id]),
            "domain": run.domain,
            "family": run.family,
            "optimizer": run.optimizer,
            "data": run.data,
            "data_unit": run.data_unit,
            "params": run.params,
            "flops": run.flops,
            "samples": run.samples,
            "metrics": run.metrics,
            "seconds": run.seconds,
            "device": run.device,
            "seed": run.seed,
            "sweep": run.sweep,
            "created": run.created,
        }
        for id, run in last.items()
        if status in (None, run.status)
    ]


def runs_report(records: Sequence[dict[str, Any]], store: Store, *, domain: str | None) -> Report:
    """Return the table of runs, with ids cut to what tells them apart.

    What all runs share is in the title, so that the table fits a narrow screen.

    Args:
        records: The records of `runs_records`.
        store: The store.
        domain: The filter by domain.

    Returns:
        The report.
    """
    domains = dict.fromkeys(record["domain"] for record in records)
    first = [name for domain in domains if domain in DOMAINS for name in DOMAINS[domain].metrics]
    there = dict.fromkeys(name for record in records for name in record["metrics"])
    metrics = [
        *(name for name in dict.fromkeys(first) if name in there),
        *(n for n in there if n not in first),
    ]
    short = _distinct([record["id"] for record in records])
    of = [", ".join(filter(None, (r["domain"], r["family"]))) for r in records]
    data_units = {record["data_unit"] for record in records}
    unit = f", {data_units.pop()}" if len(data_units) == 1 else ""
    columns = {
        "id": [r["id"][:short] for r in records],
        "status": [r["status"] for r in records],
        "attempts": [str(r["attempts"]) for r in records],
        "of": of,
        f"data{unit}": [
            units.format_number(r["data"]) if unit else units.format_data(r["data"], r["data_unit"])
            for r in records
        ],
        "params": [units.format_number(r["params"]) for r in records],
        **{name: [_metric(record, name) for record in records] for name in metrics},
        "time": ["-" if r["seconds"] is None else units.duration_in_words(r["seconds"]) for r in records],
    }
    one = f" of {of[0]}" if len(set(of)) == 1 else ""
    if one:
        del columns["of"]
    if set(columns["attempts"]) == {"1"}:
        del columns["attempts"]
    finished = sum(record["status"] == "finished" for record in records)
    notes = tuple(f"{r['id'][:short]} {r['status']}: {r['reason']}" for r in records if r["reason"])
    if not records:
        notes = none_of({"domain": domain}, {"domain": {run.domain for run in store.runs()}}) or (
            "`planner calibrate` makes runs. Without options, this command lists all runs of the store.",
        )
    names = list(columns)
    return Report(
        title=f"{counted(len(records), 'run')}{one}, {finished} finished",
        columns=tuple(names),
        rows=tuple(zip(*columns.values(), strict=True)),
        notes=notes,
        words=frozenset(names.index(name) for name in ("id", "status", "of") if name in columns),
        whole=frozenset({0, 1}),
    )


def _sweep(store: Store, id: str | None) -> str | None:
    """Return the id of the sweep that starts with some characters."""
    if id is None:
        return None
    return one_sweep(store, {sweep.id for sweep in store.sweeps()} | {run.sweep for run in store.runs()}, id)


def run_record(store: Store, id: str) -> dict[str, Any]:
    """Return every attempt of one run.

    Args:
        store: The store.
        id: Id of the run, or its first characters where they are unique.

    Returns:
        The id and the attempts.

    Raises:
        InputError: No run, or several, match the id.
    """
    matches = {training.id for training in store.runs() if training.id.startswith(id)} if id else set()
    if id in matches:
        matches = {id}
    if len(matches) != 1:
        raise InputError(
            f"id {id!r} matches {len(matches)} runs of {store.folder}: expected one",
            code="ambiguous-id" if matches else "unknown-run",
            value=id,
            hint=run_hint("runs", "list", purpose="to see them"),
        )
    attempts = store.attempts(matches)[matches.pop()]
    return {"id": attempts[0].id, "attempts": [asdict(attempt) for attempt in attempts]}


def run_report(record: dict[str, Any]) -> Report:
    """Return one run for people.

    Args:
        record: The record of `run_record`.

    Returns:
        One column per attempt, one row per field that any attempt has.
    """
    attempts = record["attempts"]
    shown = [_attempt_in_words(run) for run in attempts]
    names = dict.fromkeys(name for words in shown for name in words)
    return Report(
        title=f"Run {record['id']}",
        columns=("", *(f"attempt {run['attempt']}" for run in attempts)),
        rows=tuple((name, *(words.get(name, "-") for words in shown)) for name in names),
    )


def _attempt_in_words(run: dict[str, Any]) -> dict[str, str]:
    shown = {
        name: str(run[name]) for name in _COLUMNS[2:] if name != "data_unit" and run[name] not in (None, "")
    }
    shown["data"] = units.format_data(run["data"], run["data_unit"])
    shown["params"] = f"{run['params']:,}"
    for name, show in (("flops", units.format_flops), ("seconds", units.duration_in_words)):
        if run[name] is not None:
            shown[name] = show(run[name])
    if run["samples"] is not None:
        shown["samples"] = units.format_data(run["samples"], run["data_unit"])
    shown |= {name: _metric(run, name) for name in run["metrics"]}
    return shown | {name: str(value) for name, value in run["hyper"].items()}


def exported(
    store: Store, *, domain: str | None, sweep: str | None, status: RunStatus | None
) -> list[dict[str, Any]]:
    """Return every attempt as one row.

    Args:
        store: The store.
        domain: Only runs of this domain; None for all.
        sweep: Only runs of the sweep whose id begins like this; None for all.
        status: Only attempts with this status; None for all.

    Returns:
        Flat rows, whose CSV `planner fit` reads; hyperparameters are columns `hyper.NAME`.

    Raises:
        InputError: No sweep, or several, match `sweep`.
    """
    runs = store.runs(domain=domain, sweep=_sweep(store, sweep), status=status)
    return [
        {name: getattr(run, name) for name in _COLUMNS}
        | run.metrics
        | {f"hyper.{name}": value for name, value in run.hyper.items()}
        for run in runs
    ]


def exported_report(rows: Sequence[dict[str, Any]]) -> Report:
    """Return the exported rows as a table.

    Args:
        rows: The rows of `exported`.

    Returns:
        One row per attempt; a cell is empty where an attempt has no value.
    """
    columns = tuple(dict.fromkeys(name for row in rows for name in row))
    return Report(
        title=f"{len(rows)} attempts",
        columns=columns,
        rows=tuple(tuple("" if row.get(c) is None else str(row[c]) for c in columns) for row in rows),
    )


def _metric(record: dict[str, Any], name: str) -> str:
    value = record["metrics"].get(name)
    domain = DOMAINS.get(record["domain"])
    unit = domain.metrics.get(name, "") if domain else ""
    return "-" if value is None else units.format_metric(value, unit if unit == "fraction" else "")


def _distinct(ids: Sequence[str]) -> int:
    """Return how many characters tell all ids apart: at least eight."""
    longest = max(map(len, ids), default=8)
    return next((n for n in range(8, longest) if len({id[:n] for id in ids}) == len(set(ids))), longest)
