"""One question over one or two axes: every cell of the table is a plan of its own, by one law."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product
from math import prod
from pathlib import Path

from laws.errors import Hint, InputError, PlannerError, UnknownName, use
from planner.assumptions import current_name, names
from planner.hardware.fleet import Fleet
from planner.lawmodel.select import SelectedLaw, select_law
from planner.plans.plan import OnProgress, Plan, parse_for, plan_by
from planner.plans.quantities import keys, samples_of
from planner.plans.question import PAIR, Question, check

PROBABILITY = "probability"  # that all constraints are satisfied: can be shown like a quantity
MAX_CELLS = 400  # of one table
_NEEDS_HARDWARE = (
    "gpu_hours",
    "days",
    "total_days",
    "dollars",
    "energy",
    "carbon",
    "utilization",
    "memory",
    "devices",
    "devices_for_deadline",
)


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One cell of the table; `reason` says why a plan is missing."""

    values: tuple[str, ...]  # of each axis
    plan: Plan | None
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """One or two axes with a plan for each combination of their values."""

    axes: Mapping[str, tuple[str, ...]]
    cells: tuple[Cell, ...]  # the last axis runs fastest
    show: str  # key of the quantity that a table prints


def split(
    given: Mapping[str, str | None], assume: Sequence[str]
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Split options into those with one value and those with several, separated by commas.

    Args:
        given: Option -> text, None where not given.
        assume: Assumptions as NAME=VALUES.

    Returns:
        Options with one value, and axes with their values; assumptions are named by their own name.

    Raises:
        UnknownName: The name of an assumption is unknown.
    """
    texts = {name: text for name, text in given.items() if text is not None}
    for text in assume:
        name, equals, values = (piece.strip() for piece in text.partition("="))
        name = current_name(name)
        if not equals or name not in names():
            raise UnknownName("assumption", name, names())
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
    """Return a plan for every combination of values; a cell without an answer keeps the reason.

    Args:
        question: What all cells share.
        one: Options and assumptions with one value.
        axes: Options and assumptions with several values; one or two of them.
        folder: The store.
        fleet: The accelerators and what is assumed of them.
        today: The day that deadlines and quotes count from.
        seed: Seed of the samples of the hardware assumptions.
        show: Key of the quantity to print, or "probability"; None for the first that a reader asks for.
        on_progress: Called with what is planned, how many are done, and of how many.

    Returns:
        The table.

    Raises:
        InputError: Too many axes or cells, a value that no cell can use, or a quantity that no plan has.
        PlannerError: No cell has an answer.
    """
    size = _checked_size(axes)
    choices = (*keys(), PROBABILITY)
    if show is not None and show not in choices:
        raise UnknownName("quantity", show, choices)
    question = _with_values(question, one)
    for values in product(*axes.values()):
        check(_with_values(question, dict(zip(axes, values, strict=True))))
    selected = select_law(question.selector, folder)
    _check_values(selected, question, axes, fleet, today)
    cells: list[Cell] = []
    errors: list[PlannerError] = []
    for values in product(*axes.values()):
        on_progress("cells", len(cells), size)
        of_cell = _with_values(question, dict(zip(axes, values, strict=True)))
        try:
            plan = plan_by(selected, of_cell, folder, fleet, today=today, seed=seed)
            cells.append(Cell(values=values, plan=plan))
        except PlannerError as error:
            errors.append(error)
            cells.append(Cell(values=values, plan=None, reason=error.message))
    on_progress("cells", size, size)
    plans = [cell.plan for cell in cells if cell.plan is not None]
    if not plans:
        raise errors[0]
    if show is not None and not any(_has(plan, show) for plan in plans):
        raise InputError(f"no cell has {show}", code="no-such-value", value=show, hint=_missing(show))
    return Table(
        axes={name: tuple(values) for name, values in axes.items()},
        cells=tuple(cells),
        show=show or _default_quantity(plans[0]),
    )


def _checked_size(axes: Mapping[str, Sequence[str]]) -> int:
    """Return the number of cells."""
    if not 1 <= len(axes) <= 2:
        raise InputError(
            f"{len(axes)} lists of values: expected 1 or 2, with the values separated by commas",
            code="wrong-axes",
            value=tuple(axes),
            hint=use("on", value="h100,a100"),
        )
    size = prod(map(len, axes.values()))
    if size > MAX_CELLS:
        raise InputError(f"{size} cells: expected at most {MAX_CELLS}", code="too-many-cells", value=size)
    return size


def _check_values(
    selected: SelectedLaw,
    question: Question,
    axes: Mapping[str, Sequence[str]],
    fleet: Fleet,
    today: date,
) -> None:
    """Check that every value can be parsed, each with the first values of the other axes."""
    first = {name: values[0] for name, values in axes.items()}
    for name, values in axes.items():
        for text in values:
            parsed = parse_for(selected, _with_values(question, first | {name: text}), today)
            if parsed.question.hardware.on is not None:
                fleet.accelerator(parsed.question.hardware.on)


def _has(plan: Plan, show: str) -> bool:
    return plan.feasible is not None if show == PROBABILITY else bool(samples_of(plan, show))


def _missing(show: str) -> tuple[Hint, ...]:
    """Return what a quantity needs that no cell has."""
    if show == PROBABILITY:
        return (use("have_data", "budget", purpose="to constrain a target"),)
    return (use("on", value="h100"),) if show in _NEEDS_HARDWARE else ()


def _with_values(question: Question, values: Mapping[str, str]) -> Question:
    """Return the question of one cell."""
    for name, text in values.items():
        if name in names():
            others = (given for given in question.hardware.assume if _name_of(given) != name)
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


def _name_of(assumption: str) -> str:
    return current_name(assumption.partition("=")[0].strip())


def _default_quantity(plan: Plan) -> str:
    """Return what a reader asks for first: the metric where it is open, else money, hours, data."""
    if plan.given in ("data", "params", "flops", PAIR, None):
        return plan.estimate.law.scale.quantity
    return next(key for key in ("dollars", "gpu_hours", "data") if any(samples_of(plan, key)))
