"""Any question from either end: one quantity given, everything else returned, limits held, draw by draw.

    plan(question: Question, folder: Path, fleet: Fleet, *, today: date, seed: int = 0) -> Plan

`Question` holds what people write, as they write it ("5%", "10000h", "$50k"): units depend on the law that
answers. At most one of target, data, params and flops is given. gpu_hours, budget and deadline are limits on
top; without any of the four they are the question: the most that all limits together allow.

`Plan` is a frozen value with every draw: `estimate` (data, params, flops, error), `resources` (time, memory,
money on one part, None without `on`), `feasible` (probability of all limits, of each, and the one that
binds), `binding`, `sensitivity` (share of the variance of the log cost by unknown), and `quantities()`, all
of it by name. Position i of every quantity is the same possible world.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from laws import paths
from laws.catalog.published import PublishedLaw
from laws.codes import WarningCode
from laws.errors import PlannerError
from laws.types import Law, Quantity
from planner.assumptions import Assumption
from planner.hardware.fleet import Fleet
from planner.lawmodel.info import law_info
from planner.lawmodel.model import AllocationConstraints, LawModel, read
from planner.lawmodel.published import data_unit, read_published
from planner.lawmodel.scenario import for_each
from planner.lawmodel.select import SelectedLaw, select_law
from planner.plans.confidence import committed
from planner.plans.constraints import furthest, kept, reached
from planner.plans.estimate import Estimate, estimate, for_target
from planner.plans.from_given import from_end
from planner.plans.question import ParsedQuestion, Question, check, in_base_units
from planner.plans.resources import Feasible, Resources, resources
from planner.plans.sensitivity import shares

Tell = Callable[[str, int, int], None]  # hears what many plans are, how many are done, and of how many


@dataclass(frozen=True, kw_only=True)
class PlanCost:
    """What is paid besides the hours of training, per posterior sample; without samples where not known."""

    data: Quantity  # dollars for the data that is not available yet
    total: Quantity  # dollars for compute and data
    serving: Quantity  # dollars of inference, at the price of as many training FLOP; in no total
    serving_flops: Quantity


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """Which unknown moves the answer most."""

    quantity: str  # that the shares are of: "dollars", "gpu_hours", "flops", "data" or "error"
    shares: Mapping[str, float]  # unknown -> share of the variance of the quantity's logarithm


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that follows from one question."""

    parsed: ParsedQuestion  # the question in base units
    law_model: LawModel  # the law that answers
    estimate: Estimate
    resources: Resources | None  # None without an accelerator
    cost: PlanCost
    feasible: Feasible | None  # None: nothing constrains the answer, or the constraints are the question
    binding: str | None  # the constraint that decides
    error_at_confidence: float | None  # the error that is reached with that probability
    sensitivity: Sensitivity
    warnings: tuple[str, ...]

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


def plan(question: Question, folder: Path, fleet: Fleet, *, today: date, seed: int = 0) -> Plan:
    """Return everything that follows from a question, by the law in the store at `folder` that answers best.

    Raises:
        PlannerError: the question is none or two, cannot be read, has no law, or no finite answer.
    """
    check(question)
    return plan_by(select_law(question.selector, folder), question, folder, fleet, today=today, seed=seed)


def plan_by(
    chosen: SelectedLaw, question: Question, folder: Path, fleet: Fleet, *, today: date, seed: int = 0
) -> Plan:
    """Return what `plan` does, by a law that is already chosen."""
    asked = asked_of(chosen, question, today)
    reading = law = _read(chosen, _spending(asked))
    assumed = _with_measured(asked, fleet, chosen.law, folder)
    target, binding = asked.target, None
    if target is not None:
        places = for_target(reading, target)
        if asked.confidence is not None:
            reading, places = committed(reading, places, target, asked.confidence)
    elif asked.given is None:
        places, binding = furthest(reading, asked, fleet, assumed, seed)
    else:
        reading, places = from_end(reading, asked)
    found = estimate(
        reading,
        places,
        target=target,
        committed=asked.confidence is not None,
        alternatives=chosen.alternatives,
        warnings=chosen.warnings,
    )
    bill = None
    if question.on is not None:
        bill = resources(
            found,
            fleet,
            question.on,
            today=today,
            seed=seed,
            count=question.count,
            precision=question.precision,
            overrides=assumed,
        )
    n = len(found.data.draws) if bill is None else len(bill.training.gpu_hours)
    collection = _collection(found, asked, n)
    fits = kept(asked, found, bill, collection=collection, reached=reached(found, n))
    serving = _serving(reading, found, places, asked.served)
    return Plan(
        parsed=asked,
        law_model=law,
        estimate=found,
        resources=bill,
        cost=PlanCost(
            data=Quantity(draws=collection, unit="USD"),
            total=_total(bill, collection),
            serving=_serving_dollars(found, bill, serving),
            serving_flops=serving,
        ),
        feasible=fits,
        binding=binding if fits is None else fits.binding,
        error_at_confidence=_error_at(found, asked.confidence),
        sensitivity=_sensitivity(found, reading, bill, collection=collection, given=asked.given, seed=seed),
        warnings=_warnings(found, reading, bill, asked),
    )


def asked_of(chosen: SelectedLaw, question: Question, today: date) -> ParsedQuestion:
    """Return the question in the units of the law that answers."""
    unit = chosen.law.x_unit if isinstance(chosen.law, Law) else data_unit(chosen.law)
    return in_base_units(question, law_info(chosen.law), unit, today)


