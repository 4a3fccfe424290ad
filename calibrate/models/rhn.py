"""A recurrent highway network: one recurrent layer that is deep in every step of time.

Zilly et al. 2017, arXiv:1607.03474, equations 7 to 9 with the carry gate 1 - t: in step l of depth L

    s_l = h·t + s_(l-1)·(1 - t)
    h = tanh(R_H s_(l-1) + b + [l = 1] W_H x),  t = σ(R_T s_(l-1) + b + [l = 1] W_T x)

The width is the size; Hestness et al. 2017, arXiv:1712.00409, use depth 10 for characters.
"""

import torch
from torch import Tensor, nn

CARRY_BIAS = -2.0  # initial bias of the transform gates: mostly closed, so that gradients reach far back


class RHN(nn.Module):
    """A model that scores the next symbol at every position of a window.

    Args:
        width: States.
        symbols: Symbols of the vocabulary.
        depth: Highway layers per step of time.
    """

    def __init__(self, width: int, symbols: int, depth: int) -> None:
        super().__init__()
        self.width = width
        self.embedding = nn.Embedding(symbols, width)
        self.input = nn.Linear(width, 2 * width, bias=False)
        self.recurrent = nn.ModuleList(nn.Linear(width, 2 * width) for _ in range(depth))
        self.output = nn.Linear(width, symbols)
        with torch.no_grad():
            for layer in self.recurrent:
                nn.init.constant_(layer.get_parameter("bias")[width:], CARRY_BIAS)

    def forward(self, symbols: Tensor) -> Tensor:
        """Return the scores of the next symbols; every window begins with no memory.

        Args:
            symbols: Codes (batch, time).

        Returns:
            Scores of the next symbol (batch, time, symbols).
        """
        inputs = self.input(self.embedding(symbols))
        # the state is a long sum: it keeps the precision of the weights
        state = torch.zeros(len(symbols), self.width, dtype=self.output.weight.dtype, device=inputs.device)
        states = []
        for moment in inputs.unbind(1):
            added: Tensor | None = moment
            for layer in self.recurrent:
                pre = layer(state) if added is None else layer(state) + added
                added = None
                new, gate = pre.chunk(2, dim=1)
                state = state + gate.sigmoid() * (new.tanh() - state)
            states.append(state)
        scores: Tensor = self.output(torch.stack(states, 1))
        return scores
