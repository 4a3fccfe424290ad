"""Options that several commands share, so that they have the same help and behavior everywhere."""

import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from laws.errors import StoreError, run, use
from laws.types import Source
from planner.reports.formats import Format


def _complete(kind: str) -> Callable[[typer.Context, str], list[tuple[str, str]]]:
    """Return what a shell offers for an option; only a shell that completes a word calls it."""

    def values(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
        from planner.commands.completion import values_of

        return values_of(kind, ctx.params, incomplete, folder_of=store_folder)

    return values


complete_accelerators, complete_domains, complete_families = map(
    _complete, ("accelerators", "domains", "families")
)
complete_laws, complete_metrics, complete_presets = map(_complete, ("laws", "metrics", "presets"))

StoreOption = Annotated[
    Path | None,
    typer.Option(
        "--store",
        envvar="PLANNER_STORE",
        help="Folder of runs and laws. Default: the platform's data folder.",
    ),
]
FormatOption = Annotated[Format, typer.Option("--format", help="Output format.")]
STORE_VARIABLE, FLEET_VARIABLE = "PLANNER_STORE", "PLANNER_FLEET"
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
MetricOption = Annotated[
    str | None,
    typer.Option("--metric", help="Use only laws of this metric, e.g. wer.", autocompletion=complete_metrics),
]
DomainOption = Annotated[
    str | None,
    typer.Option("--domain", help="Use only this domain, e.g. speech.", autocompletion=complete_domains),
]
FamilyOption = Annotated[
    str | None,
    typer.Option("--family", help="Use only laws of this architecture.", autocompletion=complete_families),
]
LawOption = Annotated[
    str | None,
    typer.Option(
        "--law", help="Use this law: its id, or the first characters of it.", autocompletion=complete_laws
    ),
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
ForecastArgument = Annotated[str, typer.Argument(help="Id of a forecast, its first characters, or its name.")]


# a file of measurements
RunsArgument = Annotated[
    Path,
    typer.Argument(
        help="CSV, TSV, Parquet or JSONL file with one row per finished training; or the runs of "
        "MLflow, W&B, "
        "TensorBoard or Optuna where they are.",
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
        "--on",
        metavar="ACCELERATOR",
        help="Accelerator to train on, see `planner accelerators list`.",
        autocompletion=complete_accelerators,
    ),
]
CountOption = Annotated[
    int | None,
    typer.Option(
        "--count", help="Number of devices. Default: the fleet's, else those that a deadline needs, else 8."
    ),
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
    typer.Option(
        "--data-price",
        help="Price of data you do not have yet, e.g. '$12/hour' or '$50/hour up to 1000h, then $90/hour'.",
    ),
]
DataRateOption = Annotated[
    str | None,
    typer.Option("--data-rate", help="Pace at which data you do not have yet arrives, e.g. 200h/week."),
]
MissPenaltyOption = Annotated[
    str | None,
    typer.Option(
        "--miss-penalty",
        help="What missing the target costs, e.g. '$2M': finds the data with the lowest expected cost.",
    ),
]
StartOption = Annotated[
    str | None,
    typer.Option(
        "--start", help="Day on which labeling or training starts, e.g. 2027-01-15. Default: today."
    ),
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


def existing_store(store: Path | None, *, source: Source | None = None, optional: bool = False) -> Path:
    """Return the folder of a store to read.

    Args:
        store: The folder that was named; None is the default one, which need not exist yet.
        source: Origin of the laws; published and shipped ones need no store.
        optional: Whether published laws can answer too. A folder that does not exist or is empty is then no
            error; a line on stderr says so.

    Returns:
        The folder.

    Raises:
        StoreError: A folder was named that is not a store, and the command needs one ("no-store").
    """
    from laws.storage.files import RecordFiles

    folder = store_folder(store)
    if store is None or source in ("published", "shipped") or RecordFiles(folder).exists():
        return folder
    if not folder.exists():
        reason = "it does not exist"
    elif any(folder.iterdir()):
        reason, optional = "it has neither runs nor laws", False
    else:
        reason = "it is empty"
    if optional:
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
