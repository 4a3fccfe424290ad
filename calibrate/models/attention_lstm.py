"""Sequence to sequence with LSTMs and attention, its width the size (Hestness et al. 2017, arXiv:1712.00409).

Attention as in Luong et al. 2015, arXiv:1508.04025 (global, dot product; the attended state is not fed back
into the decoder, so that all target positions are trained at once). One bidirectional encoder layer, two
decoder layers, no dropout.
"""

import torch
from torch import Tensor, nn

from calibrate.models.attention import attended, inside
from calibrate.models.recurrent import Bidirectional

DECODER_LAYERS = 2

Past = tuple[Tensor, ...]  # hidden and cell states of the decoder (layers, batch, width)


class AttentionLSTM(nn.Module):
    """A model that scores the next target piece, given the source and the target so far.

    Args:
        width: Of every layer.
        sources: Pieces of the source vocabulary.
        targets: Pieces of the target vocabulary.
    """

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
        """Return the scores of the next target pieces.

        Args:
            source: Source pieces (batch, s).
            lengths: Pieces of each source (batch,).
            target: Targets so far (batch, t).

        Returns:
            Scores of the next target (batch, t, targets).
        """
        scores: Tensor = self.output(self.states(*self.encode(source, lengths), target)[0])
        return scores

    def encode(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode sources.

        Args:
            source: Source pieces (batch, s).
            lengths: Pieces of each source (batch,).

        Returns:
            Memory (batch, s, width), and True where it is padding (batch, s).
        """
        memory = self.memory(self.encoder(self.source(source), lengths))
        return memory, ~inside(lengths, source.shape[1])

    def states(
        self, memory: Tensor, padding: Tensor, target: Tensor, past: Past | None = None
    ) -> tuple[Tensor, Past]:
        """Return the decoder's states for the next targets.

        Args:
            memory: From `encode`.
            padding: From `encode`.
            target: The next targets (batch, t).
            past: As returned with the targets before them; None at the beginning.

        Returns:
            States (batch, t, width), which `output` scores, and the new past.
        """
        if past is None:
            present = memory.masked_fill(padding[:, :, None], 0.0)
            first = torch.tanh(present.sum(1) / (~padding).sum(1, keepdim=True))
            first = first.expand(DECODER_LAYERS, -1, -1).contiguous()
            past = first, torch.zeros_like(first)
        hidden, past = self.decoder(self.target(target), past)
        contexts, _ = attended(hidden, memory, padding)
        states = torch.tanh(self.combine(torch.cat([contexts, hidden], dim=-1)))
        return states, past
