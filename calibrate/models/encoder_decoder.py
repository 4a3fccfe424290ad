"""An encoder-decoder Transformer of a fixed number of layers, its width the size.

Vaswani et al. 2017, arXiv:1706.03762, with the norm before each part and learned positions; heads are 32
wide; no dropout.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from calibrate.models.attention import inside

LAYERS = 2  # of the encoder, and as many of the decoder
HEAD = 32  # width of an attention head, where it divides the model's
INNER = 4  # the perceptron's hidden layer over the model's width
SPREAD = 0.02  # standard deviation of embeddings at the start

Past = tuple[Tensor, ...]  # of each decoder layer what later places attend to (batch, places, width)


class EncoderDecoder(nn.Module):
    """Scores of the next target piece, given the source and the target so far."""

    def __init__(self, width: int, sources: int, targets: int, *, places: int) -> None:
        super().__init__()
        self.source = nn.Embedding(sources, width)
        self.target = nn.Embedding(targets, width)
        self.positions = nn.Parameter(torch.empty(2, places, width))
        for table in (self.source.weight, self.target.weight, self.positions):
            nn.init.normal_(table, std=SPREAD)
        self.encoder = nn.ModuleList(_Layer(width, crossed=False) for _ in range(LAYERS))
        self.decoder = nn.ModuleList(_Layer(width, crossed=True) for _ in range(LAYERS))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.output = nn.Linear(width, targets)

    def forward(self, source: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        """Map sources (batch, s), lengths and targets so far (batch, t) to scores (batch, t, targets)."""
        scores: Tensor = self.output(self.states(*self.encode(source, lengths), target)[0])
        return scores

    def encode(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Map sources to memory (batch, places, width) and where it is padding (batch, places)."""
        padding = ~inside(lengths, source.shape[1])
        hidden = self.source(source) + self.positions[0, : source.shape[1]]
        for layer in self.encoder:
            hidden, _ = layer(hidden, seen=~padding[:, None, None])
        return self.norms[0](hidden), padding

    def states(
        self, memory: Tensor, padding: Tensor, target: Tensor, past: Past | None = None
    ) -> tuple[Tensor, Past]:
        """Map memory and the next targets (batch, t) to the states (batch, t, width) that are scored.

        `past` is what came back with the targets before them, None at the beginning; after it one at a time.
        """
        before = past[0].shape[1] if past else 0
        hidden = self.target(target) + self.positions[1, before : before + target.shape[1]]
        seen = []
        for layer, held in zip(self.decoder, past or (None,) * LAYERS, strict=True):
            hidden, own = layer(hidden, past=held, memory=memory, remembered=~padding[:, None, None])
            seen.append(own)
        return self.norms[1](hidden), tuple(seen)


class _Layer(nn.Module):
    """Attention to itself, in the decoder to the memory too, and a perceptron, each added to its input."""

    def __init__(self, width: int, *, crossed: bool) -> None:
        super().__init__()
        self.own = _Attention(width)
        self.crossed = _Attention(width) if crossed else None
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3 if crossed else 2))
        self.inner = nn.Linear(width, INNER * width)
        self.outer = nn.Linear(INNER * width, width)

    def forward(
        self,
        hidden: Tensor,
        *,
        seen: Tensor | None = None,
        past: Tensor | None = None,
        memory: Tensor | None = None,
        remembered: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Map (batch, places, width) to the same shape; without `seen` a place sees itself and the past.

        Returned with it is what later places see of these and of the `past`.
        """
        normal = self.norms[0](hidden)
        own = normal if past is None else torch.cat([past, normal], dim=1)
        hidden = hidden + self.own(normal, own, seen, causal=seen is None and past is None)
        if self.crossed is not None:
            hidden = hidden + self.crossed(self.norms[2](hidden), memory, remembered, causal=False)
        return hidden + self.outer(functional.gelu(self.inner(self.norms[1](hidden)))), own


class _Attention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = next(n for n in range(max(1, width // HEAD), 0, -1) if width % n == 0)
        self.asked = nn.Linear(width, width)
        self.held = nn.Linear(width, 2 * width)
        self.result = nn.Linear(width, width)

    def forward(self, asking: Tensor, holding: Tensor, seen: Tensor | None, *, causal: bool) -> Tensor:
        batch, places, width = asking.shape
        queries = self.asked(asking).view(batch, places, self.heads, -1).transpose(1, 2)
        keys, values = (
            self.held(holding).view(batch, holding.shape[1], 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        )
        found = functional.scaled_dot_product_attention(
            queries, keys, values, attn_mask=seen, is_causal=causal
        )
        result: Tensor = self.result(found.transpose(1, 2).reshape(batch, places, width))
        return result
