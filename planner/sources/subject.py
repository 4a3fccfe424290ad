"""What a table's headings say of it: one with `hours,wer` needs no --metric and no --data-unit.

Only headings that can mean nothing else count: `Train hours` or `num_tokens`, not `wall hours`; `val WER`,
not `train WER`. Everything else stays a question.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from laws.errors import MissingInput, use
from planner import units
from planner.metrics import known_metric
from planner.sources.column_roles import NAMES, listed
from planner.sources.headings import parse_heading
from planner.sources.table_file import read_names
from planner.sources.tables import STANDARD_INPUT, missing_data_unit
from planner.sources.tracked_table import is_tracked

DATA_UNITS = frozenset(
    {"hours", "tokens", "words", "characters", "images", "sentences", "examples", "utterances", "documents"}
)
_BESIDE_UNIT = frozenset(
    {"n", "num", "number", "of", "train", "training", "total", "audio", "speech", "data"}
)
_BESIDE_METRIC = frozenset({"val", "valid", "validation", "dev", "test", "eval", "final", "best"})


def names_of_tables(paths: Sequence[Path]) -> tuple[str, ...]:
    """Return the columns of some tables.

    Args:
        paths: Files; of a pipe or the store of a tracker nothing is read.

    Returns:
        The columns of all files, in order.

    Raises:
        TableError: A file cannot be read.
    """
    files = [
        path for path in paths if str(path) != STANDARD_INPUT and path.is_file() and not is_tracked(path)
    ]
    return tuple(dict.fromkeys(name for path in files for name in read_names(path)))


def metric_of_headings(names: Sequence[str], columns: Mapping[str, str | None]) -> str:
    """Return the metric that headings name.

    Args:
        names: The columns.
        columns: Role -> the column that you named; None for the usual names.

    Returns:
        Such as "WER" of "val WER (%)".

    Raises:
        MissingInput: No heading names a metric, or several do ("missing-metric").
    """
    headings = _headings(names, columns.get("metric"))
    metrics = list(dict.fromkeys(metric for name in headings if (metric := metric_of(name))))
    if len(metrics) == 1:
        return metrics[0]
    raise MissingInput(
        f"metric: expected the name of what was measured, got {listed(metrics or names) or 'none'}",
        code="missing-metric",
        hint=use("metric", value=metrics[0] if metrics else "wer", purpose="to name it"),
    )


def unit_of_headings(names: Sequence[str], columns: Mapping[str, str | None]) -> str:
    """Return the unit of data that headings name.

    Args:
        names: The columns.
        columns: Role -> the column that you named; None for the usual names.

    Returns:
        Such as "hours" of "Train hours", or "tokens" of "tokens (B)".

    Raises:
        MissingInput: No heading names one, or several do ("missing-data-unit").
    """
    typed = columns.get("data")
    # a column by another usual name may be the data: then an `hours` next to it is something else
    other = typed is None and any(parse_heading(name).name.lower() in NAMES["data"] for name in names)
    found = {unit for name in _headings(names, typed) if (unit := unit_of(name))}
    if other or len(found) != 1:
        raise missing_data_unit()
    return found.pop()


def _headings(names: Sequence[str], typed: str | None) -> Iterable[str]:
    return names if typed is None else (typed,)


def metric_of(name: str) -> str:
    """Return the metric that a heading names.

    Args:
        name: The heading, also as a tracker names it.

    Returns:
        The metric; "" where it is none, or not clearly one of the finished training.
    """
    text = parse_heading(_last_part(name)).name.strip()
    words = text.replace("/", " ").replace("_", " ").split()
    while len(words) > 1 and words[0].lower() in _BESIDE_METRIC:
        text = text[len(words.pop(0)) :].lstrip(" _/")
    return text if len(words) == 1 and known_metric(text) else ""


def unit_of(name: str) -> str:
    """Return the unit of data that a heading names.

    Args:
        name: The heading, also as a tracker names it.

    Returns:
        The unit; "" where the heading may mean something else.
    """
    words = [units.unit_of_data(word) for word in parse_heading(_last_part(name)).words]
    named = [word for word in words if word in DATA_UNITS]
    return named[0] if len(named) == 1 and {*words} <= {*named, *_BESIDE_UNIT} else ""


def _last_part(name: str) -> str:
    """Return what a tracker's column is about: "test_wer" of `metrics.test_wer`."""
    return name.rsplit(".", 1)[-1]


def named_by(x: str, y: str) -> tuple[str, str]:
    """Return the metric and the unit of data that two headings name.

    Args:
        x: Heading of the data size.
        y: Heading of the metric.

    Returns:
        Such as "acc" and "images" of "val acc (%)" and "# images"; a heading that names none is its own name.
    """
    return metric_of(y) or y, unit_of(x) or x
