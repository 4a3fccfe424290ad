"""The command `planner`: assembles the commands; nothing heavy is imported here.

Each file in `planner/commands/` parses its options, calls one use case and renders the result.
"""

import gc
import io
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand

from laws.errors import PlannerError, harmless

# An answer is made of values that stay until it is printed: looking for garbage among them after every 700
# new ones, as Python does, is a twelfth of what an estimate costs.
KEPT = 50_000

COMMANDS = {  # in the order of `planner --help` -> file of planner/commands/ and the name in it
    "calibrate": "calibrate.calibrate",
    "fit": "fit.fit",
    "estimate": "estimate.estimate",
    "what-if": "what_if.what_if",
    "frontier": "frontier.frontier",
    "compare": "compare.compare",
    "check": "check.check",
    "next": "next.propose",
    "review": "review.review",
    "track-record": "track_record.track_record",
    "extrapolate": "extrapolate.extrapolate",
    "plot": "plot.plot",
    "forecasts": "forecasts.app",
    "outcome": "outcome.app",
    "laws": "laws.app",
    "runs": "runs.app",
    "store": "store.app",
    "accelerators": "accelerators.app",
}


RENAMED_OPTIONS = {
    "--plain": "--single-form",
    "--best-guess": "--baseline-error",
}  # scripts still use the old


class WithOldSpellings(TyperCommand):
    """A command that also takes the former spelling of an option, without showing it in its help."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse arguments after giving options of earlier versions their present names."""
        split = (arg.partition("=") for arg in args)
        return super().parse_args(
            ctx, [RENAMED_OPTIONS.get(name, name) + rest + value for name, rest, value in split]
        )


def version(asked: bool) -> None:
    """Print the version and end, where it is asked for."""
    if asked:
        from importlib.metadata import version  # ten milliseconds that no other command has to spend

        typer.echo(f"planner {version('scaling-planner')}")
        raise typer.Exit


def planner(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """How much data, how large a model, how much compute to reach an accuracy, and how sure."""


def assembled(words: Sequence[str] = ()) -> typer.Typer:
    """Return the app with the command that is asked alone, whole where none is: `--help`, a slip of the hand.

    To import and prepare the options of every command would take a quarter of the time of an estimate.
    """
    app = typer.Typer(
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # plain help: rich costs more time than the whole rest of `planner --help`
    )
    app.callback()(planner)
    for name in words[:1] if words and words[0] in COMMANDS else COMMANDS:
        file, place = COMMANDS[name].split(".")
        found = getattr(import_module(f"planner.commands.{file}"), place)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name)
        else:
            app.command(name, cls=WithOldSpellings)(found)
    return app


def main() -> None:
    """Run the command line; what a user can mend is one line on stderr and exit code 1."""
    gc.set_threshold(KEPT)
    for name in ("stdout", "stderr"):  # Python has none where the shell closed it (`>&-`)
        if getattr(sys, name) is None:
            setattr(sys, name, io.StringIO())
    try:
        assembled(sys.argv[1:])()
    except PlannerError as error:
        from planner.commands.hints import line

        refuse(line(error))
    except OSError as error:  # what no command foresaw: a full disk, a folder that is not ours
        refuse(f"{error.filename or 'the output'} cannot be used: {error.strerror or error}")


def refuse(reason: str) -> NoReturn:
    """End with a reason on one line."""
    sys.stderr.write(f"planner: {harmless(' '.join(reason.splitlines()))}\n")
    sys.exit(1)
