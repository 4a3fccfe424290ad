"""`planner check`: do runs lie on their curve?"""

from typing import Annotated

import typer

from planner.commands.options import (
    DomainOption,
    FamilyOption,
    FormatOption,
    LawOption,
    MetricColumnOption,
    MetricOption,
    ParamsColumnOption,
    RunsArgument,
    SourceOption,
    StoreOption,
    store_folder,
)
from planner.pages.formats import Format


def check(
    *,
    runs: RunsArgument,
    domain: DomainOption = None,
    metric: MetricOption = None,
    family: FamilyOption = None,
    law: LawOption = None,
    data_column: Annotated[
        str | None, typer.Option(help="Column of the data size. Default: the law's unit of data.")
    ] = None,
    metric_column: MetricColumnOption = None,
    params_column: ParamsColumnOption = None,
    samples_column: Annotated[
        str | None, typer.Option(help="Column of the data seen, repeats counted. Default: samples.")
    ] = None,
    train_column: Annotated[
        str | None, typer.Option(help="Column of the metric on training data. Default: train_METRIC.")
    ] = None,
    source: SourceOption = None,
    store: StoreOption = None,
    style: FormatOption = Format.table,
) -> None:
    """Hold trainings against their law: how surprising each is, and what is likely wrong with it.

    For example: planner check new-runs.csv --domain speech --metric wer
    """
    from planner.measuring.checking import check as run
    from planner.pages.checking import records, sheet
    from planner.pages.render import show
    from planner.reading.choice import Choice

    columns = {
        "data": data_column,
        "metric": metric_column,
        "params": params_column,
        "samples": samples_column,
        "train": train_column,
    }
    choice = Choice(metric=metric, domain=domain, family=family, source=source, law=law)
    found = run(runs, choice, store_folder(store), columns)
    show(sheet(found), records(found), style)
