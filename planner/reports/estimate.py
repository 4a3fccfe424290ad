"""An estimate as people read it: a small table with its notes; JSON and CSV carry `estimate_record`."""

import math
from collections.abc import Callable, Sequence

from laws import paths
from laws.codes import WarningCode
from laws.types import FORECAST, Quantity
from planner import units, warnings
from planner.plans.estimate import FLOOR_CERTAIN, Estimate
from planner.plans.missing import missing_inputs
from planner.plans.plan import Plan
from planner.plans.quantities import ValueFormat, kind_of, kinds, quantities
from planner.plans.question import PAIR
from planner.reports import sentences
from planner.reports.assumption_text import hardware_text, law_sentences
from planner.reports.estimate_record import EXTRAPOLATION_FACTORS, Extrapolation, extrapolation
from planner.reports.quantities import in_brackets
from planner.reports.report import Report
from planner.reports.sections import Section
from planner.reports.sentences import probability
from planner.reports.training_settings import settings_text

_MULTIPLES = {"params": "the model", "compute": "its compute"}
MAX_ALTERNATIVES = 3  # other laws that the table names; JSON has them all
SMALLEST_SHARE = 0.01  # of the variance: smaller ones are not printed


def report(plan: Plan) -> Report:
    """Return the table for people, with its notes and sections.

    Args:
        plan: The answer to a question.

    Returns:
        The table: one row per quantity; notes on probability and extrapolation; sources, assumptions,
        warnings.
    """
    sections: dict[str, Sequence[str]] = {
        Section.SENSITIVITY: _sensitivity(plan),
        Section.SOURCES: law_sentences(plan.estimate.law_model),
        Section.SETTINGS: settings_text(plan),
        Section.HARDWARE: _hardware(plan),
        Section.HARDWARE_ASSUMPTIONS: _hardware_assumptions(plan),
        Section.WARNINGS: warnings.with_codes(
            code for code in plan.warnings if code != WarningCode.EMBEDDED_CORPUS
        ),
        Section.ALTERNATIVES: _alternatives(plan.estimate),
    }
    return Report(
        title=_title(plan),
        columns=("", "5%", "median", "95%"),
        rows=_rows(plan),
        notes=(
            *_embedded_corpus(plan.estimate),
            *_probabilities(plan),
            *_irreducible_error(plan.estimate),
            *dates(plan),
            *lowest_expected_cost(plan),
            *not_known(plan),
            _extrapolation(plan.estimate),
        ),
        sections=sections,
    )


def _title(plan: Plan) -> str:
    estimate = plan.estimate
    hardware = "" if plan.resources is None else f" on {_devices(plan)}"
    subject = f"({estimate.law.subject}){hardware}"
    if estimate.target is not None:
        confidence = "" if plan.confidence is None else f" with probability {_percent(plan.confidence)}"
        target = estimate.law.format_error(estimate.target)
        return f"To reach {estimate.law.metric} {target}{confidence} {subject}"
    return f"With {_given_text(plan)} {subject}"


def _given_text(plan: Plan) -> str:
    """Return the quantity or the limits that were given."""
    estimate = plan.estimate
    data = units.format_data(plan.parsed.data or 0.0, estimate.data.unit)
    if plan.given is None:
        return " and ".join(sentences.limit_texts(plan.question.limits))
    if plan.given == "data":
        return data
    if plan.given == "flops":
        return f"{units.format_flops(estimate.flops.draws[0])} FLOP"
    params = f"{units.format_number(estimate.params.draws[0])} parameters"
    return f"{params} on {data}" if plan.given == PAIR else params


def _embedded_corpus(estimate: Estimate) -> list[str]:
    """Return, before anything else, that a law which ships with the tool is of no corpus but its own."""
    return [warnings.sentence(WarningCode.EMBEDDED_CORPUS)] if estimate.law.source == "shipped" else []


def _devices(plan: Plan) -> str:
    assert plan.resources is not None
    return f"{plan.resources.training.count} x {plan.resources.training.accelerator.id}"


def _rows(plan: Plan) -> tuple[tuple[str, ...], ...]:
    """Return one row per quantity that belongs in a table, and how far the data extrapolates."""
    metric, data_unit = plan.estimate.law.metric, plan.estimate.data.unit
    rows = []
    for kind in kinds():
        if kind.in_table(plan):
            shown = plan.estimate.law.scale.format if kind.format is ValueFormat.METRIC else kind.printed
            quantity = kind.of(plan) or kind.empty()
            rows.append((kind.label_of(metric, data_unit), *_cells(quantity, shown)))
        if kind.key == "flops":
            rows.append((sentences.TIMES_MEASURED, *_cells(plan.estimate.beyond)))
    return tuple(rows)


