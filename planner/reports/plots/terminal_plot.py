"""Draw a figure with characters, for the terminal: bands as shades, log axes where the metric is an error.

This is our own code because the one light library for it (plotext) cannot fill the band between two curves,
and its next major version drops the interface.
"""

import math
from collections.abc import Callable, Sequence

from planner import units
from planner.reports.plots.figure import FigureData
from planner.reports.plots.ticks import linear_ticks, round_ticks

MIN_WIDTH, MARGIN = 40, 9  # columns: of the narrowest figure, and of the labels of y
BAND90, BAND50, MEDIAN, POINT, END = "░", "▒", "━", "●", "┊"
FORMS = "·+x~"
_ASCII = str.maketrans(f"{BAND90}{BAND50}{MEDIAN}{POINT}{END}┤│└┬─·", ".:=o|+|++-,")


def as_text(data: FigureData, *, width: int = 80, height: int = 18) -> str:
    """Return a figure as text.

    Args:
        data: The figure.
        width: Characters per line, at least 40.
        height: Lines of the plot itself; title, axis and legend come on top.

    Returns:
        Lines of at most `width` characters.
    """
    columns = max(width, MIN_WIDTH) - MARGIN
    t = [math.log(x) for x in data.x]
    at = [t[0] + (t[-1] - t[0]) * i / (columns - 1) for i in range(columns)]
    log_y = data.y_ceiling is None
    on_axis: Callable[[float], float] = math.log if log_y else float
    lines = [_interpolated(t, list(map(on_axis, line)), at) for line in zip(*data.bands, strict=True)]
    forms = [_interpolated(t, list(map(on_axis, line)), at) for line in data.forms.values()]
    points = [(math.log(x), on_axis(y)) for x, y in data.measured if x > 0 and (y > 0 or not log_y)]
    shown = [*lines[0], *lines[-1], *(y for _, y in points)]
    low, high = min(shown), max(shown)
    pad = max(0.03 * (high - low), 0.01 if log_y else 1e-6 * max(abs(high), abs(low)))
    low, high = low - pad, high + pad

    def row(y: float) -> int:
        return round((high - y) / (high - low) * (height - 1))

    def column(x: float) -> int:
        return round((x - t[0]) / (t[-1] - t[0]) * (columns - 1))

    cells = [[" "] * columns for _ in range(height)]
    for (bottom, top), shade in (((lines[0], lines[4]), BAND90), ((lines[1], lines[3]), BAND50)):
        for i in range(columns):
            for r in range(row(top[i]), row(bottom[i]) + 1):
                cells[r][i] = shade
    end = column(math.log(data.largest))
    for r in range(height):
        cells[r][end] = END if cells[r][end] == " " else cells[r][end]
    for line, mark in (*zip(forms, FORMS, strict=False), (lines[2], MEDIAN)):
        for i in range(columns):
            if 0 <= row(line[i]) < height:
                cells[row(line[i])][i] = mark
    for x, y in points:
        cells[row(y)][column(x)] = POINT
    ticks = round_ticks(math.exp(low), math.exp(high)) if log_y else linear_ticks(low, high)
    labels = {row(on_axis(y)): data.printed_y(y) for y in ticks}
    body = [
        f"{labels.get(r, ''):>{MARGIN - 2}} {'┤' if r in labels else '│'}{''.join(cells[r])}"
        for r in range(height)
    ]
    marks = {column(math.log(x)): units.format_number(x) for x in round_ticks(data.x[0], data.x[-1])}
    axis = "".join("┬" if i in marks else "─" for i in range(columns))
    keys = [f"{POINT} measured"] if points else []
    keys += [f"{MEDIAN} median", f"{BAND50} 50%", f"{BAND90} 90%", f"{END} largest measured"]
    keys += [f"{mark} {name}" for name, mark in zip(data.forms, FORMS, strict=False)]
    return "\n".join(
        line.rstrip()
        for line in (
            data.title,
            f"{data.y_name}",
            *body,
            f"{'':{MARGIN - 1}}└{axis}"[: MARGIN + columns],
            _tick_labels(marks, columns),
            f"{data.x_name:>{MARGIN + columns}}",
            *_wrapped(keys, MARGIN + columns),
            *_wrapped(data.note.split(" "), MARGIN + columns, between=" "),
        )
    )


def as_ascii(text: str) -> str:
    """Return a drawn line for a terminal that has only ASCII characters."""
    return text.translate(_ASCII).encode("ascii", "replace").decode()


def _interpolated(t: Sequence[float], y: Sequence[float], at: Sequence[float]) -> list[float]:
    """Return y at values between the ascending, evenly spaced t."""
    step = (t[-1] - t[0]) / (len(t) - 1)
    values = []
    for x in at:
        i = min(int((x - t[0]) / step), len(t) - 2)
        share = (x - t[i]) / (t[i + 1] - t[i])
        values.append(y[i] + share * (y[i + 1] - y[i]))
    return values


def _tick_labels(marks: dict[int, str], columns: int) -> str:
    """Return the line of labels under the axis, without those that would touch."""
    line = [" "] * (MARGIN + columns)
    free = 0
    for column, label in sorted(marks.items()):
        start = min(MARGIN + column - len(label) // 2, len(line) - len(label))
        if start >= free:
            line[start : start + len(label)] = label
            free = start + len(label) + 1
    return "".join(line)


def _wrapped(words: Sequence[str], width: int, *, between: str = "   ") -> list[str]:
    lines = [""]
    for word in words:
        longer = f"{lines[-1]}{between}{word}" if lines[-1] else word
        if len(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
