"""Round numbers along an axis: a logarithmic one for errors, a linear one for metrics that rise."""

import math

_STEPS: tuple[tuple[float, ...], ...] = (  # in each decade, from few to many
    (1,),
    (1, 2, 5),
    (1, 2, 3, 5, 7),
    (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8),
    (1, 1.1, 1.2, 1.3, 1.4, 1.6, 1.8, 2, 2.2, 2.4, 2.6, 2.8, 3, 3.3, 3.6, 4, 4.5, 5, 5.5, 6, 7, 8, 9),
)
MIN_TICKS = 3


def linear_ticks(low: float, high: float) -> list[float]:
    """Return round numbers from low to high on a linear axis, in steps of 1, 2 or 5.

    Args:
        low: The lower end of the axis.
        high: The upper end.

    Returns:
        Three to seven ascending numbers.
    """
    power = 10.0 ** math.floor(math.log10((high - low) / MIN_TICKS))
    step = next(s * power for s in (5, 2, 1) if (high - low) / (s * power) >= MIN_TICKS)
    return [float(f"{i * step:.12g}") for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def round_ticks(low: float, high: float, *, max_decades: int = 8) -> list[float]:
    """Return round numbers from low to high: decades, and steps between them where decades are few.

    Args:
        low: The lower end of the axis, above 0.
        high: The upper end.
        max_decades: On a longer axis decades are left out, every second one or more.

    Returns:
        At least three ascending numbers.
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = max(1, math.ceil(math.log10(high / low) / max_decades - 0.5))
    for steps in _STEPS:
        ticks = [
            step * 10.0**power
            for power in range(first, last + 1)
            for step in steps
            if low <= step * 10.0**power <= high and (power % every == 0 or len(steps) > 1)
        ]
        if len(ticks) >= MIN_TICKS:
            return ticks
    # so short an axis has no round numbers: its ends and two values between them are better than no label
    return [low * (high / low) ** (i / 3) for i in range(4)]
