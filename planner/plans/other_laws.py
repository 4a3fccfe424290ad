"""What other published laws of the same question say about a plan."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from laws import paths
from laws.catalog.published import PublishedLaw, published_laws
from planner.lawmodel.allocation import DATA_HALF
from planner.lawmodel.model import JOINT_FORMS
from planner.lawmodel.published import answers, data_unit, surface_of
from planner.lawmodel.surface import effective
from planner.plans.estimate import Estimate


class OtherLaws(NamedTuple):
    """A plan's error by every published law of the question."""

    low: float  # 90 % interval of the law that answers, at the plan
    high: float
    errors: Mapping[str, float]  # by other laws: id -> error

    @property
    def outside(self) -> dict[str, float]:
        """Return the errors outside the interval, the furthest first."""
        middle = math.log(self.low) + math.log(self.high)
        outside = {id: error for id, error in self.errors.items() if not self.low <= error <= self.high}
        return dict(sorted(outside.items(), key=lambda item: -abs(2 * math.log(item[1]) - middle)))


def same_question(law: PublishedLaw) -> list[PublishedLaw]:
    """Return the laws that answer a law's question: same domain, metric and units.

    Args:
        law: A law of an error or a loss that can be solved for the data.

    Returns:
        The laws without itself, best first.
    """
    return [
        other
        for other in published_laws(law.domain, law.metric, law.unit)
        if other.id != law.id and answers(other) and data_unit(other) == data_unit(law)
    ]


def comparable_laws(law: PublishedLaw) -> list[PublishedLaw]:
    """Return the laws of a question that can say something about a plan of its law.

    Args:
        law: A law of an error or a loss that can be solved for the data.

    Returns:
        The laws without itself. A curve has models as large as its data can use, so it says nothing about the
        model of a plan by a joint law.
    """
    is_joint = law.formula in JOINT_FORMS
    return [other for other in same_question(law) if not is_joint or other.formula in JOINT_FORMS]


def _error(law: PublishedLaw, data: float, params: float) -> float:
    return law.evaluate(data=data) if law.formula not in JOINT_FORMS else surface_of(law).loss(params, data)


def other_laws(law: PublishedLaw, needs: Estimate) -> OtherLaws | None:
    """Return what other laws say about the median plan of an estimate.

    Args:
        law: The law that answers.
        needs: What it answers.

    Returns:
        The errors; None where no other law is of the question, or where no plan reaches the target.
    """
    others, is_joint = comparable_laws(law), law.formula in JOINT_FORMS
    data, samples_seen = (_median(draws) for draws in (needs.data.draws, needs.samples_seen.draws))
    params = _median(needs.params.draws) if needs.params.draws else math.inf
    if not others or math.isinf(samples_seen):
        return None
    scenarios = needs.law_model.scenarios
    if scenarios[0].loss is None:  # a curve; the smallest model has its size as its scale
        scale = params if is_joint else data
        own = [scenario.error(scale) for scenario in scenarios]
    else:
        own = [scenario.loss(params, samples_seen) for scenario in scenarios if scenario.loss is not None]
    low, high = (paths.quantile(own, level) for level in (0.05, 0.95))
    worth = effective(data, samples_seen, DATA_HALF)
    return OtherLaws(low, high, {other.id: _error(other, worth, params) for other in others})


def _median(draws: Sequence[float]) -> float:
    return paths.quantile(draws, 0.5)
