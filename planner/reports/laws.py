"""Laws as they are shown, handed out and taken in: those of the store beside those of the literature."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from laws.catalog import published
from laws.catalog.bundled import bundled_laws, locate_law
from laws.catalog.published import PublishedLaw
from laws.errors import FileError, PlannerError, run
from laws.storage import records
from laws.storage.atomic_write import write_atomically
from laws.storage.files import read_regular
from laws.storage.store import LawRow, Store
from laws.types import Law, Source
from planner import units, warnings
from planner.reports.assumption_text import ORIGINS, forms_text
from planner.reports.law_summary import phases, predictions, spread
from planner.reports.quantities import counted, none_of
from planner.reports.report import Report


def laws_records(
    store: Store, *, domain: str | None, metric: str | None, source: Source | None, beside: bool = False
) -> list[dict[str, Any]]:
    """Return one record a law: stored ones, newest first; published ones as `find` has them; shipped ones.

    `beside` adds, after the stored ones, those that are asked by id alone (`Store.fits`).
    """
    wanted = {"domain": domain, "metric": metric, "source": source}
    rows = store.laws(**wanted) + (store.fits.laws(**wanted) if beside else [])  # type: ignore[arg-type]
    stored = [_stored_record(row) for row in rows]
    literature = published.published_laws(domain, metric) if source in (None, "published") else ()
    known = {record["id"] for record in stored}  # somebody may have imported one
    to_try = [_stored_record(row) for row in bundled_laws().laws(**wanted) if row.id not in known]
    return stored + [_published_record(law) for law in literature] + to_try


def laws_report(
    listed: Sequence[Mapping[str, Any]], store: Store, *, domain: str | None, metric: str | None
) -> Report:
    """Return the table of laws; where the names that were asked for left none, what comes nearest to them."""
    by_subject: dict[str, list[tuple[str, ...]]] = {}
    for record in listed:
        by_subject.setdefault(_subject(record), []).append((record["id"], _law_of(record)))
    groups: dict[str, int] = {}
    rows: list[tuple[str, ...]] = []
    for subject, of in by_subject.items():
        groups[subject] = len(rows)
        rows += of
    alone = f", {next(iter(groups))}" if len(groups) == 1 else ""
    return Report(
        title=f"{counted(len(rows), 'law')}{alone}",
        columns=("id", "law of"),
        rows=tuple(rows),
        groups={} if alone else groups,  # beside the ids they fit no narrow screen
        notes=_listed(listed) or _nearest(store, domain, metric),
        words=frozenset({0, 1}),
        whole=frozenset({0}),
    )


def _law_of(record: Mapping[str, Any]) -> str:
    """Say what a law tells from what; of a stored one also its form, since one fit leaves several."""
    taken = ", ".join(unit if name == "data" else name for name, unit in record["inputs"].items())
    kind = "" if record["form"] else " (ratios only)"
    if record["source"] != "published":
        kind = f": {record['form']}"
    return f"{record['metric']} from {taken}{kind}"


def _subject(record: Mapping[str, Any]) -> str:
    """Name origin, domain and family; the family of a published law is an architecture in words, left out."""
    family = [record["family"]] if record["source"] != "published" and record["family"] else []
    return ", ".join([record["source"], record["domain"], *family])


def _listed(listed: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Say what there is to read on, and what the shipped laws in a list are."""
    if not listed:
        return ()
    ships = any(record["source"] == "shipped" for record in listed)
    return (
        "`planner laws show ID` has constants, units, range and source.",
        *((f"shipped: {ORIGINS['shipped']}; to try the tool with.",) if ships else ()),
    )


def _nearest(store: Store, domain: str | None, metric: str | None) -> tuple[str, ...]:
    """Say why a list is empty."""
    everything = laws_records(store, domain=None, metric=None, source=None)
    known = {kind: {record[kind] for record in everything} for kind in ("domain", "metric")}
    unknown = none_of({"domain": domain, "metric": metric}, known)
    return unknown or ("`planner calibrate` and `planner fit` make laws.",)


