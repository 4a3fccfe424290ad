"""What to train next, as it is shown."""

from typing import Any

from planner import units
from planner.plans.next import Proposal, Step, total
from planner.reports.report import Report


def record(found: Proposal) -> dict[str, Any]:
    """Return what JSON carries; its `runs` are the rows of CSV."""
    return {
        "law": found.law.id,
        "metric": found.law.metric,
        "target": found.target,
        "at": {"data": found.place, "unit": found.law.x_unit},
        "error_today": dict(zip(("q05", "median", "q95"), found.today, strict=True)),
        "budget_flops": found.budget,
        "spent_flops": total(found.steps),
        "device": found.device or None,
        "runs": [
            {
                "data": step.data,
                "params": step.params,
                "flops": step.flops,
                "seconds": step.seconds,
                "seed_again": step.known,
                "interval_left": step.left,
            }
            for step in found.steps
        ],
    }


def report(found: Proposal) -> Report:
    """Return the table for people: one row a run, in order."""
    law = found.law
    unit = law.metric_unit if law.metric_unit == "fraction" else ""
    low, middle, high = (units.format_metric(value, unit) for value in found.today)
    target = units.format_metric(found.target, law.metric_unit)
    place = units.format_data(found.place, law.x_unit)
    end = found.steps[-1]
    after = " to ".join(units.format_metric(value, unit) for value in found.after(end))
    spent = f"{units.format_flops(total(found.steps))} FLOP of {units.format_flops(found.budget)}"
    if found.rate:
        time = units.format_duration(total(found.steps) / found.rate)
        spent += f", about {time} of one device like {found.device}"
    notes = [
        f"Today the law says {law.metric} {middle} (90% interval {low} to {high}) at {place}: where its "
        "median reaches the target, or as far as it can be asked.",
        f"After these runs the interval should be about {after}, {end.left:.0%} as wide, if the law's "
        "form holds.",
        f"Together {spent}. Each is one training of the best size; a search of settings costs its multiple.",
    ]
    return Report(
        title=f"To be surer of {law.metric} {target} ({law.domain}{f', {law.family}' if law.family else ''})",
        columns=("run", law.x_unit, "parameters", "FLOP", "time", "interval left"),
        rows=tuple(_row(i, step) for i, step in enumerate(found.steps, 1)),
        notes=notes,
    )


def _row(place: int, step: Step) -> tuple[str, ...]:
    return (
        f"{place}{', another seed' if step.known else ''}",
        units.format_number(step.data),
        units.format_number(step.params),
        units.format_flops(step.flops),
        "-" if step.seconds is None else units.format_duration(step.seconds),
        f"{step.left:.0%}",
    )
