"""`planner extrapolate`: forecast many learning curves beyond their measurements."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from planner.commands.groups import grouped
from planner.commands.table_options import MetricTermsOptions
from planner.warnings import sentence

INTERRUPTED = 130  # exit code that shells expect after Ctrl-C


@grouped
def extrapolate(
    *,
    curves: Annotated[
        Path,
        typer.Argument(
            help="CSV, TSV, Parquet or JSONL file with columns curve, x, y and, optionally, y_se, "
            "weight, set, "
            "ceiling. Rows with an empty y are forecast. Or a tracker's runs: each is a curve over its steps."
        ),
    ],
    out: Annotated[Path, typer.Option(help="CSV file to write.")],
    pool: Annotated[
        bool,
        typer.Option("--pool", help="Weight the functional forms with all curves of the file together."),
    ] = False,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Number of processes. Default: one per core.")
    ] = None,
    metric: Annotated[
        str | None, typer.Option(help="What y is, e.g. accuracy or BLEU. Default: an error or a loss.")
    ] = None,
    metric_column: Annotated[
        str | None, typer.Option(help="Metric of a tracker's runs to forecast, such as eval_loss.")
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(help="Scale to forecast for every curve, such as 100k. Repeatable."),
    ] = None,
    terms: MetricTermsOptions,
    seed: Annotated[int, typer.Option(min=0, help="Seed: the same seed gives the same forecasts.")] = 0,
) -> None:
    """Forecast many learning curves beyond their measurements.

    Writes q05, q25, median, q75, q95 of the next measurement in the unit of y, the weights of the forms and
    warning codes. After an interruption, run the same command to continue.
    """
    from planner.reports.progress_line import ProgressLine
    from planner.reports.quantities import counted
    from planner.sources.extrapolate import extrapolate as run
    from planner.sources.metric_terms import MetricOptions

    try:
        both = run(
            curves,
            out,
            seed=seed,
            pool=pool,
            processes=processes,
            metric=MetricOptions(
                metric=metric or "y",
                higher_is_better=terms.higher_is_better,
                range=terms.metric_range,
                chance=terms.chance_level,
            ),
            column=metric_column,
            at=[_scale(text) for text in at or ()],
            on_progress=ProgressLine(),
        )
    except KeyboardInterrupt:
        typer.echo("\nplanner: stopped; finished curves are kept: run the same command to continue", err=True)
        raise typer.Exit(INTERRUPTED) from None
    n_forecasts = sum(len(question.asked) for question, _ in both)
    doubtful = sum(bool(answer.warnings) for _, answer in both)
    summary = f"{counted(n_forecasts, 'forecast')} of {counted(len(both), 'curve')}"
    typer.echo(f"{out}: {summary}, {doubtful or 'none'} of them with warnings")
    counts = Counter(code for _, answer in both for code in answer.warnings)
    for code, count in counts.most_common():
        typer.echo(f"  {code}, {counted(count, 'curve')}: {sentence(code)}")


def _scale(text: str) -> float:
    """Return a scale that was typed."""
    from laws.errors import InputError
    from planner.units import parse_number

    scale = parse_number(text)
    if scale <= 0:
        raise InputError(f"scale {text}: expected more than 0", code="invalid-scale", value=text)
    return scale
