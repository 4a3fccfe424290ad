"""`planner fit`: laws from measurements that were made elsewhere."""

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
        str, typer.Option(help="Name under which `planner estimate` finds the law, e.g. my-asr.")
    ],
    metric: Annotated[str, typer.Option(help="Error or loss that falls with data, e.g. wer.")],
    data_unit: Annotated[
        str, typer.Option(help="What data is counted in, e.g. hours, words, tokens, images.")
    ],
    metric_unit: Annotated[
        str | None,
        typer.Option(help="Unit of the metric, e.g. nats/token. Default: fraction for error rates."),
    ] = None,
    family: Annotated[str, typer.Option(help="Architecture that was trained, e.g. conformer.")] = "",
    form: Annotated[
        str,
        typer.Option(
            help="auto: a forecast and one form beside it. Or one alone: forecast, power, power-floor, "
            "three-phase, broken or surface (docs/concepts/laws.md)."
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
            help="Column of the training's GPU-hours, all devices together. Default: gpu_hours. With FLOP "
            "and devices it says what utilization was reached."
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
        typer.Option("--pool", help="Let the domain's other curves in the store help to weigh the forms."),
    ] = False,
    baseline_error: Annotated[
        str | None,
        typer.Option(
            help="Error of best guessing, without a look at the input: 99.9% for 1,000 classes, 100% for "
            "WER. It tells how far a curve has come that has only begun to fall."
        ),
    ] = None,
    store: StoreOption = None,
    style: FormatOption = Format.table,
) -> None:
    """Fit laws to trainings that were measured elsewhere.

    They are stored, and `planner estimate` answers by them.

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
