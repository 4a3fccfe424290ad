"""The help of every command: options in named groups, and examples at the end. Only `--help` imports this."""

from typing import Any

MIN_OPTIONS_TO_GROUP = 15

# title -> names of parameters, in the order of the help; commands that ask a question, and that measure
_ASK = {
    "Question": (
        "target", "target_wer", "target_cer", "target_loss", "data", "params", "flops", "against", "low",
        "high", "points", "at", "dry_run",
    ),
    "Limits and dates": ("budget", "gpu_hours", "deadline", "start", "confidence"),
    "Hardware": ("on", "count", "precision", "fleet", "assume", "workers", "engine", "address"),
    "Data and use of the model": (
        "have_data", "data_price", "data_rate", "miss_penalty", "serve", "allocate",
    ),
    "Columns of the table": (
        "data_column", "metric_column", "params_column", "samples_column", "train_column", "where", "state",
        "value", "data_from_name",
    ),
    "Law that answers": ("domain", "metric", "family", "form", "single_form", "law", "source"),
}  # fmt: skip
_MEASURE = {
    "Measurement": (
        "domain", "metric", "data_unit", "metric_unit", "family", "data", "preset", "higher_is_better",
        "metric_range", "chance_level", "baseline_error", "test_size", "peak_flops", "point",
    ),
    "Columns of the table": (
        "data_column", "metric_column", "params_column", "flops_column", "samples_column",
        "gpu_hours_column", "device_column", "se_column", "seed_column", "where", "state", "value",
        "data_from_name", "data_total", "decimal_comma",
    ),
    "Target and budget": ("target", "target_wer", "target_cer", "target_loss", "budget", "dry_run"),
    "Where to train": ("workers", "engine", "address"),
    "Fit": ("form", "pool", "leave_out"),
}  # fmt: skip
_OTHER = "Output and store"
_MEASURING = ("calibrate", "fit", "backtest")

EXAMPLES: dict[str, tuple[str, ...]] = {
    "calibrate": (
        "planner calibrate --domain speech --preset quick",
        "planner calibrate --domain image --data photos/ --budget 2h \\",
        "    --target error=5%",
    ),
    "fit": (
        "planner fit runs.csv --domain my-asr --metric wer --data-unit hours",
        "planner fit --point 300h=11.4% --point 600h=9.6% --point 1200h=8.3% \\",
        "    --domain my-asr --metric wer",
        "planner fit mlflow.db --domain asr --metric wer --data-unit hours \\",
        "    --data-column params.hours --where experiment=asr",
    ),
    "verify": ("planner verify --domain speech", "planner verify --domain speech --target-wer 5%"),
    "columns": ("planner columns mlflow.db --where experiment=asr",),
    "estimate": (
        "planner estimate --domain speech --target-wer 5% --on h100 --count 64",
        "planner estimate --domain defects --budget '$5000' \\",
        "    --data-price '$0.50/example'",
        "planner estimate --domain language --flops 3e24 --on h100 --deadline 90d",
    ),
    "what-if": ("planner what-if --target-wer 5%,8%,10% --on h100,a100",),
    "frontier": ("planner frontier --domain speech --on h100",),
    "compare": ("planner compare --domain speech", "planner compare --domain language --source published"),
    "check": ("planner check new-runs.csv --domain speech --metric wer",),
    "backtest": ("planner backtest runs.csv", "planner backtest 3fe1 --leave-out 2"),
    "next": (
        "planner next --domain speech --target-wer 5% --budget 30m",
        "planner next --domain defects --target error=8% --budget '$500' \\",
        "    --data-price '$0.50/example'",
    ),
    "review": ("planner review plan.toml --out review.html",),
    "track-record": ("planner track-record --domain speech",),
    "extrapolate": ("planner extrapolate curves.csv --out forecasts.csv",),
    "plot": (
        "planner plot --domain speech",
        "planner plot curves.csv --curve ds2 --out ds2.svg",
    ),
    "forecasts list": ("planner forecasts list --domain speech",),
    "forecasts show": ("planner forecasts show 3f2a",),
    "outcome add": ("planner outcome add 3f2a --error 5.2% --data 4000h --cost '$4k'",),
    "outcome list": ("planner outcome list --domain speech",),
    "laws list": ("planner laws list --domain speech --source published",),
    "laws show": ("planner laws show hestness2017-wordlm",),
    "laws ask": (
        "planner laws ask llama3-allocation flops=3.8e25",
        "planner laws ask hestness2017-image-top1 data=10x",
    ),
    "laws export": ("planner laws export 3f9a --out law.nc",),
    "laws import": ("planner laws import law.json other-store/",),
    "laws delete": ("planner laws delete 3f9a --fit", "planner laws delete 3f9a --undo"),
    "laws rename": ("planner laws rename 3f9a --domain asr",),
    "sweeps list": ("planner sweeps list --domain speech",),
    "sweeps show": ("planner sweeps show 3f2a",),
    "runs list": ("planner runs list --domain speech --status failed",),
    "runs show": ("planner runs show 3f2a",),
    "runs export": ("planner runs export --domain speech > runs.csv",),
    "store check": ("planner store check --store shared/store",),
    "store rebuild": ("planner store rebuild --store shared/store",),
    "accelerators list": ("planner accelerators list --fleet fleet.toml",),
    "accelerators show": ("planner accelerators show h100",),
    "accelerators assumptions": ("planner accelerators assumptions h100",),
}


def write_options(command: Any, context: Any, formatter: Any) -> None:
    """Write the arguments and options of a command, those of a long command in groups.

    Args:
        command: The command of typer.
        context: Its context.
        formatter: Where the help is written to.
    """
    groups: dict[str, list[tuple[str, str]]] = {"Arguments": []}
    parameters = command.get_params(context)
    path = name_of(context)
    titles = panels(path) if len(parameters) >= MIN_OPTIONS_TO_GROUP else {}
    for title in dict.fromkeys(titles.values()):
        groups[title] = []
    for parameter in parameters:
        row = parameter.get_help_record(context)
        if row is None:
            continue
        is_argument = parameter.param_type_name == "argument"
        other = _OTHER if titles else "Options"
        title = "Arguments" if is_argument else titles.get(parameter.name, other)
        groups.setdefault(title, []).append(row)
    for title, rows in groups.items():
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows)


def write_examples(context: Any, formatter: Any) -> None:
    """Write the examples of a command, as they are typed.

    Args:
        context: The context of the command.
        formatter: Where the help is written to.
    """
    lines = EXAMPLES.get(name_of(context), ())
    if lines:
        with formatter.section("Examples"):
            indent = " " * formatter.current_indent
            formatter.write("".join(f"{indent}{line}\n" for line in lines))


def panels(path: str) -> dict[str, str]:
    """Return the group of each option of a command.

    Args:
        path: Words of the command after `planner`.

    Returns:
        Name of a parameter -> title of its group, in the order of the help.
    """
    table = _MEASURE if path in _MEASURING else _ASK
    return {name: title for title, names in table.items() for name in names}


def name_of(context: Any) -> str:
    """Return the words of a command after `planner`."""
    words = []
    while context.parent is not None:
        words.append(context.info_name)
        context = context.parent
    return " ".join(reversed(words))
