"""`planner store`: the folder that keeps runs and laws."""

import typer

from planner.commands.options import FormatOption, StoreOption, existing_store
from planner.reports.formats import Format

app = typer.Typer(no_args_is_help=True, help="Store: check it, and make its index anew from the files.")


@app.command("check")
def check_store(store: StoreOption = None, style: FormatOption = Format.table) -> None:
    """Hold files against their hashes, the index against them.

    Exits with 1 on a fault.
    """
    from planner.reports.report import show
    from planner.reports.store import check, report

    record = check(existing_store(store))
    show(report(record, "every file is whole, the index agrees"), record, style)
    raise typer.Exit(1 if record["faults"] else 0)


@app.command("rebuild")
def rebuild_store(store: StoreOption = None, style: FormatOption = Format.table) -> None:
    """Make the index anew from the files.

    Exits with 1 when a file could not be used.
    """
    from planner.reports.report import show
    from planner.reports.store import rebuild, report

    record = rebuild(existing_store(store))
    show(report(record, "index made anew"), record, style)
    raise typer.Exit(1 if record["faults"] else 0)
