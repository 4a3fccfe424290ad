"""`planner plot`: draw a law or the forecast of a curve, in the terminal or into a file."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from laws.errors import harmless
from planner.commands.groups import LawOptions, grouped
from planner.commands.options import StoreOption, existing_store


@grouped
def plot(
    *,
    subject: Annotated[
        str | None,
        typer.Argument(
            help="Id of a stored law, or a file of curves as for `planner extrapolate`. Default: the law "
            "that `planner estimate` uses."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Picture to write, .png or .svg. Default: draw in the terminal.")
    ] = None,
    curve: Annotated[str | None, typer.Option(help="Name of a curve in the file.")] = None,
    decades: Annotated[
        float,
        typer.Option(help="How far beyond the largest measured scale, in powers of ten, at most 9."),
    ] = 1.5,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same picture.")] = 0,
    laws: LawOptions,
    store: StoreOption = None,
) -> None:
    """Draw a law or a curve with its points and bands.

    For a forecast: the median, the 50% and 90% bands, and the best single-form fit.
    """
    from dataclasses import replace

    from laws.storage.store import Store
    from planner.lawmodel.select import select_law
    from planner.reports.plots.figure import figure_of_curve, figure_of_law

    if subject is not None and Path(subject).is_file():
        if laws != LawOptions():
            raise typer.BadParameter(
                f"{subject} is a file of curves: leave out the options that select a law"
            )
        data = figure_of_curve(Path(subject), curve, decades=decades, seed=seed)
    elif curve is not None:
        raise typer.BadParameter("--curve names a curve in a file: give the file too")
    else:
        folder = existing_store(store, source=laws.source)
        if subject is None or laws != LawOptions():
            selector = laws.selector()
            selector = replace(selector, law=subject or selector.law)
            subject = select_law(selector, folder, sampled=True).law.id
        data = figure_of_law(Store(folder), subject, decades=decades)
    if out is None:
        from planner.reports.plots.terminal_plot import as_text

        typer.echo(harmless(as_text(data, width=shutil.get_terminal_size((80, 24)).columns)))
    else:
        from planner.reports.plots.matplotlib_plot import write

        write(data, out)
        typer.echo(harmless(f"{out}: {data.title}"))
