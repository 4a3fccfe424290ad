"""Back-test a table: what its law would have forecast for its largest scales, had it not seen them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from planner.api.tables import as_file
from planner.api.text import as_html, as_text
from planner.plans.backtest import TestedLaw


class Backtest:
    """Forecasts of the largest scales next to what was measured there."""

    def __init__(self, tested: TestedLaw) -> None:
        """Hold a back-test."""
        self._tested = tested

    @property
    def within_90(self) -> float:
        """Return the share of measurements inside their 90% intervals, from 0 to 1."""
        return self._tested.result.coverage

    @property
    def bias(self) -> float:
        """Return the median of log (measured error / median of the forecast)."""
        return self._tested.result.bias

    @property
    def interval_score(self) -> float:
        """Return the mean score of the 90% intervals of the log error; less is better."""
        return self._tested.result.interval_score

    @property
    def rmsle(self) -> dict[str, float]:
        """Return the root mean squared log error of the law and of the plain lines, by form."""
        return self._tested.result.rmsle

    def to_dict(self) -> dict[str, Any]:
        """Return what `planner backtest --format json` prints."""
        from planner.reports.backtest import record

        return record(self._tested)

    def to_frame(self) -> Any:
        """Return a pandas DataFrame, one row per measurement: data, params, measured, q05, median, q95."""
        import pandas as pd

        rows = self.to_dict()["rows"]
        return pd.DataFrame(
            [{name: row[name] for name in ("data", "params", "measured")} | row["forecast"] for row in rows]
        )

    def _table(self) -> tuple[str, tuple[str, ...], list[tuple[str, ...]]]:
        from planner.reports.backtest import report

        shown = report(self._tested)
        return shown.title, shown.columns, [*shown.rows]

    def __repr__(self) -> str:
        """Return a table of the measurements and their forecasts."""
        return as_text(*self._table())

    def _repr_html_(self) -> str:
        return as_html(*self._table())


def backtest(
    table: Any,
    *,
    x: str,
    y: str,
    leave_out: int | None = None,
    data_unit: str | None = None,
    metric: str | None = None,
    metric_unit: str | None = None,
    form: str = "auto",
    columns: Mapping[str, str] | None = None,
    higher_is_better: bool | None = None,
    seed: int = 0,
) -> Backtest:
    """Fit a table without its largest scales, and forecast those, as `planner backtest` does.

    Args:
        table: A path (also of a tracker's store), a pandas, polars or pyarrow table, or a mapping of column
            name to values; one row per training.
        x: Column of the data size.
        y: Column of the metric.
        leave_out: How many of the largest data sizes are left out; by default 30%.
        data_unit: What data is counted in; by default what the heading `x` names.
        metric: Name of the metric; by default what the heading `y` names.
        metric_unit: Unit of the metric; by default fraction for error rates.
        form: `auto`, or one of the forms that `fit` takes.
        columns: Role -> column: `params`, `se`, `seed`.
        higher_is_better: Whether the metric rises with data; by default as its name says.
        seed: Seed of the sampler: the same table and seed give the same answer.

    Returns:
        The forecasts with what was measured.

    Raises:
        InputError: An argument cannot be used, or too few sizes are left.
        TableError: The table, a column or a cell cannot be read.
        LawError: Sampling did not converge.

    Example:
        >>> table = {"hours": [100, 200, 400, 800, 1600], "wer": [0.3, 0.24, 0.2, 0.165, 0.14]}
        >>> backtest(table, x="hours", y="wer").within_90
        1.0
    """
    from planner.plans.backtest import backtest_source
    from planner.sources.fit import Request
    from planner.sources.subject import named_by

    named_metric, named_unit = named_by(x, y)
    with as_file(table) as path:
        request = Request(
            path=Path(path),
            domain="backtest",
            metric=metric or named_metric,
            data_unit=data_unit or named_unit,
            metric_unit=metric_unit,
            form=form,
            columns={**dict(columns or {}), "data": x, "metric": y},
            higher_is_better=higher_is_better,
            seed=seed,
        )
        tested = backtest_source(request, leave_out=leave_out)
    is_file = isinstance(table, str | Path)
    return Backtest(tested if is_file else tested._replace(title="the table"))
