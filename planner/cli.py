"""The command `planner`: assembles the commands; nothing heavy is imported here.

Each file in `planner/commands/` parses its options, calls one use case and renders the result.
"""

import copy
import gc
import sys
from collections.abc import Sequence

import typer

from laws.errors import PlannerError
from planner.commands import (
    accelerators,
    calibrate,
    check,
    compare,
    estimate,
    extrapolate,
    fit,
    forecasts,
    laws,
    next,
    plot,
    review,
    runs,
    store,
    whatif,
)

# An answer is made of values that stay until it is printed: looking for garbage among them after every 700
# new ones, as Python does, is a twelfth of what an estimate costs.
KEPT = 50_000

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: rich costs more time than the whole rest of `planner --help`
)

app.command("calibrate")(calibrate.calibrate)
app.command("check")(check.check)
app.command("compare")(compare.compare)
app.command("estimate")(estimate.estimate)
app.command("extrapolate")(extrapolate.extrapolate)
app.command("fit")(fit.fit)
app.command("next")(next.propose)
app.command("plot")(plot.plot)
app.command("track-record")(forecasts.track_record)
app.command("review")(review.review)
app.command("frontier")(whatif.frontier)
app.command("what-if")(whatif.what_if)
app.add_typer(accelerators.app, name="accelerators")
app.add_typer(forecasts.app, name="forecasts")
app.add_typer(laws.app, name="laws")
app.add_typer(forecasts.outcome_app, name="outcome")
app.add_typer(runs.app, name="runs")
app.add_typer(store.app, name="store")


@app.callback()
def planner() -> None:
    """How much data, how large a model, how much compute to reach an accuracy, and how sure."""


def narrowed(words: Sequence[str]) -> typer.Typer:
    """Return the app with the command that is asked alone, whole where none is: `--help`, a slip of the hand.

    Typer prepares every option of every command it has, a sixth of what an estimate costs.
    """
    name = words[0] if words else None
    one = copy.copy(app)
    one.registered_commands = [command for command in app.registered_commands if command.name == name]
    one.registered_groups = [group for group in app.registered_groups if group.name == name]
    return one if one.registered_commands or one.registered_groups else app


def main() -> None:
    """Run the command line; what a user can mend is one line on stderr and exit code 1."""
    gc.set_threshold(KEPT)
    try:
        narrowed(sys.argv[1:])()
    except PlannerError as error:
        # what a user typed may hold line breaks and control characters: it stays one line, and harmless
        line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(str(error).splitlines()))
        sys.stderr.write(f"planner: {line}\n")
        sys.exit(1)
