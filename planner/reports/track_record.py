"""The reports of `planner outcome` and `planner track-record`."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from laws.types import Outcome
from planner import units
from planner.plans.quantities import METRICS, kind_of
from planner.plans.tracking.track_record import ALL, MIN_OUTCOMES, Comparison, Score
from planner.reports.forecasts import quantiles
from planner.reports.quantities import counted, in_brackets
from planner.reports.report import Report


def outcomes_records(compared: Iterable[Comparison]) -> list[dict[str, Any]]:
    """Return one record per quantity of an outcome.

    Args:
        compared: Quantities of outcomes with their forecasts.

    Returns:
        Records with the observed value, the forecast interval, and the reason where it is not scored.
    """
    return [
        {
            "outcome": comparison.outcome.id,
            "forecast": comparison.forecast.id,
            "name": comparison.forecast.name,
            "domain": comparison.forecast.domain,
            "metric": comparison.forecast.metric,
            "day": comparison.outcome.day,
            "age_days": comparison.age,
            "quantity": comparison.quantity,
            "observed": comparison.observed,
            "predicted": None if comparison.predicted is None else quantiles(comparison.predicted),
            "within_50": comparison.within(0.5),
            "within_90": comparison.within(0.9),
            "reason": comparison.reason,
            "note": comparison.outcome.note,
            "replaces": comparison.outcome.replaces,
        }
        for comparison in compared
    ]


def outcomes_report(compared: Sequence[Comparison], title: str) -> Report:
    """Return the table of outcomes with their forecasts.

    Args:
        compared: Quantities of outcomes with their forecasts.
        title: The title of the table.

    Returns:
        One row per quantity of an outcome; reasons for values without a score are below the table.
    """
    rows = []
    reasons: dict[tuple[str, str], list[str]] = {}
    for comparison in compared:
        inside = comparison.within(0.9)
        data = comparison.forecast.quantities.get("data")
        name = kind_of(comparison.quantity).label_of(comparison.forecast.metric, data.unit if data else "")
        unit = comparison.forecast.metric_unit if comparison.quantity in METRICS else ""
        rows.append(
            (
                comparison.outcome.id[:8],
                comparison.outcome.day,
                comparison.forecast.name or comparison.forecast.id[:8],
                name,
                kind_of(comparison.quantity).printed(comparison.observed, unit),
                in_brackets(comparison.quantity, comparison.predicted),
                "-" if inside is None else "yes" if inside else "no",
            )
        )
        if comparison.reason:
            plain = kind_of(comparison.quantity).label_of(comparison.forecast.metric)
            reasons.setdefault((comparison.outcome.id[:8], comparison.reason), []).append(plain)
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


def recorded_sentence(made: Outcome) -> str:
    """Return a sentence on what was recorded.

    Args:
        made: The outcome that was recorded.

    Returns:
        The sentence; an outcome without values withdraws the one that it replaces.
    """
    if not made.observed:
        return f"Outcome {made.replaces} no longer counts"
    return f"Recorded: outcome {made.id}" + (f", in place of {made.replaces}" if made.replaces else "")


def track_records(scores: Iterable[Score]) -> list[dict[str, Any]]:
    """Return one record per score.

    Args:
        scores: The scores by domain, age and quantity.

    Returns:
        The scores as records; `few` says whether the outcomes are too few to judge by.
    """
    return [{**asdict(score), "few": score.few} for score in scores]


def track_report(scores: Sequence[Score], left_out: int) -> Report:
    """Return the track record for people.

    Args:
        scores: The scores by domain, age and quantity.
        left_out: Number of observed values without a forecast of them.

    Returns:
        One row per score; notes explain the columns.
    """
    rows = tuple(
        (
            score.domain,
            score.age,
            "all" if score.quantity == ALL else kind_of(score.quantity).label_of(score.quantity),
            str(score.outcomes),
            _percent(score.within_50),
            _percent(score.within_90),
            _range(score.chance_90),
            "-" if score.bias is None else f"{score.bias:+.2f}",
            "-" if score.interval_score is None else units.format_number(score.interval_score),
        )
        for score in scores
    )
    notes = [
        "n: outcomes. Inside: the share of what happened that lay in the 50% and 90% intervals. "
        "Chance: where the share in 90% lies in 95 of 100 such records if the intervals are right; "
        "quantities of one outcome count as one. "
        "Bias: the median of log(observed / forecast median), +0.10 is a tenth more than forecast. "
        "Score: the interval score, the width of the log 90% interval and 20 times what it missed by; less "
        "is better."
    ]
    few = [score for score in scores if score.few and score.quantity == ALL]
    if few:
        notes.append(
            f"Too few to judge by (fewer than {MIN_OUTCOMES} outcomes): "
            f"{', '.join(f'{score.domain} {score.age}' for score in few)}."
        )
    opened = sum(score.open for score in scores if score.quantity == ALL)
    if opened:
        notes.append(f"{opened} intervals are open at the top and have no interval score.")
    if left_out:
        notes.append(f"{left_out} values are not scored: `planner outcome list` says why.")
    if not rows:
        notes = [
            "No outcome has a forecast yet: `planner estimate ... --save` saves a forecast, "
            "`planner outcome add` records its outcome.",
            *notes[1:],
        ]
    return Report(
        title="Track record: " + counted(sum(e.outcomes for e in scores if e.quantity == ALL), "outcome"),
        columns=("domain", "age", "of", "n", "in 50%", "in 90%", "chance", "bias", "score"),
        rows=rows,
        notes=tuple(notes),
        words=frozenset({0, 1, 2}),
    )


def _range(shares: tuple[float, float] | None) -> str:
    return "-" if shares is None else f"{shares[0]:.0%}-{shares[1]:.0%}".replace("%-", "-")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"
