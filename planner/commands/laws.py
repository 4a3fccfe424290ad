"""`planner laws`: laws that were fitted here, and those of the literature."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from planner.commands.options import DomainOption, FormatOption, MetricOption, StoreOption, store_folder
from planner.pages.formats import Format

app = typer.Typer(no_args_is_help=True, help="Laws: those fitted here and those of the literature.")


class Origin(StrEnum):
    """Where a law comes from (`laws.types.Source`)."""

    calibrated = "calibrated"
    fitted = "fitted"
    published = "published"


class ExportFormat(StrEnum):
    """How a law is handed out."""

    json = "json"
    csv = "csv"


LawArgument = Annotated[str, typer.Argument(help="Id of a law, or its first characters.")]


@app.command("list")
def list_laws(
    domain: DomainOption = None,
    metric: MetricOption = None,
    source: Annotated[Origin | None, typer.Option(help="Laws of this origin only.")] = None,
    store: StoreOption = None,
    style: FormatOption = Format.table,
) -> None:
    """List the laws of the store, newest first, and those of the literature."""
    from planner.pages.lawbook import laws_records, laws_sheet
    from planner.pages.render import show
    from planner.pages.upkeep import current

    found = laws_records(
        current(store_folder(store)), domain=domain, metric=metric, source=source.value if source else None
    )
    show(laws_sheet(found), found, style)


@app.command("show")
def show_law(id: LawArgument, store: StoreOption = None, style: FormatOption = Format.table) -> None:
    """Show one law: its constants with their spread, what it says, where it comes from."""
    from planner.pages.lawbook import law_record, law_sheet
    from planner.pages.render import show
    from planner.pages.upkeep import current

    record = law_record(current(store_folder(store)), id)
    show(law_sheet(record), record, style)


@app.command("export")
def export_law(
    id: LawArgument,
    output: Annotated[Path | None, typer.Option(help="File to write. Default: the screen.")] = None,
    style: Annotated[
        ExportFormat, typer.Option("--format", help="json: what import takes; csv: one row a draw.")
    ] = ExportFormat.json,
    store: StoreOption = None,
) -> None:
    """Hand out one law as a file that `planner laws import` takes, or its draws as CSV."""
    from laws.errors import PlannerError
    from planner.pages.lawbook import export_text
    from planner.pages.upkeep import current

    text = export_text(current(store_folder(store)), id, draws=style is ExportFormat.csv)
    if output is None:
        sys.stdout.write(text)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PlannerError(f"{output}: {error.strerror}: give another file with --output") from error


@app.command("import")
def import_laws(
    files: Annotated[list[Path], typer.Argument(help="Files that `planner laws export` wrote.")],
    store: StoreOption = None,
) -> None:
    """Check laws that others exported and store them."""
    from laws.store import Store
    from planner.pages.lawbook import import_file

    target = Store(store_folder(store))
    for path in files:
        law = import_file(target, path)
        sys.stdout.write(f"{law.id}  {law.domain} {law.metric} ({law.source}, {law.form})\n")
