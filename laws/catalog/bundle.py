"""Bundle laws of a store with the tool: `python -m laws.catalog.bundle STORE SWEEP...`; without SWEEP,
list them.

Of each law of those sweeps, `laws/catalog/calibrated` gets MAX_SAMPLES of its posterior samples and paths,
evenly
spaced: parameters to DIGITS digits, paths on a part of the grid in steps of a thousandth of log y. That takes
2% of the bytes and moves the ends of a 90% interval by a few percent of its width
(docs/reference/bundled.md). The runs of the sweeps are bundled too. Laws of the same domain and family that
were bundled before are replaced.
"""

import argparse
import dataclasses
import gzip
import json
import sys
from bisect import bisect
from collections.abc import Sequence
from itertools import pairwise
from math import log
from pathlib import Path
from typing import Any

from laws.catalog.bundled import FORMAT, LIST, STEP, BundledLaws, unpacked
from laws.errors import PlannerError, StoreError
from laws.storage.records import content_id
from laws.storage.store import Store
from laws.types import Law, LawRow, Run, Sweep

MAX_SAMPLES = 400
DIGITS = 5
NEAR_STEP, FAR_STEP = (
    2,
    4,
)  # of the grid: every second point up to two decades beyond the data, then every fourth
FOLDER = Path(__file__).parent / "calibrated"


def bundle_laws(store: Store, sweeps: Sequence[str], folder: Path = FOLDER) -> list[Law]:
    """Write the laws and runs of some sweeps into a folder.

    Args:
        store: The store.
        sweeps: Ids of sweeps, or their first characters.
        folder: The folder of bundled laws.

    Returns:
        The laws as they are bundled.

    Raises:
        StoreError: A sweep is not in the store, or has no calibrated law.
    """
    bundled: list[Law] = []
    for id in sweeps:
        matches = [sweep for sweep in store.sweeps() if sweep.id.startswith(id)]
        if len(matches) != 1:
            raise StoreError(
                f"sweep {id!r} of {store.folder}: expected 1 match, got {len(matches)}",
                code="ambiguous-id" if matches else "record-not-found",
                value=id,
            )
        (sweep,) = matches
        runs = store.runs(sweep=sweep.id)
        laws = _newest(store, sweep)
        if not laws:
            raise StoreError(
                f"sweep {sweep.id} ({sweep.domain}) has no laws: its calibration did not end",
                code="sweep-without-laws",
                value=sweep.id,
            )
        lean = [packed_law(law, runs) for law in laws]
        families = {law.family for law in laws}
        _forget(folder, sweep.domain, families)
        kept = [dataclasses.asdict(run) for run in runs if run.family in families]
        content = {"sweep": dataclasses.asdict(sweep), "runs": kept}
        _write(folder / f"sweep-{sweep.id}.json.gz", content)
        for law in lean:
            _write(folder / f"{law.id}.json.gz", {"law": _plain(law)})
        bundled += lean
    _write_list(folder)
    return bundled


def packed_law(law: Law, runs: Sequence[Run]) -> Law:
    """Return a law as it is bundled: fewer samples, rounded.

    Args:
        law: The law.
        runs: The runs of its sweep.

    Returns:
        The smaller law; its id is the hash of its new content.
    """
    paths = [law.paths[i] for i in _evenly(len(law.paths))]
    near = bisect(law.grid, log(law.x_range[1] * 100))
    indices = [*range(0, near, NEAR_STEP), *range(near, len(law.grid), FAR_STEP)]
    indices = sorted({*indices, len(law.grid) - 1}) if law.grid else []
    family = [run for run in runs if run.family == law.family]
    seconds = sum(run.seconds or 0.0 for run in family)
    lean = dataclasses.replace(
        law,
        id="",
        source="shipped",
        parameters={
            name: tuple(float(f"{draws[i]:.{DIGITS}g}") for i in _evenly(len(draws)))
            for name, draws in law.parameters.items()
        },
        grid=tuple(law.grid[i] for i in indices),
        paths=tuple(tuple(path[i] for i in indices) for path in paths),
        provenance={
            **law.provenance,
            "law": f"{law.id}, of which every n-th draw is kept ({MAX_SAMPLES} at most)",
            "trained": f"{len(family)} runs of the family, {seconds:.0f} s of one worker in all",
        },
    )
    lean = unpacked({"law": json.loads(json.dumps(_plain(lean)))})
    return dataclasses.replace(lean, id=content_id(lean))


