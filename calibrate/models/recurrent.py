"""A recurrent layer that reads a sequence in both directions, for the encoders."""

import torch
from torch import Tensor, nn


class Bidirectional(nn.Module):
    """An LSTM in each direction; the backward one starts at every sequence's own end, not in its padding.

    Args:
        inputs: Width of the inputs.
        width: States of each direction.
    """

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.forwards = nn.LSTM(inputs, width, batch_first=True)
        self.backwards = nn.LSTM(inputs, width, batch_first=True)
        self.norm = nn.LayerNorm(2 * width)

    def forward(self, hidden: Tensor, lengths: Tensor) -> Tensor:
        """Read sequences in both directions.

        Args:
            hidden: Inputs (batch, time, inputs).
            lengths: Positions of each sequence (batch,), on the same device.

        Returns:
            Normalized states of both directions (batch, time, 2·width).
        """
        time = torch.arange(hidden.shape[1], device=hidden.device)
        mirrored = torch.where(time < lengths[:, None], lengths[:, None] - 1 - time, time)[:, :, None]
        forward = self.forwards(hidden)[0]
        backward = self.backwards(hidden.take_along_dim(mirrored, 1))[0].take_along_dim(mirrored, 1)
        normal: Tensor = self.norm(torch.cat([forward, backward], dim=-1))
        return normal