def law_record(store: Store, id: str) -> dict[str, Any]:
    """Return one law for scripts: a published one whole, a stored one with its draws summed up."""
    law = _law(store, id)
    if isinstance(law, PublishedLaw):
        content = asdict(law) | {"equation": law.equation, "source": "published"}
        return {key: content[key] for key in sorted(content)}
    plain = ("id", "created", "source", "domain", "family", "metric", "metric_unit", "x", "x_unit", "form")
    return {name: getattr(law, name) for name in plain} | {
        "measured": list(law.x_range),
        "points": law.n_points,
        "fitted": {name: list(column) for name, column in law.points.items()},
        "phases": {name: list(column) for name, column in law.phases.items()},
        "forms": dict(law.forms),
        "draws": len(next(iter(law.parameters.values()), ())),
        "parameters": {name: spread(draws) for name, draws in law.parameters.items()},
        "predictions": predictions(law),
        "ladder": [asdict(rung) for rung in law.ladder],
        "diagnostics": law.diagnostics,
        "definitions": law.definitions,
        "provenance": law.provenance,
        "runs": list(law.runs),
        "warnings": list(law.warnings),
    }


def law_report(record: Mapping[str, Any]) -> Report:
    """Return one law for people."""
    return _published_report(record) if record["source"] == "published" else _stored_report(record)


def export_law(store: Store, id: str, kind: str, out: Path | None) -> str | None:
    """Write a law to a file, or return it as text where no file is named.

    `kind` is "json" (what `planner laws import` takes), "csv" (its draws), "nc" or "parquet"
    (`laws/export.py`).
    """
    law = _law(store, id)
    if kind != "json" and isinstance(law, PublishedLaw):
        raise PlannerError(f"law {law.id} is published constants without draws: export it as JSON")
    if kind in ("nc", "parquet") and out is None:
        raise PlannerError(f"{kind} is written to a file: name one with --out, such as --out law.{kind}")
    try:
        if out is not None and isinstance(law, Law) and kind in ("nc", "parquet"):
            from laws import export

            (export.netcdf if kind == "nc" else export.parquet)(law, out)
            return None
        text = _as_text(law, kind)
        if out is not None:
            write_atomically(out, lambda path: path.write_text(text, encoding="utf-8"))
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else error.strerror  # HDF5 says more than a line
        raise PlannerError(f"{out}: {why}: give another file with --out") from error
    return text if out is None else None


def _as_text(law: Law | PublishedLaw, kind: str) -> str:
    if isinstance(law, PublishedLaw):
        return json.dumps(asdict(law), indent=2, ensure_ascii=False) + "\n"
    if kind == "json":
        return records.encode(law).decode()
    rows = zip(*law.parameters.values(), strict=True)
    return "\n".join([",".join(law.parameters), *(",".join(map(repr, row)) for row in rows)]) + "\n"


_EXPORT = run("laws", "export", value="ID", purpose="to write a measured law as JSON that can be imported")


def import_files(store: Store, given: Sequence[Path]) -> list[Law]:
    """Check laws that someone exported and store them; the same law again changes nothing.

    A folder stands for the `.json` files in it, a store for its laws. Raises PlannerError where a file is no
    law, was changed after its export, or contradicts itself; then none is stored.
    """
    files = []
    for path in given:
        laws_of = path / "laws" if (path / "laws").is_dir() else path
        inside = sorted(laws_of.glob("*.json")) if path.is_dir() else [path]
        if not inside:
            raise PlannerError(f"{path} is a folder without .json files: give one that has exported laws")
        files += inside
    laws = [_checked(path) for path in files]
    for law, sequence in laws:
        store.import_law(law, sequence=sequence)
    store.publish()
    return [law for law, _ in laws]


def _checked(path: Path) -> tuple[Law, int]:
    """Return the law of a file and its place in the order of laws."""
    try:
        content = read_regular(path)
        return records.validate(content, Law), records.sequence_of(content, Law)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}", code="unreadable-file", hint=_EXPORT) from error
    except FileError as error:
        raise FileError(f"{path}: {error.message}", code=error.code, hint=_EXPORT) from error


def _law(store: Store, id: str) -> Law | PublishedLaw:
    """Return the published law of exactly this id, else the stored one that begins with it."""
    literature = {law.id: law for law in published.all_laws()}
    if id in literature:
        return literature[id]
    try:
        return locate_law(store, id).law(id)
    except PlannerError:
        near = [name for name in literature if id and name.startswith(id)]
        if len(near) == 1:
            return literature[near[0]]
        if near:
            raise PlannerError(
                f"{len(near)} published laws begin with {id!r}: {', '.join(near[:6])}"
            ) from None
        raise


