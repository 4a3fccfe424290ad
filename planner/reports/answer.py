"""The short answer of `planner estimate`: a sentence, a few rows, what is doubtful, what to do next.

`planner/reports/estimate.py` explains the same answer in full (`--explain`); JSON and CSV carry
`estimate_record`.
"""

import math
from collections.abc import Callable, Sequence

from laws import paths
from laws.codes import WarningCode
from laws.types import Quantity
from planner import units
from planner.plans.estimate import FLOOR_CERTAIN, Estimate
from planner.plans.plan import SURE, Plan
from planner.plans.power_law_answer import power_law_answer
from planner.plans.quantities import QuantityKind, ValueFormat, kinds
from planner.plans.question import PAIR
from planner.reports import sentences
from planner.reports.brief import MAX_WARNINGS, Brief
from planner.reports.next_command import OWN, next_command
from planner.reports.sentences import probability
from planner.severity import Severity, ranked, severity

MAX_ROWS = 7
LINES_DIFFER = 1.25  # factor between the power law and the forecast from which both are printed
NARROW = 1.25  # factor between the ends of an interval below which three digits mean something
MAX_LABEL = 20  # characters of a price in a label
MAX_OTHER_LAWS = 2  # outside an interval, that a screen names
ABOUT = 1.1  # times the largest measurement, below which a plan is about there
LONG_TRAINING_DAYS = 365.0  # above which the default number of devices is remarked on
MOSTLY = 0.5  # share of samples that reach the target, below which rows are of those samples
WITHIN = 10  # times the largest measured data: how far forecasts were checked
EXPLAIN = "add --explain"
# quantity -> its rank where a screen has room for seven; the others are printed with --explain
RANKS = {
    "error": 1, "score": 1, "data": 2, "total_dollars": 3, "days": 4, "data_dollars": 5, "dollars": 6,
    "labeling_days": 7, "params": 8, "serving_dollars": 9, "gpu_hours": 10, "flops": 11,
}  # fmt: skip
OF_COMPUTE = (WarningCode.NO_SIZE_LAW, WarningCode.NO_COMPUTE)
ACRONYMS = frozenset({"wer", "cer", "ter", "wper", "bleu", "auc", "map", "miou"})


def answer(plan: Plan, *, store: str = "", fleet: str = "") -> Brief:
    """Return the short answer to a question.

    Args:
        plan: The answer.
        store: Folder of the store, where it was named: the next command names it too.
        fleet: The fleet file, where it was named.

    Returns:
        The answer in sentences, at most seven rows, at most three warnings, and the next command.
    """
    rows, heading = _rows(plan)
    codes = relevant(plan)
    return Brief(
        lead=(*_lead(plan), *_feasible(plan)),
        columns=("", *heading),
        rows=tuple(rows),
        remarks=(
            *_power_law(plan),
            *_floor(plan),
            *_measured_data(plan),
            *_default_devices(plan),
            *_too_many_devices(plan),
            *_further(plan),
            *_source(plan),
        ),
        warnings=tuple(codes[:MAX_WARNINGS]),
        more_warnings=len(codes[MAX_WARNINGS:]),
        next=next_command(plan, store=store, fleet=fleet),
        why=EXPLAIN,
    )


def _measured_data(plan: Plan) -> list[str]:
    """Return that data already measured is bought again unless it is named, where data costs something."""
    supply, law_model = plan.question.supply, plan.estimate.law_model
    largest = law_model.measured.largest_data
    costs = supply.data_price is not None or supply.data_rate is not None
    if supply.have_data is not None or not costs or law_model.law.source != "fitted" or largest is None:
        return []
    have = f"{largest:.12g}" + ("h" if law_model.unit == units.AUDIO_UNIT else "")
    return [f"This counts no data as yours. If you have the data you measured, add --have-data {have}."]


