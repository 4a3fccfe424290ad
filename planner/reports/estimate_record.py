"""An estimate as scripts read it: the record that JSON and CSV carry.

Its keys are the contract of `docs/reference/estimate.md`: a new version may add keys but changes the meaning
of none.
"""

import math
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from laws import paths
from laws.codes import WarningCode
from laws.types import Quantity
from planner import warnings
from planner.assumptions import Assumption
from planner.plans.estimate import EXTRAPOLATION_LIMIT, Estimate, furthest
from planner.plans.missing import missing_inputs
from planner.plans.plan import Plan
from planner.plans.power_law_answer import power_law_answer
from planner.plans.quantities import kinds
from planner.plans.resources import ExpectedCost
from planner.reports.assumption_text import law_sentences
from planner.reports.training_settings import settings_record

EXTRAPOLATION_FACTORS = (1, 10, 100)  # times the largest measured data
JSON_ONLY = (  # nested or rarely there: CSV keeps its columns
    "at_confidence",
    "power_law",
    "other_laws",
    "training_settings",
)
MIN_PROBABILITY = 0.5  # with which a plan without a confidence is called feasible


class Extrapolation(StrEnum):
    """How far the median of the needed data is from the measured data; the values are those of JSON."""

    BELOW = "below the data"
    INSIDE = "inside the data"
    DECADE = "one decade beyond"
    FAR = "too far to plan on"
    NEVER = "never reached in most draws"
    UNKNOWN = "not known"


def record(plan: Plan) -> dict[str, Any]:
    """Return what JSON and CSV carry.

    Args:
        plan: The answer to a question.

    Returns:
        Plain values, None where a number is infinite or not known; docs/reference/estimate.md explains each
        key.
    """
    estimate = plan.estimate
    beyond = estimate.beyond
    middle = beyond.interval().median
    law_model = estimate.law_model
    # every quantity is named even where it is not known, so that a script finds the same keys in every answer
    quantities = {kind.key: interval(kind.of(plan) or kind.empty()) for kind in kinds()}
    scale = estimate.law.scale
    resources, feasibility = plan.resources, plan.feasible
    return {
        "law": estimate.law.id,
        "source": estimate.law.source,
        "domain": estimate.law.domain,
        "family": estimate.law.family,
        "form": estimate.law.form,
        "forms": dict(law_model.forms),
        "families": dict(law_model.families),
        "metric": estimate.law.metric,
        "metric_unit": estimate.law.metric_unit,
        "higher_is_better": scale.higher_is_better,
        "metric_ceiling": scale.ceiling,
        "given": plan.given,
        "target": estimate.own_target,
        **quantities,
        "probability_reachable": estimate.probability_reachable,
        "probability_within": {
            str(factor): None if plan.confidence is not None else estimate.reached_within(factor)
            for factor in EXTRAPOLATION_FACTORS
        },
        "limit": interval(estimate.own_limit),
        "beyond": {
            "largest_measured": law_model.measured.largest_data,
            "unit": estimate.data.unit,
            "factor": interval(beyond),
            "decades": None if not middle else math.log10(middle),
            "times_measured": {
                name: value if math.isfinite(value) else None
                for name, value in estimate.times_measured.items()
            },
            "verdict": extrapolation(estimate).value,
        },
        "part": None if resources is None else resources.training.accelerator.id,
        "count": None if resources is None else resources.training.count,
        "precision": None if resources is None else resources.training.precision,
        "start": plan.duration.start.isoformat(),
        "labeled": _days(plan.duration.labeled),
        "finish": _days(plan.duration.finish),
        "missing": [
            {"quantities": list(gap.quantities), "options": list(gap.options), "command": gap.command}
            for gap in missing_inputs(plan)
        ],
        "expected_cost": None if plan.expected_cost is None else _expected_cost(plan.expected_cost),
        "feasible": feasible(plan),
        "probability": None if feasibility is None else feasibility.probability,
        "limits": {} if feasibility is None else dict(feasibility.each),
        "binding": plan.binding,
        "confidence": plan.confidence,
        "error_at_confidence": None if scale.higher_is_better else plan.error_at_confidence,
        "score_at_confidence": None
        if not scale.higher_is_better or plan.error_at_confidence is None
        else scale.from_error(plan.error_at_confidence),
        "at_confidence": _at_confidence(plan),
        "power_law": _power_law(plan),
        "have_data": plan.parsed.supply.data_available,
        "sensitivity": {
            "of": scale.quantity if plan.sensitivity.quantity == "error" else plan.sensitivity.quantity,
            "shares": dict(plan.sensitivity.shares),
        },
        "training_settings": settings_record(plan),
        "assumed": [] if resources is None else [_assumed(assumption) for assumption in resources.assumed],
        "uncertainty": _uncertainty(estimate),
        "other_laws": _other_laws(plan),
        "companions": dict(law_model.companions),
        "assumptions": law_sentences(law_model),
        "assumption_codes": [assumption.code.value for assumption in law_model.assumptions],
        "warnings": warnings.records(plan.warnings),
        "alternatives": [
            {"id": a.id, "source": a.source, "domain": a.domain, "family": a.family, "metric": a.metric}
            for a in estimate.alternatives
        ],
    }


