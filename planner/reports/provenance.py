"""Where a review comes from: what has to be the same for its page to be made again, byte for byte."""

import hashlib
import json
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from laws.catalog.published import PublishedLaw, named
from laws.types import Law
from planner.lawmodel.select import SelectedLaw
from planner.plans.review import Review
from planner.reports.assumption_text import forms_text

RUNS = 12  # that are printed; JSON has all
_LIBRARIES = ("matplotlib", "jinja2")  # of the page


def trail(found: Review) -> dict[str, Any]:
    """Return day, seed, files, versions and the hash of the program's own sources."""
    portfolio = found.portfolio
    fleet = portfolio.fleet
    return {
        "day": found.today.isoformat(),
        "seed": portfolio.seed,
        "plan": {"file": portfolio.file, "sha256": portfolio.fingerprint},
        "fleet": None
        if fleet is None
        else {"file": fleet.name, "sha256": hashlib.sha256(fleet.read_bytes()).hexdigest()},
        "versions": {
            "planner": f"{_version('scaling-planner')}, sources {_sources()}",
            "python": platform.python_version(),
            **{name: _version(name) for name in _LIBRARIES},
        },
    }


def laws(chosen: SelectedLaw) -> list[dict[str, Any]]:
    """Return every law behind an answer: what it says of, who made it from what, and its posterior."""
    law = chosen.law
    if isinstance(law, Law):
        others = {"params": chosen.size, "samples": chosen.samples}
        return [_stored("error", law), *(_stored(role, each) for role, each in others.items() if each)]
    completing = {role: named(law.companions[role]) for role in ("params", "flops") if role in law.companions}
    return [_published("error", law), *(_published(role, each) for role, each in completing.items())]


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


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _sources() -> str:
    """Return a hash of everything that laws and planner are made of, tables and templates included."""
    root = Path(__file__).parents[2]
    digest = hashlib.sha256()
    for path in sorted(path for package in ("laws", "planner") for path in (root / package).rglob("*.*")):
        if path.suffix in (".py", ".json", ".js", ".css", ".html"):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def in_words(told: dict[str, Any]) -> list[str]:
    """Return the trail of a review, a sentence each."""
    files = [f"plan file {told['plan']['file']}, sha256 {told['plan']['sha256']}"]
    if told["fleet"]:
        files.append(f"fleet file {told['fleet']['file']}, sha256 {told['fleet']['sha256']}")
    versions = ", ".join(f"{name} {version}" for name, version in told["versions"].items())
    return [f"day {told['day']}, seed {told['seed']}", *files, versions]


def law_in_words(law: dict[str, Any]) -> str:
    """Return where one law comes from, in one line."""
    role = "" if law["role"] == "error" else f" ({law['role']})"
    if law["source"] == "published":
        return (
            f"{law['id']}{role}: {law['equation']} with "
            + ", ".join(f"{name} {value:g}" for name, value in law["constants"].items())
            + f"; fingerprint {law['fingerprint']}; {law['citation']} ({law['confidence']})"
        )
    parts = [
        f"{law['source']}, form {law['form']}, {law['points']} points, made {law['created']}",
        f"posterior of {law['draws']} draws"
        + "".join(f", {name} {value:.4g}" for name, value in law["diagnostics"].items()),
        *(f"{name} {value}" for name, value in law["provenance"].items()),
        *([f"forms {forms_text(law['forms'])}"] if law["forms"] else []),
    ]
    if runs := law["runs"]:
        more = f" and {len(runs) - RUNS} more" if len(runs) > RUNS else ""
        parts.append(f"{len(runs)} runs {' '.join(runs[:RUNS])}{more}")
    return f"{law['id']}{role}: " + "; ".join(parts)
