"""One scenario: every quantity as a function of scale, for one posterior sample of the laws.

A scenario follows one scaling path, from little data and a small model to much data and a large one. Its
scale x is the data seen in training where data and model grow together, and the number of parameters where
the data is fixed. A curve has one best size for each amount of data. A joint law leaves the split open: its
path minimizes training and inference FLOP together (Hoffmann et al. 2022, arXiv:2203.15556; Sardana et al.
2023, arXiv:2401.00448), on data that may repeat (Muennighoff et al. 2023, arXiv:2305.16264). Pure Python.
"""

import math
import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from laws import paths
from planner.lawmodel.root_finding import root
from planner.lawmodel.surface import Repeated, Surface, effective, exponential, logarithm

T = TypeVar("T")
ScaleFunction = Callable[[float], float]
MAX_LOG = 700.0  # beyond it exp() is taken for infinite
MAX_SCALE = 1e40  # of a path that nothing ends
SMALLEST = sys.float_info.min  # instead of 0 where a value is below every float, so that dividing works
BELOW_RANGE = 1e-6  # times the smallest scale: how far down a scale is searched for
MAX_REPEAT_LIVES = 50.0  # half-lives of repeated data after which another epoch is worth nothing


class Scenario(NamedTuple):
    """One posterior sample: every quantity as a function of the scale x on its scaling path."""

    low: float  # smallest and largest scale
    high: float
    error: ScaleFunction
    data: ScaleFunction  # different data needed
    samples_seen: ScaleFunction  # data seen in training, repeats counted
    params: ScaleFunction | None  # None without a law of model size
    flops_per_sample: ScaleFunction | None  # training FLOP per sample seen, as a function of the parameters
    loss: Callable[[float, float], float] | None = (
        None  # of a joint law: error of any parameters at any scale
    )
    floor: float = 0.0  # below every error on the path
    exact_inverse: ScaleFunction | None = None  # error -> scale in closed form, nan where there is none

    def flops(self, x: float) -> float:
        """Return the training FLOP at a scale, infinite at an infinite one.

        Args:
            x: The scale, in its path's own unit.

        Returns:
            FLOP of the training, inference not counted.
        """
        if math.isinf(x):
            return math.inf
        assert self.params is not None
        assert self.flops_per_sample is not None
        return self.flops_per_sample(self.params(x)) * self.samples_seen(x)

    def scale_for_error(self, target: float) -> float:
        """Return the first scale that reaches an error.

        Args:
            target: The error, in the metric's unit.

        Returns:
            The scale; infinite if none reaches it.
        """
        if self.exact_inverse is not None and not math.isnan(exact := self.exact_inverse(target)):
            return exact
        if target <= self.floor or not self.error(self.high) <= target:
            return math.inf
        # the error above the floor is close to a power of x: its inverse rises, straight in log-log
        return self.scale_where(lambda x: _inverse(self.error(x) - self.floor), _inverse(target - self.floor))

    def scale_where(self, function: ScaleFunction, value: float) -> float:
        """Return the scale at which an increasing function of scale has a value.

        Args:
            function: Increasing in the scale.
            value: The value to find.

        Returns:
            The scale; the nearer end of the path where the function never has the value.
        """
        if value <= 0:
            return BELOW_RANGE * self.low
        goal = math.log(value)

        def distance(log_x: float) -> float:
            at_x = function(math.exp(log_x))
            return math.log(at_x) - goal if at_x > 0 else -math.inf

        # below its range the path continues as it starts, so that too small a request is recognized
        return math.exp(root(distance, math.log(BELOW_RANGE * self.low), math.log(self.high)))


def _inverse(value: float) -> float:
    return 1 / value if value > 0 else math.inf


