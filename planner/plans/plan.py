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
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from laws import paths
from laws.errors import PlannerError
from laws.types import Law
from planner import units
from planner.assumptions import Assumption, parse_assumption
from planner.machines.compute import Pace, paces
from planner.machines.cost import price_of
from planner.machines.fleet import Fleet
from planner.plans.estimate import Estimate, Quantity, checked_target, estimate, for_target
from planner.plans.resources import DRAWS, ONE_MACHINE, Feasible, Resources, feasible, held, resources
from planner.plans.sensitivity import shares
from planner.reading.choice import Choice, Chosen, choose
from planner.reading.literature import data_unit, read_published
from planner.reading.reading import Reading, Spending, read
from planner.reading.worlds import World

PAIR = "data and params"
ALLOCATIONS = ("compute-optimal", "smallest-model")
ALMOST = 0.95  # of the smallest measured data is still it: each draw puts the same cost elsewhere
_ENDS = ("target", "data", "params", "flops")


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question as it was written; None is what was not said."""

    choice: Choice = field(default_factory=Choice)
    target: str | None = None
    data: str | None = None
    params: str | None = None
    flops: str | None = None
    gpu_hours: str | None = None
    budget: str | None = None
    deadline: str | None = None  # a duration from today, or a day
    on: str | None = None
    count: int | None = None
    precision: str | None = None
    assume: tuple[str, ...] = ()  # "utilisation=0.35..0.42"
    have_data: str | None = None
    data_price: str | None = None  # "$12/hour"
    serve: str | None = None
    confidence: str | None = None
    allocate: str = "compute-optimal"

    @property
    def given(self) -> str | None:
        """Return which of target, data, params and flops is given, None where limits alone are.

        Data and parameters together are a pair, which surface laws answer. Raises PlannerError for any other
        two, and for nothing at all.
        """
        found = [name for name in _ENDS if getattr(self, name) is not None]
        if found == ["data", "params"]:
            return PAIR
        if len(found) > 1:
            raise _two(found)
        if not found and not self.limited:
            raise PlannerError("nothing is asked: give a target, or --data, --params, --flops or --budget")
        return found[0] if found else None

    @property
    def limited(self) -> bool:
        """Return whether compute is limited."""
        return any(limit is not None for limit in (self.gpu_hours, self.budget, self.deadline))


def _two(found: Sequence[str]) -> PlannerError:
    return PlannerError(
        f"two questions at once, {' and '.join(found)}: give one and the others come back; what limits an "
        "answer is --have-data, --budget, --gpu-hours and --deadline"
    )


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that follows from one question."""

    question: Question
    given: str | None
    estimate: Estimate
    epochs: Quantity  # passes over the data
    resources: Resources | None
    data_dollars: Quantity  # what the data that is not in hand costs; no draws where it has no price
    total_dollars: Quantity  # compute and data
    serving: Quantity  # FLOP of serving; no draws where nothing is served
    feasible: Feasible | None  # None: nothing limits the answer, or the limits are the question
    binding: str | None  # the limit that decides
    confidence: float | None
    error_at_confidence: float | None  # the error that is reached with that probability
    sensitive: (
        str  # the quantity that `sensitivity` is of: "dollars", "gpu_hours", "flops", "data" or "error"
    )
    sensitivity: Mapping[str, float]  # unknown -> share of the variance of its logarithm
    have: float | None  # data in hand
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]

    def quantities(self) -> dict[str, Quantity]:
        """Return every quantity by name; without draws where it is not known."""
        found = self.estimate
        return {
            "error": found.error,
            "data": found.data,
            "params": found.params,
            "flops": found.flops,
            "epochs": self.epochs,
            **({} if self.resources is None else self.resources.quantities()),
            "data_dollars": self.data_dollars,
            "total_dollars": self.total_dollars,
            "serving_flops": self.serving,
        }


@dataclass(frozen=True, kw_only=True)
class _Limits:
    """What must not be exceeded, in base units."""

    budget: float | None  # dollars
    days: float | None
    gpu_hours: float | None


@dataclass(frozen=True, kw_only=True)
class _Machines:
    """What the limits are converted with: a pace and a price for each draw."""

    paces: Sequence[Pace]
    prices: Sequence[float] | None
    count: int
    part: str


def plan(question: Question, folder: Path, fleet: Fleet, *, today: date, seed: int = 0) -> Plan:
    """Return everything that follows from a question, by the law in the store at `folder` that answers best.

    Raises:
        PlannerError: the question is none or two, cannot be read, has no law, or no finite answer.
    """
    _early(question)
    return plan_by(choose(question.choice, folder), question, folder, fleet, today=today, seed=seed)


