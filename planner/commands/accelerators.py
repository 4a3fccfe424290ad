"""`planner accelerators`: the accelerators that a plan can use, and their assumptions."""

from typing import Annotated

import typer

from planner.commands.options import FleetOption, FormatOption, complete_accelerators
from planner.reports.formats import Format

app = typer.Typer(no_args_is_help=True, help="List accelerators and the assumptions about them.")


@app.command("list")
def list_accelerators(fleet: FleetOption = None, style: FormatOption = Format.table) -> None:
    """List accelerators: peak, memory, bandwidth, power, price."""
    from planner.hardware.fleet import read_fleet
    from planner.reports.accelerators import list_records, list_report
    from planner.reports.report import show

    yours = read_fleet(fleet)
    show(list_report(yours), list_records(yours), style)


@app.command("show")
def show_accelerator(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Id, alias or name, e.g. h100.", autocompletion=complete_accelerators
        ),
    ],
    fleet: FleetOption = None,
    style: FormatOption = Format.table,
) -> None:
    """Show one accelerator, with the source of every figure."""
    from planner.hardware.fleet import read_fleet
    from planner.reports.accelerators import accelerator_record, accelerator_report
    from planner.reports.report import show

    yours = read_fleet(fleet)
    accelerator = yours.accelerator(name)
    show(accelerator_report(yours, accelerator), accelerator_record(yours, accelerator), style)


@app.command("assumptions")
def show_assumptions(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="Accelerator, for the assumptions about it only.",
            autocompletion=complete_accelerators,
        ),
    ] = None,
    fleet: FleetOption = None,
    style: FormatOption = Format.table,
) -> None:
    """Show the assumptions of a plan, with their sources."""
    from planner.hardware.fleet import read_fleet
    from planner.reports.accelerators import assumptions_records, assumptions_report
    from planner.reports.report import show

    yours = read_fleet(fleet)
    accelerator = None if name is None else yours.accelerator(name)
    show(assumptions_report(yours, accelerator), assumptions_records(yours, accelerator), style)
