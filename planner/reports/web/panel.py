"""What the what-if panel of a page computes with: the draws of the laws, and what is assumed of each part.

The panel asks what a target needs, as `planner estimate --law ID` does; `html/*.js` repeats the arithmetic.
Random streams cannot be repeated in a browser. They depend on the seed, the name of an assumption and the
number of draws alone, so that those uniform numbers are embedded, and bands turn them into values.
"""

import base64
import shlex
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from laws.catalog.published import PublishedLaw, named
from laws.errors import PlannerError
from laws.storage.store import Store
from laws.types import Law, Run
from planner import units
from planner.assumptions import Assumption
from planner.hardware.accelerators import Accelerator
from planner.hardware.cost import price_of, price_warnings
from planner.hardware.measured_utilization import measured_utilization
from planner.lawmodel.allocation import DATA_HALF, PARAMS_HALF
from planner.lawmodel.published import surface_of
from planner.lawmodel.select import SelectedLaw
from planner.lawmodel.stored import scenario_indices
from planner.plans.estimate import EXTRAPOLATION_LIMIT
from planner.plans.plan import Plan
from planner.plans.quantities import as_data
from planner.plans.resources import ASSUMPTION_SAMPLES, DEFAULT_DEVICES
from planner.plans.review import Review
from planner.reports.estimate_record import WITHIN
from planner.warnings import WARNINGS

Bands = Sequence[tuple[float, float]]


def embedded(found: Review) -> dict[str, Any]:
    """Return the data of the panel as plain JSON; rows of numbers are base64, paths deflated."""
    laws: dict[str, Any] = {}
    products = [
        _product(name, each, law, found, laws)
        for (name, each), law in zip(
            ((product.name, each) for product, each in found.plans), found.chosen, strict=True
        )
    ]
    parts = [_part(part, found) for part in found.fleet.parts.values()]
    sizes = {
        ASSUMPTION_SAMPLES,
        *(len(each.law_model.scenarios) for _, each in found.plans if len(each.law_model.scenarios) > 1),
    }
    names = {"price", *_varying([part["assumed"] for part in parts])}
    for product in products:
        names |= _varying([product["assumed"], *product["measured"].values()])
    return {
        "draws": ASSUMPTION_SAMPLES,
        "far": EXTRAPOLATION_LIMIT,
        "within": WITHIN,
        "uniform": {
            str(n): {name: _floats(_uniform(name, n, found.portfolio.seed)) for name in sorted(names)}
            for n in sorted(sizes)
        },
        "parts": parts,
        "laws": laws,
        "products": products,
        "quantities": as_data(),
        "sentences": WARNINGS,
    }


def _uniform(name: str, n: int, seed: int) -> tuple[float, ...]:
    """Return the numbers of [0, 1) behind the draws of an assumption."""
    whole = Assumption(name=name, bands=((0.0, 1.0),), unit="", text="", source="")
    return whole.draws(n, seed)


def _varying(assumed: Iterable[Mapping[str, Bands]]) -> set[str]:
    return {
        name
        for each in assumed
        for name, bands in each.items()
        if min(low for low, _ in bands) != max(high for _, high in bands)
    }


def _part(part: Accelerator, found: Review) -> dict[str, Any]:
    assumed = found.fleet.assumptions(part)
    price = price_of(part)
    return {
        "id": part.id,
        "peak": dict(part.peak),
        "usual": part.usual_precision(),
        "memory": part.capacity,
        "bandwidth": part.bandwidth,
        "power": part.power,
        "matmul": part.matmul,
        "uncertain": part.confidence != "exact" or bool(part.uncertain),
        "price": None if price is None else price.bands,
        "price_warnings": price_warnings(part, price, found.today),
        "assumed": {name: each.bands for name, each in assumed.items()},
        "utilization_assumed": assumed["utilization"].origin == "default",
    }


