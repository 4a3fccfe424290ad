"""Which measurements narrow an answer most for what they cost.

The draws of a law are possible worlds: how far the log errors at the scales that could be measured vary
together with the quantity that is asked, over the draws, says how much a measurement there would tell. With
normal noise, measuring scale j once takes Cov(q, f_j)² / (Var f_j + s²) off the variance of q (the gain of a
linear Gaussian model: Lindley 1956, doi:10.1214/aoms/1177728069, in variance), and the covariances left
follow. Runs are picked one after the other, the largest gain for its cost first.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from laws import paths
from laws.fitting.noise import noise_of_law
from laws.types import Law

Array = NDArray[np.float64]
SEED = 0
FAR = 100.0  # times the largest measured data: where a target is looked at that most draws never reach


@dataclass(frozen=True)
class Pick:
    """One measurement: which candidate, and the standard deviation of the answer once it is made."""

    candidate: int
    sd: float


def choose_measurements(
    asked: ArrayLike,
    seen: ArrayLike,
    noise: ArrayLike,
    cost: Sequence[float],
    *,
    budget: float,
    max_picks: int = 20,
    least: float = 0.01,
) -> list[Pick]:
    """Return what to measure within a budget, in order; a candidate may be measured again.

    `asked` (n,) holds what is asked in each of n draws, `seen` (n, m) the log error at m candidate scales,
    `noise` (m,) the sd of a measurement of it, `cost` (m,) what one costs, in the unit of `budget`. It ends
    after `max_picks` picks, or when no pick takes `least` of the standard deviation off.
    """
    q, f = np.asarray(asked, dtype=np.float64), np.asarray(seen, dtype=np.float64)
    covariance = np.cov(np.column_stack([q, f]).T)
    spread, left = np.asarray(noise, dtype=np.float64) ** 2, budget
    found: list[Pick] = []
    while len(found) < max_picks:
        gain = covariance[0, 1:] ** 2 / (np.diag(covariance)[1:] + spread)
        affordable = np.asarray(cost) <= left
        worth = np.where(affordable & (gain > 0), gain / np.asarray(cost), -np.inf)
        enough = gain >= (1 - (1 - least) ** 2) * covariance[0, 0]
        worth = np.where(enough, worth, -np.inf)
        best = int(np.argmax(worth))
        if not np.isfinite(worth[best]):
            break
        row = covariance[best + 1]
        covariance = covariance - np.outer(row, row) / (row[best + 1] + spread[best])
        left -= cost[best]
        found.append(Pick(best, float(np.sqrt(max(covariance[0, 0], 0.0)))))
    return found


def choose_runs(
    laws: Sequence[Law],
    place: float,
    candidates: Sequence[tuple[int, float]],
    cost: Sequence[float],
    *,
    budget: float,
    max_picks: int,
) -> list[Pick]:
    """Return what to train so that the lowest error of the laws at `place` gets surer.

    A candidate is a law, by its place among them, and a data size; `cost` and `budget` are in one unit. Half
    of the noise is taken to be the shard's own, which no further training on it averages away.
    """
    paired = _paired(laws)
    seen = np.column_stack([_at(paired[i], x) for i, x in candidates])
    noise = [_sd(law) * math.sqrt(0.5) for law in laws]
    own = np.array([noise[i] for i, _ in candidates])
    seen = seen + own * np.random.default_rng(SEED).standard_normal(seen.shape)
    return choose_measurements(log_errors(laws, place), seen, own, cost, budget=budget, max_picks=max_picks)


def log_errors(laws: Sequence[Law], x: float) -> Array:
    """Return the logarithm of the lowest error of the laws at a data size, a value a draw."""
    return np.asarray(np.min([_at(each, x) for each in _paired(laws)], axis=0))


def data_needed(laws: Sequence[Law], target: float) -> Array:
    """Return the data with which the first of the laws reaches a target, a value a draw; inf: none does."""
    each = [[paths.inverse(grid, path, math.log(target)) for path in drawn] for grid, drawn in _paired(laws)]
    return np.asarray(np.exp(np.min(each, axis=0)))


def scale_of_interest(laws: Sequence[Law], target: float) -> float:
    """Return where the answer to a target is looked at: at the median of the data needed, inside the data.

    Where most draws never reach it, that is FAR times the largest measured data.
    """
    middle = paths.quantile(data_needed(laws, target).tolist(), 0.5)
    if math.isinf(middle):
        return FAR * max(law.x_range[1] for law in laws)
    return max(middle, min(law.x_range[0] for law in laws))


Drawn = tuple[Sequence[float], Sequence[Sequence[float]]]  # a grid of log x, and paths over it


def _paired(laws: Sequence[Law]) -> list[Drawn]:
    """Return as many paths of each law; laws were fitted apart, so each pairs its draws by chance."""
    count = min(len(law.paths) for law in laws)
    orders = [np.random.default_rng((SEED, i)).permutation(len(law.paths)) for i, law in enumerate(laws)]
    orders[0] = np.arange(count)
    return [
        (law.grid, [law.paths[i] for i in order[:count]]) for law, order in zip(laws, orders, strict=True)
    ]


def _at(drawn: Drawn, x: float) -> Array:
    grid, drawn_paths = drawn
    return np.array([paths.value_at(grid, path, math.log(x)) for path in drawn_paths])


def _sd(law: Law) -> float:
    """Return the standard deviation of one log error, as the law has it in the middle."""
    scale, degrees = noise_of_law(law.parameters)
    return float(np.median(scale * np.sqrt(degrees / (degrees - 2))))
