"""`planner forecasts`: estimates that were saved."""

import typer

from planner.commands.options import DomainOption, ForecastArgument, FormatOption, StoreOption, existing_store
from planner.reports.formats import Format

app = typer.Typer(no_args_is_help=True, help="List and show saved estimates (`planner estimate --save`).")


@app.command("list")
def list_forecasts(
    domain: DomainOption = None, store: StoreOption = None, style: FormatOption = Format.table
) -> None:
    """List saved forecasts, newest first, with the number of outcomes."""
    from planner.reports.forecasts import forecasts_records, forecasts_report
    from planner.reports.report import show
    from planner.reports.store import current

    opened = current(existing_store(store))
    rows = forecasts_records(opened, domain=domain)
    show(forecasts_report(opened, rows, domain=domain), rows, style)


@app.command("show")
def show_forecast(
    id: ForecastArgument, store: StoreOption = None, style: FormatOption = Format.table
) -> None:
    """Show one forecast: the question, the answer and the outcomes."""
    from planner.reports.forecasts import forecast_record, forecast_report
    from planner.reports.report import show
    from planner.reports.store import current

    record = forecast_record(current(existing_store(store)), id)
    show(forecast_report(record), record, style)
