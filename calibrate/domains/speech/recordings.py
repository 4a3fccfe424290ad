"""Decode recordings on every core; what cannot be used is left out under its name, never silently."""

import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext

import numpy as np
import soundfile

from calibrate.data.features import SAMPLE_RATE, log_mel, resample
from calibrate.domains.speech.frames import Spoken
from calibrate.domains.speech.transcripts import Recording

LONGEST = (
    40.0  # seconds; longer recordings are mostly unsegmented, and one would decide the memory of a batch
)
SHORTEST = 0.1
_WAVE = 64  # recordings decoded together
_NOTES = re.compile(rb"(?:Note: |Warning: |\[src/libmpg123)[^\n]*\n")  # lines of the MP3 decoder


def decode(recordings: list[Recording], skipped: dict[str, str]) -> Iterator[Spoken]:
    """Decode recordings in order on every core; those that cannot be used go to `skipped`."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for first in range(0, len(recordings), _WAVE):
            wave = recordings[first : first + _WAVE]
            with _quiet() if any(r.audio.suffix.lower() == ".mp3" for r in wave) else nullcontext():
                results = list(pool.map(_decode, wave))
            for recording, result in zip(wave, results, strict=True):
                if isinstance(result, str):
                    skipped[recording.name] = result
                else:
                    yield result


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the MP3 decoder's own notes off the screen, which it writes past Python to fd 2.

    What others write there meanwhile comes through afterwards.
    """
    try:
        kept = os.dup(2)
    except OSError:  # closed: there is no screen
        yield
        return
    with os.fdopen(kept, "wb") as screen, tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            written.seek(0)
            screen.write(_NOTES.sub(b"", written.read()))


def _decode(recording: Recording) -> Spoken | str:
    """Return a recording's frames, or the reason why it cannot be used."""
    try:
        promised = soundfile.info(str(recording.audio))
        if promised.duration > LONGEST:
            return f"{promised.duration:.0f} s long, at most {LONGEST:.0f} s are used"
        samples, rate = soundfile.read(str(recording.audio), dtype="float32", always_2d=True)
    except (OSError, RuntimeError, ValueError) as error:  # soundfile's own errors are RuntimeErrors
        # its own errors begin with the path, which is the name already
        return " ".join(f"not readable: {getattr(error, 'error_string', error)}".split())
    if len(samples) < promised.frames:
        return f"cut short: {len(samples)} of {promised.frames} samples"
    if len(samples) < SHORTEST * rate:
        return f"{len(samples) / rate:.2f} s long, at least {SHORTEST} s are wanted"
    if not np.isfinite(samples).all():
        return "samples that are no numbers"
    if not samples.any():
        return "silence"
    sound = resample(samples.mean(axis=1), rate)
    return Spoken(
        text=recording.text,
        frames=log_mel(sound),
        seconds=len(sound) / SAMPLE_RATE,
        digest=hashlib.sha256(recording.text.encode() + b"\0" + samples.tobytes()).digest(),
        name=recording.name,
    )
