"""Draw a law's curve as SVG inside a page, with the page's colors and font.

It uses matplotlib without pyplot. The same curve gives the same bytes; ids derive from the chart's name, so
that several charts can share a page.
"""

import html
import io
import re
from collections.abc import Callable
from typing import Any

from planner import units
from planner.reports.plots.law_curve import LawCurve, caption
from planner.reports.plots.libraries import missing_library
from planner.reports.plots.ticks import linear_ticks, round_ticks

# matplotlib draws in these colors, and CSS variables replace them: the page sets light, dark and print colors
_VARIABLES = {
    "#010101": "var(--ink)",
    "#020202": "var(--muted)",
    "#030303": "var(--rule)",
    "#040404": "var(--accent)",
    "#050505": "var(--mark)",
}
_INK, _MUTED, _RULE, _ACCENT, _MARK = _VARIABLES
WIDTH, HEIGHT = 5.2, 3.1  # inches at 72 points


def draw(curve: LawCurve, *, name: str) -> str:
    """Draw a curve as one `<svg>` element.

    Args:
        curve: The curve, in base units.
        name: Name of the chart, unique on its page.

    Returns:
        The element; its size follows the page.

    Raises:
        PlannerError: matplotlib is not installed (code "missing-library").
    """
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise missing_library("matplotlib") from None
    settings: Any = {
        "svg.hashsalt": name,
        "svg.fonttype": "none",
        "font.size": 9,
        "text.parse_math": False,
        "path.simplify_threshold": 0.2,
        "axes.edgecolor": _RULE,
        "axes.labelcolor": _MUTED,
        "xtick.color": _RULE,
        "ytick.color": _RULE,
        "xtick.labelcolor": _MUTED,
        "ytick.labelcolor": _MUTED,
        "text.color": _INK,
    }
    with mpl.rc_context(settings):
        figure = Figure(figsize=(WIDTH, HEIGHT))
        axes = figure.add_axes((0.13, 0.145, 0.855, 0.82))
        log_y = curve.y_ceiling is None
        axes.set(xscale="log", yscale="log" if log_y else "linear")
        if "q05" in curve.bands:
            for low, high, alpha in (("q05", "q95", 0.18), ("q25", "q75", 0.30)):
                axes.fill_between(
                    curve.x, curve.bands[low], curve.bands[high], color=_ACCENT, alpha=alpha, linewidth=0
                )
        axes.plot(curve.x, curve.bands["median"], color=_ACCENT, linewidth=1.5)
        if curve.largest is not None:
            axes.axvline(curve.largest, color=_MUTED, linewidth=0.7, linestyle=(0, (2, 2)))
        if curve.target is not None:
            axes.axhline(curve.target, color=_MARK, linewidth=0.8, linestyle=(0, (5, 3)))
            if curve.needed:
                middle = curve.needed[len(curve.needed) // 2]
                axes.plot([middle], [curve.target], "o", color=_MARK, markersize=4.5)
                ends = [curve.needed[0], min(curve.needed[-1], curve.x[-1])]
                axes.plot(ends, [curve.target] * 2, color=_MARK, linewidth=2.4, solid_capstyle="round")
        if curve.measured:
            x, y = zip(*curve.measured, strict=True)
            axes.plot(x, y, "o", color=_INK, markersize=3, linestyle="none", clip_on=False)
        axes.set_xlim(curve.x[0], curve.x[-1])
        ticks(axes.xaxis, axes.get_xlim(), units.format_number)
        ticks(axes.yaxis, axes.get_ylim(), curve.printed_y, log=log_y)
        axes.set_xlabel(curve.x_name)
        unit = "" if curve.y_unit in ("", "fraction") else f", {curve.y_unit}"
        axes.set_ylabel(curve.y_name + unit)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(length=2.5, width=0.7)
        axes.patch.set_visible(False)
        figure.patch.set_visible(False)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Type": None})
    return _inline(out.getvalue(), f"{curve.y_name} against {curve.x_name}", description(curve))


def ticks(
    axis: object, ends: tuple[float, float], print_value: Callable[[float], str], *, log: bool = True
) -> None:
    """Label an axis of matplotlib at round numbers.

    Args:
        axis: The axis; not typed by matplotlib, which is imported only where it is used.
        ends: Its lower and upper end.
        print_value: Returns the label of a value.
        log: Whether the axis is logarithmic.
    """
    from matplotlib.axis import Axis
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    assert isinstance(axis, Axis)
    axis.set_major_locator(FixedLocator(round_ticks(*ends) if log else linear_ticks(*ends)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: print_value(value)))


def description(curve: LawCurve) -> str:
    """Return what a chart shows, for a reader who does not see it.

    Args:
        curve: The curve.

    Returns:
        The medians at both ends, with the 90% interval where there is one, then the caption.
    """
    ends = []
    for i in (0, -1):
        values = {level: curve.printed_y(band[i]) for level, band in curve.bands.items()}
        interval = f" ({values['q05']} to {values['q95']})" if "q05" in values else ""
        ends.append(f"{values['median']}{interval} at {units.format_number(curve.x[i])}")
    return f"{curve.y_name} from {ends[0]} to {ends[1]} {curve.x_name}. {caption(curve, drawn=True)}"


def _inline(text: str, title: str, description: str) -> str:
    """Return only the element, with the page's colors and font, and only the ids that are referred to."""
    svg = text[text.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<style type="text/css">.*?</style>', "", svg, flags=re.DOTALL)
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg))
    svg = re.sub(r' id="([^"]*)"', lambda match: match[0] if match[1] in used else "", svg)
    svg = re.sub(r'width="[\d.]+pt" height="[\d.]+pt" ', "", svg, count=1)
    # a hundredth of a point is too small to see, and saves two thirds of the bytes
    svg = re.sub(r"(\d+\.\d\d)\d+", r"\1", svg)
    svg = re.sub(r"font: ([\d.]+px) [^;\"]*", r"font: \1 var(--font)", svg)
    for color, variable in _VARIABLES.items():
        svg = svg.replace(color, variable)
    label = html.escape(f"{title}. {description}")
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
    texts = f"<title>{html.escape(title)}</title><desc>{html.escape(description)}</desc>"
    svg = svg.replace(">", f">{texts}", 1)
    return re.sub(r"\s*\n\s*", " ", svg).strip()
