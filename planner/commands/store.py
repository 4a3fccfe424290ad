"""`planner store`: check and repair the folder of runs and laws."""

import typer

from planner.commands.options import FormatOption, StoreOption, existing_store
from planner.reports.formats import Format

app = typer.Typer(no_args_is_help=True, help="Check the store, and rebuild its index from the files.")


@app.command("check")
def check_store(store: StoreOption = None, style: FormatOption = Format.table) -> None:
    """Verify file hashes and that the index matches the files.

    Exits with code 1 on a fault.
    """
    from planner.reports.report import show
    from planner.reports.store import check, report

    record = check(existing_store(store))
    show(report(record, "every file is intact, the index matches"), record, style)
    raise typer.Exit(1 if record["faults"] else 0)


@app.command("rebuild")
def rebuild_store(store: StoreOption = None, style: FormatOption = Format.table) -> None:
    """Rebuild the index from the files.

    Exits with code 1 if a file cannot be used.
    """
    from planner.reports.report import show
    from planner.reports.store import rebuild, report

    record = rebuild(existing_store(store))
    show(report(record, "index rebuilt"), record, style)
    raise typer.Exit(1 if record["faults"] else 0)
