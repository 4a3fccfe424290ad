"""An encoder-decoder Transformer of a fixed number of layers, its width the size.

Vaswani et al. 2017, arXiv:1706.03762, with the norm before each layer and learned positions; heads are 32
wide; no dropout.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from calibrate.models.attention import inside

LAYERS = 2  # of the encoder, and as many of the decoder
HEAD_WIDTH = 32  # width of an attention head, where it divides the model's
WIDENING = 4  # the perceptron's hidden layer over the model's width
INITIAL_DEVIATION = 0.02  # of embeddings

Past = tuple[Tensor, ...]  # for each decoder layer, what later positions attend to (batch, positions, width)


class EncoderDecoder(nn.Module):
    """A model that scores the next target piece, given the source and the target so far.

    Args:
        width: Of every layer.
        sources: Pieces of the source vocabulary.
        targets: Pieces of the target vocabulary.
        positions: The most pieces of a sentence.
    """

    def __init__(self, width: int, sources: int, targets: int, *, positions: int) -> None:
        super().__init__()
        self.source = nn.Embedding(sources, width)
        self.target = nn.Embedding(targets, width)
        self.positions = nn.Parameter(torch.empty(2, positions, width))
        for table in (self.source.weight, self.target.weight, self.positions):
            nn.init.normal_(table, std=INITIAL_DEVIATION)
        self.encoder = nn.ModuleList(_Layer(width, crossed=False) for _ in range(LAYERS))
        self.decoder = nn.ModuleList(_Layer(width, crossed=True) for _ in range(LAYERS))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
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
        padding = ~inside(lengths, source.shape[1])
        hidden = self.source(source) + self.positions[0, : source.shape[1]]
        for layer in self.encoder:
            hidden, _ = layer(hidden, visible=~padding[:, None, None])
        return self.norms[0](hidden), padding

    def states(
        self, memory: Tensor, padding: Tensor, target: Tensor, past: Past | None = None
    ) -> tuple[Tensor, Past]:
        """Return the decoder's states for the next targets.

        Args:
            memory: From `encode`.
            padding: From `encode`.
            target: The next targets (batch, t); only one at a time after the beginning.
            past: As returned with the targets before them; None at the beginning.

        Returns:
            States (batch, t, width), which `output` scores, and the new past.
        """
        before = past[0].shape[1] if past else 0
        hidden = self.target(target) + self.positions[1, before : before + target.shape[1]]
        presents = []
        for layer, before_layer in zip(self.decoder, past or (None,) * LAYERS, strict=True):
            hidden, own = layer(hidden, past=before_layer, memory=memory, in_memory=~padding[:, None, None])
            presents.append(own)
        return self.norms[1](hidden), tuple(presents)


class _Layer(nn.Module):
    """Attention to itself, in the decoder to the memory too, and a perceptron, each added to its input."""

    def __init__(self, width: int, *, crossed: bool) -> None:
        super().__init__()
        self.own = _Attention(width)
        self.crossed = _Attention(width) if crossed else None
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3 if crossed else 2))
        self.inner = nn.Linear(width, WIDENING * width)
        self.outer = nn.Linear(WIDENING * width, width)

    def forward(
        self,
        hidden: Tensor,
        *,
        visible: Tensor | None = None,
        past: Tensor | None = None,
        memory: Tensor | None = None,
        in_memory: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Map (batch, positions, width) to the same shape.

        Without `visible`, a position attends to itself and to those before it. The second value is what later
        positions attend to (batch, past and these, width).
        """
        normal = self.norms[0](hidden)
        own = normal if past is None else torch.cat([past, normal], dim=1)
        hidden = hidden + self.own(normal, own, visible, causal=visible is None and past is None)
        if self.crossed is not None:
            hidden = hidden + self.crossed(self.norms[2](hidden), memory, in_memory, causal=False)
        return hidden + self.outer(functional.gelu(self.inner(self.norms[1](hidden)))), own


class _Attention(nn.Module):
    """Multi-head attention of one sequence to another."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.heads = next(n for n in range(max(1, width // HEAD_WIDTH), 0, -1) if width % n == 0)
        self.queries = nn.Linear(width, width)
        self.keys_values = nn.Linear(width, 2 * width)
        self.result = nn.Linear(width, width)

    def forward(self, inputs: Tensor, context: Tensor, visible: Tensor | None, *, causal: bool) -> Tensor:
        """Let inputs (batch, positions, width) attend to a context (batch, n, width); return their shape."""
        batch, positions, width = inputs.shape
        queries = self.queries(inputs).view(batch, positions, self.heads, -1).transpose(1, 2)
        keys, values = (
            self.keys_values(context).view(batch, context.shape[1], 2, self.heads, -1).permute(2, 0, 3, 1, 4)
        )
        attended = functional.scaled_dot_product_attention(
            queries, keys, values, attn_mask=visible, is_causal=causal
        )
        result: Tensor = self.result(attended.transpose(1, 2).reshape(batch, positions, width))
        return result
