"""Start the program: `planner`, or `python -m planner`. Ctrl-C ends it in one line, whatever it is doing.

Only what Ctrl-C needs is imported before it is handled: the libraries take most of the first half second.
"""

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 130  # the exit code that shells expect after Ctrl-C
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
        from planner.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("planner: stopped\n")
        sys.exit(INTERRUPTED)
    except SystemExit:
        if interrupts:  # typer ends with 1
            sys.exit(INTERRUPTED)
        raise


if __name__ == "__main__":
    main()
