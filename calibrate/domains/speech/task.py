"""Speech to text: hours of speech against word errors."""

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

_GRID = 24  # batches last a multiple of so many frames: oneDNN prepares an LSTM anew for every length
_EVALUATED = 32  # utterances scored together


def task(training: Training, corpus: Corpus, device: str) -> "SpeechTask":
    """Open the first `training.data` hours of a corpus and build the model with the training's seed."""
    symbols = alphabet(corpus)
    torch.manual_seed(training.seed)
    transcriber = FAMILIES[training.family](training.size, FIRST + len(symbols))
    transcriber.model.to(device)
    return SpeechTask(
        transcriber=transcriber,
        training=_Labeled(frames.read(corpus.folder, "training", training.data), symbols),
        validation=_Labeled(frames.read(corpus.folder, "validation"), symbols),
        alphabet=symbols,
        batch_size=training.batch_size,
        device=device,
    )


def ladder(family: str, sizes: tuple[int, ...], corpus: Corpus) -> tuple[SizeCost, ...]:
    """Count parameters, training FLOP an hour of speech and Adam's bytes of every width on device meta."""
    lengths = frames.mean_lengths(corpus.folder)
    symbols = FIRST + len(alphabet(corpus))
    with torch.device("meta"):
        models = [FAMILIES[family](size, symbols).model for size in sizes]
    return tuple(
        size_cost(size, model, FORWARD_TO_TRAINING * FAMILIES[family].flops(size, symbols, lengths))
        for size, model in zip(sizes, models, strict=True)
    )


class _Labeled:
    """A part of a corpus with its texts as numbers."""

    def __init__(self, part: frames.Part, symbols: str) -> None:
        self.part = part
        codes = np.frombuffer("".join(symbols).encode("utf-32-le"), "<u4")
        labels = np.frombuffer("".join(part.texts).encode("utf-32-le"), "<u4")
        self.labels: NDArray[np.int64] = np.searchsorted(codes, labels).astype(np.int64) + FIRST
        self.label_counts = np.array([len(text) for text in part.texts], np.int64)
        self.label_begins = np.cumsum(self.label_counts) - self.label_counts
        self.lengths = part.ends - part.begins

    def batch(self, chosen: NDArray[np.int64], device: str) -> Batch:
        """Return the chosen utterances, padded with zeros; not blocking, so that a GPU is not waited for."""
        lengths = self.lengths[chosen]
        longest = -(-int(lengths.max()) // _GRID) * _GRID
        padded = np.zeros((len(chosen), longest, MELS), np.float32)
        for row, utterance in zip(padded, chosen, strict=True):
            begin, end = self.part.begins[utterance], self.part.ends[utterance]
            row[: end - begin] = self.part.frames[begin:end]
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
        training: _Labeled,
        validation: _Labeled,
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
        """Yield (batch, hours) over the shard once, in an order of the seed."""
        for chosen in shuffled(self.training.lengths, self.batch_size, seed):
            yield self.training.batch(chosen, self.device), float(self.training.part.hours[chosen].sum())

    def loss(self, batch: Batch) -> Tensor:
        """Return the family's loss in nats a character."""
        return self.transcriber.nats(batch) / batch[3].sum()

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Return word and character error rate by greedy decoding, and the loss in nats a character."""
        nats, references, hypotheses = 0.0, [], []
        # what has not learned to stop writes no faster than anybody spoke in the shard
        densest = float((self.training.label_counts / self.training.lengths).max())
        everything = np.arange(len(self.validation.lengths))
        for chosen in by_length(self.validation.lengths, everything, _EVALUATED):
            some, read = self.transcriber.judged(self.validation.batch(chosen, self.device), densest)
            nats += float(some)
            hypotheses += ["".join(self.alphabet[code - FIRST] for code in codes) for codes in read]
            references += [self.validation.part.texts[i] for i in chosen]
        return {
            "wer": word_error_rate(references, hypotheses),
            "cer": character_error_rate(references, hypotheses),
            "loss": nats / sum(map(len, references)),
        }