def plan_by(
    chosen: Chosen, question: Question, folder: Path, fleet: Fleet, *, today: date, seed: int = 0
) -> Plan:
    """Return what `plan` does, by a law that is already chosen."""
    given = question.given
    limits = _Limits(
        budget=_positive(units.parse_money, question.budget, "budget"),
        days=None if question.deadline is None else units.parse_deadline(question.deadline, today),
        gpu_hours=_positive(units.parse_gpu_hours, question.gpu_hours, "GPU-hours"),
    )
    confidence = None if question.confidence is None else units.parse_probability(question.confidence)
    overrides = [parse_assumption(text) for text in question.assume]
    if question.limited and question.on is None:
        raise PlannerError(
            "a budget, a deadline or GPU-hours need a part: name one with --on, such as --on h100"
        )
    _early(question)
    unit = chosen.law.x_unit if isinstance(chosen.law, Law) else data_unit(chosen.law)
    have = _positive(lambda text: units.parse_data(text, unit), question.have_data, "data in hand")
    spending = _spending(question, unit, have)
    price = 0.0 if question.data_price is None else units.parse_data_price(question.data_price, unit)
    reading = _read(chosen, spending)

    overrides = _with_measured(overrides, question, fleet, reading, folder)
    machines = (
        _machines(question, fleet, reading, overrides, seed) if question.limited and not given else None
    )
    binding: str | None = None
    if given == "target":
        target = units.parse_metric(question.target or "", reading.law.metric_unit, metric=reading.law.metric)
        places = for_target(reading, target)
        if confidence is not None:
            reading, places = _committed(reading, places, target, confidence)
        found = estimate(
            reading,
            places,
            target=target,
            committed=confidence is not None,
            alternatives=chosen.alternatives,
            warnings=chosen.warnings,
        )
    else:
        if machines is not None:
            places, binding = _within(
                reading,
                machines,
                limits,
                have=have,
                data_price=None if question.data_price is None else price,
            )
        else:
            if given == PAIR:
                reading = _paired(reading, question)
            places = _from_end(reading, "data" if given == PAIR else str(given), question, unit)
        found = estimate(reading, places, alternatives=chosen.alternatives, warnings=chosen.warnings)
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
            overrides=overrides,
        )
    n = len(found.data.draws) if bill is None else len(bill.training.gpu_hours)
    collection = _collection(found, price, have, n) if question.data_price is not None else ()
    reached = _reached(found, n)
    fits = _feasible(question, given, found, bill, limits, have=have, collection=collection, reached=reached)
    serving = _serving(reading, found, places, spending.served)
    sensitive, parts = _sensitivity(found, reading, bill, collection=collection, given=given, seed=seed)
    warnings = [*found.warnings, *(bill.warnings if bill else ())]
    if have is not None and question.data_price is None and not reading.open_split:
        needed = paths.quantile(found.data.draws, 0.5)
        warnings += ["more-data-needed"] if needed > have else []
    return Plan(
        question=question,
        given=given,
        estimate=found,
        epochs=_epochs(found),
        resources=bill,
        data_dollars=Quantity(draws=collection, unit="USD"),
        total_dollars=_total(bill, collection),
        serving=serving,
        feasible=fits,
        binding=binding if fits is None else fits.binding,
        confidence=confidence,
        error_at_confidence=None
        if confidence is None
        else found.target
        if found.target is not None
        else paths.quantile(found.error.draws, confidence),
        sensitive=sensitive,
        sensitivity=parts,
        have=have,
        assumptions=found.assumptions,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _positive(parse: Callable[[str], float], text: str | None, what: str) -> float | None:
    if text is None:
        return None
    value = parse(text)
    if value <= 0:
        raise PlannerError(f"{what} of {text.strip()}: wanted more than 0")
    return value


def _early(question: Question) -> None:
    """Refuse nonsense before any law is looked for."""
    _ = question.given  # raises where nothing is asked, or two things
    if question.target is not None:
        text = question.target
        value = units.parse_fraction(text) if text.rstrip().endswith("%") else units.parse_number(text)
        checked_target(value, question.choice.metric or "value", "")
    if question.allocate not in ALLOCATIONS:
        from planner.assumptions import nearest

        raise PlannerError(f"--allocate {question.allocate!r}{nearest(question.allocate, ALLOCATIONS)}")


def _spending(question: Question, unit: str, have: float | None) -> Spending:
    served = _positive(lambda text: units.parse_data(text, unit), question.serve, "--serve")
    small = question.allocate == "smallest-model"
    if small and have is None:
        raise PlannerError("the smallest model is that for the data there is: say how much with --have-data")
    if small and served is not None:
        raise PlannerError(
            "--serve and --allocate smallest-model both decide how large the model is: leave one out"
        )
    return Spending(have=math.inf if have is None else have, served=served or 0.0, smallest=small)


def _read(chosen: Chosen, spending: Spending) -> Reading:
    if isinstance(chosen.law, Law):
        return read(chosen.law, spending, size=chosen.size, samples=chosen.samples)
    return read_published(chosen.law, spending)


def _with_measured(
    overrides: Sequence[Assumption], question: Question, fleet: Fleet, reading: Reading, folder: Path
) -> list[Assumption]:
    """Return the assumptions with the utilisation that calibration measured, where nobody set one."""
    found = list(overrides)
    if (
        question.on is None
        or reading.law.source != "calibrated"
        or any(a.name == "utilisation" for a in found)
    ):
        return found
    part = fleet.part(question.on)
    if fleet.assumptions(part)["utilisation"].origin != "default":
        return found
    from laws.store import Store
    from planner.machines.measured import measured_utilisation

    runs = Store(folder).runs(domain=reading.law.domain, status="finished")
    measured = measured_utilisation(runs, part, question.precision)
    return found if measured is None else [*found, measured]


def _machines(
    question: Question, fleet: Fleet, reading: Reading, overrides: Sequence[Assumption], seed: int
) -> _Machines:
    if not reading.knows_flops:
        raise PlannerError(
            f"law {reading.law.id} says nothing of FLOP, so no budget, deadline or GPU-hours lead to data: give "
            "--data or a target, or measure with `planner calibrate`"
        )
    assert question.on is not None
    part = fleet.part(question.on)
    set_ = {assumption.name: assumption for assumption in overrides}
    price = set_.pop("price", None) or price_of(part)
    n = len(reading.worlds) if len(reading.worlds) > 1 else DRAWS
    count = question.count or fleet.count(part) or ONE_MACHINE
    return _Machines(
        paces=paces(
            part,
            n,
            count=count if question.count is None else question.count,
            assumed=fleet.assumptions(part) | set_,
            seed=seed,
            precision=question.precision,
        ),
        prices=None if price is None else price.draws(n, seed),
        count=count,
        part=part.id,
    )


def _within(
    reading: Reading, machines: _Machines, limits: _Limits, *, have: float | None, data_price: float | None
) -> tuple[tuple[float, ...], str | None]:
    """Return the furthest place of each world that keeps every limit, and the limit that decides most."""
    prices = machines.prices
    if limits.budget is not None and prices is None:
        raise PlannerError(
            f"{machines.part} has no price, so a budget buys nothing that is known: give one with --assume "
            "price=VALUE or in a fleet file"
        )
    if limits.budget is not None and prices is not None and max(prices) == 0 and not data_price:
        raise PlannerError(
            f"an hour on {machines.part} costs nothing, so a budget limits nothing: ask with --gpu-hours or "
            "--deadline, or give a price with --assume price=VALUE"
        )
    n = len(machines.paces)
    found = reading.worlds * n if len(reading.worlds) == 1 else reading.worlds
    # what has a price can be had; a surface repeats what there is
    stock = have if data_price is None and not reading.open_split else None
    places, deciding = [], []
    for i, (world, pace) in enumerate(zip(found, machines.paces, strict=True)):
        hours = _hours(world, pace)
        at: dict[str, float] = {}
        if limits.budget is not None and prices is not None:
            at["budget"] = world.where(
                _dollars(world, hours, prices[i], data_price or 0.0, have), limits.budget
            )
        if limits.days is not None:
            at["deadline"] = world.where(hours, limits.days * 24 * machines.count)
        if limits.gpu_hours is not None:
            at["gpu_hours"] = world.where(hours, limits.gpu_hours)
        if stock is not None:
            at["data"] = stock
        decides = min(at, key=lambda name: at[name])
        places.append(at[decides])
        deciding.append(decides)
    _not_tiny(reading, places, "this")
    return tuple(places), max(dict.fromkeys(deciding), key=deciding.count)


def _hours(world: World, pace: Pace) -> Callable[[float], float]:
    assert world.params is not None
    size = world.params
    return lambda x: pace.hours(world.flops(x), size(x))


def _dollars(
    world: World, hours: Callable[[float], float], price: float, data_price: float, have: float | None
) -> Callable[[float], float]:
    def dollars(x: float) -> float:
        return price * hours(x) + data_price * max(world.data(x) - (have or 0.0), 0.0)

    return dollars


def _from_end(reading: Reading, given: str, question: Question, unit: str) -> tuple[float, ...]:
    """Return the place of each world at which it has the data, the parameters or the FLOP that are given."""
    if given == "data":
        text = question.data or ""
        value = units.parse_data(text, unit)
        if question.allocate == "smallest-model":
            raise PlannerError(
                "with --allocate smallest-model the data is what --have-data says: leave --data out"
            )
    elif given == "params":
        text = question.params or ""
        value = units.parse_number(text, wanted="a number of parameters such as 300M")
    else:
        text = question.flops or ""
        value = units.parse_number(text, wanted="training FLOP such as 1e21")
    if value <= 0:
        raise PlannerError(f"--{given} {text.strip()}: wanted more than 0")
    if given == "params" and not reading.knows_params:
        raise PlannerError(
            f"law {reading.law.id} says nothing of model size: give --data or a target, or measure with "
            "`planner calibrate`"
        )
    if given == "flops" and not reading.knows_flops:
        raise PlannerError(
            f"law {reading.law.id} says nothing of FLOP: give --data or a target, or measure with "
            "`planner calibrate`"
        )
    if given == "data":  # the line of plans is one over data
        places = (value,) * len(reading.worlds)
    else:
        places = tuple(world.where(_line(world, given), value) for world in reading.worlds)
    _not_tiny(reading, places, f"--{given} {text.strip()}")
    return places


def _line(world: World, given: str) -> Callable[[float], float]:
    if given == "flops":
        return world.flops
    assert world.params is not None
    return world.params


def _paired(reading: Reading, question: Question) -> Reading:
    """Return the worlds with one size for all amounts of data; only a surface knows more than the best."""
    if reading.worlds[0].loss is None:
        raise _two(["data", "params"])
    size = units.parse_number(question.params or "", wanted="a number of parameters such as 300M")
    if size <= 0:
        raise PlannerError(f"--params {question.params}: wanted more than 0")
    return replace(reading, worlds=tuple(_of_size(world, size) for world in reading.worlds))


def _of_size(world: World, size: float) -> World:
    assert world.loss is not None
    loss = world.loss
    return replace(world, params=lambda _: size, error=lambda x: loss(size, x), known_inverse=None)


def _not_tiny(reading: Reading, places: Sequence[float], asked: str) -> None:
    """Refuse what lies before everything that the law was measured at."""
    middle = paths.quantile(places, 0.5)
    if reading.smallest is not None and middle < ALMOST * reading.smallest:
        raise PlannerError(
            f"{asked} is less than the smallest measured training of law {reading.law.id} took "
            f"({units.format_data(reading.smallest, reading.unit)}): ask for more"
        )
    if reading.open_split and middle <= 1:
        raise PlannerError(f"{asked} is not enough for one parameter or one unit of data: ask for more")


def _committed(
    reading: Reading, places: Sequence[float], target: float, confidence: float
) -> tuple[Reading, tuple[float, ...]]:
    """Return one plan for all worlds that reaches the target in the share `confidence` of them."""
    if not reading.spread:
        raise PlannerError(
            f"law {reading.law.id} states no uncertainty, so no plan can be held to a confidence: fit or "
            "measure a law of your own"
        )
    reachable = sum(map(math.isfinite, places)) / len(places)
    if reachable < confidence:
        raise PlannerError(
            f"no plan reaches {reading.law.metric} {units.format_metric(target, reading.law.metric_unit)} with "
            f"probability {confidence:.0%}: at any amount of data it is {reachable:.0%}; ask for less or "
            "for a higher error"
        )
    if reading.worlds[0].loss is None:
        return reading, (paths.quantile(places, confidence),) * len(places)
    return _committed_split(reading, places, target, confidence)


def _committed_split(
    reading: Reading, places: Sequence[float], target: float, confidence: float
) -> tuple[Reading, tuple[float, ...]]:
    """Find the smallest pair on the line of median best sizes that reaches the target often enough."""

    def size(x: float) -> float:
        return paths.quantile([world.params(x) for world in reading.worlds if world.params], 0.5)

    def enough(x: float) -> bool:
        n = size(x)
        held = sum(world.loss(n, x) <= target for world in reading.worlds if world.loss)
        return held >= confidence * len(reading.worlds)

    finite = [x for x in places if math.isfinite(x)]
    low, high = math.log(min(finite)), math.log(min(world.high for world in reading.worlds))
    top = math.log(max(finite))
    while not enough(math.exp(top)):
        top += 1.0
        if top > high:
            raise PlannerError(
                f"no one model and amount of data reach the target with probability {confidence:.0%}: ask "
                "for less or for a higher error"
            )
    while top - low > 1e-6:
        middle = (low + top) / 2
        low, top = (low, middle) if enough(math.exp(middle)) else (middle, top)
    x = math.exp(top)
    n = size(x)
    fixed = tuple(_fixed(world, n, x) for world in reading.worlds)
    return replace(reading, worlds=fixed), (x,) * len(fixed)


def _fixed(world: World, params: float, x: float) -> World:
    assert world.loss is not None
    error = world.loss(params, x)
    return replace(world, params=lambda _: params, error=lambda _: error)


def _reached(found: Estimate, n: int) -> list[bool]:
    draws = found.data.draws
    target = found.target
    held = [
        math.isfinite(x) and (target is None or error <= target * (1 + 1e-9))
        for x, error in zip(draws, found.error.draws, strict=True)
    ]
    return held * n if len(held) == 1 else held


def _collection(found: Estimate, price: float, have: float | None, n: int) -> tuple[float, ...]:
    draws = found.data.draws
    costs = tuple(price * max(x - (have or 0.0), 0.0) if price else 0.0 for x in draws)
    return costs * n if len(costs) == 1 else costs


def _feasible(
    question: Question,
    given: str | None,
    found: Estimate,
    bill: Resources | None,
    limits: _Limits,
    *,
    have: float | None,
    collection: Sequence[float],
    reached: Sequence[bool],
) -> Feasible | None:
    """Return how probable it is that every limit is kept; None without any, or if they are the question."""
    if given is None:
        return None
    others: dict[str, Sequence[bool]] = {}
    n = len(reached)
    stocked = have is not None and question.data_price is None  # what has a price can be had
    if question.confidence is not None and found.target is not None and (stocked or question.limited):
        others["target"] = reached  # one plan reaches it in some worlds and not in others
    if have is not None and stocked:
        kept = [x <= have * (1 + 1e-9) for x in found.data.draws]
        others["data"] = kept * n if len(kept) == 1 else kept
    if question.limited and bill is not None:
        return feasible(
            bill,
            budget=limits.budget,
            deadline=limits.days,
            gpu_hours=limits.gpu_hours,
            collection=collection or None,
            others=others,
        )
    return held(others, reached) if others else None


def _serving(reading: Reading, found: Estimate, places: Sequence[float], served: float) -> Quantity:
    """Return FLOP of running the model on what it serves: a third of training it on as much."""
    unit = "FLOP"
    if not served or not reading.knows_flops:
        return Quantity(draws=(), unit=unit, spread=found.flops.spread)
    worlds = reading.worlds * len(places) if len(reading.worlds) == 1 else reading.worlds
    draws = tuple(
        world.per_unit(size) / 3 * served if world.per_unit is not None and math.isfinite(size) else math.inf
        for world, size in zip(worlds, found.params.draws, strict=True)
    )
    return Quantity(draws=draws, unit=unit, spread=found.flops.spread)


def _epochs(found: Estimate) -> Quantity:
    draws = tuple(
        seen / data if math.isfinite(seen) else math.inf
        for seen, data in zip(found.seen.draws, found.data.draws, strict=True)
    )
    return Quantity(draws=draws, unit="passes over the data", spread=found.seen.spread)


def _total(bill: Resources | None, collection: Sequence[float]) -> Quantity:
    compute = None if bill is None else bill.cost.dollars
    if compute is None:
        return Quantity(draws=(), unit="USD")
    draws = tuple(a + b for a, b in zip(compute, collection, strict=True)) if collection else compute
    return Quantity(draws=draws, unit="USD")


def _sensitivity(
    found: Estimate,
    reading: Reading,
    bill: Resources | None,
    *,
    collection: Sequence[float],
    given: str | None,
    seed: int,
) -> tuple[str, dict[str, float]]:
    """Return what the answer is most sensitive to, and the quantity that this is said of."""
    unknowns: dict[str, Sequence[float]] = dict(reading.unknowns) if len(reading.worlds) > 1 else {}
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
            return name, found_shares
    return "error", {}


_MOVES_COST = ("utilisation", "scaling_loss", "price")
