"""`planner what-if`: answer one question for a table of values."""

from typing import Annotated

import typer

from planner.commands.groups import DataOptions, LawOptions, TargetOptions, grouped
from planner.commands.options import (
    AllocateOption,
    FleetOption,
    FormatOption,
    PrecisionOption,
    StoreOption,
    existing_store,
)
from planner.reports.formats import Format

MIN_PLANS_TO_COUNT = 50  # fewer plans are done before a progress line helps


@grouped
def what_if(
    *,
    target: TargetOptions,
    data: Annotated[str | None, typer.Option(help="Amounts of data, e.g. 1000h,10000h.")] = None,
    params: Annotated[
        str | None,
        typer.Option(help="Model sizes, e.g. 1B,7B. Together with --data for joint N-D laws only."),
    ] = None,
    flops: Annotated[str | None, typer.Option(help="Training FLOP, e.g. 1e21,1e22.")] = None,
    gpu_hours: Annotated[str | None, typer.Option(help="GPU-hours, e.g. 1000,5000.")] = None,
    budget: Annotated[str | None, typer.Option(help="Budgets, e.g. '$50k,$100k'.")] = None,
    deadline: Annotated[str | None, typer.Option(help="Deadlines, e.g. 30d,60d.")] = None,
    on: Annotated[
        str | None, typer.Option(metavar="ACCELERATORS", help="Accelerators, e.g. h100,a100.")
    ] = None,
    count: Annotated[str | None, typer.Option(help="Numbers of devices, e.g. 8,64,512.")] = None,
    precision: PrecisionOption = None,
    fleet: FleetOption = None,
    assume: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUES", help="Assumptions, e.g. price=1,2,3 or utilization=0.3,0.4."),
    ] = None,
    at_hand: DataOptions,
    allocate: AllocateOption = "compute-optimal",
    confidence: Annotated[
        str | None, typer.Option(help="Probability of reaching the target, e.g. 80%.")
    ] = None,
    quantity: Annotated[
        str | None,
        typer.Option("--show", help="Quantity to print in the table: dollars, data, error, probability, ..."),
    ] = None,
    laws: LawOptions,
    store: StoreOption = None,
    style: FormatOption = Format.table,
) -> None:
    """Answer one question for a table of values.

    Give one or two options several values, separated by commas.
    """
    given = {
        "data": data,
        "params": params,
        "flops": flops,
        "gpu_hours": gpu_hours,
        "budget": budget,
        "deadline": deadline,
        "have_data": at_hand.have_data,
        "confidence": confidence,
        "on": on,
        "count": count,
    }
    selector, value = target.selector_and_value(laws)
    from datetime import date

    from planner.hardware.fleet import read_fleet
    from planner.plans.question import Question
    from planner.plans.what_if import split, what_if
    from planner.reports.progress_line import ProgressLine
    from planner.reports.report import show
    from planner.reports.what_if import records, report

    one, axes = split({"target": value, **given}, assume or ())
    question = Question.of(
        selector=selector,
        precision=precision,
        data_price=at_hand.data_price,
        data_rate=at_hand.data_rate,
        miss_penalty=at_hand.miss_penalty,
        serve=at_hand.serve,
        allocate=allocate,
    )
    table = what_if(
        question,
        one,
        axes,
        existing_store(store, source=laws.source, optional=True),
        read_fleet(fleet),
        today=date.today(),
        show=quantity,
        on_progress=ProgressLine(least=MIN_PLANS_TO_COUNT),
    )
    show(report(table), records(table), style)
