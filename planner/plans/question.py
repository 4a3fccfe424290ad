"""A question as people write it, and in base units, which depend on the law that answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import Any, NamedTuple, Self

from laws.errors import ConflictingInput, InputError, MissingInput, UnknownName, use
from planner import units
from planner.assumptions import Assumption, current_name, parse_assumption
from planner.lawmodel.info import LawInfo
from planner.lawmodel.selector import LawSelector
from planner.metrics import known_metric
from planner.plans.data_price import DataPrice, parse_data_price, parse_data_rate

PAIR = "data and params"
ALLOCATIONS = ("compute-optimal", "smallest-model")
CONSTRAINTS = ("have_data", "budget", "gpu_hours", "deadline")
_GIVEN = ("target", "data", "params", "flops")


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of compute as text: constraints on an answer, or the question itself."""

    gpu_hours: str | None = None
    budget: str | None = None
    deadline: str | None = None  # a duration from the start, or a day
    start: str | None = None  # the day on which labeling or training starts; None is today


@dataclass(frozen=True, kw_only=True)
class Hardware:
    """What the training runs on, as text."""

    on: str | None = None
    count: int | None = None
    precision: str | None = None
    assume: tuple[str, ...] = ()  # "utilization=0.35..0.42"


@dataclass(frozen=True, kw_only=True)
class Supply:
    """What data there is, and what the model is for, as text."""

    have_data: str | None = None
    data_price: str | None = None  # "$12/hour", or "$50/hour up to 1000h, then $90/hour"
    data_rate: str | None = None  # "200h/week": the pace at which data that you do not have arrives
    miss_penalty: str | None = None  # dollars that missing the target costs
    serve: str | None = None


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question as it was written; None is what was not given."""

    selector: LawSelector = field(default_factory=LawSelector)
    target: str | None = None
    data: str | None = None
    params: str | None = None
    flops: str | None = None
    limits: Limits = Limits()
    hardware: Hardware = Hardware()
    supply: Supply = Supply()
    confidence: str | None = None
    allocate: str = "compute-optimal"

    @classmethod
    def of(cls, **options: Any) -> Self:
        """Return the question of options by their own names, whatever their group.

        Args:
            options: `selector` and the keys of `OPTIONS`, such as `target="5%", on="h100"`.

        Returns:
            The question.
        """
        return cls().with_options(options)

    def with_options(self, options: Mapping[str, Any]) -> Self:
        """Return the question with some options replaced.

        Args:
            options: `selector` and the keys of `OPTIONS` -> their values.

        Returns:
            The changed question.
        """
        changed: dict[str, Any] = {}
        for name, value in options.items():
            if group := _GROUP_OF.get(name):
                changed[group] = replace(changed.get(group, getattr(self, group)), **{name: value})
            else:
                changed[name] = value
        return replace(self, **changed)

    def options(self) -> dict[str, Any]:
        """Return the value of every option by its name, in the order of the command line."""
        return {
            name: getattr(getattr(self, _GROUP_OF[name]) if name in _GROUP_OF else self, name)
            for name in OPTIONS
        }

    @property
    def given(self) -> str | None:
        """Return which of target, data, params and flops is given; None where only limits are.

        Data and parameters together are a pair, which joint laws answer.

        Raises:
            ConflictingInput: Another two are given.
            MissingInput: Nothing is given.
        """
        given = [name for name in _GIVEN if getattr(self, name) is not None]
        if given == ["data", "params"]:
            return PAIR
        if len(given) > 1:
            raise ConflictingInput(
                f"{' and '.join(given)} are given: expected only one, the others are computed",
                code="several-questions",
                value=tuple(given),
                hint=use(*CONSTRAINTS, purpose="to constrain the answer"),
            )
        if not given and not self.limited:
            raise MissingInput(
                "nothing is given: expected a target, data, params, flops, gpu_hours, budget or deadline",
                code="no-question",
                hint=use("target_wer", value="5%"),
            )
        return given[0] if given else None

    @property
    def limited(self) -> bool:
        """Return whether compute is limited."""
        return any(
            limit is not None for limit in (self.limits.gpu_hours, self.limits.budget, self.limits.deadline)
        )


_GROUPS: dict[str, type] = {"limits": Limits, "hardware": Hardware, "supply": Supply}
_GROUP_OF = {option.name: group for group, of in _GROUPS.items() for option in fields(of)}
OPTIONS = (
    *_GIVEN,
    "gpu_hours",
    "budget",
    "deadline",
    "start",
    "on",
    "count",
    "precision",
    "assume",
    "have_data",
    "data_price",
    "data_rate",
    "miss_penalty",
    "serve",
    "confidence",
    "allocate",
)  # in the order of the command line
_DEFAULTS = Question().options()


class ParsedLimits(NamedTuple):
    """Limits of compute in base units."""

    budget: float | None  # dollars
    days: float | None  # from the start to the deadline
    gpu_hours: float | None
    start: date


class ParsedSupply(NamedTuple):
    """What data there is, and what the model is for, in base units."""

    data_available: float | None  # different data
    data_price: DataPrice | None
    inference_tokens: float | None  # data that the trained model is run on
    data_rate: float | None = None  # units of data that arrive per day
    miss_penalty: float | None = None  # dollars that missing the target costs

    @property
    def data_limit(self) -> float | None:
        """Return the most data that can be had; None where more can be bought."""
        return self.data_available if self.data_price is None and self.data_rate is None else None

    def data_to_buy(self, data: float) -> float:
        """Return how much of an amount of data you do not have yet.

        Args:
            data: Data, in the law's unit.

        Returns:
            The part beyond the data in hand.
        """
        return max(data - (self.data_available or 0.0), 0.0)


class ParsedQuestion(NamedTuple):
    """A question in base units; None is what was not given."""

    question: Question
    given: str | None
    target: float | None  # as an error
    data: float | None  # in the law's unit of data
    params: float | None
    flops: float | None
    limits: ParsedLimits
    supply: ParsedSupply
    confidence: float | None
    assumed: tuple[Assumption, ...]  # that the question overrides


def as_command(question: Question) -> str:
    """Return the command line that asks a question.

    Args:
        question: The question as it was written.

    Returns:
        The command with every option that differs from its default.
    """
    import shlex  # only what is saved is written down

    words = ["planner", "estimate"]
    options = {**vars(question.selector), **question.options()}
    for name, value in options.items():
        if value is None or value == _DEFAULTS.get(name):
            continue
        for text in value if isinstance(value, tuple) else (value,):
            words += [f"--{name.replace('_', '-')}", shlex.quote(str(text))]
    return " ".join(words)


def check(question: Question) -> None:
    """Check a question before any law is selected.

    Args:
        question: The question as it was written.

    Raises:
        InputError: Nothing or several things are given, a value cannot be parsed, or an option needs another.
    """
    _ = question.given  # raises where nothing is given, or two things are
    hardware = question.hardware
    if question.target is not None:
        value = units.parse_value(question.target, expected="a target such as 5% or 2.48")
        metric = question.selector.metric or "value"
        known = known_metric(metric)
        if known is None or not known.higher_is_better:
            units.checked_target(value, metric, "")
    if question.allocate not in ALLOCATIONS:
        raise UnknownName("allocate", question.allocate, ALLOCATIONS)
    if hardware.on is None and (unused := _hardware_options(hardware)):
        raise MissingInput(
            f"{' and '.join(unused)}: expected an accelerator too, got none",
            code="missing-accelerator",
            hint=use("on", value="h100"),
        )
    if question.supply.miss_penalty is not None and (
        question.target is None or question.supply.data_price is None
    ):
        raise MissingInput(
            "a penalty for missing the target: expected a target and a price of data too",
            code="penalty-without-target",
            value=question.supply.miss_penalty,
            hint=use("data_price" if question.supply.data_price is None else "target"),
        )
    named = [current_name(text.partition("=")[0].strip()) for text in hardware.assume]
    if twice := next((name for name in named if named.count(name) > 1), None):
        raise ConflictingInput(
            f"assumption {twice} is given twice: expected once",
            code="assumption-twice",
            value=twice,
            hint=use("assume", value=f"{twice}=LOW..HIGH", purpose="to give a band"),
        )
    if hardware.count is not None and hardware.count < 1:
        raise InputError(
            f"count {hardware.count}: expected at least 1 device", code="no-devices", value=hardware.count
        )


def _hardware_options(hardware: Hardware) -> list[str]:
    """Return the options of the hardware that are given besides the accelerator."""
    given = {"count": hardware.count, "precision": hardware.precision, "assume": hardware.assume or None}
    return [name for name, value in given.items() if value is not None]


def parse(question: Question, law: LawInfo, unit: str, today: date) -> ParsedQuestion:
    """Return a question in base units.

    Args:
        question: The question as it was written.
        law: The law that answers, whose metric and unit the target has.
        unit: The law's unit of data.
        today: The day that a deadline counts from.

    Returns:
        The numbers of the question.

    Raises:
        InputError: A number cannot be parsed, is not positive, or limits compute without an accelerator.
    """
    check(question)
    target = None
    if question.target is not None:
        target = law.scale.checked_target(law.scale.parse(question.target), written=question.target)
    _check_limits(question)

    def amount(text: str) -> float:
        return units.parse_data(text, unit)

    def size(text: str) -> float:
        return units.parse_number(text, expected="a number of parameters such as 300M")

    def compute(text: str) -> float:
        return units.parse_number(text, expected="training FLOP such as 1e21")

    limits, supply, confidence = question.limits, question.supply, question.confidence
    price, rate = supply.data_price, supply.data_rate
    start = today if limits.start is None else units.parse_day(limits.start)
    return ParsedQuestion(
        question=question,
        given=question.given,
        target=target,
        data=positive(amount, question.data, "data"),
        params=positive(size, question.params, "params"),
        flops=positive(compute, question.flops, "flops"),
        limits=ParsedLimits(
            budget=positive(units.parse_money, limits.budget, "budget"),
            days=None if limits.deadline is None else units.parse_deadline(limits.deadline, start),
            gpu_hours=positive(units.parse_gpu_hours, limits.gpu_hours, "gpu_hours"),
            start=start,
        ),
        supply=ParsedSupply(
            data_available=positive(amount, supply.have_data, "have_data"),
            data_price=None if price is None else parse_data_price(price, unit),
            inference_tokens=positive(amount, supply.serve, "serve"),
            data_rate=None if rate is None else parse_data_rate(rate, unit),
            miss_penalty=positive(units.parse_money, supply.miss_penalty, "miss_penalty"),
        ),
        confidence=None if confidence is None else units.parse_probability(confidence),
        assumed=tuple(parse_assumption(text) for text in question.hardware.assume),
    )


def _check_limits(question: Question) -> None:
    """Check that every limit has something to limit: an accelerator, or data that costs money or time."""
    limits, supply = question.limits, question.supply
    if question.hardware.on is not None:
        return
    for name, limit, alternative in (
        ("GPU-hours", limits.gpu_hours, None),
        ("a budget", limits.budget, "data_price" if supply.data_price is None else ""),
        ("a deadline", limits.deadline, "data_rate" if supply.data_rate is None else ""),
    ):
        if limit is None or alternative == "":
            continue
        extra = {"data_price": " or a price of data", "data_rate": " or a pace of labeling"}
        raise MissingInput(
            f"{name}: expected an accelerator{extra.get(alternative or '', '')} too, got none",
            code="missing-accelerator",
            hint=(use("on", value="h100"), *((use(alternative),) if alternative else ())),
        )


def positive(parse: Callable[[str], float], text: str | None, name: str) -> float | None:
    """Return a number that has to be above 0.

    Args:
        parse: Turns the text into a number.
        text: The text, None where nothing is given.
        name: What the number is of.

    Returns:
        The number, None where nothing is given.

    Raises:
        InputError: The number is not above 0.
    """
    if text is None:
        return None
    value = parse(text)
    if value <= 0:
        raise InputError(f"{name} {text.strip()}: expected more than 0", code="not-positive", value=text)
    return value
