"""Write a figure as PNG or SVG.

It uses matplotlib without pyplot: no window system, no global state. The same figure gives the same bytes.
"""

import textwrap
from pathlib import Path
from typing import Any

from laws.errors import FileError, InputError
from laws.storage.atomic_write import write_atomically
from planner import units
from planner.reports.plots.figure import FigureData
from planner.reports.plots.libraries import missing_library
from planner.reports.plots.svg import ticks

BLUE, INK = "#4477aa", "#223355"
DASHES = ("--", "-.", ":")
SUFFIXES = (".png", ".svg")


def write(data: FigureData, out: Path) -> None:
    """Write a figure as a picture.

    Args:
        data: The figure.
        out: The file; its suffix decides the kind.

    Raises:
        InputError: The name ends neither in .png nor in .svg.
        FileError: The folder does not exist.
        PlannerError: matplotlib is not installed (code "missing-library").
    """
    if out.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"file {out}: expected a name that ends in .png or .svg",
            code="unknown-suffix",
            value=str(out),
            expected=".png or .svg",
        )
    if not out.parent.is_dir():
        raise FileError(
            f"{out} cannot be written: no folder {out.parent}", code="unwritable-file", value=str(out)
        )
    settings, figure = _settings(), draw(data)
    import matplotlib as mpl

    kind = out.suffix.lower()[1:]
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    with mpl.rc_context(settings):
        write_atomically(out, lambda path: figure.savefig(path, dpi=160, format=kind, metadata=metadata))


def draw(data: FigureData) -> Any:
    """Draw a figure.

    Args:
        data: The figure.

    Returns:
        A matplotlib `Figure`, which a notebook shows.

    Raises:
        PlannerError: matplotlib is not installed (code "missing-library").
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise missing_library("matplotlib") from None

    with mpl.rc_context(_settings()):
        figure = Figure(figsize=(6.4, 4.2), layout="constrained")
        axes = figure.add_subplot()
        log_y = data.y_ceiling is None
        axes.set(xscale="log", yscale="log" if log_y else "linear", xlabel=data.x_name, ylabel=data.y_name)
        axes.set_title(data.title, fontsize=10)
        low, q25, median, q75, high = zip(*data.bands, strict=True)
        axes.fill_between(data.x, low, high, color=BLUE, alpha=0.2, linewidth=0, label="90%")
        axes.fill_between(data.x, q25, q75, color=BLUE, alpha=0.35, linewidth=0, label="50%")
        axes.plot(data.x, median, color=INK, linewidth=1.4, label="median")
        for (name, line), dashes in zip(data.forms.items(), DASHES * len(data.forms), strict=False):
            axes.plot(data.x, line, color="#aa3311", linewidth=1, linestyle=dashes, label=name)
        axes.axvline(data.largest, color="gray", linewidth=0.6, linestyle=":")
        if data.target is not None:
            label = f"target {data.printed_y(data.target)}"
            axes.axhline(data.target, color="#aa3311", linewidth=0.9, linestyle=(0, (5, 3)), label=label)
        if data.measured:
            x, y = zip(*data.measured, strict=True)
            axes.plot(x, y, "o", color="black", markersize=3.5, label="measured")
        axes.set_xlim(data.x[0] / 1.1, data.x[-1])
        ticks(axes.xaxis, axes.get_xlim(), units.format_number)
        ticks(axes.yaxis, axes.get_ylim(), data.printed_y, log=log_y)
        axes.legend(frameon=False)
        axes.grid(visible=True, linewidth=0.3, alpha=0.4)
        figure.supxlabel(textwrap.fill(data.note, 110), fontsize=7, color="gray")
        return figure


def _settings() -> Any:
    return {"svg.hashsalt": "planner", "font.size": 9, "text.parse_math": False}
