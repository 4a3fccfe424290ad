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
    terms = law_info(proposal.law).scale
    return {
        "law": proposal.law.id,
        "metric": proposal.law.metric,
        "target": terms.from_error(proposal.target),
        "at": {"data": proposal.scale, "unit": proposal.law.x_unit},
        f"{terms.quantity}_today": dict(
            zip(("q05", "median", "q95"), terms.ends(*proposal.today), strict=True)
        ),
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
    terms = law_info(law).scale
    low, middle, high = map(terms.without_unit.format, terms.ends(*proposal.today))
    target = terms.format_error(proposal.target)
    scale = units.format_data(proposal.scale, law.x_unit)
    last = proposal.steps[-1]
    best, worst = proposal.after(last)
    ends = sorted(map(terms.from_error, (best, worst)))
    after = " to ".join(map(terms.without_unit.format, ends))
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
