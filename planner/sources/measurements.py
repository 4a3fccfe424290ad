"""The finished trainings of a table or a tracker's store, and which of its rows are not among them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from planner.sources.tracked_table import left_out_sentence

MAX_ROWS_NAMED = 10  # of the rows that were left out


@dataclass(frozen=True, kw_only=True)
class Measurements:
    """The finished trainings of one table, in base units; a column that the table lacks is None.

    Attributes:
        path: The file.
        fingerprint: SHA-256 of its bytes.
        data: Data size of each training, in the data unit.
        metric: Error or loss of each training.
        params: Parameters of each model.
        se: Standard error of each metric.
        seed: Seed of each training, as written.
        samples: Data seen in training, repeats counted, in the data unit.
        flops: FLOP of each training.
        gpu_hours: Hours of all devices together.
        device: Name of the accelerator, as written.
        train: The metric on the training data.
        test_size: Number of test examples behind each metric.
        columns: Role -> name of the column that was read for it.
        row_names: Names of the trainings, for messages: their rows, or their runs in a tracker's store.
        left_out_rows: Reason -> rows of a table that were left out, as an editor numbers them.
        notes: How headings and columns were read, in sentences.
        excluded: Reason -> number of a tracker's runs that were left out.
    """

    path: Path
    fingerprint: str
    data: tuple[float, ...]
    metric: tuple[float, ...]
    params: tuple[float, ...] | None = None
    se: tuple[float, ...] | None = None
    seed: tuple[str, ...] | None = None
    samples: tuple[float, ...] | None = None
    flops: tuple[float, ...] | None = None
    gpu_hours: tuple[float, ...] | None = None
    device: tuple[str, ...] | None = None
    train: tuple[float, ...] | None = None
    test_size: tuple[float, ...] | None = None
    columns: Mapping[str, str]
    row_names: tuple[str, ...] = ()
    left_out_rows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    excluded: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of measured trainings."""
        return len(self.data)

    @property
    def left_out(self) -> str:
        """Return which rows were left out, as a sentence; "" where all were read."""
        if self.excluded:
            return left_out_sentence(self.excluded, len(self))
        count = sum(map(len, self.left_out_rows.values()))
        if not count:
            return ""
        of = f"of {count + len(self)} rows"
        was = "was" if count == 1 else "were"
        if len(self.left_out_rows) == 1:
            ((reason, rows),) = self.left_out_rows.items()
            return f"{count} {of} {_phrase(reason, count)} and {was} left out: {_numbered(rows)}."
        reasons = "; ".join(
            f"{len(rows)} {_phrase(reason, len(rows))} ({_numbered(rows)})"
            for reason, rows in self.left_out_rows.items()
        )
        return f"{count} {of} were left out: {reasons}."

    def cell_name(self, i: int, role: str) -> str:
        """Return which cell a value was read from.

        Args:
            i: Index of the training, from 0.
            role: What the column is for, such as "metric".

        Returns:
            The file, row and column, such as "runs.csv row 3, column 'wer'".
        """
        return f"{self.row_names[i]}, column {self.columns[role]!r}"


def _phrase(reason: str, count: int) -> str:
    """Return a reason that begins with "has" for one row or several."""
    return f"have{reason.removeprefix('has')}" if count > 1 and reason.startswith("has ") else reason


def _numbered(rows: Sequence[str]) -> str:
    named = ", ".join(rows[:MAX_ROWS_NAMED]) + (", ..." if len(rows) > MAX_ROWS_NAMED else "")
    if not rows[0].isdigit():  # a row that says which file it is of
        return named
    return f"row{'s' if len(rows) > 1 else ''} {named}"
