"""What a run costs: FLOP, GPU-hours, dollars, or data that has to be labeled; and a budget of any of them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

from laws.errors import InputError, LawError, MissingInput, PlannerError, use
from laws.types import Law
from planner import units
from planner.assumptions import Assumption
from planner.hardware.fleet import Fleet, read_fleet
from planner.hardware.measured_utilization import measured_utilization
from planner.lawmodel.model import MEASURE_COST, LawModel
from planner.lawmodel.scenario import Scenario
from planner.plans.data_price import DataPrice, parse_data_price
from planner.plans.estimate import estimate
from planner.plans.question import Hardware, positive
from planner.plans.resources import resources

MAX_COST_SCENARIOS = 101  # enough for the median cost of a run
FLOP, GPU_HOURS, USD = "FLOP", "GPU-hours", "USD"  # units of a budget; else it is the law's unit of data


@dataclass(frozen=True, kw_only=True)
class RunPrices:
    """What a run costs besides its FLOP, as people write it."""

    data_price: str | None = None  # of data beyond `have_data`
    have_data: str | None = None  # None is the largest measured data
    on: str | None = None  # the accelerator to train on
    count: int | None = None
    fleet: Fleet | None = None  # None is the built-in one


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One run that could be trained, with what it costs.

    Attributes:
        index: Place of its law among those of the families.
        family: The architecture.
        data: How much data to train on.
        new_data: Its part beyond the data that you have.
        params: Parameters of the best model; None without a law of model size.
        flops: FLOP of the training; None where they are not known.
        gpu_hours: On the accelerator that is named; None without one.
        days: On as many devices as were named; None without an accelerator.
        dollars: Of the new data and the GPU-hours; None where neither has a price.
    """

    index: int
    family: str
    data: float
    new_data: float
    params: float | None
    flops: float | None
    gpu_hours: float | None
    days: float | None
    dollars: float | None

    def cost(self, unit: str) -> float:
        """Return what the run costs in the unit of a budget."""
        of_unit = {FLOP: self.flops, GPU_HOURS: self.gpu_hours, USD: self.dollars}
        return of_unit.get(unit, self.new_data) or 0.0


class RunCosts:
    """Prices in base units, for the candidates of one proposal."""

    def __init__(self, law: Law, prices: RunPrices, today: date) -> None:
        """Parse the prices.

        Args:
            law: A law whose unit of data they have.
            prices: The prices as written.
            today: The day that quotes are compared with.

        Raises:
            InputError: A price cannot be parsed, or the accelerator is unknown.
        """

        def amount(text: str) -> float:
            return units.parse_data(text, law.x_unit)

        price = prices.data_price
        self.have = positive(amount, prices.have_data, "have_data") or law.x_range[1]
        self.price: DataPrice | None = None if price is None else parse_data_price(price, law.x_unit)
        self._hardware = Hardware(on=prices.on, count=prices.count)
        self._fleet = prices.fleet or read_fleet(None)
        self._today = today
        self._measured: tuple[Assumption, ...] = ()
        if prices.on is not None:
            self._measured = self._utilization(law, prices.on)

    def _utilization(self, law: Law, on: str) -> tuple[Assumption, ...]:
        """Return the utilization that was logged with a fitted law, as `planner estimate` takes it."""
        accelerator = self._fleet.accelerator(on)  # an unknown name is refused
        if law.source != "fitted" or not self._fleet.assumptions(accelerator)["utilization"].is_default:
            return ()
        measured = measured_utilization(law, (), accelerator)
        return () if measured is None else (measured,)

    def candidate(self, index: int, law: Law, model: LawModel, data: float) -> Candidate:
        """Return a run with its costs.

        Args:
            index: Place of the law among those of the families.
            law: The law of the run's family.
            model: Its model.
            data: How much data to train on.

        Returns:
            The run.
        """
        new_data = max(data - self.have, 0.0)
        gpu_hours, days, compute = self._on_hardware(model, data)
        label = None if self.price is None else self.price.cost(new_data)
        return Candidate(
            index=index,
            family=law.family,
            data=data,
            new_data=new_data,
            params=_params(model, data) if model.has_params else None,
            flops=median(s.flops(data) for s in _some(model)) if model.has_flops else None,
            gpu_hours=gpu_hours,
            days=days,
            dollars=None if compute is None and label is None else (compute or 0.0) + (label or 0.0),
        )

    def _on_hardware(self, model: LawModel, data: float) -> tuple[float | None, float | None, float | None]:
        """Return the median GPU-hours, days and dollars of a training on the accelerator that is named."""
        if self._hardware.on is None or not model.has_flops:
            return None, None, None
        few = model._replace(scenarios=_some(model))
        needs = estimate(few, [data] * len(few.scenarios))
        takes = resources(needs, self._fleet, self._hardware, today=self._today, overrides=self._measured)
        dollars = takes.cost.dollars
        price = None if dollars is None else median(dollars)
        return median(takes.training.gpu_hours), median(takes.training.days), price


