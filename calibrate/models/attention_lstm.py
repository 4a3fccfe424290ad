"""Sequence to sequence with LSTMs and attention, its width the size, as in Hestness et al. 2017.

Attention as in Luong et al. 2015, arXiv:1508.04025 (global, dot product; the attended state is not fed back
into the decoder, so that all target places are trained at once). One bidirectional encoder layer, two decoder
layers, no dropout.
"""

import torch
from torch import Tensor, nn

from calibrate.models.attention import attended, inside
from calibrate.models.recurrent import Bidirectional

DECODER_LAYERS = 2

Past = tuple[Tensor, ...]  # hidden and cell states of the decoder (layers, batch, width)


class AttentionLSTM(nn.Module):
    """Scores of the next target piece, given the source and the target so far."""

    def __init__(self, width: int, sources: int, targets: int) -> None:
        super().__init__()
        self.source = nn.Embedding(sources, width)
        self.target = nn.Embedding(targets, width)
        self.encoder = Bidirectional(width, width)
        self.memory = nn.Linear(2 * width, width)
        self.decoder = nn.LSTM(width, width, DECODER_LAYERS, batch_first=True)
        self.combine = nn.Linear(2 * width, width)
        self.output = nn.Linear(width, targets)

    def forward(self, source: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        """Map sources (batch, s), lengths and targets so far (batch, t) to scores (batch, t, targets)."""
        scores: Tensor = self.output(self.states(*self.encode(source, lengths), target)[0])
        return scores

    def encode(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Map sources to memory (batch, places, width) and where it is padding (batch, places)."""
        memory = self.memory(self.encoder(self.source(source), lengths))
        return memory, ~inside(lengths, source.shape[1])

    def states(
        self, memory: Tensor, padding: Tensor, target: Tensor, past: Past | None = None
    ) -> tuple[Tensor, Past]:
        """Map memory and the next targets (batch, t) to the states (batch, t, width) that are scored.

        `past` is what came back with the targets before them, None at the beginning.
        """
        if past is None:
            kept = memory.masked_fill(padding[:, :, None], 0.0)
            first = torch.tanh(kept.sum(1) / (~padding).sum(1, keepdim=True))
            first = first.expand(DECODER_LAYERS, -1, -1).contiguous()
            past = first, torch.zeros_like(first)
        hidden, past = self.decoder(self.target(target), past)
        found, _ = attended(hidden, memory, padding)
        context = torch.tanh(self.combine(torch.cat([found, hidden], dim=-1)))
        return context, past