def broadcast(values: Sequence[T], n: int) -> tuple[T, ...]:
    """Return one value per posterior sample.

    Args:
        values: As many values as samples, or one for every k-th sample: those of a published law repeat.
        n: Number of samples, a multiple of the number of values.

    Returns:
        n values.
    """
    return tuple(values) * (n // len(values)) if values else ()


def value_at(function: ScaleFunction | None, x: float) -> float:
    """Return a quantity at a scale, infinite at an infinite one.

    Args:
        function: The quantity as a function of the scale.
        x: The scale.

    Returns:
        The value, in the quantity's unit.
    """
    assert function is not None
    return function(x) if math.isfinite(x) else math.inf


def path_function(grid: Sequence[float], path: Sequence[float]) -> ScaleFunction:
    """Return a stored path as a function of scale.

    Args:
        grid: Natural logarithms of the scales, increasing.
        path: Natural logarithms of the values on the grid.

    Returns:
        The function, straight in log-log between grid points and beyond its ends.
    """

    def value(x: float) -> float:
        log_value = paths.value_at(grid, path, math.log(x))
        return math.exp(log_value) if log_value < MAX_LOG else math.inf

    return value


def cost_of_size(sizes: Sequence[float], costs: Sequence[float]) -> ScaleFunction:
    """Return the FLOP per sample as a function of the parameters.

    Args:
        sizes: Numbers of parameters that were counted, increasing.
        costs: FLOP per sample of each.

    Returns:
        The function, straight in log-log through the counted sizes; proportional to a single one.
    """
    if len(sizes) == 1:
        return lambda params: costs[0] * params / sizes[0]
    counted = path_function([math.log(size) for size in sizes], [math.log(cost) for cost in costs])
    return lambda params: counted(params) if 0 < params < math.inf else params


def six_flops(params: float) -> float:
    """Return the training FLOP per sample of a dense model: 2 forward and 4 backward per parameter."""
    return 6 * params


def compute_optimal_path(
    surface: Surface,
    *,
    available: float,
    inference: float,
    data_half: float,
    params_half: float,
    flops_per_sample: ScaleFunction | None = six_flops,
) -> Scenario:
    """Return the path of least FLOP on a surface; its scale is the data seen.

    Minimizing 6 N D + 2 N T at a fixed loss, T the tokens of inference (Sardana et al. 2023, section 2),
    gives n = d·(1 + T / 3D), where n and d are the changes of the loss by a relative change of N and of D.

    Args:
        surface: One posterior sample of a joint law.
        available: Different data that there is; infinite without a limit.
        inference: Data that the trained model is run on.
        data_half: R_D* of repeated data.
        params_half: R_N* of parameters beyond those that the data can use.
        flops_per_sample: Training FLOP per sample as a function of parameters.

    Returns:
        The scenario.
    """
    repeated = Repeated(surface=surface, data_half=data_half, params_half=params_half)
    limited = math.isfinite(available)

    def params(samples_seen: float) -> float:
        new = min(samples_seen, available)
        worth = effective(new, samples_seen, data_half) if limited else samples_seen
        # log of d: the elasticity of D' falls off exponentially with the repeats
        fade = math.log(samples_seen / worth) - (samples_seen / new - 1) / data_half if limited else 0.0
        gain = logarithm(surface.beta * surface.B) - surface.beta * math.log(worth) + fade
        gain += math.log1p(inference / (3 * samples_seen))
        free = exponential((logarithm(surface.alpha * surface.A) - gain) / surface.alpha)
        free = max(free, SMALLEST)  # of almost no data the best model would have 0 parameters
        useful = surface.best_params_for(new)
        if not limited or free <= useful or useful == 0:
            return free

        def slope(log_n: float) -> float:
            n = math.exp(log_n)
            worth = effective(useful, n, params_half)
            log = math.log(surface.alpha * surface.A) - surface.alpha * math.log(worth)
            return gain - (log + log_n - math.log(worth) - (n / useful - 1) / params_half)

        most = min(free, useful * (1 + 2 * MAX_REPEAT_LIVES * params_half))
        return math.exp(root(slope, math.log(useful), math.log(most)))

    best_params = params if limited or inference else _best_params(surface)

    def error(samples_seen: float) -> float:
        if limited:
            return repeated.loss(best_params(samples_seen), samples_seen, available)
        return surface.loss(best_params(samples_seen), samples_seen)

    def exact(target: float) -> float:
        size, data = surface.least_flops(target)
        return math.nan if surface.rate and size * data > surface.largest else data

    return Scenario(
        low=1.0,
        high=available * (1 + MAX_REPEAT_LIVES * data_half) if limited else MAX_SCALE,
        error=error,
        data=lambda samples_seen: min(samples_seen, available),
        samples_seen=lambda samples_seen: samples_seen,
        params=best_params,
        flops_per_sample=flops_per_sample,
        loss=(lambda n, samples_seen: repeated.loss(n, samples_seen, available)) if limited else surface.loss,
        floor=surface.floor,
        exact_inverse=exact if not limited and inference == 0 else None,
    )


def _best_params(surface: Surface) -> ScaleFunction:
    """Return the best size without limits, a power of the data; what decides the cost of many samples."""
    steepness = surface.beta / surface.alpha
    level = (logarithm(surface.alpha * surface.A) - logarithm(surface.beta * surface.B)) / surface.alpha
    return lambda data: max(exponential(level + steepness * math.log(data)), SMALLEST)


def smallest_model_path(
    surface: Surface, *, available: float, flops_per_sample: ScaleFunction | None = six_flops
) -> Scenario:
    """Return the path of models that see all available data once; its scale is the number of parameters.

    Args:
        surface: One posterior sample of a joint law.
        available: Different data that there is.
        flops_per_sample: Training FLOP per sample as a function of parameters.

    Returns:
        The scenario.
    """
    return Scenario(
        low=1.0,
        high=MAX_SCALE,
        error=lambda params: surface.loss(params, available),
        data=lambda _: available,
        samples_seen=lambda _: available,
        params=lambda params: params,
        flops_per_sample=flops_per_sample,
        floor=surface.loss(math.inf, available),
    )
