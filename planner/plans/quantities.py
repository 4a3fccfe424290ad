"""The registry of quantities: everything that an answer reports, one entry each.

The table, JSON, CSV, Markdown, `what-if`, `frontier`, saved forecasts and the review page all read
`QUANTITIES`. To add a quantity, add one entry: its key in JSON, its label, its unit, how a value is printed,
and how to get its posterior samples from a plan.
"""

import math
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from laws.types import Quantity
from planner import units
from planner.metrics import FRACTION
from planner.plans.plan import Plan
from planner.plans.resources import Resources


class ValueFormat(StrEnum):
    """How values of a quantity are printed; the review page prints by the same names."""

    METRIC = "metric"  # in the unit of the law's metric
    DATA = "data"  # in the law's unit of data
    NUMBER = "number"
    FLOPS = "flops"
    MONEY = "money"
    BYTES = "bytes"
    FRACTION = "fraction"


class QuantityKind(NamedTuple):
    """One quantity that an answer reports.

    Attributes:
        key: Its name in JSON and CSV, and in `--show` and `--against`.
        label: Its name for people; with its unit where values are printed without one.
        of: Returns its posterior samples in a plan, None where the plan has no such quantity.
        unit: Its unit; "" where the law sets it.
        format: How a value is printed.
        in_table: Whether the table of an answer has a row for it.
    """

    key: str
    label: str
    of: Callable[[Plan], Quantity | None]
    unit: str = ""
    format: ValueFormat = ValueFormat.NUMBER
    in_table: Callable[[Plan], bool] = lambda _plan: True

    def empty(self) -> Quantity:
        """Return the quantity without samples, for an answer that does not have it."""
        return Quantity(draws=(), unit=self.unit)

    def label_of(self, metric: str, data_unit: str = "", metric_unit: str = "") -> str:
        """Return the label with what the law sets.

        Args:
            metric: Name of the law's metric: the label of the error.
            data_unit: The law's unit of data; "" leaves it out.
            metric_unit: The unit of the metric; "" leaves it out, as for a rate: it has its percent sign.

        Returns:
            The label.
        """
        if self.format is ValueFormat.METRIC:
            return f"{metric} reached{f', {metric_unit}' if metric_unit not in ('', FRACTION) else ''}"
        in_unit = self.format is ValueFormat.DATA and data_unit
        return f"{self.label}, {units.data_in_words(data_unit)}" if in_unit else self.label

    def printed(self, value: float, unit: str = "") -> str:
        """Return a value as people read it.

        Args:
            value: The value, in base units.
            unit: The law's unit, for the error and for data; "" prints the number only.

        Returns:
            The text.
        """
        return _PRINT[self.format](value, unit)


_PRINT: dict[ValueFormat, Callable[[float, str], str]] = {
    ValueFormat.METRIC: lambda value, unit: units.format_metric(value, unit if unit == "fraction" else ""),
    ValueFormat.DATA: lambda value, unit: (
        units.format_data(value, unit) if unit else units.format_number(value)
    ),
    ValueFormat.NUMBER: lambda value, _: units.format_number(value),
    ValueFormat.FLOPS: lambda value, _: units.format_flops(value),
    ValueFormat.MONEY: lambda value, _: units.format_money(value),
    ValueFormat.BYTES: lambda value, _: units.format_si(value, "B"),
    ValueFormat.FRACTION: lambda value, _: units.format_fraction(value),
}


def _on_hardware(plan: Plan) -> bool:
    return plan.resources is not None


def _never(_plan: Plan) -> bool:
    return False


def _of_hardware(
    key: str,
    label: str,
    unit: str,
    samples: Callable[[Resources], tuple[float, ...] | None],
    *,
    format: ValueFormat = ValueFormat.NUMBER,
    in_table: Callable[[Plan], bool] = _on_hardware,
) -> QuantityKind:
    """Return a quantity of the training on an accelerator; a plan without one does not have it."""

    def of(plan: Plan) -> Quantity | None:
        if plan.resources is None:
            return None
        return Quantity(draws=samples(plan.resources) or (), unit=unit)

    return QuantityKind(key=key, label=label, unit=unit, format=format, of=of, in_table=in_table)


def _of_metric(key: str, label: str, *, higher_is_better: bool) -> QuantityKind:
    """Return the value of the metric that is reached: an error, or the score of a metric that rises."""

    def of(plan: Plan) -> Quantity | None:
        scale = plan.estimate.law.scale
        return plan.estimate.own_value if scale.higher_is_better is higher_is_better else None

    def in_table(plan: Plan) -> bool:
        return of(plan) is not None and (plan.estimate.target is None or plan.confidence is not None)

    return QuantityKind(key=key, label=label, format=ValueFormat.METRIC, of=of, in_table=in_table)


