"""The cache of decoded speech: frames in one file that every worker maps into memory.

A part of a corpus called `training` is three files: `training.f16` (the frames of all utterances behind each
other), `training.npz` (where each utterance ends, how long it sounds) and `training.txt` (one text a line).
Utterances keep their order, so the first hours of a part are a prefix of its files.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from calibrate.data.features import MELS
from calibrate.data.prepared import damaged

LAYOUT = 1  # raised when files or features change: a cache made by an earlier version is then made anew


@dataclass(frozen=True)
class Spoken:
    """One utterance: its text, frames (n, 40), length in seconds, and the hash of its sound and text."""

    text: str
    frames: NDArray[np.float16]
    seconds: float
    digest: bytes
    name: str = ""  # of the recording, for messages


@dataclass(frozen=True)
class Part:
    """The utterances of a part, opened; utterance i is `frames[begins[i]:ends[i]]`."""

    frames: NDArray[np.float16]
    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    hours: NDArray[np.float64]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Written:
    """What went into a part."""

    count: int
    hours: float
    texts: frozenset[str]
    digest: str


def write(folder: Path, name: str, utterances: Iterable[Spoken], hours: float) -> Written:
    """Write utterances until they last `hours`, or until there are no more."""
    ends, seconds, texts = [], [], []
    content = hashlib.sha256(f"layout {LAYOUT}".encode())
    total, heard = 0, 0.0
    with (folder / f"{name}.f16").open("wb") as file:
        for utterance in utterances:
            file.write(utterance.frames.tobytes())
            total += len(utterance.frames)
            ends.append(total)
            seconds.append(utterance.seconds)
            heard += utterance.seconds
            texts.append(utterance.text)
            content.update(utterance.digest)
            if heard >= hours * 3600:
                break
    np.savez(folder / f"{name}.npz", ends=np.array(ends, np.int64), seconds=np.array(seconds, np.float64))
    (folder / f"{name}.txt").write_text("".join(text + "\n" for text in texts), encoding="utf-8")
    return Written(len(texts), heard / 3600, frozenset(texts), content.hexdigest())


def read(folder: Path, name: str, hours: float | None = None) -> Part:
    """Open a part, or its first `hours`; raise CorpusError where its files are missing or were cut."""
    try:
        with np.load(folder / f"{name}.npz") as index:
            ends, seconds = index["ends"], index["seconds"]
        texts = (folder / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        frames = np.memmap(folder / f"{name}.f16", np.float16, "r").reshape(-1, MELS)
    except (OSError, ValueError, KeyError) as error:
        raise damaged(folder, error) from None
    if len(ends) != len(texts) or (len(ends) and ends[-1] != len(frames)):
        raise damaged(folder, f"{name} was cut short")
    lasting = np.cumsum(seconds) / 3600
    # A part of 1 h ends with the utterance in which the hour is reached.
    count = (
        len(ends) if hours is None else min(len(ends), int(np.searchsorted(lasting, hours * (1 - 1e-9))) + 1)
    )
    begins = np.concatenate([[0], ends[:-1]]).astype(np.int64)
    return Part(frames, begins[:count], ends[:count], seconds[:count] / 3600, tuple(texts[:count]))


def mean_lengths(folder: Path) -> tuple[float, float]:
    """Return the mean frames and characters of the training utterances."""
    part = read(folder, "training")
    return float(part.ends[-1]) / len(part.ends), sum(map(len, part.texts)) / len(part.ends)