def _default_devices(plan: Plan) -> list[str]:
    """Return that the number of devices is a default, where the training takes long on them."""
    question, resources = plan.question, plan.resources
    if resources is None or question.hardware.count is not None or question.limits.deadline is not None:
        return []
    days = paths.quantile(resources.training.days, 0.5)
    if not LONG_TRAINING_DAYS < days < math.inf:
        return []
    count = resources.training.count
    return [f"{count} devices is the default: add --count, or --deadline 90d to plan how many it takes."]


def _too_many_devices(plan: Plan) -> list[str]:
    """Return that a language model would not train faster on all of the devices."""
    if plan.resources is None or plan.estimate.law.domain != "language":
        return []
    from planner.reports.training_settings import too_many_devices  # only plans of language models need it

    return too_many_devices(plan)


def _further(plan: Plan) -> list[str]:
    """Return what only some questions are about: dates, the lowest expected cost, what is not known."""
    limits, duration = plan.question.limits, plan.duration
    is_dated = bool(limits.start or limits.deadline or duration.labeling.draws)
    question, cost = plan.question, plan.cost.data.draws
    is_known = question.hardware.on is not None or not (question.limited or cost)
    if not is_dated and plan.expected_cost is None and is_known:
        return []
    from planner.reports.estimate import dates, lowest_expected_cost, not_known  # rare: see the start-up time

    return [*(dates(plan) if is_dated else ()), *lowest_expected_cost(plan), *not_known(plan)]


def _source(plan: Plan) -> list[str]:
    """Return which law answers, where the question does not say so."""
    law, selector = plan.estimate.law, plan.question.selector
    if law.source in OWN and (selector.domain or selector.law):
        return []
    origin = f"{law.source} law" if law.source not in OWN else "law"
    loss = plan.estimate.law_model.companions.get("loss")
    by = f"{law.id} ({law.domain})" + (f", the {law.metric} by law {loss}" if loss else "")
    return [f"By {origin} {by}.", *_measured_off(plan), *_interval_of(plan), *_other_laws(plan)]


def _measured_off(plan: Plan) -> list[str]:
    """Return by how much the largest measurement of a published law is off it."""
    if WarningCode.MEASURED_OFF_LAW not in plan.warnings:
        return []
    from laws.catalog.published import published_law  # only three published laws are off
    from planner.reports.published_value import measured_off_law

    return measured_off_law(published_law(plan.estimate.law.id))


def _interval_of(plan: Plan) -> list[str]:
    """Return what the intervals of a published law are, and how far another study may be from it."""
    estimate = plan.estimate
    if estimate.law.source != "published":
        return []
    if WarningCode.STANDARD_ERRORS not in estimate.warnings:
        return ["Its intervals are how far published studies differ, not a measurement."]
    from laws.catalog.between_studies import between_studies  # only answers of published laws need it
    from laws.catalog.published import published_law
    from planner.lawmodel.published import value_at_center

    spread = between_studies(estimate.law.domain, estimate.law.metric)
    error = paths.quantile(estimate.error.draws, 0.5)
    if spread is None or not 0 < error < math.inf:
        return []
    ends = spread.interval(error, value_at_center(published_law(estimate.law.id)))
    low, high = map(estimate.law.format_error, ends)
    name = metric_name(estimate.law.metric)
    return [
        "Its intervals are the standard errors of the source. Another study would measure "
        f"{name} {between(low, high)} there (90%, by how far studies differ)."
    ]


def _other_laws(plan: Plan) -> list[str]:
    """Return the laws of the same question that are outside the interval, which they are compared with."""
    others, estimate = plan.other_laws, plan.estimate
    if others is None or not others.outside:
        return []
    show = estimate.law.format_error
    outside = list(others.outside.items())
    named = " and ".join(f"{show(error)} ({id})" for id, error in outside[:MAX_OTHER_LAWS])
    more = len(outside) - MAX_OTHER_LAWS
    rest = f", and {more} more (--format json)" if more > 0 else ""
    interval = between(show(others.low), show(others.high)) or show(others.low)
    return [f"For this plan {estimate.law.id} says {interval}; other published laws say {named}{rest}."]


