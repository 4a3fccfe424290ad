"""`planner calibrate`: measure learning curves here."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from calibrate.domains import DOMAINS
from planner.commands.groups import TargetOptions, grouped
from planner.commands.options import FormatOption, StoreOption, store_folder
from planner.lawmodel.selector import LawSelector, with_target
from planner.reports.formats import Format

INTERRUPTED = 130  # what shells expect of a program that Ctrl-C ended


class Engine(StrEnum):
    """Where trainings run."""

    local = "local"
    ray = "ray"


@grouped
def calibrate(
    *,
    domain: Annotated[
        str,
        typer.Option(help=f"What to measure: {', '.join(DOMAINS)}, or the path of a domain's .py file."),
    ],
    preset: Annotated[
        str,
        typer.Option(
            help="How wide: smoke (seconds), quick (minutes), laptop (an hour), reduced (GPU, an hour), full."
        ),
    ] = "quick",
    data: Annotated[
        Path | None,
        typer.Option(help="A corpus of your own: file, folder, glob, tar or zip. Default: the embedded one."),
    ] = None,
    family: Annotated[
        list[str] | None,
        typer.Option(help="Architecture to train; may be given several times. Default: the preset's."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of corpus, draws and trainings.")] = 0,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Trainings at once. Default: one a CPU core, or what fits on the GPUs."),
    ] = None,
    engine: Annotated[
        Engine,
        typer.Option(help="Where trainings run: local (this machine) or ray (a Ray cluster that runs)."),
    ] = Engine.local,
    address: Annotated[
        str,
        typer.Option(help="The Ray cluster: auto (the one on this machine), HOST:PORT or ray://HOST:PORT."),
    ] = "auto",
    budget: Annotated[
        str,
        typer.Option(
            help="The most to spend: a time such as 30m, FLOP (1e15), or '2 GPU-hours'. It goes to the runs "
            "that make the answer to the target surest."
        ),
    ] = "",
    target: TargetOptions,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the runs, their FLOP and time; train nothing.")
    ] = False,
    cache: Annotated[
        Path | None,
        typer.Option(envvar="PLANNER_CACHE", help="Folder for prepared corpora. Default: the platform's."),
    ] = None,
    store: StoreOption = None,
    style: FormatOption = Format.table,
) -> None:
    """Train small models on growing shards, fit how error falls.

    What is finished is kept: the same command after an interruption goes on where it was.
    For example: planner calibrate --domain speech --preset quick
    """
    choice, value = with_target(LawSelector(), asdict(target))  # without a metric, the domain's first
    from planner.reports.calibrate import (
        calibration_records,
        calibration_report,
        dry_run_records,
        dry_run_report,
    )
    from planner.reports.progress_display import ProgressDisplay
    from planner.reports.report import show
    from planner.sources.calibrate import calibrate as run
    from planner.sources.calibrate import dry_run as look_ahead
    from planner.sources.calibrate_request import CalibrationRequest, preset_of

    if cache is None:
        from platformdirs import user_cache_path

        cache = user_cache_path("scaling-planner", appauthor=False) / "corpora"
    request = CalibrationRequest(
        domain=domain,
        preset=preset,
        families=tuple(family or ()),
        data=data,
        store=store_folder(store),
        cache=cache,
        seed=seed,
        workers=workers,
        engine=engine.value,
        address=address,
        budget=budget,
        target=(choice.metric or "", value) if value is not None else None,
    )
    watch = ProgressDisplay(preset_of(request)[0])
    try:
        with watch:
            if dry_run:
                dry = look_ahead(request, watch.preparing)
                report, records = dry_run_report(dry), dry_run_records(dry)
            else:
                done = run(request, watch.preparing, watch.sweeping, watch.spending)
                report, records = calibration_report(done), calibration_records(done)
    except KeyboardInterrupt:
        kept = (
            f"{watch.done} of {watch.planned} runs are done and kept"
            if watch.planned
            else "nothing was trained"
        )
        typer.echo(f"planner: stopped; {kept}: the same command goes on from there", err=True)
        raise typer.Exit(INTERRUPTED) from None
    show(report, records, style)