def _probabilities(plan: Plan) -> list[str]:
    """Return how probable the answer is: by the law, with a confidence, within the limits."""
    estimate, feasibility = plan.estimate, plan.feasible
    notes = []
    if estimate.target is not None:
        sentence = sentences.REACHABLE if plan.confidence is None else sentences.CONFIDENT
        worsens = WarningCode.RISING in estimate.warnings
        reachable = sentences.WORSENING if worsens else probability(estimate.probability_reachable)
        notes.append(sentence.format(probability=reachable, within=_within(estimate)))
        notes += _if_reachable(estimate.data)
    elif plan.error_at_confidence is not None and plan.confidence is not None:
        scale = estimate.law.scale
        value = scale.or_better(scale.format_error(plan.error_at_confidence))
        notes.append(f"With probability {_percent(plan.confidence)}, {estimate.law.metric} is {value}.")
    if feasibility is not None:
        limits = ", ".join(
            f"{sentences.LIMITS[name]} {probability(p)}" for name, p in feasibility.each.items()
        )
        notes.append(
            sentences.FEASIBLE.format(
                probability=probability(feasibility.probability),
                by_limit=sentences.EACH_LIMIT.format(limits=limits) if limits else "",
            )
        )
    if plan.binding is not None:
        notes.append(sentences.TIGHTEST.format(limit=sentences.LIMITS[plan.binding]))
    elif feasibility is not None:
        notes.append(sentences.NO_RISK)
    return notes


def dates(plan: Plan) -> list[str]:
    """Return when the data is complete and when training ends."""
    duration = plan.duration
    lines = []
    for event, known, days in (
        ("The data is complete", duration.labeling.draws, duration.labeled),
        ("Training ends", duration.total.draws, duration.finish),
    ):
        if known:
            early, middle, late = (sentences.NEVER if day is None else day.isoformat() for day in days)
            end = f"{early} or later" if days[2] is None else f"{early} to {late}"
            lines.append(f"{event} on {middle} (90% interval: {end}).")
    return [f"Start: {duration.start}. {' '.join(lines)}"] if lines else []


def lowest_expected_cost(plan: Plan) -> list[str]:
    """Return the amount of data with the lowest expected cost, where missing the target has a price."""
    cost, unit = plan.expected_cost, plan.estimate.data.unit
    if cost is None:
        return []
    miss = cost.penalty * (1 - cost.probability)
    parts = [f"data {units.format_money(cost.data_dollars)}"]
    if cost.compute_dollars is not None:
        parts.append(f"compute {units.format_money(cost.compute_dollars)}")
    parts.append(f"penalty {units.format_money(miss)}")
    return [
        f"Lowest expected cost: {units.format_money(cost.dollars)} ({', '.join(parts)}) with "
        f"{units.format_data(cost.data, unit)}, {units.format_data(cost.to_buy, unit)} of them bought; "
        f"they reach the target with probability {probability(cost.probability)}."
    ]


def not_known(plan: Plan) -> list[str]:
    """Return which quantities are not known, and the options that would supply them."""
    if not (plan.question.limited or plan.cost.data.draws or plan.duration.labeling.draws):
        return []
    lines = []
    for gap in missing_inputs(plan):
        labels = ", ".join(_in_sentence(kind_of(key).label) for key in gap.quantities)
        step = " or ".join(f"--{name.replace('_', '-')}" for name in gap.options)
        if gap.command:
            step = "runs with parameters and FLOP (planner fit)"
        lines.append(f"{labels}: add {step}")
    return [f"Not known: {'; '.join(lines)}."] if lines else []


