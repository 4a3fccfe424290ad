"""Reports of laws, and their export and import: stored, published and example ones."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from laws.catalog import published
from laws.catalog.bundled import bundled_laws, locate_law
from laws.catalog.published import PublishedLaw
from laws.errors import FileError, InputError, LawNotFound, PlannerError, run, use
from laws.storage import records
from laws.storage.atomic_write import write_atomically
from laws.storage.files import read_regular
from laws.storage.store import LawRow, Store
from laws.types import Law, Source
from planner import units, warnings
from planner.lawmodel.info import law_info, same_metric
from planner.metrics import MetricScale
from planner.reports.assumption_text import ORIGINS, forms_text
from planner.reports.law_summary import phases, predictions, spread
from planner.reports.published_value import example, plan_command
from planner.reports.quantities import counted, none_of
from planner.reports.report import Report

MANY_LAWS = 40  # of a list that fills more than one screen


def laws_records(
    store: Store,
    *,
    domain: str | None,
    metric: str | None,
    source: Source | None,
    all_fits: bool = False,
    deleted: bool = False,
) -> list[dict[str, Any]]:
    """Return laws as records: stored (newest first), published, shipped.

    Args:
        store: The store.
        domain: Only laws of this domain; None for all.
        metric: Only laws of this metric; None for all.
        source: Only laws of this origin; None for all.
        all_fits: Whether to add, after the stored laws, those that only their id selects (`Store.fits`).
        deleted: Whether to list the deleted laws only.

    Returns:
        One record per law.
    """
    filters = {"domain": domain, "source": source}
    if deleted:
        return [
            _stored_record(row)
            for row in store.deleted_laws()
            if same_metric(metric, row.metric)
            and all(value in (None, getattr(row, name)) for name, value in filters.items())
        ]
    rows = store.laws(**filters) + (store.fits.laws(**filters) if all_fits else [])  # type: ignore[arg-type]
    stored = [_stored_record(row) for row in rows if same_metric(metric, row.metric)]
    literature = published.published_laws(domain, metric) if source in (None, "published") else ()
    ids = {record["id"] for record in stored}  # an imported law may be a shipped one
    to_try = [
        _stored_record(row)
        for row in bundled_laws().laws(**filters)
        if row.id not in ids and same_metric(metric, row.metric)
    ]
    return stored + [_published_record(law) for law in literature] + to_try


def laws_report(
    listed: Sequence[Mapping[str, Any]], store: Store, *, domain: str | None, metric: str | None
) -> Report:
    """Return the table of laws; where the filters left none, the nearest names that exist.

    Args:
        listed: The records of `laws_records`.
        store: The store.
        domain: The filter by domain.
        metric: The filter by metric.

    Returns:
        The report.
    """
    by_subject: dict[str, list[tuple[str, ...]]] = {}
    for record in listed:
        by_subject.setdefault(_subject(record), []).append((record["id"], _law_of(record)))
    groups: dict[str, int] = {}
    rows: list[tuple[str, ...]] = []
    for subject, of_subject in by_subject.items():
        groups[subject] = len(rows)
        rows += of_subject
    only = f", {next(iter(groups))}" if len(groups) == 1 else ""
    return Report(
        title=f"{counted(len(rows), 'law')}{only}",
        columns=("id", "law of"),
        rows=tuple(rows),
        groups={} if only else groups,  # as a column next to the ids they would be too wide
        notes=_listed(listed) or _nearest(store, domain, metric),
        words=frozenset({0, 1}),
        whole=frozenset({0}),
    )


def _law_of(record: Mapping[str, Any]) -> str:
    """Return what a law predicts from what; for a stored law also its form, since one fit makes several."""
    taken = ", ".join(unit if name == "data" else name for name, unit in record["inputs"].items())
    kind = "" if record["form"] else " (ratios only)"
    if record["source"] != "published":
        kind = f": {record['form']}"
    return f"{record['metric']} from {taken}{kind}"


def _subject(record: Mapping[str, Any]) -> str:
    """Return origin, domain and family; that of a published law is a description, and left out."""
    family = [record["family"]] if record["source"] != "published" and record["family"] else []
    return ", ".join([record["source"], record["domain"], *family])


def _listed(listed: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return where to read on, and what shipped laws are."""
    if not listed:
        return ()
    ships = any(record["source"] == "shipped" for record in listed)
    many = len(listed) > MANY_LAWS
    return (
        *(
            ("Narrow the list with --domain, --metric or --source, for example `--source fitted`.",)
            if many
            else ()
        ),
        "`planner laws show ID` shows parameters, units, range and source.",
        *((f"shipped: {ORIGINS['shipped']}; to try the tool with.",) if ships else ()),
    )


