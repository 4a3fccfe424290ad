"""What was measured, fitted, forecast and what happened: one immutable file a record, one DuckDB index.

    STORE/runs/<id>.<attempt>.json   written once, when a training has ended
    STORE/sweeps/<id>.json
    STORE/laws/<id>.json
    STORE/forecasts/<id>.json        an estimate that was kept, with its draws
    STORE/outcomes/<id>.json         what happened after a forecast
    STORE/fits/                      a store of its own, of laws beside those that answer
    STORE/index.duckdb               what readers open; replaced whole, never written in place
    STORE/laws.json                  the list of laws, so that asking one needs no database
    STORE/locks/                     empty files that writers lock

A record is safe when `add_*` returns (`laws/storage/files.py`); readers see it from the next `publish` on
(`laws/storage/publication.py`). A kill can lose neither a record nor the index.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from laws.storage.files import RecordFiles, StoreBusyError
from laws.storage.publication import Publication
from laws.types import Law, LawRow, Outcome, Run, RunStatus, SavedForecast, SavedForecastRow, Source, Sweep

__all__ = ["LawRow", "Store", "StoreBusyError"]


class Store:
    """A folder of records with its index; opening it reads nothing and creates nothing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files = RecordFiles(folder)
        self._publication = Publication(self._files)

    @property
    def fits(self) -> "Store":
        """Return the store of laws that are asked by id alone: single sizes, the surface over all of them."""
        return Store(self.folder / "fits")

    def add_run(self, run: Run) -> None:
        """Write one ended attempt; the same id and attempt again changes nothing.

        Raises:
            PlannerError: a number is not finite, or the disk is full or not ours to write.
        """
        self._files.write(run, replace=False)

    def add_sweep(self, sweep: Sweep) -> None:
        """Write a sweep's plan; the same id again replaces it whole."""
        self._files.write(sweep, replace=True)

    def add_law(self, law: Law) -> None:
        """Write a fitted law; the same law again is not doubled, it only becomes the newest."""
        self._files.write(law, replace=True)

    def add_forecast(self, forecast: SavedForecast) -> None:
        """Write an estimate that is to be kept; the same one again changes nothing."""
        self._files.write(forecast, replace=False)

    def add_outcome(self, outcome: Outcome) -> None:
        """Write what happened; the same again changes nothing."""
        self._files.write(outcome, replace=False)

    def attempts(self, ids: Iterable[str]) -> dict[str, tuple[Run, ...]]:
        """Return every attempt on record of these runs, oldest first, read from the files themselves.

        It sees runs that are not published yet. A file that cannot be used counts as no attempt: `check`
        names it.
        """
        return self._files.attempts(ids)

    def last_attempts(self, ids: Iterable[str]) -> Iterator[tuple[str, int, Run | None]]:
        """Yield id, highest number and last usable record of each of these runs that has an attempt.

        What a sweep asks before it goes on, one record at a time; read from the files themselves.
        """
        return self._files.last_attempts(ids)

    def last_runs(self, ids: Iterable[str]) -> Iterator[Run]:
        """Yield the last usable record of each of these runs that has one; as `last_attempts`."""
        return (run for _, _, run in self.last_attempts(ids) if run)

    def publish(self) -> tuple[str, ...]:
        """Bring the index up to date with the files; return one line for each file that cannot be used.

        Raises:
            PlannerError: the disk is full or not ours to write; the index stays as it was.
        """
        return self._publication.publish()

    def publish_if_due(self, seconds: float) -> tuple[str, ...]:
        """Publish when the last time is this long ago; at most a tenth of the time goes into publishing.

        Whoever holds the index now is not waited for: the next time will do.
        """
        return self._publication.publish_if_due(seconds)

    def catch_up(self) -> tuple[str, ...]:
        """Publish what a killed writer left, unless a writer is at it now or the folder is read-only."""
        return self._publication.catch_up()

    def rebuild(self) -> tuple[str, ...]:
        """Make the index anew from the files alone; return one line for each file that cannot be used."""
        return self._publication.rebuild()

    def check(self) -> tuple[str, ...]:
        """Hold every file against its hash, and the index against the files; return a line for each fault."""
        return self._publication.check()

    def exclusive(self, name: str, *, wait: bool = True) -> AbstractContextManager[None]:
        """Hold the store's lock of this name; the system frees it when the process ends, however it ends.

        A sweep holds `sweep-<id>` while it trains, so that two processes do not train the same.

        Raises:
            StoreBusyError: another holder, and `wait` is False.
        """
        return self._files.exclusive(name, wait=wait)

    def runs(
        self, *, domain: str | None = None, sweep: str | None = None, status: RunStatus | None = None
    ) -> list[Run]:
        """Return published attempts by time; a sweep's include those it planned and found already done."""
        with self._publication.reader() as connection:
            if connection is None:
                return []
            from laws.storage import index

            return index.runs(connection, domain, sweep, status)

    def sweeps(self, *, domain: str | None = None) -> list[Sweep]:
        """Return published sweeps, newest first."""
        with self._publication.reader() as connection:
            if connection is None:
                return []
            from laws.storage import index

            return index.sweeps(connection, domain)

    def laws(
        self,
        *,
        domain: str | None = None,
        family: str | None = None,
        metric: str | None = None,
        source: Source | None = None,
    ) -> list[LawRow]:
        """Return published laws without draws and paths, newest first."""
        wanted = {"domain": domain, "family": family, "metric": metric, "source": source}
        return list(self._publication.laws(wanted))

    def newest(self, domain: str, metric: str, family: str | None = None) -> LawRow | None:
        """Return the newest law of a metric, None when there is none; `law(row.id)` reads it whole."""
        return next(self._publication.laws({"domain": domain, "metric": metric, "family": family}), None)

    def law(self, id: str) -> Law:
        """Return one law whole, from its file; the first characters of its id are enough.

        Raises:
            PlannerError: no such law, several, or its file is damaged.
        """
        return self._files.load(id, Law)

    def forecasts(self, *, domain: str | None = None) -> list[SavedForecastRow]:
        """Return published forecasts with intervals in place of draws, newest first."""
        with self._publication.reader() as connection:
            if connection is None:
                return []
            from laws.storage import index

            return index.forecasts(connection, domain)

    def forecast(self, id: str) -> SavedForecast:
        """Return one forecast whole, from its file; the first characters of its id are enough.

        Raises:
            PlannerError: no such forecast, several, or its file is damaged.
        """
        return self._files.load(id, SavedForecast)

    def outcomes(self) -> list[Outcome]:
        """Return published outcomes in the order of their days, those that were replaced among them."""
        with self._publication.reader() as connection:
            if connection is None:
                return []
            from laws.storage import index

            return index.outcomes(connection)

    def outcome(self, id: str) -> Outcome:
        """Return one outcome, from its file; the first characters of its id are enough.

        Raises:
            PlannerError: no such outcome, several, or its file is damaged.
        """
        return self._files.load(id, Outcome)

    def counts(self) -> dict[str, int]:
        """Return how many files of each kind are in the folder."""
        return self._files.counts()
