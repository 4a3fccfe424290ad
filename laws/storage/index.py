"""Turn records into rows of the index and rows into answers. All SQL except the tables is here."""

import dataclasses
import json
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb

from laws.storage import schema
from laws.types import (
    Interval,
    Law,
    LawRow,
    Outcome,
    Quantity,
    Run,
    RunStatus,
    SavedForecast,
    SavedForecastRow,
    SizeCost,
    Sweep,
)

_TABLES = {Sweep: "sweeps", Law: "laws", SavedForecast: "forecasts", Outcome: "outcomes"}
Connection = duckdb.DuckDBPyConnection
_CONFIG: dict[str, Any] = {
    "storage_compatibility_version": schema.STORAGE,
    "autoinstall_known_extensions": False,  # nothing is ever fetched from a network
    "autoload_known_extensions": False,
}
_RUN = tuple(field.name for field in dataclasses.fields(Run) if field.name != "rungs")
_JSON = ("metrics", "hyper")  # columns of a run that hold a JSON object
_LAW = tuple(name for name in LawRow._fields if name != "x_range")
_FORECAST = tuple(field.name for field in dataclasses.fields(SavedForecastRow) if field.name != "quantities")
_OUTCOME = tuple(field.name for field in dataclasses.fields(Outcome))
_OUTCOME_COLUMNS = tuple("happened" if name == "observed" else name for name in _OUTCOME)


def connect(path: Path, *, read_only: bool) -> Connection:
    """Open an index; the caller closes it.

    Args:
        path: The database.
        read_only: Refuse to write.

    Returns:
        The connection; it never loads or fetches an extension.
    """
    return duckdb.connect(str(path), read_only=read_only, config=_CONFIG)


def indexed_files(connection: Connection) -> dict[str, tuple[int, int]]:
    """Return the files as they were when they were last read into the index.

    Args:
        connection: An open index.

    Returns:
        Bytes and time of the last change (ns) by name, of every file that was read or could not be used.
    """
    rows = connection.execute("select name, size, modified from files").fetchall()
    return {name: (size, modified) for name, size, modified in rows}


def changed_files(
    connection: Connection, files: Sequence[tuple[str, int, int]]
) -> list[tuple[str, int, int]]:
    """Return the files that the index does not know as they are.

    Args:
        connection: An open index.
        files: Name, bytes and time of the last change (ns) of each.

    Returns:
        Those of them that are new or changed, by name.
    """
    return connection.execute(
        """select * from (select unnest(?::varchar[]) as name, unnest(?::bigint[]) as size,
                                 unnest(?::bigint[]) as modified) as listed
           anti join files using (name, size, modified) order by name""",
        [[file[i] for file in files] for i in range(3)],
    ).fetchall()


def unusable_files(connection: Connection) -> dict[str, str]:
    """Return why files could not be read into the index.

    Args:
        connection: An open index.

    Returns:
        The reason by name of the file.
    """
    return dict(
        connection.execute(
            "select name, problem from files where problem is not null order by name"
        ).fetchall()
    )


def forget_files(connection: Connection, names: Iterable[str]) -> None:
    """Delete the notes on some files.

    Args:
        connection: An index that is open for writing.
        names: Files that are gone and could not be used.
    """
    connection.execute("delete from files where list_contains(?::varchar[], name)", [list(names)])


def note_files(connection: Connection, rows: Sequence[tuple[str, int, int, str | None]]) -> None:
    """Note which files were read.

    Args:
        connection: An index that is open for writing.
        rows: Name, bytes, time of the last change (ns) and problem of each; None: its record is in the index.
    """
    connection.execute(
        "delete from files where list_contains(?::varchar[], name)", [[row[0] for row in rows]]
    )
    _insert(connection, "files", ("name", "size", "modified", "problem"), rows)


def put_records(connection: Connection, kind: type, records: Sequence[Any], sequences: Sequence[int]) -> None:
    """Add records of one kind, or replace those with the same id.

    Args:
        connection: An index that is open for writing.
        kind: The class of the records.
        records: The records.
        sequences: The place of each in the order of the store; runs have none.
    """
    _PUT[kind](connection, records)
    if table := _TABLES.get(kind):
        connection.execute(
            f"""update {table} set sequence = numbers.sequence
                from (select unnest(?::varchar[]) as id, unnest(?::bigint[]) as sequence) as numbers
                where {table}.id = numbers.id""",  # noqa: S608 - the name of a table of ours
            [[record.id for record in records], list(sequences)],
        )


