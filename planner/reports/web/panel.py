"""The data of the what-if panel: posterior samples of the laws, and the assumptions for each accelerator.

The panel answers what a target needs with the digits of `planner estimate --law ID`; `html/*.js` repeats its
arithmetic. A grid of precomputed answers cannot replace that: laws and assumptions vary together, so a grid
needs every posterior sample of every quantity at every target, many megabytes per product.

A browser cannot repeat random streams. They depend only on the seed, the name of an assumption and the number
of samples, so the page has these uniform numbers, and the bands of an assumption turn them into values.
"""

import base64
import math
import shlex
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from laws.catalog.published import PublishedLaw, published_law
from laws.errors import PlannerError
from laws.forecasting.joint_drift import drift_rates
from laws.storage.store import Store
from laws.types import Law, Run, SizeCost
from planner.assumptions import Assumption
from planner.hardware.accelerators import Accelerator
from planner.hardware.cost import price_of, price_warnings
from planner.hardware.measured_utilization import measured_utilization
from planner.hardware.utilization import utilization_model
from planner.lawmodel.allocation import DATA_HALF, PARAMS_HALF
from planner.lawmodel.frontier_law import is_frontier
from planner.lawmodel.model import JOINT_FORMS
from planner.lawmodel.published import differences_of, ends_of_scale, surface_of, surfaces_of
from planner.lawmodel.select import SelectedLaw
from planner.lawmodel.stored import largest_compute, scenario_indices, single_size
from planner.metrics import FRACTION
from planner.plans.data_price import DataPrice
from planner.plans.estimate import EXTRAPOLATION_LIMIT
from planner.plans.other_laws import comparable_laws
from planner.plans.plan import Plan
from planner.plans.quantities import as_data
from planner.plans.resources import ASSUMPTION_SAMPLES, DEFAULT_DEVICES, sample_count
from planner.plans.review import Review
from planner.reports.estimate_record import EXTRAPOLATION_FACTORS
from planner.reports.sentences import PANEL
from planner.warnings import WARNINGS

Bands = Sequence[tuple[float, float]]


def panel_data(review: Review) -> dict[str, Any]:
    """Return the data of the panel.

    Args:
        review: The plans of all products, with the laws that answered.

    Returns:
        Plain JSON: rows of numbers are base64 of 8-byte floats, paths are as `packed` returns them.
    """
    laws: dict[str, Any] = {}
    products = [
        _product(product.name, plan, law, review, laws)
        for (product, plan), law in zip(review.plans, review.laws, strict=True)
    ]
    given = [plan.question.hardware.precision for _, plan in review.plans]
    precisions = {precision for precision in given if precision is not None}
    accelerators = [_accelerator(one, review, precisions) for one in review.fleet.accelerators.values()]
    sample_counts = {sample_count(plan.law_model, len(plan.law_model.scenarios)) for _, plan in review.plans}
    varying = {"price", *_varying([one["assumed"] for one in accelerators])}
    for product in products:
        varying |= _varying([product["assumed"], *product["measured"].values()])
    return {
        "samples": ASSUMPTION_SAMPLES,  # by a published law
        "extrapolation_limit": EXTRAPOLATION_LIMIT,
        "within": EXTRAPOLATION_FACTORS,
        "uniform": {
            str(n): {name: _floats(_uniform(name, n, review.portfolio.seed)) for name in sorted(varying)}
            for n in sorted(sample_counts)
        },
        "accelerators": accelerators,
        "laws": laws,
        "products": products,
        "quantities": as_data(),
        "sentences": PANEL,
        "warnings": WARNINGS,
    }


def _uniform(name: str, n: int, seed: int) -> tuple[float, ...]:
    """Return the numbers of [0, 1) behind the samples of an assumption."""
    unit_interval = Assumption(name=name, bands=((0.0, 1.0),), unit="", text="", source="")
    return unit_interval.draws(n, seed)


def _varying(assumptions: Iterable[Mapping[str, Bands]]) -> set[str]:
    """Return the names of assumptions that are not a single number."""
    return {
        name
        for by_name in assumptions
        for name, bands in by_name.items()
        if min(low for low, _ in bands) != max(high for _, high in bands)
    }


def _accelerator(accelerator: Accelerator, review: Review, precisions: Iterable[str]) -> dict[str, Any]:
    assumed = review.fleet.assumptions(accelerator)
    price = price_of(accelerator)
    return {
        "id": accelerator.id,
        "peak": dict(accelerator.peak),
        "usual_precision": accelerator.usual_precision(),
        "memory": accelerator.capacity,
        "bandwidth": accelerator.bandwidth,
        "power": accelerator.power,
        "matmul": accelerator.matmul,
        "uncertain": accelerator.confidence != "exact" or bool(accelerator.uncertain),
        "price": None if price is None else price.bands,
        "price_warnings": price_warnings(accelerator, price, review.today),
        "assumed": {name: assumption.bands for name, assumption in assumed.items()},
        "set": [name for name, assumption in assumed.items() if not assumption.is_default],
        "predicted": _predicted(
            accelerator, {accelerator.usual_precision(), *precisions} & {*accelerator.peak}
        )
        if assumed["utilization"].origin == "predicted"
        else None,
    }


