"""Deleted laws: a tombstone hides a law, its file stays, and removing the tombstone brings it back.

STORE/deleted/<id> is an empty file. A law's file is never removed: saved forecasts name it, and reports that
were made with it can be made again.
"""

from pathlib import Path

from laws.storage.files import disk_errors, sync_folder


class Tombstones:
    """The tombstones of a store; opening it reads nothing and creates nothing."""

    def __init__(self, folder: Path) -> None:
        """Remember the folder of the store."""
        self.folder = folder / "deleted"

    def ids(self) -> frozenset[str]:
        """Return the ids of the deleted laws."""
        try:
            return frozenset(path.name for path in self.folder.iterdir())
        except OSError:  # nothing was ever deleted
            return frozenset()

    def add(self, id: str) -> None:
        """Hide a law.

        Args:
            id: The id of a law of the store.

        Raises:
            StoreError: The folder may not be written.
        """
        path = self.folder / id
        with disk_errors(path, "write"):
            self.folder.mkdir(parents=True, exist_ok=True)
            path.touch()
            sync_folder(self.folder)

    def remove(self, id: str) -> None:
        """Bring a law back; a law that is not deleted stays as it is.

        Args:
            id: The id of the law.

        Raises:
            StoreError: The folder may not be written.
        """
        path = self.folder / id
        with disk_errors(path, "remove"):
            path.unlink(missing_ok=True)
