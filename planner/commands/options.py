"""Options that several commands share, so that they read and behave the same everywhere."""

from pathlib import Path
from typing import Annotated

import typer

from planner.pages.formats import Format

StoreOption = Annotated[
    Path | None,
    typer.Option(
        "--store",
        envvar="PLANNER_STORE",
        help="Folder that keeps runs and laws. Default: the platform's data folder.",
    ),
]


FormatOption = Annotated[Format, typer.Option("--format", help="How to print the answer.")]


def store_folder(store: Path | None) -> Path:
    """Return the store's folder: as given, else the platform's data folder."""
    if store is not None:
        return store
    from platformdirs import user_data_path

    return user_data_path("scaling-planner", appauthor=False) / "store"
