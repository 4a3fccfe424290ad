"""The short report of freshly fitted laws: what they say, a small plot, and what one step further needs."""

import math
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace

from laws import paths
from laws.codes import WarningCode
from laws.types import FORECAST, Law
from planner import units
from planner.lawmodel.info import law_info
from planner.reports.answer import EXPLAIN, between, metric_name
from planner.reports.brief import MAX_WARNINGS, Brief
from planner.reports.law_summary import predictions
from planner.reports.next_command import target_words
from planner.severity import Severity, ranked, severity

STEP = 0.8  # of the error at the largest measured data: a target one step away
NEAR = 4  # times the largest measured data: a target that takes more is no next step
MAX_PLOT_WIDTH, PLOT_HEIGHT = 80, 9


def brief(laws: Sequence[Law], *, notes: Sequence[str] = (), store: str = "", family: bool = True) -> Brief:
    """Return the short report.

    Args:
        laws: The laws of one fit, the one that answers questions first.
        notes: What else there is to say of the fit.
        store: Folder of the store, where it was named.
        family: Whether the next command names the family.

    Returns:
        What the first law says at its largest data and beyond, its curve, and the next command.
    """
    law = laws[0]
    codes = [code for code in ranked(code for one in laws for code in one.warnings) if _matters(code)]
    target, needs = one_step(law)
    if WarningCode.RISING in law.warnings:
        needs = (f"But your measured {metric_name(law.metric)} gets worse with more data.",)
    return Brief(
        lead=(*_lead(law), *needs),
        plot=_plot(law),
        columns=("", "median", "90% interval") if law.paths else (),
        rows=_rows(law),
        remarks=tuple(notes),
        warnings=tuple(codes[:MAX_WARNINGS]),
        more_warnings=len(codes[MAX_WARNINGS:]),
        next=_estimate(law, target, store, family=family),
        why=EXPLAIN,
    )


def _matters(code: str) -> bool:
    return severity(code) > Severity.NOTE


def _lead(law: Law) -> list[str]:
    name, points = metric_name(law.metric), f"{law.n_points} point{'s' if law.n_points > 1 else ''}"
    kind = "a forecast" if law.form == FORECAST else "a law"
    subject = law_info(law).subject
    if not law.paths:
        return [f"Fitted {kind} of {name} for {subject} from {points}."]
    terms, (now, ahead) = law_info(law).scale, predictions(law, beyond=(1,))[1:]
    at = f"{units.format_count(law.x_range[1])} {units.data_in_words(law.x_unit)}"
    first = f"Fitted {kind} of {name} for {subject} from {points}: {terms.format(now['median'])} at {at}"
    ends = between(terms.format(ahead["q05"]), terms.format(ahead["q95"]))
    spread = f" (90% interval {ends})" if ends else ""
    return [f"{first}, {terms.format(ahead['median'])} with ten times as much{spread}."]


def _rows(law: Law) -> tuple[tuple[str, str, str], ...]:
    terms, name = law_info(law).scale, metric_name(law.metric)
    return tuple(
        (
            f"{name} at {units.format_amount(row['x'], law.x_unit)}",
            terms.format(row["median"]),
            between(terms.format(row["q05"]), terms.format(row["q95"])),
        )
        for row in predictions(law, beyond=(1, 2))[1:]
    )


def one_step(law: Law) -> tuple[str, tuple[str, ...]]:
    """Return a target within reach, as one types it, and what it needs.

    It is a fifth less error, or what the median reaches with four times the data if that is less far.

    Args:
        law: A freshly fitted law.

    Returns:
        The target, and a sentence; "" and nothing for a law without paths.
    """
    if not law.paths:
        return "", ()
    terms, (today, soon) = law_info(law).scale, (_median(law, times) for times in (1, NEAR))
    for digits in (2, 3, 4):  # a flat curve needs more of them to be below today
        target = terms.format_error(max(STEP * today, soon), digits=digits)
        error = terms.to_error(terms.parse(target.split()[0]))
        if error < today:
            break
    log_target = math.log(error)
    needed = [paths.inverse(law.grid, path, log_target) for path in law.paths]
    chance = sum(map(math.isfinite, needed)) / len(needed)
    low, middle, high = (paths.quantile(needed, level) for level in (0.05, 0.5, 0.95))
    goal = f"{metric_name(law.metric)} {target}"
    if math.isinf(middle):
        return target, (f"One step further, {goal}, is reached in only {chance:.0%} of outcomes.",)
    amount, least = (units.format_count(math.exp(x), digits=2) for x in (middle, low))
    end = "or more" if math.isinf(high) else f"to {units.format_count(math.exp(high), digits=2)}"
    words = units.data_in_words(law.x_unit)
    return target, (f"One step further, {goal}, needs about {amount} {words} ({least} {end}).",)


def _median(law: Law, times: float) -> float:
    """Return the median error at a multiple of the largest measured data."""
    log_x = math.log(times * law.x_range[1])
    return paths.quantile([math.exp(paths.value_at(law.grid, path, log_x)) for path in law.paths], 0.5)


def _estimate(law: Law, target: str, store: str, *, family: bool) -> str:
    words = ["planner", "estimate", "--domain", law.domain]
    words += ["--family", law.family] if law.family and family else []
    words += target_words(law.metric, target.split(maxsplit=1)[0]) if target else ["--data", _twice(law)]
    return " ".join(map(shlex.quote, [*words, *(["--store", store] if store else [])]))


def _twice(law: Law) -> str:
    unit = "h" if law.x_unit == units.AUDIO_UNIT else f" {law.x_unit}"
    return f"{2 * law.x_range[1]:.6g}{unit}"


def _plot(law: Law) -> tuple[str, ...]:
    """Return a small plot of the law with its bands, in ASCII where the terminal has nothing else."""
    if not law.paths or law.x_range[0] == law.x_range[1]:
        return ()
    from planner.reports.plots.figure import figure_of
    from planner.reports.plots.terminal_plot import as_ascii, as_text

    width = min(shutil.get_terminal_size((MAX_PLOT_WIDTH, 24)).columns, MAX_PLOT_WIDTH)
    figure = replace(figure_of(law, decades=1), note="")
    lines = as_text(figure, width=width, height=PLOT_HEIGHT).rstrip().splitlines()[2:]
    encoding = (sys.stdout.encoding or "").lower()
    return tuple(lines if encoding.startswith("utf") else map(as_ascii, lines))
