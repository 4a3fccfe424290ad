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
        help="Folder that keeps runs and laws. Default: the platform's data folder.",
    ),
]
FormatOption = Annotated[Format, typer.Option("--format", help="How to print the answer.")]
FleetOption = Annotated[
    Path | None,
    typer.Option(
        "--fleet",
        envvar="PLANNER_FLEET",
        help="TOML file with your own parts, prices, counts and utilization, laid over those that ship.",
    ),
]

# which law answers
MetricOption = Annotated[str | None, typer.Option("--metric", help="Laws of this metric only, e.g. wer.")]
DomainOption = Annotated[str | None, typer.Option("--domain", help="Of this domain only, e.g. speech.")]
FamilyOption = Annotated[str | None, typer.Option("--family", help="Laws of this architecture only.")]
LawOption = Annotated[
    str | None, typer.Option("--law", help="Ask this law; the first characters of its id will do.")
]
SourceOption = Annotated[
    Source | None,
    typer.Option(
        "--source",
        help="Laws of this origin only; shipped: those of the embedded corpora, to try the tool with.",
    ),
]
FormOption = Annotated[
    str | None,
    typer.Option("--form", help="Laws of this form only, e.g. power-floor (docs/concepts/laws.md)."),
]
SingleFormOption = Annotated[
    bool, typer.Option("--single-form", help="Answer with one functional form instead of the forecast.")
]

# a saved forecast
ForecastArgument = Annotated[str, typer.Argument(help="Id of a forecast, or its first characters.")]

# a file of measurements
RunsArgument = Annotated[
    Path, typer.Argument(help="CSV, TSV, Parquet or JSONL file, one row a finished training.")
]
MetricColumnOption = Annotated[
    str | None, typer.Option("--metric-column", help="Column of the metric. Default: its name.")
]
ParamsColumnOption = Annotated[
    str | None, typer.Option("--params-column", help="Column of parameters. Default: params.")
]

SamplesColumnOption = Annotated[
    str | None,
    typer.Option("--samples-column", help="Column of the data seen, repeats counted. Default: samples."),
]

# what a plan runs on
PartOption = Annotated[
    str | None, typer.Option("--on", metavar="PART", help="Accelerator: `planner accelerators list`.")
]
CountOption = Annotated[int | None, typer.Option("--count", help="Devices. Default: the fleet's, else 8.")]
PrecisionOption = Annotated[str | None, typer.Option("--precision", help="bf16, fp16 or fp32.")]
AssumeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--assume",
        metavar="NAME=VALUE",
        help="E.g. utilization=0.35..0.42 or price=2; repeat for more.",
    ),
]

# what data there is, and what the model is for
HaveDataOption = Annotated[
    str | None,
    typer.Option("--have-data", help="Data in hand: a limit; by a surface law it is repeated, e.g. 2000h."),
]
DataPriceOption = Annotated[
    str | None,
    typer.Option("--data-price", help="What data that is not in hand costs, e.g. '$12/hour'."),
]
ServeOption = Annotated[
    str | None,
    typer.Option("--serve", help="Data the model will be run on, e.g. '1e13 tokens': count its cost."),
]
AllocateOption = Annotated[
    str,
    typer.Option("--allocate", help="Of a surface law: compute-optimal, or smallest-model with --have-data."),
]


def day(text: str) -> date:
    """Read a day as people write it."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day, wanted one such as 2026-11-23") from None


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
