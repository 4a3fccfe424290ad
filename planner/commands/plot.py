"""`planner plot`: a law or the forecast of a curve as a picture, on the screen or in a file."""

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
            help="Id of a stored law, or a file of curves as `planner extrapolate` reads it. Default: the "
            "law that `planner estimate` would ask."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Picture to write, .png or .svg. Default: drawn in the terminal.")
    ] = None,
    curve: Annotated[str | None, typer.Option(help="Which curve of the file.")] = None,
    decades: Annotated[
        float,
        typer.Option(help="How far beyond the largest measured scale, in powers of ten, at most 9."),
    ] = 1.5,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same picture.")] = 0,
    laws: LawOptions,
    store: StoreOption = None,
) -> None:
    """Draw a law or a curve with its points and its bands.

    Of a forecast the median, 50 and 90 % bands, and the form that was fitted beside it.

    For example: planner plot --domain speech, or planner plot curves.csv --curve ds2 --out ds2.svg
    """
    from dataclasses import replace

    from laws.storage.store import Store
    from planner.lawmodel.select import select_law
    from planner.reports.plots import figure as drawing

    if subject is not None and Path(subject).is_file():
        if laws != LawOptions():
            raise typer.BadParameter(f"{subject} is a file of curves: leave out what chooses a law")
        found = drawing.of_curve(Path(subject), curve, decades=decades, seed=seed)
    elif curve is not None:
        raise typer.BadParameter("--curve names one of a file of curves: give the file too")
    else:
        folder = existing_store(store, source=laws.source)
        if subject is None or laws != LawOptions():
            choice = laws.selector()
            choice = replace(choice, law=subject or choice.law)
            subject = select_law(choice, folder, sampled=True).law.id
        found = drawing.of_law(Store(folder), subject, decades=decades)
    if out is None:
        from planner.reports.plots.terminal_plot import text

        typer.echo(harmless(text(found, width=shutil.get_terminal_size((80, 24)).columns)))
    else:
        from planner.reports.plots.matplotlib_plot import write

        write(found, out)
        typer.echo(harmless(f"{out}: {found.title}"))
