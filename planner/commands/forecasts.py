"""`planner forecasts`, `planner outcome` and `planner track-record`: was the last plan right."""

from datetime import date
from typing import Annotated

import typer

from planner.commands.options import DomainOption, FormatOption, StoreOption, day, existing_store
from planner.reports.formats import Format

app = typer.Typer(no_args_is_help=True, help="Forecasts: estimates that were kept with --save.")
outcome_app = typer.Typer(no_args_is_help=True, help="Outcomes: what happened after a forecast.")

ForecastArgument = Annotated[str, typer.Argument(help="Id of a forecast, or its first characters.")]


@app.command("list")
def list_forecasts(
    domain: DomainOption = None, store: StoreOption = None, style: FormatOption = Format.table
) -> None:
    """List every forecast, newest first, with the number of its outcomes."""
    from planner.reports.forecasts import forecasts_records, forecasts_report
    from planner.reports.report import show
    from planner.reports.store import current

    opened = current(existing_store(store))
    found = forecasts_records(opened, domain=domain)
    show(forecasts_report(opened, found, domain=domain), found, style)


@app.command("show")
def show_forecast(
    id: ForecastArgument, store: StoreOption = None, style: FormatOption = Format.table
) -> None:
    """Show one: what was asked and said, and what happened."""
    from planner.reports.forecasts import forecast_record, forecast_report
    from planner.reports.report import show
    from planner.reports.store import current

    record = forecast_record(current(existing_store(store)), id)
    show(forecast_report(record), record, style)


@outcome_app.command("add")
def add_outcome(
    forecast: ForecastArgument,
    *,
    error: Annotated[str | None, typer.Option(help="Error that was reached, e.g. 5.2%.")] = None,
    data: Annotated[str | None, typer.Option(help="Data used, e.g. 4000h.")] = None,
    params: Annotated[str | None, typer.Option(help="Parameters of the model, e.g. 300M.")] = None,
    flops: Annotated[str | None, typer.Option(help="Training compute, e.g. 1e21.")] = None,
    gpu_hours: Annotated[str | None, typer.Option(help="Device-hours of the training, e.g. 1300.")] = None,
    took: Annotated[str | None, typer.Option(help="How long the training took, e.g. 12d.")] = None,
    cost: Annotated[str | None, typer.Option(help="What compute and data cost together, e.g. '$4k'.")] = None,
    known: Annotated[
        date | None,
        typer.Option("--date", parser=day, metavar="DAY", help="The day it was known. Default: today."),
    ] = None,
    note: Annotated[str, typer.Option(help="Anything worth remembering.")] = "",
    replaces: Annotated[
        str | None,
        typer.Option(metavar="OUTCOME", help="Correct this outcome: it no longer counts, this one does."),
    ] = None,
    store: StoreOption = None,
    style: FormatOption = Format.table,
) -> None:
    """Record what happened after a forecast, as much of it as is known.

    For example: planner outcome add 3f2a --error 5.2% --data 4000h --gpu-hours 1300 --cost '$4k'
    """
    from planner.plans.tracking.outcome import add_outcome
    from planner.plans.tracking.track_record import comparisons
    from planner.reports.report import show
    from planner.reports.store import current
    from planner.reports.track_record import outcomes_records, outcomes_report, recorded_in_words

    opened = current(existing_store(store))
    made = add_outcome(
        opened,
        forecast,
        {
            "error": error,
            "data": data,
            "params": params,
            "flops": flops,
            "gpu_hours": gpu_hours,
            "days": took,
            "total_dollars": cost,
        },
        day=known or date.today(),
        today=date.today(),
        note=note,
        replaces=replaces,
    )
    found = [each for each in comparisons(opened) if each.outcome.id == made.id]
    show(outcomes_report(found, recorded_in_words(made)), outcomes_records(found), style)


@outcome_app.command("list")
def list_outcomes(
    domain: DomainOption = None, store: StoreOption = None, style: FormatOption = Format.table
) -> None:
    """List what happened beside what was forecast.

    What was replaced is left out.
    """
    from planner.plans.tracking.track_record import comparisons
    from planner.reports.quantities import counted
    from planner.reports.report import show
    from planner.reports.store import current
    from planner.reports.track_record import outcomes_records, outcomes_report

    found = comparisons(current(existing_store(store)), domain=domain)
    n = len({each.outcome.id for each in found})
    show(outcomes_report(found, counted(n, "outcome")), outcomes_records(found), style)


def track_record(
    domain: DomainOption = None, store: StoreOption = None, style: FormatOption = Format.table
) -> None:
    """Hold forecasts against outcomes: were they right?

    Coverage, bias and interval score by domain and age.
    """
    from planner.plans.tracking.track_record import comparisons, scores
    from planner.reports.report import show
    from planner.reports.store import current
    from planner.reports.track_record import track_records, track_report

    compared = comparisons(current(existing_store(store)), domain=domain)
    found = scores(compared)
    left_out = sum(each.said is None for each in compared)
    show(track_report(found, left_out), track_records(found), style)
