"""What the two language models share: their corpora, windows of symbols, the loss, counts of sizes."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from calibrate.data.prepared import description
from calibrate.data.text_files import find, passages
from calibrate.domains.language import corpus as language
from calibrate.domains.language.corpus import Reading, read
from calibrate.models.transformer import Transformer
from calibrate.training.flops import FORWARD_TO_TRAINING, forward_flops, size_cost
from calibrate.types import Corpus, ReportProgress, Training
from laws.errors import CorpusError
from laws.types import SizeCost

_COUNTED = 4  # symbols on which FLOP of a recurrent model are counted; they grow in proportion
_SCORES = 2**23  # scores of symbols that are in memory at once when the validation set is evaluated


@dataclass(frozen=True)
class Kind:
    """A kind of language model: what it reads, how its models are built, and what is said of their loss."""

    reading: Callable[[], Reading]  # made anew for every corpus
    embedded: Callable[[bool], Sequence[str]]  # passages of the standard library, of all of it if True
    common: float  # symbols that the part of the library has which is on every machine
    window: int  # symbols that a model reads in a row
    build: Callable[[str, int, int], nn.Module]  # family, size, symbols of the vocabulary
    metrics: Callable[[float], dict[str, float]]  # nats a symbol -> the domain's metrics

    def prepare(
        self,
        *,
        cache: Path,
        source: Path | None,
        available: float,
        validation: float,
        seed: int,
        report: ReportProgress,
    ) -> Corpus:
        """Read the standard library, or the text files of `source`, once into `cache`; amounts in symbols.

        Raises PlannerError where a source cannot be used.
        """
        skipped: dict[str, str] = {}
        files = find(source) if source else ()
        return language.prepare(
            self.reading(),
            passages(files, skipped) if source else self.embedded(available + validation > self.common),
            cache=cache,
            key=[(str(f), f.stat().st_size, f.stat().st_mtime_ns) for f in files] if source else sys.version,
            source=source,
            available=available,
            validation=validation,
            seed=seed,
            skipped=skipped,
            report=report,
        )

    def task(self, training: Training, corpus: Corpus, device: str) -> "LanguageTask":
        """Open the first `training.data` symbols of a corpus and build the model with the training's seed."""
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
        """Count parameters, training FLOP a symbol and Adam's bytes of every size on device meta."""
        return tuple(self._rung(family, size, vocabulary(corpus)) for size in sizes)

    def _rung(self, family: str, size: int, symbols: int) -> SizeCost:
        with torch.device("meta"):
            model = self.build(family, size, symbols)
            # attention costs more the longer the window is
            counted = self.window if isinstance(model, Transformer) else _COUNTED
            flops = forward_flops(model, torch.zeros(1, counted, dtype=torch.long)) / counted
        return size_cost(size, model, FORWARD_TO_TRAINING * flops)


def vocabulary(corpus: Corpus) -> int:
    """Return how many symbols a corpus is written in, UNKNOWN among them."""
    return int(description(corpus.folder)["vocabulary"])


def _tensor(corpus: Corpus, part: str, count: float | None, window: int, device: str) -> Tensor:
    symbols = read(corpus.folder, part, count)
    if len(symbols) <= window:
        raise CorpusError(f"{len(symbols)} symbols for {part} do not fill one window of {window}: take more")
    return torch.from_numpy(symbols).to(device)


class LanguageTask:
    """One training of a language model on the first part of a stream of symbols.

    A window is read with no memory of what stands before it, in training and in validation.
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
        self.places = torch.arange(window + 1, device=training.device)

    def batches(self, seed: int) -> Iterator[tuple[Tensor, float]]:
        """Yield (windows, symbols) over the shard once, in random order; each epoch cuts it elsewhere."""
        generator = torch.Generator().manual_seed(seed)
        room = len(self.training) - 1 - self.window
        first = int(torch.randint(min(self.window, room + 1), (), generator=generator))
        starts = torch.arange(first, room + 1, self.window)
        starts = starts[torch.randperm(len(starts), generator=generator)].to(self.training.device)
        for chosen in torch.split(starts, self.batch_size):
            yield self._windows(self.training, chosen), float(len(chosen) * self.window)

    def loss(self, batch: Tensor) -> Tensor:
        """Return the mean nats a symbol of a batch."""
        return self._nats(batch, "mean")

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Return the metrics of the whole validation set."""
        starts = torch.arange(
            0, len(self.validation) - self.window, self.window, device=self.validation.device
        )
        together = max(1, _SCORES // (self.window * self.symbols))
        nats = torch.zeros((), dtype=torch.float64, device=starts.device)
        for chosen in torch.split(starts, together):
            nats += self._nats(self._windows(self.validation, chosen), "sum")
        return self.metrics(float(nats) / (len(starts) * self.window))

    def _windows(self, symbols: Tensor, starts: Tensor) -> Tensor:
        return symbols[starts[:, None] + self.places].long()

    def _nats(self, windows: Tensor, reduction: str) -> Tensor:
        scores = self.model(windows[:, :-1]).float()
        return functional.cross_entropy(scores.flatten(0, 1), windows[:, 1:].flatten(), reduction=reduction)
