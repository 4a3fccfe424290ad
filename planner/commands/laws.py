"""`planner laws`: your fitted laws, published laws, and example laws."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from laws.errors import harmless
from planner.commands.options import (
    DomainOption,
    FormatOption,
    MetricOption,
    SourceOption,
    StoreOption,
    complete_laws,
    existing_store,
    store_folder,
)
from planner.reports.formats import Format

app = typer.Typer(no_args_is_help=True, help="List, show, export and import laws.")


class ExportFormat(StrEnum):
    """File format of an exported law."""

    json = "json"
    csv = "csv"
    nc = "nc"
    parquet = "parquet"


LawArgument = Annotated[
    str, typer.Argument(help="Id of a law, or its first characters.", autocompletion=complete_laws)
]


@app.command("list")
def list_laws(
    *,
    domain: DomainOption = None,
    metric: MetricOption = None,
    source: SourceOption = None,
    all_fits: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Also list curves of single model sizes and joint laws of a sweep, selected only by id.",
        ),
    ] = False,
    deleted: Annotated[
        bool, typer.Option("--deleted", help="List only the laws that `planner laws delete` hides.")
    ] = False,
    store: StoreOption = None,
    style: FormatOption = Format.table,
) -> None:
    """List laws: stored (newest first), published, examples."""
    from planner.reports.laws import laws_records, laws_report
    from planner.reports.report import show
    from planner.reports.store import current

    opened = current(existing_store(store, source=source, optional=True))
    rows = laws_records(
        opened, domain=domain, metric=metric, source=source, all_fits=all_fits, deleted=deleted
    )
    show(laws_report(rows, opened, domain=domain, metric=metric), rows, style)


@app.command("show")
def show_law(id: LawArgument, store: StoreOption = None, style: FormatOption = Format.table) -> None:
    """Show one law: parameters, predictions and provenance."""
    from planner.reports.laws import law_record, law_report
    from planner.reports.report import show
    from planner.reports.store import current

    record = law_record(current(existing_store(store, optional=True)), id)
    show(law_report(record), record, style)


@app.command("ask")
def ask_law(
    id: Annotated[str, typer.Argument(help="Id of a published law.")],
    given: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=VALUE...",
            help="The law's inputs, e.g. flops=1e21. data=10x asks what ten times the data changes; "
            "value=2.1 solves for the input that you leave out.",
        ),
    ],
    style: FormatOption = Format.table,
) -> None:
    """Ask one published law for a value, an input or a ratio.

    Works for laws of size, data, learning rate, batch size and transfer too, and for bare exponents.
    """
    from laws.catalog.published import published_law
    from planner.reports.published_value import value_record, value_report
    from planner.reports.report import show

    law = published_law(id)
    record = value_record(law, given)
    show(value_report(law, record), record, style)


@app.command("export")
def export_law(
    id: LawArgument,
    out: Annotated[
        Path | None, typer.Option("--out", "--output", help="File to write. Default: standard output.")
    ] = None,
    style: Annotated[
        ExportFormat | None,
        typer.Option(
            "--format",
            help="json: for `planner laws import`; csv, parquet: one row per posterior sample; nc: "
            "netCDF for "
            "ArviZ. Default: the suffix of the file, else json.",
        ),
    ] = None,
    store: StoreOption = None,
) -> None:
    """Export one law, to import it elsewhere or for other tools."""
    from planner.reports.laws import export_law
    from planner.reports.store import current

    ending = "" if out is None else out.suffix.lower().removeprefix(".")
    kind = style or (ExportFormat(ending) if ending in list(ExportFormat) else ExportFormat.json)
    text = export_law(current(existing_store(store, optional=True)), id, kind.value, out)
    if text is not None:
        sys.stdout.write(text)
    else:
        typer.echo(f"{out}: law {id} as {kind.value}")


@app.command("import")
def import_laws(
    files: Annotated[
        list[Path],
        typer.Argument(help="Files from `planner laws export`, or folders of them, such as another store."),
    ],
    store: StoreOption = None,
) -> None:
    """Check exported laws and add them to your store.

    Imports all files, or none if any is invalid.
    """
    from laws.storage.store import Store
    from planner.reports.laws import import_files

    for law in import_files(Store(store_folder(store)), files):
        typer.echo(harmless(f"{law.id}  {law.domain} {law.metric} ({law.source}, {law.form})"))


WholeFitOption = Annotated[
    bool, typer.Option("--fit", help="Also every law that was fitted together with these.")
]


@app.command("delete")
def delete_laws(
    ids: Annotated[
        list[str],
        typer.Argument(help="Ids of laws, or their first characters.", autocompletion=complete_laws),
    ],
    *,
    whole_fit: WholeFitOption = False,
    undo: Annotated[bool, typer.Option("--undo", help="Bring deleted laws back.")] = False,
    store: StoreOption = None,
) -> None:
    """Hide laws of your store: they answer nothing.

    No list has them, but their files stay: --undo brings them back.
    """
    from planner.plans import stored_laws
    from planner.reports.store import current

    opened = current(existing_store(store))
    change = stored_laws.restore_laws if undo else stored_laws.delete_laws
    for row in change(opened, ids, whole_fit=whole_fit):
        typer.echo(harmless(f"{row.id}  {row.domain} {row.metric}: {'restored' if undo else 'deleted'}"))


@app.command("rename")
def rename_laws(
    id: LawArgument,
    *,
    domain: Annotated[str | None, typer.Option(help="New domain, of every law of the same fit.")] = None,
    family: Annotated[str | None, typer.Option(help="New family, of every law of the same fit.")] = None,
    metric: Annotated[str | None, typer.Option(help="New name of the law's metric.")] = None,
    store: StoreOption = None,
) -> None:
    """Correct the names of a fitted law.

    The renamed law has a new id; the old one is deleted.
    """
    from planner.plans.stored_laws import rename_laws
    from planner.reports.store import current

    opened = current(existing_store(store))
    for row, law in rename_laws(opened, id, domain=domain, family=family, metric=metric):
        subject = " ".join(filter(None, (law.domain, law.family, law.metric)))
        typer.echo(harmless(f"{row.id} -> {law.id}  {subject}"))
    opened.publish()
