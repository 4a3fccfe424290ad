"""A language model of stacked LSTM layers, its width the size: the word model of Hestness et al. 2017.

Hestness et al. 2017, arXiv:1712.00409; Hochreiter and Schmidhuber 1997, doi:10.1162/neco.1997.9.8.1735;
Jozefowicz et al. 2016, arXiv:1602.02410, for words. Embedding, states and the input of the output layer have
the same width; no projection, no dropout, no tied weights.
"""

import torch
from torch import Tensor, nn


class LSTM(nn.Module):
    """A model that scores the next symbol at every position of a window.

    Each gate has one bias, as in the formula 8·width² + 4·width of a layer: cuDNN's second one is kept at
    zero and not trained.

    Args:
        width: States of every layer.
        symbols: Symbols of the vocabulary.
        layers: The number of layers.
    """

    def __init__(self, width: int, symbols: int, layers: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(symbols, width)
        self.recurrent = nn.LSTM(width, width, layers, batch_first=True)
        self.output = nn.Linear(width, symbols)
        with torch.no_grad():
            for layer in range(layers):
                getattr(self.recurrent, f"bias_hh_l{layer}").requires_grad_(False).zero_()
                # a gate that begins open keeps the past (Jozefowicz et al. 2015)
                getattr(self.recurrent, f"bias_ih_l{layer}")[width : 2 * width] = 1.0

    def forward(self, symbols: Tensor) -> Tensor:
        """Return the scores of the next symbols; every window begins with no memory.

        Args:
            symbols: Codes (batch, time).

        Returns:
            Scores of the next symbol (batch, time, symbols).
        """
        scores: Tensor = self.output(self.recurrent(self.embedding(symbols))[0])
        return scores
