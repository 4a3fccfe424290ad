"""Reports of a calibration and of a dry run."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from calibrate.types import EdgeProblem, Goal, TimeSource
from laws.codes import WarningCode
from laws.fitting.forms import FORMS
from laws.types import FORECAST, Law
from planner import units
from planner.plans.backtest import TestedLaw
from planner.reports import budget_report
from planner.reports.assumption_text import forms_text
from planner.reports.backtest import record as backtest_record
from planner.reports.backtest import sentence
from planner.reports.fit import records as law_records
from planner.reports.law_summary import phases, predictions, spread
from planner.reports.report import Report
from planner.sources.calibrate import Calibration, DryRun

TIME_SOURCES = {
    TimeSource.RECORDED_RUNS: "Times are from earlier runs in the store.",
    TimeSource.SHORT_TRAININGS: "Times are measured in short trainings of the smallest and largest size.",
}


def calibration_records(calibration: Calibration, tested: Sequence[TestedLaw] = ()) -> dict[str, Any]:
    """Return what JSON carries of a calibration.

    Args:
        calibration: A finished calibration.
        tested: Back-tests of its laws.

    Returns:
        A record.
    """
    spec = calibration.spec
    return {
        "sweep": spec.id,
        "domain": spec.domain.name,
        "preset": spec.preset_name,
        "seed": spec.seed,
        "runs": dict(sorted(calibration.counts.items())),
        "flops": calibration.flops,
        "saved_flops": calibration.saved,
        **({"budget": budget_report.record(calibration.budget_use)} if calibration.budget_use else {}),
        "best": [
            {
                "family": family,
                "data": best.data,
                "data_unit": spec.domain.data_unit,
                "size": best.size,
                "params": best.params,
                "samples": best.samples,
                "metrics": dict(best.metrics),
                "runs": list(best.runs),
            }
            for family, models in calibration.best.items()
            for best in models
        ],
        "laws": law_records(calibration.laws),
        "size_laws": law_records(calibration.size_laws),
        "backtest": [backtest_record(one) for one in tested],
        "problems": [*map(edge_sentence, calibration.edges), *calibration.problems],
        "left_out": dict(spec.corpus.skipped),
        "notes": list(spec.corpus.notes),
    }


def calibration_report(calibration: Calibration, tested: Sequence[TestedLaw] = ()) -> Report:
    """Return the table of the best model of each shard, with the laws and the next command.

    Args:
        calibration: A finished calibration.
        tested: Back-tests of its laws.

    Returns:
        A report to show.
    """
    spec = calibration.spec
    columns = (
        spec.domain.data_unit.capitalize(),
        "Params",
        *map(_heading, spec.domain.metrics),
        "Seen",
        "Size",
        "Rate",
        "Batch",
    )
    rows = {
        family: [
            (
                units.format_number(best.data),
                units.format_number(best.params),
                *(_value(best.metrics[name], unit) for name, unit in spec.domain.metrics.items()),
                "" if best.samples is None else units.format_number(best.samples),
                *(str(best.chosen.hyper[name]) for name in ("size", "learning_rate", "batch_size")),
            )
            for best in models
        ]
        for family, models in calibration.best.items()
    }
    metric_units = [f"{name} in {unit}" for name, unit in spec.domain.metrics.items() if unit != "fraction"]
    columns_note = (
        f"Seen: {spec.domain.data_unit} until the best error, repeats counted"
        f"{''.join(f'; {text}' for text in metric_units)}."
    )
    return Report(
        title=f"Best model of each shard: {spec.domain.name}, preset {spec.preset_name}",
        columns=columns,
        rows=_by_family(rows),
        whole=_names(rows),
        notes=(
            columns_note,
            runs_sentence(calibration),
            *stopped(calibration),
            *spec.corpus.notes,
            *left_out(spec.corpus.skipped),
            *map(edge_sentence, calibration.edges),
            *calibration.problems,
        ),
        sections={
            **(
                {budget_report.heading(use): budget_report.step_lines(use, spec.domain)}
                if (use := calibration.budget_use)
                else {}
            ),
            "Laws (median and 90% interval)": [
                *map(_law_sentence, calibration.laws),
                *_size_law_lines(calibration.size_laws),
            ],
            "Back-test: the laws without their largest shard": [*map(sentence, tested)],
            "Most likely phase of the curve at each shard": _phases(calibration),
            "Next": [_next(calibration)],
        },
    )


def _phases(calibration: Calibration) -> list[str]:
    """Return the likeliest phase of each shard by the first metric; nothing where shards are too few."""
    spec = calibration.spec
    return [
        f"{law.family}, by {law.metric}, {law.x_unit}: {phases(law.phases)}"
        for law in calibration.laws
        if law.metric == spec.metric and law.phases
    ]


def _size_law_lines(laws: Sequence[Law]) -> list[str]:
    """Return one line on the laws of single sizes and of all sizes together."""
    if not laws:
        return []
    joint = sum(law.form == "surface" for law in laws)
    curves = len(laws) - joint
    counted = [f"{curves} of single sizes"] if curves else []
    counted += [f"{joint} joint over size and data"] if joint else []
    return [f"Also stored: laws {' and '.join(counted)}. List them with `planner laws list --all`."]


def edge_sentence(edge: EdgeProblem) -> str:
    """Return what it means that best models are at the edge of what a sweep allowed.

    Args:
        edge: How many shards of a family are at which edge.

    Returns:
        A sentence.
    """
    if edge.code is WarningCode.SIZES_CUT:
        return (
            f"{edge.count} of {edge.shards} shards have their best {edge.family} at the largest size tried "
            f"(size {edge.size}): a larger one may do better, so the fitted model-size law is a lower bound."
        )
    return (
        f"{edge.count} of {edge.shards} shards were still improving when the limit on samples "
        "ended their training "
        f"after fewer epochs than the others ({edge.family}): longer training may do better, and "
        "the fitted floor "
        "may be too high."
    )


def runs_sentence(calibration: Calibration) -> str:
    """Return how many trainings ended in which way."""
    counts = calibration.counts
    unfinished = ", ".join(f"{count} {status}" for status, count in counts.items() if status != "finished")
    return f"{counts.get('finished', 0)} runs finished{f', {unfinished}' if unfinished else ''}."


def stopped(calibration: Calibration) -> tuple[str, ...]:
    """Return what successive halving saved."""
    count = calibration.counts.get("stopped-early", 0)
    if not count:
        return ()
    share = calibration.saved / (calibration.flops + calibration.saved)
    return (
        f"{count} of {sum(calibration.counts.values())} runs were stopped early because they "
        "were in the worse half "
        f"of the trials for their shard and size. That saved {units.format_flops(calibration.saved)} FLOP "
        f"({units.format_fraction(share, digits=2)} of the total).",
    )


def left_out(skipped: Mapping[str, str]) -> tuple[str, ...]:
    """Return how many files of a corpus were skipped, with the first of them; JSON has all."""
    if not skipped:
        return ()
    name, reason = next(iter(skipped.items()))
    return (f"{len(skipped)} files of the corpus were skipped. The first: {name}: {reason}",)


def dry_run_records(dry: DryRun) -> dict[str, Any]:
    """Return what JSON carries of a dry run.

    Args:
        dry: A dry run.

    Returns:
        A record.
    """
    return {
        "sweep": dry.spec.id,
        "domain": dry.spec.domain.name,
        "preset": dry.spec.preset_name,
        "workers": dry.workers,
        "seconds": dry.seconds,
        "seconds_from": dry.time_source,
        "runs": sum(shard.runs for shard in dry.shards),
        "done": sum(shard.done for shard in dry.shards),
        "flops": sum(shard.flops for shard in dry.shards),
        **({"budget": budget_report.record(dry.budget_use)} if dry.budget_use else {}),
        "shards": [
            {
                "family": shard.family,
                "data": shard.data,
                "data_unit": dry.spec.domain.data_unit,
                "sizes": list(shard.sizes),
                "runs": shard.runs,
                "done": shard.done,
                "flops": shard.flops,
                "seconds": shard.seconds,
            }
            for shard in dry.shards
        ],
    }


def dry_run_report(dry: DryRun) -> Report:
    """Return the table of what each shard will cost.

    Args:
        dry: A dry run.

    Returns:
        A report to show.
    """
    unit = dry.spec.domain.data_unit
    rows = {
        family: [
            (
                units.format_data(shard.data, unit),
                " ".join(map(str, shard.sizes)),
                str(shard.runs),
                str(shard.done),
                units.format_number(shard.flops),
                units.duration_in_words(shard.seconds),
            )
            for shard in dry.shards
            if shard.family == family
        ]
        for family in dry.spec.families
    }
    total = (
        "all",
        "",
        str(sum(shard.runs for shard in dry.shards)),
        str(sum(shard.done for shard in dry.shards)),
        units.format_number(sum(shard.flops for shard in dry.shards)),
        units.duration_in_words(sum(shard.seconds for shard in dry.shards)),
    )
    what = "Start of the budget" if dry.budget_use else "Planned trainings (at most)"
    return Report(
        title=f"{what}: {dry.spec.domain.name}, preset {dry.spec.preset_name}",
        columns=("Data", "Sizes", "Runs", "Done", "FLOP left", "Worker time"),
        rows=(*_by_family(rows), total),
        whole=_names(rows),
        notes=(
            f"Expected time: {units.duration_in_words(dry.seconds)} with {_workers(dry.workers)}.",
            TIME_SOURCES[dry.time_source],
            budget_report.plan(dry.budget_use, dry.spec.domain)
            if dry.budget_use
            else "Shards in between only try the sizes between the best of the smallest and the "
            "largest shard, "
            "so there may be fewer runs.",
            *(
                ("Trials in the worse half for their shard and size are stopped early, so it may take less.",)
                if dry.spec.preset.draws > 1
                else ()
            ),
        ),
    )


def _workers(count: int) -> str:
    return f"{count} parallel workers" if count > 1 else "one worker"


def _by_family(rows: Mapping[str, Sequence[tuple[str, ...]]]) -> tuple[tuple[str, ...], ...]:
    """Return rows in order, with a row for the name of each family, so that the table stays narrow."""
    if len(rows) < 2:
        return tuple(row for of in rows.values() for row in of)
    return tuple(
        row for family, of in rows.items() if of for row in ((family, *[""] * (len(of[0]) - 1)), *of)
    )


def _names(rows: Mapping[str, object]) -> frozenset[int]:
    """Return the column with the names of families, which is not folded."""
    return frozenset({0}) if len(rows) > 1 else frozenset()


def _value(value: float, unit: str) -> str:
    return units.format_fraction(value) if unit == "fraction" else units.format_number(value)


def _heading(name: str) -> str:
    return name.upper() if len(name) == 3 else name.capitalize()  # WER and CER


def _law_sentence(law: Law) -> str:
    subject = f"{law.metric}{f' ({law.family})' if law.family else ''}"
    if law.form == FORECAST:
        values = ", ".join(
            f"{_interval(row, lambda value: units.format_metric(value, law.metric_unit))} "
            f"at {units.format_data(row['x'], law.x_unit)}"
            for row in predictions(law, beyond=(1,))[1:]
        )
        return f"{subject}: {values}; forecast, forms {forms_text(law.forms)} [law {law.id}]"
    values = ", ".join(
        f"{name} {_interval(spread(law.parameters[name]), units.format_number)}"
        for name in FORMS[law.form].parameters
        if name in law.parameters
    )
    floor = law.diagnostics.get("floor")
    chance = "" if floor is None else f"; probability of a floor {floor:.0%}"
    return f"{subject}: {FORMS[law.form].equation}, x in {law.x_unit}: {values}{chance} [law {law.id}]"


def _interval(quantiles: Mapping[str, float], show: Callable[[float], str]) -> str:
    return f"{show(quantiles['median'])} ({show(quantiles['q05'])} to {show(quantiles['q95'])})"


def _next(calibration: Calibration) -> str:
    spec = calibration.spec
    goal = calibration.budget_use.goal if calibration.budget_use else Goal(metric=spec.metric)
    value = goal.target
    if value is None:
        value = min(best.metrics[spec.metric] for bests in calibration.best.values() for best in bests) / 2
    digits = 1 if goal.target is None else 3
    target = units.format_metric(value, spec.domain.metrics[goal.metric], digits=digits).split()[0]
    if goal.metric in ("wer", "cer", "loss"):
        return f"planner estimate --domain {spec.domain.name} --target-{goal.metric} {target}"
    return f"planner estimate --domain {spec.domain.name} --target {goal.metric}={target}"
