"""Write a drawing as PNG or SVG.

matplotlib without pyplot: no window system, no global state. The same drawing gives the same bytes.
"""

import textwrap
from pathlib import Path
from typing import Any

from laws.errors import PlannerError
from laws.storage.atomic_write import write_atomically
from planner import units
from planner.reports.plots.figure import Drawing
from planner.reports.plots.svg import ticks

BLUE, INK = "#4477aa", "#223355"
DASHES = ("--", "-.", ":")


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

    settings: Any = {"svg.hashsalt": "planner", "font.size": 9, "text.parse_math": False}
    with mpl.rc_context(settings):
        figure = Figure(figsize=(6.4, 4.2), layout="constrained")
        axes = figure.add_subplot()
        axes.set(xscale="log", yscale="log", xlabel=drawing.x_name, ylabel=drawing.y_name)
        axes.set_title(drawing.title, fontsize=10)
        low, q25, median, q75, high = zip(*drawing.bands, strict=True)
        axes.fill_between(drawing.x, low, high, color=BLUE, alpha=0.2, linewidth=0, label="90 %")
        axes.fill_between(drawing.x, q25, q75, color=BLUE, alpha=0.35, linewidth=0, label="50 %")
        axes.plot(drawing.x, median, color=INK, linewidth=1.4, label="median")
        for (name, line), dashes in zip(drawing.forms.items(), DASHES * len(drawing.forms), strict=False):
            axes.plot(drawing.x, line, color="#aa3311", linewidth=1, linestyle=dashes, label=name)
        axes.axvline(drawing.largest, color="gray", linewidth=0.6, linestyle=":")
        if drawing.measured:
            x, y = zip(*drawing.measured, strict=True)
            axes.plot(x, y, "o", color="black", markersize=3.5, label="measured")
        axes.set_xlim(drawing.x[0] / 1.1, drawing.x[-1])
        ticks(axes.xaxis, axes.get_xlim(), units.format_number)
        ticks(axes.yaxis, axes.get_ylim(), drawing.shown_y)
        axes.legend(frameon=False)
        axes.grid(visible=True, linewidth=0.3, alpha=0.4)
        figure.supxlabel(textwrap.fill(drawing.note, 110), fontsize=7, color="gray")
        kind = out.suffix.lower()[1:]
        metadata = {"Date": None} if kind == "svg" else {"Software": None}
        write_atomically(out, lambda path: figure.savefig(path, dpi=160, format=kind, metadata=metadata))
