"""A plan as people read it: a small table, and beneath it in sentences what it stands on."""

import math
from collections.abc import Callable, Sequence

from laws import paths
from laws.codes import WarningCode
from laws.types import FORECAST, Quantity
from planner import units, warnings
from planner.plans.estimate import Estimate
from planner.plans.plan import Plan
from planner.plans.quantities import ValueFormat, kinds, quantities
from planner.plans.question import PAIR
from planner.reports import sentences
from planner.reports.assumption_text import hardware_text, law_sentences
from planner.reports.estimate_record import BELOW, INSIDE, WITHIN, feasible, verdict
from planner.reports.quantities import in_brackets
from planner.reports.report import Report
from planner.reports.sections import Section
from planner.reports.sentences import probability

MAX_ALTERNATIVES = 3  # other laws that the table names; JSON has them all
SMALLEST_SHARE = 0.01  # of the variance: smaller ones are not printed


def report(plan: Plan) -> Report:
    """Return the table for people, with everything that it stands on in sentences beneath."""
    found = plan.estimate
    sections: dict[str, Sequence[str]] = {
        Section.SENSITIVITY: _sensitivity(plan),
        Section.SOURCES: law_sentences(plan.estimate.law_model),
        Section.HARDWARE: _on_machines(plan),
        Section.HARDWARE_ASSUMPTIONS: _assumed(plan),
        Section.WARNINGS: warnings.with_codes(
            code for code in plan.warnings if code != WarningCode.EMBEDDED_CORPUS
        ),
        Section.ALTERNATIVES: _others(found),
    }
    return Report(
        title=_title(plan),
        columns=("", "5%", "median", "95%"),
        rows=_rows(plan),
        notes=(*_not_yours(found), *_chances(plan), *_limit(found), _where(found)),
        sections=sections,
    )


def _title(plan: Plan) -> str:
    found, question = plan.estimate, plan.question
    hardware = "" if plan.resources is None else f" on {_machines(plan)}"
    of = f"({found.law.subject}){hardware}"
    if found.target is not None:
        sure = "" if plan.confidence is None else f" with probability {_percent(plan.confidence)}"
        return f"To reach {found.law.metric} {found.law.format_error(found.target)}{sure} {of}"
    if plan.given == PAIR:
        data = units.format_data(plan.parsed.data or 0.0, found.data.unit)
        return f"What {units.format_number(found.params.draws[0])} parameters on {data} reach {of}"
    if plan.given is not None:
        given = {"data": found.data, "params": found.params, "flops": found.flops}[plan.given]
        amount = {
            "data": units.format_data(plan.parsed.data or 0.0, found.data.unit),
            "params": f"{units.format_number(given.draws[0])} parameters",
            "flops": f"{units.format_flops(given.draws[0])} FLOP",
        }[plan.given]
        return f"What {amount} reach {of}"
    limits = [
        text.strip() + name
        for text, name in (
            (question.limits.budget, ""),
            (
                question.limits.gpu_hours,
                "" if "gpu" in (question.limits.gpu_hours or "").lower() else " GPU-hours",
            ),
            (question.limits.deadline, ""),
        )
        if text is not None
    ]
    return f"What {' and '.join(limits)} reach {of}"


def _not_yours(found: Estimate) -> list[str]:
    """Say before anything else that a law which ships with the tool is of no corpus but its own."""
    return [warnings.sentence(WarningCode.EMBEDDED_CORPUS)] if found.law.source == "shipped" else []


def _machines(plan: Plan) -> str:
    assert plan.resources is not None
    return f"{plan.resources.training.count} x {plan.resources.training.accelerator.id}"


def _rows(plan: Plan) -> tuple[tuple[str, ...], ...]:
    """Return one row per quantity that belongs in a table, and how far the data extrapolates."""
    metric, data_unit = plan.estimate.law.metric, plan.estimate.data.unit
    rows = []
    for kind in kinds():
        if kind.in_table(plan):
            shown = plan.estimate.law.format_error if kind.format is ValueFormat.METRIC else kind.printed
            quantity = kind.of(plan) or kind.empty()
            rows.append((kind.label_of(metric, data_unit), *_cells(quantity, shown)))
        if kind.key == "flops":
            rows.append((sentences.TIMES_MEASURED, *_cells(plan.estimate.beyond)))
    return tuple(rows)


def _chances(plan: Plan) -> list[str]:
    """Say how probable the answer is: of the law, of a confidence, of the limits."""
    found, fits = plan.estimate, plan.feasible
    notes = []
    if found.target is not None:
        sentence = sentences.REACHABLE if plan.confidence is None else sentences.CONFIDENT
        chance = probability(found.probability_reachable)
        notes.append(sentence.format(probability=chance, within=_within(found)))
        notes += _where_reached(found.data)
    elif plan.error_at_confidence is not None and plan.confidence is not None:
        error = found.law.format_error(plan.error_at_confidence)
        notes.append(f"With probability {_percent(plan.confidence)} {found.law.metric} is {error} or less.")
    if fits is not None:
        limits = ", ".join(f"{sentences.LIMITS[name]} {probability(p)}" for name, p in fits.each.items())
        notes.append(
            sentences.FEASIBLE.format(
                verdict=sentences.VERDICTS[feasible(plan) is True],
                probability=probability(fits.probability),
                each=sentences.EACH_LIMIT.format(limits=limits) if limits else "",
            )
        )
    if plan.binding is not None:
        notes.append(sentences.TIGHTEST.format(limit=sentences.LIMITS[plan.binding]))
    elif fits is not None:
        notes.append(sentences.NO_RISK)
    return notes


