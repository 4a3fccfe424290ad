"""Define the tables of the index and the numbered steps that bring an older index up to date.

A step is never edited once released: a change is a new step. After any step every file is read again, so a
new column is filled from the files and no step has to move data.
"""

import duckdb

# Readable by DuckDB 1.4 and everything newer.
STORAGE = "v1.4.0"

ORDERED = (
    "sweeps",
    "laws",
    "forecasts",
    "outcomes",
)  # tables whose rows have a place in the order of the store

STEPS: tuple[tuple[str, ...], ...] = (
    (
        "create table files (name varchar, size bigint, modified bigint, problem varchar)",
        """create table sweeps (
            id varchar, created varchar, domain varchar, preset varchar, seed bigint, planned bigint,
            runs varchar[], fingerprint varchar, device varchar, code varchar, ladder varchar,
            settings varchar
        )""",
        """create table runs (
            id varchar, attempt integer, status varchar, reason varchar, sweep varchar, domain varchar,
            family varchar, optimizer varchar, data double, data_unit varchar, params bigint, flops double,
            samples double, metrics varchar, seconds double, device varchar, seed bigint, hyper varchar,
            code varchar, fingerprint varchar, created varchar
        )""",
        """create table laws (
            id varchar, created varchar, source varchar, domain varchar, family varchar, metric varchar,
            metric_unit varchar, x varchar, x_unit varchar, form varchar, x_low double, x_high double,
            n_points bigint, runs varchar[], warnings varchar[]
        )""",
        "create table draws (law varchar, parameter varchar, draws float[])",
        "create table diagnostics (law varchar, name varchar, value double)",
        "create table provenance (record varchar, kind varchar, name varchar, value varchar)",
    ),
    (
        """create table forecasts (
            id varchar, created varchar, day varchar, name varchar, question varchar, given varchar,
            source varchar, law varchar, domain varchar, family varchar, metric varchar, metric_unit varchar,
            probability double, seed bigint, code varchar, warnings varchar[]
        )""",
        """create table forecast_quantities (
            forecast varchar, quantity varchar, unit varchar, spread boolean, q05 double, q25 double,
            median double, q75 double, q95 double
        )""",
        """create table outcomes (
            id varchar, created varchar, forecast varchar, day varchar, happened varchar, note varchar,
            replaces varchar
        )""",
    ),
    tuple(f"alter table {table} add column sequence bigint" for table in ORDERED),
    tuple(f"alter table {table} add column metric_ceiling double" for table in ("laws", "forecasts")),
)


def version(connection: duckdb.DuckDBPyConnection) -> int:
    """Return how many steps an index has taken.

    Args:
        connection: An open index.

    Returns:
        The number of the last step; 0 for an empty database.
    """
    try:
        rows = connection.execute("select coalesce(max(step), 0) from schema_steps").fetchall()
    except duckdb.CatalogException:
        return 0
    return int(rows[0][0])


def migrate(connection: duckdb.DuckDBPyConnection) -> bool:
    """Run the missing steps, each in its own transaction.

    Args:
        connection: An index that is open for writing.

    Returns:
        Whether any step was missing.
    """
    done = version(connection)
    if done == len(STEPS):
        return False
    if done == 0:
        connection.execute("create table schema_steps (step integer not null)")
    for number, statements in enumerate(STEPS[done:], start=done + 1):
        connection.execute("begin")
        for statement in statements:
            connection.execute(statement)
        connection.execute("insert into schema_steps values (?)", [number])
        connection.execute("delete from files")
        connection.execute("commit")
        connection.execute("checkpoint")  # keeps table definitions out of the write-ahead log
    return True
