"""Laws that ship with the tool: calibrated by its authors on the embedded corpora, with the runs behind them.

They are for trying the tool, for teaching and for tests. Another corpus has another curve: nothing of them is
taken where nobody asks for them (`--source shipped`, or an id). The folder `laws/catalog/calibrated` holds

- `laws.json`, what a list shows of every law,
- `<id>.json.gz`, one law each, with some of its draws: `laws/catalog/bundle.py` says how many and what that costs,
- `sweep-<id>.json.gz`, one sweep each, with its runs.

Pure Python: an answer from a shipped law imports no more than one from a stored law.
"""

import functools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from laws.errors import PlannerError
from laws.storage.store import Store
from laws.types import Law, LawRow, Run, SizeCost, Sweep

FORMAT = "scaling-planner/shipped/1"
STEP = 1e-3  # of log y: paths are whole numbers of it
LIST = "laws.json"


@dataclass(frozen=True)
class BundledLaws:
    """The laws that ship, read as those of a store are."""

    folder: Path

    def laws(
        self, *, domain: str | None = None, metric: str | None = None, source: str | None = None
    ) -> list[LawRow]:
        """Return the list of laws without draws and paths, in the order in which they were made ready."""
        wanted = {"domain": domain, "metric": metric, "source": source}
        return [
            row
            for row in _rows(self.folder)
            if all(value in (None, getattr(row, name)) for name, value in wanted.items())
        ]

    def law(self, id: str) -> Law:
        """Return one law whole; the first characters of its id are enough.

        Raises:
            PlannerError: no such law, or several.
        """
        found = [row.id for row in self.laws() if id and row.id.startswith(id)]
        if not found:
            raise PlannerError(f"no law {id!r} ships: `planner laws list --source shipped` shows them")
        if len(found) > 1 and id not in found:
            raise PlannerError(f"{len(found)} shipped laws begin with {id!r}: write more of the id")
        return unpacked(self.read(f"{id if id in found else found[0]}.json.gz"))

    def sweeps(self) -> Iterator[tuple[Sweep, tuple[Run, ...]]]:
        """Yield every sweep with its runs."""
        for name in sorted(entry.name for entry in self.folder.iterdir()):
            if name.startswith("sweep-"):
                content = self.read(name)
                sweep = content["sweep"]
                sweep["ladder"] = {
                    f: tuple(SizeCost(**r) for r in rungs) for f, rungs in sweep["ladder"].items()
                }
                yield (
                    Sweep(**{**sweep, "runs": tuple(sweep["runs"])}),
                    tuple(Run(**run) for run in content["runs"]),
                )

    def read(self, name: str) -> dict[str, Any]:
        """Return what a file of the folder holds."""
        import gzip  # most answers need none of these laws

        content: dict[str, Any] = json.loads(gzip.decompress((self.folder / name).read_bytes()))
        if content.pop("format") != FORMAT:
            raise PlannerError(f"laws/catalog/calibrated/{name} is of another version of this program")
        return content


def bundled_laws() -> BundledLaws:
    """Return the laws of this installation."""
    return BundledLaws(Path(__file__).parent / "calibrated")


def locate_law(store: Store, id: str) -> Store | BundledLaws:
    """Return where the law lies whose id begins so: the store, the fits beside its laws, or what ships."""
    places: tuple[Store | BundledLaws, ...] = (store, store.fits, bundled_laws())
    return next((p for p in places if id and any(row.id.startswith(id) for row in p.laws())), store)


@functools.cache
def _rows(folder: Path) -> tuple[LawRow, ...]:
    listed = json.loads((folder / LIST).read_text(encoding="utf-8"))
    if listed["format"] != FORMAT:
        raise PlannerError(f"laws/catalog/calibrated/{LIST} is of another version of this program")
    return tuple(
        LawRow(**{**row, "x_range": tuple(row["x_range"]), "warnings": tuple(row["warnings"])})
        for row in listed["laws"]
    )


def unpacked(content: dict[str, Any]) -> Law:
    """Return the law of a file's content: its paths are second differences of whole numbers of STEP."""
    law = dict(content["law"])
    law["paths"] = tuple(
        tuple(STEP * value for value in accumulate(accumulate(differences))) for differences in law["paths"]
    )
    law["ladder"] = tuple(SizeCost(**rung) for rung in law["ladder"])
    for name in ("parameters", "points", "phases"):
        law[name] = {key: tuple(column) for key, column in law[name].items()}
    for name in ("grid", "x_range", "runs", "warnings"):
        law[name] = tuple(law[name])
    return Law(**law)
