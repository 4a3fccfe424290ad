"""The report of `planner backtest`: forecasts of the largest scales next to what was measured there."""

from typing import Any

from laws.forecasting.backtest import HeldOut
from planner import units
from planner.plans.backtest import TestedLaw
from planner.reports.answer import metric_name
from planner.reports.quantities import counted
from planner.reports.report import Report

PLAIN = {"power": "power law", "power-floor": "with floor"}
MAX_ROWS = 20  # for people: the largest; JSON has all
PLAIN_NOTE = {"power": "", "power-floor": "with a floor "}
WIDE = 0.1  # of the logarithm of the metric: a median that is further off is said to be so


def record(tested: TestedLaw) -> dict[str, Any]:
    """Return a back-test as plain values.

    Args:
        tested: The back-test.

    Returns:
        What JSON has: the metric in its own terms; bias, scores and rmsle of the logarithm of the error.
    """
    result, scale = tested.result, tested.scale
    return {
        "of": tested.title,
        "form": result.form,
        "metric": scale.metric,
        "metric_unit": scale.unit,
        "data_unit": tested.data_unit,
        "kept": result.kept,
        "largest_kept": result.largest_kept,
        "left_out": len(result.rows),
        "within_90": result.coverage,
        "bias": result.bias,
        "interval_score": result.interval_score,
        "rmsle": result.rmsle,
        "rows": [
            {
                "data": row.data,
                "params": row.params,
                "measured": scale.from_error(row.measured),
                "forecast": dict(zip(("q05", "median", "q95"), scale.ends(*row.quantiles), strict=True)),
                "inside": row.inside,
                "plain": {name: scale.from_error(value) for name, value in row.plain.items()},
            }
            for row in result.rows
        ],
    }


def report(tested: TestedLaw) -> Report:
    """Return the table for people.

    Args:
        tested: The back-test.

    Returns:
        One row per measurement that was left out; notes sum them up.
    """
    result = tested.result
    joint = result.rows[0].params is not None
    # a joint law has no room for both lines; the notes have them
    plain = [name for name in PLAIN if name in result.rows[0].plain][: 1 if joint else None]
    columns = [
        tested.data_unit,
        *(["params"] if joint else []),
        *("measured", "forecast", "90% interval", "inside"),
        *(PLAIN[name] for name in plain),
    ]
    return Report(
        title=f"{metric_name(tested.scale.metric)} of {tested.title}, fitted without its largest "
        + (counted(len(result.rows), "measurement") if len(result.rows) > 1 else "measurement"),
        columns=tuple(columns),
        rows=tuple(_row(tested, row, plain, joint=joint) for row in result.rows[-MAX_ROWS:]),
        notes=_notes(tested, joint=joint),
        words=frozenset({columns.index("inside")}),
        whole=frozenset({columns.index("90% interval")}),
    )


def sentence(tested: TestedLaw) -> str:
    """Return the back-test of the largest size in one line.

    Args:
        tested: A back-test that left out one size.

    Returns:
        What was forecast there, and what was measured.
    """
    row, scale = tested.result.rows[-1], tested.scale
    low, middle, high = (scale.format(value) for value in scale.ends(*row.quantiles))
    return (
        f"{metric_name(scale.metric)} at {units.format_data(row.data, tested.data_unit)}: forecast {middle} "
        f"({low} to {high}), measured {scale.format_error(row.measured)}, "
        f"{'inside' if row.inside else 'outside'} the 90% interval."
    )


def _row(tested: TestedLaw, row: HeldOut, plain: list[str], *, joint: bool) -> tuple[str, ...]:
    scale = tested.scale.without_unit
    low, _, high = (scale.format(value) for value in scale.ends(*row.quantiles))
    return (
        units.format_count(row.data),
        *([units.format_number(row.params or 0.0)] if joint else []),
        scale.format_error(row.measured),
        scale.format_error(row.quantiles[1]),
        f"{low} to {high}",
        "yes" if row.inside else "no",
        *(scale.format_error(row.plain[name]) for name in plain),
    )


def _notes(tested: TestedLaw, *, joint: bool) -> list[str]:
    result = tested.result
    inside = sum(row.inside for row in result.rows)
    kept = "compute (parameters times data)" if joint else units.data_in_words(tested.data_unit)
    notes = [
        f"Fitted to {counted(result.kept, 'point')}, up to {units.format_count(result.largest_kept)} {kept}.",
        f"{inside} of {counted(len(result.rows), 'measurement')} inside the 90% interval.",
    ]
    if len(result.rows) > MAX_ROWS:
        notes.append(f"The table has the largest {MAX_ROWS}; --format json has all.")
    if abs(result.bias) >= WIDE:
        side = "above" if result.bias > 0 else "below"
        notes.append(
            f"Half of the errors lie {abs(result.bias):.0%} or more {side} the forecast (log ratio)."
        )
    off = result.rmsle
    by_form = "".join(f", a power law {PLAIN_NOTE[name]}{off[name]:.1%}" for name in PLAIN if name in off)
    ceiling = tested.scale.ceiling
    of = "the median" if ceiling is None else f"the median, of the distance to {tested.scale.format(ceiling)}"
    notes.append(f"Typical error of {of}: {off[result.form]:.1%}{by_form}.")
    return [*notes, *([tested.left_out] if tested.left_out else [])]
