"""The embedded speech corpus: sentences of Python's documentation in many voices, with noise."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice

import numpy as np
from numpy.typing import NDArray

from calibrate.data.features import SAMPLE_RATE, log_mel, resample
from calibrate.domains.speech.espeak import ACCENTS, SPEAKERS, SpokenText, speak
from calibrate.domains.speech.espeak import SAMPLE_RATE as SPOKEN_RATE
from calibrate.domains.speech.frames import Utterance

BLOCK = 64  # utterances spoken by one child process: decides the bytes, so it does not depend on the machine
_MAX_WORKERS = 8  # children at a time, and blocks made at once
_RATES = (130, 180)  # words per minute
_PITCHES = (25, 75)  # of espeak's 0 to 100
_NOISE = (15.0, 40.0)  # speech over noise, dB


def speech(sentences: Sequence[str], seed: tuple[int, ...]) -> Iterator[Utterance]:
    """Speak sentences without end in random order; each round speaks each once, in other voices.

    Args:
        sentences: Texts.
        seed: Decides the voice, rate, pitch and noise of every utterance, and so every sample.

    Yields:
        Utterances.
    """
    script = _script(sentences, np.random.default_rng(seed))
    workers = min(os.cpu_count() or 1, _MAX_WORKERS)
    with ThreadPoolExecutor(workers) as pool:
        for wave in count():
            blocks = [
                (list(islice(script, BLOCK)), (*seed, wave * workers + worker)) for worker in range(workers)
            ]
            for block in pool.map(lambda block: _say(*block), blocks):
                yield from block


def record(utterances: Sequence[SpokenText], seed: Sequence[int]) -> list[NDArray[np.int16]]:
    """Return texts spoken with white noise, as recordings of them would be.

    Args:
        utterances: The texts.
        seed: Decides the noise.

    Returns:
        For each text its samples (n,) at 16 kHz.
    """
    rng = np.random.default_rng(seed)
    return [_noisy(samples, rng) for samples in speak(utterances)]


def _script(sentences: Sequence[str], rng: np.random.Generator) -> Iterator[SpokenText]:
    while True:
        for index in rng.permutation(len(sentences)):
            yield SpokenText(
                text=sentences[index],
                voice=f"gmw/{rng.choice(ACCENTS)}+{rng.choice(SPEAKERS)}",
                rate=int(rng.integers(*_RATES, endpoint=True)),
                pitch=int(rng.integers(*_PITCHES, endpoint=True)),
            )


def _say(utterances: Sequence[SpokenText], seed: tuple[int, ...]) -> list[Utterance]:
    return [
        Utterance(
            text=utterance.text,
            frames=log_mel(sound.astype(np.float32) * np.float32(2**-15)),
            seconds=len(sound) / SAMPLE_RATE,
            digest=hashlib.sha256(utterance.text.encode() + b"\0" + sound.tobytes()).digest(),
        )
        for utterance, sound in zip(utterances, record(utterances, seed), strict=True)
    ]


def _noisy(samples: NDArray[np.int16], rng: np.random.Generator) -> NDArray[np.int16]:
    sound = resample(samples.astype(np.float32), SPOKEN_RATE)
    level = float(np.sqrt(np.mean(sound**2))) * 10 ** (-rng.uniform(*_NOISE) / 20)
    noisy = sound + rng.standard_normal(len(sound), np.float32) * np.float32(level)
    return np.clip(np.rint(noisy), -(2**15), 2**15 - 1).astype(np.int16)
