"""The report of `planner verify`: a forecast next to what was measured."""

from collections.abc import Sequence
from typing import Any

from calibrate.types import Training
from planner import units
from planner.lawmodel.info import law_info
from planner.plans.verify import Verification
from planner.reports.answer import between, metric_name
from planner.reports.brief import Brief
from planner.sources.verify import Point

NEXT = "planner track-record"


def record(verification: Verification) -> dict[str, Any]:
    """Return what JSON carries.

    Args:
        verification: A forecast with its measurement.

    Returns:
        Plain values; the metric in its own terms.
    """
    law = verification.law
    scale = law_info(law).scale
    return {
        "law": law.id,
        "domain": law.domain,
        "family": law.family,
        "metric": law.metric,
        "metric_unit": law.metric_unit,
        "data": verification.data,
        "data_unit": law.x_unit,
        "beyond": verification.data / law.x_range[1],
        "forecast": dict(zip(("q05", "median", "q95"), scale.ends(*verification.expected), strict=True)),
        "measured": scale.from_error(verification.value),
        "inside": verification.inside,
        "surprise": verification.surprise,
        "params": verification.params,
        "seconds": verification.seconds,
        "forecast_id": verification.forecast,
        "outcome_id": verification.outcome,
    }


def brief(verification: Verification, *, store: str = "") -> Brief:
    """Return the report for people.

    Args:
        verification: A forecast with its measurement.
        store: Folder of the store, where it was named.

    Returns:
        Whether the forecast held, forecast and measurement, and the next command.
    """
    law = verification.law
    scale, name = law_info(law).scale, metric_name(law.metric)
    low, middle, high = map(scale.format, scale.ends(*verification.expected))
    measured = scale.format_error(verification.value)
    size = units.format_amount(verification.data, law.x_unit, digits=4)
    times = units.format_number(verification.data / law.x_range[1], digits=2)
    held, side = ("held", "inside") if verification.inside else ("did not hold", "outside")
    return Brief(
        lead=(
            f"The forecast {held}: {name} at {size} is {measured}, "
            f"{side} the 90% interval, {between(low, high) or low}.",
            f"That is {times} times the largest data that the law has seen, and a model of "
            f"{units.format_number(verification.params)} parameters.",
        ),
        columns=("", "forecast", "90% interval", "measured"),
        rows=((f"{name} at {size}", middle, between(low, high), measured),),
        remarks=(
            "Forecast and measurement are in the track record. A fit with the new point: add "
            "it to your runs, or calibrate with a larger preset.",
        ),
        next=f"{NEXT} --store {store}" if store else NEXT,
    )


def dry_run_record(point: Point, todo: Sequence[Training], flops: float, seconds: float) -> dict[str, Any]:
    """Return what a verification would train.

    Args:
        point: The data size.
        todo: The trainings that are left.
        flops: Their FLOP.
        seconds: The expected seconds with one worker.

    Returns:
        Plain values.
    """
    return {
        "law": point.law.id,
        "data": point.spec.preset.shards[0],
        "data_unit": point.law.x_unit,
        "runs": len(todo),
        "sizes": list(point.sizes),
        "flops": flops,
        "seconds": seconds,
    }


def dry_run_brief(point: Point, todo: Sequence[Training], flops: float, seconds: float) -> Brief:
    """Return what a verification would train, for people.

    Args:
        point: The data size.
        todo: The trainings that are left.
        flops: Their FLOP.
        seconds: The expected seconds with one worker.

    Returns:
        One sentence.
    """
    size = units.format_amount(point.spec.preset.shards[0], point.law.x_unit, digits=4)
    several = len(todo) != 1
    runs = f"{len(todo)} training{'s' if several else ''} at {size}: {units.format_flops(flops)} FLOP"
    order = ", one after the other" if several else ""
    return Brief(lead=(f"{runs}, about {units.duration_in_words(seconds)} on this machine{order}.",))
