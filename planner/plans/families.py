"""Several calibrated families of one domain: in each posterior sample the best of them answers.

Which family is best is as uncertain as their laws are. So the choice is made in each posterior sample: where
a target is given, the family that reaches it with the least data; else the one with the lowest error. The
share of samples in which a family is best is its probability.
"""

import math
import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from laws.codes import WarningCode
from planner.lawmodel.assumptions import AssumptionCode, assume
from planner.lawmodel.model import LawModel

SEED = 20_201  # of the pairing of posterior samples: laws that were fitted with one seed share random numbers
MIN_PROBABILITY = 0.05  # of a family whose warnings concern the answer


class Candidate(NamedTuple):
    """A family's law model with its scale in each posterior sample."""

    model: LawModel
    scales: tuple[float, ...]


def best_of(candidates: Sequence[Candidate], *, with_target: bool) -> Candidate:
    """Return the model whose posterior samples are those of the best family each.

    Args:
        candidates: One per family, that with the newest law first; all of one metric and unit of data.
        with_target: Whether the scales reach a target, so that the least data is best; else the lowest error.

    Returns:
        The mixed model, with the identity of the family that is most probably best, and its scales. The
        families that know as much about compute as the newest take part.
    """
    newest = candidates[0].model
    known = (newest.has_params, newest.has_flops)
    comparable = [one for one in candidates if (one.model.has_params, one.model.has_flops) == known]
    if len(comparable) < 2:
        return candidates[0]
    n = min(len(one.scales) for one in comparable)
    orders = [list(range(n))] + [
        random.Random(SEED + k).sample(range(len(one.scales)), n) for k, one in enumerate(comparable[1:])
    ]
    best: list[tuple[int, int]] = []  # family and row of each sample
    for i in range(n):
        rows = [order[i] for order in orders]
        best.append(
            min(
                zip(range(len(rows)), rows, strict=True),
                key=lambda at: _rank(comparable[at[0]], at[1], with_target),
            )
        )
    counts = [sum(k == family for k, _ in best) for family in range(len(comparable))]
    first = max(range(len(counts)), key=lambda k: counts[k])
    probabilities = {
        comparable[k].model.law.family: counts[k] / n
        for k in sorted(range(len(counts)), key=lambda k: -counts[k])
    }
    return Candidate(
        model=_mixed([one.model for one in comparable], best, first, probabilities),
        scales=tuple(comparable[k].scales[row] for k, row in best),
    )


def _rank(candidate: Candidate, row: int, with_target: bool) -> tuple[float, float]:
    """Return what the best family has least of: data, then the error with any amount of data."""
    scale, scenario = candidate.scales[row], candidate.model.scenarios[row]
    if not with_target:
        return (scenario.error(min(scale, scenario.high)), 0.0)
    return (scale, 0.0 if math.isfinite(scale) else scenario.error(scenario.high))


def _mixed(
    models: Sequence[LawModel],
    best: Sequence[tuple[int, int]],
    first: int,
    probabilities: Mapping[str, float],
) -> LawModel:
    """Return the model of the picked samples, with everything else of the family that is most often best."""
    leading = models[first]
    shared = [name for name in leading.unknowns if all(name in model.unknowns for model in models)]
    codes = [*leading.warnings]
    for model in models:
        if probabilities[model.law.family] >= MIN_PROBABILITY:
            codes += model.warnings
    if first != 0:
        codes.append(WarningCode.NEWEST_NOT_BEST)
    return leading._replace(
        scenarios=tuple(models[k].scenarios[row] for k, row in best),
        unknowns={name: tuple(models[k].unknowns[name][row] for k, row in best) for name in shared},
        families=dict(probabilities),
        assumptions=(
            assume(AssumptionCode.BEST_FAMILY, families=dict(probabilities)),
            *leading.assumptions,
        ),
        warnings=tuple(dict.fromkeys(codes)),
    )