def relevant(plan: Plan) -> list[str]:
    """Return the codes of the warnings that matter for an answer, the most important first.

    Args:
        plan: The answer.

    Returns:
        No notes, but that compute is for one epoch where hours or money follow from it (models see tokens
        once, and other data often); nothing on compute or hardware where the question is not about them.
    """
    estimate, codes = plan.estimate, [*plan.warnings]
    if plan.question.hardware.on is None and plan.given not in ("flops", "params", PAIR):
        codes = [code for code in codes if code not in OF_COMPUTE]
    if plan.resources is None and not estimate.flops.draws:
        codes = [code for code in codes if code != WarningCode.LADDER_EXCEEDED]
    of_one_pass = plan.resources is not None and estimate.data.unit != "tokens"
    return [
        code
        for code in ranked(codes)
        if severity(code) > Severity.NOTE or (of_one_pass and code == WarningCode.ONE_PASS)
    ]


def metric_name(metric: str) -> str:
    """Return the name of a metric inside a sentence: WER, loss."""
    return metric.upper() if metric.lower() in ACRONYMS else metric


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lead(plan: Plan) -> list[str]:
    return _lead_of_target(plan) if plan.estimate.target is not None else _lead_of_amount(plan)


def _lead_of_target(plan: Plan) -> list[str]:
    """Return what a target needs, and how probable it is that it can be reached."""
    estimate = plan.estimate
    assert estimate.target is not None
    goal = _sentence(f"{metric_name(estimate.law.metric)} {estimate.law.format_error(estimate.target)}")
    chance = estimate.probability_reachable
    reached = _finite(estimate.data)
    if WarningCode.RISING in estimate.warnings:
        metric = metric_name(estimate.law.metric)
        return [f"{goal} cannot be planned: your measured {metric} gets worse with more data."]
    if plan.confidence is not None:
        plan_for = f"For {units.format_fraction(plan.confidence)} confidence in {goal}, plan"
        return [
            f"{plan_for} {_needed(plan, estimate.data.draws[0], 3)}.",
            f"It is reached with probability {probability(chance)}{_if_law_holds(plan)}.",
        ]
    if not reached:
        return [f"{goal} is out of reach: no amount of data gets there in any outcome."]
    middle = paths.quantile(reached, 0.5)
    if chance is not None and chance < MOSTLY:
        digits = _digits(reached)
        return [
            f"{goal} is probably out of reach with more data only: {probability(chance)} likely.",
            f"Where it is reached, it needs about {_needed(plan, middle, digits)}.",
        ]
    draws = estimate.data.draws
    lines = [f"{goal} needs about {_needed(plan, paths.quantile(draws, 0.5), _digits(draws))}."]
    if chance is not None:
        how = "with more data and larger models" if estimate.law_model.is_joint else "with more data only"
        likely = f"{_sentence(probability(chance))} likely reachable {how}"
        lines.append(f"{likely}{_within(estimate)}{_if_law_holds(plan)}.")
    return lines


def _if_law_holds(plan: Plan) -> str:
    """Return what a probability depends on, where it does not count how far studies differ."""
    is_conditional = WarningCode.STANDARD_ERRORS in plan.estimate.warnings
    return f", if law {plan.estimate.law.id} holds for you" if is_conditional else ""


def _needed(plan: Plan, amount: float, digits: int) -> str:
    """Return an amount of data in words, with what is missing, and with the model size of a joint law."""
    estimate, unit = plan.estimate, plan.estimate.data.unit
    rounded = float(f"{amount:.{digits - 1}e}")
    text = f"{units.format_count(amount, digits=digits)} {units.data_in_words(unit)}"
    if estimate.law_model.is_joint:
        size = paths.quantile(estimate.params.draws, 0.5)
        if math.isfinite(size):
            text += f" and {units.format_number(size, digits=digits)} parameters"
    have = plan.parsed.supply.data_available
    if have is None or estimate.law_model.is_joint:
        return text
    if amount <= have:
        return f"{text}: you have {units.format_count(have)}"
    return f"{text}: {units.format_count(max(rounded - have, 0.0), digits=3)} more than you have"


