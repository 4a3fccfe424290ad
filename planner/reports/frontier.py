"""The report of `planner frontier`."""

from typing import Any

from planner import warnings
from planner.metrics import FRACTION
from planner.plans.frontier import Frontier
from planner.plans.plan import Plan
from planner.plans.quantities import kind_of, quantities, samples_of
from planner.reports.assumption_text import law_sentences
from planner.reports.estimate_record import interval
from planner.reports.report import Report
from planner.reports.sections import Section


def records(front: Frontier) -> list[dict[str, Any]]:
    """Return one record per point of a frontier.

    Args:
        front: The plans, by rising cost.

    Returns:
        Records with the cost, the interval of every quantity and the warnings.
    """
    return [
        {
            "cost": value,
            "cost_unit": front.unit,
            "law": plan.estimate.law.id,
            "metric": plan.estimate.law.metric,
            **{name: interval(quantity) for name, quantity in quantities(plan).items()},
            "warnings": warnings.records(plan.warnings),
        }
        for value, plan in front.points
    ]


def report(front: Frontier) -> Report:
    """Return the table for people.

    Args:
        front: The plans, by rising cost.

    Returns:
        One row per cost: the interval of the metric, and medians of the other quantities.
    """
    first = front.points[0][1]
    estimate = first.estimate
    rest = [name for name in ("data", "params", "flops") if name != front.cost and samples_of(first, name)]
    short, unit = estimate.law.scale.without_unit, estimate.law.metric_unit
    rows = []
    for value, plan in front.points:
        ends = plan.estimate.own_value.interval()
        value_reached = tuple(
            "-" if end is None else short.format(end) for end in (ends.q05, ends.median, ends.q95)
        )
        others = (_middle(plan, name) for name in rest)
        rows.append((kind_of(front.cost).printed(value), *value_reached, *others))
    codes = list(dict.fromkeys(code for _, plan in front.points for code in plan.warnings))
    return Report(
        title=f"{'Highest' if short.higher_is_better else 'Lowest'} {estimate.law.metric} for each cost "
        f"({estimate.law.subject})",
        columns=(
            kind_of(front.cost).label_of(estimate.law.metric, front.unit),
            "5%",
            estimate.law.metric if not unit or unit == FRACTION else f"{estimate.law.metric}, {unit}",
            "95%",
            *(kind_of(name).label_of(estimate.law.metric, estimate.data.unit) for name in rest),
        ),
        rows=tuple(rows),
        notes=(
            *(["Data, parameters and FLOP are medians."] if rest else []),
            *(f"Left out: {reason}." for reason in front.refused[-1:]),
        ),
        sections={
            Section.SOURCES: law_sentences(estimate.law_model)[:1],
            "Warnings of some points": warnings.with_codes(codes),
        },
    )


def _middle(plan: Plan, name: str) -> str:
    middle = quantities(plan)[name].interval().median
    if middle is None:
        return "never"
    return kind_of(name).printed(middle)
