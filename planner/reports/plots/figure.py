"""A law or the forecast of a curve as a picture's content: points, median, bands, and the forms beside it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from laws import paths
from laws.catalog import published
from laws.catalog.bundled import BundledLaws, locate_law
from laws.errors import PlannerError
from laws.storage.store import Store
from laws.types import Law
from planner import units
from planner.lawmodel.model import forms_in_words
from planner.sources import extrapolate as extrapolation

LEVELS = tuple(extrapolation.LEVELS.values())
FURTHEST = 9  # powers of ten beyond the data: as far as stored paths reach
PLACES = 121  # of a law; the forecast of a curve is computed anew, at half of them


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """One picture in base units; every line has one y for each x."""

    title: str
    x_name: str
    y_name: str
    y_unit: str
    measured: tuple[tuple[float, float], ...]
    largest: float  # measured x
    x: tuple[float, ...]
    bands: tuple[tuple[float, ...], ...]  # for each x the quantiles LEVELS of y
    forms: dict[str, tuple[float, ...]]  # medians of what else was fitted to the same points
    note: str

    def shown_y(self, value: float) -> str:
        """Print a y without its unit."""
        return units.format_fraction(value) if self.y_unit == "fraction" else units.format_number(value)


def of_law(store: Store, id: str, *, decades: float) -> Drawing:
    """Return the drawing of a stored law, `decades` beyond its largest measured scale; without noise."""
    place = locate_law(store, id)
    try:
        law = place.law(id)
    except PlannerError:
        if id in {law.id for law in published.all_laws()}:
            raise PlannerError(f"law {id} is published constants: only a law with draws is drawn") from None
        raise
    if not law.paths:
        raise PlannerError(f"the law {id} is of {law.x}: only a law of one quantity is drawn as a curve")
    x = _places(*law.x_range, decades, PLACES)
    family = f", {law.family}" if law.family else ""
    forms = f"; forms: {forms_in_words(law.forms)}" if law.forms else ""
    return Drawing(
        title=f"{law.domain}{family}: {law.metric} by {law.form}, {_counted(law.n_points)}",
        x_name=units.data_in_words(law.x_unit),
        y_name=law.metric if law.metric_unit in ("", "fraction") else f"{law.metric}, {law.metric_unit}",
        y_unit=law.metric_unit,
        measured=tuple(zip(law.points.get("x", ()), law.points.get("y", ()), strict=True)),
        largest=law.x_range[1],
        x=x,
        bands=tuple(_quantiles(law, place, LEVELS) for place in x),
        forms={
            other.form: tuple(_quantiles(other, place, (0.5,))[0] for place in x)
            for other in _beside(place, law)
        },
        note=f"noise left out{forms}{'; shipped: of an embedded corpus' if law.source == 'shipped' else ''}",
    )


def of_curve(path: Path, curve: str | None, *, decades: float, seed: int) -> Drawing:
    """Return the drawing of one curve of a file as `planner extrapolate` forecasts it alone."""
    questions = extrapolation.read(path, asked=False)
    names = [question.curve for question in questions]
    chosen = [question for question in questions if curve is None or question.curve == curve]
    if len(chosen) != 1:
        raise PlannerError(
            f"{path} has the curves {', '.join(map(repr, names[:8]))}{' ...' if len(names) > 8 else ''}: "
            "name one of them with --curve"
        )
    question = chosen[0]
    smallest, largest = question.measured[0][0], question.measured[-1][0]
    x = _places(smallest, largest, decades, PLACES // 2 + 1)
    told = extrapolation.forecast_of(question, seed=seed)
    return Drawing(
        title=f"{question.curve or path.name}: {_counted(len(question.measured))}",
        x_name="x",
        y_name="y",
        y_unit="",
        measured=tuple((row[0], row[1]) for row in question.measured),
        largest=largest,
        x=x,
        bands=tuple(map(tuple, told.quantiles(x, LEVELS).T.tolist())),
        forms=extrapolation.plain_medians(question, x, seed=seed),
        note=f"the next measurement, noise included; forms: {forms_in_words(told.weights)}",
    )


def _counted(points: int) -> str:
    return "one point" if points == 1 else f"{points} points"


def _places(low: float, high: float, decades: float, count: int) -> tuple[float, ...]:
    if not 0 <= decades <= FURTHEST:
        raise PlannerError(f"--decades {decades:g}: wanted a number from 0 to {FURTHEST}")
    if low == high and decades == 0:
        raise PlannerError("one size was measured, and nothing beyond it is asked: give --decades above 0")
    start, end = math.log(low), math.log(high) + decades * math.log(10)
    return tuple(math.exp(start + (end - start) * i / (count - 1)) for i in range(count))


def _quantiles(law: Law, x: float, levels: Sequence[float]) -> tuple[float, ...]:
    values = sorted(math.exp(paths.value_at(law.grid, path, math.log(x))) for path in law.paths)
    return tuple(paths.quantile(values, level) for level in levels)


def _beside(store: Store | BundledLaws, law: Law) -> list[Law]:
    """Return the laws of other forms that the same fit made of the same points."""
    rows = store.laws()
    names = ("source", "domain", "family", "metric", "x", "x_range", "created", "sequence")
    key = attrgetter(*names)
    fits = {key(row) for row in rows if row.id == law.id}
    return [store.law(row.id) for row in rows if key(row) in fits and row.form != law.form]
