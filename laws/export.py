"""Export a law to other tools: its posterior as netCDF that ArviZ opens, and as Parquet."""

import math
from pathlib import Path
from typing import Any

from laws.errors import FileError, MissingInput
from laws.storage.atomic_write import write_atomically
from laws.types import Law


def netcdf(law: Law, out: Path) -> None:
    """Write a law as ArviZ InferenceData: groups of netCDF-4 (https://python.arviz.org, schema of 2024).

    `posterior` has the samples of the parameters over (chain, draw): one chain with the stored samples of all
    walkers. A curve also has `predictions`, its paths as log_METRIC (log_error of a metric that
    rises) over (chain, draw, data), `observed_data` with the points it was fitted to, and their x in
    `constant_data`.

    Args:
        law: The law.
        out: The file; one that exists is replaced.

    Raises:
        MissingInput: h5netcdf is not installed.
        OSError: The file cannot be written.
    """
    try:
        import h5netcdf
    except ImportError:
        raise MissingInput(
            "netCDF needs another library: pip install 'scaling-planner[netcdf]'", code="missing-library"
        ) from None

    def write(path: Path) -> None:
        with h5netcdf.File(path, "w") as file:
            file.attrs.update(_facts(law))
            draws = len(next(iter(law.parameters.values())))
            posterior = _group(file, "posterior", {"chain": [0], "draw": range(draws)})
            for name, values in law.parameters.items():
                _variable(posterior, name, ("chain", "draw"), [values], law.definitions.get(name))
            if not law.paths:
                return
            data = [math.exp(x) for x in law.grid]
            paths = _group(file, "predictions", {"chain": [0], "draw": range(len(law.paths)), "data": data})
            rises = law.metric_ceiling is not None
            modeled = f"{law.metric_ceiling:g} - {law.metric}" if rises else law.metric
            meaning = f"logarithm of {modeled} ({law.metric_unit}), noise left out; data in {law.x_unit}"
            _variable(
                paths,
                f"log_{'error' if rises else _plain(law.metric)}",
                ("chain", "draw", "data"),
                [law.paths],
                meaning,
            )
            if law.points:
                points = {"point": range(len(law.points["y"]))}
                observed, constant = (
                    _group(file, name, points) for name in ("observed_data", "constant_data")
                )
                values = law.points["y"]
                if law.metric_ceiling is not None:
                    values = tuple(law.metric_ceiling - y for y in values)
                _variable(observed, _plain(law.metric), ("point",), values, law.metric_unit)
                for name in law.points.keys() - {"y"}:
                    _variable(constant, name, ("point",), law.points[name], None)

    write_atomically(out, write)


def parquet(law: Law, out: Path) -> None:
    """Write the posterior samples of a law as Parquet, one row per sample, with the facts of the law as
    metadata.

    Args:
        law: The law.
        out: The file; one that exists is replaced.

    Raises:
        FileError: The file cannot be written.
        OSError: The folder cannot be written.
    """
    import duckdb

    def write(path: Path) -> None:
        columns = ", ".join(f"unnest(?::double[]) as {_quoted(name, chr(34))}" for name in law.parameters)
        facts = ", ".join(f"{_quoted(name)}: {_quoted(text)}" for name, text in _facts(law).items())
        with duckdb.connect() as connection:
            connection.execute(
                f"create table draws as select {columns}",
                [list(values) for values in law.parameters.values()],
            )
            options = f"format parquet, compression zstd, kv_metadata {{{facts}}}"
            connection.execute(f"copy draws to {_quoted(str(path))} ({options})")

    try:
        write_atomically(out, write)
    except duckdb.Error as error:
        raise FileError(
            f"cannot write {out}: {' '.join(str(error).split())}", code="unwritable-file", value=str(out)
        ) from error


def _facts(law: Law) -> dict[str, str]:
    names = ("id", "created", "source", "domain", "family", "metric", "metric_unit", "x", "x_unit", "form")
    forms = {f"weight of {name}": f"{weight:.6g}" for name, weight in law.forms.items()}
    ceiling = {} if law.metric_ceiling is None else {"metric_ceiling": f"{law.metric_ceiling:g}"}
    facts = {name: getattr(law, name) for name in names}
    return facts | ceiling | forms | {"warnings": " ".join(law.warnings)}


def _group(file: Any, name: str, coordinates: dict[str, Any]) -> Any:
    group = file.create_group(name)
    group.dimensions = {dimension: len(values) for dimension, values in coordinates.items()}
    for dimension, values in coordinates.items():
        _variable(group, dimension, (dimension,), list(values), None)
    return group


def _variable(group: Any, name: str, dimensions: tuple[str, ...], values: Any, meaning: str | None) -> None:
    import numpy as np

    array = np.asarray(values)
    variable = group.create_variable(name, dimensions, array.dtype, data=array)
    if meaning:
        variable.attrs["description"] = meaning


def _plain(name: str) -> str:
    return name.replace("/", "_")  # a slash would open another group


def _quoted(text: str, mark: str = "'") -> str:
    return mark + text.replace(mark, 2 * mark) + mark
