"""The DuckDB side of the store: records to rows and rows to answers. All SQL but the tables is here."""

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

Connection = duckdb.DuckDBPyConnection
_CONFIG: dict[str, Any] = {
    "storage_compatibility_version": schema.STORAGE,
    "autoinstall_known_extensions": False,  # nothing is ever fetched from a network
    "autoload_known_extensions": False,
}
_RUN = tuple(field.name for field in dataclasses.fields(Run) if field.name != "rungs")
_JSON = ("metrics", "hyper")  # columns of a run that hold a JSON object
_LAW = tuple(field.name for field in dataclasses.fields(LawRow) if field.name != "x_range")
_FORECAST = tuple(field.name for field in dataclasses.fields(SavedForecastRow) if field.name != "quantities")
_OUTCOME = tuple(field.name for field in dataclasses.fields(Outcome))
_OUTCOME_COLUMNS = tuple("happened" if name == "observed" else name for name in _OUTCOME)


def connect(path: Path, *, read_only: bool) -> Connection:
    """Open an index; the caller closes it."""
    return duckdb.connect(str(path), read_only=read_only, config=_CONFIG)


def known_files(connection: Connection) -> dict[str, tuple[int, int]]:
    """Return name -> (bytes, time of change) of every file that was read into the index or found unusable."""
    rows = connection.execute("select name, size, modified from files").fetchall()
    return {name: (size, modified) for name, size, modified in rows}


def changed_files(
    connection: Connection, files: Sequence[tuple[str, int, int]]
) -> list[tuple[str, int, int]]:
    """Return those of some files (name, bytes, time of change) that the index does not know as they are."""
    return connection.execute(
        """select * from (select unnest(?::varchar[]) as name, unnest(?::bigint[]) as size,
                                 unnest(?::bigint[]) as modified) as found
           anti join files using (name, size, modified) order by name""",
        [[file[i] for file in files] for i in range(3)],
    ).fetchall()


def unusable_files(connection: Connection) -> dict[str, str]:
    """Return name -> why of every file that could not be read into the index."""
    return dict(
        connection.execute(
            "select name, problem from files where problem is not null order by name"
        ).fetchall()
    )


def forget_files(connection: Connection, names: Iterable[str]) -> None:
    """Take the notes on files that are gone and had not been of use."""
    connection.execute("delete from files where list_contains(?::varchar[], name)", [list(names)])


def note_files(connection: Connection, rows: Sequence[tuple[str, int, int, str | None]]) -> None:
    """Note name, bytes, time of change and problem (None: it is in the index) of files that were read."""
    connection.execute(
        "delete from files where list_contains(?::varchar[], name)", [[row[0] for row in rows]]
    )
    _insert(connection, "files", ("name", "size", "modified", "problem"), rows)


def put(connection: Connection, kind: type, found: Sequence[Any]) -> None:
    """Add records of one kind, or replace those with the same id."""
    _PUT[kind](connection, found)


def runs(
    connection: Connection, domain: str | None, sweep: str | None, status: RunStatus | None
) -> list[Run]:
    """Return attempts by time; a sweep's are those it trained and those it planned and found done."""
    rows = connection.execute(
        f"""select {", ".join(_RUN)} from runs
            where ($domain is null or domain = $domain)
              and ($status is null or status = $status)
              and ($sweep is null or sweep = $sweep
                   or id in (select unnest(sweeps.runs) from sweeps where sweeps.id = $sweep))
            order by created, id, attempt""",  # noqa: S608 - the columns are the fields of Run
        {"domain": domain, "sweep": sweep, "status": status},
    ).fetchall()
    found = (dict(zip(_RUN, row, strict=True)) for row in rows)
    return [Run(**{**run, **{name: json.loads(run[name]) for name in _JSON}}) for run in found]


def sweeps(connection: Connection, domain: str | None) -> list[Sweep]:
    """Return sweeps, newest first."""
    columns = (
        "id", "created", "domain", "preset", "seed", "planned", "runs", "fingerprint", "device", "code",
        "ladder", "settings",
    )  # fmt: skip
    rows = connection.execute(
        f"""select {", ".join(columns)} from sweeps where $domain is null or domain = $domain
            order by created desc, id""",  # noqa: S608 - the columns are written above
        {"domain": domain},
    ).fetchall()
    found = []
    for row in rows:
        sweep = dict(zip(columns, row, strict=True))
        ladder = json.loads(sweep.pop("ladder"))
        found.append(
            Sweep(
                **{**sweep, "runs": tuple(sweep["runs"]), "settings": json.loads(sweep["settings"])},
                ladder={
                    family: tuple(SizeCost(**rung) for rung in rungs) for family, rungs in ladder.items()
                },
                definitions=_definitions(connection, sweep["id"]),
            )
        )
    return found


