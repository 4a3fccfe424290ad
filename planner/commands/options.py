"""Options that several commands share, so that they read and behave the same everywhere."""

import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from laws.errors import PlannerError
from laws.types import Source
from planner.reports.formats import Format

StoreOption = Annotated[
    Path | None,
    typer.Option(
        "--store",
        envvar="PLANNER_STORE",
        help="Folder of runs and laws. Default: the platform's data folder.",
    ),
]
FormatOption = Annotated[Format, typer.Option("--format", help="How to print the answer.")]
FleetOption = Annotated[
    Path | None,
    typer.Option(
        "--fleet",
        envvar="PLANNER_FLEET",
        help="TOML file with your own accelerators, prices, counts and utilization.",
    ),
]

# which law answers
MetricOption = Annotated[str | None, typer.Option("--metric", help="Use only laws of this metric, e.g. wer.")]
DomainOption = Annotated[str | None, typer.Option("--domain", help="Use only this domain, e.g. speech.")]
FamilyOption = Annotated[
    str | None, typer.Option("--family", help="Use only laws of this model architecture.")
]
LawOption = Annotated[
    str | None, typer.Option("--law", help="Use this law: its id, or the first characters of it.")
]
SourceOption = Annotated[
    Source | None,
    typer.Option(
        "--source",
        help="Use only laws of this origin; shipped: examples to try the tool with.",
    ),
]
FormOption = Annotated[
    str | None,
    typer.Option("--form", help="Use only laws of this functional form, e.g. power-floor."),
]
SingleFormOption = Annotated[
    bool, typer.Option("--single-form", help="Answer with one functional form instead of the forecast.")
]

# a saved forecast
ForecastArgument = Annotated[str, typer.Argument(help="Id of a forecast, or its first characters.")]

# a file of measurements
RunsArgument = Annotated[
    Path, typer.Argument(help="CSV, TSV, Parquet or JSONL file with one row per finished training.")
]
MetricColumnOption = Annotated[
    str | None, typer.Option("--metric-column", help="Column of the metric. Default: its name.")
]
ParamsColumnOption = Annotated[
    str | None, typer.Option("--params-column", help="Column of parameters. Default: params.")
]

SamplesColumnOption = Annotated[
    str | None,
    typer.Option("--samples-column", help="Column of the data seen, counting repeats. Default: samples."),
]

# what a plan runs on
PartOption = Annotated[
    str | None,
    typer.Option(
        "--on", metavar="ACCELERATOR", help="Accelerator, e.g. h100; see `planner accelerators list`."
    ),
]
CountOption = Annotated[
    int | None, typer.Option("--count", help="Number of devices. Default: the fleet file's, or 8.")
]
PrecisionOption = Annotated[
    str | None,
    typer.Option(
        "--precision", help="bf16, fp16 or fp32. Default: the first of these that the accelerator has."
    ),
]
AssumeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--assume",
        metavar="NAME=VALUE",
        help="Set an assumption, e.g. utilization=0.35..0.42 or price=2; repeatable.",
    ),
]

# what data there is, and what the model is for
HaveDataOption = Annotated[
    str | None,
    typer.Option(
        "--have-data",
        help="Data you have, e.g. 2000h. Caps the answer; joint laws repeat it for more epochs.",
    ),
]
DataPriceOption = Annotated[
    str | None,
    typer.Option("--data-price", help="Price of data that you do not have yet, e.g. '$12/hour'."),
]
ServeOption = Annotated[
    str | None,
    typer.Option("--serve", help="Data processed at inference, e.g. '1e13 tokens'; its cost is counted."),
]
AllocateOption = Annotated[
    str,
    typer.Option(
        "--allocate", help="Joint laws only: compute-optimal, or smallest-model (requires --have-data)."
    ),
]


def day(text: str) -> date:
    """Return the date that a text such as 2026-11-23 means."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date: expected YYYY-MM-DD, such as 2026-11-23") from None


def existing_store(store: Path | None, *, source: Source | None = None, made: bool = False) -> Path:
    """Return the folder of a store to read; the platform's own need not have been made yet.

    Laws of a `source` elsewhere need no store. Where one is `made` to keep the answer, a line on stderr says
    that none was there. Raises PlannerError where a folder was named that is no store: a slip of the hand
    would look like a store without laws, and be answered from the literature.
    """
    from laws.storage.files import RecordFiles

    folder = store_folder(store)
    if store is None or source in ("published", "shipped") or RecordFiles(folder).exists():
        return folder
    if not folder.exists():
        why = "it does not exist"
    else:
        why = "it holds neither runs nor laws" if any(folder.iterdir()) else "it is empty"
    if made:
        sys.stderr.write(f"planner: no store at {folder}, {why}: laws from elsewhere answer\n")
        return folder
    raise PlannerError(
        f"no store at {folder}, {why}: name another with --store or PLANNER_STORE, leave both out for the "
        "default one, or make it with `planner calibrate` or `planner fit`"
    )


def store_folder(store: Path | None) -> Path:
    """Return the folder that a store is in or is to be made in: as given, else the platform's data folder.

    Raises PlannerError where a file has that name.
    """
    if store is not None:
        if store.is_file():
            raise PlannerError(f"the store {store} is a file: wanted a folder, give one with --store")
        return store
    from platformdirs import user_data_path

    return user_data_path("scaling-planner", appauthor=False) / "store"
