"""Attention to a memory of positions, some of them padding, for the recurrent decoders."""

import torch
from torch import Tensor


def inside(lengths: Tensor, positions: int) -> Tensor:
    """Return which positions are within each length.

    Args:
        lengths: Lengths (batch,).
        positions: The number of positions.

    Returns:
        Booleans (batch, positions).
    """
    return torch.arange(positions, device=lengths.device) < lengths[:, None]


def attended(
    queries: Tensor, memory: Tensor, padding: Tensor, nearness: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return what queries attend to in a memory, with one head and the dot product as score.

    Source: Luong et al. 2015, arXiv:1508.04025, equations 7 and 8, here scaled by width^-1/2 (Vaswani et al.
    2017, arXiv:1706.03762).

    Args:
        queries: (batch, queries, width).
        memory: (batch, positions, width).
        padding: True where the memory is padding (batch, positions).
        nearness: Added to the scores (batch, queries, positions).

    Returns:
        Contexts (batch, queries, width), and the weights (batch, queries, positions).
    """
    scores = queries @ memory.transpose(1, 2) * memory.shape[2] ** -0.5
    if nearness is not None:
        scores = scores + nearness
    weights = scores.masked_fill(padding[:, None], -torch.inf).softmax(-1)
    return weights @ memory, weights