def last_sequence(connection: Connection) -> int:
    """Return the largest sequence number of all records.

    Args:
        connection: An open index.

    Returns:
        The number; 0 without records.
    """
    numbers = [
        connection.execute(f"select coalesce(max(sequence), 0) from {table}").fetchall()[0][0]  # noqa: S608
        for table in schema.ORDERED
    ]
    return int(max(numbers))


def runs(
    connection: Connection, domain: str | None, sweep: str | None, status: RunStatus | None
) -> list[Run]:
    """Return attempts by time.

    Args:
        connection: An open index.
        domain: Only of this domain.
        sweep: Only those that this sweep trained, or planned and found already trained.
        status: Only of this status.

    Returns:
        The runs.
    """
    rows = connection.execute(
        f"""select {", ".join(_RUN)} from runs
            where ($domain is null or domain = $domain)
              and ($status is null or status = $status)
              and ($sweep is null or sweep = $sweep
                   or id in (select unnest(sweeps.runs) from sweeps where sweeps.id = $sweep))
            order by created, id, attempt""",  # noqa: S608 - the columns are the fields of Run
        {"domain": domain, "sweep": sweep, "status": status},
    ).fetchall()
    named = (dict(zip(_RUN, row, strict=True)) for row in rows)
    return [Run(**{**run, **{name: json.loads(run[name]) for name in _JSON}}) for run in named]


def sweeps(connection: Connection, domain: str | None) -> list[Sweep]:
    """Return sweeps, newest first.

    Args:
        connection: An open index.
        domain: Only of this domain.

    Returns:
        The sweeps with their definitions.
    """
    columns = (
        "id", "created", "domain", "preset", "seed", "planned", "runs", "fingerprint", "device", "code",
        "ladder", "settings",
    )  # fmt: skip
    rows = connection.execute(
        f"""select {", ".join(columns)} from sweeps where $domain is null or domain = $domain
            order by sequence desc, created desc, id""",  # noqa: S608 - the columns are written above
        {"domain": domain},
    ).fetchall()
    sweeps = []
    for row in rows:
        sweep = dict(zip(columns, row, strict=True))
        ladder = json.loads(sweep.pop("ladder"))
        sweeps.append(
            Sweep(
                **{**sweep, "runs": tuple(sweep["runs"]), "settings": json.loads(sweep["settings"])},
                ladder={
                    family: tuple(SizeCost(**cost) for cost in costs) for family, costs in ladder.items()
                },
                definitions=_definitions(connection, sweep["id"]),
            )
        )
    return sweeps


def laws(connection: Connection) -> list[LawRow]:
    """Return laws without samples and paths, newest first.

    Args:
        connection: An open index.

    Returns:
        The rows; laws of one fit follow one another by id.
    """
    rows = connection.execute(
        f"select {', '.join(_LAW)}, x_low, x_high from laws order by sequence desc, created desc, id"  # noqa: S608 - fields of LawRow
    ).fetchall()
    laws = []
    for *values, low, high in rows:
        law = dict(zip(_LAW, values, strict=True))
        laws.append(LawRow(**{**law, "warnings": tuple(law["warnings"])}, x_range=(low, high)))
    return laws


def forecasts(connection: Connection, domain: str | None) -> list[SavedForecastRow]:
    """Return forecasts with intervals in place of samples, newest first.

    Args:
        connection: An open index.
        domain: Only of this domain.

    Returns:
        The rows.
    """
    rows = connection.execute(
        f"""select {", ".join(_FORECAST)} from forecasts where $domain is null or domain = $domain
            order by sequence desc, created desc, id""",  # noqa: S608 - the fields of SavedForecastRow
        {"domain": domain},
    ).fetchall()
    quantities: dict[str, dict[str, Interval]] = {}
    for id, name, unit, low, middle, high in connection.execute(
        """select forecast, quantity, unit, q05, median, q95 from forecast_quantities
           order by forecast, quantity"""
    ).fetchall():
        quantities.setdefault(id, {})[name] = Interval(q05=low, median=middle, q95=high, unit=unit)
    named = (dict(zip(_FORECAST, row, strict=True)) for row in rows)
    return [
        SavedForecastRow(
            **{**row, "given": json.loads(row["given"]), "warnings": tuple(row["warnings"])},
            quantities=quantities.get(row["id"], {}),
        )
        for row in named
    ]


