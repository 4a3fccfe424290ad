"""Attention to a memory of places, some of them padding: what the recurrent decoders share."""

import torch
from torch import Tensor


def inside(lengths: Tensor, places: int) -> Tensor:
    """Return which of so many places lie within each length, (batch, places)."""
    return torch.arange(places, device=lengths.device) < lengths[:, None]


def attended(
    asking: Tensor, memory: Tensor, padding: Tensor, nearness: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Return what (batch, asked, width) find in a memory (batch, places, width), and with which weights.

    Scaled dot product with one head (Luong et al. 2015, arXiv:1508.04025, equations 7 and 8); `nearness`
    (batch, asked, places) is added to the scores.
    """
    scores = asking @ memory.transpose(1, 2) * memory.shape[2] ** -0.5
    if nearness is not None:
        scores = scores + nearness
    weights = scores.masked_fill(padding[:, None], -torch.inf).softmax(-1)
    return weights @ memory, weights
