"""`planner review`: a portfolio of products on one page."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from planner.commands.options import StoreOption, day, existing_store


class Page(StrEnum):
    """How a review is written."""

    html = "html"
    json = "json"
    markdown = "markdown"


def review(
    plan: Annotated[Path, typer.Argument(help="Plan file, TOML: docs/examples/plan.toml is one.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="File to write, .html, .md or .json. Default: print it.")
    ] = None,
    style: Annotated[
        Page | None, typer.Option("--format", help="Default: what --out ends in, else markdown.")
    ] = None,
    today: Annotated[
        date | None,
        typer.Option(parser=day, metavar="DAY", help="Day that prices and deadlines are held against."),
    ] = None,
    save: Annotated[
        bool | None,
        typer.Option(
            "--save/--no-save",
            help="Keep every product's forecast, to be held against what happens. Default: where --out names "
            "a file.",
        ),
    ] = None,
    store: StoreOption = None,
) -> None:
    """Hold a portfolio of products against its limits.

    Each feasible or not, with GPU-hours, dollars and dates.
    For example: planner review plan.toml --out review.html
    """
    import json

    from laws.errors import PlannerError
    from laws.storage.atomic_write import write_whole
    from planner.plans import review as use_case
    from planner.plans.portfolio import read_portfolio
    from planner.reports.review import as_markdown, headline, record

    kinds = {".html": Page.html, ".md": Page.markdown, ".json": Page.json}
    kind = style or (Page.markdown if out is None else kinds.get(out.suffix.lower()))
    if kind is None:
        raise PlannerError(f"{out}: wanted a name that ends in .html, .md or .json, or --format")
    save = out is not None if save is None else save
    portfolio = read_portfolio(plan)
    folder = existing_store(store, made=save)
    found = use_case.review(portfolio, folder, today=today)
    if kind is Page.html:
        from planner.reports.web.page import page

        text = page(found)
    elif kind is Page.markdown:
        text = as_markdown(found)
    else:
        text = json.dumps(record(found), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        try:
            write_whole(out, lambda path: path.write_text(text, encoding="utf-8"))
        except OSError as error:
            raise PlannerError(f"{out} cannot be written: {error.strerror}") from None
        typer.echo(f"{out}: {headline(found)}")
    if save:
        from laws.storage.store import Store
        from planner.plans.tracking.forecasts import as_saved_forecast, save_forecasts
        from planner.reports.assumption_text import plan_sentences
        from planner.reports.quantities import counted

        seed = found.portfolio.seed
        kept = [
            as_saved_forecast(each, plan_sentences(each), today=found.today, seed=seed, name=product.name)
            for product, each in found.plans
        ]
        save_forecasts(Store(folder), kept)
        told = counted(len(kept), "forecast")
        typer.echo(f"{told} kept: `planner forecasts list` shows them", err=True)
