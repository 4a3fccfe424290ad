"""Read the laws that come with the tool: calibrated by its authors on the bundled corpora, with their runs.

They are for trying the tool, for teaching and for tests. Another corpus has another curve, so they answer
only if you ask for them (source "shipped", or an id). The folder `laws/catalog/calibrated` has

- `laws.json`, one row per law,
- `<id>.json.gz`, one law each, with some of its posterior samples: `laws/catalog/bundle.py` says how many,
- `sweep-<id>.json.gz`, one sweep each, with its runs.

Pure Python: an answer from a bundled law imports no more than one from a stored law.
"""

import functools
import json
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from laws.errors import FileError, LawNotFound, run
from laws.storage.store import Store
from laws.types import Law, LawRow, Run, SizeCost, Sweep

FORMAT = "scaling-planner/shipped/1"
STEP = 1e-3  # of log y: paths are stored as multiples of it
LIST = "laws.json"


class BundledLaws(NamedTuple):
    """A folder of bundled laws, with the methods of a store that read laws.

    Attributes:
        folder: The folder with `laws.json`.
    """

    folder: Path

    def laws(
        self, *, domain: str | None = None, metric: str | None = None, source: str | None = None
    ) -> list[LawRow]:
        """Return laws without samples and paths, in the order of the list.

        Args:
            domain: Only of this domain.
            metric: Only of this metric.
            source: Only from this source; every bundled law has the source "shipped".

        Returns:
            The rows.
        """
        filters = {"domain": domain, "metric": metric, "source": source}
        return [
            row
            for row in _rows(self.folder)
            if all(value in (None, getattr(row, name)) for name, value in filters.items())
        ]

    def law(self, id: str) -> Law:
        """Return one law.

        Args:
            id: Its id, or the first characters of it.

        Returns:
            The law.

        Raises:
            LawNotFound: No bundled law or several begin with `id`.
        """
        matches = [row.id for row in self.laws() if id and row.id.startswith(id)]
        if not matches:
            raise LawNotFound(
                f"no bundled law {id!r}",
                value=id,
                hint=run("laws", "list", value="--source shipped", purpose="to see all"),
            )
        if len(matches) > 1 and id not in matches:
            raise LawNotFound(
                f"{id!r} matches {len(matches)} bundled laws: expected more characters of the id",
                code="ambiguous-id",
                value=id,
                expected=f"more characters, such as {matches[0]}",
            )
        return unpacked(self.read(f"{id if id in matches else matches[0]}.json.gz"))

    def sweeps(self) -> Iterator[tuple[Sweep, tuple[Run, ...]]]:
        """Yield every sweep with its runs."""
        for name in sorted(entry.name for entry in self.folder.iterdir()):
            if name.startswith("sweep-"):
                content = self.read(name)
                sweep = content["sweep"]
                sweep["ladder"] = {
                    family: tuple(SizeCost(**cost) for cost in costs)
                    for family, costs in sweep["ladder"].items()
                }
                yield (
                    Sweep(**{**sweep, "runs": tuple(sweep["runs"])}),
                    tuple(Run(**run) for run in content["runs"]),
                )

    def read(self, name: str) -> dict[str, Any]:
        """Return the content of a file of the folder.

        Args:
            name: The file's name.

        Returns:
            Its JSON without the format.

        Raises:
            FileError: Another version of this program wrote it.
        """
        import gzip  # most answers need none of these laws

        content: dict[str, Any] = json.loads(gzip.decompress((self.folder / name).read_bytes()))
        if content.pop("format") != FORMAT:
            raise _other_version(name)
        return content


def bundled_laws() -> BundledLaws:
    """Return the laws of this installation."""
    return BundledLaws(Path(__file__).parent / "calibrated")


def locate_law(store: Store, id: str) -> Store | BundledLaws:
    """Return the collection that has a law.

    Args:
        store: The store to look in first, then in its `fits`, then in the bundled laws.
        id: The id of the law, or the first characters of it.

    Returns:
        The first collection with such a law; the store if there is none.
    """
    collections: tuple[Store | BundledLaws, ...] = (store, store.fits, bundled_laws())
    matching = (
        collection
        for collection in collections
        if id and any(row.id.startswith(id) for row in collection.laws())
    )
    return next(matching, store)


def _other_version(name: str) -> FileError:
    return FileError(
        f"laws/catalog/calibrated/{name}: expected format {FORMAT}: another version of this program wrote it",
        code="other-version",
        value=name,
    )


@functools.cache
def _rows(folder: Path) -> tuple[LawRow, ...]:
    listed = json.loads((folder / LIST).read_text(encoding="utf-8"))
    if listed["format"] != FORMAT:
        raise _other_version(LIST)
    return tuple(
        LawRow(**{**row, "x_range": tuple(row["x_range"]), "warnings": tuple(row["warnings"])})
        for row in listed["laws"]
    )


def unpacked(content: dict[str, Any]) -> Law:
    """Return the law of a file's content.

    Args:
        content: JSON whose paths are second differences of multiples of STEP.

    Returns:
        The law.
    """
    law = dict(content["law"])
    law["paths"] = tuple(
        tuple(STEP * value for value in accumulate(accumulate(differences))) for differences in law["paths"]
    )
    law["ladder"] = tuple(SizeCost(**cost) for cost in law["ladder"])
    for name in ("parameters", "points", "phases"):
        law[name] = {key: tuple(column) for key, column in law[name].items()}
    for name in ("grid", "x_range", "runs", "warnings"):
        law[name] = tuple(law[name])
    return Law(**law)
