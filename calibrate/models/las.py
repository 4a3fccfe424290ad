"""Listen, attend and spell with its width as the size: a pyramid of recurrent layers, attention, characters.

Chan et al. 2016, arXiv:1508.01211. The pyramid merges three frames and then two, 60 ms in all: about a
character. Attention also depends on where it was before, as in Chorowski et al. 2015, arXiv:1506.07503, in
the form of Zhang et al. 2018, arXiv:1807.06736: the weights of the last step, moved on by at most AHEAD
positions, are a prior of the next. Without it, an hour of speech is too little to learn where to listen. One
decoder layer, no dropout, no label smoothing, no sampling of inputs.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from calibrate.data.features import MELS
from calibrate.models.attention import attended, inside
from calibrate.models.recurrent import Bidirectional

MERGED = (3, 2)  # frames, then outputs, that a layer of the listener takes together
AHEAD = 4  # positions that attention may move on with a character
LEAP = 1e-4  # prior of every other position
END = 0  # before the first character and after the last; the alphabet begins at 1

State = tuple[Tensor, Tensor, Tensor, Tensor]  # hidden, cell, context (b, width), weights (b, 1, positions)


class ListenAttendSpell(nn.Module):
    """A model that scores the next character.

    Args:
        width: States of every layer and direction.
        symbols: Characters, and END.
    """

    def __init__(self, width: int, symbols: int) -> None:
        super().__init__()
        self.width = width
        inputs = (MERGED[0] * MELS, *(merged * 2 * width for merged in MERGED[1:]))
        self.listener = nn.ModuleList(Bidirectional(size, width) for size in inputs)
        self.memory = nn.Linear(2 * width, width)
        self.embedding = nn.Embedding(symbols, width)
        self.speller = nn.LSTMCell(2 * width, width)
        self.query = nn.Linear(width, width)
        self.moving = nn.Linear(width, AHEAD + 1)
        self.combine = nn.Linear(2 * width, width)
        self.output = nn.Linear(width, symbols)
        nn.init.zeros_(self.moving.weight)
        nn.init.zeros_(self.moving.bias)

    def forward(self, frames: Tensor, lengths: Tensor, before: Tensor) -> Tensor:
        """Return the scores of characters.

        Args:
            frames: Frames (b, time, 40).
            lengths: Frames of each utterance (b,).
            before: The character before each one, END before the first (b, t).

        Returns:
            Scores (b, t, symbols).
        """
        memory, padding = self.encode(frames, lengths)
        state = self._start(memory)
        states = []
        for letter in self.embedding(before).unbind(1):
            state = self._attend(memory, padding, letter, state)
            states.append(torch.cat([state[0], state[2]], dim=1))
        return self._scores(torch.stack(states, dim=1))

    def encode(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Encode sound.

        Args:
            frames: Frames (b, time, 40).
            lengths: Frames of each utterance (b,).

        Returns:
            Memory (b, positions, width), 60 ms per position, and where it is padding (b, positions).
        """
        hidden = frames
        for merged, layer in zip(MERGED, self.listener, strict=True):
            hidden = functional.pad(hidden, (0, 0, 0, -hidden.shape[1] % merged))
            hidden = hidden.reshape(len(hidden), hidden.shape[1] // merged, -1)
            lengths = (lengths + merged - 1) // merged
            hidden = layer(hidden, lengths) * inside(lengths, hidden.shape[1])[:, :, None]
        return self.memory(hidden), ~inside(lengths, hidden.shape[1])

    def spell(self, frames: Tensor, lengths: Tensor, limits: Tensor) -> list[list[int]]:
        """Decode greedily, one most likely character after the other, until END.

        Args:
            frames: Frames (b, time, 40).
            lengths: Frames of each utterance (b,).
            limits: The most characters of each text (b,).

        Returns:
            For each utterance its codes.
        """
        memory, padding = self.encode(frames, lengths)
        state = self._start(memory)
        letter = torch.full_like(lengths, END)
        going = torch.ones_like(padding[:, 0])
        written = []
        for step in range(int(limits.max())):
            state = self._attend(memory, padding, self.embedding(letter), state)
            letter = self._scores(torch.cat([state[0], state[2]], dim=1)).argmax(-1)
            going = going & (letter != END) & (step < limits)
            letter = letter * going
            written.append(letter)
            if not going.any():
                break
        return [[code for code in row if code != END] for row in torch.stack(written, 1).tolist()]

    def _start(self, memory: Tensor) -> State:
        """Return a state of zeros whose attention is on the first position."""
        nothing = memory.new_zeros(len(memory), self.width)
        first = torch.zeros_like(memory[:, None, :, 0])
        first[:, :, 0] = 1.0
        return nothing, nothing, nothing, first

    def _attend(self, memory: Tensor, padding: Tensor, letter: Tensor, state: State) -> State:
        hidden, cell, context, weights = state
        hidden, cell = self.speller(torch.cat([letter, context], dim=1), (hidden, cell))
        # of each position: the weights of itself and of the AHEAD positions before it, the nearest last
        behind = functional.pad(weights[:, 0], (AHEAD, 0)).unfold(1, AHEAD + 1, 1)
        steps = self.moving(hidden).softmax(-1)[:, :, None]
        nearness = ((behind @ steps).transpose(1, 2) + LEAP).log()
        contexts, weights = attended(self.query(hidden)[:, None], memory, padding, nearness)
        return hidden, cell, contexts[:, 0], weights

    def _scores(self, states: Tensor) -> Tensor:
        scores: Tensor = self.output(torch.tanh(self.combine(states)))
        return scores
