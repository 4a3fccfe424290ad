"""One possible world: what a single draw of the laws says of every plan on one line of plans.

The line runs from little data and a small model to much data and a large one. Its coordinate x is the data
seen in training where data and model grow together, and the number of parameters where the data is fixed. A
curve says one best size for each amount of data; a surface leaves the split open, and its line is that of the
least FLOP, training and serving together (Hoffmann et al. 2022, arXiv:2203.15556; Sardana et al. 2023,
arXiv:2401.00448), on data that may repeat (Muennighoff et al. 2023, arXiv:2305.16264). Pure Python.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from laws import paths
from planner.lawmodel.root_finding import root
from planner.lawmodel.surface import Repeated, Surface, effective

T = TypeVar("T")
Line = Callable[[float], float]
BELOW = 1e-6
ENDLESS = 50.0  # half-lives of repeated data after which no pass is worth anything


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One draw: every quantity as a function of the place x on the line of plans."""

    low: float  # the range of x that is asked
    high: float
    error: Line
    data: Line  # different data needed
    seen: Line  # data seen in training, repeats counted
    params: Line | None  # None: no law says
    flops_per_sample: Line | None  # training FLOP for one unit of data seen, by the number of parameters
    loss: Callable[[float, float], float] | None = None  # error of any parameters at any x, on a surface
    floor: float = 0.0  # below every error on the line
    known_inverse: Line | None = None  # error to x, where it is known exactly

    def flops(self, x: float) -> float:
        """Return training FLOP; infinite where x is."""
        if math.isinf(x):
            return math.inf
        assert self.params is not None
        assert self.flops_per_sample is not None
        return self.flops_per_sample(self.params(x)) * self.seen(x)

    def for_error(self, target: float) -> float:
        """Return the first x that reaches a target; infinite if none does."""
        if self.known_inverse is not None:
            return self.known_inverse(target)
        if target <= self.floor or self.error(self.high) > target:
            return math.inf
        # what is left above the floor is close to a power of x: its inverse rises, straight in log-log
        return self.where(lambda x: _inverse(self.error(x) - self.floor), _inverse(target - self.floor))

    def where(self, f: Line, value: float) -> float:
        """Return the x at which an increasing f of x has a value; the nearer end where it never has."""
        if value <= 0:
            return BELOW * self.low
        goal = math.log(value)

        def away(u: float) -> float:
            found = f(math.exp(u))
            return math.log(found) - goal if found > 0 else -math.inf

        # below the range the line goes on as it begins, so that what is too little is seen to be
        return math.exp(root(away, math.log(BELOW * self.low), math.log(self.high)))


def _inverse(value: float) -> float:
    return 1 / value if value > 0 else math.inf


def for_each(values: Sequence[T], n: int) -> tuple[T, ...]:
    """Return one value for each of n draws: a single one, of a law without a posterior, serves them all."""
    return tuple(values) * n if len(values) == 1 else tuple(values)


def at(line: Line | None, x: float) -> float:
    """Return a quantity at x, infinite where x is."""
    assert line is not None
    return line(x) if math.isfinite(x) else math.inf


def on_path(grid: Sequence[float], path: Sequence[float]) -> Line:
    """Return a stored path as a function: straight in log-log between grid points and beyond its ends."""

    def value(x: float) -> float:
        log = paths.value_at(grid, path, math.log(x))
        return math.exp(log) if log < 700 else math.inf

    return value


def cost_of_size(sizes: Sequence[float], costs: Sequence[float]) -> Line:
    """Return the cost of one unit of data for any number of parameters: straight in log-log through rungs."""
    if len(sizes) == 1:
        return lambda params: costs[0] * params / sizes[0]
    return on_path([math.log(size) for size in sizes], [math.log(cost) for cost in costs])


def split(surface: Surface, *, have: float, served: float, data_half: float, params_half: float) -> Scenario:
    """Return the line of least FLOP on a surface, parameterized by the data seen.

    Minimizing 6 N D + 2 N served at a fixed loss gives n = d·(1 + served / 3D), where n and d are what a
    relative change of N and of D changes the loss by. Of the data seen at most `have` is different.
    """
    repeated = Repeated(surface=surface, data_half=data_half, params_half=params_half)
    limited = math.isfinite(have)

    def params(seen: float) -> float:
        new = min(seen, have)
        worth = effective(new, seen, data_half) if limited else seen
        # log of d: the elasticity of D' falls off exponentially with the repeats
        fade = math.log(seen / worth) - (seen / new - 1) / data_half if limited else 0.0
        gain = math.log(surface.beta * surface.B) - surface.beta * math.log(worth) + fade
        gain += math.log1p(served / (3 * seen))
        free = math.exp((math.log(surface.alpha * surface.A) - gain) / surface.alpha)
        useful = surface.best_params_for(new)
        if not limited or free <= useful:
            return free

        def slope(u: float) -> float:
            n = math.exp(u)
            worth = effective(useful, n, params_half)
            log = math.log(surface.alpha * surface.A) - surface.alpha * math.log(worth)
            return gain - (log + u - math.log(worth) - (n / useful - 1) / params_half)

        most = min(free, useful * (1 + 2 * ENDLESS * params_half))
        return math.exp(root(slope, math.log(useful), math.log(most)))

    def error(seen: float) -> float:
        if limited:
            return repeated.loss(params(seen), seen, have)
        return surface.loss(params(seen), seen)

    def exact(target: float) -> float:
        return surface.least_flops(target)[1]

    return Scenario(
        low=1.0,
        high=have * (1 + ENDLESS * data_half) if limited else 1e40,
        error=error,
        data=lambda seen: min(seen, have),
        seen=lambda seen: seen,
        params=params,
        flops_per_sample=lambda params: 6 * params,
        loss=(lambda n, seen: repeated.loss(n, seen, have)) if limited else surface.loss,
        floor=surface.E,
        known_inverse=exact if not limited and served == 0 else None,
    )


def smallest(surface: Surface, *, have: float) -> Scenario:
    """Return the line of models that see all the data in hand once, parameterized by their size."""
    return Scenario(
        low=1.0,
        high=1e40,
        error=lambda params: surface.loss(params, have),
        data=lambda _: have,
        seen=lambda _: have,
        params=lambda params: params,
        flops_per_sample=lambda params: 6 * params,
        floor=surface.loss(math.inf, have),
    )
