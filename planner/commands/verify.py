"""`planner verify`: forecast a data size, train there, and compare."""

from pathlib import Path
from typing import Annotated

import typer

from planner.commands.calibrate import INTERRUPTED, EngineOptions, default_cache, kept
from planner.commands.groups import LawOptions, TargetOptions, grouped
from planner.commands.options import (
    STORE_VARIABLE,
    FleetOption,
    FormatOption,
    StoreOption,
    existing_store,
    named,
)
from planner.reports.formats import RECORDS, Format


@grouped
def verify(
    *,
    laws: LawOptions,
    at: Annotated[
        str | None,
        typer.Option(
            help="Data size to train at, e.g. 2h. Default: the target's, else twice the largest measured."
        ),
    ] = None,
    target: TargetOptions,
    data: Annotated[
        Path | None,
        typer.Option(help="Your corpus, as `planner calibrate` took it. Default: the embedded corpus."),
    ] = None,
    machines: EngineOptions,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the planned runs, their FLOP and time; train nothing.")
    ] = False,
    cache: Annotated[
        Path | None,
        typer.Option(envvar="PLANNER_CACHE", help="Folder of prepared corpora. Default: the platform's."),
    ] = None,
    fleet: FleetOption = None,
    store: StoreOption = None,
    style: FormatOption = Format.table,
) -> None:
    """Train at a new data size and compare with the forecast.

    The forecast is saved before the training, and both are in the track record. Finished runs are kept: after
    an interruption, the same command continues where it stopped.
    """
    from datetime import date

    from laws.storage.store import Store
    from planner.hardware.fleet import read_fleet
    from planner.plans import verify as plans
    from planner.reports import verify as reports
    from planner.reports.assumption_text import plan_sentences
    from planner.reports.progress_display import ProgressDisplay
    from planner.reports.report import show
    from planner.sources import verify as source
    from planner.sources.calibrate_request import CalibrationRequest, check_request

    selector, value = target.selector_and_value(laws)
    folder, today, parts = existing_store(store), date.today(), read_fleet(fleet)
    law = plans.law_to_verify(selector, folder)
    request = source.request_of(
        law,
        CalibrationRequest(
            domain=laws.domain or law.domain,
            preset="",
            families=(),
            data=data,
            store=folder,
            cache=cache or default_cache(),
            seed=0,
            workers=machines.workers,
            engine=machines.engine.value,
            address=machines.address,
        ),
        Store(folder),
    )
    size = plans.size_to_verify(law, folder, parts, at=at, target=value, today=today)
    display = ProgressDisplay(check_request(request)[0])
    try:
        with display:
            point = source.prepare_point(law, size, request, display.show_step)
            if dry_run:
                left = source.planned(point, display.show_step)
                report, fields = reports.dry_run_brief(point, *left), reports.dry_run_record(point, *left)
            else:
                forecast = plans.forecast_at(law, size, folder, parts, plan_sentences, today=today)
                measured = source.train_point(point, display.show_step, display.show_sweep)
                done = plans.verified(law, size, measured, forecast, folder)
                report = reports.brief(done, store=named(store, STORE_VARIABLE))
                fields = reports.record(done)
    except KeyboardInterrupt:
        typer.echo(f"planner: stopped; {kept(display.done, display.planned)}", err=True)
        raise typer.Exit(INTERRUPTED) from None
    show(None if style in RECORDS else report, fields, style)
