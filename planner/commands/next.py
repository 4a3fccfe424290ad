"""`planner next`: the runs that are worth training next."""

from typing import Annotated

import typer

from laws.errors import MissingInput, use
from planner.commands.groups import LawOptions, TargetOptions, grouped
from planner.commands.options import FormatOption, StoreOption, existing_store
from planner.reports.formats import Format


@grouped
def next_runs(
    *,
    target: TargetOptions,
    budget: Annotated[
        str, typer.Option(help="Budget: a time such as 30m, '5 GPU-hours', or FLOP such as 1e17.")
    ],
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
    from planner.plans.next import propose as run
    from planner.reports.next import record, report
    from planner.reports.report import show

    proposal = run(existing_store(store, source=laws.source), selector, value, budget)
    fields = record(proposal)
    show(report(proposal), fields["runs"] if style is Format.csv else fields, style)
