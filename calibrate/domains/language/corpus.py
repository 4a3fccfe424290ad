"""Prepare a corpus of text for language models: passages shuffled once, cut into symbols, split, cached.

Symbols are the words or the characters of a vocabulary that follows from the training text: those that occur
often enough, the most frequent first. Every other one is the symbol UNKNOWN, and its share is reported.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibrate.data.prepared import damaged, once
from calibrate.types import Corpus, ReportProgress
from laws.errors import CorpusError, use

UNKNOWN = 0  # the symbol for everything that is not in the vocabulary
MAX_VOCABULARY = 10_000  # symbols, as for the words of Hestness et al. 2017, arXiv:1712.00409
MIN_COUNT = 5  # how often a symbol of the vocabulary occurs in the training text
VOCABULARY = "vocabulary.json"
LAYOUT = 1  # increased when files or rules change, so that caches of earlier versions are made again

Codes = NDArray[np.int64]  # (symbols,)


@dataclass(frozen=True)
class Tokenizer:
    """How text becomes codes, any number of them; the vocabulary then keeps the frequent ones.

    Args:
        encode: A passage -> one code per symbol.
        spell: A code -> its symbol.
        symbols: What the symbols are called: "words" or "characters".
    """

    encode: Callable[[str], Codes]
    spell: Callable[[int], str]
    symbols: str


def prepare(
    tokenizer: Tokenizer,
    passages: Sequence[str],
    *,
    cache: Path,
    key: object,
    source: Path | None,
    available: float,
    validation: float,
    seed: int,
    skipped: dict[str, str],
    report: ReportProgress,
    follows: Path | None = None,
) -> Corpus:
    """Write a validation and a training set of passages, once into `cache`.

    No passage of the validation set is in the training set.

    Args:
        tokenizer: How text becomes codes.
        passages: The text.
        cache: The folder of all prepared corpora.
        key: Everything that the passages follow from.
        source: The corpus that was given, for messages; None for the embedded one.
        available: Training symbols; text with fewer is used whole.
        validation: Validation symbols.
        seed: Decides the order of the passages.
        skipped: What was left out, name -> reason.
        report: Takes what is being done, and the share of it that is done.
        follows: Folder of a smaller prepared corpus, whose vocabulary this one takes over; None for its own.

    Returns:
        The prepared corpus.

    Raises:
        CorpusError: The passages do not fill the validation set (code "corpus-too-small").
    """

    def make(folder: Path) -> dict[str, Any]:
        held, training = _split(tokenizer, passages, available, validation, seed=seed, report=report)
        if len(held) < int(validation) or not len(training):
            raise _too_small(source, tokenizer, len(held) + len(training), validation, skipped)
        return _write(folder, tokenizer, (held, training), skipped, vocabulary)

    vocabulary = json.loads((follows / VOCABULARY).read_text(encoding="utf-8")) if follows else None
    layout: tuple[object, ...] = (LAYOUT, MAX_VOCABULARY, MIN_COUNT, available, validation, seed, key)
    layout += (follows.name,) if follows else ()
    return once(cache, tokenizer.symbols, layout, make)


def read_split(folder: Path, split: str, count: float | None = None) -> NDArray[np.int16]:
    """Map a split of a corpus into memory.

    Args:
        folder: The folder of a prepared corpus.
        split: "training" or "validation".
        count: How many symbols from the start; None for all.

    Returns:
        Symbols (n,).

    Raises:
        CorpusError: Its file is damaged (code "damaged-corpus").
    """
    try:
        symbols: NDArray[np.int16] = np.load(folder / f"{split}.npy", mmap_mode="c")
    except (OSError, ValueError, EOFError) as error:
        raise damaged(folder, error) from None
    if symbols.dtype != np.int16 or symbols.ndim != 1:
        raise damaged(folder, f"{split}.npy holds no symbols")
    return symbols if count is None else symbols[: int(count)]


def _split(
    tokenizer: Tokenizer,
    passages: Sequence[str],
    available: float,
    validation: float,
    *,
    seed: int,
    report: ReportProgress,
) -> tuple[Codes, Codes]:
    """Return the codes of the validation and of the training set."""
    order = iter(np.random.default_rng(seed).permutation(len(passages)))
    validated: set[bytes] = set()
    splits = []
    done = 0.0
    for amount, training in ((int(validation), False), (int(available), True)):
        codes: list[Codes] = []
        count = 0
        while count < amount and (index := next(order, None)) is not None:
            passage = passages[int(index)]
            digest = hashlib.sha256(passage.encode()).digest()
            if training and digest in validated:
                continue
            if not training:
                validated.add(digest)
            codes.append(tokenizer.encode(passage))
            count += len(codes[-1])
            report(f"reading {tokenizer.symbols}", min(1.0, (done + count) / (validation + available)))
        done += count
        splits.append(np.concatenate([*codes, np.empty(0, np.int64)])[:amount])
    return splits[0], splits[1]


def _too_small(
    source: Path | None, tokenizer: Tokenizer, count: int, validation: float, skipped: dict[str, str]
) -> CorpusError:
    text = f"corpus {source}" if source else "the standard library of this Python"
    first = next(iter(skipped.items()), None)
    left_out = f"; left out: {len(skipped)} files, the first {first[0]}: {first[1]}" if first else ""
    return CorpusError(
        f"{text} is too small: it has {count:,} {tokenizer.symbols} of usable text, expected more than the "
        f"{int(validation):,} for validation{left_out}",
        code="corpus-too-small",
        value=count,
        hint=use("preset", purpose="to choose a smaller preset, or give more text"),
    )


def _write(
    folder: Path,
    tokenizer: Tokenizer,
    splits: tuple[Codes, Codes],
    skipped: dict[str, str],
    vocabulary: list[str] | None,
) -> dict[str, Any]:
    """Write both splits and the vocabulary, which is that of the training text unless one is given."""
    validation, training = splits
    rule = "of the smaller corpus"
    if vocabulary is None:
        vocabulary = _frequent(tokenizer, training)
        rule = f"that occur at least {MIN_COUNT} times in the training text, {MAX_VOCABULARY:,} at most"
    rank = {spelled: i for i, spelled in enumerate(vocabulary, UNKNOWN + 1)}
    codes_met = np.unique(np.concatenate(splits))
    symbol = np.full(int(codes_met.max(initial=0)) + 1, UNKNOWN, np.int16)
    symbol[codes_met] = [rank.get(tokenizer.spell(int(code)), UNKNOWN) for code in codes_met]
    digest = hashlib.sha256(json.dumps(vocabulary).encode())
    unknown = {}
    for split, codes in (("validation", validation), ("training", training)):
        symbols = symbol[codes]
        np.save(folder / f"{split}.npy", symbols)
        digest.update(symbols.tobytes())
        unknown[split] = float(np.mean(symbols == UNKNOWN))
    (folder / VOCABULARY).write_text(json.dumps(vocabulary), encoding="utf-8")
    return {
        "fingerprint": digest.hexdigest(),
        "available": len(training),
        "vocabulary": len(vocabulary) + 1,
        "unknown": unknown,
        "skipped": skipped,
        "notes": [
            f"The vocabulary is the {len(vocabulary):,} {tokenizer.symbols} {rule}. All others are one "
            f"symbol: {unknown['training']:.2%} of the training and {unknown['validation']:.2%} of the "
            f"validation {tokenizer.symbols}."
        ],
    }


def _frequent(tokenizer: Tokenizer, training: Codes) -> list[str]:
    """Return the symbols that occur often enough, the most frequent first."""
    counts = np.bincount(training)
    frequent = np.flatnonzero(counts >= MIN_COUNT)
    # codes follow the order in which words were met, which the seed decides: any order of ties will do
    frequent = frequent[np.argsort(-counts[frequent], kind="stable")][:MAX_VOCABULARY]
    return [tokenizer.spell(int(code)) for code in frequent]
