"""Where a review comes from: everything that must be the same to make its page again, byte for byte."""

import hashlib
import json
import platform
from pathlib import Path
from typing import Any

from calibrate.versions import library_version
from laws.catalog.published import PublishedLaw, published_law
from laws.types import Law
from planner.lawmodel.select import SelectedLaw
from planner.plans.review import Review
from planner.reports.assumption_text import forms_text

MAX_PRINTED_RUNS = 12  # JSON has all
_LIBRARIES = ("matplotlib", "jinja2")  # they decide the bytes of the page


def provenance(review: Review) -> dict[str, Any]:
    """Return what decides the bytes of a review.

    Args:
        review: The plans of all products, with the laws that answered.

    Returns:
        Day, seed, names and hashes of the files, versions, and a hash of the sources of this program.
    """
    portfolio = review.portfolio
    fleet = portfolio.fleet
    return {
        "day": review.today.isoformat(),
        "seed": portfolio.seed,
        "plan": {"file": portfolio.file, "sha256": portfolio.fingerprint},
        "fleet": None
        if fleet is None
        else {"file": fleet.name, "sha256": hashlib.sha256(fleet.read_bytes()).hexdigest()},
        "versions": {
            "planner": f"{library_version('scaling-planner')}, sources {_source_hash()}",
            "python": platform.python_version(),
            **{name: library_version(name) for name in _LIBRARIES},
        },
    }


def law_records(selected: SelectedLaw) -> list[dict[str, Any]]:
    """Return the laws behind an answer.

    Args:
        selected: The law that answered, with its companions for model size and samples.

    Returns:
        One record per law: its role, what it describes, who made it from which data, and its posterior.
    """
    law = selected.law
    if isinstance(law, Law):
        stored = {"params": selected.size, "samples": selected.samples}
        return [_stored("error", law), *(_stored(role, one) for role, one in stored.items() if one)]
    published = {
        role: published_law(law.companions[role]) for role in ("params", "flops") if role in law.companions
    }
    return [_published("error", law), *(_published(role, one) for role, one in published.items())]


def _stored(role: str, law: Law) -> dict[str, Any]:
    return {
        "role": role,
        "id": law.id,
        "source": law.source,
        "metric": law.metric,
        "form": law.form,
        "forms": dict(law.forms),
        "created": law.created,
        "points": law.n_points,
        "range": [*law.x_range, law.x_unit],
        "draws": max(map(len, law.parameters.values()), default=0),
        "diagnostics": dict(law.diagnostics),
        "provenance": dict(law.provenance),
        "definitions": dict(law.definitions),
        "runs": list(law.runs),
    }


def _published(role: str, law: PublishedLaw) -> dict[str, Any]:
    constants = {"formula": law.formula, "parameters": dict(law.parameters), "scale": law.scale}
    return {
        "role": role,
        "id": law.id,
        "source": "published",
        "metric": law.metric,
        "form": law.formula,
        "equation": law.equation,
        "constants": constants["parameters"],
        "citation": f"{law.citation}, {law.locator}",
        "arxiv": law.arxiv,
        "range": law.range,
        "confidence": law.confidence,
        "fingerprint": hashlib.sha256(json.dumps(constants, sort_keys=True).encode()).hexdigest()[:16],
    }


def _source_hash() -> str:
    """Return a hash of all source files of laws and planner, tables and templates included."""
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for path in sorted(path for package in ("laws", "planner") for path in (root / package).rglob("*.*")):
        if path.suffix in (".py", ".json", ".js", ".css", ".html"):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def provenance_sentences(record: dict[str, Any]) -> list[str]:
    """Return the provenance of a review as text.

    Args:
        record: What `provenance` returns.

    Returns:
        One line each for day and seed, for each file, and for the versions.
    """
    files = [f"plan file {record['plan']['file']}, sha256 {record['plan']['sha256']}"]
    if record["fleet"]:
        files.append(f"fleet file {record['fleet']['file']}, sha256 {record['fleet']['sha256']}")
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    return [f"day {record['day']}, seed {record['seed']}", *files, versions]


def law_sentence(law: dict[str, Any]) -> str:
    """Return where one law comes from, in one line.

    Args:
        law: One of what `law_records` returns.

    Returns:
        Its id and role, its form, its data and its posterior; for a published law its equation and citation.
    """
    role = "" if law["role"] == "error" else f" ({law['role']})"
    if law["source"] == "published":
        return (
            f"{law['id']}{role}: {law['equation']} with "
            + ", ".join(f"{name} {value:g}" for name, value in law["constants"].items())
            + f"; fingerprint {law['fingerprint']}; {law['citation']} ({law['confidence']})"
        )
    parts = [
        f"{law['source']}, form {law['form']}, {law['points']} points, made {law['created']}",
        f"{law['draws']} posterior samples"
        + "".join(f", {name} {value:.4g}" for name, value in law["diagnostics"].items()),
        *(f"{name} {value}" for name, value in law["provenance"].items()),
        *([f"forms {forms_text(law['forms'])}"] if law["forms"] else []),
    ]
    if runs := law["runs"]:
        more = f" and {len(runs) - MAX_PRINTED_RUNS} more" if len(runs) > MAX_PRINTED_RUNS else ""
        parts.append(f"{len(runs)} runs {' '.join(runs[:MAX_PRINTED_RUNS])}{more}")
    return f"{law['id']}{role}: " + "; ".join(parts)
