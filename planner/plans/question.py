"""A question as people write it and as numbers: units depend on the law that answers and are read late."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import date

from laws.errors import PlannerError, nearest
from planner import units
from planner.assumptions import Assumption, parse_assumption
from planner.lawmodel.info import LawInfo
from planner.lawmodel.selector import LawSelector

PAIR = "data and params"
ALLOCATIONS = ("compute-optimal", "smallest-model")
_ENDS = ("target", "data", "params", "flops")


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question as it was written; None is what was not said."""

    selector: LawSelector = field(default_factory=LawSelector)
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
    assume: tuple[str, ...] = ()  # "utilization=0.35..0.42"
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
            raise PlannerError(
                f"two questions at once, {' and '.join(found)}: give one and the others come back; what "
                "limits an answer is --have-data, --budget, --gpu-hours and --deadline"
            )
        if not found and not self.limited:
            raise PlannerError(
                "nothing is asked: give a target, for example --target-wer 5%, or --data, --params, --flops, "
                "--gpu-hours, --budget or --deadline"
            )
        return found[0] if found else None

    @property
    def limited(self) -> bool:
        """Return whether compute is limited."""
        return any(limit is not None for limit in (self.gpu_hours, self.budget, self.deadline))


@dataclass(frozen=True, kw_only=True)
class ParsedQuestion:
    """A question in base units; None is what was not said."""

    question: Question
    given: str | None
    target: float | None  # in the metric's unit
    data: float | None  # in the law's unit of data
    params: float | None
    flops: float | None
    budget: float | None  # dollars
    days: float | None  # until the deadline
    gpu_hours: float | None
    confidence: float | None
    assumed: tuple[Assumption, ...]
    have: float | None  # data in hand
    data_price: float | None  # dollars a unit of data
    served: float | None  # data that the model is run on

    @property
    def stock(self) -> float | None:
        """Return the data that no more can be had of: what has a price can be bought."""
        return self.have if self.data_price is None else None


def as_command(question: Question) -> str:
    """Return the command line that asks the question."""
    import shlex  # only what is kept is written down

    words = ["planner", "estimate"]
    for of in (question.selector, question):
        for option in fields(of):
            value = getattr(of, option.name)
            if option.name == "selector" or value is None or value == option.default:
                continue
            for text in value if isinstance(value, tuple) else (value,):
                words += [f"--{option.name.replace('_', '-')}", shlex.quote(str(text))]
    return " ".join(words)


def check(question: Question) -> None:
    """Refuse nonsense before any law is looked for."""
    _ = question.given  # raises where nothing is asked, or two things
    if question.target is not None:
        value = units.parse_value(question.target, expected="a target such as 5% or 2.48")
        units.checked_target(value, question.selector.metric or "value", "")
    if question.allocate not in ALLOCATIONS:
        raise PlannerError(f"--allocate {question.allocate!r}{nearest(question.allocate, ALLOCATIONS)}")
    machines = {
        "--count": question.count,
        "--precision": question.precision,
        "--assume": question.assume or None,
    }
    if question.on is None and (idle := [name for name, value in machines.items() if value is not None]):
        raise PlannerError(f"{' and '.join(idle)} without a part: name one with --on, such as --on h100")
    named = [text.partition("=")[0].strip() for text in question.assume]
    if twice := next((name for name in named if named.count(name) > 1), None):
        raise PlannerError(f"--assume {twice} is given twice: keep one, a band is {twice}=LOW..HIGH")
    if question.count is not None and question.count < 1:
        raise PlannerError(f"--count {question.count}: wanted at least one device")


def in_base_units(question: Question, law: LawInfo, unit: str, today: date) -> ParsedQuestion:
    """Return the numbers of a question to `law`, data in `unit`, a deadline as days from `today`.

    Raises:
        PlannerError: a number cannot be read, is not positive, or limits what has no part to be run on.
    """
    check(question)
    target = None
    if question.target is not None:
        target = units.parse_metric(question.target, law.metric_unit, metric=law.metric)
        units.checked_target(target, law.metric, law.metric_unit, written=question.target)
    if question.limited and question.on is None:
        raise PlannerError(
            "a budget, a deadline or GPU-hours need a part: name one with --on, such as --on h100"
        )

    def amount(text: str) -> float:
        return units.parse_data(text, unit)

    def size(text: str) -> float:
        return units.parse_number(text, expected="a number of parameters such as 300M")

    def compute(text: str) -> float:
        return units.parse_number(text, expected="training FLOP such as 1e21")

    price, deadline, confidence = question.data_price, question.deadline, question.confidence
    return ParsedQuestion(
        question=question,
        given=question.given,
        target=target,
        data=positive(amount, question.data, "--data"),
        params=positive(size, question.params, "--params"),
        flops=positive(compute, question.flops, "--flops"),
        budget=positive(units.parse_money, question.budget, "a budget of"),
        days=None if deadline is None else units.parse_deadline(deadline, today),
        gpu_hours=positive(units.parse_gpu_hours, question.gpu_hours, "--gpu-hours"),
        confidence=None if confidence is None else units.parse_probability(confidence),
        assumed=tuple(parse_assumption(text) for text in question.assume),
        have=positive(amount, question.have_data, "--have-data"),
        data_price=None if price is None else units.parse_data_price(price, unit),
        served=positive(amount, question.serve, "--serve"),
    )


def positive(parse: Callable[[str], float], text: str | None, what: str) -> float | None:
    """Return what is written, if anything is; refuse what is not above 0."""
    if text is None:
        return None
    value = parse(text)
    if value <= 0:
        raise PlannerError(f"{what} {text.strip()}: wanted more than 0")
    return value
