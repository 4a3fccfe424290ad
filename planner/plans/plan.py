"""Answer any question from either end: one quantity is given, the others follow, per posterior sample.

How a question passes through the program:

    Question        as people write it (plans/question.py); units depend on the law that answers
    ParsedQuestion  the same in base units
    LawModel        the law that answers, evaluable per posterior sample (lawmodel/)
    Plan            everything that follows: estimate, resources, cost, constraints, sensitivity
    Report          the table with its notes (reports/estimate.py); JSON and CSV carry a plain record of the
    plan

At most one of target, data, params and flops is given. GPU-hours, budget and deadline constrain the answer;
without any of the four they are the question: the most that all of them together allow. Position i of every
quantity belongs to the same posterior sample.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from laws import paths
from laws.catalog.published import PublishedLaw, published_law
from laws.codes import WarningCode
from laws.errors import ConflictingInput, LawError, MissingInput, PlannerError, drop, use
from laws.types import Law, Quantity
from planner import units
from planner.assumptions import Assumption
from planner.hardware.fleet import Fleet
from planner.lawmodel.allocation import AllocationConstraints
from planner.lawmodel.info import LawInfo, law_info
from planner.lawmodel.model import JOINT_FORMS, LawModel
from planner.lawmodel.published import data_unit, published_law_model
from planner.lawmodel.scenario import broadcast
from planner.lawmodel.select import SelectedLaw, check_metric, select_law
from planner.lawmodel.stored import law_model
from planner.plans.confidence import with_confidence
from planner.plans.constraints import computes, constraints_satisfied, largest_scales, reached
from planner.plans.data_price import parse_data_price, parse_data_rate
from planner.plans.estimate import Estimate, estimate, scales_for_target
from planner.plans.from_given import scales_from_given, with_size
from planner.plans.other_laws import OtherLaws, other_laws
from planner.plans.question import ParsedQuestion, ParsedSupply, Question, check, parse
from planner.plans.resources import ExpectedCost, Feasible, Resources, resources
from planner.plans.sensitivity import shares

OnProgress = Callable[
    [str, int, int], None
]  # called with what is planned, how many are done, and of how many
SURE = 0.8  # probability of reaching the target that an answer gives a second plan for
_COST_ASSUMPTIONS = ("utilization", "working_time", "scaling_loss", "price")


def _after(start: date, days: float | None) -> date | None:
    """Return the first day on which a duration has passed; None for one that no calendar has."""
    latest = (date.max - start).days
    return None if days is None or not days <= latest else start + timedelta(days=math.ceil(days))


class PlanCost(NamedTuple):
    """What is paid besides the hours of training, per posterior sample; without samples where not known."""

    data: Quantity  # dollars for the data that is not available yet
    total: Quantity  # dollars for compute and data
    serving: Quantity  # dollars of inference, at the price of as many training FLOP; in no total
    serving_flops: Quantity


class Duration(NamedTuple):
    """How long a plan takes, first labeling and then training; without samples where not known."""

    start: date  # the day on which labeling, or else training, starts
    labeling: Quantity  # days until the data that is not available yet has arrived
    total: Quantity  # days until the training ends

    @property
    def labeled(self) -> tuple[date | None, date | None, date | None]:
        """Return the day on which the data is complete: 5%, median, 95%; None where it never is, or not
        known.
        """
        return self._days(self.labeling)

    @property
    def finish(self) -> tuple[date | None, date | None, date | None]:
        """Return the day on which training ends: 5%, median, 95%; None where it never does, or not known."""
        return self._days(self.total)

    def _days(self, days: Quantity) -> tuple[date | None, date | None, date | None]:
        ends = days.interval()
        return (_after(self.start, ends.q05), _after(self.start, ends.median), _after(self.start, ends.q95))


class Sensitivity(NamedTuple):
    """Which unknown moves the answer most."""

    quantity: str  # that the shares are of: "dollars", "gpu_hours", "flops", "data" or "error"
    shares: Mapping[str, float]  # unknown -> share of the variance of the quantity's logarithm


class Plan(NamedTuple):
    """Everything that follows from one question."""

    parsed: ParsedQuestion  # the question in base units
    law_model: LawModel  # the law that answers, with its best sizes; the estimate may use a given one
    estimate: Estimate
    resources: Resources | None  # None without an accelerator
    cost: PlanCost
    duration: Duration
    feasible: Feasible | None  # None: nothing constrains the answer, or the constraints are the question
    binding: str | None  # the constraint that decides
    error_at_confidence: float | None  # the error that is reached with that probability
    sensitivity: Sensitivity
    expected_cost: ExpectedCost | None  # None without a price of missing the target
    warnings: tuple[str, ...]
    other_laws: OtherLaws | None = None  # of a published law: what others say about its plan
    sure: "Plan | None" = None  # the smallest plan that reaches the target with probability SURE

    @property
    def question(self) -> Question:
        """Return the question as it was written."""
        return self.parsed.question

    @property
    def given(self) -> str | None:
        """Return which quantity was given; None where only constraints were."""
        return self.parsed.given

    @property
    def confidence(self) -> float | None:
        """Return the probability that the plan has to reach its target with, None where none was set."""
        return self.parsed.confidence


def plan(
    question: Question, folder: Path, fleet: Fleet, *, today: date, seed: int = 0, sure: bool = False
) -> Plan:
    """Return everything that follows from a question.

    Args:
        question: The question as people write it.
        folder: The store; its law that matches best answers, else a published one.
        fleet: The accelerators and what is assumed of them.
        today: The day that deadlines and quotes count from.
        seed: Seed of the samples of the hardware assumptions.
        sure: Whether to add the smallest plan that reaches the target with probability `SURE`.

    Returns:
        The plan.

    Raises:
        PlannerError: The question is incomplete or contradicts itself, or no law answers it with a finite
            number.
    """
    check(question)
    selected = _of_data_unit(select_law(question.selector, folder), question)
    answer = plan_by(selected, question, folder, fleet, today=today, seed=seed)
    chance = answer.estimate.probability_reachable
    if not sure or answer.given != "target" or answer.confidence is not None or (chance or 0.0) < SURE:
        return answer
    if answer.estimate.law.source == "published":  # ask for it with a confidence: it takes a second plan
        return answer
    surely = question.with_options({"confidence": f"{SURE:.0%}"})
    try:
        return answer._replace(sure=plan_by(selected, surely, folder, fleet, today=today, seed=seed))
    except LawError as error:  # no one pair of a joint law reaches the target in so many samples
        if error.code != "confidence-out-of-reach":
            raise
        return answer


def _of_data_unit(selected: SelectedLaw, question: Question) -> SelectedLaw:
    """Return the first published law that counts data as the question does, the others as alternatives.

    Speech has laws of hours and of characters: a question in hours is one for the former.
    """
    supply = question.supply
    readers: list[tuple[Callable[[str, str], object], str | None]] = [
        (units.parse_data, question.data),
        (units.parse_data, supply.have_data),
        (units.parse_data, supply.serve),
        (parse_data_price, supply.data_price),
        (parse_data_rate, supply.data_rate),
    ]
    texts = [(reader, text) for reader, text in readers if text is not None]
    if not texts or question.selector.law is not None or not isinstance(selected.law, PublishedLaw):
        return selected
    first = selected.law
    same_metric = [law.id for law in selected.alternatives if law.metric == first.metric]
    for law in (first, *map(published_law, same_metric)):
        try:
            for reader, text in texts:
                reader(text, data_unit(law))
        except PlannerError:
            continue
        if law is first:
            break
        others = [info for info in selected.alternatives if info.id != law.id]
        return selected._replace(law=law, alternatives=(law_info(first), *others))
    return selected


def plan_by(
    selected: SelectedLaw, question: Question, folder: Path, fleet: Fleet, *, today: date, seed: int = 0
) -> Plan:
    """Return what `plan` does, by a law that is already selected.

    Args:
        selected: The law, with the alternatives to it.
        question: The question.
        folder: The store.
        fleet: The accelerators and their assumptions.
        today: The day that deadlines and quotes count from.
        seed: Seed of the samples of the hardware assumptions.

    Returns:
        The plan.

    Raises:
        PlannerError: The question is incomplete or contradicts itself, or the law gives no finite answer.
    """
    parsed = _largest_of_size(parse_for(selected, question, today), law_info(selected.law))
    assumed = _with_measured(parsed, fleet, selected.law, folder)
    model, used_model, scales, binding = _models(selected, parsed, fleet, assumed, seed)
    needs = estimate(
        used_model,
        scales,
        target=parsed.target,
        one_plan=parsed.confidence is not None,
        alternatives=selected.alternatives,
        warnings=selected.warnings,
    )
    labeling = _labeling_days(needs, parsed.supply)
    takes = None
    if computes(model, parsed):
        takes = _resources(needs, parsed, labeling, fleet, assumed, today=today, seed=seed)
    n = len(needs.data.draws) if takes is None else len(takes.training.gpu_hours)
    cost = _cost(needs, takes, parsed.supply, n)
    duration = _duration(parsed.limits.start, labeling, takes, n)
    feasible = constraints_satisfied(
        parsed,
        needs,
        takes,
        dollars=cost.total.draws or cost.data.draws,
        days=duration.total.draws or duration.labeling.draws,
        reached=reached(needs, n),
    )
    others = other_laws(selected.law, needs) if isinstance(selected.law, PublishedLaw) else None
    return Plan(
        parsed=parsed,
        law_model=model,
        estimate=needs,
        resources=takes,
        cost=cost,
        duration=duration,
        feasible=feasible,
        binding=binding if feasible is None else feasible.binding,
        error_at_confidence=_error_at(needs, parsed.confidence),
        sensitivity=_sensitivity(needs, takes, cost, limits_only=parsed.given is None, seed=seed),
        expected_cost=None if parsed.supply.miss_penalty is None else _expected_cost(needs, takes, parsed),
        other_laws=others,
        warnings=_warnings(needs, takes, parsed.supply, others),
    )


def parse_for(selected: SelectedLaw, question: Question, today: date) -> ParsedQuestion:
    """Return a question in the units of the law that answers.

    Args:
        selected: The law that answers.
        question: The question as people write it.
        today: The day that a deadline counts from.

    Returns:
        The question in base units.

    Raises:
        InputError: A number cannot be parsed.
        MissingInput: The target could be of several metrics.
    """
    if question.target is not None:
        check_metric(selected, question.selector, question.target)
    unit = selected.law.x_unit if isinstance(selected.law, Law) else data_unit(selected.law)
    return parse(question, law_info(selected.law), unit, today)


def _largest_of_size(parsed: ParsedQuestion, law: LawInfo) -> ParsedQuestion:
    """Return a question of a model size with limits as one of the limits: what they buy for that size.

    Only a joint law leaves the data open; by any other law the size decides it, and the limits are checked.
    """
    open_data = parsed.given == "params" and parsed.question.limited and law.form in JOINT_FORMS
    return parsed._replace(given=None) if open_data else parsed


def _allocation(parsed: ParsedQuestion) -> AllocationConstraints:
    """Return how parameters and data are balanced."""
    smallest, supply = parsed.question.allocate == "smallest-model", parsed.supply
    if smallest and supply.data_available is None:
        raise MissingInput(
            "the smallest model is that for the data you have: expected an amount",
            code="missing-data",
            hint=use("have_data"),
        )
    if smallest and supply.inference_tokens is not None:
        raise ConflictingInput(
            "serve and the smallest model both decide how large the model is: expected one of them",
            code="serve-and-smallest-model",
            hint=drop("serve", "allocate"),
        )
    return AllocationConstraints(
        data_available=math.inf if supply.data_available is None else supply.data_available,
        inference_tokens=supply.inference_tokens or 0.0,
        smallest_model=smallest,
    )


def _law_model(selected: SelectedLaw, allocation: AllocationConstraints) -> LawModel:
    if isinstance(selected.law, Law):
        return law_model(selected.law, allocation, size=selected.size, samples=selected.samples)
    return published_law_model(selected.law, allocation)


def _models(
    selected: SelectedLaw, parsed: ParsedQuestion, fleet: Fleet, assumed: Sequence[Assumption], seed: int
) -> tuple[LawModel, LawModel, tuple[float, ...], str | None]:
    """Return the law model, the one that is used, its scale per posterior sample, and what binds."""
    allocation = _allocation(parsed)
    model = _law_model(selected, allocation)
    if not selected.families:
        return (model, *_scales(model, parsed, fleet, assumed, seed))
    from planner.plans.families import Candidate, best_of  # few stores have several families

    without_confidence = parsed._replace(confidence=None)
    used, scales, binding = _scales(model, without_confidence, fleet, assumed, seed)
    candidates = [Candidate(used, scales)]
    for other in selected.families:
        try:
            family, its_scales, _ = _scales(
                _law_model(other, allocation), without_confidence, fleet, assumed, seed
            )
        except PlannerError:  # this family has no answer, such as a target that it has reached already
            continue
        candidates.append(Candidate(family, its_scales))
    best, scales = best_of(candidates, with_target=parsed.target is not None)
    if parsed.target is not None and parsed.confidence is not None:
        return (best, *with_confidence(best, scales, parsed.target, parsed.confidence), None)
    return best, best, scales, binding


def _scales(
    model: LawModel, parsed: ParsedQuestion, fleet: Fleet, assumed: Sequence[Assumption], seed: int
) -> tuple[LawModel, tuple[float, ...], str | None]:
    """Return the law model that is used, a scale per posterior sample, and the constraint that decides."""
    if parsed.target is not None:
        scales = scales_for_target(model, parsed.target)
        if parsed.confidence is None:
            return model, scales, None
        return (*with_confidence(model, scales, parsed.target, parsed.confidence), None)
    if parsed.given is None:
        if parsed.params is not None:
            model = with_size(model, parsed.params)
        scales, binding = largest_scales(model, parsed, fleet, assumed, seed)
        return model, scales, binding
    return (*scales_from_given(model, parsed), None)


def _with_measured(
    parsed: ParsedQuestion, fleet: Fleet, law: Law | PublishedLaw, folder: Path
) -> tuple[Assumption, ...]:
    """Return the overrides with the utilization that was measured with the law, unless one is set."""
    assumed, hardware = parsed.assumed, parsed.question.hardware
    if hardware.on is None or not isinstance(law, Law) or law.source == "shipped":
        return assumed
    accelerator = fleet.accelerator(hardware.on)
    if (
        any(assumption.name == "utilization" for assumption in assumed)
        or not fleet.assumptions(accelerator)["utilization"].is_default
    ):
        return assumed
    from laws.storage.store import Store
    from planner.hardware.measured_utilization import measured_utilization

    own = law.source == "calibrated"
    runs = Store(folder).runs(domain=law.domain, status="finished") if own else []
    measured = measured_utilization(law, runs, accelerator, hardware.precision)
    return assumed if measured is None else (*assumed, measured)


def _cost(needs: Estimate, takes: Resources | None, supply: ParsedSupply, n: int) -> PlanCost:
    """Return what is paid besides the hours of training, in n posterior samples."""
    data = _data_cost(needs, supply, n)
    compute = None if takes is None else takes.cost.dollars
    total: tuple[float, ...] = ()
    if compute is not None:
        total = tuple(a + b for a, b in zip(compute, data, strict=True)) if data else compute
    flops = _serving_flops(needs, supply.inference_tokens)
    return PlanCost(
        data=Quantity(draws=data, unit="USD"),
        total=Quantity(draws=total, unit="USD"),
        serving=_serving_cost(needs, compute, flops),
        serving_flops=flops,
    )


def _data_cost(needs: Estimate, supply: ParsedSupply, n: int) -> tuple[float, ...]:
    """Return what the data that is not available costs, per sample; nothing where it has no price."""
    price = supply.data_price
    if price is None:
        return ()
    return broadcast([price.cost(supply.data_to_buy(x)) for x in needs.data.draws], n)


def _labeling_days(needs: Estimate, supply: ParsedSupply) -> tuple[float, ...]:
    """Return the days until the data has arrived, per sample; nothing where its pace is not known."""
    rate = supply.data_rate
    return () if rate is None else tuple(supply.data_to_buy(x) / rate for x in needs.data.draws)


def _expected_cost(needs: Estimate, takes: Resources | None, parsed: ParsedQuestion) -> ExpectedCost:
    from planner.plans.expected_cost import lowest_expected_cost  # few questions need it

    return lowest_expected_cost(needs, takes, parsed.supply)


def _duration(start: date, labeling: Sequence[float], takes: Resources | None, n: int) -> Duration:
    """Return how long labeling and training take, in n posterior samples."""
    waiting = broadcast(labeling, n) if labeling else ()
    total: tuple[float, ...] = ()
    if takes is not None:
        days = takes.training.days
        total = tuple(a + b for a, b in zip(waiting, days, strict=True)) if waiting else days
    return Duration(
        start=start,
        labeling=Quantity(draws=waiting, unit="days"),
        total=Quantity(draws=total, unit="days"),
    )


def _resources(
    needs: Estimate,
    parsed: ParsedQuestion,
    labeling: Sequence[float],
    fleet: Fleet,
    assumed: Sequence[Assumption],
    *,
    today: date,
    seed: int,
) -> Resources:
    """Return what the training takes; where nothing says how many devices, on as many as a deadline needs."""
    hardware = parsed.question.hardware
    assert hardware.on is not None
    count = fleet.count(fleet.accelerator(hardware.on)) if hardware.count is None else hardware.count
    if count is None and parsed.limits.days is not None and parsed.given is not None:
        from planner.plans.devices import resources_in_time  # few questions need it

        return resources_in_time(needs, parsed, labeling, fleet, assumed, today=today, seed=seed)
    return resources(needs, fleet, hardware, today=today, seed=seed, overrides=assumed)


def _serving_flops(needs: Estimate, inference_tokens: float | None) -> Quantity:
    """Return the FLOP of inference: a third of training on as much data (Sardana et al. 2023)."""
    model, unit = needs.law_model, "FLOP"
    if not inference_tokens or not model.has_flops:
        return Quantity(draws=(), unit=unit)
    sizes = needs.params.draws
    draws = tuple(
        scenario.flops_per_sample(size) / 3 * inference_tokens
        if scenario.flops_per_sample is not None and math.isfinite(size)
        else math.inf
        for scenario, size in zip(broadcast(model.scenarios, len(sizes)), sizes, strict=True)
    )
    return Quantity(draws=draws, unit=unit)


def _serving_cost(needs: Estimate, compute: Sequence[float] | None, flops: Quantity) -> Quantity:
    """Return what inference costs if its FLOP cost what those of training do, per posterior sample."""
    if compute is None or not flops.draws:
        return Quantity(draws=(), unit="USD")
    share = [  # of inference in training
        inference / training if math.isfinite(training) else math.inf
        for inference, training in zip(flops.draws, needs.flops.draws, strict=True)
    ]
    ratios = broadcast(share, len(compute))
    draws = tuple(paid * ratio if paid else 0.0 for paid, ratio in zip(compute, ratios, strict=True))
    return Quantity(draws=draws, unit="USD")


def _error_at(needs: Estimate, confidence: float | None) -> float | None:
    """Return the error that is reached with a probability."""
    if confidence is None or needs.target is not None:
        return None if confidence is None else needs.target
    return paths.quantile(needs.error.draws, confidence)


def _warnings(
    needs: Estimate, takes: Resources | None, supply: ParsedSupply, others: OtherLaws | None
) -> tuple[str, ...]:
    codes = [*needs.warnings, *(takes.warnings if takes else ())]
    codes += [WarningCode.STUDIES_DISAGREE] if others is not None and others.outside else []
    if supply.data_limit is not None and not needs.law_model.is_joint:
        needed = paths.quantile(needs.data.draws, 0.5)
        codes += [WarningCode.MORE_DATA_NEEDED] if needed > supply.data_limit else []
    return tuple(dict.fromkeys(codes))


def _sensitivity(
    needs: Estimate, takes: Resources | None, cost: PlanCost, *, limits_only: bool, seed: int
) -> Sensitivity:
    """Return the shares of the first quantity, from cost to error, whose variance has any."""
    model = needs.law_model
    unknowns: dict[str, Sequence[float]] = dict(model.unknowns) if len(model.scenarios) > 1 else {}
    if takes is not None:
        n = len(takes.training.gpu_hours)
        if model.law.source == "published":  # its few samples repeat
            unknowns |= {name: broadcast(values, n) for name, values in model.unknowns.items()}
        unknowns |= {a.name: a.draws(n, seed) for a in takes.assumed if a.name in _COST_ASSUMPTIONS}
    total = cost.total.draws
    samples: dict[str, Sequence[float]] = {
        **({"error": needs.error.draws} if limits_only else {}),
        "dollars": total if any(total) else (),
        "gpu_hours": takes.training.gpu_hours if takes else (),
        "flops": needs.flops.draws,
        "data": needs.data.draws,
        "error": needs.error.draws,
    }
    for name, draws in samples.items():
        same = {unknown: values for unknown, values in unknowns.items() if len(values) == len(draws)}
        if explained := shares(draws, same):
            return Sensitivity(quantity=name, shares=explained)
    return Sensitivity(quantity="error", shares={})
