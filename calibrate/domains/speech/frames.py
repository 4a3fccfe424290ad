"""The cache of decoded speech: frames in one file that every worker maps into memory.

The split `training` is three files: `training.f16` (the frames of all utterances, one after the other),
`training.npz` (where each utterance ends, how long it lasts) and `training.txt` (one text per line).
Utterances keep their order, so the first hours of a split are a prefix of its files.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from calibrate.data.features import MELS
from calibrate.data.prepared import damaged

LAYOUT = 1  # increased when files or features change, so that caches of earlier versions are made again


@dataclass(frozen=True)
class Utterance:
    """Sound with the text that is spoken in it.

    Args:
        text: The text, normalized.
        frames: Log-mel frames (n, 40).
        seconds: How long it lasts.
        digest: Hash of the sound and the text.
        name: The recording's name in messages.
    """

    text: str
    frames: NDArray[np.float16]
    seconds: float
    digest: bytes
    name: str = ""


@dataclass(frozen=True)
class Split:
    """The training or the validation set, mapped into memory; utterance i is `frames[begins[i]:ends[i]]`.

    Args:
        frames: Frames of all utterances (total, 40).
        begins: First frame of each utterance (utterances,).
        ends: Frame after the last one (utterances,).
        hours: How long each utterance lasts (utterances,).
        texts: Their texts.
    """

    frames: NDArray[np.float16]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    hours: NDArray[np.float64]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class SplitSummary:
    """What was written into a split.

    Args:
        count: Utterances.
        hours: How long they last together.
        texts: Their texts.
        digest: Hash of their content.
    """

    count: int
    hours: float
    texts: frozenset[str]
    digest: str


def write(folder: Path, name: str, utterances: Iterable[Utterance], hours: float) -> SplitSummary:
    """Write utterances until they last `hours`, or until there are no more.

    Args:
        folder: The folder of the corpus.
        name: "training" or "validation".
        utterances: The utterances.
        hours: How long they last at least; the last one is written whole.

    Returns:
        What was written.
    """
    ends, seconds, texts = [], [], []
    content = hashlib.sha256(f"layout {LAYOUT}".encode())
    total, lasting = 0, 0.0
    with (folder / f"{name}.f16").open("wb") as file:
        for utterance in utterances:
            file.write(utterance.frames.tobytes())
            total += len(utterance.frames)
            ends.append(total)
            seconds.append(utterance.seconds)
            lasting += utterance.seconds
            texts.append(utterance.text)
            content.update(utterance.digest)
            if lasting >= hours * 3600:
                break
    np.savez(folder / f"{name}.npz", ends=np.array(ends, np.int64), seconds=np.array(seconds, np.float64))
    (folder / f"{name}.txt").write_text("".join(text + "\n" for text in texts), encoding="utf-8")
    return SplitSummary(len(texts), lasting / 3600, frozenset(texts), content.hexdigest())


def read(folder: Path, name: str, hours: float | None = None) -> Split:
    """Map a split into memory.

    Args:
        folder: The folder of the corpus.
        name: "training" or "validation".
        hours: How long it should last, with the utterance in which that is reached; None for all.

    Returns:
        The split.

    Raises:
        CorpusError: Its files are missing or were cut (code "damaged-corpus").
    """
    try:
        with np.load(folder / f"{name}.npz") as index:
            ends, seconds = index["ends"], index["seconds"]
        texts = (folder / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        frames = np.memmap(folder / f"{name}.f16", np.float16, "r").reshape(-1, MELS)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise damaged(folder, error) from None
    if len(ends) != len(texts) or (len(ends) and ends[-1] != len(frames)):
        raise damaged(folder, f"{name} was cut short")
    lasting = np.cumsum(seconds) / 3600
    count = (
        len(ends) if hours is None else min(len(ends), int(np.searchsorted(lasting, hours * (1 - 1e-9))) + 1)
    )
    begins = np.concatenate([[0], ends[:-1]]).astype(np.int64)
    return Split(frames, begins[:count], ends[:count], seconds[:count] / 3600, tuple(texts[:count]))


def mean_lengths(folder: Path) -> tuple[float, float]:
    """Return the mean length of the training utterances.

    Args:
        folder: The folder of the corpus.

    Returns:
        Frames and characters per utterance.
    """
    training = read(folder, "training")
    utterances = len(training.ends)
    return float(training.ends[-1]) / utterances, sum(map(len, training.texts)) / utterances
