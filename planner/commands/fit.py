"""`planner fit`: fit laws to trainings that were measured elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from planner.commands.groups import grouped
from planner.commands.options import (
    STORE_VARIABLE,
    ExplainOption,
    FormatOption,
    StoreOption,
    named,
    store_folder,
)
from planner.commands.table_options import (
    ColumnOptions,
    MetricTermsOptions,
    RunChoiceOptions,
    SubjectOptions,
    TableOptions,
)
from planner.reports.formats import Format


@grouped
def fit(
    *,
    runs: Annotated[
        list[Path] | None,
        typer.Argument(
            help="CSV, TSV, JSONL or Parquet with one row per finished training, or - for a pipe; several "
            "files are one table. Or the runs of MLflow, W&B, TensorBoard or Optuna where they are.",
        ),
    ] = None,
    table: TableOptions,
    subject: SubjectOptions,
    form: Annotated[
        str,
        typer.Option(
            help="auto: a forecast and the best single form. Or only one of forecast, power, power-floor, "
            "three-phase, broken and surface (docs/concepts/laws.md)."
        ),
    ] = "auto",
    columns: ColumnOptions,
    terms: MetricTermsOptions,
    choice: RunChoiceOptions,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the sampler: the same seed gives the same law.")
    ] = 0,
    pool: Annotated[
        bool,
        typer.Option(
            "--pool", help="Weight the functional forms with the domain's other curves in the store too."
        ),
    ] = False,
    baseline_error: Annotated[
        str | None,
        typer.Option(
            help="Error of chance-level answers: 99.9% for 1,000 classes, 100% for WER. Helps extrapolate "
            "curves that have only just started to improve."
        ),
    ] = None,
    test_size: Annotated[
        str | None,
        typer.Option(
            metavar="N",
            help="Number of test examples, or a column of them: gives the noise of a rate, e.g. 10k.",
        ),
    ] = None,
    peak_flops: Annotated[
        str | None,
        typer.Option(
            metavar="FLOP/s",
            help="Dense peak of devices that `planner accelerators list` lacks, e.g. 4e14: GPU-hours on "
            "them become FLOP.",
        ),
    ] = None,
    store: StoreOption = None,
    explain: ExplainOption = False,
    style: FormatOption = Format.table,
) -> None:
    """Fit laws to trainings that you measured elsewhere.

    Stores them, so that `planner estimate` can use them.
    """
    from dataclasses import asdict, replace

    from planner.reports.fit import about_file, records, report
    from planner.reports.fit_brief import brief
    from planner.reports.report import show
    from planner.reports.waiting import waiting
    from planner.sources.fit import Request, fit_file
    from planner.sources.tracked_table import run_choice

    if runs:
        from planner.sources.tables import expanded

        runs = expanded(runs)
    points = tuple(table.point or ())
    if bool(runs) == bool(points):
        given = "both" if runs else "neither"
        raise typer.BadParameter(f"expected a file of runs or --point DATA=VALUE, got {given}")
    if subject.metric is None or subject.data_unit is None:
        from planner.sources.subject import metric_of_headings, names_of_tables, unit_of_headings
        from planner.sources.tables import unit_of_amounts, unit_of_points

        names, by_role = names_of_tables(runs or ()), columns.by_role()
        if subject.data_unit is None:
            if points:
                unit = unit_of_points(points)
            elif table.data_total is not None:
                unit = unit_of_amounts([table.data_total])
            else:
                unit = unit_of_headings(names, by_role)
            subject = replace(subject, data_unit=unit)
        subject = replace(subject, metric=subject.metric or metric_of_headings(names, by_role))
    request = Request(
        path=tuple(runs or ()),
        points=points,
        data_total=table.data_total,
        decimal_comma=table.decimal_comma,
        **asdict(subject),
        **asdict(terms),
        form=form,
        columns=columns.by_role(),
        choice=run_choice(**asdict(choice)),
        seed=seed,
        pool=pool,
        baseline_error=baseline_error,
        test_size=test_size,
        peak_flops=peak_flops,
    )
    with waiting() as progress:
        laws = fit_file(request, store_folder(store), progress=progress)
    page = (
        report(laws)
        if explain
        else brief(laws, notes=about_file(laws[0]), store=named(store, STORE_VARIABLE))
    )
    show(page, records(laws), style)
