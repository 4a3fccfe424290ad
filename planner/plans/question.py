"""A question as people write it and as numbers: units depend on the law that answers and are read late."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import date

from laws.errors import PlannerError
from planner import units
from planner.assumptions import Assumption, nearest, parse_assumption
from planner.plans.estimate import checked_target
from planner.reading.choice import Choice

PAIR = "data and params"
ALLOCATIONS = ("compute-optimal", "smallest-model")
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
            raise two(found)
        if not found and not self.limited:
            raise PlannerError("nothing is asked: give a target, or --data, --params, --flops or --budget")
        return found[0] if found else None

    @property
    def limited(self) -> bool:
        """Return whether compute is limited."""
        return any(limit is not None for limit in (self.gpu_hours, self.budget, self.deadline))


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A question in base units; None is what was not said."""

    question: Question
    given: str | None
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
    for of in (question.choice, question):
        for option in fields(of):
            value = getattr(of, option.name)
            if option.name == "choice" or value is None or value == option.default:
                continue
            for text in value if isinstance(value, tuple) else (value,):
                words += [f"--{option.name.replace('_', '-')}", shlex.quote(str(text))]
    return " ".join(words)


def two(found: Sequence[str]) -> PlannerError:
    """Return the refusal of two questions at once."""
    return PlannerError(
        f"two questions at once, {' and '.join(found)}: give one and the others come back; what limits an "
        "answer is --have-data, --budget, --gpu-hours and --deadline"
    )


def check(question: Question) -> None:
    """Refuse nonsense before any law is looked for."""
    _ = question.given  # raises where nothing is asked, or two things
    if question.target is not None:
        text = question.target
        value = units.parse_fraction(text) if text.rstrip().endswith("%") else units.parse_number(text)
        checked_target(value, question.choice.metric or "value", "")
    if question.allocate not in ALLOCATIONS:
        raise PlannerError(f"--allocate {question.allocate!r}{nearest(question.allocate, ALLOCATIONS)}")


def in_base_units(question: Question, unit: str, today: date) -> Asked:
    """Return the numbers of a question, data in `unit`, a deadline as days from `today`.

    Raises:
        PlannerError: a number cannot be read, is not positive, or limits what has no part to be run on.
    """
    check(question)
    budget = positive(units.parse_money, question.budget, "budget")
    days = None if question.deadline is None else units.parse_deadline(question.deadline, today)
    gpu_hours = positive(units.parse_gpu_hours, question.gpu_hours, "GPU-hours")
    if question.limited and question.on is None:
        raise PlannerError(
            "a budget, a deadline or GPU-hours need a part: name one with --on, such as --on h100"
        )
    price = question.data_price
    return Asked(
        question=question,
        given=question.given,
        budget=budget,
        days=days,
        gpu_hours=gpu_hours,
        confidence=None if question.confidence is None else units.parse_probability(question.confidence),
        assumed=tuple(parse_assumption(text) for text in question.assume),
        have=positive(lambda text: units.parse_data(text, unit), question.have_data, "data in hand"),
        data_price=None if price is None else units.parse_data_price(price, unit),
        served=positive(lambda text: units.parse_data(text, unit), question.serve, "--serve"),
    )


def positive(parse: Callable[[str], float], text: str | None, what: str) -> float | None:
    """Return what is written, if anything is; refuse what is not above 0."""
    if text is None:
        return None
    value = parse(text)
    if value <= 0:
        raise PlannerError(f"{what} of {text.strip()}: wanted more than 0")
    return value
