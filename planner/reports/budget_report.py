"""The use of a measurement budget, for people and as JSON: before, during and after a sweep."""

import math
from collections.abc import Sequence
from typing import Any

from calibrate.types import BudgetEnd, BudgetStep, BudgetUse, Domain
from planner import units

END_SENTENCES = {
    BudgetEnd.ALL_TRAINED: "the preset has nothing left to train",
    BudgetEnd.NOTHING_AFFORDABLE: "the rest of the budget does not pay for another run",
    BudgetEnd.NOTHING_INFORMATIVE: "no affordable run would narrow the interval by 1%",
}


def record(use: BudgetUse) -> dict[str, Any]:
    """Return what JSON carries.

    Args:
        use: What a budget was spent on.

    Returns:
        A record; an amount of data that never suffices is None.
    """
    return {
        "amount": use.budget.amount,
        "unit": use.budget.unit,
        "spent": _total(use),
        "metric": use.goal.metric,
        "target": use.goal.target,
        "interval_ratio": use.interval_ratio,
        "left_out": [{"family": family, "data": shard} for family, shard in use.left_out],
        "ended": use.ended,
        "steps": [
            {
                "family": step.family or None,
                "data": step.data,
                "repeat": step.repeat,
                "spent": step.spent,
                "evaluated_at": step.evaluated_at,
                "error": _quantiles(step.error),
                "needed": _quantiles(step.needed) if step.needed else None,
            }
            for step in use.steps
        ],
    }


def heading(use: BudgetUse) -> str:
    """Return the heading of the report.

    Args:
        use: What the budget was spent on.

    Returns:
        Text with the amount that was spent and the budget.
    """
    return f"Budget: {_amount(_total(use), use)} of {_amount(use.budget.amount, use)} spent"


def plan(use: BudgetUse, domain: Domain) -> str:
    """Return one sentence on what a budget will be spent on, before anything is trained.

    Args:
        use: The budget and the cost of its start.
        domain: The domain that is calibrated.

    Returns:
        A sentence.
    """
    if use.goal.target is None:
        goal = f"the 90% interval of {use.goal.metric} beyond the largest shard"
    else:
        goal = f"the data needed for {_target(use, domain)}"
    start = f"about {_amount(use.start, use)}" if use.start else "already done"
    return (
        f"Budget {_amount(use.budget.amount, use)}: first every size on the smallest shards ({start}), "
        f"then, one step at a time, the runs that most reduce the uncertainty of {goal} for their cost."
    )


def last_step(use: BudgetUse, domain: Domain) -> str:
    """Return one sentence on the last step: its cost and the estimate after it.

    Args:
        use: What the budget was spent on so far, one step at least.
        domain: The domain that is calibrated.

    Returns:
        A sentence.
    """
    step = use.steps[-1]
    ended = f"; {END_SENTENCES[use.ended]}" if use.ended else ""
    total = f"{_amount(_total(use), use)} of {_amount(use.budget.amount, use)} spent"
    took = f"{_name(step, domain)} took {_amount(step.spent, use)}"
    return f"{took}, {total}: {_estimate(step, use, domain)}{ended}"


def step_lines(use: BudgetUse, domain: Domain) -> list[str]:
    """Return the lines of the report: each step with the estimate after it, and what was left out.

    Args:
        use: What the budget was spent on, one step at least.
        domain: The domain that is calibrated.

    Returns:
        One sentence per line.
    """
    families = {step.family for step in use.steps} | {family for family, _ in use.left_out}
    lines = []
    if len(families - {""}) > 1:
        lines.append(
            "The budget optimizes the best family per posterior sample, and `planner estimate` answers by it."
        )
    lines += [
        f"{_name(step, domain)}, {_amount(step.spent, use)}: {_estimate(step, use, domain)}"
        for step in use.steps
    ]
    scale = units.format_data(use.steps[-1].evaluated_at, domain.data_unit)
    lines.append(
        f"The 90% interval of {use.goal.metric} at {scale} is {use.interval_ratio:.0%} as wide as after the "
        "start, on a log scale."
    )
    if use.ended:
        lines.append(f"Stopped because {END_SENTENCES[use.ended]}.")
    if use.left_out:
        several = len({family for family, _ in use.left_out}) > 1
        shards = ", ".join(
            f"{f'{family} ' if several else ''}{units.format_number(shard)}" for family, shard in use.left_out
        )
        lines.append(f"Shards that were not trained: {shards} {domain.data_unit}.")
    return lines


def _name(step: BudgetStep, domain: Domain) -> str:
    if step.data is None:
        return "start"
    repeat = ", another seed" if step.repeat else ""
    return f"{step.family}, {units.format_data(step.data, domain.data_unit)}{repeat}"


def _estimate(step: BudgetStep, use: BudgetUse, domain: Domain) -> str:
    """Return the estimate after a step: the data that the target needs, or the error at a fixed scale."""
    unit = domain.metrics[use.goal.metric]
    if step.needed is None:
        low, middle, high = (units.format_metric(error, unit) for error in step.error)
        scale = units.format_data(step.evaluated_at, domain.data_unit)
        return f"{use.goal.metric} at {scale} {middle} ({low} to {high})"
    if math.isinf(step.needed[1]):
        earliest = step.needed[0]
        few = "" if math.isinf(earliest) else f" (5%: {units.format_data(earliest, domain.data_unit)})"
        return f"{_target(use, domain)} is probably out of reach with any amount of data{few}"
    low, middle, high = ("never" if math.isinf(data) else units.format_number(data) for data in step.needed)
    return f"{_target(use, domain)} needs {middle} ({low} to {high}) {domain.data_unit}"


def _target(use: BudgetUse, domain: Domain) -> str:
    assert use.goal.target is not None
    value = units.format_metric(use.goal.target, domain.metrics[use.goal.metric])
    return f"{use.goal.metric} {value}"


def _total(use: BudgetUse) -> float:
    return sum(step.spent for step in use.steps)


def _amount(amount: float, use: BudgetUse) -> str:
    if use.budget.unit == "FLOP":
        return f"{units.format_flops(amount)} FLOP"
    if use.budget.unit == "GPU-seconds":
        return units.format_gpu_hours(amount / 3600)
    return units.duration_in_words(amount)


def _quantiles(values: Sequence[float]) -> dict[str, float | None]:
    names = ("q05", "median", "q95")
    return {name: None if math.isinf(value) else value for name, value in zip(names, values, strict=True)}
