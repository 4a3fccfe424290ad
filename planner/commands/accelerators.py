"""`planner accelerators`: the hardware that a plan can use."""

from typing import Annotated

import typer

from planner.commands.options import FleetOption, FormatOption
from planner.reports.formats import Format

app = typer.Typer(no_args_is_help=True, help="List accelerators with speed, memory, power and price.")


@app.command("list")
def list_parts(fleet: FleetOption = None, style: FormatOption = Format.table) -> None:
    """List accelerators: peak, memory, bandwidth, power, price."""
    from planner.hardware.fleet import read_fleet
    from planner.reports.accelerators import parts_records, parts_report
    from planner.reports.report import show

    known = read_fleet(fleet)
    show(parts_report(known), parts_records(known), style)


@app.command("show")
def show_part(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Id, alias or name, e.g. h100.")],
    fleet: FleetOption = None,
    style: FormatOption = Format.table,
) -> None:
    """Show one accelerator, every figure with its source."""
    from planner.hardware.fleet import read_fleet
    from planner.reports.accelerators import part_record, part_report
    from planner.reports.report import show

    known = read_fleet(fleet)
    part = known.accelerator(name)
    show(part_report(known, part), part_record(known, part), style)


@app.command("assumptions")
def show_assumptions(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="An accelerator, to show its own assumptions.")
    ] = None,
    fleet: FleetOption = None,
    style: FormatOption = Format.table,
) -> None:
    """Show the assumptions of a plan, with sources."""
    from planner.hardware.fleet import read_fleet
    from planner.reports.accelerators import assumptions_records, assumptions_report
    from planner.reports.report import show

    known = read_fleet(fleet)
    part = None if name is None else known.accelerator(name)
    show(assumptions_report(known, part), assumptions_records(known, part), style)
