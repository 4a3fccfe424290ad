"""Groups of options: one dataclass each, which a command takes as one parameter.

They are not frozen: that would more than double the time that defining them takes, at every start.
"""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from typing import Annotated, Any

import typer

from planner.commands.options import (
    AssumeOption,
    CountOption,
    DataPriceOption,
    DataRateOption,
    DomainOption,
    FamilyOption,
    FleetOption,
    FormOption,
    HaveDataOption,
    LawOption,
    MetricOption,
    MissPenaltyOption,
    PartOption,
    PrecisionOption,
    ServeOption,
    SingleFormOption,
    SourceOption,
)
from planner.lawmodel.selector import SINGLE_FORM, LawSelector, with_target


@dataclass(kw_only=True)
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


@dataclass(kw_only=True)
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
        """
        given = {option.name: getattr(self, option.name) for option in fields(self)}
        return with_target(laws.selector(), given)


@dataclass(kw_only=True)
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


@dataclass(kw_only=True)
class DataOptions:
    """Options for your data and the use of the model."""

    have_data: HaveDataOption = None
    data_price: DataPriceOption = None
    data_rate: DataRateOption = None
    miss_penalty: MissPenaltyOption = None
    serve: ServeOption = None


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
