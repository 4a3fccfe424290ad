"""What a budget is for and what it went for, as it is shown: before, during and after a sweep."""

import math
from collections.abc import Sequence
from typing import Any

from calibrate.types import BudgetStep, BudgetUse, Domain
from planner import units


def record(spent: BudgetUse) -> dict[str, Any]:
    """Return what JSON carries; None is data that is never enough."""
    return {
        "amount": spent.budget.amount,
        "unit": spent.budget.unit,
        "spent": _total(spent),
        "metric": spent.goal.metric,
        "target": spent.goal.target,
        "interval_left": spent.width,
        "left_out": [{"family": family, "data": shard} for family, shard in spent.left_out],
        "ended": spent.ended,
        "steps": [
            {
                "family": step.family or None,
                "data": step.data,
                "again": step.again,
                "spent": step.spent,
                "asked_at": step.place,
                "error": _named(step.error),
                "needed": _named(step.needed) if step.needed else None,
            }
            for step in spent.steps
        ],
    }


def heading(spent: BudgetUse) -> str:
    """Return how much of a budget is spent."""
    return f"The budget: {_amount(_total(spent), spent)} of {_amount(spent.budget.amount, spent)} spent"


def beginning(spent: BudgetUse, domain: Domain) -> str:
    """Say what the start is and what the rest will go for."""
    if spent.goal.target is None:
        asked = f"the 90% interval of {spent.goal.metric} beyond the largest shard"
    else:
        asked = f"the answer to {_target(spent, domain)}"
    start = f"about {_amount(spent.start, spent)}" if spent.start else "done already"
    return (
        f"A budget of {_amount(spent.budget.amount, spent)}: first every size on the smallest shards, "
        f"{start}; then, step by step, the runs that narrow {asked} most for their cost."
    )


def latest(spent: BudgetUse, domain: Domain) -> str:
    """Say what the last step took and what is known after it."""
    step = spent.steps[-1]
    ended = f"; {spent.ended}" if spent.ended else ""
    whole = f"{_amount(_total(spent), spent)} of {_amount(spent.budget.amount, spent)} spent"
    took = f"{_what(step, domain)} took {_amount(step.spent, spent)}"
    return f"{took}, {whole}: {_known(step, spent, domain)}{ended}"


def account(spent: BudgetUse, domain: Domain) -> list[str]:
    """Say what a budget went for, how surer each step made the answer, and what was left out."""
    families = {step.family for step in spent.steps} | {family for family, _ in spent.left_out}
    best = (
        ["Asked is the best of the families, draw by draw; `planner estimate` answers by one of them."]
        if len(families - {""}) > 1
        else []
    )
    lines = best + [
        f"{_what(step, domain)}, {_amount(step.spent, spent)}: {_known(step, spent, domain)}"
        for step in spent.steps
    ]
    place = units.format_data(spent.steps[-1].place, domain.data_unit)
    lines.append(
        f"The 90% interval of {spent.goal.metric} at {place} is {spent.width:.0%} as wide as after the "
        "start, on a log scale."
    )
    if spent.ended:
        lines.append(f"It ended there: {spent.ended}.")
    if spent.left_out:
        several = len({family for family, _ in spent.left_out}) > 1
        shards = ", ".join(
            f"{f'{family} ' if several else ''}{units.format_number(shard)}"
            for family, shard in spent.left_out
        )
        lines.append(f"Not trained: the shards of {shards} {domain.data_unit}.")
    return lines


def _what(step: BudgetStep, domain: Domain) -> str:
    if step.data is None:
        return "the start"
    again = ", another seed" if step.again else ""
    return f"{step.family}, {units.format_data(step.data, domain.data_unit)}{again}"


def _known(step: BudgetStep, spent: BudgetUse, domain: Domain) -> str:
    """Say what is known: the data that the target needs, or the error at a fixed amount."""
    unit = domain.metrics[spent.goal.metric]
    if step.needed is None:
        low, middle, high = (units.format_metric(error, unit) for error in step.error)
        place = units.format_data(step.place, domain.data_unit)
        return f"{spent.goal.metric} at {place} {middle} ({low} to {high})"
    if math.isinf(step.needed[1]):
        soonest = step.needed[0]
        few = (
            ""
            if math.isinf(soonest)
            else f"; in 5% of them {units.format_data(soonest, domain.data_unit)} do"
        )
        return f"no amount of data reaches {_target(spent, domain)} in most draws{few}"
    low, middle, high = ("never" if math.isinf(data) else units.format_number(data) for data in step.needed)
    return f"{_target(spent, domain)} needs {middle} ({low} to {high}) {domain.data_unit}"


def _target(spent: BudgetUse, domain: Domain) -> str:
    assert spent.goal.target is not None
    value = units.format_metric(spent.goal.target, domain.metrics[spent.goal.metric])
    return f"{spent.goal.metric} {value}"


def _total(spent: BudgetUse) -> float:
    return sum(step.spent for step in spent.steps)


def _amount(amount: float, spent: BudgetUse) -> str:
    if spent.budget.unit == "FLOP":
        return f"{units.format_flops(amount)} FLOP"
    if spent.budget.unit == "GPU-seconds":
        return units.format_gpu_hours(amount / 3600)
    return units.format_duration(amount)


def _named(values: Sequence[float]) -> dict[str, float | None]:
    names = ("q05", "median", "q95")
    return {name: None if math.isinf(value) else value for name, value in zip(names, values, strict=True)}
