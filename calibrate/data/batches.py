"""Batches of sequences that are alike in length: little padding, and still another order every epoch."""

import numpy as np
from numpy.typing import NDArray

_POOL = 16  # batches sorted by length together

Chosen = NDArray[np.int64]  # (batch,): places in a part of a corpus


def by_length(lengths: NDArray[np.int64], chosen: Chosen, size: int) -> list[Chosen]:
    """Cut what is chosen into batches of `size`, the shortest first."""
    ordered = chosen[np.argsort(lengths[chosen], kind="stable")]
    return [ordered[first : first + size] for first in range(0, len(ordered), size)]


def shuffled(lengths: NDArray[np.int64], size: int, seed: int) -> list[Chosen]:
    """Return batches of everything in an order of the seed, each of sequences of similar length."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(lengths))
    pool = _POOL * size
    batches = [
        batch
        for first in range(0, len(order), pool)
        for batch in by_length(lengths, order[first : first + pool], size)
    ]
    return [batches[i] for i in rng.permutation(len(batches))]
