"""The command `planner`: assembles the commands; nothing heavy is imported here.

Each file in `planner/commands/` parses its options, calls one use case and prints the result.
"""

import gc
import io
import re
import sys
from collections.abc import Collection, Sequence
from importlib import import_module
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand

from laws.errors import PlannerError, harmless

# An answer consists of values that live until it is printed. Collecting garbage after every 700 new objects,
# Python's default, costs a twelfth of the time of an estimate.
GC_THRESHOLD = 50_000

COMMANDS = {  # in the order of `planner --help` -> file of planner/commands/ and the name in it
    "calibrate": "calibrate.calibrate",
    "fit": "fit.fit",
    "verify": "verify.verify",
    "columns": "columns.columns",
    "estimate": "estimate.estimate",
    "what-if": "what_if.what_if",
    "frontier": "frontier.frontier",
    "compare": "compare.compare",
    "check": "check.check",
    "backtest": "backtest.backtest",
    "next": "next.next_runs",
    "review": "review.review",
    "track-record": "track_record.track_record",
    "extrapolate": "extrapolate.extrapolate",
    "plot": "plot.plot",
    "forecasts": "forecasts.app",
    "outcome": "outcome.app",
    "laws": "laws.app",
    "sweeps": "sweeps.app",
    "runs": "runs.app",
    "store": "store.app",
    "accelerators": "accelerators.app",
}
# former name of an option -> its name; scripts still use the former, which no help shows
RENAMED_OPTIONS = {"plain": "single-form", "best-guess": "baseline-error"}
CONTEXT: dict[str, Any] = {
    "token_normalize_func": lambda name: RENAMED_OPTIONS.get(name, name),
    "help_option_names": ["-h", "--help"],
    "max_content_width": 1000,  # help is as wide as the terminal
}
DEBUG = "--debug"
# how MLflow and Optuna call a file, and arguments that take one: a `Path` would lose slashes of `sqlite:///`
ADDRESS, SOURCES = re.compile("[A-Za-z][A-Za-z0-9+.-]*://"), frozenset({"runs", "source"})
# what a command line that cannot be parsed raises: typer exports only one of its kinds
UsageError: type[Exception] = typer.BadParameter.__mro__[1]


class Command(TyperCommand):
    """A command with help in groups; a target may be an option that names its metric: `--target-f1 0.8`."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments and options, in groups."""
        from planner.commands.help import write_options  # only help needs it

        write_options(self, ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Write the examples."""
        from planner.commands.help import write_examples

        write_examples(ctx, formatter)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words of the command line.

        Args:
            ctx: The context of the command.
            args: The words after the command.

        Returns:
            The words that are no options.
        """
        options = {option for param in self.params for option in param.opts}
        if any(ADDRESS.match(word) for word in args) and {param.name for param in self.params} & SOURCES:
            from planner.sources.trackers.address import path_of_address  # few commands name an address

            args = [str(path_of_address(word)) if ADDRESS.match(word) else word for word in args]
        if "--target" in options and any(word.startswith("--target-") for word in args):
            args = named_targets(args, options)
        return super().parse_args(ctx, args)


def named_targets(words: Sequence[str], options: Collection[str]) -> list[str]:
    """Return words with `--target-NAME VALUE` as `--target NAME=VALUE`.

    Args:
        words: The words after a command.
        options: Options of the command, which stay as they are.

    Returns:
        The words.
    """
    changed: list[str] = []
    rest = iter(words)
    for word in rest:
        option, equals, value = word.partition("=")
        if word == "--":
            return [*changed, word, *rest]
        if not option.startswith("--target-") or option in options:
            changed.append(word)
            continue
        if not equals:
            value = next(rest, "")
        changed += ["--target", f"{option.removeprefix('--target-')}={value}"]
    return changed


def print_version(requested: bool) -> None:
    """Print the version and exit, if requested.

    Args:
        requested: Whether `--version` was given.

    Raises:
        typer.Exit: The version was printed.
    """
    if requested:
        from importlib.metadata import version  # ten milliseconds that no other command has to spend

        typer.echo(f"planner {version('scaling-planner')}")
        raise typer.Exit


def planner(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
    debug: Annotated[
        bool, typer.Option(DEBUG, help="Show the traceback of an unexpected error. Goes before the command.")
    ] = False,
) -> None:
    """Plan how much data, model size, compute, time and money an accuracy takes, with intervals."""


def assembled(words: Sequence[str] = ()) -> typer.Typer:
    """Return the command line.

    Args:
        words: The arguments. Where the first names a command, only that one is prepared: to prepare all of
            them would take a quarter of the time of an estimate.

    Returns:
        The app.
    """
    app = typer.Typer(
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings=CONTEXT,
        rich_markup_mode=None,  # plain help: rich costs more time than the whole rest of `planner --help`
    )
    app.callback()(planner)
    names = [word for word in words if word != DEBUG][:1]
    for name in names if names and names[0] in COMMANDS else COMMANDS:
        file, attribute = COMMANDS[name].split(".")
        command = getattr(import_module(f"planner.commands.{file}"), attribute)
        if isinstance(command, typer.Typer):
            for leaf in command.registered_commands:
                leaf.cls = Command
            app.add_typer(command, name=name)
        else:
            app.command(name, cls=Command)(command)
    return app


def main() -> None:
    """Run the command line.

    An error is one line on stderr. Its exit code is 1, or 2 where the words of the command are wrong.

    Raises:
        SystemExit: Always.
    """
    gc.set_threshold(GC_THRESHOLD)
    _prepare_streams()
    try:
        code = assembled(sys.argv[1:])(standalone_mode=False)
    except UsageError as error:
        _refuse_usage(error)
    except typer.Abort:
        refuse("stopped")
    except PlannerError as error:
        from planner.commands.hints import line

        refuse(line(error))
    except OSError as error:  # no command expected it: a full disk, a folder without permission
        refuse(f"{error.filename or 'the output'} cannot be used: {error.strerror or error}")
    except Exception as error:  # a bug of ours, the last resort
        if DEBUG in sys.argv:
            raise
        from planner.commands.bug_report import write_bug_report

        refuse(write_bug_report(error, sys.argv))
    sys.exit(code if isinstance(code, int) else 0)  # a command returns nothing, `typer.Exit` its code


def _refuse_usage(error: Any) -> NoReturn:
    """Say in one line what is wrong with the words of a command, and which help has them."""
    text = error.format_message()
    if error.ctx is not None and text == error.ctx.get_help():  # `planner laws`, without a command
        error.show()
        sys.exit(error.exit_code)
    command = error.ctx.command_path if error.ctx else "planner"
    sentence = text[:1].lower() + text[1:] + ("" if text.endswith((".", "?")) else ".")
    refuse(f"{sentence} See `{command} --help`.", code=error.exit_code)


def refuse(reason: str, *, code: int = 1) -> NoReturn:
    """Print a reason as one line on stderr and exit.

    Args:
        reason: Why the command fails; line breaks and control characters are made harmless.
        code: The exit code.

    Raises:
        SystemExit: Always.
    """
    sys.stderr.write(f"planner: {harmless(' '.join(reason.splitlines()))}\n")
    sys.exit(code)


def _prepare_streams() -> None:
    """Make stdout and stderr take any text."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # the shell closed it (`>&-`)
            setattr(sys, name, io.StringIO())
        elif isinstance(stream, io.TextIOWrapper) and not stream.encoding.lower().startswith("utf"):
            # an ASCII or Latin-1 terminal: what it cannot show is written as an escape
            stream.reconfigure(errors="backslashreplace")
