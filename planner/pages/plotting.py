"""Draw a law or the forecast of a curve: what was measured, median, 50 and 90 % bands, as PNG or SVG.

matplotlib without pyplot: no window system, no global state. The same input gives the same bytes.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from laws import paths
from laws.errors import PlannerError
from laws.store import Store
from laws.types import Law
from planner.measuring import extrapolation

LEVELS = tuple(extrapolation.LEVELS.values())


@dataclass(frozen=True)
class Drawing:
    """One picture in base units: measured (x, y), and for each x of the bands the quantiles LEVELS of y."""

    title: str
    x_name: str
    y_name: str
    measured: Sequence[tuple[float, float]]
    x: Sequence[float]
    bands: Sequence[Sequence[float]]
    note: str = ""


def of_law(store: Store, id: str, *, decades: float) -> Drawing:
    """Return the drawing of a stored law, `decades` beyond its largest measured scale; without noise."""
    law = store.law(id)
    if not law.paths:
        raise PlannerError(f"the law {id} is of {law.x}: only a law of one quantity is drawn as a curve")
    start, end = math.log(law.x_range[0]), math.log(law.x_range[1]) + decades * math.log(10)
    grid = [start + (end - start) * i / 120 for i in range(121)]
    bands = []
    for log_x in grid:
        values = sorted(math.exp(paths.value_at(law.grid, path, log_x)) for path in law.paths)
        bands.append([paths.quantile(values, level) for level in LEVELS])
    unit = "" if law.metric_unit == "fraction" else f" ({law.metric_unit})"
    title = f"{law.domain} {law.family}: {law.form}, {law.n_points} points"
    return Drawing(
        title, law.x_unit, law.metric + unit, _measured(law), [math.exp(v) for v in grid], bands,
        note="bands: 50 and 90 % of the draws, noise left out",
    )  # fmt: skip


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
    start, end = math.log(question.measured[0][0]), math.log(question.measured[-1][0])
    end += decades * math.log(10)
    x = [math.exp(start + (end - start) * i / 60) for i in range(61)]
    told = extrapolation.forecast_of(question, seed=seed)
    bands = told.quantiles(x, LEVELS).T.tolist()
    forms = ", ".join(f"{form} {weight:.0%}" for form, weight in told.weights.items())
    measured = [(row[0], row[1]) for row in question.measured]
    return Drawing(question.curve, "x", "y", measured, x, bands, note=f"the next measurement; {forms}")


def write(drawing: Drawing, out: Path) -> None:
    """Write a drawing as the kind of picture that the name of the file says."""
    if out.suffix.lower() not in {".png", ".svg"}:
        raise PlannerError(f"{out}: wanted a name that ends in .png or .svg")
    if not out.parent.is_dir():
        raise PlannerError(f"{out} cannot be written: there is no folder {out.parent}")
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise PlannerError("drawing needs matplotlib: pip install 'scaling-planner[plot]'") from None

    with mpl.rc_context({"svg.hashsalt": "planner", "font.size": 9}):
        figure = Figure(figsize=(6.4, 4.2), layout="constrained")
        axes = figure.add_subplot()
        low, q25, median, q75, high = zip(*drawing.bands, strict=True)
        axes.fill_between(drawing.x, low, high, color="#4477aa", alpha=0.2, linewidth=0, label="90 %")
        axes.fill_between(drawing.x, q25, q75, color="#4477aa", alpha=0.35, linewidth=0, label="50 %")
        axes.plot(drawing.x, median, color="#223355", linewidth=1.2, label="median")
        if drawing.measured:
            x, y = zip(*drawing.measured, strict=True)
            axes.plot(x, y, "o", color="black", markersize=3, label="measured")
            axes.axvline(max(x), color="grey", linewidth=0.6, linestyle=":")
        axes.set(
            xscale="log", yscale="log", xlabel=drawing.x_name, ylabel=drawing.y_name, title=drawing.title
        )
        axes.legend(frameon=False)
        axes.grid(visible=True, which="both", linewidth=0.3, alpha=0.4)
        if drawing.note:
            figure.supxlabel(drawing.note, fontsize=7, color="grey")
        kind = out.suffix.lower()[1:]
        figure.savefig(
            out, dpi=160, format=kind, metadata={"Date": None} if kind == "svg" else {"Software": None}
        )


def _measured(law: Law) -> list[tuple[float, float]]:
    return list(zip(law.points.get("x", ()), law.points.get("y", ()), strict=True))