def _at_confidence(plan: Plan) -> dict[str, Any] | None:
    """Return the smallest plan that reaches the target with probability `SURE`."""
    if plan.sure is None:
        return None
    quantities = {kind.key: interval(kind.of(plan.sure) or kind.empty()) for kind in kinds()}
    return {"confidence": plan.sure.confidence, **quantities}


def _uncertainty(estimate: Estimate) -> str:
    """Return what the samples of the law are: a posterior, or what a published law has instead."""
    codes = (WarningCode.BETWEEN_STUDIES, WarningCode.STANDARD_ERRORS)
    return next((code.value for code in codes if code in estimate.law_model.warnings), "posterior")


def _other_laws(plan: Plan) -> dict[str, Any] | None:
    """Return what other published laws say about the median plan, and the interval of this one."""
    others, unit = plan.other_laws, plan.estimate.law.metric_unit
    if others is None:
        return None
    outside = others.outside
    laws = [{"law": id, "error": error, "outside": id in outside} for id, error in others.errors.items()]
    return {"q05": others.low, "q95": others.high, "unit": unit, "laws": laws}


def _power_law(plan: Plan) -> dict[str, Any] | None:
    """Return the power law through the points, and its answer next to the median of the law's."""
    line, compared = plan.estimate.law_model.power_law, power_law_answer(plan)
    if line is None or compared is None:
        return None
    quantity, simple, forecast = compared
    return {
        "scale": line[0],
        "exponent": line[1],
        "quantity": quantity,
        "value": simple if math.isfinite(simple) else None,
        "forecast": forecast if math.isfinite(forecast) else None,
    }


def feasible(plan: Plan) -> bool | None:
    """Return whether a plan satisfies its constraints.

    Args:
        plan: The answer to a question.

    Returns:
        Whether it satisfies all of them with the question's confidence, else more probably than not; None
        without constraints.
    """
    if plan.feasible is None:
        return None
    return plan.feasible.probability >= (MIN_PROBABILITY if plan.confidence is None else plan.confidence)


def interval(quantity: Quantity) -> dict[str, float | str | None]:
    """Return the median and 90% interval of a quantity as plain values.

    Args:
        quantity: Posterior samples.

    Returns:
        q05, median, q95 and unit; None for what is infinite or not known.
    """
    ends = quantity.interval()
    return {"q05": ends.q05, "median": ends.median, "q95": ends.q95, "unit": ends.unit}


def _expected_cost(cost: ExpectedCost) -> dict[str, float | None]:
    return {**cost._asdict(), "dollars": cost.dollars}


def _days(days: Sequence[date | None]) -> dict[str, str | None]:
    early, median, late = (None if day is None else day.isoformat() for day in days)
    return {"q05": early, "median": median, "q95": late}


def _assumed(assumption: Assumption) -> dict[str, Any]:
    return {
        "name": assumption.name,
        "bands": [list(band) for band in assumption.bands],
        "unit": assumption.unit,
        "origin": assumption.origin,
        "source": assumption.source,
    }


def extrapolation(estimate: Estimate) -> Extrapolation:
    """Return how far the median plan is from the measurements: the furthest of data, parameters, compute.

    Args:
        estimate: What a question needs.

    Returns:
        The class of the distance.
    """
    beyond, smallest = estimate.beyond, estimate.law_model.joint_start[0]
    if smallest is not None and paths.quantile(estimate.data.draws, 0.5) < smallest:
        return Extrapolation.BELOW
    if not beyond.draws:
        return Extrapolation.UNKNOWN
    if math.isinf(paths.quantile(beyond.draws, 0.5)):
        return Extrapolation.NEVER
    middle = furthest(estimate.times_measured)
    if middle <= 1:
        return Extrapolation.INSIDE
    return Extrapolation.DECADE if middle <= EXTRAPOLATION_LIMIT else Extrapolation.FAR
