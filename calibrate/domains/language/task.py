"""Language models of words and of characters: their corpora, windows of symbols, loss and costs."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from calibrate.data.prepared import description
from calibrate.data.text_files import find_text_files, passages
from calibrate.domains.language import corpus as language
from calibrate.domains.language.corpus import Tokenizer, read_split
from calibrate.models.transformer import Transformer
from calibrate.training.flops import FORWARD_TO_TRAINING, forward_flops, size_cost
from calibrate.types import Corpus, ReportProgress, Training
from laws.errors import CorpusError
from laws.types import SizeCost

_COUNTED_SYMBOLS = 4  # on which FLOP of a recurrent model are counted; they grow in proportion
_MAX_SCORES = 2**23  # in memory at once when the validation set is evaluated


@dataclass(frozen=True)
class LanguageDomain:
    """A domain of language models: its symbols, its models and its metrics.

    Args:
        tokenizer: Returns a new tokenizer for a corpus.
        embedded: Passages of the standard library; of all of it for True.
        common: Symbols in the part of the library that every machine has.
        window: Symbols that a model reads in a row.
        build: Family, size and symbols of the vocabulary -> a model.
        metrics: Nats per symbol -> the domain's metrics.
    """

    tokenizer: Callable[[], Tokenizer]
    embedded: Callable[[bool], Sequence[str]]
    common: float
    window: int
    build: Callable[[str, int, int], nn.Module]
    metrics: Callable[[float], dict[str, float]]

    def prepare(
        self,
        *,
        cache: Path,
        source: Path | None,
        available: float,
        validation: float,
        seed: int,
        report: ReportProgress,
        follows: Path | None = None,
    ) -> Corpus:
        """Read the standard library, or the text files of `source`, once into `cache`.

        Args:
            cache: The folder of all prepared corpora.
            source: A text file, a folder or a glob; None for the standard library.
            available: Training symbols; a source with fewer is used whole.
            validation: Validation symbols.
            seed: Decides the order of the passages.
            report: Takes what is being done, and the share of it that is done.
            follows: Folder of a smaller prepared corpus, whose vocabulary this one takes over; None for its
                own.

        Returns:
            The prepared corpus.

        Raises:
            CorpusError: The source cannot be used.
        """
        skipped: dict[str, str] = {}
        files = find_text_files(source, skipped) if source else ()
        least = float(description(follows)["available"]) if follows else available
        return language.prepare(
            self.tokenizer(),
            passages(files, skipped) if source else self.embedded(least + validation > self.common),
            cache=cache,
            key=[(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files] if source else sys.version,
            source=source,
            available=available,
            validation=validation,
            seed=seed,
            skipped=skipped,
            report=report,
            follows=follows,
        )

    def task(self, training: Training, corpus: Corpus, device: str) -> "LanguageTask":
        """Open a shard of a corpus and build the model with the training's seed.

        Args:
            training: The family, width, symbols of data and seed.
            corpus: A prepared corpus.
            device: A torch device.

        Returns:
            The training.
        """
        torch.manual_seed(training.seed)
        symbols = vocabulary(corpus)
        return LanguageTask(
            model=self.build(training.family, training.size, symbols).to(device),
            symbols=symbols,
            training=_tensor(corpus, "training", training.data, self.window, device),
            validation=_tensor(corpus, "validation", None, self.window, device),
            batch_size=training.batch_size,
            window=self.window,
            metrics=self.metrics,
        )

    def ladder(self, family: str, sizes: tuple[int, ...], corpus: Corpus) -> tuple[SizeCost, ...]:
        """Count what each size costs, on torch's device meta.

        Args:
            family: A family of the domain.
            sizes: Widths.
            corpus: A prepared corpus, for its vocabulary.

        Returns:
            For each width its parameters, training FLOP per symbol, and bytes with Adam's state.
        """
        return tuple(self._size_cost(family, size, vocabulary(corpus)) for size in sizes)

    def _size_cost(self, family: str, size: int, symbols: int) -> SizeCost:
        with torch.device("meta"):
            model = self.build(family, size, symbols)
            # attention costs more the longer the window is
            counted = self.window if isinstance(model, Transformer) else _COUNTED_SYMBOLS
            flops = forward_flops(model, torch.zeros(1, counted, dtype=torch.long)) / counted
        return size_cost(size, model, FORWARD_TO_TRAINING * flops)


def vocabulary(corpus: Corpus) -> int:
    """Return how many symbols the vocabulary of a corpus has, UNKNOWN included.

    Args:
        corpus: A prepared corpus of text.

    Returns:
        The number.
    """
    return int(description(corpus.folder)["vocabulary"])


def _tensor(corpus: Corpus, split: str, count: float | None, window: int, device: str) -> Tensor:
    symbols = read_split(corpus.folder, split, count)
    if len(symbols) <= window:
        raise CorpusError(
            f"{len(symbols)} symbols for {split}: expected more than one window of {window}",
            code="shard-too-small",
            value=len(symbols),
        )
    return torch.from_numpy(symbols).to(device)


class LanguageTask:
    """One training of a language model on the first part of a stream of symbols.

    A window is read with no memory of the text before it, in training and in validation.
    """

    def __init__(
        self,
        *,
        model: nn.Module,
        symbols: int,
        training: Tensor,
        validation: Tensor,
        batch_size: int,
        window: int,
        metrics: Callable[[float], dict[str, float]],
    ) -> None:
        self.model = model
        self.symbols = symbols
        self.training = training
        self.validation = validation
        self.batch_size = batch_size
        self.metrics = metrics
        self.window = window
        self.offsets = torch.arange(window + 1, device=training.device)

    def batches(self, seed: int) -> Iterator[tuple[Tensor, float]]:
        """Go through the shard once; each epoch cuts it into windows at other positions.

        Args:
            seed: Decides the order and where it is cut.

        Yields:
            Windows (batch, window + 1), and how many symbols they predict.
        """
        generator = torch.Generator().manual_seed(seed)
        last = len(self.training) - 1 - self.window
        first = int(torch.randint(min(self.window, last + 1), (), generator=generator))
        starts = torch.arange(first, last + 1, self.window)
        starts = starts[torch.randperm(len(starts), generator=generator)].to(self.training.device)
        for chosen in torch.split(starts, self.batch_size):
            yield self._windows(self.training, chosen), float(len(chosen) * self.window)

    def loss(self, batch: Tensor) -> Tensor:
        """Return the mean cross-entropy.

        Args:
            batch: Windows of codes (batch, window + 1); each symbol but the first is predicted.

        Returns:
            The loss, a scalar, nats per symbol.
        """
        return self._nats(batch, "mean")

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Return the domain's metrics of the whole validation set."""
        starts = torch.arange(
            0, len(self.validation) - self.window, self.window, device=self.validation.device
        )
        batch = max(1, _MAX_SCORES // (self.window * self.symbols))
        nats = torch.zeros((), dtype=torch.float64, device=starts.device)
        for chosen in torch.split(starts, batch):
            nats += self._nats(self._windows(self.validation, chosen), "sum")
        return self.metrics(float(nats) / (len(starts) * self.window))

    def _windows(self, symbols: Tensor, starts: Tensor) -> Tensor:
        return symbols[starts[:, None] + self.offsets].long()

    def _nats(self, windows: Tensor, reduction: str) -> Tensor:
        scores = self.model(windows[:, :-1]).float()
        return functional.cross_entropy(scores.flatten(0, 1), windows[:, 1:].flatten(), reduction=reduction)
