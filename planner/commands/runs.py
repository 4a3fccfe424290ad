"""`planner runs`: the trainings of your calibrations."""

from typing import Annotated, get_args

import typer

from laws.types import RunStatus
from planner.commands.options import DomainOption, FormatOption, StoreOption, existing_store
from planner.reports.formats import Format

app = typer.Typer(no_args_is_help=True, help="List, show and export the runs of your calibrations.")


SweepOption = Annotated[
    str | None,
    typer.Option(help="Only runs of this sweep: its id, or the first characters of it."),
]
StatusOption = Annotated[
    RunStatus | None,
    typer.Option(metavar="STATUS", help=f"Only runs with this status: {', '.join(get_args(RunStatus))}."),
]


@app.command("list")
def list_runs(
    domain: DomainOption = None,
    sweep: SweepOption = None,
    status: StatusOption = None,
    store: StoreOption = None,
    style: FormatOption = Format.table,
) -> None:
    """List runs with the result of their last attempt."""
    from planner.reports.report import show
    from planner.reports.runs import runs_records, runs_report
    from planner.reports.store import current

    opened = current(existing_store(store))
    rows = runs_records(opened, domain=domain, sweep=sweep, status=status)
    show(runs_report(rows, opened, domain=domain), rows, style)


@app.command("show")
def show_run(
    id: Annotated[str, typer.Argument(help="Id of a run, or its first characters.")],
    store: StoreOption = None,
    style: FormatOption = Format.table,
) -> None:
    """Show every attempt of one run in full."""
    from planner.reports.report import show
    from planner.reports.runs import run_record, run_report
    from planner.reports.store import current

    record = run_record(current(existing_store(store)), id)
    show(run_report(record), record, style)


@app.command("export")
def export_runs(
    domain: DomainOption = None,
    sweep: SweepOption = None,
    status: StatusOption = None,
    store: StoreOption = None,
    style: FormatOption = Format.csv,
) -> None:
    """Print every attempt in full, as CSV for `planner fit`."""
    from planner.reports.report import show
    from planner.reports.runs import exported, exported_report
    from planner.reports.store import current

    rows = exported(current(existing_store(store)), domain=domain, sweep=sweep, status=status)
    show(exported_report(rows), rows, style)
