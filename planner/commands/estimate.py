"""`planner estimate`: any question from either end."""

from typing import Annotated

import typer

from planner.commands.options import (
    AllocateOption,
    AssumeOption,
    CountOption,
    DataPriceOption,
    DomainOption,
    FamilyOption,
    FleetOption,
    FormatOption,
    FormOption,
    HaveDataOption,
    LawOption,
    MetricOption,
    PartOption,
    PlainOption,
    PrecisionOption,
    ServeOption,
    SourceOption,
    StoreOption,
    form_asked,
    store_folder,
)
from planner.pages.formats import Format


def estimate(
    *,
    target_wer: Annotated[str | None, typer.Option(help="Word error rate to reach, e.g. 5%.")] = None,
    target_cer: Annotated[str | None, typer.Option(help="Character error rate to reach, e.g. 2%.")] = None,
    target_loss: Annotated[
        str | None, typer.Option(help="Loss to reach, in the law's unit, e.g. 2.48.")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="METRIC=VALUE", help="Any metric; with --law or --metric the value alone will do."
        ),
    ] = None,
    data: Annotated[str | None, typer.Option(help="What this much data reaches, e.g. 10000h.")] = None,
    params: Annotated[str | None, typer.Option(help="What a model of this size reaches, e.g. 300M.")] = None,
    flops: Annotated[str | None, typer.Option(help="What this training compute reaches, e.g. 1e21.")] = None,
    gpu_hours: Annotated[
        str | None, typer.Option(help="A limit, or the question itself; needs --on, e.g. 5000.")
    ] = None,
    budget: Annotated[
        str | None, typer.Option(help="A limit, or the question itself; needs --on, e.g. '$50k'.")
    ] = None,
    deadline: Annotated[
        str | None,
        typer.Option(help="A limit, or the question itself; needs --on: 30d, or a day such as 2027-03-01."),
    ] = None,
    on: PartOption = None,
    count: CountOption = None,
    precision: PrecisionOption = None,
    fleet: FleetOption = None,
    assume: AssumeOption = None,
    have_data: HaveDataOption = None,
    data_price: DataPriceOption = None,
    serve: ServeOption = None,
    allocate: AllocateOption = "compute-optimal",
    confidence: Annotated[
        str | None, typer.Option(help="One plan that reaches the target with this probability, e.g. 80%.")
    ] = None,
    metric: MetricOption = None,
    domain: DomainOption = None,
    family: FamilyOption = None,
    form: FormOption = None,
    plain: PlainOption = False,
    law: LawOption = None,
    save: Annotated[
        bool, typer.Option("--save", help="Keep it, to be held against what happened: `planner forecasts`.")
    ] = False,
    name: Annotated[str, typer.Option(help="With --save: what it is an estimate for.")] = "",
    source: SourceOption = None,
    store: StoreOption = None,
    style: FormatOption = Format.table,
) -> None:
    """Say what a target needs, or what data, compute, money or time reach, and how sure that is.

    Give one: planner estimate --target-wer 5%, or --data, --params, --flops, --gpu-hours, --budget,
    --deadline.
    """
    if name and not save:
        raise typer.BadParameter("--name is for what is kept: add --save")
    ends = {"data": data, "params": params, "flops": flops}
    limits = {"gpu_hours": gpu_hours, "budget": budget, "deadline": deadline}
    asked, value = one_target(
        {"wer": target_wer, "cer": target_cer, "loss": target_loss},
        target,
        metric=metric,
        alone=law is not None or metric is not None,
        needed=not any(text is not None for text in (*ends.values(), *limits.values())),
    )
    from dataclasses import replace
    from datetime import date

    from planner.machines.fleet import read_fleet
    from planner.pages.answer import record
    from planner.pages.render import show
    from planner.pages.sheet import sheet
    from planner.plans.plan import plan
    from planner.plans.question import Question
    from planner.reading.choice import Choice

    question = Question(
        choice=Choice(
            metric=asked, domain=domain, family=family, form=form_asked(form, plain), source=source, law=law
        ),
        target=value,
        **ends,
        **limits,
        on=on,
        count=count,
        precision=precision,
        assume=tuple(assume or ()),
        have_data=have_data,
        data_price=data_price,
        serve=serve,
        allocate=allocate,
        confidence=confidence,
    )
    today = date.today()
    found = plan(question, store_folder(store), read_fleet(fleet), today=today)
    page, told = sheet(found), record(found)
    if save:
        from laws.store import Store
        from planner.pages.forecasts import kept_in_words
        from planner.plans.kept import as_forecast, keep

        forecast = as_forecast(found, today=today, name=name)
        keep(Store(store_folder(store)), [forecast])
        page = replace(page, notes=(*page.notes, kept_in_words(forecast.id)))
        told |= {"forecast": forecast.id}
    show(page, told, style)


def one_target(
    named: dict[str, str | None], general: str | None, *, metric: str | None, alone: bool, needed: bool
) -> tuple[str | None, str | None]:
    """Return (metric, value) of the one target that was given; none where none is needed.

    Anything else is a usage error. `alone` says that a value without a metric will do.
    """
    given = [(name, text) for name, text in named.items() if text is not None]
    count = len(given) + (general is not None)
    if count > 1 or (count == 0 and needed):
        options = ", ".join(["--target-" + name for name, _ in given] + ["--target"] * (general is not None))
        if not options:
            raise typer.BadParameter(
                "nothing is asked: give a target, for example --target-wer 5%, or --data, --params, --flops, "
                "--gpu-hours, --budget or --deadline"
            )
        raise typer.BadParameter(f"wanted one target, given {options}")
    if count == 0:
        return metric, None
    if general is None:
        return given[0]
    of, equals, value = general.rpartition("=")
    if not equals and not alone:
        raise typer.BadParameter(
            f"--target {general!r}: wanted METRIC=VALUE, such as --target wer=5%, or --law ID"
        )
    return of.strip() or metric, value
