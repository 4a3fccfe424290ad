"""`planner columns`: what a table or a tracker's store holds."""

from pathlib import Path
from typing import Annotated

import typer

from planner.commands.options import FormatOption, RunsArgument, WhereOption
from planner.reports.formats import Format


def columns(
    runs: RunsArgument,
    where: WhereOption = None,
    out: Annotated[
        Path | None, typer.Option(help="CSV file to write the runs to, one row per run.", show_default=False)
    ] = None,
    style: FormatOption = Format.table,
) -> None:
    """Show the columns of a table or of a tracker's runs.

    Names, how many runs have a value, and the smallest and the largest one.
    """
    from planner.reports.columns import records, report
    from planner.reports.report import show
    from planner.sources.columns import contents
    from planner.sources.tracked_table import conditions

    summary = contents(runs, conditions(where or ()), out)
    show(report(summary), records(summary), style)
