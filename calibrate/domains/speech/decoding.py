"""How each family of speech models is trained and decoded: its loss, its greedy decoding, its cost.

`ds2` predicts a symbol for every output frame, and CTC sums over all alignments with the text (Graves et al.
2006, doi:10.1145/1143844.1143891). `attention` predicts one character after the other from those before it:
the true ones in training and in the loss, its own in decoding (Chan et al. 2016, arXiv:1508.01211).
"""

from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from calibrate.data.features import FRAMES_PER_SECOND, MELS
from calibrate.domains.speech.corpus import STRIDE
from calibrate.models.attention import inside
from calibrate.models.ds2 import DeepSpeech2
from calibrate.models.las import END, MERGED, ListenAttendSpell
from calibrate.training.flops import forward_flops

FIRST = 1  # code of the alphabet's first character: 0 is CTC's blank, and the end of a spelled text
BLANK = 0
_HOUR = 3600 * FRAMES_PER_SECOND  # frames
_COUNTED = 4 * STRIDE  # frames on which FLOP of ds2 are counted; they grow in proportion

# frames (b, t, 40), their counts (b,), labels of all texts in a row (total,), their counts (b,); the
# counts are on the host, where they are needed
Batch = tuple[Tensor, Tensor, Tensor, Tensor]


class Transcriber(Protocol):
    """A speech model with its loss and its decoding."""

    @property
    def model(self) -> nn.Module:
        """Return the model."""

    def nats(self, batch: Batch) -> Tensor:
        """Return minus the log probability of the texts of a batch, summed.

        Args:
            batch: A batch.

        Returns:
            Nats of the whole batch, a scalar.
        """

    def decode(self, batch: Batch, densest: float) -> tuple[Tensor, list[list[int]]]:
        """Decode a batch greedily from its sound only.

        Args:
            batch: A batch.
            densest: The most characters per frame that a text may have.

        Returns:
            The nats of the batch, and for each utterance the codes of its characters.
        """

    @staticmethod
    def flops(width: int, symbols: int, lengths: tuple[float, float]) -> float:
        """Count forward FLOP.

        Args:
            width: The model's size.
            symbols: Characters of the alphabet, and the blank or end.
            lengths: Mean frames and characters of an utterance.

        Returns:
            FLOP per hour of speech.
        """


class Ctc:
    """Deep Speech 2 and connectionist temporal classification."""

    def __init__(self, width: int, symbols: int) -> None:
        self.model = DeepSpeech2(width, symbols)

    def nats(self, batch: Batch) -> Tensor:
        """Return minus the log probability of the texts of a batch, over all alignments, summed.

        Args:
            batch: A batch.

        Returns:
            Nats of the whole batch, a scalar.
        """
        inputs, frame_counts, labels, label_counts = batch
        scores, counts = self.model(inputs, frame_counts)
        return ctc(scores, counts, labels, label_counts)

    def decode(self, batch: Batch, densest: float) -> tuple[Tensor, list[list[int]]]:  # noqa: ARG002 - it ends
        """Return the nats of a batch, and the best symbol of every output, repeats merged, blanks dropped.

        Args:
            batch: A batch.
            densest: Not used; CTC writes at most one symbol per output.

        Returns:
            The nats of the batch, a scalar, and for each utterance the codes of its characters.
        """
        inputs, frame_counts, labels, label_counts = batch
        scores, counts = self.model(inputs, frame_counts)
        best = scores.argmax(dim=-1).T.cpu()
        transcripts = [
            [code for code in torch.unique_consecutive(row[:count]).tolist() if code != BLANK]
            for row, count in zip(best, counts.tolist(), strict=True)
        ]
        return ctc(scores, counts, labels, label_counts), transcripts

    @staticmethod
    def flops(width: int, symbols: int, lengths: tuple[float, float]) -> float:  # noqa: ARG004 - in proportion
        """Return forward FLOP per hour, counted on a few frames: they grow in proportion.

        Args:
            width: The model's size.
            symbols: Characters of the alphabet, and the blank.
            lengths: Not used; the FLOP per hour do not depend on them.

        Returns:
            FLOP per hour of speech.
        """
        with torch.device("meta"):
            model = DeepSpeech2(width, symbols)
            counted = forward_flops(model, torch.empty(1, _COUNTED, MELS), torch.tensor([_COUNTED]))
        return counted * _HOUR / _COUNTED


class Spelling:
    """Listen, attend and spell, and the cross-entropy of each character given those before it."""

    def __init__(self, width: int, symbols: int) -> None:
        self.model = ListenAttendSpell(width, symbols)

    def nats(self, batch: Batch) -> Tensor:
        """Return the cross-entropy of the characters and the end of each text, summed.

        Args:
            batch: A batch.

        Returns:
            Nats of the whole batch, a scalar.
        """
        inputs, frame_counts, labels, label_counts = batch
        device = inputs.device
        texts = list(torch.split(labels, label_counts.tolist()))
        # every text ends with END; the padding after it is not counted
        text = functional.pad(pad_sequence(texts, batch_first=True, padding_value=END), (0, 1), value=END)
        counts = frame_counts.to(device, non_blocking=True)
        scores = self.model(inputs, counts, functional.pad(text, (1, -1), value=END))
        nats = functional.cross_entropy(scores.float().flatten(0, 1), text.flatten(), reduction="none")
        lengths = (label_counts + 1).to(device, non_blocking=True)
        return (nats.view_as(text) * inside(lengths, text.shape[1])).sum()

    def decode(self, batch: Batch, densest: float) -> tuple[Tensor, list[list[int]]]:
        """Return the nats of a batch, and the spelled codes, cut at `densest` characters per frame.

        Args:
            batch: A batch.
            densest: The most characters per frame that a text may have.

        Returns:
            The nats of the batch, a scalar, and for each utterance the codes of its characters.
        """
        inputs, frame_counts = batch[0], batch[1].to(batch[0].device)
        longest = (frame_counts * densest).ceil().long()
        return self.nats(batch), self.model.spell(inputs, frame_counts, longest)

    @staticmethod
    def flops(width: int, symbols: int, lengths: tuple[float, float]) -> float:
        """Return forward FLOP per hour, with attention over an utterance of mean length.

        A character costs as much as a second one adds to the first; the end of a text is one.

        Args:
            width: The model's size.
            symbols: Characters of the alphabet, and the end.
            lengths: Mean frames and characters of an utterance.

        Returns:
            FLOP per hour of speech.
        """
        frames, characters = lengths
        whole = MERGED[0] * MERGED[1] * max(1, round(frames / (MERGED[0] * MERGED[1])))
        with torch.device("meta"):
            model = ListenAttendSpell(width, symbols)
            one, two = (
                forward_flops(
                    model,
                    torch.empty(1, whole, MELS),
                    torch.tensor([whole]),
                    torch.zeros(1, count, dtype=torch.long),
                )
                for count in (1, 2)
            )
        return _HOUR * ((2 * one - two) / whole + (two - one) * (characters + 1) / frames)


FAMILIES: dict[str, type[Ctc] | type[Spelling]] = {"ds2": Ctc, "attention": Spelling}


def ctc(scores: Tensor, counts: Tensor, labels: Tensor, label_counts: Tensor) -> Tensor:
    """Return the CTC loss of a batch.

    Args:
        scores: Log probabilities (time, batch, symbols), in single precision.
        counts: Outputs of each utterance (batch,).
        labels: Codes of all texts in a row (total,).
        label_counts: Characters of each text (batch,).

    Returns:
        Nats, summed over the batch.
    """
    return functional.ctc_loss(scores, labels, counts, label_counts, blank=BLANK, reduction="sum")
