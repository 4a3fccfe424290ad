"""Speech to text: how word errors fall with hours of speech."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from calibrate.data.batches import by_length, shuffled
from calibrate.data.features import MELS
from calibrate.domains.speech import frames
from calibrate.domains.speech.corpus import alphabet, prepare
from calibrate.domains.speech.decoding import FAMILIES, FIRST, Batch, Transcriber
from calibrate.training.flops import FORWARD_TO_TRAINING, size_cost
from calibrate.training.metrics import character_error_rate, word_error_rate
from calibrate.types import Corpus, Training
from laws.types import SizeCost

__all__ = ["SpeechTask", "ladder", "prepare", "task"]

_LENGTH_STEP = 24  # batches last a multiple of so many frames: oneDNN prepares an LSTM for every new length
_SCORED_TOGETHER = 32  # utterances


def task(training: Training, corpus: Corpus, device: str) -> "SpeechTask":
    """Open a shard of a corpus and build the model with the training's seed.

    Args:
        training: The family, width, hours of data and seed.
        corpus: A prepared corpus.
        device: A torch device.

    Returns:
        The training.
    """
    symbols = alphabet(corpus)
    torch.manual_seed(training.seed)
    transcriber = FAMILIES[training.family](training.size, FIRST + len(symbols))
    transcriber.model.to(device)
    return SpeechTask(
        transcriber=transcriber,
        training=_EncodedSplit(frames.read(corpus.folder, "training", training.data), symbols),
        validation=_EncodedSplit(frames.read(corpus.folder, "validation"), symbols),
        alphabet=symbols,
        batch_size=training.batch_size,
        device=device,
    )


def ladder(family: str, sizes: tuple[int, ...], corpus: Corpus) -> tuple[SizeCost, ...]:
    """Count what each width costs, on torch's device meta.

    Args:
        family: "ds2" or "attention".
        sizes: Widths.
        corpus: A prepared corpus, for its alphabet and the mean length of its utterances.

    Returns:
        For each width its parameters, training FLOP per hour of speech, and bytes with Adam's state.
    """
    lengths = frames.mean_lengths(corpus.folder)
    symbols = FIRST + len(alphabet(corpus))
    with torch.device("meta"):
        models = [FAMILIES[family](size, symbols).model for size in sizes]
    return tuple(
        size_cost(size, model, FORWARD_TO_TRAINING * FAMILIES[family].flops(size, symbols, lengths))
        for size, model in zip(sizes, models, strict=True)
    )


class _EncodedSplit:
    """A split of a corpus with its texts as numbers, one per character."""

    def __init__(self, split: frames.Split, symbols: str) -> None:
        self.split = split
        codes = np.frombuffer("".join(symbols).encode("utf-32-le"), "<u4")
        labels = np.frombuffer("".join(split.texts).encode("utf-32-le"), "<u4")
        self.labels: NDArray[np.int64] = np.searchsorted(codes, labels).astype(np.int64) + FIRST
        self.label_counts = np.array([len(text) for text in split.texts], np.int64)
        self.label_begins = np.cumsum(self.label_counts) - self.label_counts
        self.lengths = split.ends - split.begins

    def batch(self, chosen: NDArray[np.int64], device: str) -> Batch:
        """Return the chosen utterances, padded with zeros; not blocking, so that no one waits for a GPU."""
        lengths = self.lengths[chosen]
        longest = -(-int(lengths.max()) // _LENGTH_STEP) * _LENGTH_STEP
        padded = np.zeros((len(chosen), longest, MELS), np.float32)
        for row, utterance in zip(padded, chosen, strict=True):
            begin, end = self.split.begins[utterance], self.split.ends[utterance]
            row[: end - begin] = self.split.frames[begin:end]
        counts = self.label_counts[chosen]
        begins = self.label_begins[chosen]
        labels = np.concatenate([self.labels[b : b + n] for b, n in zip(begins, counts, strict=True)])
        inputs, frame_counts, targets, target_counts = map(
            torch.from_numpy, (padded, lengths, labels, counts)
        )
        return (
            inputs.to(device, non_blocking=True),
            frame_counts,
            targets.to(device, non_blocking=True),
            target_counts,
        )


class SpeechTask:
    """One training of a speech model on a shard."""

    def __init__(
        self,
        *,
        transcriber: Transcriber,
        training: _EncodedSplit,
        validation: _EncodedSplit,
        alphabet: str,
        batch_size: int,
        device: str,
    ) -> None:
        self.transcriber, self.model = transcriber, transcriber.model
        self.training = training
        self.validation = validation
        self.alphabet = alphabet
        self.batch_size = batch_size
        self.device = device

    def batches(self, seed: int) -> Iterator[tuple[Batch, float]]:
        """Go through the shard once.

        Args:
            seed: Decides the order.

        Yields:
            A batch and its hours of speech.
        """
        for chosen in shuffled(self.training.lengths, self.batch_size, seed):
            yield self.training.batch(chosen, self.device), float(self.training.split.hours[chosen].sum())

    def loss(self, batch: Batch) -> Tensor:
        """Return the family's loss.

        Args:
            batch: Frames, labels and their counts.

        Returns:
            The loss, a scalar, nats per character.
        """
        return self.transcriber.nats(batch) / batch[3].sum()

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Return "wer" and "cer" by greedy decoding, and "loss" in nats per character, for validation."""
        nats, references, hypotheses = 0.0, [], []
        # a model that has not learned to stop writes no faster than anyone speaks in the shard
        densest = float((self.training.label_counts / self.training.lengths).max())
        everything = np.arange(len(self.validation.lengths))
        for chosen in by_length(self.validation.lengths, everything, _SCORED_TOGETHER):
            batch = self.validation.batch(chosen, self.device)
            batch_nats, transcripts = self.transcriber.decode(batch, densest)
            nats += float(batch_nats)
            hypotheses += ["".join(self.alphabet[code - FIRST] for code in codes) for codes in transcripts]
            references += [self.validation.split.texts[i] for i in chosen]
        return {
            "wer": word_error_rate(references, hypotheses),
            "cer": character_error_rate(references, hypotheses),
            "loss": nats / sum(map(len, references)),
        }