def _in_sentence(label: str) -> str:
    """Return a label within a sentence: "training FLOP", but "GPU-hours"."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


def _within(estimate: Estimate) -> str:
    """Return how probable the target is with amounts of data that one may have, where that is less."""
    (ten, near), (hundred, far) = (
        (factor, estimate.reached_within(factor)) for factor in EXTRAPOLATION_FACTORS[1:]
    )
    if near is None or probability(near) == probability(estimate.probability_reachable):
        return ""
    return sentences.WITHIN_DATA.format(
        near=ten, near_probability=probability(near), far=hundred, far_probability=probability(far)
    )


def _if_reachable(data: Quantity) -> list[str]:
    """Return the data where the target is reached; the table has none if most samples never reach it."""
    reached = [d for d in data.draws if math.isfinite(d)]
    if not reached or 2 * len(reached) > len(data.draws):
        return []
    middle = units.format_data(paths.quantile(reached, 0.5), data.unit)
    low, high = (units.format_number(paths.quantile(reached, level)) for level in (0.05, 0.95))
    return [sentences.IF_REACHABLE.format(median=middle, low=low, high=high)]


def sensitivity_caption(plan: Plan) -> str:
    """Return the caption of the shares in `plan.sensitivity`.

    Args:
        plan: The plan.

    Returns:
        Text that names the quantity whose variation is explained.
    """
    scale = plan.estimate.law.scale
    modeled = scale.metric if scale.ceiling is None else f"{scale.format(scale.ceiling)} - {scale.metric}"
    names = {"gpu_hours": "GPU-hours", "flops": "training FLOP", "error": modeled}
    quantity = plan.sensitivity.quantity
    return f"Share of the variation of {names.get(quantity, quantity)} explained"


def _sensitivity(plan: Plan) -> list[str]:
    ordered = sorted(plan.sensitivity.shares.items(), key=lambda item: -item[1])
    shares = [f"{name.replace('_', ' ')} {share:.0%}" for name, share in ordered if share >= SMALLEST_SHARE]
    return [f"{sensitivity_caption(plan)}: {', '.join(shares)}."] if shares else []


def _hardware(plan: Plan) -> list[str]:
    """Return the utilization, how long a step takes and how much moves through memory."""
    if plan.resources is None:
        return []
    samples = quantities(plan)
    lines = [f"Utilization: {in_brackets('utilization', samples['utilization'])} of peak FLOP/s."]
    if samples["step_seconds"].interval().median is not None:
        positions = units.format_number(plan.resources.training.assumed["positions"].high)
        step, moved = (in_brackets(name, samples[name]) for name in ("step_seconds", "bytes_moved"))
        lines.append(f"A step of {positions} positions per device takes {step} seconds.")
        lines.append(f"Memory traffic: {moved} in total.")
    if plan.cost.serving.draws:
        lines.append("Inference is priced like as much training FLOP; at a lower utilization it costs more.")
    return lines


def _hardware_assumptions(plan: Plan) -> list[str]:
    return [] if plan.resources is None else [hardware_text(a) for a in plan.resources.assumed]


def _percent(value: float) -> str:
    return units.format_fraction(value)


def _irreducible_error(estimate: Estimate) -> list[str]:
    """Return the error at any amount of data, where it is in doubt that the target can be reached."""
    reachable = estimate.probability_reachable
    if reachable is None or reachable >= FLOOR_CERTAIN or not estimate.limit.draws:
        return []
    scale, ends = estimate.law.scale, estimate.own_limit.interval()
    low, middle, high = (scale.format(end or 0.0) for end in (ends.q05, ends.median, ends.q95))
    what = (
        f"Best {scale.metric} at any amount of data"
        if scale.higher_is_better
        else f"Estimated irreducible {scale.metric}"
    )
    return [f"{what}: {middle} (90% interval: {low} to {high})."]


def _alternatives(estimate: Estimate) -> list[str]:
    lines = []
    for law in estimate.alternatives[:MAX_ALTERNATIVES]:
        hidden = law.form == FORECAST and estimate.law.form != FORECAST
        origin = f"{law.source} forecast" if hidden else law.source
        lines.append(f"{origin}, {law.subject}: planner estimate --law {law.id} --target VALUE")
    more = len(estimate.alternatives) - MAX_ALTERNATIVES
    return [*lines, f"{more} more: planner laws list"] if more > 0 else lines


def _cells(quantity: Quantity, show: Callable[[float], str] = units.format_number) -> tuple[str, str, str]:
    """Return the printed 5% quantile, median and 95% quantile of a quantity."""
    if not quantity.draws:
        return sentences.UNKNOWN, sentences.UNKNOWN, sentences.UNKNOWN
    low, middle, high = (
        sentences.NEVER if math.isinf(value) else show(value)
        for value in (paths.quantile(quantity.draws, level) for level in (0.05, 0.5, 0.95))
    )
    return (low, middle, high) if quantity.spread else (sentences.UNKNOWN, middle, sentences.UNKNOWN)


def _extrapolation(estimate: Estimate) -> str:
    """Return how far the answer is from the measured data."""
    verdict, measured = extrapolation(estimate), estimate.law_model.measured
    if verdict is Extrapolation.BELOW and measured.smallest_data is not None:
        smallest = units.format_data(measured.smallest_data, estimate.data.unit)
        return f"Extrapolation: {verdict.value}, which starts at {smallest}."
    if measured.largest_data is None:
        return "Extrapolation: not known, because the publication does not state its measured range."
    largest = units.format_data(measured.largest_data, estimate.data.unit)
    if verdict is Extrapolation.NEVER:
        return f"Extrapolation: {verdict.value}; the largest measured data is {largest}."
    if verdict is Extrapolation.INSIDE:
        return f"Extrapolation: {verdict.value}, which goes up to {largest}."
    times = units.format_number(paths.quantile(estimate.beyond.draws, 0.5))
    one_amount = estimate.target is None and len(set(estimate.data.draws)) == 1
    subject = "the data" if one_amount else "the median"
    others = "".join(
        f", {_MULTIPLES[name]} {units.format_number(value)} times the largest measured"
        for name, value in estimate.times_measured.items()
        if name in _MULTIPLES
    )
    return (
        f"Extrapolation: {verdict.value}; {subject} is {times} times the largest measured data, "
        f"{largest}{others}."
    )