def _within(estimate: Estimate) -> str:
    """Return how probable the target is near the data, where that is less."""
    near, largest = estimate.reached_within(WITHIN), estimate.law_model.measured.largest_data
    if near is None or largest is None or probability(near) == probability(estimate.probability_reachable):
        return ""
    return f"; {probability(near)} within {WITHIN}x of the measured data"


def _lead_of_amount(plan: Plan) -> list[str]:
    """Return what an amount of data, compute or money achieves."""
    estimate = plan.estimate
    draws = estimate.own_value.draws
    low, middle, high = (estimate.law.scale.format(paths.quantile(draws, q)) for q in (0.05, 0.5, 0.95))
    spread = f" (90% interval {between(low, high)})" if estimate.error.spread and low != high else ""
    verb = "reach" if plan.given in ("data", "flops") else "reaches"
    lines = [f"{_given(plan)} {verb} {metric_name(estimate.law.metric)} {middle}{spread}."]
    if plan.given not in ("data", PAIR):
        amount = _finite(estimate.data)
        if amount:
            text = _needed(plan, paths.quantile(amount, 0.5), _digits(amount))
            lines.append(f"That trains on about {text}.")
    if plan.error_at_confidence is not None and plan.confidence is not None:
        scale = estimate.law.scale
        value = scale.or_better(scale.format_error(plan.error_at_confidence))
        lines.append(
            f"With {units.format_fraction(plan.confidence)} confidence, "
            f"{metric_name(estimate.law.metric)} is {value}{_if_law_holds(plan)}."
        )
    return [*lines, *_beyond(estimate), *_beyond_sizes(estimate)]


def _beyond(estimate: Estimate) -> list[str]:
    """Return how far an amount of data is from the measurements."""
    draws, largest = estimate.beyond.draws, estimate.law_model.measured.largest_data
    if not draws or largest is None:
        return []
    times = paths.quantile(draws, 0.5)
    up_to = f"{units.format_count(largest)} {units.data_in_words(estimate.data.unit)}"
    if times <= 1:
        return [f"That is within the measured data, which goes up to {up_to}."]
    if times < ABOUT:
        return [f"That is about the largest measured data, {up_to}."]
    return [f"That is {units.format_number(times, digits=2)} times the largest measured data, {up_to}."]


def _beyond_sizes(estimate: Estimate) -> list[str]:
    """Return how far the model of a joint law is above the measured sizes; nothing where it is not."""
    largest = estimate.law_model.measured.largest_params
    sizes = _finite(estimate.params)
    if largest is None or not sizes or (times := paths.quantile(sizes, 0.5) / largest) < ABOUT:
        return []
    size = units.format_number(largest, digits=3)
    text = f"The model is {units.format_number(times, digits=2)} times the largest measured one, {size}"
    compute = estimate.times_measured.get("compute", 0.0)
    if compute > times:
        text += f"; its compute {units.format_number(compute, digits=2)} times the largest"
    return [f"{text}."]


def _given(plan: Plan) -> str:
    """Return the quantity or the limits that were given, as the subject of a sentence."""
    estimate = plan.estimate
    data = f"{units.format_count(plan.parsed.data or 0.0)} {units.data_in_words(estimate.data.unit)}"
    params = f"{units.format_number(plan.parsed.params or 0.0)}"
    if plan.given == "data":
        return data
    if plan.given == "flops":
        return f"{units.format_flops(plan.parsed.flops or 0.0)} FLOP"
    if plan.given == PAIR:
        return f"A model of {params} parameters on {data}"
    if plan.given == "params":
        return f"A model of {params} parameters"
    texts = sentences.limit_texts(plan.question.limits)
    of_size = f", spent on a model of {params} parameters," if plan.parsed.params is not None else ""
    spent_on = "data" if plan.resources is None else _devices(plan)
    return f"{' and '.join(texts)} on {spent_on}{of_size}"


def _devices(plan: Plan) -> str:
    assert plan.resources is not None
    training = plan.resources.training
    return f"{training.count:,} {training.accelerator.id}"