def _nearest(store: Store, domain: str | None, metric: str | None) -> tuple[str, ...]:
    """Return why a list is empty."""
    everything = laws_records(store, domain=None, metric=None, source=None)
    names = {kind: {record[kind] for record in everything} for kind in ("domain", "metric")}
    unknown = none_of({"domain": domain, "metric": metric}, names)
    return unknown or ("Make laws with `planner calibrate` or `planner fit`.",)


def law_record(store: Store, id: str) -> dict[str, Any]:
    """Return one law for scripts.

    Args:
        store: The store.
        id: Id of the law, or its first characters.

    Returns:
        A published law in full; a stored one with its posterior summarized.

    Raises:
        StoreError: No law or several begin with `id`.
        LawNotFound: Several shipped or published laws begin with `id`.
        FileError: The file of the law is damaged.
    """
    law = _law(store, id)
    if isinstance(law, PublishedLaw):
        content = asdict(law) | {"equation": law.equation, "source": "published", "command": example(law)}
        content["covariance"] = law.covariance and law.covariance._asdict()
        content["plan_command"] = plan_command(law)
        return {key: content[key] for key in sorted(content)}
    terms = law_info(law).scale
    plain = (
        "id",
        "created",
        "source",
        "domain",
        "family",
        "metric",
        "metric_unit",
        "metric_ceiling",
        "x",
        "x_unit",
        "form",
    )
    return {name: getattr(law, name) for name in plain} | {
        "measured": list(law.x_range),
        "points": law.n_points,
        "fitted": {
            name: [terms.from_error(y) for y in column] if name == "y" else list(column)
            for name, column in law.points.items()
        },
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
    """Return one law for people.

    Args:
        record: The record of `law_record`.

    Returns:
        Parameters and predictions; the origin of the law is below the table.
    """
    return _published_report(record) if record["source"] == "published" else _stored_report(record)


def export_law(store: Store, id: str, kind: str, out: Path | None) -> str | None:
    """Write a law to a file, or return it as text where no file is named.

    Args:
        store: The store.
        id: Id of the law, or its first characters.
        kind: "json" (which `import_files` reads), "csv" (posterior samples), "nc" or "parquet"
            (`laws/export.py`).
        out: The file; None returns the text.

    Returns:
        The text; None where a file was written.

    Raises:
        InputError: The law has no posterior samples, or the format needs a file.
        FileError: The file cannot be written.
    """
    law = _law(store, id)
    if kind != "json" and isinstance(law, PublishedLaw):
        raise InputError(
            f"law {law.id} is published without posterior samples: expected the format json",
            code="no-samples",
            value=kind,
            hint=use("format", value="json"),
        )
    if kind in ("nc", "parquet") and out is None:
        raise InputError(
            f"format {kind}: expected a file to write",
            code="missing-output",
            value=kind,
            hint=use("out", value=f"law.{kind}"),
        )
    try:
        if out is not None and isinstance(law, Law) and kind in ("nc", "parquet"):
            from laws import export

            (export.netcdf if kind == "nc" else export.parquet)(law, out)
            return None
        text = _as_text(law, kind)
        if out is not None:
            write_atomically(out, lambda path: path.write_text(text, encoding="utf-8"))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error.strerror  # HDF5 writes several lines
        raise FileError(
            f"{out} cannot be written: {reason}",
            code="unwritable-output",
            value=str(out),
            hint=use("out", purpose="to name another file"),
        ) from error
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
    """Check exported laws and add them to a store; to import a law again changes nothing.

    Args:
        store: The store.
        given: Files, folders of `.json` files, or other stores.

    Returns:
        The laws.

    Raises:
        FileError: A file is not a law, was changed after its export, or contradicts itself. Then no law is
            stored.
    """
    files = []
    for path in given:
        laws_of = path / "laws" if (path / "laws").is_dir() else path
        inside = sorted(laws_of.glob("*.json")) if path.is_dir() else [path]
        if not inside:
            raise FileError(
                f"{path}: expected a folder with exported laws, got one without .json files",
                code="no-exported-law",
                value=str(path),
            )
        files += inside
    laws = [_checked(path) for path in files]
    for law, sequence in laws:
        store.import_law(law, sequence=sequence)
    store.publish()
    return [law for law, _ in laws]


def _checked(path: Path) -> tuple[Law, int]:
    """Return the law of a file and its position in the order of laws."""
    try:
        content = read_regular(path)
        return records.validate(content, Law), records.sequence_of(content, Law)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}", code="unreadable-file", hint=_EXPORT) from error
    except FileError as error:
        raise FileError(f"{path}: {error.message}", code=error.code, hint=_EXPORT) from error


