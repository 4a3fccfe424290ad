"""Options that several commands share, so that they have the same help and behavior everywhere."""

import os
import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from laws.errors import StoreError, run, use
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
FormatOption = Annotated[Format, typer.Option("--format", help="Output format.")]
ExplainOption = Annotated[
    bool,
    typer.Option(
        "--explain",
        help="Print everything behind the answer: all quantities, sources, assumptions, warnings.",
    ),
]
FleetOption = Annotated[
    Path | None,
    typer.Option(
        "--fleet",
        envvar="PLANNER_FLEET",
        help="TOML file with your own accelerators, prices, counts and utilization, which override "
        "the built-in ones.",
    ),
]

# the law
MetricOption = Annotated[str | None, typer.Option("--metric", help="Use only laws of this metric, e.g. wer.")]
DomainOption = Annotated[str | None, typer.Option("--domain", help="Use only this domain, e.g. speech.")]
FamilyOption = Annotated[str | None, typer.Option("--family", help="Use only laws of this architecture.")]
LawOption = Annotated[
    str | None, typer.Option("--law", help="Use this law: its id, or the first characters of it.")
]
SourceOption = Annotated[
    Source | None,
    typer.Option(
        "--source",
        help="Use only laws of this origin. shipped: example laws, to try the tool with.",
    ),
]
FormOption = Annotated[
    str | None,
    typer.Option(
        "--form", help="Use only laws of this functional form, e.g. power-floor (docs/concepts/laws.md)."
    ),
]
SingleFormOption = Annotated[
    bool, typer.Option("--single-form", help="Use a single functional form instead of the forecast.")
]

# a saved forecast
ForecastArgument = Annotated[str, typer.Argument(help="Id of a forecast, or its first characters.")]

# a file of measurements
RunsArgument = Annotated[
    Path,
    typer.Argument(
        help="CSV, TSV, Parquet or JSONL file with one row per finished training; or the runs of "
        "MLflow, W&B, "
        "TensorBoard or Optuna where they are."
    ),
]
WhereOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="COLUMN=VALUE",
        help="Only a tracker's runs with this value, such as experiment=asr. Repeatable.",
    ),
]
MetricColumnOption = Annotated[
    str | None, typer.Option("--metric-column", help="Column of the metric. Default: its name.")
]
ParamsColumnOption = Annotated[
    str | None, typer.Option("--params-column", help="Column of the number of parameters. Default: params.")
]

SamplesColumnOption = Annotated[
    str | None,
    typer.Option(
        "--samples-column", help="Column of the data seen in training, repeats counted. Default: samples."
    ),
]

# the hardware
PartOption = Annotated[
    str | None,
    typer.Option(
        "--on", metavar="ACCELERATOR", help="Accelerator to train on, see `planner accelerators list`."
    ),
]
CountOption = Annotated[
    int | None, typer.Option("--count", help="Number of devices. Default: the fleet's, else 8.")
]
PrecisionOption = Annotated[
    str | None, typer.Option("--precision", help="Precision of the training: bf16, fp16 or fp32.")
]
AssumeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--assume",
        metavar="NAME=VALUE",
        help="Override an assumption, e.g. utilization=0.35..0.42 or price=2. You can repeat this option.",
    ),
]

# your data, and what the model is for
HaveDataOption = Annotated[
    str | None,
    typer.Option(
        "--have-data",
        help="Data you have, e.g. 2000h. Caps the answer; joint N-D laws repeat it for more epochs.",
    ),
]
DataPriceOption = Annotated[
    str | None,
    typer.Option("--data-price", help="Price of data you do not have yet, e.g. '$12/hour'."),
]
ServeOption = Annotated[
    str | None,
    typer.Option(
        "--serve", help="Data that you will run the model on, e.g. '1e13 tokens'. Its cost is counted too."
    ),
]
AllocateOption = Annotated[
    str,
    typer.Option(
        "--allocate", help="Joint N-D laws only: compute-optimal, or smallest-model (requires --have-data)."
    ),
]


def day(text: str) -> date:
    """Return the date that a text such as 2026-11-23 means; what typer calls to parse an option."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date: expected YYYY-MM-DD, such as 2026-11-23") from None


def existing_store(store: Path | None, *, source: Source | None = None, made: bool = False) -> Path:
    """Return the folder of a store to read.

    Args:
        store: The folder that was named; None is the default one, which need not exist yet.
        source: Origin of the laws; published and shipped ones need no store.
        made: Whether the command makes the store, to keep the answer. A line on stderr then says that it is
            new.

    Returns:
        The folder.

    Raises:
        StoreError: A folder was named that is not a store ("no-store"): a typo must not silently fall back to
            published laws.
    """
    from laws.storage.files import RecordFiles

    folder = store_folder(store)
    if store is None or source in ("published", "shipped") or RecordFiles(folder).exists():
        return folder
    if not folder.exists():
        reason = "it does not exist"
    else:
        reason = "it has neither runs nor laws" if any(folder.iterdir()) else "it is empty"
    if made:
        sys.stderr.write(f"planner: no store at {folder}, {reason}: using laws from elsewhere\n")
        return folder
    raise StoreError(
        f"no store at {folder}: {reason}",
        code="no-store",
        value=str(folder),
        hint=(
            use("store", purpose="to name another, or leave it and PLANNER_STORE out for the default one"),
            run("fit", purpose="or `planner calibrate` to make it"),
        ),
    )


def store_folder(store: Path | None) -> Path:
    """Return the folder that a store is in, or will be made in.

    Args:
        store: The folder that was named; None is the platform's data folder.

    Returns:
        The folder.

    Raises:
        StoreError: A file has that name.
    """
    if store is not None:
        if store.is_file():
            raise StoreError(
                f"store {store}: expected a folder, got a file",
                code="store-is-file",
                value=str(store),
                hint=use("store", purpose="to name a folder"),
            )
        return store
    from platformdirs import user_data_path

    return user_data_path("scaling-planner", appauthor=False) / "store"


def named(path: Path | None, variable: str) -> str:
    """Return a path as it was typed, "" where an environment variable gave it or nothing did.

    Args:
        path: The value of an option.
        variable: The variable that sets it too.

    Returns:
        What a next command has to name as well.
    """
    return "" if path is None or str(path) == os.environ.get(variable) else str(path)