def _spending(asked: ParsedQuestion) -> AllocationConstraints:
    small = asked.question.allocate == "smallest-model"
    if small and asked.have is None:
        raise PlannerError("the smallest model is that for the data there is: say how much with --have-data")
    if small and asked.served is not None:
        raise PlannerError(
            "--serve and --allocate smallest-model both decide how large the model is: leave one out"
        )
    return AllocationConstraints(
        have=math.inf if asked.have is None else asked.have, served=asked.served or 0.0, smallest=small
    )


def _read(chosen: SelectedLaw, spending: AllocationConstraints) -> LawModel:
    if isinstance(chosen.law, Law):
        return read(chosen.law, spending, size=chosen.size, samples=chosen.samples)
    return read_published(chosen.law, spending)


def _with_measured(
    asked: ParsedQuestion, fleet: Fleet, law: Law | PublishedLaw, folder: Path
) -> tuple[Assumption, ...]:
    """Return the assumptions with the utilization that was measured with the law, where nobody set one."""
    found, question = asked.assumed, asked.question
    if question.on is None or not isinstance(law, Law) or law.source == "shipped":
        return found
    part = fleet.accelerator(question.on)
    if (
        any(assumption.name == "utilization" for assumption in found)
        or fleet.assumptions(part)["utilization"].origin != "default"
    ):
        return found
    from laws.storage.store import Store
    from planner.hardware.measured_utilization import measured_utilization

    own = law.source == "calibrated"
    runs = Store(folder).runs(domain=law.domain, status="finished") if own else []
    measured = measured_utilization(law, runs, part, question.precision)
    return found if measured is None else (*found, measured)


def _collection(found: Estimate, asked: ParsedQuestion, n: int) -> tuple[float, ...]:
    """Return what the data that is not in hand costs in n draws, none where it has no price."""
    price, have = asked.data_price, asked.have or 0.0
    if price is None:
        return ()
    costs = tuple(price * max(x - have, 0.0) if price else 0.0 for x in found.data.draws)
    return for_each(costs, n)


def _error_at(found: Estimate, confidence: float | None) -> float | None:
    if confidence is None or found.target is not None:
        return None if confidence is None else found.target
    return paths.quantile(found.error.draws, confidence)


def _warnings(
    found: Estimate, reading: LawModel, bill: Resources | None, asked: ParsedQuestion
) -> tuple[str, ...]:
    codes = [*found.warnings, *(bill.warnings if bill else ())]
    if asked.stock is not None and not reading.is_joint:
        needed = paths.quantile(found.data.draws, 0.5)
        codes += [WarningCode.MORE_DATA_NEEDED] if needed > asked.stock else []
    return tuple(dict.fromkeys(codes))


def _serving(reading: LawModel, found: Estimate, places: Sequence[float], served: float | None) -> Quantity:
    """Return FLOP of running the model on what it serves: a third of training it on as much."""
    unit = "FLOP"
    if not served or not reading.knows_flops:
        return Quantity(draws=(), unit=unit, spread=found.flops.spread)
    scenarios = for_each(reading.scenarios, len(places))
    draws = tuple(
        world.flops_per_sample(size) / 3 * served
        if world.flops_per_sample is not None and math.isfinite(size)
        else math.inf
        for world, size in zip(scenarios, found.params.draws, strict=True)
    )
    return Quantity(draws=draws, unit=unit, spread=found.flops.spread)


def _serving_dollars(found: Estimate, bill: Resources | None, serving: Quantity) -> Quantity:
    """Return what serving costs if its FLOP cost what those of training do, draw by draw."""
    dollars = None if bill is None else bill.cost.dollars
    if dollars is None or not serving.draws:
        return Quantity(draws=(), unit="USD")
    share = [  # of serving in training
        served / trained if math.isfinite(trained) else math.inf
        for served, trained in zip(serving.draws, found.flops.draws, strict=True)
    ]
    ratios = for_each(share, len(dollars))
    draws = tuple(paid * ratio if paid else 0.0 for paid, ratio in zip(dollars, ratios, strict=True))
    return Quantity(draws=draws, unit="USD")


def _total(bill: Resources | None, collection: Sequence[float]) -> Quantity:
    compute = None if bill is None else bill.cost.dollars
    if compute is None:
        return Quantity(draws=(), unit="USD")
    draws = tuple(a + b for a, b in zip(compute, collection, strict=True)) if collection else compute
    return Quantity(draws=draws, unit="USD")


def _sensitivity(
    found: Estimate,
    reading: LawModel,
    bill: Resources | None,
    *,
    collection: Sequence[float],
    given: str | None,
    seed: int,
) -> Sensitivity:
    """Return the shares of the first quantity, from cost to error, whose variance has any."""
    unknowns: dict[str, Sequence[float]] = dict(reading.unknowns) if len(reading.scenarios) > 1 else {}
    if bill is not None:
        n = len(bill.training.gpu_hours)
        unknowns |= {a.name: a.draws(n, seed) for a in bill.assumed if a.name in _MOVES_COST}
    total = _total(bill, collection).draws
    of: dict[str, Sequence[float]] = {
        **({"error": found.error.draws} if given is None else {}),
        "dollars": total if any(total) else (),
        "gpu_hours": bill.training.gpu_hours if bill else (),
        "flops": found.flops.draws,
        "data": found.data.draws,
        "error": found.error.draws,
    }
    for name, draws in of.items():
        same = {unknown: values for unknown, values in unknowns.items() if len(values) == len(draws)}
        if found_shares := shares(draws, same):
            return Sensitivity(quantity=name, shares=found_shares)
    return Sensitivity(quantity="error", shares={})


_MOVES_COST = ("utilization", "scaling_loss", "price")