def _law(store: Store, id: str) -> Law | PublishedLaw:
    """Return the published law with this id, else the stored law whose id starts with it."""
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
            raise LawNotFound(
                f"id {id!r} matches {len(near)} published laws: {', '.join(near[:6])}",
                code="ambiguous-id",
                value=id,
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
    terms = MetricScale(record["metric"], record["metric_unit"], record["metric_ceiling"])
    rows = [
        (name, *(f"{value[q]:.4g}" for q in ("q05", "median", "q95")))
        for name, value in record["parameters"].items()
    ]
    rows += [
        (
            f"{record['metric']} at {units.format_data(p['x'], record['x_unit'])}",
            *(terms.format(p[q]) for q in ("q05", "median", "q95")),
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
        f"{record['points']} points from {measured}, {record['draws']} posterior samples",
        *([f"forms: {forms_text(record['forms'])}"] if record["forms"] else []),
        *([f"phases by size ({record['x_unit']}): {text}"] if (text := phases(record["phases"])) else []),
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
        + (f" (the paper's unit is {i['per']:g} of them)" if i["per"] != 1 else "")
        for i in record["inputs"]
    )
    facts = [
        f"domain {record['domain']}, {record['family']}",
        f"{record['metric']}{' in ' + record['unit'] if record['unit'] else ''} = {record['equation']}"
        if record["formula"]
        else f"{record['metric']} {record['equation']}: exponents only: it predicts ratios, not amounts",
        f"takes {taken}",
        *(
            [f"the unit of the published parameters is {record['scale']:,.0f} {record['unit']}"]
            if record["scale"] != 1
            else []
        ),
        f"measured: {record['range']}",
        f"source: {record['citation']}"
        + (f" ({record['year']})" if str(record["year"]) not in record["citation"] else "")
        + (f", arXiv:{record['arxiv']}" if record["arxiv"] else "")
        + f", {record['locator']}; confidence {record['confidence']}",
        *record["notes"],
        *map(_check_point, record["checks"]),
        *([f"no check point: {record['unchecked']}"] if record["unchecked"] else []),
        *(f"{metric}: {id}" for metric, id in record["companions"].items()),
        f"ask it: {record['command']}",
        *([f"plan with it: {record['plan_command']}"] if record["plan_command"] else []),
    ]
    return Report(
        title=f"Law {record['id']}",
        columns=("parameter", "value", "standard error"),
        rows=tuple(rows),
        notes=tuple(facts),
    )


def _check_point(check: Mapping[str, Any]) -> str:
    inputs = ", ".join(f"{name} {units.format_number(value)}" for name, value in check["inputs"].items())
    source = f" ({check['source']})" if check["source"] else ""
    within = f"{100 * check['tolerance']:.2g}%"
    return f"checked at {inputs}: the law is within {within} of {check['expected']:.4g}{source}"
