"""`planner review`: the plans of several products in one document."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from planner.commands.options import StoreOption, day, existing_store


class DocumentFormat(StrEnum):
    """How a review is written."""

    html = "html"
    json = "json"
    markdown = "markdown"


_BY_SUFFIX = {
    ".html": DocumentFormat.html,
    ".md": DocumentFormat.markdown,
    ".json": DocumentFormat.json,
}


def review(
    plan: Annotated[Path, typer.Argument(help="Plan file in TOML, such as docs/examples/plan.toml.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="File to write: .html, .md or .json. Default: print to the terminal.")
    ] = None,
    style: Annotated[
        DocumentFormat | None,
        typer.Option("--format", help="Default: the suffix of --out, else markdown."),
    ] = None,
    today: Annotated[
        date | None,
        typer.Option(
            parser=day,
            metavar="DAY",
            help="Day of the review, for prices and deadlines. Default: the plan's, else today.",
        ),
    ] = None,
    save: Annotated[
        bool,
        typer.Option(
            "--save/--no-save",
            help="Save the forecast of each product in the store, to compare it with its outcome later. "
            "Without it the store is only read.",
        ),
    ] = False,
    store: StoreOption = None,
) -> None:
    """Check whether each product of a plan meets its limits.

    Reports GPU-hours, cost and dates for each product and in total.
    """
    import json

    from laws.errors import FileError, InputError
    from laws.storage.atomic_write import write_atomically
    from planner.plans import review as use_case
    from planner.plans.portfolio import read_portfolio
    from planner.reports.quantities import counted
    from planner.reports.review import as_markdown, record
    from planner.reports.review_summary import headline

    document = style or (DocumentFormat.markdown if out is None else _BY_SUFFIX.get(out.suffix.lower()))
    if document is None:
        raise InputError(
            f"file {out}: expected a name that ends in .html, .md or .json, or a format",
            code="unknown-suffix",
            value=str(out),
            expected=".html, .md or .json",
        )
    portfolio = read_portfolio(plan)
    answer = use_case.review(
        portfolio, existing_store(store, optional=True), today=today or portfolio.today or date.today()
    )
    if document is DocumentFormat.html:
        from planner.reports.web.page import page

        text = page(answer)
    elif document is DocumentFormat.markdown:
        text = as_markdown(answer)
    else:
        text = json.dumps(record(answer), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        try:
            write_atomically(out, lambda path: path.write_text(text, encoding="utf-8"))
        except OSError as error:
            raise FileError(
                f"{out} cannot be written: {error.strerror}", code="unwritable-file", value=str(out)
            ) from None
        typer.echo(f"{out}: {headline(answer)}")
    if save:
        from planner.reports.assumption_text import plan_sentences

        saved = counted(use_case.save_forecasts(answer, plan_sentences), "forecast")
        # on stderr, where it does not mix with a printed document
        typer.echo(f"{saved} saved: `planner forecasts list` shows them", err=True)
