"""Prepare a corpus of translations: pairs of sentences, made or read, cut into sub-words, split, cached."""

import hashlib
import io
import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibrate.data.prepared import damaged, description, once
from calibrate.domains.translation.grammar import Grammar, Languages
from calibrate.types import Corpus, ReportProgress
from laws.errors import PlannerError

PAD, UNKNOWN, BEGIN, END = range(4)
FEW, MANY = 1000, 8000  # pieces of a language's vocabulary, for up to ENOUGH tokens and beyond
ENOUGH = 1_000_000
LONGEST = 100  # pieces of a sentence
LAYOUT = 2  # raised when files or rules change: a cache made by an earlier version is then made anew
LEFT_OUT = 0.5  # share of the pairs that may be unusable before a corpus is refused

Codes = NDArray[np.int32]
Pair = tuple[str, str]


@dataclass(frozen=True)
class Side:
    """One language of a part: its pieces in a row, and where each sentence begins and ends."""

    pieces: Codes
    ends: NDArray[np.int64]

    @cached_property
    def begins(self) -> NDArray[np.int64]:
        """Return where each sentence begins."""
        return np.concatenate([[0], self.ends[:-1]])

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Return how many pieces each sentence has."""
        return np.diff(self.ends, prepend=0)


def prepare(
    *,
    cache: Path,
    source: Path | None,
    available: float,
    validation: float,
    seed: int,
    report: ReportProgress,
) -> Corpus:
    """Draw pairs from the grammar, or read those of `source`, once into `cache`; amounts in target pieces.

    No source sentence of the validation set is in the training set. A source with less than `available` is
    used whole. Raises PlannerError where a source cannot be used.
    """
    skipped: dict[str, str] = {}
    pairs = read_pairs(source, skipped) if source else None
    asked = (LAYOUT, available, validation, seed, Grammar() if pairs is None else _digest(pairs))

    def make(folder: Path) -> dict[str, Any]:
        found = Languages(Grammar(), seed).sentences(seed) if pairs is None else _shuffled(pairs, seed)
        return _make(folder, found, available=available, validation=validation, report=report, source=source)

    corpus = once(cache, "translation", asked, make)
    guessing = _guessing(read(corpus.folder, "validation")[1])
    return replace(corpus, skipped=skipped | dict(corpus.skipped), guessing=guessing)


def _guessing(target: Side) -> dict[str, float]:
    """Return the error of the commonest piece at every place, ends among them; in BLEU nothing is right."""
    return {"token-error": float(1 - np.bincount(target.pieces).max() / len(target.pieces)), "unbleu": 1.0}


def read(folder: Path, part: str, amount: float | None = None) -> tuple[Side, Side]:
    """Map a part of a corpus into memory, or its first pairs with `amount` target pieces, by language."""
    try:
        source, target = (
            Side(
                np.load(folder / f"{part}.{name}.npy", mmap_mode="r"),
                np.load(folder / f"{part}.{name}.ends.npy"),
            )
            for name in ("source", "target")
        )
    except (OSError, ValueError, EOFError) as error:
        raise damaged(folder, error) from None
    count = None if amount is None else max(1, int(np.searchsorted(target.ends, amount, side="right")))
    return Side(source.pieces, source.ends[:count]), Side(target.pieces, target.ends[:count])


def texts(corpus: Corpus) -> list[str]:
    """Return the target sentences of the validation set as they were written."""
    return list(description(corpus.folder)["references"])


def speller(corpus: Corpus) -> Any:
    """Return the sentencepiece processor of the target language."""
    return _processor((corpus.folder / "target.model").read_bytes())


def read_pairs(source: Path, skipped: dict[str, str]) -> list[Pair]:
    """Return the pairs of a TSV file of two columns, or of a folder with two text files of as many lines.

    Lines without text on one side are left out and counted in `skipped`. Raises PlannerError for anything
    else, naming file and line.
    """
    files = [source] if source.is_file() else sorted(p for p in source.iterdir() if p.is_file())
    files = [p for p in files if not p.name.startswith(".")]
    if len(files) == 1 and files[0].suffix.lower() == ".tsv":
        rows = []
        for number, line in enumerate(_lines(files[0]), 1):
            cells = line.split("\t")
            if len(cells) != 2:
                raise PlannerError(
                    f"{files[0]} line {number} has {len(cells)} columns: wanted source TAB target"
                )
            rows.append((cells[0], cells[1]))
        name = str(files[0])
    elif len(files) == 2:
        first, second = (_lines(file) for file in files)
        if len(first) != len(second):
            raise PlannerError(
                f"{files[0]} has {len(first)} lines and {files[1]} {len(second)}: line by line they are to "
                "be translations of each other"
            )
        rows = list(zip(first, second, strict=True))
        name = f"{files[0]} and {files[1].name}"
    else:
        raise PlannerError(
            f"{source} holds {len(files)} files: wanted a TSV file of two columns, or a folder with two text "
            "files, line by line translations of each other (source first in the order of names)"
        )
    if not rows:
        raise PlannerError(f"{name}: empty, wanted sentences and their translations")
    found = []
    for number, (left, right) in enumerate(rows, 1):
        pair = (" ".join(left.split()), " ".join(right.split()))
        if all(pair):
            found.append(pair)
        else:
            skipped[f"{name} line {number}"] = "no text on one side"
    if len(found) < LEFT_OUT * len(rows):
        raise PlannerError(f"{name}: {len(rows) - len(found)} of {len(rows)} lines have no text on one side")
    return found


def _lines(path: Path) -> list[str]:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise PlannerError(f"{path} line {line} is not UTF-8: convert it first") from None
    lines = text.split("\n")
    return [line.removesuffix("\r") for line in (lines[:-1] if lines[-1] == "" else lines)]


def _digest(pairs: Sequence[Pair]) -> str:
    found = hashlib.sha256()
    for pair in pairs:
        found.update("\t".join(pair).encode())
        found.update(b"\n")
    return found.hexdigest()


def _shuffled(pairs: Sequence[Pair], seed: int) -> Iterator[Pair]:
    order = list(pairs)
    random.Random(f"shuffle/{seed}").shuffle(order)
    return iter(order)


def _make(
    folder: Path,
    pairs: Iterator[Pair],
    *,
    available: float,
    validation: float,
    report: ReportProgress,
    source: Path | None,
) -> dict[str, Any]:
    """Write both parts and the vocabularies into a folder and return its description."""
    doing = f"reading {source}" if source else "drawing sentences"
    # pieces are known only once the vocabulary is: words bound them from below well enough to stop drawing
    held, rest = _take(pairs, validation, frozenset(), lambda n: report(doing, n / (available + validation)))
    known = frozenset(pair[0] for pair in held)
    taught, _ = _take(
        rest, available, known, lambda n: report(doing, (validation + n) / (available + validation))
    )
    if not taught:
        raise PlannerError(
            f"--data {source} holds {len(held)} pairs, and more than the {validation:,.0f} pieces for "
            "validation were wanted: choose a smaller preset or give more text"
        )
    report("cutting words into pieces", 1.0)
    vocabulary = FEW if available <= ENOUGH else MANY
    digest = hashlib.sha256()
    processors = []
    for i, name in enumerate(("source", "target")):
        model = _model([pair[i] for pair in taught], vocabulary)
        (folder / f"{name}.model").write_bytes(model)
        digest.update(model)
        processors.append(_processor(model))
    kept: dict[str, int] = {}
    lengths: dict[str, float] = {}
    for part, found, wanted in (("validation", held, validation), ("training", taught, available)):
        for i, name in ((1, "target"), (0, "source")):
            encoded = [[*codes[:LONGEST], END] for codes in processors[i].encode([pair[i] for pair in found])]
            ends = np.cumsum([len(codes) for codes in encoded])
            # words were counted when pairs were taken: pieces are more, and decide how many pairs stay, the
            # last of them whole, so that a corpus never falls short of its largest shard by half a sentence
            count = kept.setdefault(part, min(len(ends), int(np.searchsorted(ends, wanted)) + 1))
            flat = np.fromiter(itertools.chain.from_iterable(encoded[:count]), np.int32, int(ends[count - 1]))
            np.save(folder / f"{part}.{name}.npy", flat)
            np.save(folder / f"{part}.{name}.ends.npy", ends[:count])
            digest.update(flat.tobytes())
            lengths[f"{part}.{name}"] = len(flat) / count
    return {
        "fingerprint": digest.hexdigest(),
        "available": lengths["training.target"] * kept["training"],
        "skipped": {},
        "pieces": [processor.get_piece_size() for processor in processors],
        "lengths": [lengths["training.source"], lengths["training.target"]],
        "references": [pair[1] for pair in held[: kept["validation"]]],
    }


def _take(
    pairs: Iterator[Pair], amount: float, known: frozenset[str], report: Callable[[float], None]
) -> tuple[list[Pair], Iterator[Pair]]:
    """Return pairs with at least `amount` words of target text, none whose source is known."""
    found: list[Pair] = []
    words = 0
    while words < amount and (pair := next(pairs, None)) is not None:
        if pair[0] not in known:
            found.append(pair)
            words += pair[1].count(" ") + 2
            report(words)
    return found, pairs


def _model(sentences: Sequence[str], vocabulary: int) -> bytes:
    """Return a sentencepiece model (byte-pair encoding: Sennrich et al. 2016, arXiv:1508.07909)."""
    from sentencepiece import SentencePieceTrainer

    out = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(sentences),
        model_writer=out,
        model_type="bpe",
        vocab_size=vocabulary,
        hard_vocab_limit=False,
        character_coverage=1.0,
        num_threads=1,
        pad_id=PAD,
        unk_id=UNKNOWN,
        bos_id=BEGIN,
        eos_id=END,
        minloglevel=2,
    )
    return out.getvalue()


def _processor(model: bytes) -> Any:
    from sentencepiece import SentencePieceProcessor

    return SentencePieceProcessor(model_proto=model)
