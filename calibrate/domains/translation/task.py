"""Translation: how token errors fall with target tokens of sentence pairs."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from calibrate.data.batches import by_length, shuffled
from calibrate.data.prepared import description
from calibrate.domains.translation.corpus import (
    BEGIN,
    END,
    MAX_PIECES,
    PAD,
    ParallelSide,
    prepare,
    read_split,
    speller,
    texts,
)
from calibrate.models.attention_lstm import AttentionLSTM
from calibrate.models.encoder_decoder import EncoderDecoder
from calibrate.training.flops import FORWARD_TO_TRAINING, forward_flops, size_cost
from calibrate.training.metrics import bleu
from calibrate.types import Corpus, Training
from laws.types import SizeCost

__all__ = ["TranslationTask", "ladder", "prepare", "task"]

_SCORED_TOGETHER = 64  # sentences
_TRANSLATED = 128  # sentences of the validation set that are translated for BLEU

Batch = tuple[Tensor, Tensor, Tensor]  # source pieces (b, s), their counts, target pieces (b, t)


def model(family: str, size: int, pieces: tuple[int, int]) -> AttentionLSTM | EncoderDecoder:
    """Return a model.

    Args:
        family: "lstm-attention" or "transformer".
        size: Its width.
        pieces: Pieces of the source and of the target vocabulary.

    Returns:
        The model.
    """
    if family == "lstm-attention":
        return AttentionLSTM(size, *pieces)
    return EncoderDecoder(size, *pieces, positions=MAX_PIECES + 2)


def task(training: Training, corpus: Corpus, device: str) -> "TranslationTask":
    """Open a shard of a corpus and build the model with the training's seed.

    Args:
        training: The family, width, target pieces of data and seed.
        corpus: A prepared corpus.
        device: A torch device.

    Returns:
        The training.
    """
    torch.manual_seed(training.seed)
    return TranslationTask(
        model=model(training.family, training.size, _pieces(corpus)).to(device),
        training=read_split(corpus.folder, "training", training.data),
        corpus=corpus,
        batch_size=training.batch_size,
        device=device,
    )


def ladder(family: str, sizes: tuple[int, ...], corpus: Corpus) -> tuple[SizeCost, ...]:
    """Count what each width costs, on torch's device meta.

    FLOP are those of a pair of sentences of the corpus's mean lengths: attention costs more for longer ones.

    Args:
        family: "lstm-attention" or "transformer".
        sizes: Widths.
        corpus: A prepared corpus, for its vocabularies and mean lengths.

    Returns:
        For each width its parameters, training FLOP per target piece, and bytes with Adam's state.
    """
    lengths = [round(length) for length in description(corpus.folder)["lengths"]]
    return tuple(_size_cost(family, size, _pieces(corpus), lengths) for size in sizes)


def _size_cost(family: str, size: int, pieces: tuple[int, int], lengths: list[int]) -> SizeCost:
    with torch.device("meta"):
        built = model(family, size, pieces)
        source, target = (torch.zeros(1, length, dtype=torch.long) for length in lengths)
        counted = forward_flops(built, source, torch.tensor([lengths[0]]), target)
    return size_cost(size, built, FORWARD_TO_TRAINING * counted / lengths[1])


def _pieces(corpus: Corpus) -> tuple[int, int]:
    source, target = description(corpus.folder)["pieces"]
    return source, target


class TranslationTask:
    """One training on the first pairs of a corpus."""

    def __init__(
        self,
        *,
        model: AttentionLSTM | EncoderDecoder,
        training: tuple[ParallelSide, ParallelSide],
        corpus: Corpus,
        batch_size: int,
        device: str,
    ) -> None:
        self.model = model
        self.training, self.validation = training, read_split(corpus.folder, "validation")
        self.references, self.speller = texts(corpus)[:_TRANSLATED], speller(corpus)
        self.batch_size = batch_size
        self.device = device

    def batches(self, seed: int) -> Iterator[tuple[Batch, float]]:
        """Go through the shard once, pairs of similar length together.

        Args:
            seed: Decides the order.

        Yields:
            A batch and its target pieces.
        """
        pieces = self.training[1].lengths
        for chosen in shuffled(pieces, self.batch_size, seed):
            yield self._batch(self.training, chosen), float(pieces[chosen].sum())

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean cross-entropy; the end of a sentence is one of its pieces.

        Args:
            batch: Source pieces (batch, s), their counts (batch,) and target pieces (batch, t).

        Returns:
            The loss, a scalar, nats per target piece.
        """
        source, lengths, target = batch
        scores = self.model(source, lengths, _shifted(target)).float()
        return functional.cross_entropy(scores.flatten(0, 1), target.flatten(), ignore_index=PAD)

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Return "token-error" and "loss" for validation, given the true pieces before, and 1 - BLEU."""
        wrong, nats = (torch.zeros((), dtype=torch.float64, device=self.device) for _ in range(2))
        pieces = self.validation[1].lengths
        for chosen in by_length(pieces, np.arange(len(pieces)), _SCORED_TOGETHER):
            source, lengths, target = self._batch(self.validation, chosen)
            scores = self.model(source, lengths, _shifted(target)).float()
            wrong += ((scores.argmax(-1) != target) & (target != PAD)).sum()
            nats += functional.cross_entropy(
                scores.flatten(0, 1), target.flatten(), ignore_index=PAD, reduction="sum"
            )
        count = int(pieces.sum())
        return {"token-error": float(wrong) / count, "loss": float(nats) / count, "unbleu": 1 - self._bleu()}

    def _bleu(self) -> float:
        chosen = np.arange(len(self.references))
        translated = []
        for start in range(0, len(chosen), _SCORED_TOGETHER):
            source, lengths, _ = self._batch(self.validation, chosen[start : start + _SCORED_TOGETHER])
            translated += [self.speller.decode(codes) for codes in self._greedy(source, lengths)]
        return bleu(translated, self.references)

    def _greedy(self, source: Tensor, lengths: Tensor) -> list[list[int]]:
        """Return the likeliest next piece again and again, up to twice the length of the source."""
        memory, padding = self.model.encode(source, lengths)
        piece = torch.full((len(source),), BEGIN, device=source.device)
        ended = torch.zeros(len(source), dtype=torch.bool, device=source.device)
        pieces: list[Tensor] = []
        past: tuple[Tensor, ...] | None = None
        for _ in range(min(MAX_PIECES, 2 * source.shape[1] + 5)):
            state, past = self.model.states(memory, padding, piece[:, None], past)
            piece = self.model.output(state[:, 0]).argmax(-1).masked_fill(ended, PAD)
            pieces.append(piece)
            ended |= piece == END
            if bool(ended.all()):
                break
        rows = torch.stack(pieces, dim=1).tolist()
        return [[code for code in row if code not in (PAD, END)] for row in rows]

    def _batch(self, split: tuple[ParallelSide, ParallelSide], chosen: NDArray[np.int64]) -> Batch:
        (source, lengths), (target, _) = (_padded(side, chosen) for side in split)
        # not blocking: the next batch is put together while a GPU is still at the one before
        return (
            source.to(self.device, non_blocking=True),
            lengths.to(self.device, non_blocking=True),
            target.to(self.device, non_blocking=True),
        )


def _padded(side: ParallelSide, chosen: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
    """Return the pieces of the chosen sentences (batch, longest), and how many each has."""
    lengths = side.lengths[chosen]
    positions = np.arange(lengths.max())
    within = positions < lengths[:, None]
    pieces = side.pieces[np.where(within, side.begins[chosen][:, None] + positions, 0)]
    return torch.from_numpy(np.where(within, pieces, PAD).astype(np.int64)), torch.from_numpy(lengths)


def _shifted(target: Tensor) -> Tensor:
    """Return the piece before each target piece, BEGIN for the first."""
    begin = torch.full_like(target[:, :1], BEGIN)
    return torch.cat([begin, target[:, :-1]], dim=1)
