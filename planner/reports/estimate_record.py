"""A plan as scripts read it: the record that JSON and CSV carry.

Its keys are the contract of `docs/reference/estimate.md`: new ones may come, none changes its meaning.
"""

import math
from typing import Any

from laws import paths
from laws.types import Interval, Quantity
from planner import warnings
from planner.assumptions import Assumption
from planner.plans.estimate import EXTRAPOLATION_LIMIT, Estimate
from planner.plans.plan import Plan
from planner.plans.quantities import kinds
from planner.reports.assumption_text import law_sentences

WITHIN = (1, 10, 100)  # times the largest measured data
EVEN = 0.5  # a plan is called feasible when it is more probable than not, or than the confidence asked for
INSIDE, BELOW = "inside the data", "below the data"
_VERDICTS = (
    (1.0, INSIDE),
    (EXTRAPOLATION_LIMIT, "one decade beyond"),
    (math.inf, "too far to plan on"),
)


def record(plan: Plan) -> dict[str, Any]:
    """Return what JSON and CSV carry: plain values, None where a number is infinite or not known."""
    found = plan.estimate
    beyond = found.beyond
    middle = beyond.interval().median
    law_model = found.law_model
    # every quantity is named even where it is not known, so that a script finds the same keys in every answer
    quantities = {kind.key: interval(kind.of(plan) or kind.empty()) for kind in kinds()}
    bill, fits = plan.resources, plan.feasible
    return {
        "law": found.law.id,
        "source": found.law.source,
        "domain": found.law.domain,
        "family": found.law.family,
        "form": found.law.form,
        "forms": dict(law_model.forms),
        "metric": found.law.metric,
        "metric_unit": found.law.metric_unit,
        "given": plan.given,
        "target": found.target,
        **quantities,
        "probability_reachable": found.probability_reachable,
        "probability_within": {
            str(factor): None if plan.confidence is not None else found.reached_within(factor)
            for factor in WITHIN
        },
        "limit": interval(found.limit),
        "beyond": {
            "largest_measured": law_model.measured.largest_data,
            "unit": found.data.unit,
            "factor": interval(beyond),
            "decades": None if not middle else math.log10(middle),
            "verdict": verdict(found),
        },
        "part": None if bill is None else bill.training.accelerator.id,
        "count": None if bill is None else bill.training.count,
        "precision": None if bill is None else bill.training.precision,
        "feasible": feasible(plan),
        "probability": None if fits is None else fits.probability,
        "limits": {} if fits is None else dict(fits.each),
        "binding": plan.binding,
        "confidence": plan.confidence,
        "error_at_confidence": plan.error_at_confidence,
        "have_data": plan.parsed.supply.data_available,
        "sensitivity": {"of": plan.sensitivity.quantity, "shares": dict(plan.sensitivity.shares)},
        "assumed": [] if bill is None else [_assumed(assumption) for assumption in bill.assumed],
        "companions": dict(law_model.companions),
        "assumptions": law_sentences(law_model),
        "assumption_codes": [assumption.code.value for assumption in law_model.assumptions],
        "warnings": warnings.records(plan.warnings),
        "alternatives": [
            {"id": a.id, "source": a.source, "domain": a.domain, "family": a.family, "metric": a.metric}
            for a in found.alternatives
        ],
    }


def feasible(plan: Plan) -> bool | None:
    """Return whether all limits hold with the confidence asked for, else more probably than not."""
    if plan.feasible is None:
        return None
    return plan.feasible.probability >= (EVEN if plan.confidence is None else plan.confidence)


def interval(quantity: Quantity) -> dict[str, float | str | None]:
    """Return the median and 90 % interval of a quantity as plain values."""
    found: Interval = quantity.interval()
    return {"q05": found.q05, "median": found.median, "q95": found.q95, "unit": found.unit}


def _assumed(assumption: Assumption) -> dict[str, Any]:
    return {
        "name": assumption.name,
        "bands": [list(band) for band in assumption.bands],
        "unit": assumption.unit,
        "origin": assumption.origin,
        "source": assumption.source,
    }


def verdict(found: Estimate) -> str:
    """Return how far the median lies beyond the largest measured data, in words."""
    beyond, least = found.beyond, found.law_model.joint_start[0]
    if least is not None and paths.quantile(found.data.draws, 0.5) < least:
        return BELOW
    if not beyond.draws:
        return "not known"
    middle = paths.quantile(beyond.draws, 0.5)
    if math.isinf(middle):
        return "never reached in most draws"
    return next(words for limit, words in _VERDICTS if middle <= limit)