def _evenly(count: int) -> list[int]:
    """Return which of `count` samples are kept."""
    kept = min(count, MAX_SAMPLES)
    return [round(i * (count - 1) / max(kept - 1, 1)) for i in range(kept)]


def _plain(law: Law) -> dict[str, Any]:
    """Return a law as plain JSON; paths as second differences of multiples of STEP."""
    content = dataclasses.asdict(law)
    rows = []
    for path in law.paths:
        row = [round(value / STEP) for value in path]
        for _ in range(2):
            row = row[:1] + [b - a for a, b in pairwise(row)]
        rows.append(row)
    return content | {"paths": rows}


def _newest(store: Store, sweep: Sweep) -> list[Law]:
    """Return the newest law of each kind that was fitted to the runs of a sweep."""
    newest: dict[tuple[str, ...], Law] = {}
    for row in store.laws(domain=sweep.domain, source="calibrated"):
        law = store.law(row.id)
        kind = (law.family, law.metric, law.x, law.form, law.provenance.get("fit", ""))
        if law.provenance.get("sweep") == sweep.id:
            newest.setdefault(kind, law)
    return list(newest.values())


def _forget(folder: Path, domain: str, families: set[str]) -> None:
    """Delete bundled laws of some families, and sweeps without other laws."""
    if not (folder / LIST).exists():
        return
    collection = BundledLaws(folder)
    laws = [law for path in sorted(folder.glob("*.json.gz")) if (law := _law(collection, path))]
    old = [law for law in laws if law.domain == domain and law.family in families]
    kept = {law.provenance.get("sweep") for law in laws if law not in old}
    for law in old:
        (folder / f"{law.id}.json.gz").unlink()
        if law.provenance.get("sweep") not in kept:
            (folder / f"sweep-{law.provenance.get('sweep')}.json.gz").unlink(missing_ok=True)


def _law(collection: BundledLaws, path: Path) -> Law | None:
    return None if path.name.startswith("sweep-") else unpacked(collection.read(path.name))


def _write_list(folder: Path) -> None:
    """Write the list of every law in the folder: by domain, family and metric, forecasts before forms."""
    collection = BundledLaws(folder)
    laws = [law for path in sorted(folder.glob("*.json.gz")) if (law := _law(collection, path))]
    laws.sort(key=lambda law: (law.domain, law.family, law.metric, law.form != "forecast", law.id))
    names = [name for name in LawRow._fields if name != "sequence"]
    rows = [{name: getattr(law, name) for name in names} for law in laws]
    text = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    (folder / LIST).write_text(f'{{"format": "{FORMAT}", "laws": [\n{text}\n]}}\n', encoding="utf-8")


def _write(path: Path, content: dict[str, Any]) -> None:
    text = json.dumps({"format": FORMAT, **content}, ensure_ascii=False, separators=(",", ":"))
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))  # the same laws, the same bytes


def main(arguments: Sequence[str] | None = None) -> int:
    """Bundle the sweeps that the command line names.

    Args:
        arguments: The arguments; None for those of the process.

    Returns:
        The exit status.
    """
    parser = argparse.ArgumentParser(
        prog="python -m laws.catalog.bundle",
        description="Bundle the newest laws of some sweeps with the tool.",
    )
    parser.add_argument("store", type=Path, help="folder of a store that `planner calibrate` wrote")
    parser.add_argument("sweeps", nargs="*", help="ids of sweeps, or their first characters")
    options = parser.parse_args(arguments)
    store = Store(options.store)
    try:
        if not options.sweeps:
            for sweep in store.sweeps():
                sys.stdout.write(
                    f"{sweep.id}  {sweep.domain} {sweep.preset}, seed {sweep.seed}, {len(sweep.runs)} runs, "
                    f"families {' '.join(sweep.ladder)}, {len(_newest(store, sweep))} laws\n"
                )
            return 0
        for law in bundle_laws(store, options.sweeps):
            sys.stdout.write(f"{law.id}  {law.domain} {law.family} {law.metric} {law.form}\n")
    except PlannerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    total = sum(path.stat().st_size for path in FOLDER.iterdir())
    sys.stdout.write(f"{FOLDER}: {total / 1e6:.2f} MB in all\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