def _predicted(accelerator: Accelerator, precisions: Iterable[str]) -> dict[str, Any]:
    """Return the models of the utilization by precision: of a dense model and of a mixture of experts."""
    return {
        precision: [
            utilization_model(accelerator.id, precision, mixture=mixture)._asdict()
            for mixture in (False, True)
        ]
        for precision in sorted(precisions)
    }


def _product(
    name: str, plan: Plan, chosen: SelectedLaw, review: Review, laws: dict[str, Any]
) -> dict[str, Any]:
    question, parsed, law_model = plan.question, plan.parsed, plan.law_model
    assumed = {assumption.name: assumption.bands for assumption in parsed.assumed}
    price = assumed.pop("price", None)
    accelerator = None if question.hardware.on is None else review.fleet.accelerator(question.hardware.on)
    fleet_count = None if accelerator is None else review.fleet.count(accelerator)
    return {
        "name": name,
        "law": law_model.law.id,
        "metric": law_model.law.metric,
        "metric_unit": law_model.law.metric_unit,
        "metric_ceiling": law_model.law.metric_ceiling,
        "unit": law_model.unit,
        "published": law_model.law.source == "published",
        "smallest": law_model.curve_start,
        "largest": law_model.measured.largest_data,
        "largest_params": law_model.measured.largest_params,
        "largest_compute": law_model.measured.largest_compute,
        "sizes": law_model.measured.counted_sizes,
        "begins": law_model.joint_start,
        "warnings": law_model.warnings,
        "constraints": {
            "have": parsed.supply.data_available if law_model.is_joint else None,
            "served": parsed.supply.inference_tokens or 0.0,
            "smallest": question.allocate == "smallest-model",
            "halves": {"data": DATA_HALF, "params": PARAMS_HALF},
        },
        "limits": {
            "budget": parsed.limits.budget,
            "days": parsed.limits.days,
            "gpu_hours": parsed.limits.gpu_hours,
        },
        "available": parsed.supply.data_available,
        "stock": parsed.supply.data_limit,
        "data_price": _tiers(parsed.supply.data_price),
        "data_rate": parsed.supply.data_rate,
        "confidence": parsed.confidence,
        "precision": question.hardware.precision,
        "price": price,
        "assumed": assumed,
        "measured": {} if "utilization" in assumed else _measured(plan, chosen.law, review),
        "target": question.target or _value_reached(plan),
        "accelerator": None if accelerator is None else accelerator.id,
        "count": (
            question.hardware.count or fleet_count or DEFAULT_DEVICES
            if plan.resources is None
            else plan.resources.training.count
        ),
        "options": _options(plan, review),
        "changeable": _changeable(plan),
        "accelerator_options": _accelerator_options(plan),
        "price_option": next(
            (text.partition("=")[2].strip() for text in question.hardware.assume if _is_price(text)), ""
        ),
        **_law_data(plan, chosen, laws),
    }


def _tiers(price: DataPrice | None) -> list[tuple[float | None, float]] | None:
    """Return the tiers of a price; the last has no end."""
    if price is None:
        return None
    return [(None if math.isinf(tier.end) else tier.end, tier.price) for tier in price.tiers]


def _value_reached(plan: Plan) -> str:
    """Return the metric that a plan reaches whose question has no target, as a target to start from."""
    median = plan.estimate.own_value.interval().median
    if median is None:
        return ""
    scale = plan.law_model.law.scale
    is_plain = scale.unit != FRACTION and not scale.higher_is_better
    return f"{median:.3g}" if is_plain else scale.without_unit.format(median)


def _measured(plan: Plan, law: Law | PublishedLaw, review: Review) -> dict[str, dict[str, Bands]]:
    """Return the utilization that was measured with the law, for the accelerators it was measured on."""
    if not isinstance(law, Law) or law.source == "shipped":
        return {}
    calibrated = law.source == "calibrated"
    runs: list[Run] = Store(review.folder).runs(domain=law.domain, status="finished") if calibrated else []
    bands: dict[str, dict[str, Bands]] = {}
    for accelerator in review.fleet.accelerators.values():
        if not review.fleet.assumptions(accelerator)["utilization"].is_default:
            continue
        try:
            measured = measured_utilization(law, runs, accelerator, plan.question.hardware.precision)
        except PlannerError:  # it lacks the precision: the panel says so when you choose it
            continue
        if measured is not None:
            bands[accelerator.id] = {"utilization": measured.bands}
    return bands


def _options(plan: Plan, review: Review) -> list[str]:
    """Return the other options of the product's question, for the same command on the command line."""
    question, fleet = plan.question, review.portfolio.fleet
    return _words(
        {
            "--data-rate": question.supply.data_rate,
            "--miss-penalty": question.supply.miss_penalty,
            "--serve": question.supply.serve,
            "--confidence": question.confidence,
            "--allocate": None if question.allocate == "compute-optimal" else question.allocate,
            "--fleet": None if fleet is None else fleet.name,
        }
    )


