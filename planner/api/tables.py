"""Tables as Python has them, written as the file that the readers check: one reader for files and frames."""

import json
import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from laws.errors import InputError, PlannerError


@contextmanager
def as_file(table: Any) -> Iterator[Path]:
    """Give the path of a table while the block runs.

    Args:
        table: A path; or a pandas, polars or pyarrow table; or a mapping of column name to values.

    Yields:
        The path itself, or that of a temporary JSONL file with the same cells.

    Raises:
        InputError: The table is none of these, or its columns differ in length.
    """
    if isinstance(table, str | Path):
        yield Path(table)
        return
    columns = _columns(table)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.jsonl"
        names = list(columns)
        rows = zip(*columns.values(), strict=True)
        path.write_text(
            "".join(json.dumps(dict(zip(names, row, strict=True)), default=str) + "\n" for row in rows),
            encoding="utf-8",
        )
        try:
            yield path
        except PlannerError as error:  # it names a file that the caller never saw
            error.message = error.message.replace(str(path), "the table").replace(path.name, "the table")
            error.args = (error.message, *error.args[1:])
            raise


def _columns(table: Any) -> dict[str, list[Any]]:
    if isinstance(table, Mapping):
        named = {str(name): values for name, values in table.items()}
    elif hasattr(table, "to_pydict"):  # pyarrow
        named = table.to_pydict()
    elif hasattr(table, "columns"):  # pandas, polars
        named = {str(name): table[name] for name in table.columns}
    else:
        raise InputError(
            f"a {type(table).__name__} was given: expected a path, a pandas, polars or pyarrow table, or a "
            "mapping of column name to values",
            code="not-a-table",
        )
    columns = {name: [_cell(value) for value in _values(values)] for name, values in named.items()}
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{name!r} has {n}" for name, n in lengths.items())
        raise InputError(f"the columns differ in length: {counts}", code="ragged-table")
    return columns


def _values(values: Any) -> Sequence[Any]:
    for method in ("tolist", "to_list"):  # numpy and pandas; polars
        if hasattr(values, method):
            plain: Sequence[Any] = getattr(values, method)()
            return plain
    return list(values)


def _cell(value: Any) -> Any:
    """Return a cell as JSON has it; None for a missing one."""
    if hasattr(value, "item"):  # a scalar of numpy
        value = value.item()
    if type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and math.isnan(value)):
        return None
    return value if isinstance(value, bool | int | float | str | None) else str(value)
