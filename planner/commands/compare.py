"""`planner compare`: compare the families of a domain."""

from collections.abc import Sequence
from typing import Annotated

import typer

from planner.commands.options import FormatOption, SourceOption, StoreOption, complete_domains, existing_store
from planner.reports.formats import Format


def compare(
    *,
    domain: Annotated[
        str,
        typer.Option(help="Domain whose families to compare, e.g. speech.", autocompletion=complete_domains),
    ],
    metric: Annotated[
        str | None, typer.Option(help="Metric to compare. Default: the one that most families have.")
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DATA",
            help="Data size at which to compare errors, e.g. 1000h. You can repeat this option. Default: the "
            "largest size measured for all, and ten times that.",
        ),
    ] = None,
    source: SourceOption = None,
    store: StoreOption = None,
    style: FormatOption = Format.table,
) -> None:
    """Compare the families of a domain: slopes, errors, exponents.

    Reports the error of each at the same data size, and whether they share one exponent. With --source
    published, reports what published laws of the same question say, and which disagree.
    """
    if source == "published":
        _compare_published(domain, metric, at or (), style)
        return
    from planner.plans.compare import compare as run
    from planner.reports.compare import record, report
    from planner.reports.report import show

    comparison = run(existing_store(store, source=source), domain, metric=metric, at=at or (), source=source)
    comparison_record = record(comparison)
    show(
        report(comparison), comparison_record["families"] if style is Format.csv else comparison_record, style
    )


def _compare_published(domain: str, metric: str | None, at: Sequence[str], style: Format) -> None:
    from planner.plans.compare_published import compare_published
    from planner.reports.compare_published import record, report
    from planner.reports.report import show

    comparison = compare_published(domain, metric=metric, at=at)
    comparison_record = record(comparison)
    show(report(comparison), comparison_record["laws"] if style is Format.csv else comparison_record, style)