QUANTITIES: tuple[QuantityKind, ...] = (  # in the order in which they are printed
    _of_metric("error", "Error reached", higher_is_better=False),
    _of_metric("score", "Score reached", higher_is_better=True),
    QuantityKind(
        key="data",
        label="Data",
        format=ValueFormat.DATA,
        of=lambda plan: plan.estimate.data,
    ),
    QuantityKind(
        key="epochs",
        label="Epochs",
        unit="epochs",
        of=lambda plan: plan.estimate.epochs,
        in_table=lambda plan: any(1 < value < math.inf for value in plan.estimate.epochs.draws),
    ),
    QuantityKind(
        key="params",
        label="Parameters",
        unit="parameters",
        of=lambda plan: plan.estimate.params,
    ),
    QuantityKind(
        key="flops",
        label="Training FLOP",
        unit="FLOP",
        format=ValueFormat.FLOPS,
        of=lambda plan: plan.estimate.flops,
    ),
    QuantityKind(
        key="serving_flops",
        label="Inference FLOP",
        unit="FLOP",
        format=ValueFormat.FLOPS,
        of=lambda plan: plan.cost.serving_flops,
        in_table=lambda plan: plan.question.supply.serve is not None,
    ),
    _of_hardware("gpu_hours", "GPU-hours", "GPU-hours", lambda on: on.training.gpu_hours),
    _of_hardware("days", "Days", "days", lambda on: on.training.days),
    QuantityKind(
        key="labeling_days",
        label="Days of labeling",
        unit="days",
        of=lambda plan: plan.duration.labeling,
        in_table=lambda plan: bool(plan.duration.labeling.draws),
    ),
    QuantityKind(
        key="total_days",
        label="Days in all",
        unit="days",
        of=lambda plan: plan.duration.total,
        in_table=lambda plan: bool(plan.duration.labeling.draws and plan.duration.total.draws),
    ),
    _of_hardware("dollars", "Compute cost", "USD", lambda on: on.cost.dollars, format=ValueFormat.MONEY),
    QuantityKind(
        key="serving_dollars",
        label="Inference cost",
        unit="USD",
        format=ValueFormat.MONEY,
        of=lambda plan: plan.cost.serving,
        in_table=lambda plan: bool(plan.cost.serving.draws),
    ),
    QuantityKind(
        key="data_dollars",
        label="Data cost",
        unit="USD",
        format=ValueFormat.MONEY,
        of=lambda plan: plan.cost.data,
        in_table=lambda plan: bool(plan.cost.data.draws),
    ),
    QuantityKind(
        key="total_dollars",
        label="Total cost",
        unit="USD",
        format=ValueFormat.MONEY,
        of=lambda plan: plan.cost.total,
        in_table=lambda plan: plan.resources is not None and bool(plan.cost.data.draws),
    ),
    _of_hardware("energy", "Energy, kWh", "kWh", lambda on: on.cost.kwh),
    _of_hardware("carbon", "Carbon, kg CO2e", "kg CO2e", lambda on: on.cost.kg_co2e),
    _of_hardware(
        "utilization",
        "Utilization",
        "share of peak",
        lambda on: on.training.utilization,
        format=ValueFormat.FRACTION,
        in_table=_never,
    ),
    _of_hardware(
        "bytes_moved",
        "Memory traffic",
        "bytes",
        lambda on: on.training.moved,
        format=ValueFormat.BYTES,
        in_table=_never,
    ),
    _of_hardware("step_seconds", "Seconds per step", "s", lambda on: on.training.step, in_table=_never),
    _of_hardware("memory", "Memory", "bytes", lambda on: on.training.footprint, format=ValueFormat.BYTES),
    _of_hardware("devices", "Devices needed for memory", "devices", lambda on: on.training.fewest),
    _of_hardware(
        "devices_for_deadline",
        "Devices needed for the deadline",
        "devices",
        lambda on: on.devices_for_deadline,
        in_table=lambda plan: plan.resources is not None and bool(plan.resources.devices_for_deadline),
    ),
)


METRICS = ("error", "score")  # keys of the metric that is reached: one that falls, or one that rises


def kinds() -> tuple[QuantityKind, ...]:
    """Return every quantity, in the order in which they are printed."""
    return QUANTITIES


def keys() -> tuple[str, ...]:
    """Return the key of every quantity, in the order in which they are printed."""
    return tuple(kind.key for kind in QUANTITIES)


def kind_of(key: str) -> QuantityKind:
    """Return the quantity of a key.

    Args:
        key: A key in JSON; a saved forecast may have one that this version lacks.

    Returns:
        The entry of the registry; for an unknown key one that prints it as a number under its key.
    """
    for kind in QUANTITIES:
        if kind.key == key:
            return kind
    return QuantityKind(key=key, label=key, of=lambda _plan: None)


def quantities(plan: Plan) -> dict[str, Quantity]:
    """Return every quantity of a plan by key.

    Args:
        plan: The answer to a question.

    Returns:
        Key -> posterior samples in base units, without samples where the value is not known; quantities of
        the hardware only where an accelerator is named.
    """
    samples = ((kind.key, kind.of(plan)) for kind in QUANTITIES)
    return {key: quantity for key, quantity in samples if quantity is not None}


def samples_of(plan: Plan, key: str) -> tuple[float, ...]:
    """Return the posterior samples of one quantity, none where the plan does not have it.

    Args:
        plan: The answer to a question.
        key: The key of a quantity.

    Returns:
        The samples, in base units.
    """
    quantity = kind_of(key).of(plan)
    return () if quantity is None else quantity.draws


def as_data() -> list[dict[str, str]]:
    """Return the registry as plain data, for a page that prints quantities itself."""
    return [
        {"key": kind.key, "label": kind.label, "unit": kind.unit, "format": kind.format.value}
        for kind in QUANTITIES
    ]
