"""The progress of a long command on stderr: one rewritten line in a terminal, a few plain lines elsewhere."""

import sys
import time

from planner import units

SECONDS_BETWEEN_LINES = 10.0  # where output is not a terminal


class ProgressLine:
    """Show how many tasks are done and the time that is left; call it after each task.

    Args:
        least: Show nothing when there are fewer tasks.
    """

    def __init__(self, *, least: int = 1) -> None:
        self._least = least
        self._what, self._started, self._first, self._shown = "", 0.0, 0, 0.0

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show the state: always in a terminal, every ten seconds and at the end elsewhere.

        Args:
            what: What is being done, such as "forecasting".
            done: Tasks that are done.
            total: All tasks.
        """
        if total < self._least:
            return
        now = time.monotonic()
        if what != self._what:
            self._what, self._started, self._first, self._shown = what, now, done, now
        live, last = sys.stderr.isatty(), done == total
        if not live and not last and now - self._shown < SECONDS_BETWEEN_LINES:
            return
        self._shown = now
        left = ""
        if self._first < done < total:
            seconds = (now - self._started) / (done - self._first) * (total - done)
            left = f", about {units.duration_in_words(seconds)} left"
        line = f"{what}: {done}/{total}{left}"
        sys.stderr.write(f"\r\x1b[K{line}" + ("\n" if last else "") if live else line + "\n")
        sys.stderr.flush()
