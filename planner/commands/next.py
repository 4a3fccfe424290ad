"""`planner next`: the runs that are worth training next."""

from typing import Annotated

import typer

from laws.errors import MissingInput, use
from planner.commands.groups import LawOptions, TargetOptions, grouped
from planner.commands.options import (
    CountOption,
    DataPriceOption,
    FleetOption,
    FormatOption,
    PartOption,
    StoreOption,
    existing_store,
)
from planner.reports.formats import Format


@grouped
def next_runs(
    *,
    target: TargetOptions,
    budget: Annotated[
        str | None,
        typer.Option(
            help="Budget: dollars such as '$500', a time such as 30m, '5 GPU-hours', FLOP such as 1e17, or "
            "data to label such as '2000 examples'. Default: as much as the measured runs cost together."
        ),
    ] = None,
    on: PartOption = None,
    count: CountOption = None,
    fleet: FleetOption = None,
    have_data: Annotated[
        str | None, typer.Option(help="Data you have, e.g. 2000h. Default: the largest measured.")
    ] = None,
    data_price: DataPriceOption = None,
    laws: LawOptions,
    store: StoreOption = None,
    style: FormatOption = Format.table,
) -> None:
    """Propose the runs that narrow the answer most for their cost."""
    selector, value = target.selector_and_value(laws)
    if value is None:
        raise MissingInput(
            "expected the target whose answer the runs should narrow",
            code="no-target",
            hint=use("target", value="wer=5%"),
        )
    from planner.hardware.fleet import read_fleet
    from planner.plans.next import propose as run
    from planner.plans.run_costs import RunPrices
    from planner.reports.next import record, report
    from planner.reports.report import show

    prices = RunPrices(
        data_price=data_price, have_data=have_data, on=on, count=count, fleet=read_fleet(fleet)
    )
    proposal = run(existing_store(store, source=laws.source), selector, value, budget, prices)
    fields = record(proposal)
    show(report(proposal), fields["runs"] if style is Format.csv else fields, style)
