"""`planner estimate`: what a target requires, or what data, compute or money achieve."""

from typing import Annotated

import typer

from planner.commands.groups import DataOptions, LawOptions, MachineOptions, TargetOptions, grouped
from planner.commands.options import (
    FLEET_VARIABLE,
    STORE_VARIABLE,
    AllocateOption,
    ExplainOption,
    FormatOption,
    StartOption,
    StoreOption,
    existing_store,
    named,
)
from planner.reports.formats import RECORDS, Format


@grouped
def estimate(
    *,
    target: TargetOptions,
    data: Annotated[
        str | None, typer.Option(help="Estimate what this much data achieves, e.g. 10000h.")
    ] = None,
    params: Annotated[
        str | None, typer.Option(help="Estimate what a model of this size achieves, e.g. 300M.")
    ] = None,
    flops: Annotated[
        str | None, typer.Option(help="Estimate what this training compute achieves, e.g. 1e21.")
    ] = None,
    gpu_hours: Annotated[
        str | None,
        typer.Option(
            help="GPU-hours available, e.g. 5000. With a target it is a constraint; without one, it "
            "asks what they buy. Requires --on."
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            help="Money available, e.g. '$50k'. A constraint or the question, like --gpu-hours. "
            "Requires --on or --data-price."
        ),
    ] = None,
    deadline: Annotated[
        str | None,
        typer.Option(
            help="Time available: 30d, or a date such as 2027-03-01. A constraint or the question, "
            "like --gpu-hours. Requires --on or --data-rate."
        ),
    ] = None,
    start: StartOption = None,
    machines: MachineOptions,
    at_hand: DataOptions,
    allocate: AllocateOption = "compute-optimal",
    confidence: Annotated[
        str | None,
        typer.Option(help="Find the smallest plan that reaches the target with this probability, e.g. 80%."),
    ] = None,
    laws: LawOptions,
    save: Annotated[
        bool,
        typer.Option(
            "--save", help="Save this estimate so it can be scored later (see `planner forecasts`)."
        ),
    ] = False,
    name: Annotated[str, typer.Option(help="With --save: a name for the estimate.")] = "",
    explain: ExplainOption = False,
    store: StoreOption = None,
    style: FormatOption = Format.table,
) -> None:
    """Estimate what a target requires, or what a budget achieves.

    The budget may be data, compute, money or time. Every number comes with a 90% interval. Specify exactly
    one of: a target (for example planner estimate --target-wer 5%), --data, --params, --flops, --gpu-hours,
    --budget, --deadline.
    """
    if name and not save:
        raise typer.BadParameter("--name is for saved estimates: add --save")
    selector, value = target.selector_and_value(laws)
    from dataclasses import asdict
    from datetime import date

    from planner.hardware.fleet import read_fleet
    from planner.plans.plan import plan
    from planner.plans.question import Question
    from planner.reports.report import show

    question = Question.of(
        selector=selector,
        target=value,
        data=data,
        params=params,
        flops=flops,
        gpu_hours=gpu_hours,
        budget=budget,
        deadline=deadline,
        start=start,
        **machines.as_question(),
        **asdict(at_hand),
        allocate=allocate,
        confidence=confidence,
    )
    today = date.today()
    folder = existing_store(store, source=laws.source, optional=True)
    result = plan(question, folder, read_fleet(machines.fleet), today=today, sure=True)
    notes: tuple[str, ...] = ()
    extra: dict[str, str] = {}
    if save:
        from laws.storage.store import Store
        from planner.plans.tracking.forecasts import as_saved_forecast, save_forecasts
        from planner.reports.assumption_text import plan_sentences
        from planner.reports.forecasts import saved_sentence

        forecast = as_saved_forecast(result, plan_sentences(result), today=today, name=name)
        save_forecasts(Store(folder), [forecast])
        notes, extra = (saved_sentence(forecast.id),), {"forecast": forecast.id}
    if style in RECORDS:
        from planner.reports.estimate_record import JSON_ONLY, record

        fields = record(result) | extra
        if style is Format.csv:
            fields = {key: value for key, value in fields.items() if key not in JSON_ONLY}
        show(None, fields, style)
    elif explain:
        from planner.reports.estimate import report

        full = report(result)
        show(full._replace(notes=(*full.notes, *notes)), {}, style)
    else:
        from planner.reports.answer import answer

        short = answer(
            result, store=named(store, STORE_VARIABLE), fleet=named(machines.fleet, FLEET_VARIABLE)
        )
        show(short._replace(remarks=(*short.remarks, *notes)), {}, style)
