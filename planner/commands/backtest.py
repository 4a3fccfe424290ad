"""`planner backtest`: what a law would have forecast for the largest scales, had it not seen them."""

from typing import Annotated

import typer

from planner.commands.groups import grouped
from planner.commands.options import FormatOption, StoreOption, existing_store
from planner.commands.table_options import ColumnOptions, MetricTermsOptions, RunChoiceOptions, TableOptions
from planner.reports.formats import Format


@grouped
def backtest(
    *,
    source: Annotated[
        list[str] | None,
        typer.Argument(
            help="Runs as `planner fit` reads them, or the id of a law in the store.",
        ),
    ] = None,
    table: TableOptions,
    leave_out: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Leave out the N largest data sizes, or runs by compute of a joint law. Default: 30%.",
        ),
    ] = None,
    metric: Annotated[
        str | None, typer.Option(help="What was measured. Default: the only one that a column names.")
    ] = None,
    data_unit: Annotated[
        str | None,
        typer.Option(help="What data is counted in. Default: the one that a column or the points name."),
    ] = None,
    metric_unit: Annotated[
        str | None, typer.Option(help="Unit of the metric. Default: fraction for error rates.")
    ] = None,
    form: Annotated[
        str, typer.Option(help="auto, forecast, power, power-floor, three-phase, broken or surface.")
    ] = "auto",
    columns: ColumnOptions,
    terms: MetricTermsOptions,
    choice: RunChoiceOptions,
    test_size: Annotated[
        str | None, typer.Option(metavar="N", help="Number of test examples, or a column of them.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the sampler.")] = 0,
    store: StoreOption = None,
    style: FormatOption = Format.table,
) -> None:
    """Test a law on its largest scales.

    Fits it without them, and shows its forecast next to what was measured. Nothing is stored.
    """
    from dataclasses import asdict
    from pathlib import Path

    from planner.lawmodel.selector import LawSelector
    from planner.plans.backtest import backtest_source, backtest_stored
    from planner.reports.backtest import record, report
    from planner.reports.report import show
    from planner.reports.waiting import waiting
    from planner.sources.fit import Request
    from planner.sources.subject import metric_of_headings, names_of_tables, unit_of_headings
    from planner.sources.tables import unit_of_points
    from planner.sources.tracked_table import run_choice

    points, words = tuple(table.point or ()), tuple(source or ())
    if bool(words) == bool(points):
        given = "both" if words else "neither"
        raise typer.BadParameter(f"expected runs, the id of a law, or --point DATA=VALUE, got {given}")
    paths = tuple(Path(word) for word in words)
    if len(words) == 1 and _is_id(words[0]) and not paths[0].exists():
        with waiting() as progress:
            progress("fitting")
            tested = backtest_stored(
                LawSelector(law=words[0]), existing_store(store), seed=seed, leave_out=leave_out
            )
        show(report(tested), [record(tested)], style)
        return
    names, by_role = names_of_tables(paths), columns.by_role()
    unit = data_unit or (unit_of_points(points) if points else unit_of_headings(names, by_role))
    request = Request(
        path=paths,
        points=points,
        data_total=table.data_total,
        decimal_comma=table.decimal_comma,
        domain="backtest",
        metric=metric or metric_of_headings(names, by_role),
        data_unit=unit,
        metric_unit=metric_unit,
        **asdict(terms),
        form=form,
        columns=by_role,
        choice=run_choice(**asdict(choice)),
        seed=seed,
        test_size=test_size,
    )
    with waiting() as progress:
        progress("fitting")
        tested = backtest_source(request, leave_out=leave_out)
    show(report(tested), [record(tested)], style)


def _is_id(word: str) -> bool:
    return 4 <= len(word) <= 16 and set(word) <= set("0123456789abcdef")
