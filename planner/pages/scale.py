"""Round numbers along a logarithmic axis."""

import math

# in each decade, by how many decades the range has
_STEPS: tuple[tuple[float, tuple[float, ...]], ...] = (
    (0.3, (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8)),
    (0.7, (1, 2, 3, 5, 7)),
    (2, (1, 2, 5)),
    (math.inf, (1,)),
)


def round_places(low: float, high: float, *, most: int = 8) -> list[float]:
    """Return round numbers from low to high: decades, and within few of them round numbers between."""
    decades = math.log10(high / low)
    steps = next(steps for widest, steps in _STEPS if decades < widest)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = max(1, math.ceil(decades / most - 0.5))
    found = [
        step * 10.0**power
        for power in range(first, last + 1)
        for step in steps
        if low <= step * 10.0**power <= high and (power % every == 0 or len(steps) > 1)
    ]
    if len(found) < 2:  # a range without a round number: its ends say more than nothing
        found = [low * (high / low) ** (i / 3) for i in range(4)]
    return found
