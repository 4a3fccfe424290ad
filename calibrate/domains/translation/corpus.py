"""Prepare a corpus of translations: pairs of sentences, made or read, cut into sub-words, split, cached."""

import hashlib
import io
import itertools
import random
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibrate.data.decoding import reason
from calibrate.data.files import check_source
from calibrate.data.prepared import damaged, description, once
from calibrate.domains.translation.grammar import Grammar, Languages
from calibrate.safe_names import is_file
from calibrate.types import Corpus, ReportProgress
from laws.errors import CorpusError, use

PAD, UNKNOWN, BEGIN, END = range(4)
SMALL_VOCABULARY, LARGE_VOCABULARY = 1000, 8000  # pieces of a language, for a small corpus and a larger one
MAX_SMALL_CORPUS = 1_000_000  # tokens
MAX_CHARACTERS = 20_000  # of a language; the rarer ones are UNKNOWN
MAX_PIECES = 100  # of a sentence
MAX_TEXT_BYTES = 2**30  # of one file
LAYOUT = 2  # increased when files or rules change, so that caches of earlier versions are made again
MAX_UNUSABLE_SHARE = 0.5  # of the pairs, above which a corpus is refused

_EXPECTED = (
    "a TSV file of two columns, or a folder with two text files whose lines are translations of each other "
    "(source first in the order of names)"
)

Codes = NDArray[np.int32]
Pair = tuple[str, str]


