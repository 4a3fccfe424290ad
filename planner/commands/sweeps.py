"""`planner sweeps`: how far the sweeps of your calibrations are."""

from typing import Annotated

import typer

from planner.commands.options import DomainOption, FormatOption, StoreOption, existing_store
from planner.reports.formats import Format

app = typer.Typer(no_args_is_help=True, help="List and show the sweeps of your calibrations.")


@app.command("list")
def list_sweeps(
    domain: DomainOption = None, store: StoreOption = None, style: FormatOption = Format.table
) -> None:
    """List sweeps: how far, time spent and left, best so far.

    Runs from another terminal while a calibration works.
    """
    from planner.plans.sweeps import sweep_states
    from planner.reports.report import show
    from planner.reports.store import current
    from planner.reports.sweeps import record, sweeps_report

    states = sweep_states(current(existing_store(store)), domain=domain)
    show(sweeps_report(states), [record(state) for state in states], style)


@app.command("show")
def show_sweep(
    id: Annotated[str, typer.Argument(help="Id of a sweep, or its first characters.")],
    store: StoreOption = None,
    style: FormatOption = Format.table,
) -> None:
    """Show one sweep with the best run of each data size."""
    from planner.plans.sweeps import sweep_state
    from planner.reports.report import show
    from planner.reports.store import current
    from planner.reports.sweeps import record, sweep_report

    state = sweep_state(current(existing_store(store)), id)
    show(sweep_report(state), record(state), style)
