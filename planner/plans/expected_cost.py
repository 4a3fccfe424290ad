"""The data to collect where missing the target costs money: the amount with the lowest expected cost.

Learn-Optimize-Collect (Mahmood et al. 2022, arXiv:2210.01234), one round: collect the amount q that minimizes

    cost of the data up to q  +  penalty x P(the target needs more than q)

with the probability from the posterior samples of the data that the target needs. Where an accelerator is
named, the cost of training on q is added; it is the mean over posterior samples.
"""

import math
from collections.abc import Callable

from planner.plans.estimate import Estimate
from planner.plans.question import ParsedSupply
from planner.plans.resources import ExpectedCost, Resources

MAX_CANDIDATES = 200  # amounts of data that are compared
MAX_COST_SCENARIOS = 41  # enough for the mean cost of a training


def lowest_expected_cost(needs: Estimate, takes: Resources | None, supply: ParsedSupply) -> ExpectedCost:
    """Return the amount of data with the lowest expected cost.

    Args:
        needs: What a target needs, per posterior sample.
        takes: What the training takes; None without an accelerator.
        supply: The data in hand, its price, and the penalty for missing the target.

    Returns:
        The plan; it buys nothing where data costs more than it makes the target probable.
    """
    price, penalty = supply.data_price, supply.miss_penalty
    assert price is not None
    assert penalty is not None
    available = supply.data_available or 0.0
    draws = sorted(needs.data.draws)
    enough = [data for data in draws if available < data < math.inf]
    stride = max(len(enough) // MAX_CANDIDATES, 1)
    compute = _compute_cost(needs, takes)

    def plan(data: float) -> ExpectedCost:
        to_buy = supply.data_to_buy(data)
        return ExpectedCost(
            data=data,
            to_buy=to_buy,
            probability=sum(x <= data for x in draws) / len(draws),
            data_dollars=price.cost(to_buy),
            compute_dollars=None if compute is None else compute(data),
            penalty=penalty,
        )

    candidates = [*([available] if available else []), *enough[::stride], *enough[-1:]]
    if not candidates:  # no amount of data reaches the target
        candidates = [0.0]
    return min(map(plan, candidates), key=lambda candidate: candidate.dollars)


def _compute_cost(needs: Estimate, takes: Resources | None) -> Callable[[float], float] | None:
    """Return the mean cost of training on an amount of data; None where no sample says what FLOP cost."""
    if takes is None or takes.cost.dollars is None:
        return None
    pairs = zip(takes.cost.dollars, takes.training.gpu_hours, strict=True)
    per_hour = [dollars / hours for dollars, hours in pairs if 0 < hours < math.inf]
    hours_per_flop = [
        hours / flops
        for hours, flops in zip(takes.training.gpu_hours, needs.flops.draws, strict=False)
        if 0 < flops < math.inf and hours < math.inf
    ]
    if not per_hour or not hours_per_flop:
        return None
    dollars_per_flop = sum(per_hour) / len(per_hour) * sum(hours_per_flop) / len(hours_per_flop)
    scenarios = needs.law_model.scenarios
    scenarios = scenarios[:: max(1, len(scenarios) // MAX_COST_SCENARIOS)]

    def mean_cost(data: float) -> float:
        if data <= 0:
            return 0.0
        return dollars_per_flop * sum(scenario.flops(data) for scenario in scenarios) / len(scenarios)

    return mean_cost
