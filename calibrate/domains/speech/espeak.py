"""Speech from text with espeak-ng, always in a fresh child process.

espeak-ng 1.52 carries state from one utterance to the next, so an utterance sounds a little different on its
second call. A fresh process that makes the same calls in the same order, with the library's random numbers
seeded, gives the same bytes; that is what makes a corpus repeatable. The child also keeps a GPL-3.0 library
out of this process.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from laws.errors import EngineError, Hint, MissingInput, use

SAMPLE_RATE = 22_050

ACCENTS = ("en", "en-029", "en-GB-scotland", "en-US")
SPEAKERS = ("f1", "f2", "f4", "f5", "m1", "m2", "m3", "m4", "m7", "m8")

_OWN_CORPUS: Hint = use("data", value="FOLDER", purpose="to give a corpus of your own")


@dataclass(frozen=True)
class SpokenText:
    """A text and how it is spoken.

    Args:
        text: The text.
        voice: "accent+speaker".
        rate: Words per minute.
        pitch: 0 to 100.
    """

    text: str
    voice: str
    rate: int
    pitch: int


def speak(utterances: Sequence[SpokenText]) -> list[NDArray[np.int16]]:
    """Speak texts in order in one fresh child process; the same sequence gives the same samples.

    Args:
        utterances: The texts.

    Returns:
        For each text its samples (n,) at 22,050 Hz.

    Raises:
        MissingInput: espeak-ng is not installed (code "espeak-not-installed").
        EngineError: It does not run (code "espeak-failed").
    """
    if find_spec("espeakng_loader") is None:
        raise MissingInput(
            "the embedded speech corpus needs espeak-ng, which is not installed: "
            "pip install 'scaling-planner[calibrate]'",
            code="espeak-not-installed",
            hint=_OWN_CORPUS,
        )
    child = Path(__file__).with_name("espeak_child.py")
    spoken = subprocess.run(
        [sys.executable, "-P", str(child)],
        input="".join(json.dumps(asdict(utterance)) + "\n" for utterance in utterances).encode(),
        capture_output=True,
        check=False,
    )
    if spoken.returncode != 0:
        lines = spoken.stderr.decode(errors="replace").strip().splitlines()
        raise EngineError(
            f"espeak-ng stopped with code {spoken.returncode} ({lines[-1] if lines else 'no message'}): "
            "reinstall espeakng-loader",
            code="espeak-failed",
            hint=_OWN_CORPUS,
        )
    samples = _split(spoken.stdout)
    if len(samples) != len(utterances):
        raise EngineError(
            f"espeak-ng spoke {len(samples)} texts, expected {len(utterances)}: run again",
            code="espeak-failed",
        )
    return samples


def _split(stream: bytes) -> list[NDArray[np.int16]]:
    """Return the arrays of a stream of (count, samples)."""
    arrays = []
    position = 0
    while position < len(stream):
        count = int(np.frombuffer(stream, "<u4", 1, position)[0])
        arrays.append(np.frombuffer(stream, "<i2", count, position + 4))
        position += 4 + 2 * count
    return arrays
