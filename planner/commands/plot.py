"""`planner plot`: a law or the forecast of a curve as a picture, on the screen or in a file."""

import shutil
from pathlib import Path
from typing import Annotated

import typer

from planner.commands.options import (
    DomainOption,
    FamilyOption,
    FormOption,
    MetricOption,
    PlainOption,
    SourceOption,
    StoreOption,
    form_asked,
    store_folder,
)


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
        float, typer.Option(min=0, max=9, help="How far beyond the largest measured scale, in powers of ten.")
    ] = 1.5,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same picture.")] = 0,
    metric: MetricOption = None,
    domain: DomainOption = None,
    family: FamilyOption = None,
    form: FormOption = None,
    plain: PlainOption = False,
    source: SourceOption = None,
    store: StoreOption = None,
) -> None:
    """Draw a law or a curve with its data, median, 50 and 90 % bands, and the form beside it.

    For example: planner plot --domain speech, or planner plot curves.csv --curve ds2 --out ds2.svg
    """
    from laws.store import Store
    from planner.pages import drawing
    from planner.reading.choice import Choice, choose

    folder = store_folder(store)
    if subject is None:
        choice = Choice(
            metric=metric, domain=domain, family=family, form=form_asked(form, plain), source=source
        )
        subject = choose(choice, folder).law.id
    path = Path(subject)
    if path.is_file():
        found = drawing.of_curve(path, curve, decades=decades, seed=seed)
    else:
        found = drawing.of_law(Store(folder), subject, decades=decades)
    if out is None:
        from planner.pages.textplot import text

        typer.echo(text(found, width=shutil.get_terminal_size((80, 24)).columns))
    else:
        from planner.pages.plotting import write

        write(found, out)
        typer.echo(f"{out}: {found.title}")
