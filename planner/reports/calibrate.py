"""A calibration and a dry run as they are shown."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from calibrate.types import Goal
from laws.fitting.forms import FORMS
from laws.types import FORECAST, Law
from planner import units
from planner.reports import budget_report as spending
from planner.reports.assumption_text import forms_text
from planner.reports.fit import records as law_records
from planner.reports.law_summary import phases, predictions, spread
from planner.reports.report import Report
from planner.sources.calibrate import Calibration, DryRun


def calibration_records(calibration: Calibration) -> dict[str, Any]:
    """Return what JSON carries of a calibration."""
    spec = calibration.spec
    return {
        "sweep": spec.id,
        "domain": spec.domain.name,
        "preset": spec.preset_name,
        "seed": spec.seed,
        "runs": dict(sorted(calibration.counts.items())),
        "flops": calibration.flops,
        "saved_flops": calibration.saved,
        **({"budget": spending.record(calibration.spent)} if calibration.spent else {}),
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
        "beside": law_records(calibration.beside),
        "problems": list(calibration.problems),
        "left_out": dict(spec.corpus.skipped),
        "notes": list(spec.corpus.notes),
    }


def calibration_report(calibration: Calibration) -> Report:
    """Return the table for people: the best model of each shard, the laws, the next command."""
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
    counts = calibration.counts
    unfinished = ", ".join(f"{count} {status}" for status, count in counts.items() if status != "finished")
    finished = f"{counts.get('finished', 0)} runs finished{f', {unfinished}' if unfinished else ''}."
    named = [f"{name} in {unit}" for name, unit in spec.domain.metrics.items() if unit != "fraction"]
    read = f"Seen: {spec.domain.data_unit} until the best error, repeats counted; {', '.join(named)}."
    return Report(
        title=f"Best model of each shard: {spec.domain.name}, preset {spec.preset_name}",
        columns=columns,
        rows=_by_family(rows),
        whole=_names(rows),
        notes=(
            read,
            finished,
            *_stopped(calibration),
            *spec.corpus.notes,
            *_left_out(spec.corpus.skipped),
            *calibration.problems,
        ),
        sections={
            **(
                {spending.heading(calibration.spent): spending.account(calibration.spent, spec.domain)}
                if calibration.spent
                else {}
            ),
            "Laws, median and 90% interval": [
                *map(_in_words, calibration.laws),
                *_beside_in_words(calibration.beside),
            ],
            "Phases of the curve, each shard in its likeliest": _phases(calibration),
            "Next": [_next(calibration)],
        },
    )


def _phases(calibration: Calibration) -> list[str]:
    """Say in which phase each shard lies, by the error that decides; nothing with too few shards."""
    spec = calibration.spec
    return [
        f"{law.family}, by {law.metric}, {law.x_unit}: {phases(law.phases)}"
        for law in calibration.laws
        if law.metric == spec.metric and law.phases
    ]


def _beside_in_words(laws: Sequence[Law]) -> list[str]:
    """Say in one line what was fitted beside the laws that answer."""
    if not laws:
        return []
    surfaces = sum(law.form == "surface" for law in laws)
    curves = len(laws) - surfaces
    counted = [f"{curves} of single sizes"] if curves else []
    counted += [f"{surfaces} of all sizes together"] if surfaces else []
    return [f"Beside them {' and '.join(counted)}, asked by id: planner laws list --all"]


def _stopped(calibration: Calibration) -> tuple[str, ...]:
    """Say what successive halving saved."""
    count = calibration.counts.get("stopped-early", 0)
    if not count:
        return ()
    share = calibration.saved / (calibration.flops + calibration.saved)
    return (
        f"{count} of {sum(calibration.counts.values())} runs were stopped early, in the worse half of the "
        f"settings for their shard and size: that saved {units.format_flops(calibration.saved)} FLOP, "
        f"{units.format_fraction(share, digits=2)} of what all would have taken.",
    )


def _left_out(skipped: Mapping[str, str]) -> tuple[str, ...]:
    """Say how much of a corpus could not be used, by the first of it; JSON names all."""
    if not skipped:
        return ()
    name, reason = next(iter(skipped.items()))
    return (f"{len(skipped)} left out of the corpus; the first is {name}: {reason} (--format json: all).",)


def dry_run_records(dry: DryRun) -> dict[str, Any]:
    """Return what JSON carries of a dry run."""
    return {
        "sweep": dry.spec.id,
        "domain": dry.spec.domain.name,
        "preset": dry.spec.preset_name,
        "workers": dry.workers,
        "seconds": dry.seconds,
        "seconds_from": dry.source,
        "runs": sum(shard.runs for shard in dry.shards),
        "done": sum(shard.done for shard in dry.shards),
        "flops": sum(shard.flops for shard in dry.shards),
        **({"budget": spending.record(dry.spent)} if dry.spent else {}),
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
    """Return the table for people: what each shard will cost."""
    unit = dry.spec.domain.data_unit
    rows = {
        family: [
            (
                units.format_data(shard.data, unit),
                " ".join(map(str, shard.sizes)),
                str(shard.runs),
                str(shard.done),
                units.format_number(shard.flops),
                units.format_duration(shard.seconds),
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
        units.format_duration(sum(shard.seconds for shard in dry.shards)),
    )
    what = "The start of a budget" if dry.spent else "To be trained at most"
    return Report(
        title=f"{what}: {dry.spec.domain.name}, preset {dry.spec.preset_name}",
        columns=("Data", "Sizes", "Runs", "Done", "FLOP left", "Time of one worker"),
        rows=(*_by_family(rows), total),
        whole=_names(rows),
        notes=(
            f"About {units.format_duration(dry.seconds)} with {dry.workers} workers at once.",
            f"Times come from {dry.source}.",
            spending.beginning(dry.spent, dry.spec.domain)
            if dry.spent
            else "The shards between the smallest and the largest are searched only in the sizes that are "
            "best at those two, so it can be fewer runs.",
            *(
                ("Settings in the worse half for their shard and size are stopped early, so it can be less.",)
                if dry.spec.preset.draws > 1
                else ()
            ),
        ),
    )


def _by_family(rows: Mapping[str, Sequence[tuple[str, ...]]]) -> tuple[tuple[str, ...], ...]:
    """Return rows in order; of several families each has its name above: beside them it fits no screen."""
    if len(rows) < 2:
        return tuple(row for of in rows.values() for row in of)
    return tuple(
        row for family, of in rows.items() if of for row in ((family, *[""] * (len(of[0]) - 1)), *of)
    )


def _names(rows: Mapping[str, object]) -> frozenset[int]:
    """Return the column that has the names of families: it is not folded."""
    return frozenset({0}) if len(rows) > 1 else frozenset()


def _value(value: float, unit: str) -> str:
    return units.format_fraction(value) if unit == "fraction" else units.format_number(value)


def _heading(name: str) -> str:
    return name.upper() if len(name) == 3 else name.capitalize()  # WER and CER are written so


def _in_words(law: Law) -> str:
    of = f"{law.metric}{f' ({law.family})' if law.family else ''}"
    if law.form == FORECAST:
        said = ", ".join(
            f"{_band(p, lambda v: units.format_metric(v, law.metric_unit))} "
            f"at {units.format_data(p['x'], law.x_unit)}"
            for p in predictions(law, beyond=(1,))[1:]
        )
        return f"{of}: {said}; forecast, forms {forms_text(law.forms)} [law {law.id}]"
    values = ", ".join(
        f"{name} {_band(spread(law.parameters[name]), units.format_number)}"
        for name in FORMS[law.form].parameters
        if name in law.parameters
    )
    floor = law.diagnostics.get("floor")
    doubt = "" if floor is None else f"; probability of a floor {floor:.0%}"
    return f"{of}: {FORMS[law.form].equation}, x in {law.x_unit}: {values}{doubt} [law {law.id}]"


def _band(said: Mapping[str, float], show: Callable[[float], str]) -> str:
    return f"{show(said['median'])} ({show(said['q05'])} to {show(said['q95'])})"


def _next(calibration: Calibration) -> str:
    spec = calibration.spec
    goal = calibration.spent.goal if calibration.spent else Goal(metric=spec.metric)
    value = goal.target
    if value is None:
        value = min(best.metrics[spec.metric] for bests in calibration.best.values() for best in bests) / 2
    digits = 1 if goal.target is None else 3
    target = units.format_metric(value, spec.domain.metrics[goal.metric], digits=digits).split()[0]
    if goal.metric in ("wer", "cer", "loss"):
        return f"planner estimate --domain {spec.domain.name} --target-{goal.metric} {target}"
    return f"planner estimate --domain {spec.domain.name} --target {goal.metric}={target}"