def _some(model: LawModel) -> tuple[Scenario, ...]:
    return model.scenarios[:: max(1, len(model.scenarios) // MAX_COST_SCENARIOS)]


def _params(model: LawModel, data: float) -> float:
    return median(s.params(data) for s in _some(model) if s.params is not None)


def parse_run_budget(
    text: str, law: Law, candidates: Sequence[Candidate], rate: float | None
) -> tuple[float, str]:
    """Parse a budget of runs.

    Args:
        text: Dollars, a time, GPU-hours, FLOP or an amount of data.
        law: The law that answers.
        candidates: The runs that could be trained.
        rate: FLOP per second of a device like that of the runs in the store; None where not known.

    Returns:
        The amount and its unit: `FLOP`, `GPU_HOURS`, `USD` or the law's unit of data.

    Raises:
        InputError: The text is no budget, or not above 0.
        MissingInput: Dollars, and nothing has a price.
        LawError: Compute, and the law has no compute cost.
    """
    if "$" in text or re.search(r"usd", text, re.IGNORECASE):
        amount, unit = units.parse_money(text), USD
        if all(candidate.dollars is None for candidate in candidates):
            raise MissingInput(
                f"budget {text.strip()}: expected a price of data, or an accelerator with a price, got none",
                code="nothing-has-a-price",
                value=text,
                hint=use("data_price", "on"),
            )
    else:
        amount, unit = _compute_or_data(text, law, candidates, rate)
    if amount <= 0:
        raise InputError(f"budget {text.strip()}: expected more than 0", code="not-positive", value=text)
    return amount, unit


def _compute_or_data(
    text: str, law: Law, candidates: Sequence[Candidate], rate: float | None
) -> tuple[float, str]:
    """Return a budget of compute in FLOP or GPU-hours, or of data in the law's unit."""
    try:
        amount, unit = units.parse_budget(text)
    except PlannerError as error:
        try:
            return units.parse_data(text, law.x_unit), law.x_unit
        except PlannerError:
            raise error from None
    if candidates[0].flops is None:
        raise LawError(
            f"law {law.id} has no compute cost, so the cost of a run is not known",
            code="no-compute-cost",
            value=law.id,
            hint=(use("budget", value=f"'1000 {law.x_unit}'", purpose="to count new data"), *MEASURE_COST),
        )
    if unit == "GPU-seconds" and candidates[0].gpu_hours is not None:
        return amount / units.SECONDS["h"], GPU_HOURS
    if unit != "FLOP" and rate is None:
        raise InputError(
            f"budget {text.strip()}: expected FLOP, because no training of this family in the store shows "
            "its speed",
            code="unknown-speed",
            value=text,
            hint=(use("budget", value="1e17"), use("on", purpose="to count GPU-hours of an accelerator")),
        )
    return (amount if unit == "FLOP" else amount * (rate or 0.0)), FLOP


def cost_so_far(law: Law, candidates: Sequence[Candidate], costs: RunCosts) -> tuple[float, str]:
    """Return what the measured runs cost, the budget where none is given.

    Args:
        law: The law that answers.
        candidates: The runs that could be trained, those of the law first.
        costs: The prices.

    Returns:
        The amount and its unit: dollars where something has a price, else FLOP, else data.
    """
    measured = set(law.points.get("x", ())) or {law.x_range[1]}
    runs = [candidate for candidate in candidates if candidate.index == 0 and candidate.data in measured]
    if any(candidate.dollars is not None for candidate in candidates):
        data = 0.0 if costs.price is None else costs.price.cost(max(measured))
        return (data + sum(candidate.dollars or 0.0 for candidate in runs)) or 1.0, USD
    if candidates[0].flops is not None:
        return sum(candidate.flops or 0.0 for candidate in runs), FLOP
    return max(measured), law.x_unit


def format_amount(amount: float, unit: str) -> str:
    """Return an amount of a budget as text.

    Args:
        amount: The amount.
        unit: `FLOP`, `GPU_HOURS`, `USD` or a unit of data.

    Returns:
        The amount with its unit.
    """
    if unit == FLOP:
        return f"{units.format_flops(amount)} FLOP"
    if unit == USD:
        return units.format_money(amount)
    return units.format_gpu_hours(amount) if unit == GPU_HOURS else units.format_data(amount, unit)