def _changeable(plan: Plan) -> dict[str, str]:
    """Return the options that the panel can change, as typed in a shell; "" where one is not given."""
    question, days = plan.question, plan.parsed.limits.days
    typed = {
        "have_data": question.supply.have_data,
        "data_price": question.supply.data_price,
        "budget": question.limits.budget,
        "deadline": None if days is None else f"{days:.15g}d",
    }
    return {name: "" if text is None else shlex.quote(text) for name, text in typed.items()}


def _accelerator_options(plan: Plan) -> list[str]:
    """Return the options that the command needs while an accelerator is named: assumptions and GPU-hours."""
    question = plan.question
    words = _words({"--precision": question.hardware.precision, "--gpu-hours": question.limits.gpu_hours})
    return [
        *words,
        *(f"--assume {shlex.quote(text)}" for text in question.hardware.assume if not _is_price(text)),
    ]


def _words(options: Mapping[str, str | None]) -> list[str]:
    return [f"{name} {shlex.quote(text)}" for name, text in options.items() if text is not None]


def _is_price(assumption: str) -> bool:
    return assumption.partition("=")[0].strip() == "price"


def _law_data(plan: Plan, chosen: SelectedLaw, laws: dict[str, Any]) -> dict[str, Any]:
    """Return the law of a product by its kind; add the samples of stored laws to `laws`, each law once."""
    law = chosen.law
    if isinstance(law, PublishedLaw):
        return _published(plan, law)
    cost = _cost(plan, law.ladder or (chosen.size.ladder if chosen.size else ()))
    if not law.paths:
        if law.id not in laws:
            p, rows = law.parameters, scenario_indices(law)
            keys = {"E": "E", "A": "A", "B": "B", "alpha": "a", "beta": "b"}
            columns = {name: _floats(p[key][i] for i in rows) for name, key in keys.items()}
            largest = [largest_compute(law)] * len(rows)
            laws[law.id] = columns | {"rate": _floats(drift_rates(len(rows))), "largest": _floats(largest)}
        return {"surface": {"law": law.id}, "cost": cost}
    companions = {"error": law, "params": chosen.size, "samples": chosen.samples}
    with_paths = {role: one for role, one in companions.items() if one is not None and one.paths}
    for one in with_paths.values():
        if one.id not in laws:
            laws[one.id] = {"grid": _floats(one.grid), "paths": packed(one)}
    return {
        "paths": {role: one.id for role, one in with_paths.items()},
        "single_size": single_size(law, chosen.size),
        "cost": cost,
    }


def _cost(plan: Plan, ladder: Iterable[SizeCost]) -> dict[str, Any] | None:
    """Return how FLOP follow from the size of a model, None where they are unknown."""
    if not plan.law_model.has_flops:
        return None
    rungs = sorted((rung.params, rung.flops) for rung in ladder)
    return {"kind": "ladder", "rungs": rungs} if rungs else {"kind": "six"}


def _published(plan: Plan, law: PublishedLaw) -> dict[str, Any]:
    if is_frontier(law):
        return {"frontier": True}  # its error is that of another law: the panel refers to the command line
    if plan.law_model.is_joint:
        surfaces = [surface_of(law)] if law.covariance is None else surfaces_of(law)
        columns = {name: [getattr(s, name) for s in surfaces] for name in ("E", "A", "B", "alpha", "beta")}
        return {"surface": {"columns": columns}, "cost": _cost(plan, ()), **_studies(plan, law)}
    size, flops = (plan.law_model.companions.get(role) for role in ("params", "flops"))
    return {
        "curve": _formula(law),
        "size": _formula(published_law(size)) if size else None,
        "cost": {"kind": "law", "law": _formula(published_law(flops))} if flops else _cost(plan, ()),
        **_studies(plan, law),
    }


def _studies(plan: Plan, law: PublishedLaw) -> dict[str, Any]:
    """Return how other studies differ from a law in each of its samples, and the laws to compare it with."""
    others = [
        {"surface": surface_of(other)._asdict()}
        if other.formula in JOINT_FORMS
        else {"curve": _formula(other)}
        for other in comparable_laws(law)
    ]
    if law.covariance is not None:
        return {"others": others}
    ends = ends_of_scale(law, over_sizes=plan.question.allocate == "smallest-model")
    return {"others": others, "studies": differences_of(law), "ends": ends}


def _formula(law: PublishedLaw) -> dict[str, Any]:
    return {
        "id": law.id,
        "formula": law.formula,
        "parameters": dict(law.parameters),
        "per": [one.per for one in law.inputs],
        "scale": law.scale,
    }


def packed(law: Law) -> dict[str, Any]:
    """Return the paths of a law, exact to the last bit of the 4-byte floats that a store has.

    A path is smooth, so the second differences of its bit patterns are small. They are written zigzag, one of
    the four bytes of all numbers after the other, and deflated; `html/panel.js` reads them back.

    Args:
        law: A law with paths.

    Returns:
        {rows, columns, base64}.
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
