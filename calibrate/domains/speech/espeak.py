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

from laws.errors import PlannerError

SAMPLE_RATE = 22_050

ACCENTS = ("en", "en-029", "en-GB-scotland", "en-US")
SPEAKERS = ("f1", "f2", "f4", "f5", "m1", "m2", "m3", "m4", "m7", "m8")


@dataclass(frozen=True)
class Utterance:
    """One thing to say: the voice is "accent+speaker", rate in words a minute, pitch from 0 to 100."""

    text: str
    voice: str
    rate: int
    pitch: int


def speak(utterances: Sequence[Utterance]) -> list[NDArray[np.int16]]:
    """Speak utterances in order in one fresh child process; return the samples of each at 22,050 Hz.

    The same sequence gives the same samples. Raises PlannerError where espeak-ng is missing or does not run.
    """
    if find_spec("espeakng_loader") is None:
        raise PlannerError(
            "the embedded speech corpus needs espeak-ng, which is not installed: "
            "pip install 'scaling-planner[calibrate]', or give a corpus of your own with --data DIR"
        )
    child = Path(__file__).with_name("espeak_child.py")
    spoken = subprocess.run(
        [sys.executable, "-P", str(child)],
        input="".join(json.dumps(asdict(utterance)) + "\n" for utterance in utterances).encode(),
        capture_output=True,
        check=False,
    )
    if spoken.returncode != 0:
        said = spoken.stderr.decode(errors="replace").strip().splitlines()
        raise PlannerError(
            f"espeak-ng stopped with code {spoken.returncode} ({said[-1] if said else 'no message'}): "
            "reinstall espeakng-loader, or give a corpus of your own with --data DIR"
        )
    samples = _split(spoken.stdout)
    if len(samples) != len(utterances):
        raise PlannerError(
            f"espeak-ng spoke {len(samples)} of {len(utterances)} utterances: run the command again"
        )
    return samples


def _split(stream: bytes) -> list[NDArray[np.int16]]:
    found = []
    position = 0
    while position < len(stream):
        count = int(np.frombuffer(stream, "<u4", 1, position)[0])
        found.append(np.frombuffer(stream, "<i2", count, position + 4))
        position += 4 + 2 * count
    return found
