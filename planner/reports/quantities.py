"""What quantities are called in a table, and how their values are printed, by the name they have in JSON."""

from collections.abc import Mapping

from laws.types import Quantity
from planner import units
from planner.lawmodel.suggest import hint

NAMES = {
    "error": "Error reached",
    "data": "Data",
    "params": "Parameters",
    "flops": "Training FLOP",
    "epochs": "Passes over the data",
    "gpu_hours": "GPU-hours",
    "days": "Days",
    "dollars": "Dollars of compute",
    "data_dollars": "Dollars of data",
    "total_dollars": "Dollars",
    "energy": "kWh",
    "carbon": "kg CO2e",
    "utilization": "Utilization",
    "bytes_moved": "Bytes moved",
    "step_seconds": "Seconds a step",
    "memory": "Memory",
    "devices": "Devices that hold it",
    "serving_flops": "Serving FLOP",
    "serving_dollars": "Dollars of serving",
    "probability": "Probability that all limits hold",
}


def named(name: str, metric: str) -> str:
    """Return what a quantity is called, the error by its metric."""
    return f"{metric} reached" if name == "error" else NAMES.get(name, name)


def counted(n: int, what: str) -> str:
    """Return how many there are in words: `1 outcome`, `2 outcomes`."""
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def none_of(asked: Mapping[str, str | None], known: Mapping[str, set[str]]) -> tuple[str, ...]:
    """Return a sentence for each name that nothing has, with the nearest that there is."""
    return tuple(
        f"Nothing is of {kind} {name!r}{hint(name, sorted(known[kind]))}."
        for kind, name in asked.items()
        if name is not None and name not in known[kind]
    )


def name_with_unit(name: str, metric: str, data_unit: str) -> str:
    """Return what a quantity is called where its values are printed without their unit."""
    if name != "data":
        return named(name, metric)
    return f"Data, {units.data_in_words(data_unit)}"


def in_brackets(name: str, quantity: Quantity | None) -> str:
    """Return `median (5% to 95%)`; "-" is unknown, "never" is infinite."""
    if quantity is None or not quantity.draws:
        return "-"
    found = quantity.interval()
    unit = quantity.unit if name == "error" else ""
    low, middle, high = (
        "never" if value is None else printed(name, value, unit)
        for value in (found.q05, found.median, found.q95)
    )
    return f"{middle} ({low} to {high})" if quantity.spread and low != high else middle


def printed(name: str, value: float, unit: str = "") -> str:
    """Print a value of a quantity; `unit` is that of the error and of data, which laws differ in."""
    if name == "error":
        return units.format_metric(value, unit if unit == "fraction" else "")
    if name == "data":
        return units.format_data(value, unit) if unit else units.format_number(value)
    if name == "utilization":
        return units.format_fraction(value)
    if name in ("memory", "bytes_moved"):
        return units.format_si(value, "B")
    if name.endswith("dollars"):
        return units.format_money(value)
    return units.format_flops(value) if name.endswith("flops") else units.format_number(value)