def outcomes(connection: Connection) -> list[Outcome]:
    """Return outcomes by day, those that were replaced among them.

    Args:
        connection: An open index.

    Returns:
        The outcomes; on one day, in the order they were recorded.
    """
    rows = connection.execute(
        f"select {', '.join(_OUTCOME_COLUMNS)} from outcomes order by day, sequence, created, id"  # noqa: S608 - fields of Outcome
    ).fetchall()
    named = (dict(zip(_OUTCOME, row, strict=True)) for row in rows)
    return [Outcome(**{**row, "observed": json.loads(row["observed"])}) for row in named]


def differences(connection: Connection, other: Path) -> list[str]:
    """Return the tables whose rows differ between two indexes.

    Args:
        connection: An open index.
        other: Another index.

    Returns:
        Names of tables.
    """
    connection.execute(f"attach '{str(other).replace(chr(39), chr(39) * 2)}' as other (read_only)")
    names = (
        "sweeps", "runs", "laws", "draws", "diagnostics", "provenance", "forecasts", "forecast_quantities",
        "outcomes",
    )  # fmt: skip
    different = []
    for name in names:
        one_way, other_way = (
            connection.execute(
                f"select count(*) from (select * from {a}{name} except all select * from {b}{name})"  # noqa: S608
            ).fetchall()[0][0]
            for a, b in (("", "other."), ("other.", ""))
        )
        if one_way or other_way:
            different.append(name)
    connection.execute("detach other")
    return different


def _definitions(connection: Connection, record: str) -> dict[str, str]:
    rows = connection.execute(
        "select name, value from provenance where record = ? and kind = 'definition' order by name", [record]
    ).fetchall()
    return dict(rows)


def _put_runs(connection: Connection, runs: Sequence[Run]) -> None:
    """Add attempts, or replace those with the same id and attempt."""
    connection.execute(
        """delete from runs where (id, attempt) in
           (select unnest(?::varchar[]), unnest(?::integer[]))""",
        [[run.id for run in runs], [run.attempt for run in runs]],
    )
    rows = [
        tuple(json.dumps(getattr(run, name)) if name in _JSON else getattr(run, name) for name in _RUN)
        for run in runs
    ]
    _insert(connection, "runs", _RUN, rows)


def _put_sweeps(connection: Connection, sweeps: Sequence[Sweep]) -> None:
    """Add sweeps, or replace those with the same id."""
    _forget(connection, [sweep.id for sweep in sweeps], {"sweeps": "id", "provenance": "record"})
    plain = ("id", "created", "domain", "preset", "seed", "planned", "fingerprint", "device", "code")
    rows = [
        (
            *(getattr(sweep, name) for name in plain),
            list(sweep.runs),
            json.dumps(
                {f: [dataclasses.asdict(cost) for cost in costs] for f, costs in sweep.ladder.items()}
            ),
            json.dumps(sweep.settings),
        )
        for sweep in sweeps
    ]
    _insert(connection, "sweeps", (*plain, "runs", "ladder", "settings"), rows)
    _put_provenance(connection, [(sweep.id, "definition", sweep.definitions) for sweep in sweeps])


