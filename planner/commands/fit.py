"""`planner fit`: fit laws to runs from a file."""

from typing import Annotated

import typer

from planner.commands.options import (
    FormatOption,
    MetricColumnOption,
    ParamsColumnOption,
    RunsArgument,
    SamplesColumnOption,
    StoreOption,
    store_folder,
)
from planner.reports.formats import Format


def fit(
    *,
    runs: RunsArgument,
    domain: Annotated[
        str,
        typer.Option(
            help="Your name for the task, e.g. my-asr; `planner estimate --domain` finds the law by it."
        ),
    ],
    metric: Annotated[str, typer.Option(help="Error or loss that falls with more data, e.g. wer.")],
    data_unit: Annotated[str, typer.Option(help="Unit of the data size, e.g. hours, words, tokens, images.")],
    metric_unit: Annotated[
        str | None,
        typer.Option(help="Unit of the metric, e.g. nats/token. Default: fraction for error rates."),
    ] = None,
    family: Annotated[str, typer.Option(help="Model architecture, e.g. conformer.")] = "",
    form: Annotated[
        str,
        typer.Option(
            help="auto: a forecast and a single form. Or only one of: forecast, power, power-floor, "
            "three-phase, broken, surface (the joint law)."
        ),
    ] = "auto",
    data_column: Annotated[
        str | None, typer.Option(help="Column of the data size. Default: the data unit.")
    ] = None,
    metric_column: MetricColumnOption = None,
    params_column: ParamsColumnOption = None,
    flops_column: Annotated[
        str | None, typer.Option(help="Column of the training's FLOP. Default: flops.")
    ] = None,
    samples_column: SamplesColumnOption = None,
    gpu_hours_column: Annotated[
        str | None,
        typer.Option(
            help="Column of GPU-hours, summed over devices. Default: gpu_hours. With FLOP and devices it "
            "gives the utilization you reached."
        ),
    ] = None,
    device_column: Annotated[
        str | None, typer.Option(help="Column of the accelerator, such as h100-sxm. Default: device.")
    ] = None,
    se_column: Annotated[
        str | None, typer.Option(help="Column of the metric's standard error. Default: METRIC_se or y_se.")
    ] = None,
    seed_column: Annotated[
        str | None, typer.Option(help="Column of the training's seed. Default: seed.")
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the sampler: the same seed gives the same law.")
    ] = 0,
    pool: Annotated[
        bool,
        typer.Option("--pool", help="Use the domain's other curves in the store to weight the forms."),
    ] = False,
    baseline_error: Annotated[
        str | None,
        typer.Option(
            help="Chance-level error, of a model that ignores its input: 99.9% for 1,000 classes, 100% for "
            "WER. Helps extrapolate curves that have only just started to improve."
        ),
    ] = None,
    store: StoreOption = None,
    style: FormatOption = Format.table,
) -> None:
    """Fit laws to runs you already have, and store them.

    Then ask `planner estimate`.

    For example: planner fit runs.csv --domain my-asr --metric wer --data-unit hours
    """
    from planner.reports.fit import records, report
    from planner.reports.report import show
    from planner.sources.fit import Request, fit_file

    columns = {
        "data": data_column,
        "metric": metric_column,
        "params": params_column,
        "flops": flops_column,
        "samples": samples_column,
        "gpu_hours": gpu_hours_column,
        "device": device_column,
        "se": se_column,
        "seed": seed_column,
    }
    request = Request(
        path=runs,
        domain=domain,
        metric=metric,
        data_unit=data_unit,
        metric_unit=metric_unit,
        family=family,
        form=form,
        columns=columns,
        seed=seed,
        pool=pool,
        baseline_error=baseline_error,
    )
    laws = fit_file(request, store_folder(store))
    show(report(laws), records(laws), style)
