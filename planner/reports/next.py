"""The report of `planner next`: the runs to train next."""

from collections.abc import Callable
from typing import Any, NamedTuple

from planner import units
from planner.lawmodel.info import law_info
from planner.plans.next import Proposal, Step
from planner.plans.run_costs import FLOP, GPU_HOURS, format_amount
from planner.reports.answer import metric_name
from planner.reports.report import Report


def record(proposal: Proposal) -> dict[str, Any]:
    """Return what JSON carries.

    Args:
        proposal: The runs, the most informative first.

    Returns:
        Plain values; `runs` are the rows of CSV.
    """
    terms = law_info(proposal.law).scale
    in_flops = proposal.unit == FLOP
    return {
        "law": proposal.law.id,
        "metric": proposal.law.metric,
        "target": terms.from_error(proposal.target),
        "at": {"data": proposal.scale, "unit": proposal.law.x_unit},
        f"{terms.quantity}_today": dict(
            zip(("q05", "median", "q95"), terms.ends(*proposal.today), strict=True)
        ),
        "budget": proposal.budget,
        "default_budget": proposal.default_budget,
        "spent": proposal.spent,
        "unit": proposal.unit,
        "budget_flops": proposal.budget if in_flops else None,
        "spent_flops": proposal.spent if in_flops else None,
        "device": proposal.device or None,
        "runs": [
            {
                "family": step.run.family,
                "data": step.run.data,
                "new_data": step.run.new_data,
                "params": step.run.params,
                "flops": step.run.flops,
                "seconds": step.seconds,
                "gpu_hours": step.run.gpu_hours,
                "dollars": step.run.dollars,
                "seed_again": step.repeated,
                "interval_left": step.left,
            }
            for step in proposal.steps
        ],
        "commands": list(proposal.commands),
    }


def report(proposal: Proposal) -> Report:
    """Return the table for people.

    Args:
        proposal: The runs, the most informative first.

    Returns:
        One row per run, in order.
    """
    law, metric = proposal.law, metric_name(proposal.law.metric)
    terms = law_info(law).scale
    low, middle, high = map(terms.without_unit.format, terms.ends(*proposal.today))
    target = terms.format_error(proposal.target)
    scale = f"{units.format_count(proposal.scale)} {units.data_in_words(law.x_unit)}"
    last = proposal.steps[-1]
    best, worst = proposal.after(last)
    ends = sorted(map(terms.from_error, (best, worst)))
    after = " to ".join(map(terms.without_unit.format, ends))
    spent, budget = (format_amount(x, proposal.unit) for x in (proposal.spent, proposal.budget))
    spent += "; your runs so far took " if proposal.default_budget else " of "
    spent += f"{budget}, so that is the budget" if proposal.default_budget else budget
    if proposal.rate and proposal.unit == FLOP:
        time = units.duration_in_words(proposal.spent / proposal.rate)
        spent += f", about {time} on one device like {proposal.device}"
    columns = [column for column in _columns(proposal) if any(map(column.of, proposal.steps))]
    again = (
        "Train them, add what you measure, and ask again:" if law.source == "fitted" else "Train them here:"
    )
    return Report(
        title=f"Runs that narrow {metric} {target} most ({law_info(law).subject})",
        columns=("run", *(column.title for column in columns), "interval left"),
        rows=tuple(_row(i, step, columns) for i, step in enumerate(proposal.steps, 1)),
        notes=[
            f"Today the law predicts {metric} {middle} (90% interval: {low} to {high}) at {scale}: "
            "where its median reaches the target, or as close as it gets.",
            f"After these runs the interval should be about {after}, {last.left:.0%} as wide, if the law's "
            "form is right.",
            f"Together they take {spent}. Each is one training of the best size; searching hyperparameters "
            "costs a multiple.",
        ],
        sections={"Next": [again, *proposal.commands]} if proposal.commands else {},
    )


class _Column(NamedTuple):
    """A column of the table; it is printed where some run has a value."""

    title: str
    of: Callable[[Step], Any]
    text: Callable[[Step], str]


def _columns(proposal: Proposal) -> tuple[_Column, ...]:
    """Return the columns; the family and the new data only where they tell runs or costs apart."""
    unit, steps = proposal.law.x_unit, proposal.steps
    several = len({step.run.family for step in steps}) > 1
    labels = proposal.unit not in (FLOP, GPU_HOURS)
    return (
        _Column("family", lambda step: several and step.run.family, lambda step: step.run.family),
        _Column(unit, lambda step: step.run.data, lambda step: units.format_count(step.run.data)),
        _Column(
            "new",
            lambda step: labels and step.run.new_data,
            lambda step: units.format_count(step.run.new_data),
        ),
        _Column(
            "parameters",
            lambda step: step.run.params,
            lambda step: units.format_number(step.run.params or 0.0),
        ),
        _Column(
            "FLOP",
            lambda step: step.run.gpu_hours is None and step.run.flops,
            lambda step: units.format_flops(step.run.flops or 0.0),
        ),
        _Column("time", lambda step: step.seconds, lambda step: units.duration_in_words(step.seconds or 0.0)),
        _Column(
            "GPU-hours",
            lambda step: step.run.gpu_hours,
            lambda step: units.format_number(step.run.gpu_hours or 0.0),
        ),
        _Column(
            "cost", lambda step: step.run.dollars, lambda step: units.format_money(step.run.dollars or 0.0)
        ),
    )


def _row(number: int, step: Step, columns: list[_Column]) -> tuple[str, ...]:
    return (
        f"{number}{', another seed' if step.repeated else ''}",
        *(column.text(step) for column in columns),
        f"{step.left:.0%}",
    )
