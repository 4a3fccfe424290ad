"""What published laws recommend for training a planned language model: learning rate, batch, vocabulary.

The laws were measured with other schedules, optimizers and corpora, and differ by more than any of them
states. So every law answers, and the spread is part of the answer. The critical batch (McCandlish et al.
2018, arXiv:1812.06162) is the size from which a larger batch saves hardly any steps: it bounds how many
devices help.
"""

import math
from typing import NamedTuple

from laws import paths
from laws.catalog.published import published_laws
from laws.types import Quantity
from planner.lawmodel.info import SETTINGS
from planner.plans.plan import Plan

DOMAIN, DATA_UNIT, LOSS_UNIT = "language", "tokens", "nats/token"  # of the plans that the laws are for
CRITICAL_BATCH = "critical-batch"  # the formula of a law of it
LARGEST_MEASURED = 1.1e21  # FLOP: the most that any of the laws was measured at


class Recommendation(NamedTuple):
    """What one law recommends."""

    law: str
    value: float


class TrainingSetting(NamedTuple):
    """One setting by every published law of it, the smallest value first."""

    metric: str  # one of SETTINGS, or CRITICAL_BATCH
    unit: str
    recommendations: tuple[Recommendation, ...]

    @property
    def low(self) -> float:
        """Return the smallest recommendation."""
        return self.recommendations[0].value

    @property
    def high(self) -> float:
        """Return the largest recommendation."""
        return self.recommendations[-1].value

    @property
    def middle(self) -> float:
        """Return the geometric mean of the recommendations."""
        logs = [math.log(one.value) for one in self.recommendations]
        return math.exp(math.fsum(logs) / len(logs))


def training_settings(plan: Plan) -> tuple[TrainingSetting, ...]:
    """Return what published laws recommend for the model of a plan, at its medians.

    Args:
        plan: The answer to a question.

    Returns:
        One setting per metric; nothing where the plan is not of a language model of known size.
    """
    estimate = plan.estimate
    inputs = {
        "params": _middle(estimate.params),
        "data": _middle(estimate.samples_seen),
        "flops": _middle(estimate.flops),
    }
    is_language = (estimate.law.domain, estimate.data.unit) == (DOMAIN, DATA_UNIT)
    if not is_language or not all(math.isfinite(value) for value in inputs.values()):
        return ()
    if (estimate.law.metric, estimate.law.metric_unit) == ("loss", LOSS_UNIT):
        inputs["loss"] = _middle(estimate.error)
    settings: dict[str, tuple[str, list[Recommendation]]] = {}
    for metric in SETTINGS:
        for law in published_laws(DOMAIN, metric):
            if law.formula is None or not {i.name for i in law.inputs} <= inputs.keys():
                continue
            name = CRITICAL_BATCH if law.formula == CRITICAL_BATCH else metric
            value = law.evaluate(**{i.name: inputs[i.name] for i in law.inputs})
            settings.setdefault(name, (law.unit, []))[1].append(Recommendation(law.id, value))
    return tuple(
        TrainingSetting(metric, unit, tuple(sorted(laws, key=lambda one: one.value)))
        for metric, (unit, laws) in settings.items()
    )


def useful_devices(plan: Plan, settings: tuple[TrainingSetting, ...]) -> float | None:
    """Return how many devices a step of the critical batch keeps busy.

    Devices that hold one copy of the model together work on the same positions: they count as one.

    Args:
        plan: The answer to a question.
        settings: Its training settings.

    Returns:
        The critical batch over the positions per copy and step, times the devices that hold a copy; None
        without an accelerator or the loss.
    """
    critical = next((one for one in settings if one.metric == CRITICAL_BATCH), None)
    if critical is None or plan.resources is None:
        return None
    training = plan.resources.training
    per_copy = max(paths.quantile(training.fewest, 0.5), 1.0) if training.fewest else 1.0
    return critical.middle / training.assumed["positions"].high * per_copy


def _middle(quantity: Quantity) -> float:
    return paths.quantile(quantity.draws, 0.5) if quantity.draws else math.inf
