"""What a figure of a law or of a forecast curve shows: points, median, bands, and other forms for comparison.

`terminal_plot.py` and `matplotlib_plot.py` draw the same `FigureData`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from laws import paths
from laws.catalog import published
from laws.catalog.bundled import BundledLaws, locate_law
from laws.errors import InputError, LawError, PlannerError, use
from laws.storage.store import Store
from laws.types import Law
from planner import units
from planner.lawmodel.info import law_info
from planner.metrics import MetricScale
from planner.reports.assumption_text import forms_text
from planner.reports.quantities import counted
from planner.sources import extrapolate

LEVELS = tuple(extrapolate.LEVELS.values())
MAX_DECADES = 9  # beyond the data: stored paths end there
LAW_POINTS = 121  # x values of a law's line
CURVE_POINTS = 61  # of a curve's: each costs a forecast
MAX_CURVES_NAMED = 8  # in an error


@dataclass(frozen=True, kw_only=True)
class FigureData:
    """One figure in base units; every line has one y for each x."""

    title: str
    x_name: str
    y_name: str
    y_unit: str
    y_ceiling: float | None = None  # of a metric that rises: its axis is linear
    measured: tuple[tuple[float, float], ...]
    largest: float  # measured x
    x: tuple[float, ...]
    bands: tuple[tuple[float, ...], ...]  # for each x the quantiles LEVELS of y
    forms: dict[str, tuple[float, ...]]  # form -> medians of its own fit to the same points
    note: str
    target: float | None = None  # a y to draw a line at

    def printed_y(self, value: float) -> str:
        """Return a y as text, without its unit.

        Args:
            value: A y in base units.

        Returns:
            The text; a percentage where y is a fraction.
        """
        return MetricScale(self.y_name, self.y_unit, self.y_ceiling).without_unit.format(value)


def figure_of_law(store: Store, id: str, *, decades: float) -> FigureData:
    """Return the figure of a stored law, without the noise of single measurements.

    Args:
        store: The store; bundled laws are found without it.
        id: The law.
        decades: How far beyond the largest measured scale, in powers of ten.

    Returns:
        The law's posterior quantiles, its points, and the other forms of the same fit.

    Raises:
        PlannerError: No such law.
        LawError: The law has no posterior samples, or depends on more than one quantity.
        InputError: `decades` is out of range.
    """
    source = locate_law(store, id)
    try:
        law = source.law(id)
    except PlannerError:
        if id in {law.id for law in published.all_laws()}:
            raise LawError(
                f"law {id} is published constants: expected a law with posterior samples",
                code="law-without-samples",
                value=id,
            ) from None
        raise
    if not law.paths:
        raise LawError(
            f"law {id} depends on {law.x}: expected a law of one quantity",
            code="law-of-several-quantities",
            value=id,
        )
    return figure_of(law, decades=decades, others=_other_forms(source, law))


def figure_of(law: Law, *, decades: float, others: Sequence[Law] = ()) -> FigureData:
    """Return the figure of a law with paths, without the noise of single measurements.

    Args:
        law: The law.
        decades: How far beyond the largest measured scale, in powers of ten.
        others: Other forms of the same fit.

    Returns:
        The law's posterior quantiles, its points, and the medians of the other forms.

    Raises:
        InputError: `decades` is out of range.
    """
    x = _x_values(*law.x_range, decades, LAW_POINTS)
    terms = law_info(law).scale
    family = f", {law.family}" if law.family else ""
    forms = f"; forms: {forms_text(law.forms)}" if law.forms else ""
    bundled = "; bundled example law" if law.source == "shipped" else ""
    return FigureData(
        title=f"{law.domain}{family}: {law.metric} by {law.form}, {counted(law.n_points, 'point')}",
        x_name=units.data_in_words(law.x_unit),
        y_name=law.metric if law.metric_unit in ("", "fraction") else f"{law.metric}, {law.metric_unit}",
        y_unit=law.metric_unit,
        y_ceiling=law.metric_ceiling,
        measured=tuple(
            (x, terms.from_error(y))
            for x, y in zip(law.points.get("x", ()), law.points.get("y", ()), strict=True)
        ),
        largest=law.x_range[1],
        x=x,
        bands=tuple(_quantiles(law, scale, LEVELS) for scale in x),
        forms={other.form: tuple(_quantiles(other, scale, (0.5,))[0] for scale in x) for other in others},
        note=f"without the noise of single measurements{forms}{bundled}",
    )


def figure_of_curve(path: Path, curve: str | None, *, decades: float, seed: int) -> FigureData:
    """Return the figure of one curve of a file, as `planner extrapolate` forecasts it by itself.

    Args:
        path: A table of curves.
        curve: The name of one; None where the file has only one.
        decades: How far beyond the largest measured scale, in powers of ten.
        seed: The same seed gives the same figure.

    Returns:
        The forecast of the next measurement, noise included, and single-form fits.

    Raises:
        InputError: No curve of that name, several where none is named, or `decades` is out of range.
    """
    questions = extrapolate.read_curves(path, asked=False)
    names = [question.curve for question in questions]
    matching = [question for question in questions if curve is None or question.curve == curve]
    if len(matching) != 1:
        more = " ..." if len(names) > MAX_CURVES_NAMED else ""
        raise InputError(
            f"curve of {path}: expected one of {', '.join(map(repr, names[:MAX_CURVES_NAMED]))}{more}, "
            f"got {'none' if curve is None else repr(curve)}",
            code="which-curve",
            value=curve,
            expected=", ".join(names),
            hint=use("curve", value="NAME", purpose="to name one of them"),
        )
    question = matching[0]
    smallest, largest = question.measured[0][0], question.measured[-1][0]
    x = _x_values(smallest, largest, decades, CURVE_POINTS)
    forecast = extrapolate.forecast_of(question, seed=seed)
    return FigureData(
        title=f"{question.curve or path.name}: {counted(len(question.measured), 'point')}",
        x_name="x",
        y_name="y",
        y_unit="",
        measured=tuple((row[0], row[1]) for row in question.measured),
        largest=largest,
        x=x,
        bands=tuple(map(tuple, forecast.quantiles(x, LEVELS).T.tolist())),
        forms=extrapolate.plain_medians(question, x, seed=seed),
        note=f"the next measurement, noise included; forms: {forms_text(forecast.weights)}",
    )


def _x_values(low: float, high: float, decades: float, count: int) -> tuple[float, ...]:
    """Return `count` values from low to `decades` beyond high, evenly spaced on a log axis."""
    if not 0 <= decades <= MAX_DECADES:
        raise InputError(
            f"decades: expected a number from 0 to {MAX_DECADES}, got {decades:g}",
            code="decades-out-of-range",
            value=decades,
            expected=f"a number from 0 to {MAX_DECADES}",
        )
    if low == high and decades == 0:
        raise InputError(
            "decades: expected more than 0 where one size was measured, got 0",
            code="decades-out-of-range",
            value=decades,
            expected="more than 0",
        )
    start, end = math.log(low), math.log(high) + decades * math.log(10)
    return tuple(math.exp(start + (end - start) * i / (count - 1)) for i in range(count))


def _quantiles(law: Law, x: float, levels: Sequence[float]) -> tuple[float, ...]:
    terms = law_info(law).scale
    values = sorted(
        terms.from_error(math.exp(paths.value_at(law.grid, path, math.log(x)))) for path in law.paths
    )
    return tuple(paths.quantile(values, level) for level in levels)


def _other_forms(source: Store | BundledLaws, law: Law) -> list[Law]:
    """Return the laws of other forms that the same fit made from the same points."""
    rows = source.laws()
    subject = attrgetter("source", "domain", "family", "metric", "x", "x_range", "created", "sequence")
    subjects = {subject(row) for row in rows if row.id == law.id}
    return [source.law(row.id) for row in rows if subject(row) in subjects and row.form != law.form]
