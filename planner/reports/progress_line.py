"""How far a long command is, on stderr: one rewritten line in a terminal, a few plain lines elsewhere."""

import sys
import time


class ProgressLine:
    """Tell how many of all tasks are done, and the time that is left; call it after each task.

    `least` is the number of tasks from which on it is worth a word.
    """

    def __init__(self, *, least: int = 1) -> None:
        self._least = least
        self._what, self._began, self._first, self._said = "", 0.0, 0, 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        """Print the state: always in a terminal, every ten seconds and at the end elsewhere."""
        if total < self._least:
            return
        now = time.monotonic()
        if what != self._what:
            self._what, self._began, self._first, self._said = what, now, done, now
        live, last = sys.stderr.isatty(), done == total
        if not live and not last and now - self._said < 10:
            return
        self._said = now
        left = ""
        if self._first < done < total:
            seconds = (now - self._began) / (done - self._first) * (total - done)
            left = f", about {seconds / 60:.0f} min left" if seconds > 90 else f", about {seconds:.0f} s left"
        line = f"{what}: {done}/{total}{left}"
        sys.stderr.write(f"\r\x1b[K{line}" + ("\n" if last else "") if live else line + "\n")
        sys.stderr.flush()
