"""Store runs, sweeps, laws, forecasts and outcomes: one immutable file per record, one DuckDB index.

    STORE/runs/<id>.<attempt>.json   written once, when a training has ended
    STORE/sweeps/<id>.json
    STORE/laws/<id>.json
    STORE/forecasts/<id>.json        a saved estimate, with its samples
    STORE/outcomes/<id>.json         values that were observed after a forecast
    STORE/fits/                      a store of its own, of laws that are asked by id only
    STORE/index.duckdb               opened by readers; replaced whole, never written in place
    STORE/laws.json                  the list of laws, so that asking one needs no database
    STORE/deleted/<id>               hides a law (`laws/storage/tombstones.py`)
    STORE/sequence                   the last number that a record got (`laws/storage/sequence.py`)
    STORE/locks/                     empty files that writers lock

A record is safe when `add_*` returns (`laws/storage/files.py`); readers see it from the next `publish` on
(`laws/storage/publication.py`). Neither records nor the index are lost if the process is killed.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from laws.errors import StoreError
from laws.storage.files import RecordFiles, StoreBusyError
from laws.storage.publication import Publication
from laws.storage.tombstones import Tombstones
from laws.types import Law, LawRow, Outcome, Run, RunStatus, SavedForecast, SavedForecastRow, Source, Sweep

__all__ = ["LawRow", "Store", "StoreBusyError"]


class Store:
    """A folder of records with its index; opening it reads nothing and creates nothing."""

    def __init__(self, folder: Path) -> None:
        """Remember the folder.

        Args:
            folder: The store; the first record that is added creates it.
        """
        self.folder = folder
        self._files = RecordFiles(folder)
        self._publication = Publication(self._files)
        self._sequence = self._publication.sequence
        self._tombstones = Tombstones(folder)

    @property
    def fits(self) -> "Store":
        """Return the store of laws that are asked by id only: single sizes, the joint law of all of them."""
        return Store(self.folder / "fits")

    def check_writable(self) -> None:
        """Check that records can be written and locked, before work is done for them; create nothing.

        Raises:
            StoreError: The folder may not be written, or its file system has no file locks.
        """
        self._files.check_writable()

    def next_sequence(self) -> int:
        """Return a number larger than every record's, for the laws of one fit to share.

        Raises:
            StoreError: The folder may not be written, or its file system has no locks.
        """
        return self._sequence.next()

    def add_run(self, run: Run) -> None:
        """Write one ended attempt; the same id and attempt again changes nothing.

        Args:
            run: The attempt.

        Raises:
            InputError: A number is not finite.
            StoreError: The disk is full or may not be written.
        """
        self._files.write(run, replace=False)

    def add_sweep(self, sweep: Sweep) -> None:
        """Write a sweep's plan; the same id again replaces it and makes it the newest.

        Args:
            sweep: The plan.

        Raises:
            StoreError: The disk is full or may not be written.
        """
        with self._sequence.locked() as number:
            self._files.write(sweep, replace=True, sequence=number)

    def add_law(self, law: Law, *, sequence: int | None = None) -> None:
        """Write a fitted law; it becomes the newest. The same law again is not stored twice.

        Args:
            law: The law.
            sequence: The number that the laws of one fit share, from `next_sequence`; by default its own.

        Raises:
            InputError: A number is not finite.
            StoreError: The disk is full or may not be written.
        """
        with self._sequence.locked() as number:
            self._write_law(law, number if sequence is None else sequence)

    def add_fit(self, laws: Iterable[Law]) -> list[Law]:
        """Write the laws of one fit, each as soon as it is there; they share their place in the order.

        Args:
            laws: The laws.

        Returns:
            The laws.

        Raises:
            InputError: A number is not finite.
            StoreError: The disk is full or may not be written.
        """
        sequence = self.next_sequence()
        stored = []
        for law in laws:
            self.add_law(law, sequence=sequence)
            stored.append(law)
        return stored

    def import_law(self, law: Law, *, sequence: int) -> None:
        """Write a law from elsewhere in the order of the time it was made, but never after what is made
        later here.

        Args:
            law: The law.
            sequence: Its number, as `laws.storage.records.sequence_of` gives it.

        Raises:
            StoreError: The disk is full or may not be written.
        """
        with self._sequence.locked() as number:
            self._write_law(law, min(sequence, number))

    def _write_law(self, law: Law, sequence: int) -> None:
        """Write a law unless it is stored already and as new; the lock of numbers is held."""
        self._tombstones.remove(law.id)  # who stores it again wants it
        stored = self._files.sequence_of(law)
        if stored is None or stored < sequence:
            self._files.write(law, replace=True, sequence=sequence)

    def add_forecast(self, forecast: SavedForecast) -> None:
        """Write a saved estimate; the same one again changes nothing.

        Args:
            forecast: The estimate.

        Raises:
            StoreError: The disk is full or may not be written.
        """
        with self._sequence.locked() as number:
            self._files.write(forecast, replace=False, sequence=number)

    def add_outcome(self, outcome: Outcome) -> None:
        """Write observed values; the same again changes nothing.

        Args:
            outcome: The values.

        Raises:
            StoreError: The disk is full or may not be written.
        """
        with self._sequence.locked() as number:
            self._files.write(outcome, replace=False, sequence=number)

    def attempts(self, ids: Iterable[str]) -> dict[str, tuple[Run, ...]]:
        """Return every attempt on record of some runs, read from the files themselves.

        Args:
            ids: The ids of the runs.

        Returns:
            The attempts by id, oldest first, those that are not published yet among them. A file that cannot
            be used counts as no attempt; `check` names it.
        """
        return self._files.attempts(ids)

    def last_attempts(self, ids: Iterable[str]) -> Iterator[tuple[str, int, Run | None]]:
        """Yield id, highest number and last usable record of each of these runs that has an attempt.

        A sweep asks this before it continues, one record at a time; read from the files themselves.

        Args:
            ids: The ids of the runs.
        """
        return self._files.last_attempts(ids)

    def last_runs(self, ids: Iterable[str]) -> Iterator[Run]:
        """Yield the last usable record of each of these runs that has one.

        Args:
            ids: The ids of the runs.
        """
        return (run for _, _, run in self.last_attempts(ids) if run)

    def publish(self) -> tuple[str, ...]:
        """Bring the index up to date with the files.

        Returns:
            One line for each file that cannot be used.

        Raises:
            StoreError: The disk is full or may not be written; the index stays as it was.
        """
        return self._publication.publish()

    def publish_if_due(self, seconds: float) -> tuple[str, ...]:
        """Publish if the last time is long enough ago; at most a tenth of the time goes into publishing.

        Another process that publishes is not waited for: the next time will do.

        Args:
            seconds: Time between two publications.

        Returns:
            One line for each file that cannot be used.
        """
        return self._publication.publish_if_due(seconds)

    def catch_up(self) -> tuple[str, ...]:
        """Publish what a killed writer left, unless a writer is at work.

        Returns:
            One line for each file that cannot be used.

        Raises:
            StoreError: Files are missing from the index, and the folder may not be written.
        """
        return self._publication.catch_up()

    def rebuild(self) -> tuple[str, ...]:
        """Make the index again from the files only.

        Returns:
            One line for each file that cannot be used.
        """
        return self._publication.rebuild()

    def check(self) -> tuple[str, ...]:
        """Verify every file's hash, and that the index matches the files.

        Returns:
            One line for each fault, with what to do.
        """
        return self._publication.check()

    def exclusive(self, name: str, *, wait: bool = True) -> AbstractContextManager[None]:
        """Hold the store's lock of this name; the system frees it when the process ends, however it ends.

        A sweep holds `sweep-<id>` while it trains, so that two processes do not train the same.

        Args:
            name: The name of the lock.
            wait: Wait while another process has it.

        Returns:
            A context that has the lock.

        Raises:
            StoreBusyError: Another process has the lock, and `wait` is False.
            StoreError: The file system has no locks, or may not be written.
        """
        return self._files.exclusive(name, wait=wait)

    def is_locked(self, name: str) -> bool:
        """Return whether a process holds the store's lock of this name now.

        Args:
            name: The name of the lock.
        """
        return self._files.is_locked(name)

    def runs(
        self, *, domain: str | None = None, sweep: str | None = None, status: RunStatus | None = None
    ) -> list[Run]:
        """Return published attempts by time.

        Args:
            domain: Only of this domain.
            sweep: Only those that this sweep trained, or planned and found already trained.
            status: Only of this status.

        Returns:
            The runs.
        """
        with self._publication.reader() as connection:
            if connection is None:
                return []
            from laws.storage import index

            return index.runs(connection, domain, sweep, status)

    def sweeps(self, *, domain: str | None = None) -> list[Sweep]:
        """Return published sweeps, newest first.

        Args:
            domain: Only of this domain.

        Returns:
            The sweeps.
        """
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
        """Return published laws without samples and paths, newest first; deleted ones are left out.

        Args:
            domain: Only of this domain.
            family: Only of this family.
            metric: Only of this metric.
            source: Only from this source.

        Returns:
            The rows; laws of one fit share their `sequence`.
        """
        filters = {"domain": domain, "family": family, "metric": metric, "source": source}
        return list(self._listed(filters))

    def _listed(self, filters: dict[str, str | None]) -> Iterator[LawRow]:
        deleted = self._tombstones.ids()
        rows = self._publication.laws(filters)
        return (row for row in rows if row.id not in deleted) if deleted else rows

    def deleted_laws(self) -> list[LawRow]:
        """Return the deleted laws without samples and paths, newest first."""
        deleted = self._tombstones.ids()
        return [row for row in self._publication.laws({}) if row.id in deleted] if deleted else []

    def delete_law(self, id: str) -> None:
        """Hide a law: no list has it and no question is answered by it. Its file stays.

        Args:
            id: Its id.

        Raises:
            StoreError: The folder may not be written.
        """
        self._tombstones.add(id)

    def restore_law(self, id: str) -> None:
        """Bring a deleted law back.

        Args:
            id: Its id.

        Raises:
            StoreError: The folder may not be written.
        """
        self._tombstones.remove(id)

    def newest(self, domain: str, metric: str, family: str | None = None) -> LawRow | None:
        """Return the newest law of a metric.

        Args:
            domain: Its domain.
            metric: Its metric.
            family: Its family; None for any.

        Returns:
            The row, or None without one; `law(row.id)` reads the law.
        """
        return next(self._listed({"domain": domain, "metric": metric, "family": family}), None)

    def law(self, id: str) -> Law:
        """Return one law, from its file.

        Args:
            id: Its id, or the first characters of it.

        Returns:
            The law.

        Raises:
            StoreError: No law or several begin with `id`.
            FileError: Its file is damaged.
        """
        return self._files.load(id, Law)

    def forecasts(self, *, domain: str | None = None) -> list[SavedForecastRow]:
        """Return published forecasts with intervals in place of samples, newest first.

        Args:
            domain: Only of this domain.

        Returns:
            The rows.
        """
        with self._publication.reader() as connection:
            if connection is None:
                return []
            from laws.storage import index

            return index.forecasts(connection, domain)

    def forecast(self, id: str) -> SavedForecast:
        """Return one forecast, from its file.

        Args:
            id: Its id, the first characters of it, or its name.

        Returns:
            The forecast.

        Raises:
            StoreError: No forecast or several begin with `id`, or have the name.
            FileError: Its file is damaged.
        """
        try:
            return self._files.load(id, SavedForecast)
        except StoreError:
            named = [row.id for row in self.forecasts() if row.name and row.name == id]
            if not named:
                raise
        if len(named) > 1:
            raise StoreError(
                f"forecast {id!r}: expected an id, {len(named)} forecasts have the name: {', '.join(named)}",
                code="ambiguous-name",
                value=id,
            )
        return self._files.load(named[0], SavedForecast)

    def outcomes(self) -> list[Outcome]:
        """Return published outcomes by day, those that were replaced among them."""
        with self._publication.reader() as connection:
            if connection is None:
                return []
            from laws.storage import index

            return index.outcomes(connection)

    def outcome(self, id: str) -> Outcome:
        """Return one outcome, from its file.

        Args:
            id: Its id, or the first characters of it.

        Returns:
            The outcome.

        Raises:
            StoreError: No outcome or several begin with `id`.
            FileError: Its file is damaged.
        """
        return self._files.load(id, Outcome)

    def counts(self) -> dict[str, int]:
        """Return how many files of each kind are in the folder."""
        return self._files.counts()
