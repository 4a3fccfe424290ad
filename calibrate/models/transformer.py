"""A decoder-only Transformer of a fixed number of layers, its width the size.

Vaswani et al. 2017, arXiv:1706.03762, with the norm before each layer and learned positions as in GPT-2
(Radford et al. 2019); heads are 32 wide; no dropout.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

HEAD_WIDTH = 32  # width of an attention head, where it divides the model's
WIDENING = 4  # the perceptron's hidden layer over the model's width
INITIAL_DEVIATION = 0.02  # of embeddings


class Transformer(nn.Module):
    """A model that scores the next symbol at every position of a window.

    Args:
        width: Of every layer.
        symbols: Symbols of the vocabulary.
        layers: The number of layers.
        window: The most symbols of a window.
    """

    def __init__(self, width: int, symbols: int, *, layers: int, window: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols, width)
        self.positions = nn.Parameter(torch.empty(window, width))
        self.blocks = nn.Sequential(*(Block(width, layers, causal=True) for _ in range(layers)))
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, symbols)
        nn.init.normal_(self.embedding.weight, std=INITIAL_DEVIATION)
        nn.init.normal_(self.positions, std=INITIAL_DEVIATION)

    def forward(self, symbols: Tensor) -> Tensor:
        """Return the scores of the next symbols; positions see only the past.

        Args:
            symbols: Codes (batch, time), at most `window` in time.

        Returns:
            Scores of the next symbol (batch, time, symbols).
        """
        hidden = self.embedding(symbols) + self.positions[: symbols.shape[1]]
        scores: Tensor = self.output(self.norm(self.blocks(hidden)))
        return scores


class Block(nn.Module):
    """Attention and a perceptron, each added to its input.

    Args:
        width: Of the layer.
        layers: Of the model, which decides the initial weights.
        causal: Whether a position attends only to itself and the past.
    """

    def __init__(self, width: int, layers: int, *, causal: bool) -> None:
        super().__init__()
        self.causal = causal
        self.heads = next(n for n in range(max(1, width // HEAD_WIDTH), 0, -1) if width % n == 0)
        self.before_attention = nn.LayerNorm(width)
        self.mixed = nn.Linear(width, 3 * width)
        self.attended = nn.Linear(width, width)
        self.before_perceptron = nn.LayerNorm(width)
        self.inner = nn.Linear(width, WIDENING * width)
        self.outer = nn.Linear(WIDENING * width, width)
        with torch.no_grad():
            # what is added to the sum shrinks with the number of additions (GPT-2)
            for added in (self.attended, self.outer):
                added.weight /= (2 * layers) ** 0.5

    def forward(self, hidden: Tensor) -> Tensor:
        """Apply the block.

        Args:
            hidden: Input (batch, positions, width).

        Returns:
            Output (batch, positions, width).
        """
        batch, positions, width = hidden.shape
        mixed = self.mixed(self.before_attention(hidden))
        queries, keys, values = mixed.view(batch, positions, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(queries, keys, values, is_causal=self.causal)
        hidden = hidden + self.attended(attended.transpose(1, 2).reshape(batch, positions, width))
        out: Tensor = hidden + self.outer(functional.gelu(self.inner(self.before_perceptron(hidden))))
        return out
