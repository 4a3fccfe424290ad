"""A law as a curve: error over data with its bands, the points it was fitted to, and where the answer lies.

One value serves every format: the page draws it, Markdown tabulates it, JSON carries it.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from laws import paths
from laws.catalog.published import PublishedLaw
from laws.types import Law
from planner import units
from planner.lawmodel.scenario import Scenario
from planner.lawmodel.select import SelectedLaw
from planner.plans.plan import Plan
from planner.reports.report import Report

LEVELS = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
PLACES = 41
POINTS = 12  # that are printed; JSON has all
_SPLIT = "The line takes the size of the least FLOP for each amount of data; runs of other sizes lie off it."
WORLDS = 120  # of a surface, each of whose values may take a root


@dataclass(frozen=True, kw_only=True)
class LawCurve:
    """What a law says of the error along one line of plans, in base units."""

    x_name: str
    y_name: str
    y_unit: str
    x: tuple[float, ...]
    bands: dict[str, tuple[float, ...]]  # quantiles of the error at each x; the median alone of one figure
    measured: tuple[tuple[float, float], ...]  # what was fitted; none where the points are not on record
    largest: float | None  # measured x
    target: float | None
    note: str = ""  # what the line is, where it is not all that the law says
    needed: tuple[float, ...]  # x at which the target is reached: 5 %, median, 95 %, the finite ones


def curve(found: Plan, chosen: SelectedLaw) -> LawCurve:
    """Return the curve of the law behind a plan, from the smallest measured data to beyond the answer."""
    law, reading = chosen.law, found.law_model
    smallest = found.question.allocate == "smallest-model"  # its line runs over sizes, the data is fixed
    answer = found.estimate.params if smallest else found.estimate.samples_seen
    if not smallest and not reading.is_joint:
        answer = found.estimate.data
    measured = () if smallest else _measured(law)
    needed = tuple(
        value
        for level in (0.05, 0.5, 0.95)
        if answer.draws and math.isfinite(value := paths.quantile(answer.draws, level))
    )
    largest = None if smallest else reading.measured.largest_data
    x = _places(law, measured, largest, needed)
    stored = law if isinstance(law, Law) and law.paths else None
    bands = _of_worlds(reading.scenarios, x) if stored is None else _of_paths(stored, x)
    seen = reading.is_joint and not smallest
    unit = units.data_in_words(reading.unit)
    return LawCurve(
        x_name="parameters" if smallest else f"{unit} seen" if seen else unit,
        y_name=law.metric,
        y_unit=law.metric_unit if isinstance(law, Law) else law.unit,
        x=x,
        bands=bands if reading.has_posterior else {"median": bands["median"]},
        measured=measured,
        largest=largest,
        target=found.estimate.target,
        needed=needed if reading.has_posterior else needed[:1],
        note=_SPLIT if seen else "",
    )


def _measured(law: Law | PublishedLaw) -> tuple[tuple[float, float], ...]:
    points = law.points if isinstance(law, Law) else {}
    return tuple(sorted(zip(points.get("x", points.get("data", ())), points.get("y", ()), strict=True)))


def _places(
    law: Law | PublishedLaw,
    measured: Sequence[tuple[float, float]],
    largest: float | None,
    needed: Sequence[float],
) -> tuple[float, ...]:
    """Return x from the smallest to beyond the largest of what is measured and what is needed."""
    known = [*(x for x, _ in measured), *needed, *([largest] if largest else [])]
    known += law.x_range if isinstance(law, Law) else [x for x in law.measured if x]
    low, high = min(known, default=1.0), max(known, default=1.0)
    low, high = (low, 2 * high) if high > 10 * low else (low / 10, 10 * high)
    step = (math.log(high) - math.log(low)) / (PLACES - 1)
    return tuple(math.exp(math.log(low) + i * step) for i in range(PLACES))


def _of_paths(law: Law, x: Sequence[float]) -> dict[str, tuple[float, ...]]:
    rows = []
    for place in map(math.log, x):
        i = min(
            max(bisect_right(law.grid, place) - 1, 0), len(law.grid) - 2
        )  # as laws/paths.py reads one path
        share = (place - law.grid[i]) / (law.grid[i + 1] - law.grid[i])
        rows.append([math.exp(path[i] + share * (path[i + 1] - path[i])) for path in law.paths])
    return _quantiles(rows)


def _of_worlds(scenarios: Sequence[Scenario], x: Sequence[float]) -> dict[str, tuple[float, ...]]:
    some = scenarios[:: math.ceil(len(scenarios) / WORLDS)]
    return _quantiles([[world.error(min(place, world.high)) for world in some] for place in x])


def _quantiles(rows: Sequence[Sequence[float]]) -> dict[str, tuple[float, ...]]:
    ordered = [sorted(row) for row in rows]
    return {name: tuple(paths.quantile(row, level) for row in ordered) for name, level in LEVELS.items()}


def report(found: LawCurve) -> Report:
    """Return the curve as a table, for where no picture can be."""
    names = [name for name in ("q05", "median", "q95") if name in found.bands]
    places = range(0, PLACES, 5)
    rows = [
        (units.format_number(found.x[i]), *(shown(found, found.bands[name][i]) for name in names))
        for i in places
    ]
    heads = {"q05": "5%", "median": "median", "q95": "95%"}
    points = ", ".join(f"{units.format_number(x)}: {shown(found, y)}" for x, y in found.measured[:POINTS])
    more = len(found.measured) - POINTS
    notes = [f"Fitted to {points}{f' and {more} more' if more > 0 else ''}."] if points else []
    return Report(
        title=f"The law: {found.y_name} by {found.x_name}",
        columns=(found.x_name, *(heads[name] for name in names)),
        rows=tuple(rows),
        notes=(*notes, caption(found, drawn=False)),
        words=frozenset(),
    )


def caption(found: LawCurve, *, drawn: bool) -> str:
    """Return what a reader has to know of the curve; where it is `drawn`, which line is which."""
    says = ["Median with its 50% and 90% bands, the scatter of single trainings left out."]
    if "q05" not in found.bands:
        says = ["The published line; its authors state no band."]
    if found.note:
        says.append(found.note)
    if not found.measured:
        says.append("The points it was fitted to are not on record.")
    elif drawn:
        says.append("Dots: what it was fitted to.")
    if found.largest is not None:
        says.append(
            f"{'Dotted: measured' if drawn else 'Measured'} up to {units.format_number(found.largest)}."
        )
    if found.target is not None:
        says.append(f"{'Dashed: the target' if drawn else 'The target is'} {shown(found, found.target)}.")
    return " ".join(says)


def shown(found: LawCurve, value: float) -> str:
    """Print an error of the curve without its unit."""
    return units.format_fraction(value) if found.y_unit == "fraction" else units.format_number(value)
