"""Decode recordings on every core; unusable files are left out and named."""

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import soundfile

from calibrate.data.decoding import SharedLimit, quiet_decoders, reason
from calibrate.data.features import SAMPLE_RATE, log_mel, resample
from calibrate.domains.speech.frames import Utterance
from calibrate.domains.speech.transcripts import Recording

# longer recordings are mostly not cut into sentences, and one would decide the memory of a batch
MAX_SECONDS = 40.0
MIN_SECONDS = 0.1
MAX_RATE = 768_000  # Hz: the filter that resamples is as long as the rate
MAX_SAMPLES = 2**26  # of all channels of a recording, and of those decoded at a time: 268 MB
_DECODED_TOGETHER = 64  # recordings

_samples = SharedLimit(MAX_SAMPLES)


def decode(recordings: list[Recording], skipped: dict[str, str]) -> Iterator[Utterance]:
    """Decode recordings in order on every core.

    Args:
        recordings: The recordings.
        skipped: Takes those that cannot be used, name -> reason.

    Yields:
        Utterances.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for first in range(0, len(recordings), _DECODED_TOGETHER):
            batch = recordings[first : first + _DECODED_TOGETHER]
            with quiet_decoders():
                results = list(pool.map(_decode, batch))
            for recording, result in zip(batch, results, strict=True):
                if isinstance(result, str):
                    skipped[recording.name] = result
                else:
                    yield result


def _decode(recording: Recording) -> Utterance | str:
    """Return an utterance, or the reason why the recording cannot be used."""
    try:
        header = soundfile.info(str(recording.audio))
        if header.duration > MAX_SECONDS:
            return f"{header.duration:.0f} s long, at most {MAX_SECONDS:.0f} s are used"
        if not 0 < header.samplerate <= MAX_RATE:
            return f"{header.samplerate:,} samples per second: expected at most {MAX_RATE:,}"
        size = header.frames * header.channels
        if size > MAX_SAMPLES:
            return f"{size:,} samples: expected at most {MAX_SAMPLES:,}"
        with _samples.reserve(size):
            return _utterance(recording, header.frames)
    except Exception as error:  # decoders raise errors of many types on damaged files
        # soundfile's own errors begin with the path, which is the name already
        return f"not readable: {reason(getattr(error, 'error_string', error))}"


def _utterance(recording: Recording, expected: int) -> Utterance | str:
    """Return a recording of `expected` samples as an utterance, or why it cannot be used."""
    samples, rate = soundfile.read(str(recording.audio), dtype="float32", always_2d=True)
    if len(samples) < expected:
        return f"cut short: {len(samples)} of {expected} samples"
    if len(samples) < MIN_SECONDS * rate:
        return f"{len(samples) / rate:.2f} s long, expected at least {MIN_SECONDS} s"
    if not np.isfinite(samples).all():
        return "samples that are not numbers"
    if not samples.any():
        return "silence"
    # the energy of samples near the largest float is infinite, and frames of it are not numbers
    with np.errstate(all="ignore"):
        sound = resample(samples.mean(axis=1), rate)
        frames = log_mel(sound)
    if not np.isfinite(frames).all():
        return f"samples of up to {np.abs(samples).max():.3g}: expected -1 to 1"
    return Utterance(
        text=recording.text,
        frames=frames,
        seconds=len(sound) / SAMPLE_RATE,
        digest=hashlib.sha256(recording.text.encode() + b"\0" + samples.tobytes()).digest(),
        name=recording.name,
    )
