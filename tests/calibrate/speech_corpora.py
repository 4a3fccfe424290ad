"""Real speech for tests: spoken by espeak-ng, kept as FLAC the way LibriSpeech keeps it."""

from functools import cache
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from calibrate.domains.speech.espeak import SpokenText
from calibrate.domains.speech.synthesis import record

TEXTS = (
    "the quick brown fox jumps over the lazy dog",
    "a list of words is returned in reverse order",
    "raised when a file cannot be opened for reading",
    "it's the caller who closes the connection",
    "return the first item of an empty sequence",
    "this method may be called from another thread",
)


@cache
def sounds() -> tuple[NDArray[np.int16], ...]:
    """Speak every text in two voices; samples at 16 kHz."""
    utterances = [
        SpokenText(text, voice, 150, 50) for voice in ("gmw/en-US+f2", "gmw/en+m3") for text in TEXTS
    ]
    return tuple(record(utterances, seed=(7,)))


def librispeech(folder: Path) -> Path:
    """Write the sounds in LibriSpeech's layout, two speakers with a chapter each."""
    for speaker, first in (("19", 0), ("27", len(TEXTS))):
        chapter = folder / speaker / "198"
        chapter.mkdir(parents=True)
        lines = []
        for number, text in enumerate(TEXTS):
            name = f"{speaker}-198-{number:04}"
            soundfile.write(chapter / f"{name}.flac", sounds()[first + number], 16_000)
            lines.append(f"{name} {text.upper()}\n")
        (chapter / f"{speaker}-198.trans.txt").write_text("".join(lines))
    return folder


def common_voice(folder: Path) -> Path:
    """Write the sounds as a release of Common Voice: clips as MP3, lists of them as TSV.

    The first voice speaks every text twice for training and once more as a speaker of dev.tsv, the second
    voice is split between dev.tsv and test.tsv.
    """
    clips = folder / "clips"
    clips.mkdir(parents=True)
    lists: dict[str, list[str]] = {"train": [], "dev": [], "test": [], "validated": []}
    for number, sound in enumerate(sounds()):
        text = TEXTS[number % len(TEXTS)]
        part = "train" if number < len(TEXTS) else ("dev", "test")[number % 2]
        speakers = [f"{part}-a", f"{part}-b"] if part == "train" else [part]
        for speaker in speakers:
            name = f"common_voice_en_{number}_{speaker}.mp3"
            soundfile.write(clips / name, sound, 16_000, format="MP3")
            written = f'"{text.capitalize()},"' if number % 2 else f"{text.capitalize()}."
            row = f"{speaker}\t{name}\t{written}\t2\t0\t\t\t\ten\t\n"
            lists[part].append(row)
            lists["validated"].append(row)
    header = "client_id\tpath\tsentence\tup_votes\tdown_votes\tage\tgender\taccents\tlocale\tsegment\n"
    for part, rows in lists.items():
        (folder / f"{part}.tsv").write_text(header + "".join(rows), encoding="utf-8")
    return folder
