"""The scaling path of a published compute-optimal frontier: the best model size, or data, for the FLOP.

Notation: C FLOP, N(C) parameters, D(C) data. A source gives one of them, or the FLOP per token M = C/D, and
often both; otherwise C = 6 N D gives the other. A frontier says nothing about the error: that is of the law
of the loss that the catalog names as its companion, at the sizes of the frontier.
"""

import math
from typing import NamedTuple

from laws.catalog.published import PublishedLaw, companion
from planner.lawmodel.scenario import MAX_SCALE, ScaleFunction, Scenario

_METRICS = ("params", "data", "flops-per-token")
_ENDS = (1e18, 1e24)  # FLOP at which a frontier is evaluated; any two do


class _Power(NamedTuple):
    """coefficient · C^exponent."""

    coefficient: float
    exponent: float

    def at(self, flops: float) -> float:
        return float(self.coefficient * flops**self.exponent)

    def solve(self, value: float) -> float:
        return float((value / self.coefficient) ** (1 / self.exponent))


def is_frontier(law: PublishedLaw) -> bool:
    """Return whether a law says how the FLOP are best split, with a law of the loss to complete it.

    Args:
        law: The law.

    Returns:
        True for a law of parameters, data or FLOP per token by FLOP.
    """
    return law.metric in _METRICS and "loss" in law.companions


def frontier_unit(law: PublishedLaw) -> str:
    """Return the unit of data of a frontier.

    Args:
        law: A law for which `is_frontier` holds.

    Returns:
        The unit, such as `tokens`.
    """
    return law.unit if law.metric == "data" else "tokens"


def frontier_scenario(law: PublishedLaw) -> Scenario:
    """Return the scaling path of a frontier; its scale is the data.

    Args:
        law: A law for which `is_frontier` holds.

    Returns:
        The scenario, with the error that the law of the loss has on the frontier.
    """
    size, data = _frontier(law)

    def params(x: float) -> float:
        return size.at(data.solve(x))

    return Scenario(
        low=1.0,
        high=MAX_SCALE,
        error=_error(law, params, data),
        data=lambda x: x,
        samples_seen=lambda x: x,
        params=params,
        flops_per_sample=lambda n: 6 * n,
    )


def shifted_frontier(scenario: Scenario, shift: float) -> Scenario:
    """Return a frontier that gives the same FLOP to larger models and less data, with the same error.

    Args:
        scenario: The scaling path of a frontier; its scale is the data.
        shift: The logarithm of the factor of the model size.

    Returns:
        The scenario.
    """
    factor, size = math.exp(shift), scenario.params
    assert size is not None
    return scenario._replace(
        error=lambda x: scenario.error(x * factor), params=lambda x: factor * size(x * factor)
    )


def _frontier(law: PublishedLaw) -> tuple[_Power, _Power]:
    """Return N(C) and D(C)."""
    line = _power(law)
    if law.metric == "params":
        other = companion(law, "data")
        return line, _rest(line) if other is None else _power(other)
    if law.metric == "data":
        other = companion(law, "params")
        return _rest(line) if other is None else _power(other), line
    per_token = _Power(line.coefficient / 6, line.exponent)
    return per_token, _rest(per_token)


def _rest(line: _Power) -> _Power:
    """Return D(C) for N(C), or the other way round: C = 6 N D."""
    return _Power(1 / (6 * line.coefficient), 1 - line.exponent)


def _power(law: PublishedLaw) -> _Power:
    first, last = (law.evaluate(flops=flops) for flops in _ENDS)
    exponent = math.log(last / first) / math.log(_ENDS[1] / _ENDS[0])
    return _Power(first / _ENDS[0] ** exponent, exponent)


def _error(law: PublishedLaw, params: ScaleFunction, data: _Power) -> ScaleFunction:
    loss = companion(law, "loss")
    assert loss is not None
    if [i.name for i in loss.inputs] == ["flops"]:
        return lambda x: loss.evaluate(flops=data.solve(x))
    return lambda x: loss.evaluate(params=params(x), data=x)
