"""`planner plot`: a law or the forecast of a curve as a picture."""

from pathlib import Path
from typing import Annotated

import typer

from planner.commands.options import StoreOption, store_folder


def plot(
    *,
    subject: Annotated[
        str, typer.Argument(help="Id of a stored law, or a file of curves as `planner extrapolate` reads it.")
    ],
    out: Annotated[Path, typer.Option(help="Picture to write, .png or .svg.")],
    curve: Annotated[str | None, typer.Option(help="Which curve of the file.")] = None,
    decades: Annotated[
        float, typer.Option(min=0, max=9, help="How far beyond the largest measured scale, in powers of ten.")
    ] = 1.5,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same picture.")] = 0,
    store: StoreOption = None,
) -> None:
    """Draw a law or a curve with its data, median, 50 and 90 % bands.

    For example: planner plot curves.csv --curve ds2 --out ds2.svg
    """
    from laws.store import Store
    from planner.pages import plotting

    path = Path(subject)
    if path.is_file():
        drawing = plotting.of_curve(path, curve, decades=decades, seed=seed)
    else:
        drawing = plotting.of_law(Store(store_folder(store)), subject, decades=decades)
    plotting.write(drawing, out)
    typer.echo(f"{out}: {drawing.title}")