def laws(connection: Connection) -> list[LawRow]:
    """Return laws without draws, newest first."""
    rows = connection.execute(
        f"select {', '.join(_LAW)}, x_low, x_high from laws order by created desc, id"  # noqa: S608 - fields of LawRow
    ).fetchall()
    return [
        LawRow(**dict(zip(_LAW, row, strict=False)), x_range=(row[-2], row[-1]))
        for row in ((*row[:-3], tuple(row[-3]), *row[-2:]) for row in rows)
    ]


def forecasts(connection: Connection, domain: str | None) -> list[SavedForecastRow]:
    """Return forecasts with intervals in place of draws, newest first."""
    rows = connection.execute(
        f"""select {", ".join(_FORECAST)} from forecasts where $domain is null or domain = $domain
            order by day desc, created desc, id""",  # noqa: S608 - the columns are the fields of KeptForecastRow
        {"domain": domain},
    ).fetchall()
    quantities: dict[str, dict[str, Interval]] = {}
    for id, name, unit, low, middle, high in connection.execute(
        """select forecast, quantity, unit, q05, median, q95 from forecast_quantities
           order by forecast, quantity"""
    ).fetchall():
        quantities.setdefault(id, {})[name] = Interval(q05=low, median=middle, q95=high, unit=unit)
    found = (dict(zip(_FORECAST, row, strict=True)) for row in rows)
    return [
        SavedForecastRow(
            **{**row, "given": json.loads(row["given"]), "warnings": tuple(row["warnings"])},
            quantities=quantities.get(row["id"], {}),
        )
        for row in found
    ]


def outcomes(connection: Connection) -> list[Outcome]:
    """Return outcomes in the order of their days, those that were replaced among them."""
    rows = connection.execute(
        f"select {', '.join(_OUTCOME_COLUMNS)} from outcomes order by day, created, id"  # noqa: S608 - fields of Outcome
    ).fetchall()
    found = (dict(zip(_OUTCOME, row, strict=True)) for row in rows)
    return [Outcome(**{**row, "observed": json.loads(row["observed"])}) for row in found]


def differences(connection: Connection, other: Path) -> list[str]:
    """Return the tables whose rows differ between the open index and another one."""
    connection.execute(f"attach '{str(other).replace(chr(39), chr(39) * 2)}' as other (read_only)")
    names = (
        "sweeps", "runs", "laws", "draws", "diagnostics", "provenance", "forecasts", "forecast_quantities",
        "outcomes",
    )  # fmt: skip
    found = []
    for name in names:
        one_way, other_way = (
            connection.execute(
                f"select count(*) from (select * from {a}{name} except all select * from {b}{name})"  # noqa: S608
            ).fetchall()[0][0]
            for a, b in (("", "other."), ("other.", ""))
        )
        if one_way or other_way:
            found.append(name)
    connection.execute("detach other")
    return found


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
                {f: [dataclasses.asdict(rung) for rung in rungs] for f, rungs in sweep.ladder.items()}
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
        connection, [each.id for each in forecasts], {"forecasts": "id", "forecast_quantities": "forecast"}
    )
    plain = tuple(name for name in _FORECAST if name not in ("given", "warnings"))
    _insert(
        connection,
        "forecasts",
        (*plain, "seed", "code", "given", "warnings"),
        [
            (
                *(getattr(each, name) for name in (*plain, "seed", "code")),
                json.dumps(each.given),
                list(each.warnings),
            )
            for each in forecasts
        ],
    )
    _insert(
        connection,
        "forecast_quantities",
        ("forecast", "quantity", "unit", "spread", "q05", "q25", "median", "q75", "q95"),
        [
            (each.id, name, quantity.unit, quantity.spread, *_quantiles(quantity))
            for each in forecasts
            for name, quantity in each.quantities.items()
        ],
    )


def _quantiles(quantity: Quantity) -> list[float | None]:
    """Return five quantiles; none for what is infinite, nor, but for the median, where no spread is known."""
    found = [quantity.quantile(level) for level in (0.05, 0.25, 0.5, 0.75, 0.95)]
    shown = [value if math.isfinite(value) else None for value in found]
    return shown if quantity.spread else [None, None, shown[2], None, None]


def _put_outcomes(connection: Connection, outcomes: Sequence[Outcome]) -> None:
    """Add outcomes, or replace those with the same id."""
    _forget(connection, [each.id for each in outcomes], {"outcomes": "id"})
    rows = [
        tuple(json.dumps(each.observed) if name == "observed" else getattr(each, name) for name in _OUTCOME)
        for each in outcomes
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