def _stored_record(row: LawRow) -> dict[str, Any]:
    names = row.x.split(",")
    return {
        "id": row.id,
        "source": row.source,
        "domain": row.domain,
        "family": row.family,
        "metric": row.metric,
        "unit": row.metric_unit,
        "inputs": {name: row.x_unit if name == "data" else "parameters" for name in names},
        "form": row.form,
        "measured": list(row.x_range),
        "points": row.n_points,
        "created": row.created,
        "confidence": None,
        "warnings": list(row.warnings),
    }


def _published_record(law: PublishedLaw) -> dict[str, Any]:
    return {
        "id": law.id,
        "source": "published",
        "domain": law.domain,
        "family": law.family,
        "metric": law.metric,
        "unit": law.unit,
        "inputs": {i.name: i.unit for i in law.inputs},
        "form": law.formula,
        "measured": list(law.measured),
        "points": None,
        "created": None,
        "confidence": law.confidence,
        "warnings": [],
    }


def _stored_report(record: Mapping[str, Any]) -> Report:
    low, high = record["measured"]
    rows = [
        (name, *(f"{value[q]:.4g}" for q in ("q05", "median", "q95")))
        for name, value in record["parameters"].items()
    ]
    rows += [
        (
            f"{record['metric']} at {units.format_data(p['x'], record['x_unit'])}",
            *(units.format_metric(p[q], record["metric_unit"]) for q in ("q05", "median", "q95")),
        )
        for p in record["predictions"]
    ]
    measured = f"{units.format_number(low)} to {units.format_data(high, record['x_unit'])}"
    of = f"{record['metric']} ({record['metric_unit']})" if record["metric_unit"] else record["metric"]
    read_from = record["x"].replace(",", " and ")
    facts = [
        f"{ORIGINS.get(record['source'], record['source'])}, domain {record['domain']}"
        + (f", family {record['family']}" if record["family"] else ""),
        f"{of} from {read_from}: form {record['form']}, "
        f"{record['points']} points from {measured}, {record['draws']} draws",
        *([f"forms: {forms_text(record['forms'])}"] if record["forms"] else []),
        *([f"phases by size ({record['x_unit']}): {found}"] if (found := phases(record["phases"])) else []),
        f"fitted {record['created']}",
        *(f"{name}: {text}" for name, text in record["definitions"].items()),
        *([f"ladder: exact cost of {len(record['ladder'])} sizes"] if record["ladder"] else []),
        "diagnostics: " + ", ".join(f"{name} {value:.4g}" for name, value in record["diagnostics"].items()),
        "provenance: " + ", ".join(f"{name} {value}" for name, value in record["provenance"].items()),
    ]
    return Report(
        title=f"Law {record['id']}",
        columns=("", "5%", "median", "95%"),
        rows=tuple(rows),
        notes=tuple(note for note in facts if not note.endswith(": ")),
        sections={"Warnings": warnings.with_codes(record["warnings"])},
    )


def _published_report(record: Mapping[str, Any]) -> Report:
    errors = record["errors"]
    rows = [
        (name, f"{value:.8g}", f"± {errors[name]:g}" if name in errors else "-")
        for name, value in record["parameters"].items()
    ]
    taken = ", ".join(
        f"{i['name']} in {i['unit']}"
        + (f" (the paper counts {i['per']:g} of them as one)" if i["per"] != 1 else "")
        for i in record["inputs"]
    )
    facts = [
        f"domain {record['domain']}, {record['family']}",
        f"{record['metric']}{' in ' + record['unit'] if record['unit'] else ''} = {record['equation']}"
        if record["formula"]
        else f"{record['metric']} {record['equation']}: exponents only, ask how much more and not how much",
        f"takes {taken}",
        *(
            [f"the printed constants count {record['scale']:,.0f} {record['unit']} as one"]
            if record["scale"] != 1
            else []
        ),
        f"measured: {record['range']}",
        f"source: {record['citation']}"
        + (f" ({record['year']})" if str(record["year"]) not in record["citation"] else "")
        + (f", arXiv:{record['arxiv']}" if record["arxiv"] else "")
        + f", {record['locator']}; confidence {record['confidence']}",
        *record["notes"],
        *(f"{metric}: {id}" for metric, id in record["companions"].items()),
    ]
    return Report(
        title=f"Law {record['id']}",
        columns=("constant", "value", "standard error"),
        rows=tuple(rows),
        notes=tuple(facts),
    )