def _within(found: Estimate) -> str:
    """Say how probable the target is with data that somebody might have, where that is less."""
    all_in_all = probability(found.probability_reachable)
    steps = [(factor, found.reached_within(factor)) for factor in WITHIN[1:]]
    (ten, near), (hundred, far) = steps
    if near is None or probability(near) == all_in_all:
        return ""
    return sentences.WITHIN_DATA.format(
        near=ten, near_probability=probability(near), far=hundred, far_probability=probability(far)
    )


def _where_reached(data: Quantity) -> list[str]:
    """Say what is needed where the target is reached, if most draws never do: the table has none."""
    reached = [d for d in data.draws if math.isfinite(d)]
    if not reached or 2 * len(reached) > len(data.draws):
        return []
    middle = units.format_data(paths.quantile(reached, 0.5), data.unit)
    low, high = (units.format_number(paths.quantile(reached, level)) for level in (0.05, 0.95))
    return [sentences.IF_REACHABLE.format(median=middle, low=low, high=high)]


def sensitivity_caption(plan: Plan) -> str:
    """Return what the shares of `plan.sensitivity` are shares of."""
    names = {"gpu_hours": "GPU-hours", "flops": "training FLOP", "error": plan.estimate.law.metric}
    quantity = plan.sensitivity.quantity
    return f"Share of the variance of log({names.get(quantity, quantity)}) explained"


def _sensitivity(plan: Plan) -> list[str]:
    ordered = sorted(plan.sensitivity.shares.items(), key=lambda item: -item[1])
    shares = [f"{name.replace('_', ' ')} {share:.0%}" for name, share in ordered if share >= SMALLEST_SHARE]
    return [f"{sensitivity_caption(plan)}: {', '.join(shares)}."] if shares else []


def _on_machines(plan: Plan) -> list[str]:
    """Say how much of the peak is reached, how long a step takes and what moves through memory."""
    if plan.resources is None:
        return []
    known = quantities(plan)
    reached = [f"{in_brackets('utilization', known['utilization'])} of the peak are reached"]
    if known["step_seconds"].interval().median is not None:
        positions = units.format_number(plan.resources.training.assumed["positions"].high)
        step, moved = (in_brackets(name, known[name]) for name in ("step_seconds", "bytes_moved"))
        reached.append(f"a step of {positions} positions a device takes {step} seconds")
        reached.append(f"{moved} pass through memory in all")
    serving = ["Serving is priced as the same FLOP of training are; at a lower utilization it costs more."]
    return ["; ".join(reached) + ".", *(serving if plan.cost.serving.draws else [])]


def _assumed(plan: Plan) -> list[str]:
    return (
        [] if plan.resources is None else [hardware_text(assumption) for assumption in plan.resources.assumed]
    )


def _percent(value: float) -> str:
    return units.format_fraction(value)


def _limit(found: Estimate) -> list[str]:
    """Say what remains at any amount of data where that is in doubt."""
    chance = found.probability_reachable
    if chance is None or chance >= 0.95:
        return []
    ends = found.limit.interval()
    low, middle, high = (found.law.format_error(end or 0.0) for end in (ends.q05, ends.median, ends.q95))
    return [f"At any amount of data {found.law.metric} stays at {middle} (90% interval {low} to {high})."]


def _others(found: Estimate) -> list[str]:
    shown = []
    for other in found.alternatives[:MAX_ALTERNATIVES]:
        hidden = other.form == FORECAST and found.law.form != FORECAST
        origin = f"{other.source} forecast" if hidden else other.source
        shown.append(f"{origin}, {other.subject}: planner estimate --law {other.id} --target VALUE")
    more = len(found.alternatives) - MAX_ALTERNATIVES
    return [*shown, f"{more} more: planner laws list"] if more > 0 else shown


def _cells(quantity: Quantity, show: Callable[[float], str] = units.format_number) -> tuple[str, str, str]:
    """Return the printed 5 % quantile, median and 95 % quantile; "-" is unknown, "never" is infinite."""
    if not quantity.draws:
        return "-", "-", "-"
    low, middle, high = (
        "never" if math.isinf(value) else show(value)
        for value in (paths.quantile(quantity.draws, level) for level in (0.05, 0.5, 0.95))
    )
    return (low, middle, high) if quantity.spread else ("-", middle, "-")


def _where(found: Estimate) -> str:
    said = verdict(found)
    if said == BELOW and found.law_model.joint_start[0] is not None:
        least = units.format_data(found.law_model.joint_start[0], found.data.unit)
        return f"How far: {said}, which begins at {least}."
    if found.law_model.measured.largest_data is None:
        return "The publication's measured range is not stored, so how far this lies beyond it is not known."
    largest = units.format_data(found.law_model.measured.largest_data, found.data.unit)
    if math.isinf(paths.quantile(found.beyond.draws, 0.5)):
        return f"How far: {said}; the largest measured data is {largest}."
    if said == INSIDE:
        return f"How far: {said}, which goes up to {largest}."
    times = units.format_number(paths.quantile(found.beyond.draws, 0.5))
    what = "this" if found.target is None and len(set(found.data.draws)) == 1 else "the median"
    return f"How far: {said}; {what} is {times} times the largest measured data, {largest}."
