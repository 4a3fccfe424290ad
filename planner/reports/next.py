"""The report of `planner next`: the runs to train next."""

from typing import Any

from planner import units
from planner.lawmodel.info import law_info
from planner.plans.next import Proposal, Step, total
from planner.reports.report import Report


def record(proposal: Proposal) -> dict[str, Any]:
    """Return what JSON carries.

    Args:
        proposal: The runs, the most informative first.

    Returns:
        Plain values; `runs` are the rows of CSV.
    """
    return {
        "law": proposal.law.id,
        "metric": proposal.law.metric,
        "target": proposal.target,
        "at": {"data": proposal.scale, "unit": proposal.law.x_unit},
        "error_today": dict(zip(("q05", "median", "q95"), proposal.today, strict=True)),
        "budget_flops": proposal.budget,
        "spent_flops": total(proposal.steps),
        "device": proposal.device or None,
        "runs": [
            {
                "data": step.data,
                "params": step.params,
                "flops": step.flops,
                "seconds": step.seconds,
                "seed_again": step.repeated,
                "interval_left": step.left,
            }
            for step in proposal.steps
        ],
    }


def report(proposal: Proposal) -> Report:
    """Return the table for people.

    Args:
        proposal: The runs, the most informative first.

    Returns:
        One row per run, in order.
    """
    law = proposal.law
    unit = law.metric_unit if law.metric_unit == "fraction" else ""
    low, middle, high = (units.format_metric(value, unit) for value in proposal.today)
    target = units.format_metric(proposal.target, law.metric_unit)
    scale = units.format_data(proposal.scale, law.x_unit)
    last = proposal.steps[-1]
    after = " to ".join(units.format_metric(value, unit) for value in proposal.after(last))
    flops = total(proposal.steps)
    spent = f"{units.format_flops(flops)} of {units.format_flops(proposal.budget)} FLOP"
    if proposal.rate:
        spent += (
            f", about {units.format_duration(flops / proposal.rate)} on one device like {proposal.device}"
        )
    return Report(
        title=f"Runs that narrow {law.metric} {target} most ({law_info(law).subject})",
        columns=("run", law.x_unit, "parameters", "FLOP", "time", "interval left"),
        rows=tuple(_row(i, step) for i, step in enumerate(proposal.steps, 1)),
        notes=[
            f"Today the law predicts {law.metric} {middle} (90% interval: {low} to {high}) at {scale}: "
            "where its median reaches the target, or as close as it gets.",
            f"After these runs the interval should be about {after}, {last.left:.0%} as wide, if the law's "
            "form is right.",
            f"Together they take {spent}. Each is one training of the best size; searching hyperparameters "
            "costs a multiple.",
        ],
    )


def _row(number: int, step: Step) -> tuple[str, ...]:
    return (
        f"{number}{', another seed' if step.repeated else ''}",
        units.format_number(step.data),
        units.format_number(step.params),
        units.format_flops(step.flops),
        "-" if step.seconds is None else units.format_duration(step.seconds),
        f"{step.left:.0%}",
    )
