"""Chance-constrained plans: the smallest plan that reaches a target with a required probability."""

import math
from collections.abc import Sequence

from laws import paths
from laws.errors import LawError
from planner.lawmodel.model import LawModel
from planner.lawmodel.scenario import Scenario

SEARCH_STEPS = 32  # in which the samples are searched before the scale is narrowed down
SCALE_TOLERANCE = 1e-6  # of the logarithm of the scale


def with_confidence(
    law_model: LawModel, scales: Sequence[float], target: float, confidence: float
) -> tuple[LawModel, tuple[float, ...]]:
    """Return one plan for all posterior samples that reaches a target in a share of them.

    Args:
        law_model: The law that answers.
        scales: The scale at which each posterior sample reaches the target.
        target: The error to reach.
        confidence: The share of samples in which the plan has to reach it, in (0, 1).

    Returns:
        The law model at the plan, and its scale once per posterior sample.

    Raises:
        LawError: No amount of data reaches the target in that share.
    """
    reachable = sum(map(math.isfinite, scales)) / len(scales)
    if reachable < confidence:
        raise LawError(
            f"target {law_model.law.metric} {law_model.law.format_error(target)} with probability "
            f"{confidence:.0%}: expected at most {reachable:.0%}, the probability with any amount of data",
            code="confidence-out-of-reach",
            value=confidence,
        )
    if law_model.scenarios[0].loss is None:
        scale = _smallest_scale(law_model, scales, target, confidence)
        return law_model, (scale,) * len(scales)
    return _smallest_pair(law_model, scales, target, confidence)


def _smallest_scale(law_model: LawModel, scales: Sequence[float], target: float, confidence: float) -> float:
    """Return the first scale of a sample that reaches the target in enough samples.

    The quantile of the scales does, and is the first where every error falls. An error that falls, rises
    over a hump and falls for good has its scale behind the hump, although the target is already reached
    before it.
    """
    ordered = sorted(scales)

    def enough(k: int) -> bool:
        reached = sum(
            scenario.error(min(ordered[k], scenario.high)) <= target for scenario in law_model.scenarios
        )
        return reached >= confidence * len(ordered)

    low, top = -1, max(math.ceil(confidence * len(ordered)) - 1, 0)
    step = max(len(ordered) // SEARCH_STEPS, 1)
    while low + step < top and not enough(low + step):
        low += step
    top = min(low + step, top)
    while top - low > 1:
        middle = (low + top) // 2
        low, top = (low, middle) if enough(middle) else (middle, top)
    return ordered[top]


def _smallest_pair(
    law_model: LawModel, scales: Sequence[float], target: float, confidence: float
) -> tuple[LawModel, tuple[float, ...]]:
    """Return the smallest pair on the path of median best sizes that reaches the target often enough."""

    def size(x: float) -> float:
        return paths.quantile([s.params(x) for s in law_model.scenarios if s.params], 0.5)

    def enough(x: float) -> bool:
        n = size(x)
        reached = sum(s.loss(n, x) <= target for s in law_model.scenarios if s.loss)
        return reached >= confidence * len(law_model.scenarios)

    finite = [x for x in scales if math.isfinite(x)]
    low, high = math.log(min(finite)), math.log(min(s.high for s in law_model.scenarios))
    top = math.log(max(finite))
    while not enough(math.exp(top)):
        top += 1.0
        if top > high:
            raise LawError(
                f"probability {confidence:.0%}: expected less, because no one model size and amount of "
                "data reach "
                "the target so often",
                code="confidence-out-of-reach",
                value=confidence,
            )
    while top - low > SCALE_TOLERANCE:
        middle = (low + top) / 2
        low, top = (low, middle) if enough(math.exp(middle)) else (middle, top)
    x = math.exp(top)
    n = size(x)
    fixed = tuple(_fixed(scenario, n, x) for scenario in law_model.scenarios)
    return law_model._replace(scenarios=fixed), (x,) * len(fixed)


def _fixed(scenario: Scenario, params: float, x: float) -> Scenario:
    assert scenario.loss is not None
    error = scenario.loss(params, x)
    return scenario._replace(params=lambda _: params, error=lambda _: error)
