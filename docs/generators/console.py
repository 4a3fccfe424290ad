"""Run a command and print it with its output, for the pages: `cog -rP FILE` puts it where it is shown.

In a page:

    <!-- [[[cog import docs.generators.console as c; c.show("planner laws list --domain speech") ]]] -->
    <!-- [[[end]]] -->
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path

WIDTH = "96"


def run(command: str, *, store: str = "") -> list[str]:
    """Run a command as a reader types it.

    Args:
        command: The command line.
        store: Folder of the store to ask; by default no store, as on a new machine.

    Returns:
        The lines that it printed, errors included.
    """
    environment = os.environ | {
        "COLUMNS": WIDTH,
        "NO_COLOR": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    if store:
        environment["PLANNER_STORE"] = store
    else:
        environment.pop("PLANNER_STORE", None)
        environment["XDG_DATA_HOME"] = "/nonexistent"
    done = subprocess.run(shlex.split(command), env=environment, capture_output=True, text=True, check=False)
    return [line.rstrip() for line in (done.stdout + done.stderr).splitlines()]


def show(command: str, *, store: str = "", shown: str = "") -> None:
    """Print a fenced block with the command and what it printed.

    Args:
        command: The command line that runs.
        store: Folder of the store to ask.
        shown: What the page shows in place of the command, such as one without a path of this repository.
    """
    lines = run(command, store=store)
    sys.stdout.write("\n".join(["", "```console", f"$ {shown or command}", *lines, "```", "", ""]))
