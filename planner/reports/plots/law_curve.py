"""A law as a curve: its metric against data with bands, the points it was fitted to, and the target.

One value serves every format: the page draws it, Markdown tabulates it, JSON has its numbers.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from laws import paths
from laws.catalog.published import PublishedLaw
from laws.types import Law, Quantity
from planner import units
from planner.lawmodel.scenario import Scenario
from planner.lawmodel.select import SelectedLaw
from planner.metrics import MetricScale
from planner.plans.plan import Plan
from planner.reports.report import Report

LEVELS = {"q05": 0.05, "q25": 0.25, "median": 0.5, "q75": 0.75, "q95": 0.95}
N_POINTS = 41  # x values of the curve
MAX_PRINTED_POINTS = 12  # of the fit; JSON has all
MAX_SCENARIOS = 120  # of a joint law, where each value can need a root
_COMPUTE_OPTIMAL = (
    "For each amount of data, the line takes the model size with the least FLOP. "
    "Runs of other sizes are not on it."
)


@dataclass(frozen=True, kw_only=True)
class LawCurve:
    """The metric of a law along its scaling path, in its own terms and base units."""

    x_name: str
    y_name: str
    y_unit: str
    y_ceiling: float | None = None  # of a metric that rises: its axis is linear
    x: tuple[float, ...]
    bands: dict[str, tuple[float, ...]]  # quantiles of the metric at each x
    measured: tuple[tuple[float, float], ...]  # points of the fit; none where they are not recorded
    largest: float | None  # measured x
    target: float | None
    note: str = ""  # which line it is, where the law depends on more than x
    needed: tuple[float, ...]  # x that reaches the target: 5%, median, 95%, the finite ones

    def printed_y(self, value: float) -> str:
        """Return a value of the metric as text, without its unit.

        Args:
            value: The value, in the metric's own terms.

        Returns:
            The text; a percentage where the metric is a fraction.
        """
        return MetricScale(self.y_name, self.y_unit, self.y_ceiling).without_unit.format(value)


def curve(plan: Plan, selected: SelectedLaw) -> LawCurve:
    """Return the curve of the law behind a plan, from the smallest measured data to beyond the answer.

    Args:
        plan: The answer.
        selected: The law that answered.

    Returns:
        The curve; with `--allocate smallest-model` over model sizes, because the data is fixed.
    """
    law, law_model = selected.law, plan.law_model
    over_sizes = plan.question.allocate == "smallest-model"
    over_samples = law_model.is_joint and not over_sizes
    answer = plan.estimate.data
    if over_sizes:
        answer = plan.estimate.params
    elif over_samples:
        answer = plan.estimate.samples_seen
    measured = () if over_sizes else _measured(law)
    needed = tuple(
        value
        for level in (0.05, 0.5, 0.95)
        if answer.draws and math.isfinite(value := paths.quantile(answer.draws, level))
    )
    largest = None if over_sizes else law_model.measured.largest_data
    x = _x_values(law, measured, largest, needed if isinstance(law, Law) else _middle(answer))
    needed = tuple(min(max(value, x[0]), x[-1]) for value in needed)
    stored = law if isinstance(law, Law) and law.paths else None
    bands = _of_scenarios(law_model.scenarios, x) if stored is None else _of_paths(stored, x)
    terms = law_model.law.scale
    if terms.higher_is_better:  # the 5% end of the error is the 95% end of the metric
        names = list(bands)
        bands = {
            name: tuple(map(terms.from_error, bands[other]))
            for name, other in zip(names, reversed(names), strict=True)
        }
    unit = units.data_in_words(law_model.unit)
    return LawCurve(
        x_name="parameters" if over_sizes else f"{unit} seen in training" if over_samples else unit,
        y_name=law.metric,
        y_unit=law.metric_unit if isinstance(law, Law) else law.unit,
        y_ceiling=terms.ceiling,
        x=x,
        bands=bands,
        measured=tuple((x, terms.from_error(y)) for x, y in measured),
        largest=largest,
        target=plan.estimate.own_target,
        needed=needed,
        note=_COMPUTE_OPTIMAL if over_samples else "",
    )


def _measured(law: Law | PublishedLaw) -> tuple[tuple[float, float], ...]:
    points = law.points if isinstance(law, Law) else {}
    return tuple(sorted(zip(points.get("x", points.get("data", ())), points.get("y", ()), strict=True)))


def _middle(answer: Quantity) -> tuple[float, ...]:
    """Return the median of an answer: by a published law its ends may be decades from anything measured."""
    middle = paths.quantile(answer.draws, 0.5) if answer.draws else math.inf
    return (middle,) if math.isfinite(middle) else ()


def _x_values(
    law: Law | PublishedLaw,
    measured: Sequence[tuple[float, float]],
    largest: float | None,
    needed: Sequence[float],
) -> tuple[float, ...]:
    """Return x from the smallest to beyond the largest of the measured and the needed values."""
    marked = [*(x for x, _ in measured), *needed, *([largest] if largest else [])]
    marked += law.x_range if isinstance(law, Law) else [x for x in law.measured if x]
    low, high = min(marked, default=1.0), max(marked, default=1.0)
    low, high = (low, 2 * high) if high > 10 * low else (low / 10, 10 * high)
    step = (math.log(high) - math.log(low)) / (N_POINTS - 1)
    return tuple(math.exp(math.log(low) + i * step) for i in range(N_POINTS))


def _of_paths(law: Law, x: Sequence[float]) -> dict[str, tuple[float, ...]]:
    """Return the quantiles of all paths at each x, interpolated like `laws.paths.value_at` does one path."""
    rows = []
    for log_x in map(math.log, x):
        i = min(max(bisect_right(law.grid, log_x) - 1, 0), len(law.grid) - 2)
        share = (log_x - law.grid[i]) / (law.grid[i + 1] - law.grid[i])
        rows.append([math.exp(path[i] + share * (path[i + 1] - path[i])) for path in law.paths])
    return _quantiles(rows)


def _of_scenarios(scenarios: Sequence[Scenario], x: Sequence[float]) -> dict[str, tuple[float, ...]]:
    some = scenarios[:: math.ceil(len(scenarios) / MAX_SCENARIOS)]
    return _quantiles([[one.error(min(scale, one.high)) for one in some] for scale in x])


def _quantiles(rows: Sequence[Sequence[float]]) -> dict[str, tuple[float, ...]]:
    ordered = [sorted(row) for row in rows]
    return {name: tuple(paths.quantile(row, level) for row in ordered) for name, level in LEVELS.items()}


def report(law_curve: LawCurve) -> Report:
    """Return the curve as a table, where no picture can be shown.

    Args:
        law_curve: The curve.

    Returns:
        Every fifth x with its median and 90% interval, the points of the fit and the caption.
    """
    headings = {"q05": "5%", "median": "median", "q95": "95%"}
    names = [name for name in headings if name in law_curve.bands]
    show = law_curve.printed_y
    rows = [
        (units.format_number(law_curve.x[i]), *(show(law_curve.bands[name][i]) for name in names))
        for i in range(0, N_POINTS, 5)
    ]
    shown = law_curve.measured[:MAX_PRINTED_POINTS]
    points = ", ".join(f"{units.format_number(x)}: {show(y)}" for x, y in shown)
    more = len(law_curve.measured) - len(shown)
    notes = [f"Fitted to {points}{f' and {more} more' if more > 0 else ''}."] if points else []
    return Report(
        title=f"The law: {law_curve.y_name} by {law_curve.x_name}",
        columns=(law_curve.x_name, *(headings[name] for name in names)),
        rows=tuple(rows),
        notes=(*notes, caption(law_curve, drawn=False)),
        words=frozenset(),
    )


def caption(law_curve: LawCurve, *, drawn: bool) -> str:
    """Return what the curve shows.

    Args:
        law_curve: The curve.
        drawn: Whether it is a chart, whose lines the caption names, or a table.

    Returns:
        A few short sentences.
    """
    sentences = ["Median with 50% and 90% bands, without the scatter of single runs."]
    if law_curve.note:
        sentences.append(law_curve.note)
    if not law_curve.measured:
        sentences.append("The points of the fit are not recorded.")
    elif drawn:
        sentences.append("Dots: the points of the fit.")
    if law_curve.largest is not None:
        largest = units.format_number(law_curve.largest)
        sentences.append(f"{'Dotted line: measured' if drawn else 'Measured'} up to {largest}.")
    if law_curve.target is not None:
        target = law_curve.printed_y(law_curve.target)
        sentences.append(f"{'Dashed line: the target,' if drawn else 'The target is'} {target}.")
    return " ".join(sentences)
