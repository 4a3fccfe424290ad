"""`planner next`: which runs to train next."""

from typing import Annotated

import typer

from laws.errors import PlannerError
from planner.commands.groups import LawOptions, TargetOptions, grouped
from planner.commands.options import FormatOption, StoreOption, existing_store
from planner.reports.formats import Format


@grouped
def next_runs(
    *,
    target: TargetOptions,
    budget: Annotated[
        str,
        typer.Option(help="Budget for the runs: a time such as 30m, '5 GPU-hours', or FLOP such as 1e17."),
    ],
    laws: LawOptions,
    store: StoreOption = None,
    style: FormatOption = Format.table,
) -> None:
    """List the most informative next runs for their cost.

    For example: planner next --domain speech --target-wer 5% --budget 30m
    """
    choice, value = target.asked(laws)
    if value is None:
        raise PlannerError("give the target whose answer is to get surer, for example --target-wer 5%")
    from planner.plans.next import propose as run
    from planner.reports.next import record, report
    from planner.reports.report import show

    found = run(existing_store(store, source=laws.source), choice, value, budget)
    told = record(found)
    show(report(found), told["runs"] if style is Format.csv else told, style)
