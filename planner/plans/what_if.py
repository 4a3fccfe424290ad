"""One question asked over two axes: every cell of the table is a plan of its own, by one law."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from pathlib import Path

from laws.errors import InputError, PlannerError, nearest
from planner.assumptions import names
from planner.hardware.fleet import Fleet
from planner.lawmodel.select import SelectedLaw, select_law
from planner.plans.plan import OnProgress, Plan, parse_for, plan_by
from planner.plans.quantities import keys, samples_of
from planner.plans.question import PAIR, Question, check

PROBABILITY = "probability"  # that all constraints hold: can be shown like a quantity
_CELLS = 400  # of one table


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One place in the table; `reason` says why there is no plan."""

    values: tuple[str, ...]  # of each axis
    plan: Plan | None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """One or two axes with a plan for each combination of their values."""

    axes: Mapping[str, tuple[str, ...]]
    cells: tuple[Cell, ...]  # the last axis runs fastest
    show: str  # the quantity that a table prints


def split(
    given: Mapping[str, str | None], assume: Sequence[str]
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Return what has one value and what has several, separated by commas; assumptions by their own name."""
    texts = {name: text for name, text in given.items() if text is not None}
    for text in assume:
        name, equals, values = (piece.strip() for piece in text.partition("="))
        if not equals or name not in names():
            raise PlannerError(f"there is no assumption {name!r}{nearest(name, names())}")
        texts[name] = values
    lists = {name: tuple(value.strip() for value in text.split(",")) for name, text in texts.items()}
    one = {name: values[0] for name, values in lists.items() if len(values) == 1}
    return one, {name: values for name, values in lists.items() if len(values) > 1}


def what_if(
    question: Question,
    one: Mapping[str, str],
    axes: Mapping[str, Sequence[str]],
    folder: Path,
    fleet: Fleet,
    *,
    today: date,
    seed: int = 0,
    show: str | None = None,
    on_progress: OnProgress = lambda _what, _done, _all: None,
) -> Table:
    """Return a plan for every combination of values; an axis is a field of `Question` or an assumption.

    `one` has the fields and assumptions that are the same in every cell; `on_progress` is called with how far it is.

    A cell that has no answer keeps the reason. Raises PlannerError where no cell has one, for an axis too
    many, and for a quantity that no plan has.
    """
    if not 1 <= len(axes) <= 2:
        named = " and ".join(axes) or "none"
        raise PlannerError(
            f"wanted one or two lists of values, given {named}: separate values by commas, such as "
            "--target-wer 5%,8% --on h100,a100"
        )
    if show is not None and show not in (choices := (*keys(), PROBABILITY)):
        raise PlannerError(f"--show {show!r}{nearest(show, choices)}")
    size = 1
    for values in axes.values():
        size *= len(values)
    if size > _CELLS:
        raise PlannerError(f"{size} cells: wanted at most {_CELLS}, fewer values on an axis")
    question = _with_values(question, one)
    for values in product(*axes.values()):
        check(_with_values(question, dict(zip(axes, values, strict=True))))
    selected = select_law(question.selector, folder)
    _readable(selected, question, axes, fleet, today)
    cells: list[Cell] = []
    for values in product(*axes.values()):
        on_progress("cells", len(cells), size)
        asked = _with_values(question, dict(zip(axes, values, strict=True)))
        try:
            cells.append(
                Cell(values=values, plan=plan_by(selected, asked, folder, fleet, today=today, seed=seed))
            )
        except PlannerError as error:
            cells.append(Cell(values=values, plan=None, reason=str(error)))
    on_progress("cells", size, size)
    plans = [cell.plan for cell in cells if cell.plan is not None]
    if not plans:
        raise PlannerError(cells[0].reason)
    if show is not None and not any(_has(plan, show) for plan in plans):
        raise PlannerError(f"no cell has {show}: {_WANTING.get(show, 'the law says nothing of it')}")
    return Table(
        axes={name: tuple(values) for name, values in axes.items()},
        cells=tuple(cells),
        show=show or _usual(plans[0]),
    )


def _readable(
    selected: SelectedLaw, question: Question, axes: Mapping[str, Sequence[str]], fleet: Fleet, today: date
) -> None:
    """Refuse a value that could be read in no cell, each beside the first values of the other axes."""
    first = {name: values[0] for name, values in axes.items()}
    for name, values in axes.items():
        for text in values:
            asked = parse_for(selected, _with_values(question, first | {name: text}), today)
            if asked.question.hardware.on is not None:
                fleet.accelerator(asked.question.hardware.on)


_ON = "name a part with --on, such as --on h100"
_WANTING = {
    **dict.fromkeys(("gpu_hours", "days", "energy", "carbon"), _ON),
    "dollars": f"{_ON}, one with a price",
    PROBABILITY: "it is that of limits beside a target, such as --have-data or --budget",
}


def _has(plan: Plan, show: str) -> bool:
    return plan.feasible is not None if show == PROBABILITY else bool(samples_of(plan, show))


def _with_values(question: Question, values: Mapping[str, str]) -> Question:
    """Return the question of one cell."""
    for name, text in values.items():
        if name in names():
            others = (given for given in question.hardware.assume if given.partition("=")[0].strip() != name)
            question = question.with_options({"assume": (*others, f"{name}={text}")})
        elif name == "count":
            try:
                question = question.with_options({"count": int(text)})
            except ValueError:
                raise InputError(
                    f"count {text!r}: expected a whole number of devices", code="not-a-number", value=text
                ) from None
        else:
            question = question.with_options({name: text})
    return question


def _usual(plan: Plan) -> str:
    """Return what a reader asks first: the error where it is open, else money, hours, data."""
    if plan.given in ("data", "params", "flops", PAIR, None):
        return "error"
    return next(key for key in ("dollars", "gpu_hours", "data") if any(samples_of(plan, key)))
