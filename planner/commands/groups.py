"""Groups of options: one dataclass each, which a command takes as one parameter."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Annotated, Any

import typer

from laws.errors import MissingInput, use
from planner.commands.options import (
    AssumeOption,
    CountOption,
    DataPriceOption,
    DomainOption,
    FamilyOption,
    FleetOption,
    FormOption,
    HaveDataOption,
    LawOption,
    MetricColumnOption,
    MetricOption,
    ParamsColumnOption,
    PartOption,
    PrecisionOption,
    SamplesColumnOption,
    ServeOption,
    SingleFormOption,
    SourceOption,
)
from planner.lawmodel.selector import SINGLE_FORM, LawSelector, with_target


@dataclass(frozen=True, kw_only=True)
class LawOptions:
    """Options that select the law."""

    metric: MetricOption = None
    domain: DomainOption = None
    family: FamilyOption = None
    form: FormOption = None
    single_form: SingleFormOption = False
    law: LawOption = None
    source: SourceOption = None

    def selector(self) -> LawSelector:
        """Return the options as a selector of laws."""
        return LawSelector(
            metric=self.metric,
            domain=self.domain,
            family=self.family,
            form=self.form or (SINGLE_FORM if self.single_form else None),
            source=self.source,
            law=self.law,
        )


@dataclass(frozen=True, kw_only=True)
class TargetOptions:
    """Options for the target: one of four."""

    target_wer: Annotated[str | None, typer.Option(help="Target word error rate, e.g. 5%.")] = None
    target_cer: Annotated[str | None, typer.Option(help="Target character error rate, e.g. 2%.")] = None
    target_loss: Annotated[str | None, typer.Option(help="Target loss, in the law's unit, e.g. 2.48.")] = None
    target: Annotated[
        str | None,
        typer.Option(
            metavar="METRIC=VALUE",
            help="Target of any metric, e.g. error=2%. The value is enough where the metric is known.",
        ),
    ] = None

    def selector_and_value(self, laws: LawOptions) -> tuple[LawSelector, str | None]:
        """Return the selector of the law with the target's metric, and the target; None where none is given.

        Args:
            laws: The options that select the law.

        Returns:
            The selector, and the target as typed.

        Raises:
            MissingInput: The target has no metric, and no law was named.
        """
        given = {option.name: getattr(self, option.name) for option in fields(self)}
        choice, value = with_target(laws.selector(), given)
        if value is not None and choice.metric is None and choice.law is None:
            raise MissingInput(
                f"target {value!r}: expected METRIC=VALUE, such as wer=5%, or a law to take the metric from",
                code="target-without-metric",
                value=value,
                hint=use("metric", "law"),
            )
        return choice, value


@dataclass(frozen=True, kw_only=True)
class MachineOptions:
    """Options for the hardware."""

    on: PartOption = None
    count: CountOption = None
    precision: PrecisionOption = None
    fleet: FleetOption = None
    assume: AssumeOption = None

    def as_question(self) -> dict[str, Any]:
        """Return these options as keyword arguments for `Question`."""
        return {
            "on": self.on,
            "count": self.count,
            "precision": self.precision,
            "assume": tuple(self.assume or ()),
        }


@dataclass(frozen=True, kw_only=True)
class DataOptions:
    """Options for your data and the use of the model."""

    have_data: HaveDataOption = None
    data_price: DataPriceOption = None
    serve: ServeOption = None


@dataclass(frozen=True, kw_only=True)
class SubjectOptions:
    """Options that say what was measured."""

    domain: Annotated[
        str,
        typer.Option(help="Name for your domain, which `planner estimate` finds the law by, e.g. my-asr."),
    ]
    metric: Annotated[str, typer.Option(help="What was measured, e.g. wer, loss, accuracy or BLEU.")]
    data_unit: Annotated[
        str, typer.Option(help="What data is counted in, e.g. hours, words, tokens, images.")
    ]
    metric_unit: Annotated[
        str | None,
        typer.Option(help="Unit of the metric, e.g. nats/token. Default: fraction for error rates."),
    ] = None
    family: Annotated[str, typer.Option(help="Architecture that was trained, e.g. conformer.")] = ""


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


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command as typer reads it: a parameter that is a group becomes one option per field.

    Args:
        command: A function with keyword parameters, some of which are dataclasses of options.

    Returns:
        A function whose signature has every field as a parameter of its own.
    """
    signature = inspect.signature(command)
    groups: dict[str, Any] = {
        name: parameter.annotation
        for name, parameter in signature.parameters.items()
        if is_dataclass(parameter.annotation)
    }
    parameters: list[inspect.Parameter] = []
    for name, parameter in signature.parameters.items():
        if name not in groups:
            parameters.append(parameter)
            continue
        parameters += [
            inspect.Parameter(
                option.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if option.default is MISSING else option.default,
                annotation=option.type,
            )
            for option in fields(groups[name])
        ]

    def spread(**given: Any) -> None:
        made = {
            name: group(**{option.name: given.pop(option.name) for option in fields(group)})
            for name, group in groups.items()
        }
        command(**given, **made)

    spread.__doc__ = command.__doc__
    spread.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    spread.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return spread
