"""`planner outcome`: the measured outcome of a saved forecast."""

from datetime import date
from typing import Annotated

import typer

from planner.commands.options import (
    DomainOption,
    ForecastArgument,
    FormatOption,
    StoreOption,
    day,
    existing_store,
)
from planner.reports.formats import Format

app = typer.Typer(no_args_is_help=True, help="Record and list the measured outcomes of saved forecasts.")


@app.command("add")
def add_outcome(
    forecast: ForecastArgument,
    *,
    error: Annotated[str | None, typer.Option(help="Measured error, e.g. 5.2%.")] = None,
    score: Annotated[
        str | None, typer.Option(help="Measured value of a metric that rises with data, e.g. 92%.")
    ] = None,
    data: Annotated[str | None, typer.Option(help="Data used, e.g. 4000h.")] = None,
    params: Annotated[str | None, typer.Option(help="Parameters of the model, e.g. 300M.")] = None,
    flops: Annotated[str | None, typer.Option(help="Training compute, e.g. 1e21.")] = None,
    gpu_hours: Annotated[str | None, typer.Option(help="GPU-hours of the training, e.g. 1300.")] = None,
    took: Annotated[str | None, typer.Option(help="Duration of the training, e.g. 12d.")] = None,
    cost: Annotated[str | None, typer.Option(help="Cost of compute and data together, e.g. '$4k'.")] = None,
    outcome_date: Annotated[
        date | None,
        typer.Option("--date", parser=day, metavar="DATE", help="Date of the outcome. Default: today."),
    ] = None,
    note: Annotated[str, typer.Option(help="A note for yourself.")] = "",
    replaces: Annotated[
        str | None,
        typer.Option(metavar="OUTCOME", help="Outcome that this one corrects; it no longer counts."),
    ] = None,
    store: StoreOption = None,
    style: FormatOption = Format.table,
) -> None:
    """Record the measured outcome of a forecast, or a part of it."""
    from planner.plans.tracking.outcome import add_outcome
    from planner.plans.tracking.track_record import comparisons
    from planner.reports.report import show
    from planner.reports.store import current
    from planner.reports.track_record import outcomes_records, outcomes_report, recorded_sentence

    opened = current(existing_store(store))
    made = add_outcome(
        opened,
        forecast,
        {
            "error": error,
            "score": score,
            "data": data,
            "params": params,
            "flops": flops,
            "gpu_hours": gpu_hours,
            "days": took,
            "total_dollars": cost,
        },
        day=outcome_date or date.today(),
        today=date.today(),
        note=note,
        replaces=replaces,
    )
    compared = [comparison for comparison in comparisons(opened) if comparison.outcome.id == made.id]
    show(outcomes_report(compared, recorded_sentence(made)), outcomes_records(compared), style)


@app.command("list")
def list_outcomes(
    domain: DomainOption = None, store: StoreOption = None, style: FormatOption = Format.table
) -> None:
    """List outcomes next to their forecasts.

    Replaced outcomes are left out.
    """
    from planner.plans.tracking.track_record import comparisons
    from planner.reports.quantities import counted
    from planner.reports.report import show
    from planner.reports.store import current
    from planner.reports.track_record import outcomes_records, outcomes_report

    compared = comparisons(current(existing_store(store)), domain=domain)
    n = len({comparison.outcome.id for comparison in compared})
    show(outcomes_report(compared, counted(n, "outcome")), outcomes_records(compared), style)
