"""`planner extrapolate`: forecast many learning curves at larger scales."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from planner.warnings import sentence


def extrapolate(
    *,
    curves: Annotated[
        Path,
        typer.Argument(
            help="CSV, TSV, Parquet or JSONL with columns curve, x, y and, if known, y_se, weight, set, "
            "ceiling. Rows with an empty y are forecast."
        ),
    ],
    out: Annotated[Path, typer.Option(help="CSV file to write.")],
    pool: Annotated[
        bool,
        typer.Option("--pool", help="Let all curves of the file share the weights of the forms."),
    ] = False,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Number of processes. Default: one per core.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same forecasts.")] = 0,
) -> None:
    """Forecast many learning curves beyond their measured scales.

    Writes q05, q25, median, q75, q95 of the next measurement in the units of y, the weights of the forms, and
    warning codes. Run an interrupted command again to continue. For example:
    planner extrapolate curves.csv --out forecasts.csv
    """
    from planner.reports.progress_line import ProgressLine
    from planner.reports.quantities import counted
    from planner.sources.extrapolate import extrapolate as run

    try:
        both = run(curves, out, seed=seed, pool=pool, processes=processes, on_progress=ProgressLine())
    except KeyboardInterrupt:
        typer.echo(
            "\nplanner: stopped; finished curves are kept. Run the same command again to continue.", err=True
        )
        raise typer.Exit(130) from None  # what shells expect of a program that Ctrl-C ended
    asked = sum(len(question.asked) for question, _ in both)
    doubtful = sum(bool(answer.warnings) for _, answer in both)
    told = f"{counted(asked, 'forecast')} of {counted(len(both), 'curve')}"
    typer.echo(f"{out}: {told}, {doubtful or 'none'} of them with warnings")
    counts = Counter(code for _, answer in both for code in answer.warnings)
    for code, count in counts.most_common():
        typer.echo(f"  {code}, {counted(count, 'curve')}: {sentence(code)}")
