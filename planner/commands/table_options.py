"""Groups of options of commands that read a table of trainings."""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Annotated

import typer

from planner.commands.options import (
    MetricColumnOption,
    ParamsColumnOption,
    SamplesColumnOption,
    WhereOption,
)


class WhichValue(StrEnum):
    """Which value of a metric that was logged at every step counts."""

    best = "best"
    last = "last"


@dataclass(frozen=True, kw_only=True)
class SubjectOptions:
    """Options that say what was measured."""

    domain: Annotated[
        str,
        typer.Option(help="Name for your domain, which `planner estimate` finds the law by, e.g. my-asr."),
    ]
    metric: Annotated[
        str | None,
        typer.Option(
            help="What was measured, e.g. wer, loss, accuracy or BLEU. Default: the only one that a "
            "column names."
        ),
    ] = None
    data_unit: Annotated[
        str | None,
        typer.Option(
            help="What data is counted in, e.g. hours, words, tokens, images. Default: the one that a column "
            "or the points name."
        ),
    ] = None
    metric_unit: Annotated[
        str | None,
        typer.Option(
            help="Unit of the metric, e.g. nats/token, or % for rates in percent. Default: fraction for "
            "error rates."
        ),
    ] = None
    family: Annotated[str, typer.Option(help="Architecture that was trained, e.g. conformer.")] = ""


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """Options for a table that is typed, or whose numbers could be read in two ways."""

    point: Annotated[
        list[str] | None,
        typer.Option(metavar="DATA=VALUE", help="A point in place of a file, e.g. 300h=11.4%. Repeatable."),
    ] = None
    data_total: Annotated[
        str | None,
        typer.Option(metavar="DATA", help="All data, e.g. 685h, where data sizes are percentages of it."),
    ] = None
    decimal_comma: Annotated[
        bool | None,
        typer.Option(
            "--decimal-comma/--decimal-point",
            help="Whether 1,340 is 1.34 or 1340. Default: as the table shows.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class MetricTermsOptions:
    """Options for a metric whose name does not say what it is."""

    higher_is_better: Annotated[
        bool | None,
        typer.Option(
            "--higher-is-better/--lower-is-better",
            help="Whether the metric rises or falls with data. Default: by its name.",
        ),
    ] = None
    metric_range: Annotated[
        str | None,
        typer.Option(metavar="LOW:HIGH", help="Least and best value of a metric that rises, e.g. 0:1."),
    ] = None
    chance_level: Annotated[
        str | None,
        typer.Option(help="Value of the metric that guessing reaches, e.g. 10% accuracy for 10 classes."),
    ] = None


@dataclass(frozen=True, kw_only=True)
class RunChoiceOptions:
    """Options that choose runs of a tracker, and values of them."""

    where: WhereOption = None
    state: Annotated[
        list[str] | None,
        typer.Option(
            help="Count a tracker's runs in this state, such as running, instead of those that finished. "
            "Repeatable."
        ),
    ] = None
    value: Annotated[
        WhichValue,
        typer.Option(help="Which value counts of a metric that a tracker has for every step."),
    ] = WhichValue.best
    data_from_name: Annotated[
        str | None,
        typer.Option(
            metavar="REGEX",
            help="Data size in the name of a run, as the group of a pattern: '([0-9]+)h'. Tables have it "
            "in a column `name`.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class ColumnOptions:
    """Options that name the columns of a file of trainings."""

    data_column: Annotated[
        str | None, typer.Option(help="Column of the data size. Default: the data unit.")
    ] = None
    metric_column: MetricColumnOption = None
    params_column: ParamsColumnOption = None
    flops_column: Annotated[str | None, typer.Option(help="Column of the training FLOP. Default: flops.")] = (
        None
    )
    samples_column: SamplesColumnOption = None
    gpu_hours_column: Annotated[
        str | None,
        typer.Option(
            help="Column of the GPU-hours, all devices together. Default: gpu_hours. With FLOP and "
            "devices it "
            "gives the utilization."
        ),
    ] = None
    device_column: Annotated[
        str | None, typer.Option(help="Column of the accelerator, such as h100-sxm. Default: device.")
    ] = None
    se_column: Annotated[
        str | None, typer.Option(help="Column of the metric's standard error. Default: METRIC_se or y_se.")
    ] = None
    seed_column: Annotated[str | None, typer.Option(help="Column of the training's seed. Default: seed.")] = (
        None
    )

    def by_role(self) -> dict[str, str | None]:
        """Return the columns by what they are for, such as "data" or "metric"."""
        return {option.name.removesuffix("_column"): getattr(self, option.name) for option in fields(self)}
