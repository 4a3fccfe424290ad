"""`planner frontier`: the Pareto front of error against cost."""

from typing import Annotated

import typer

from planner.commands.groups import DataOptions, LawOptions, MachineOptions, grouped
from planner.commands.options import FormatOption, StoreOption, existing_store
from planner.reports.formats import Format

MIN_PLANS_TO_COUNT = 50  # fewer plans are done before a progress line helps


@grouped
def frontier(
    *,
    against: Annotated[
        str | None, typer.Option(help="Cost on the other axis: dollars, gpu_hours, flops or data.")
    ] = None,
    low: Annotated[str | None, typer.Option("--from", help="Smallest cost, e.g. '$1k'.")] = None,
    high: Annotated[str | None, typer.Option("--to", help="Largest cost, e.g. '$1M'.")] = None,
    points: Annotated[int, typer.Option(help="Number of costs.")] = 9,
    machines: MachineOptions,
    at_hand: DataOptions,
    laws: LawOptions,
    store: StoreOption = None,
    style: FormatOption = Format.table,
) -> None:
    """Print the Pareto front of error against cost."""
    from dataclasses import asdict
    from datetime import date

    from planner.hardware.fleet import read_fleet
    from planner.plans.frontier import frontier
    from planner.plans.question import Question
    from planner.reports.frontier import records, report
    from planner.reports.progress_line import ProgressLine
    from planner.reports.report import show

    question = Question.of(selector=laws.selector(), **machines.as_question(), **asdict(at_hand))
    front = frontier(
        question,
        existing_store(store, source=laws.source, optional=True),
        read_fleet(machines.fleet),
        today=date.today(),
        against=against,
        low=low,
        high=high,
        points=points,
        on_progress=ProgressLine(least=MIN_PLANS_TO_COUNT),
    )
    show(report(front), records(front), style)
