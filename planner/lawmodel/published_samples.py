"""Samples of a published law: from its source's standard errors, else from how far studies differ.

A law with a covariance is sampled from it. For any other law a sample is another study of the same question,
whose error differs in level and exponent from the law's error L, counted from the error L0 in the middle of
the measured range:

    W(L) = L0 exp(level) (L / L0)^(1 + exponent)

(level, exponent) has the Student t of `laws/catalog/between_studies.py`. Samples come in pairs of opposite
sign and one that is the law itself, so the median of an answer is what the law says. They are points of a
spiral and of a lattice, not random numbers: the same law always has the same samples, and a few are enough.
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from laws.catalog.between_studies import Spread
from laws.catalog.published import Covariance
from planner.lawmodel.scenario import Scenario
from planner.lawmodel.surface import exponential, logarithm

PAIRS = 62
SAMPLES = 1 + 2 * PAIRS  # divides the number of samples of hardware assumptions
# Steps of the spiral in half turns, the best of 20,000: for 2 to 7 degrees of freedom the 80 and 90 %
# intervals of every weighted sum of level and exponent are within 8 % of the exact ones.
ANGLE_STEP, ANGLE_START = 0.66614207, 0.69438060
MAX_EXPONENT = 0.999  # of the relative difference: a study whose error hardly falls, or falls twice as fast
LATTICE_STEP = 1.1127756842787055  # root of x^7 = x + 1: steps of a lattice in six dimensions


class StudyDifference(NamedTuple):
    """How another study of a law's question differs from the law, in one sample."""

    reference: float  # error at which the two differ by their level only
    level: float = 0.0  # difference of the log error there
    exponent: float = 0.0  # relative difference of the exponents, above -1

    def error(self, error: float) -> float:
        """Return the error that the other study has where the law says `error`."""
        log = logarithm(error / self.reference)
        return self.reference * exponential(self.level + (1 + self.exponent) * log)

    def law_error(self, error: float) -> float:
        """Return what the law says where the other study has `error`."""
        log = logarithm(error / self.reference)
        return self.reference * exponential((log - self.level) / (1 + self.exponent))

    def scenario(self, law: Scenario, ends: tuple[float, float]) -> Scenario:
        """Return the other study's scenario: its model sizes and compute are those of the law.

        Args:
            law: The scenario of the law.
            ends: The smallest measured scale, and the largest that a plan can have: no study is taken to
                reach a target with less, or with more, unless the law does.

        Returns:
            The scenario.
        """
        loss, (smallest, largest) = law.loss, ends

        def scale(target: float) -> float:
            at = law.scale_for_error(self.law_error(target))
            if smallest <= at <= largest:
                return at
            own = law.scale_for_error(target)
            if at < smallest:
                return max(at, min(smallest, own))
            return at if at <= own else math.inf

        return law._replace(
            error=lambda x: self.error(law.error(x)),
            loss=None if loss is None else lambda params, x: self.error(loss(params, x)),
            floor=self.error(law.floor) if law.floor > 0 else 0.0,
            exact_inverse=scale,
        )


def study_differences(spread: Spread, reference: float) -> list[StudyDifference]:
    """Return how other studies differ from a law, one per sample, the law itself first.

    A pair of independent Student t has a radius r with r²/2 ~ F(2, freedom) and a uniform angle.

    Args:
        spread: How far studies of the question differ.
        reference: The law's error in the middle of its measured range.

    Returns:
        `SAMPLES` differences.
    """
    differences = [StudyDifference(reference)]
    for i in range(PAIRS):
        inside = (i + 0.5) / PAIRS
        radius = math.sqrt(spread.freedom * ((1 - inside) ** (-2 / spread.freedom) - 1))
        angle = math.pi * ((ANGLE_START + i * ANGLE_STEP) % 1)
        level = spread.level * radius * math.cos(angle)
        exponent = spread.ratio * radius * math.sin(angle)
        exponent = max(-MAX_EXPONENT, min(exponent, MAX_EXPONENT))
        differences += [StudyDifference(reference, s * level, s * exponent) for s in _signs(i)]
    return differences


def sampled_parameters(center: Sequence[float], covariance: Covariance) -> list[tuple[float, ...]]:
    """Return samples of a law's parameters, normal around what the source states.

    Args:
        center: The stated parameters, on the scales of the covariance.
        covariance: Of at most six parameters.

    Returns:
        `SAMPLES` rows, the stated parameters first.
    """
    factor = _cholesky(covariance.matrix)
    rows = [tuple(center)]
    for i in range(PAIRS):
        normal = list(_normal(i))
        offsets = [math.fsum(a * z for a, z in zip(row, normal, strict=False)) for row in factor]
        rows += [tuple(c + s * d for c, d in zip(center, offsets, strict=True)) for s in _signs(i)]
    return rows


def _signs(i: int) -> tuple[int, int]:
    """Return the signs of a pair, in turn the one and the other first: every second sample has both."""
    return (1, -1) if i % 2 else (-1, 1)


def _normal(i: int) -> Iterator[float]:
    """Yield six standard normal numbers, those of one point of a lattice (Box and Muller 1958)."""
    for k in (1, 3, 5):
        first, second = ((0.5 + (i + 1) * LATTICE_STEP**-j) % 1 for j in (k, k + 1))
        radius = math.sqrt(-2 * math.log(1 - first))
        yield radius * math.cos(2 * math.pi * second)
        yield radius * math.sin(2 * math.pi * second)


def _cholesky(matrix: Sequence[Sequence[float]]) -> list[list[float]]:
    """Return the lower triangular factor of a positive definite matrix."""
    factor: list[list[float]] = []
    for i, row in enumerate(matrix):
        line: list[float] = []
        for j in range(i):
            line.append(
                (row[j] - math.fsum(a * b for a, b in zip(line, factor[j], strict=False))) / factor[j][j]
            )
        line.append(math.sqrt(row[i] - math.fsum(a * a for a in line)))
        factor.append(line)
    return factor