def _put_laws(connection: Connection, laws: Sequence[Law]) -> None:
    """Add laws, or replace those with the same id. Paths stay in the law's own file."""
    ids = [law.id for law in laws]
    _forget(connection, ids, {"laws": "id", "draws": "law", "diagnostics": "law", "provenance": "record"})
    plain = (
        "id",
        "created",
        "source",
        "domain",
        "family",
        "metric",
        "metric_unit",
        "metric_ceiling",
        "x",
        "x_unit",
        "form",
        "n_points",
    )
    _insert(
        connection,
        "laws",
        (*plain, "x_low", "x_high", "runs", "warnings"),
        [
            (*(getattr(law, name) for name in plain), *law.x_range, list(law.runs), list(law.warnings))
            for law in laws
        ],
    )
    _insert(
        connection,
        "draws",
        ("law", "parameter", "draws"),
        # As text: DuckDB reads it many times faster than a list of Python floats.
        [(law.id, name, str(list(draws))) for law in laws for name, draws in law.parameters.items()],
    )
    _insert(
        connection,
        "diagnostics",
        ("law", "name", "value"),
        [(law.id, name, value) for law in laws for name, value in law.diagnostics.items()],
    )
    _put_provenance(
        connection,
        [(law.id, "definition", law.definitions) for law in laws]
        + [(law.id, "provenance", law.provenance) for law in laws],
    )


def _put_forecasts(connection: Connection, forecasts: Sequence[SavedForecast]) -> None:
    """Add forecasts, or replace those with the same id. Draws stay in the forecast's own file."""
    _forget(
        connection,
        [forecast.id for forecast in forecasts],
        {"forecasts": "id", "forecast_quantities": "forecast"},
    )
    plain = tuple(name for name in _FORECAST if name not in ("given", "warnings"))
    _insert(
        connection,
        "forecasts",
        (*plain, "seed", "code", "given", "warnings"),
        [
            (
                *(getattr(forecast, name) for name in (*plain, "seed", "code")),
                json.dumps(forecast.given),
                list(forecast.warnings),
            )
            for forecast in forecasts
        ],
    )
    _insert(
        connection,
        "forecast_quantities",
        ("forecast", "quantity", "unit", "spread", "q05", "q25", "median", "q75", "q95"),
        [
            (forecast.id, name, quantity.unit, quantity.spread, *_quantiles(quantity))
            for forecast in forecasts
            for name, quantity in forecast.quantities.items()
        ],
    )


def _quantiles(quantity: Quantity) -> list[float | None]:
    """Return five quantiles; None where infinite, and all but the median None where no spread is known."""
    values = [quantity.quantile(level) for level in (0.05, 0.25, 0.5, 0.75, 0.95)]
    finite = [value if math.isfinite(value) else None for value in values]
    return finite if quantity.spread else [None, None, finite[2], None, None]


def _put_outcomes(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    """Add outcomes, or replace those with the same id."""
    _forget(connection, [outcome.id for outcome in outcomes], {"outcomes": "id"})
    rows = [
        tuple(
            json.dumps(outcome.observed) if name == "observed" else getattr(outcome, name)
            for name in _OUTCOME
        )
        for outcome in outcomes
    ]
    _insert(connection, "outcomes", _OUTCOME_COLUMNS, rows)


def _put_provenance(connection: Connection, entries: Iterable[tuple[str, str, dict[str, str]]]) -> None:
    _insert(
        connection,
        "provenance",
        ("record", "kind", "name", "value"),
        [(record, kind, name, value) for record, kind, named in entries for name, value in named.items()],
    )


def _forget(connection: Connection, ids: list[str], tables: dict[str, str]) -> None:
    for table, column in tables.items():
        connection.execute(f"delete from {table} where list_contains(?::varchar[], {column})", [ids])  # noqa: S608


def _insert(
    connection: Connection, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Insert rows column by column: one statement, where row by row takes a hundred times as long."""
    if not rows:
        return
    types = dict(
        connection.execute(
            "select column_name, data_type from duckdb_columns() where table_name = ?",
            [table],
        ).fetchall()
    )
    unnested = ", ".join(
        f"unnest(?::varchar[])::{types[name]}" if types[name] == "FLOAT[]" else f"unnest(?::{types[name]}[])"
        for name in columns
    )
    connection.execute(
        f"insert into {table} ({', '.join(columns)}) select {unnested}",
        [[row[i] for row in rows] for i in range(len(columns))],
    )


_PUT: dict[type, Callable[[Connection, Sequence[Any]], None]] = {
    Run: _put_runs,
    Sweep: _put_sweeps,
    Law: _put_laws,
    SavedForecast: _put_forecasts,
    Outcome: _put_outcomes,
}
