"""`planner calibrate`: measure learning curves here."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from calibrate.domains import DOMAINS
from planner.commands.groups import TargetOptions, grouped
from planner.commands.options import (
    STORE_VARIABLE,
    ExplainOption,
    FormatOption,
    StoreOption,
    complete_domains,
    complete_families,
    complete_presets,
    named,
    store_folder,
)
from planner.lawmodel.selector import LawSelector, with_target
from planner.reports.formats import Format

INTERRUPTED = 130  # the exit code that shells expect after Ctrl-C


class EngineName(StrEnum):
    """Where trainings run."""

    local = "local"
    ray = "ray"


@dataclass(frozen=True, kw_only=True)
class SweepOptions:
    """What is trained, and on which data."""

    preset: Annotated[
        str,
        typer.Option(
            help="Size of the sweep: smoke (seconds), quick (minutes), laptop (an hour), reduced (an hour on "
            "a GPU) or full. Speech also has demo: minutes, on easier sentences.",
            autocompletion=complete_presets,
        ),
    ] = "quick"
    data: Annotated[
        Path | None,
        typer.Option(help="Your corpus: a file, folder, glob, tar or zip. Default: the embedded corpus."),
    ] = None
    family: Annotated[
        list[str] | None,
        typer.Option(
            help="Architecture to train; repeat for several. Default: those of the preset.",
            autocompletion=complete_families,
        ),
    ] = None
    seed: Annotated[int, typer.Option(min=0, help="Seed of the corpus, the trials and the trainings.")] = 0


@dataclass(frozen=True, kw_only=True)
class EngineOptions:
    """Where trainings run."""

    workers: Annotated[
        int | None,
        typer.Option(
            min=1, help="Trainings at once. Default: one per CPU core, or as many as fit on the GPUs."
        ),
    ] = None
    engine: Annotated[
        EngineName,
        typer.Option(help="Where to train: local (this machine) or ray (a running Ray cluster)."),
    ] = EngineName.local
    address: Annotated[
        str,
        typer.Option(help="Ray cluster: auto (the one on this machine), HOST:PORT or ray://HOST:PORT."),
    ] = "auto"


@grouped
def calibrate(
    *,
    domain: Annotated[
        str,
        typer.Option(
            help=f"Domain to measure: {', '.join(DOMAINS)}, or the path of a domain's .py file.",
            autocompletion=complete_domains,
        ),
    ],
    sweep: SweepOptions,
    machines: EngineOptions,
    budget: Annotated[
        str,
        typer.Option(
            help="The most to spend: a time (30m), FLOP (1e15) or '2 GPU-hours'. Spent on the runs "
            "that reduce "
            "the uncertainty of the target most."
        ),
    ] = "",
    target: TargetOptions,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the planned runs, their FLOP and time; train nothing.")
    ] = False,
    cache: Annotated[
        Path | None,
        typer.Option(envvar="PLANNER_CACHE", help="Folder of prepared corpora. Default: the platform's."),
    ] = None,
    store: StoreOption = None,
    explain: ExplainOption = False,
    style: FormatOption = Format.table,
) -> None:
    """Train small models on growing shards and fit a scaling law.

    Finished runs are kept: after an interruption, the same command continues where it stopped.
    """
    from planner.plans.backtest import backtests
    from planner.reports import calibrate as reports
    from planner.reports.brief import Brief
    from planner.reports.calibrate_brief import brief
    from planner.reports.progress_display import ProgressDisplay
    from planner.reports.report import Report, show
    from planner.sources import calibrate as source
    from planner.sources.calibrate_request import CalibrationRequest, check_request

    selector, value = with_target(LawSelector(), asdict(target))
    request = CalibrationRequest(
        domain=domain,
        preset=sweep.preset,
        families=tuple(sweep.family or ()),
        data=sweep.data,
        store=store_folder(store),
        cache=cache or default_cache(),
        seed=sweep.seed,
        workers=machines.workers,
        engine=machines.engine.value,
        address=machines.address,
        budget=budget,
        target=(selector.metric or "", value) if value is not None else None,
    )
    report: Report | Brief
    display = ProgressDisplay(check_request(request)[0])
    try:
        with display:
            if dry_run:
                dry = source.dry_run(request, display.show_step)
                report, records = reports.dry_run_report(dry), reports.dry_run_records(dry)
            else:
                done = source.calibrate(request, display.show_step, display.show_sweep, display.show_budget)
                tested = backtests(done.laws, seed=sweep.seed)
                short = None if explain else brief(done, tested, store=named(store, STORE_VARIABLE))
                report = short or reports.calibration_report(done, tested)
                records = reports.calibration_records(done, tested)
    except KeyboardInterrupt:
        typer.echo(f"planner: stopped; {kept(display.done, display.planned)}", err=True)
        raise typer.Exit(INTERRUPTED) from None
    show(report, records, style)


def kept(done: int, planned: int) -> str:
    """Return what an interrupted command leaves.

    Args:
        done: Runs that have ended.
        planned: Runs in all; 0 before the first.

    Returns:
        The end of a sentence.
    """
    runs = f"{done} of {planned} runs are done and kept" if planned else "nothing was trained"
    return f"{runs}: the same command continues from there"


def default_cache() -> Path:
    """Return the platform's folder for prepared corpora."""
    from platformdirs import user_cache_path

    return user_cache_path("scaling-planner", appauthor=False) / "corpora"
