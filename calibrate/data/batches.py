"""Batches of sequences of similar length: little padding, and still another order every epoch."""

import numpy as np
from numpy.typing import NDArray

_SORTED_TOGETHER = 16  # batches

Indices = NDArray[np.int64]  # (batch,): positions in a split of a corpus


def by_length(lengths: NDArray[np.int64], chosen: Indices, size: int) -> list[Indices]:
    """Cut sequences into batches, the shortest first.

    Args:
        lengths: Length of every sequence of the split (sequences,).
        chosen: Indices (chosen,) of those to use.
        size: Sequences per batch.

    Returns:
        For each batch its indices.
    """
    ordered = chosen[np.argsort(lengths[chosen], kind="stable")]
    return [ordered[first : first + size] for first in range(0, len(ordered), size)]


def shuffled(lengths: NDArray[np.int64], size: int, seed: int) -> list[Indices]:
    """Return batches of all sequences in random order, each of sequences of similar length.

    Args:
        lengths: Length of every sequence (sequences,).
        size: Sequences per batch.
        seed: Decides the order.

    Returns:
        For each batch its indices (size,); the last one of a pool may be smaller.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(lengths))
    pool = _SORTED_TOGETHER * size
    batches = [
        batch
        for first in range(0, len(order), pool)
        for batch in by_length(lengths, order[first : first + pool], size)
    ]
    return [batches[i] for i in rng.permutation(len(batches))]