@dataclass(frozen=True)
class ParallelSide:
    """One language of a split: its pieces in a row, and where each sentence begins and ends.

    Args:
        pieces: Pieces of all sentences (total,).
        ends: The piece after the last one of each sentence (sentences,).
    """

    pieces: Codes
    ends: NDArray[np.int64]

    @cached_property
    def begins(self) -> NDArray[np.int64]:
        """Return the first piece of each sentence (sentences,)."""
        return np.concatenate([[0], self.ends[:-1]])

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Return the pieces of each sentence (sentences,)."""
        return np.diff(self.ends, prepend=0)


def prepare(
    *,
    cache: Path,
    source: Path | None,
    available: float,
    validation: float,
    seed: int,
    report: ReportProgress,
    follows: Path | None = None,
) -> Corpus:
    """Draw pairs from the grammar, or read those of `source`, once into `cache`.

    No source sentence of the validation set is in the training set.

    Args:
        cache: The folder of all prepared corpora.
        source: A TSV file, or a folder with one or with two text files; None for the grammar.
        available: Training data in target pieces; a source with less is used whole.
        validation: Validation data in target pieces.
        seed: Decides the pairs and their order.
        report: Takes what is being done, and the share of it that is done.
        follows: Folder of a smaller prepared corpus, whose sub-words this one takes over; None for its own.

    Returns:
        The prepared corpus.

    Raises:
        CorpusError: The source cannot be used.
    """
    skipped: dict[str, str] = {}
    pairs = read_pairs(source, skipped) if source else None
    key: tuple[object, ...] = (LAYOUT, available, validation, seed)
    key += (Grammar() if pairs is None else _digest(pairs), *([follows.name] if follows else []))
    models = [(follows / f"{name}.model").read_bytes() for name in ("source", "target")] if follows else []

    def make(folder: Path) -> dict[str, Any]:
        drawn = Languages(Grammar(), seed).sentences(seed) if pairs is None else _shuffled(pairs, seed)
        amounts = {"validation": validation, "training": available}
        return _make(folder, drawn, amounts, models, report=report, source=source)

    corpus = once(cache, "translation", key, make)
    chance = _chance_level(read_split(corpus.folder, "validation")[1])
    return replace(corpus, skipped=skipped | dict(corpus.skipped), guessing=chance)


def _chance_level(target: ParallelSide) -> dict[str, float]:
    """Return the error of the most frequent piece at every position, ends included; its BLEU is 0."""
    return {"token-error": float(1 - np.bincount(target.pieces).max() / len(target.pieces)), "unbleu": 1.0}


def read_split(folder: Path, split: str, amount: float | None = None) -> tuple[ParallelSide, ParallelSide]:
    """Map a split of a corpus into memory.

    Args:
        folder: The folder of a prepared corpus.
        split: "training" or "validation".
        amount: How many target pieces from the start; None for all.

    Returns:
        Its source side and its target side.

    Raises:
        CorpusError: Its files are damaged (code "damaged-corpus").
    """
    try:
        source, target = (
            ParallelSide(
                np.load(folder / f"{split}.{name}.npy", mmap_mode="r"),
                np.load(folder / f"{split}.{name}.ends.npy"),
            )
            for name in ("source", "target")
        )
    except (OSError, ValueError, EOFError) as error:
        raise damaged(folder, error) from None
    count = None if amount is None else max(1, int(np.searchsorted(target.ends, amount, side="right")))
    return (
        ParallelSide(source.pieces, source.ends[:count]),
        ParallelSide(target.pieces, target.ends[:count]),
    )


def texts(corpus: Corpus) -> list[str]:
    """Return the target sentences of the validation set as they were written.

    Args:
        corpus: A prepared corpus of translations.

    Returns:
        The sentences, in the order of the set.
    """
    return list(description(corpus.folder)["references"])


def speller(corpus: Corpus) -> Any:
    """Return the sentencepiece processor of the target language.

    Args:
        corpus: A prepared corpus of translations.

    Returns:
        A `SentencePieceProcessor`.

    Raises:
        CorpusError: Its file is damaged (code "damaged-corpus").
    """
    try:
        return _processor((corpus.folder / "target.model").read_bytes())
    except (OSError, RuntimeError) as error:
        raise damaged(corpus.folder, error) from None


def read_pairs(source: Path, skipped: dict[str, str]) -> list[Pair]:
    """Return the sentence pairs of a corpus.

    Args:
        source: A TSV file of two columns, or a folder with one, or with two text files of as many lines.
        skipped: Takes lines without text on one side, name -> reason.

    Returns:
        Pairs (source sentence, target sentence).

    Raises:
        CorpusError: The source is none of these; the message names file and line.
    """
    check_source(source, _EXPECTED)
    rows, name = _rows(source)
    if not rows:
        raise CorpusError(f"{name} is empty: expected sentences and their translations", code="empty-corpus")
    pairs = []
    for number, (left, right) in enumerate(rows, 1):
        pair = (" ".join(left.split()), " ".join(right.split()))
        if all(pair):
            pairs.append(pair)
        else:
            skipped[f"{name} line {number}"] = "no text on one side"
    unusable = len(rows) - len(pairs)
    if unusable > MAX_UNUSABLE_SHARE * len(rows):
        raise CorpusError(
            f"{name}: {unusable} of {len(rows)} lines have no text on one side", code="mostly-unreadable"
        )
    return pairs


def _rows(source: Path) -> tuple[list[Pair], str]:
    """Return the rows of a corpus as they were written, and what to call its files in messages."""
    files = [source] if source.is_file() else sorted(p for p in source.iterdir() if is_file(p))
    files = [p for p in files if not p.name.startswith(".")]
    if len(files) == 1 and files[0].suffix.lower() == ".tsv":
        rows = []
        for number, line in enumerate(_lines(files[0]), 1):
            cells = line.split("\t")
            if len(cells) != 2:
                raise CorpusError(
                    f"{files[0]} line {number} has {len(cells)} columns: expected source TAB target",
                    code="wrong-columns",
                )
            rows.append((cells[0], cells[1]))
        return rows, str(files[0])
    if len(files) == 2:
        first, second = (_lines(file) for file in files)
        if len(first) != len(second):
            raise CorpusError(
                f"{files[0]} has {len(first)} lines and {files[1]} {len(second)}: expected as many, each the "
                "translation of the other",
                code="different-lengths",
            )
        return list(zip(first, second, strict=True)), f"{files[0]} and {files[1].name}"
    raise CorpusError(
        f"corpus {source} has {len(files)} files: expected {_EXPECTED}",
        code="wrong-files",
        value=len(files),
        expected=_EXPECTED,
    )


def _lines(path: Path) -> list[str]:
    size = path.stat().st_size
    if size > MAX_TEXT_BYTES:
        raise CorpusError(
            f"{path} has {size:,} bytes: expected at most {MAX_TEXT_BYTES:,}", code="too-large", value=size
        )
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise CorpusError(f"{path} line {line} is not UTF-8: convert it first", code="not-utf-8") from None
    lines = text.split("\n")
    return [line.removesuffix("\r") for line in (lines[:-1] if lines[-1] == "" else lines)]


def _digest(pairs: Sequence[Pair]) -> str:
    digest = hashlib.sha256()
    for pair in pairs:
        digest.update("\t".join(pair).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _shuffled(pairs: Sequence[Pair], seed: int) -> Iterator[Pair]:
    order = list(pairs)
    random.Random(f"shuffle/{seed}").shuffle(order)
    return iter(order)


def _make(
    folder: Path,
    pairs: Iterator[Pair],
    amounts: Mapping[str, float],
    models: Sequence[bytes],
    *,
    report: ReportProgress,
    source: Path | None,
) -> dict[str, Any]:
    """Write both splits and the vocabularies into a folder and return its description.

    The vocabularies are those of `models` where there are any.
    """
    validation, available = amounts["validation"], amounts["training"]
    doing = f"reading {source}" if source else "drawing sentences"
    # pieces are known only once the vocabulary is: words bound them from below well enough to stop drawing
    held, rest = _take(pairs, validation, frozenset(), lambda n: report(doing, n / (available + validation)))
    validated = frozenset(pair[0] for pair in held)
    training, _ = _take(
        rest, available, validated, lambda n: report(doing, (validation + n) / (available + validation))
    )
    if not training:
        raise CorpusError(
            f"corpus {source} is too small: it has {len(held)} pairs, expected more than the "
            f"{validation:,.0f} pieces for validation",
            code="corpus-too-small",
            value=len(held),
            hint=use("preset", purpose="to choose a smaller preset, or give more text"),
        )
    report("cutting words into pieces", 1.0)
    vocabulary = SMALL_VOCABULARY if available <= MAX_SMALL_CORPUS else LARGE_VOCABULARY
    digest = hashlib.sha256()
    processors = []
    for i, name in enumerate(("source", "target")):
        model = models[i] if models else _model([pair[i] for pair in training], vocabulary)
        (folder / f"{name}.model").write_bytes(model)
        digest.update(model)
        processors.append(_processor(model))
    kept: dict[str, int] = {}
    lengths: dict[str, float] = {}
    for split, pairs_of, amount in (("validation", held, validation), ("training", training, available)):
        for i, name in ((1, "target"), (0, "source")):
            codes_of = processors[i].encode([pair[i] for pair in pairs_of])
            encoded = [[*codes[:MAX_PIECES], END] for codes in codes_of]
            ends = np.cumsum([len(codes) for codes in encoded])
            # words were counted when pairs were taken: pieces are more, and decide how many pairs stay, the
            # last of them whole, so that a corpus never falls short of its largest shard by half a sentence
            count = kept.setdefault(split, min(len(ends), int(np.searchsorted(ends, amount)) + 1))
            flat = np.fromiter(itertools.chain.from_iterable(encoded[:count]), np.int32, int(ends[count - 1]))
            np.save(folder / f"{split}.{name}.npy", flat)
            np.save(folder / f"{split}.{name}.ends.npy", ends[:count])
            digest.update(flat.tobytes())
            lengths[f"{split}.{name}"] = len(flat) / count
    return {
        "fingerprint": digest.hexdigest(),
        "available": lengths["training.target"] * kept["training"],
        "skipped": {},
        "pieces": [processor.get_piece_size() for processor in processors],
        "lengths": [lengths["training.source"], lengths["training.target"]],
        "references": [pair[1] for pair in held[: kept["validation"]]],
    }


def _take(
    pairs: Iterator[Pair], amount: float, excluded: frozenset[str], report: Callable[[float], None]
) -> tuple[list[Pair], Iterator[Pair]]:
    """Return pairs with at least `amount` words of target text, none with an excluded source sentence."""
    taken: list[Pair] = []
    words = 0
    while words < amount and (pair := next(pairs, None)) is not None:
        if pair[0] not in excluded:
            taken.append(pair)
            words += pair[1].count(" ") + 2
            report(words)
    return taken, pairs


def _model(sentences: Sequence[str], vocabulary: int) -> bytes:
    """Return a sentencepiece model (byte-pair encoding: Sennrich et al. 2016, arXiv:1508.07909).

    A language with more characters than the vocabulary has pieces, such as Chinese, or sentences that are all
    longer than sentencepiece's limit, need other settings: the vocabulary grows by the characters.
    """
    try:
        return _trained_model(sentences, vocabulary)
    except RuntimeError:
        characters = Counter(unicodedata.normalize("NFKC", " ".join(sentences)))
        kept = [count for _, count in characters.most_common(MAX_CHARACTERS)]
        try:
            return _trained_model(
                sentences,
                vocabulary + len(kept),
                character_coverage=sum(kept) / characters.total(),
                max_sentence_length=max(len(sentence.encode()) for sentence in sentences) + 1,
            )
        except RuntimeError as error:
            raise CorpusError(
                f"the sentences cannot be cut into pieces ({reason(error)}): expected text in one language",
                code="no-vocabulary",
            ) from None


def _trained_model(
    sentences: Sequence[str],
    vocabulary: int,
    *,
    character_coverage: float = 1.0,
    max_sentence_length: int = 4192,
) -> bytes:
    from sentencepiece import SentencePieceTrainer

    out = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(sentences),
        model_writer=out,
        model_type="bpe",
        vocab_size=vocabulary,
        hard_vocab_limit=False,
        character_coverage=character_coverage,
        max_sentence_length=max_sentence_length,
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