def _feasible(plan: Plan) -> list[str]:
    """Return how probable it is that the plan meets its limits, and which one decides."""
    feasibility = plan.feasible
    if feasibility is None:
        return (
            [] if plan.binding is None else [sentences.TIGHTEST.format(limit=sentences.LIMITS[plan.binding])]
        )
    if not feasibility.each.keys() - {"data"}:  # how much more data is needed is in the first sentence
        return []
    limits = ", ".join(f"{sentences.LIMITS[name]} {probability(p)}" for name, p in feasibility.each.items())
    likely = f"{_sentence(probability(feasibility.probability))} likely within all limits ({limits})"
    return [f"{likely}{_if_law_holds(plan)}."]


def _rows(plan: Plan) -> tuple[list[tuple[str, str, str]], tuple[str, str]]:
    """Return the rows, and the headings of their two columns."""
    shown = [(kind, quantity) for kind in kinds() if (quantity := _applies(kind, plan)) is not None]
    sure = _sure(plan)
    room = MAX_ROWS - len(sure)
    kept = sorted(shown, key=lambda pair: RANKS[pair[0].key])[:room]
    rows, is_open = [], False
    for kind, quantity in shown:
        if (kind, quantity) in kept:
            rows.append(_row(plan, kind, quantity, first_open=not is_open))
            is_open = is_open or rows[-1][2].endswith(NO_END)
    chance = plan.estimate.probability_reachable
    only_reached = plan.estimate.target is not None and chance is not None and chance < MOSTLY
    spread = any(interval for _, _, interval in rows)
    middle = "median" if spread else "estimate"
    headings = (f"{middle}, if reached" if only_reached else middle, "90% interval" if spread else "")
    return [*rows, *sure], headings


NO_END = "(no upper bound)"


def _applies(kind: QuantityKind, plan: Plan) -> Quantity | None:
    """Return the samples of a quantity that belongs on the screen, None for any other."""
    if kind.key not in RANKS or not kind.in_table(plan):
        return None
    if kind.key == plan.given or (plan.given == PAIR and kind.key in ("data", "params")):
        return None  # the sentence names it
    if kind.format is ValueFormat.METRIC and plan.estimate.target is None:
        return None  # the sentence is about it
    if kind.key == "flops" and plan.resources is not None:
        return None
    quantity = kind.of(plan)
    if quantity is None or not _finite(quantity):
        return None
    if kind.format is ValueFormat.MONEY and not any(quantity.draws):
        return None
    return quantity


def _row(plan: Plan, kind: QuantityKind, quantity: Quantity, *, first_open: bool) -> tuple[str, str, str]:
    draws = quantity.draws
    if 2 * len(_finite(quantity)) < len(draws):
        draws = _finite(quantity)
    low, middle, high = (paths.quantile(draws, level) for level in (0.05, 0.5, 0.95))
    show = _printer(plan, kind, _digits(draws))
    if not quantity.spread or len(set(_finite(quantity))) == 1:  # one model size stays that size
        interval = ""
    elif math.isinf(high):
        interval = f"{show(low)} or more{f' {NO_END}' if first_open else ''}"
    else:
        interval = between(show(low), show(high))
    return _label(plan, kind), show(middle), interval


def between(low: str, high: str) -> str:
    """Return two printed ends as one interval, the unit once; "" where both are printed alike."""
    if low == high:
        return ""
    number, space, unit = low.partition(" ")
    return f"{number if space and high.endswith(f' {unit}') else low} to {high}"


def _printer(plan: Plan, kind: QuantityKind, digits: int) -> Callable[[float], str]:
    """Return how the values of a quantity are printed here: shorter than in a full table."""
    if kind.format is ValueFormat.METRIC:
        return plan.estimate.law.scale.format
    if kind.format is ValueFormat.DATA:
        return lambda x: units.format_amount(x, plan.estimate.data.unit, digits=digits)
    if kind.format is ValueFormat.MONEY:
        return lambda x: f"${units.format_number(x, digits=digits)}"
    if kind.format is ValueFormat.FLOPS:
        return lambda x: units.format_flops(x, digits=digits)
    if kind.unit == "days":
        return lambda x: _days(x, digits)
    if kind.format is ValueFormat.NUMBER:
        return lambda x: units.format_count(x, digits=digits)
    return kind.printed


