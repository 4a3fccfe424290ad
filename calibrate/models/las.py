"""Listen, attend and spell, reduced to one knob: a pyramid of recurrent layers, attention, characters.

Chan et al. 2016, arXiv:1508.01211. The pyramid merges three frames and then two, 60 ms in all: about a
character. Attention is also told where it was, as in Chorowski et al. 2015, arXiv:1506.07503, in the form of
Zhang et al. 2018, arXiv:1807.06736: the weights of the last step, moved on by at most AHEAD places, are a
prior of the next. Without it an hour of speech is too little to learn where to listen. One decoder layer, no
dropout, no label smoothing, no sampling of inputs.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from calibrate.data.features import MELS
from calibrate.models.attention import attended, inside
from calibrate.models.recurrent import Bidirectional

MERGED = (3, 2)  # frames, then outputs, that a layer of the listener takes together
AHEAD = 4  # places that attention may move on with a character
LEAP = 1e-4  # prior of every other place
END = 0  # stands before the first character and behind the last; the alphabet follows from 1

State = tuple[Tensor, Tensor, Tensor, Tensor]  # hidden, cell, context (b, width), weights (b, 1, places)


class ListenAttendSpell(nn.Module):
    """Scores of the next character; `width` is the states of every layer and direction."""

    def __init__(self, width: int, symbols: int) -> None:
        super().__init__()
        self.width = width
        inputs = (MERGED[0] * MELS, *(merged * 2 * width for merged in MERGED[1:]))
        self.listener = nn.ModuleList(Bidirectional(size, width) for size in inputs)
        self.memory = nn.Linear(2 * width, width)
        self.embedding = nn.Embedding(symbols, width)
        self.speller = nn.LSTMCell(2 * width, width)
        self.asking = nn.Linear(width, width)
        self.moving = nn.Linear(width, AHEAD + 1)
        self.combine = nn.Linear(2 * width, width)
        self.output = nn.Linear(width, symbols)
        nn.init.zeros_(self.moving.weight)
        nn.init.zeros_(self.moving.bias)

    def forward(self, frames: Tensor, lengths: Tensor, before: Tensor) -> Tensor:
        """Map frames (b, time, 40) and what stands before each character (b, t) to (b, t, symbols)."""
        memory, padding = self.heard(frames, lengths)
        state = self._start(memory)
        states = []
        for letter in self.embedding(before).unbind(1):
            state = self._attend(memory, padding, letter, state)
            states.append(torch.cat([state[0], state[2]], dim=1))
        return self._scores(torch.stack(states, dim=1))

    def heard(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Map frames to memory (b, places, width) and where it is padding (b, places); a place is 60 ms."""
        hidden = frames
        for merged, layer in zip(MERGED, self.listener, strict=True):
            hidden = functional.pad(hidden, (0, 0, 0, -hidden.shape[1] % merged))
            hidden = hidden.reshape(len(hidden), hidden.shape[1] // merged, -1)
            lengths = (lengths + merged - 1) // merged
            hidden = layer(hidden, lengths) * inside(lengths, hidden.shape[1])[:, :, None]
        return self.memory(hidden), ~inside(lengths, hidden.shape[1])

    def spell(self, frames: Tensor, lengths: Tensor, most: Tensor) -> list[list[int]]:
        """Return the likeliest next character again and again until END, `most` (b,) at most."""
        memory, padding = self.heard(frames, lengths)
        state = self._start(memory)
        letter = torch.full_like(lengths, END)
        going = torch.ones_like(padding[:, 0])
        written = []
        for place in range(int(most.max())):
            state = self._attend(memory, padding, self.embedding(letter), state)
            letter = self._scores(torch.cat([state[0], state[2]], dim=1)).argmax(-1)
            going = going & (letter != END) & (place < most)
            letter = letter * going
            written.append(letter)
            if not going.any():
                break
        return [[code for code in row if code != END] for row in torch.stack(written, 1).tolist()]

    def _start(self, memory: Tensor) -> State:
        """Return a state without memories, whose attention is on the first place."""
        nothing = memory.new_zeros(len(memory), self.width)
        first = torch.zeros_like(memory[:, None, :, 0])
        first[:, :, 0] = 1.0
        return nothing, nothing, nothing, first

    def _attend(self, memory: Tensor, padding: Tensor, letter: Tensor, state: State) -> State:
        hidden, cell, context, weights = state
        hidden, cell = self.speller(torch.cat([letter, context], dim=1), (hidden, cell))
        # of each place: the weights of itself and of the AHEAD places before it, the nearest last
        behind = functional.pad(weights[:, 0], (AHEAD, 0)).unfold(1, AHEAD + 1, 1)
        steps = self.moving(hidden).softmax(-1)[:, :, None]
        nearness = ((behind @ steps).transpose(1, 2) + LEAP).log()
        found, weights = attended(self.asking(hidden)[:, None], memory, padding, nearness)
        return hidden, cell, found[:, 0], weights

    def _scores(self, states: Tensor) -> Tensor:
        scores: Tensor = self.output(torch.tanh(self.combine(states)))
        return scores
