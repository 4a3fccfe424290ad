"""Outcomes and the track record as they are shown."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from laws.types import Outcome
from planner import units
from planner.plans.quantities import kind_of
from planner.plans.tracking.track_record import ALL, FEW, Comparison, Score, by_chance
from planner.reports.forecasts import quantiles
from planner.reports.quantities import counted, in_brackets
from planner.reports.report import Report


def outcomes_records(found: Iterable[Comparison]) -> list[dict[str, Any]]:
    """Return one record a quantity of an outcome, beside what was forecast of it."""
    return [
        {
            "outcome": each.outcome.id,
            "forecast": each.forecast.id,
            "name": each.forecast.name,
            "domain": each.forecast.domain,
            "metric": each.forecast.metric,
            "day": each.outcome.day,
            "age_days": each.age,
            "quantity": each.quantity,
            "observed": each.observed,
            "said": None if each.said is None else quantiles(each.said),
            "within_50": each.within(0.5),
            "within_90": each.within(0.9),
            "reason": each.reason,
            "note": each.outcome.note,
            "replaces": each.outcome.replaces,
        }
        for each in found
    ]


def outcomes_report(found: Sequence[Comparison], title: str) -> Report:
    """Return the table of outcomes beside their forecasts."""
    rows = []
    reasons: dict[tuple[str, str], list[str]] = {}
    for each in found:
        inside = each.within(0.9)
        data = each.forecast.quantities.get("data")
        name = kind_of(each.quantity).label_of(each.forecast.metric, data.unit if data else "")
        unit = each.forecast.metric_unit if each.quantity == "error" else ""
        rows.append(
            (
                each.outcome.id[:8],
                each.outcome.day,
                each.forecast.name or each.forecast.id[:8],
                name,
                kind_of(each.quantity).printed(each.observed, unit),
                in_brackets(each.quantity, each.said),
                "-" if inside is None else "yes" if inside else "no",
            )
        )
        if each.reason:
            plain = kind_of(each.quantity).label_of(each.forecast.metric)
            reasons.setdefault((each.outcome.id[:8], each.reason), []).append(plain)
    return Report(
        title=title,
        columns=("outcome", "day", "name", "of", "observed", "forecast (5% to 95%)", "in 90%"),
        rows=tuple(rows),
        sections={
            "Not scored": [f"{id}, {', '.join(of)}: {reason}." for (id, reason), of in reasons.items()]
        },
        words=frozenset({0, 1, 2, 3, 6}),
        whole=frozenset({0, 1}),
    )


def recorded_in_words(made: Outcome) -> str:
    """Return what was done, in a line."""
    if not made.observed:
        return f"Outcome {made.replaces} no longer counts"
    return f"Recorded: outcome {made.id}" + (f", in place of {made.replaces}" if made.replaces else "")


def track_records(found: Iterable[Score]) -> list[dict[str, Any]]:
    """Return one record for each domain, age and quantity."""
    return [{**asdict(each), "few": each.few} for each in found]


def track_report(found: Sequence[Score], left_out: int) -> Report:
    """Return the track record for people; `left_out` is how many values had no forecast of them."""
    rows = tuple(
        (
            each.domain,
            each.age,
            "all" if each.quantity == ALL else kind_of(each.quantity).label_of("error"),
            str(each.outcomes),
            _percent(each.within_50),
            _percent(each.within_90),
            "-" if each.bias is None else f"{each.bias:+.2f}",
            "-" if each.interval_score is None else units.format_number(each.interval_score),
        )
        for each in found
    )
    notes = [
        "Inside: the share of what happened that lay in the 50% and 90% intervals. Bias: the median of "
        "log(observed / forecast median), +0.10 is a tenth more than forecast. Interval score: width of the "
        "log 90% interval and 20 times what it missed by; less is better."
    ]
    few = [each for each in found if each.few and each.quantity == ALL]
    if few:
        n = max(each.outcomes for each in few)
        low, high = by_chance(n)
        notes.append(
            f"Too few to judge by (fewer than {FEW} outcomes): "
            f"{', '.join(f'{each.domain} {each.age}' for each in few)}. "
            f"A right 90% interval holds {low:.0%} to {high:.0%} of {n} by chance alone."
        )
    opened = sum(each.open for each in found if each.quantity == ALL)
    if opened:
        notes.append(f"{opened} intervals are open at the top and have no interval score.")
    if left_out:
        notes.append(f"{left_out} values are not scored: `planner outcome list` says why.")
    if not rows:
        notes = [
            "Nothing to hold against each other yet: `planner estimate ... --save` keeps a forecast, "
            "`planner outcome add` records what happened.",
            *notes[1:],
        ]
    return Report(
        title="Track record: " + counted(sum(e.outcomes for e in found if e.quantity == ALL), "outcome"),
        columns=("domain", "age", "of", "outcomes", "in 50%", "in 90%", "bias", "interval score"),
        rows=rows,
        notes=tuple(notes),
        words=frozenset({0, 1, 2}),
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
