"""Start the program: `planner`, or `python -m planner`. Ctrl-C ends it in one line, whatever it is doing.

Only what Ctrl-C needs is imported before it is handled: the libraries take most of the first half second.
"""

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType

INTERRUPTED = 130  # the exit code that shells expect after Ctrl-C
SHARED = (
    "llm-d-planner is installed in this environment and has a package and a command of the same name. Keep "
    "the two in environments of their own; until then, `scaling-planner` starts this program."
)
SHOW_CURSOR = "\x1b[?25h"  # a live display hides it


def main() -> None:
    """Run the command line; exit with code 130 after Ctrl-C."""
    interrupts: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
        if interrupts:  # while the first one is cleaned up, which may hang; the store survives any kill
            os.write(2, f"{SHOW_CURSOR if sys.stderr.isatty() else ''}planner: stopped\n".encode())
            os._exit(INTERRUPTED)
        interrupts.append(number)
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a shell may have it ignored
        signal.signal(signal.SIGINT, interrupt)
    try:
        _command_line()()
    except KeyboardInterrupt:
        sys.stderr.write("planner: stopped\n")
        sys.exit(INTERRUPTED)
    except SystemExit:
        if interrupts:  # typer ends with 1
            sys.exit(INTERRUPTED)
        raise


def _command_line() -> Callable[[], None]:
    """Return the function that runs the command line.

    The distribution llm-d-planner installs a package `planner` too, with a folder `cli` that hides our file.
    Ours is then loaded by its path, and the user hears of it.
    """
    try:
        from planner.cli import main as run
    except ImportError:
        import importlib.util
        from pathlib import Path

        file = Path(__file__).with_name("cli.py")
        if not file.with_suffix("").is_dir():
            raise
        sys.stderr.write(f"planner: {SHARED}\n")
        spec = importlib.util.spec_from_file_location("planner.cli", file)
        assert spec is not None
        assert spec.loader is not None
        sys.modules["planner.cli"] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        run = module.main
    return run


if __name__ == "__main__":
    main()