def _days(days: float, digits: int) -> str:
    if days < 1:
        return f"{units.format_number(24 * days, digits=digits)} h"
    return f"{units.format_count(days, digits=digits)} d"


def _label(plan: Plan, kind: QuantityKind) -> str:
    price = plan.question.supply.data_price
    if kind.key == "days":
        return f"Training on {_devices(plan)}"
    if kind.key == "data_dollars" and price is not None and len(price) < MAX_LABEL:
        return f"Data at {price.strip()}"
    if kind.key == "dollars":
        return "Compute"
    return _sentence(kind.label_of(metric_name(plan.estimate.law.metric)))


def _sure(plan: Plan) -> list[tuple[str, str, str]]:
    """Return the plan that reaches the target with probability 80%: its data, and what it costs."""
    if plan.sure is None:
        return []
    surely = plan.sure
    data = units.format_amount(paths.quantile(surely.estimate.data.draws, 0.5), surely.estimate.data.unit)
    takes = None if surely.resources is None else surely.resources.cost.dollars
    for draws in (surely.cost.total.draws, surely.cost.data.draws, takes or ()):
        if any(draws):
            return [(f"To be {SURE:.0%} sure", data, units.format_money(paths.quantile(draws, 0.5)))]
    return [(f"To be {SURE:.0%} sure", data, "")]


def _power_law(plan: Plan) -> list[str]:
    """Return what the line that everyone draws says, where that is something else, and why."""
    compared = power_law_answer(plan)
    if compared is None:
        return []
    quantity, simple, forecast = compared
    if max(simple, forecast) < LINES_DIFFER * min(simple, forecast):
        return []
    estimate = plan.estimate
    says = (
        units.format_amount(simple, estimate.data.unit, digits=2)
        if quantity == "data"
        else estimate.law.format_error(simple)
    )
    if simple < forecast:
        reason = (
            f"the forecast allows for a {_floor_name(estimate)} ({floor_text(estimate)})"
            if estimate.limit.draws
            else ""
        )
    else:
        reason = "the curve is steeper on the largest data than on the smallest"
    return [f"One power law through the points says {says}{f'; {reason}' if reason else ''}."]


def floor_text(estimate: Estimate) -> str:
    """Return the estimated floor with its interval: `3.3%, 0.3% to 6.2%`."""
    low, middle, high = (
        estimate.law.scale.format(paths.quantile(estimate.own_limit.draws, level), digits=2)
        for level in (0.05, 0.5, 0.95)
    )
    return f"{middle}, {between(low, high)}" if low != high else middle


def _floor_name(estimate: Estimate) -> str:
    return "ceiling" if estimate.law.scale.higher_is_better else "floor"


def _floor(plan: Plan) -> list[str]:
    """Return the floor, named as an estimate, where it is in doubt that the target is above it."""
    estimate = plan.estimate
    chance = estimate.probability_reachable
    if estimate.target is None or chance is None or chance >= FLOOR_CERTAIN or not estimate.limit.draws:
        return []
    if any(floor_text(estimate) in remark for remark in _power_law(plan)):
        return []
    side = "above" if estimate.law.scale.higher_is_better else "below"
    name = _floor_name(estimate)
    return [f"Estimated {name}, which no amount of data gets {side}: {floor_text(estimate)}."]


def _finite(quantity: Quantity) -> tuple[float, ...]:
    return tuple(draw for draw in quantity.draws if math.isfinite(draw))


def _digits(draws: Sequence[float]) -> int:
    """Return how many digits of a median mean something: two where its interval is wide or open."""
    low, middle, high = (paths.quantile(draws, level) for level in (0.05, 0.5, 0.95))
    return 3 if 0 < (middle if math.isinf(high) else high) < NARROW * low else 2