def _product(
    name: str, each: Plan, chosen: SelectedLaw, found: Review, laws: dict[str, Any]
) -> dict[str, Any]:
    question, asked, reading = each.question, each.parsed, each.law_model
    overrides = {assumption.name: assumption.bands for assumption in asked.assumed}
    price = overrides.pop("price", None)
    part = None if question.hardware.on is None else found.fleet.part(question.hardware.on)
    count = question.hardware.count or (None if part is None else found.fleet.count(part)) or DEFAULT_DEVICES
    return {
        "name": name,
        "law": reading.law.id,
        "metric": reading.law.metric,
        "metric_unit": reading.law.metric_unit,
        "unit": reading.unit,
        "spread": reading.has_posterior,
        "smallest": reading.curve_start,
        "largest": reading.measured.largest_data,
        "sizes": reading.measured.counted_sizes,
        "begins": reading.joint_start,
        "warnings": reading.warnings,
        "spending": {
            "have": asked.supply.data_available if reading.is_joint else None,
            "served": asked.supply.inference_tokens or 0.0,
            "smallest": question.allocate == "smallest-model",
            "halves": {"data": DATA_HALF, "params": PARAMS_HALF},
        },
        "limits": {
            "budget": asked.limits.budget,
            "days": asked.limits.days,
            "gpu_hours": asked.limits.gpu_hours,
        },
        "have": asked.supply.data_available,
        "stock": asked.supply.data_limit,
        "data_price": asked.supply.data_price,
        "confidence": asked.confidence,
        "precision": question.hardware.precision,
        "price": price,
        "assumed": overrides,
        "measured": {} if "utilization" in overrides else _measured(each, chosen.law, found),
        "target": question.target or _reached(each),
        "part": None if part is None else part.id,
        "count": count,
        "options": _options(each, found),
        "part_options": _part_options(each),
        "price_option": next(
            (text.partition("=")[2].strip() for text in question.hardware.assume if _is_price(text)), ""
        ),
        **_worlds(each, chosen, laws),
    }


def _reached(each: Plan) -> str:
    """Return the error that a product which asks something else reaches, as a target to start from."""
    middle = each.estimate.error.interval().median
    unit = each.law_model.law.metric_unit
    if middle is None:
        return ""
    return units.format_fraction(middle) if unit == "fraction" else f"{middle:.3g}"


def _measured(each: Plan, law: Law | PublishedLaw, found: Review) -> dict[str, dict[str, Bands]]:
    """Return the utilization that was measured with the law, for the parts that it was measured on."""
    if not isinstance(law, Law) or law.source == "shipped":
        return {}
    own = law.source == "calibrated"
    runs: list[Run] = Store(found.folder).runs(domain=law.domain, status="finished") if own else []
    bands: dict[str, dict[str, Bands]] = {}
    for part in found.fleet.parts.values():
        if found.fleet.assumptions(part)["utilization"].origin != "default":
            continue
        try:
            measured = measured_utilization(law, runs, part, each.question.hardware.precision)
        except PlannerError:  # a part without the precision: the panel says so where it is chosen
            continue
        if measured is not None:
            bands[part.id] = {"utilization": measured.bands}
    return bands


def _options(each: Plan, found: Review) -> list[str]:
    """Return what else of the product's question the same command on the command line needs."""
    question, fleet = each.question, found.portfolio.fleet
    options = {
        "--have-data": question.supply.have_data,
        "--data-price": question.supply.data_price,
        "--serve": question.supply.serve,
        "--confidence": question.confidence,
        "--allocate": None if question.allocate == "compute-optimal" else question.allocate,
        "--fleet": None if fleet is None else fleet.name,
    }
    return [f"{name} {shlex.quote(text)}" for name, text in options.items() if text is not None]


def _is_price(assumption: str) -> bool:
    return assumption.partition("=")[0].strip() == "price"


