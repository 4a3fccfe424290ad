"""`planner next`: which runs are worth training."""

from typing import Annotated

import typer

from planner.commands.options import (
    DomainOption,
    FamilyOption,
    FormatOption,
    LawOption,
    MetricOption,
    SourceOption,
    StoreOption,
    store_folder,
)
from planner.pages.formats import Format


def propose(
    *,
    target: Annotated[str, typer.Option(help="The target whose answer is to get surer, e.g. wer=5%.")],
    budget: Annotated[
        str, typer.Option(help="What may be spent: a time such as 30m, '5 GPU-hours', or FLOP such as 1e17.")
    ],
    domain: DomainOption = None,
    metric: MetricOption = None,
    family: FamilyOption = None,
    law: LawOption = None,
    source: SourceOption = None,
    store: StoreOption = None,
    style: FormatOption = Format.table,
) -> None:
    """Say which runs narrow the answer to a target most, for what they cost.

    For example: planner next --domain speech --target wer=5% --budget 30m
    """
    from planner.pages.proposal import record, sheet
    from planner.pages.render import show
    from planner.plans.proposal import propose as run
    from planner.reading.choice import Choice

    named, _, value = target.rpartition("=")
    choice = Choice(
        metric=named.strip() or metric,
        domain=domain,
        family=family,
        source=source,
        law=law,
    )
    found = run(store_folder(store), choice, value, budget)
    told = record(found)
    show(sheet(found), told["runs"] if style is Format.csv else told, style)
