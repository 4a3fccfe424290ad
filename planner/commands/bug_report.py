"""A report of an unexpected error: one line for the user, a file for whoever fixes it."""

import os
import sys
import tempfile
import traceback
from collections.abc import Sequence


def write_bug_report(error: Exception, arguments: Sequence[str]) -> str:
    """Write the traceback of an unexpected error to a new file.

    Args:
        error: The error.
        arguments: The command line.

    Returns:
        One line that names the error and the file; without a file where none can be written.
    """
    summary = f"unexpected {type(error).__name__}: {str(error)[:200]}; this is a bug in planner"
    text = "\n".join(
        [
            f"command: {' '.join(map(repr, arguments))}",
            f"python: {sys.version}",
            f"platform: {sys.platform}",
            "",
            "".join(traceback.format_exception(error)),
        ]
    )
    try:
        descriptor, path = tempfile.mkstemp(prefix="planner-bug-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError:
        return f"{summary}. Run `planner --debug ...` to see the traceback."
    return f"{summary}. The report is in {path}; `planner --debug ...` shows the traceback."