def _part_options(each: Plan) -> list[str]:
    """Return what the command needs as long as a part is named: what is assumed of it, and the limits."""
    question, days = each.question, each.parsed.limits.days
    options = {
        "--precision": question.hardware.precision,
        "--budget": question.limits.budget,
        "--gpu-hours": question.limits.gpu_hours,
        "--deadline": None if days is None else f"{days:.15g}d",
    }
    words = [f"{name} {shlex.quote(text)}" for name, text in options.items() if text is not None]
    return [
        *words,
        *(f"--assume {shlex.quote(text)}" for text in question.hardware.assume if not _is_price(text)),
    ]


def _worlds(each: Plan, chosen: SelectedLaw, laws: dict[str, Any]) -> dict[str, Any]:
    """Return the law of a product by its kind, and put the draws of stored ones among `laws`, each once."""
    law = chosen.law
    if isinstance(law, PublishedLaw):
        return _of_literature(each, law)
    cost = _cost(each, law.ladder or (chosen.size.ladder if chosen.size else ()))
    if not law.paths:
        if law.id not in laws:
            p, rows = law.parameters, scenario_indices(law)
            keys = {"E": "E", "A": "A", "B": "B", "alpha": "a", "beta": "b"}
            laws[law.id] = {name: _floats(p[key][i] for i in rows) for name, key in keys.items()}
        return {"surface": {"law": law.id}, "cost": cost}
    used = {"error": law, "params": chosen.size, "samples": chosen.samples}
    bundles = {role: each for role, each in used.items() if each is not None and each.paths}
    for bundle in bundles.values():
        if bundle.id not in laws:
            laws[bundle.id] = {"grid": _floats(bundle.grid), "paths": packed(bundle)}
    return {"paths": {role: bundle.id for role, bundle in bundles.items()}, "cost": cost}


def _cost(each: Plan, ladder: Iterable[Any]) -> dict[str, Any] | None:
    if not each.law_model.has_flops:
        return None
    rungs = sorted((rung.params, rung.flops) for rung in ladder)
    return {"kind": "ladder", "rungs": rungs} if rungs else {"kind": "six"}


def _of_literature(each: Plan, law: PublishedLaw) -> dict[str, Any]:
    if each.law_model.is_joint:
        surface = surface_of(law)
        columns = {name: [getattr(surface, name)] for name in ("E", "A", "B", "alpha", "beta")}
        return {"surface": {"columns": columns}, "cost": _cost(each, ())}
    size, flops = (each.law_model.companions.get(role) for role in ("params", "flops"))
    cost = {"kind": "law", "law": _formula(named(flops))} if flops else _cost(each, ())
    return {
        "curve": _formula(law),
        "size": _formula(named(size)) if size else None,
        "cost": cost,
    }


def _formula(law: PublishedLaw) -> dict[str, Any]:
    return {
        "id": law.id,
        "formula": law.formula,
        "parameters": dict(law.parameters),
        "per": [each.per for each in law.inputs],
        "scale": law.scale,
    }


def packed(law: Law) -> dict[str, Any]:
    """Return paths as {rows, columns, base64}, exact to the last bit of the 4-byte floats that are stored.

    A path is smooth, so the second differences of its bit patterns are small: zigzag, the four bytes of all
    numbers one after the other, deflate. `html/panel.js` reads it back.
    """
    bits = np.asarray(law.paths, dtype="<f4").view("<u4")
    rows, columns = bits.shape
    steps = np.diff(bits, n=2, axis=1, prepend=np.zeros((rows, 2), dtype="<u4")).view("<i4")
    zigzag = ((steps << 1) ^ (steps >> 31)).astype("<i4")
    planes = zigzag.reshape(-1, 1).view("u1").T
    return {
        "rows": rows,
        "columns": columns,
        "base64": base64.b64encode(zlib.compress(planes.tobytes(), 6)).decode(),
    }


def _floats(values: Iterable[float]) -> str:
    return base64.b64encode(np.asarray(list(values), dtype="<f8").tobytes()).decode()
