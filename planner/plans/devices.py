"""How many devices a deadline needs, where nothing says how many there are."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from laws import paths
from planner.assumptions import Assumption
from planner.hardware.fleet import Fleet
from planner.lawmodel.scenario import broadcast
from planner.plans.estimate import Estimate
from planner.plans.question import ParsedQuestion
from planner.plans.resources import DEFAULT_DEVICES, Resources, resources

PROBABILITY_IN_TIME = 0.8  # of ending by the deadline, where the question sets no confidence
_COUNTS = tuple(
    8**power for power in range(8)
)  # 1 to 2 million; days are almost a power of the count between


def resources_in_time(
    needs: Estimate,
    parsed: ParsedQuestion,
    labeling: Sequence[float],
    fleet: Fleet,
    assumed: Sequence[Assumption],
    *,
    today: date,
    seed: int,
) -> Resources:
    """Return what a training takes on the fewest machines that probably end by the deadline.

    Args:
        needs: What training needs, per posterior sample.
        parsed: A question with a deadline and an accelerator.
        labeling: Days of labeling before the training, per sample; empty for none.
        fleet: The accelerators and what is assumed of them.
        assumed: Assumptions that replace the fleet's.
        today: The day that quotes are compared with.
        seed: Seed of the samples of the assumptions.

    Returns:
        The resources with the devices that each sample needs. The count is their quantile at the question's
        confidence, else at `PROBABILITY_IN_TIME`, of the samples that can end in time at all, in whole
        machines. Where most samples cannot end in time it is one machine.
    """
    deadline, hardware = parsed.limits.days, parsed.question.hardware
    assert deadline is not None

    def on(count: int) -> Resources:
        return resources(
            needs,
            fleet,
            replace(hardware, count=count),
            today=today,
            seed=seed,
            overrides=assumed,
        )

    tried = [on(count) for count in _COUNTS]
    n = len(tried[0].training.days)
    waiting = broadcast(labeling, n) if labeling else (0.0,) * n
    devices = tuple(
        _devices([one.training.days[i] for one in tried], deadline - waiting[i]) for i in range(n)
    )
    possible = [count for count in devices if math.isfinite(count)]
    count = DEFAULT_DEVICES
    if 2 * len(possible) >= n:
        count = math.ceil(paths.quantile(possible, parsed.confidence or PROBABILITY_IN_TIME))
    machines = max(math.ceil(count / DEFAULT_DEVICES), 1)
    return on(DEFAULT_DEVICES * machines)._replace(devices_for_deadline=devices)


def _devices(days: Sequence[float], available: float) -> float:
    """Return the smallest count that ends in the days that are available, by the days at `_COUNTS`."""
    if available <= 0 or not days[-1] <= available:
        return math.inf
    if days[0] <= available:
        return 1.0
    later = next(i for i, value in enumerate(days) if value <= available)
    (slow, few), (fast, many) = (days[later - 1], _COUNTS[later - 1]), (days[later], _COUNTS[later])
    share: float = math.log(slow / available) / math.log(slow / fast)
    return float(math.ceil(round(few * (many / few) ** share, 6)))
