"""Prepare a corpus of text for language models: passages shuffled once, cut into symbols, split, cached.

Symbols are the words or the characters of a vocabulary that the training text gives: those that occur often
enough, the most frequent first. Everything else is one symbol, UNKNOWN, and how often it stands is counted.
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
from laws.errors import PlannerError

UNKNOWN = 0  # the symbol for everything that is not in the vocabulary
MOST = 10_000  # symbols of a vocabulary, as in Hestness et al. 2017 for words
LEAST = 5  # times that a symbol stands in the training text at least
LAYOUT = 1  # raised when files or rules change: a cache made by an earlier version is then made anew

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Reading:
    """How text is read: into codes without end, which the vocabulary then narrows."""

    encode: Callable[[str], Codes]  # a passage -> one code a symbol
    spell: Callable[[int], str]  # a code -> the symbol
    symbols: str  # what the symbols are called: "words", "characters"


def prepare(
    reading: Reading,
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
) -> Corpus:
    """Write `validation` and then `available` symbols of passages in an order of the seed, once into `cache`.

    No passage of the validation set is in the training set. What holds less than `available` is used whole.
    `key` is what the passages follow from. Raises PlannerError where they do not fill the validation set.
    """

    def make(folder: Path) -> dict[str, Any]:
        held, taught = _split(reading, passages, available, validation, seed=seed, report=report)
        if len(held) < int(validation) or not len(taught):
            raise _too_little(source, reading, len(held) + len(taught), validation, skipped)
        return _write(folder, reading, held, taught, skipped)

    return once(cache, reading.symbols, (LAYOUT, MOST, LEAST, available, validation, seed, key), make)


def read(folder: Path, part: str, count: float | None = None) -> NDArray[np.int16]:
    """Map a part of a corpus into memory, or its first `count` symbols."""
    try:
        symbols: NDArray[np.int16] = np.load(folder / f"{part}.npy", mmap_mode="c")
    except (OSError, ValueError, EOFError) as error:
        raise damaged(folder, error) from None
    if symbols.dtype != np.int16 or symbols.ndim != 1:
        raise damaged(folder, f"{part}.npy holds no symbols")
    return symbols if count is None else symbols[: int(count)]


def _split(
    reading: Reading,
    passages: Sequence[str],
    available: float,
    validation: float,
    *,
    seed: int,
    report: ReportProgress,
) -> tuple[Codes, Codes]:
    """Return the codes of the validation and of the training set."""
    order = iter(np.random.default_rng(seed).permutation(len(passages)))
    held_out: set[bytes] = set()
    parts = []
    done = 0.0
    for wanted, learning in ((int(validation), False), (int(available), True)):
        found: list[Codes] = []
        count = 0
        while count < wanted and (place := next(order, None)) is not None:
            passage = passages[int(place)]
            digest = hashlib.sha256(passage.encode()).digest()
            if learning and digest in held_out:
                continue
            if not learning:
                held_out.add(digest)
            found.append(reading.encode(passage))
            count += len(found[-1])
            report(f"reading {reading.symbols}", min(1.0, (done + count) / (validation + available)))
        done += count
        parts.append(np.concatenate([*found, np.empty(0, np.int64)])[:wanted])
    return parts[0], parts[1]


def _too_little(
    source: Path | None, reading: Reading, found: int, validation: float, skipped: dict[str, str]
) -> PlannerError:
    what = f"--data {source}" if source else "the standard library of this Python"
    first = next(iter(skipped.items()), None)
    left_out = f"; left out: {len(skipped)} files, the first {first[0]}: {first[1]}" if first else ""
    return PlannerError(
        f"{what} holds {found:,} {reading.symbols} of usable text, and more than the {int(validation):,} for "
        f"validation were wanted{left_out}: choose a smaller preset or give more text"
    )


def _write(
    folder: Path, reading: Reading, held: Codes, taught: Codes, skipped: dict[str, str]
) -> dict[str, Any]:
    counts = np.bincount(taught)
    frequent = np.flatnonzero(counts >= LEAST)
    frequent = frequent[np.argsort(-counts[frequent], kind="stable")][:MOST]
    # codes follow the order in which words were met, which the seed decides: ties are as good as any
    symbol = np.full(max(len(counts), int(held.max(initial=0)) + 1), UNKNOWN, np.int16)
    symbol[frequent] = np.arange(1, len(frequent) + 1)
    vocabulary = [reading.spell(int(code)) for code in frequent]
    digest = hashlib.sha256(json.dumps(vocabulary).encode())
    shares = {}
    for name, codes in (("validation", held), ("training", taught)):
        symbols = symbol[codes]
        np.save(folder / f"{name}.npy", symbols)
        digest.update(symbols.tobytes())
        shares[name] = float(np.mean(symbols == UNKNOWN))
    (folder / "vocabulary.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    return {
        "fingerprint": digest.hexdigest(),
        "available": len(taught),
        "vocabulary": len(vocabulary) + 1,
        "unknown": shares,
        "skipped": skipped,
        "notes": [
            f"The vocabulary is the {len(vocabulary):,} {reading.symbols} that stand at least {LEAST} times "
            f"in the training text, {MOST:,} at most. All others are one symbol: {shares['training']:.2%} of "
            f"the training and {shares['validation']:.2%} of the validation {reading.symbols}."
        ],
    }
