"""`planner check`: whether training runs fall on the expected learning curve."""

from typing import Annotated

import typer

from planner.commands.groups import LawOptions, grouped
from planner.commands.options import (
    FormatOption,
    MetricColumnOption,
    ParamsColumnOption,
    RunsArgument,
    SamplesColumnOption,
    StoreOption,
    existing_store,
)
from planner.commands.table_options import RunChoiceOptions
from planner.reports.formats import Format


@grouped
def check(
    *,
    runs: RunsArgument,
    laws: LawOptions,
    data_column: Annotated[
        str | None, typer.Option(help="Column of the data size. Default: the law's unit of data.")
    ] = None,
    metric_column: MetricColumnOption = None,
    params_column: ParamsColumnOption = None,
    samples_column: SamplesColumnOption = None,
    train_column: Annotated[
        str | None, typer.Option(help="Column of the metric on training data. Default: train_METRIC.")
    ] = None,
    choice: RunChoiceOptions,
    store: StoreOption = None,
    style: FormatOption = Format.table,
) -> None:
    """Check whether training runs fall on the expected curve.

    Reports how surprising each run is, and the likely cause.
    """
    from dataclasses import asdict

    from planner.plans.check import check as run
    from planner.reports.check import records, report
    from planner.reports.report import show
    from planner.sources.tracked_table import run_choice

    columns = {
        "data": data_column,
        "metric": metric_column,
        "params": params_column,
        "samples": samples_column,
        "train": train_column,
    }
    checked = run(
        runs,
        laws.selector(),
        existing_store(store, source=laws.source),
        columns,
        run_choice(**asdict(choice)),
    )
    show(report(checked), records(checked), style)
