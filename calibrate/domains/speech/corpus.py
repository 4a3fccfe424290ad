"""Prepare a corpus of speech: spoken by the machine or recorded, decoded once, split, cached."""

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from calibrate.data.english import sentences
from calibrate.data.prepared import description, first_left_out, once
from calibrate.domains.speech import frames, recordings, transcripts
from calibrate.domains.speech.frames import Spoken, Written
from calibrate.domains.speech.synthesis import speech
from calibrate.domains.speech.transcripts import Found, Recording
from calibrate.types import Corpus, ReportProgress
from laws.errors import PlannerError

STRIDE = 3  # frames that a model merges into one output
_HELD_OUT = 10  # one sentence in so many is kept for validation
_USABLE = 0.5  # share of the recordings read below which a corpus is refused

OWN_SPEAKERS = (
    "Nobody who is heard in the validation set (dev.tsv) or in test.tsv is heard in the training set."
)


def prepare(
    *,
    cache: Path,
    source: Path | None,
    available: float,
    validation: float,
    seed: int,
    report: ReportProgress,
) -> Corpus:
    """Speak the embedded corpus, or decode the one in `source`, once into `cache`; amounts in hours.

    No sentence of the validation set is in the training set. Voices, and in a recorded corpus speakers, are
    in both, unless the corpus keeps a validation set of its own as Common Voice does. A source with less than
    `available` hours is used whole. Raises PlannerError where a source cannot be used.
    """
    skipped: dict[str, str] = {}
    found = transcripts.find(source, skipped) if source else Found([])
    files = [
        (r.name, r.text, r.audio.stat().st_size, r.audio.stat().st_mtime_ns)
        for r in (*(found.held_out or ()), *found.training)
    ]
    machine = () if source else (sys.version, _espeak_version())

    def make(folder: Path) -> dict[str, Any]:
        rng = np.random.default_rng(seed)
        if source:
            training = _learnable(recordings.decode(_shuffled(found.training, rng), skipped), skipped)
            validating = training
            if found.held_out is not None:
                held_out = recordings.decode(_shuffled(found.held_out, rng), skipped)
                validating = _learnable(held_out, skipped)
        else:
            text = sentences()
            reserved, kept = np.split(rng.permutation(len(text)), [len(text) // _HELD_OUT])
            validating = _learnable(speech([text[i] for i in reserved], (seed, 1)), skipped)
            training = _learnable(speech([text[i] for i in kept], (seed, 2)), skipped)
        progress = _Progress(
            f"decoding {source}" if source else "speaking sentences", validation + available, report
        )
        held = frames.write(folder, "validation", progress(validating), validation)
        learned = (utterance for utterance in progress(training) if utterance.text not in held.texts)
        taught = frames.write(folder, "training", learned, available)
        if source:
            _check(source, held, taught, validation, skipped, own=found.held_out is not None)
        return {
            "fingerprint": hashlib.sha256(f"{held.digest} {taught.digest}".encode()).hexdigest(),
            "alphabet": "".join(sorted(set("".join(held.texts | taught.texts)))),
            "available": taught.hours,
            "skipped": skipped,
            "notes": [OWN_SPEAKERS] if found.held_out is not None else [],
        }

    asked = (frames.LAYOUT, STRIDE, available, validation, seed, machine, files)
    # who writes nothing leaves out every word and every character
    return replace(once(cache, "speech", asked, make), guessing={"wer": 1.0, "cer": 1.0})


def alphabet(corpus: Corpus) -> str:
    """Return the characters that the texts of a corpus are made of, sorted."""
    return str(description(corpus.folder)["alphabet"])


def _shuffled(recordings: list[Recording], rng: np.random.Generator) -> list[Recording]:
    return [recordings[i] for i in rng.permutation(len(recordings))]


class _Progress:
    """Report how much of the wanted hours several iterators of speech have brought."""

    def __init__(self, doing: str, wanted: float, report: ReportProgress) -> None:
        self.doing, self.wanted, self.report, self.hours = doing, wanted, report, 0.0

    def __call__(self, utterances: Iterator[Spoken]) -> Iterator[Spoken]:
        for utterance in utterances:
            self.hours += utterance.seconds / 3600
            self.report(self.doing, min(1.0, self.hours / self.wanted))
            yield utterance


def _learnable(utterances: Iterator[Spoken], skipped: dict[str, str]) -> Iterator[Spoken]:
    """Leave out utterances with more characters than CTC has outputs for: their loss would be infinite."""
    for utterance in utterances:
        outputs = -(-len(utterance.frames) // STRIDE)
        # CTC needs an output for every character and a blank between equal neighbors.
        needed = len(utterance.text) + sum(map(str.__eq__, utterance.text, utterance.text[1:]))
        if outputs >= needed:
            yield utterance
        elif utterance.name:
            skipped[utterance.name] = f"{len(utterance.text)} characters in {utterance.seconds:.1f} s"


def _check(
    source: Path,
    held: Written,
    taught: Written,
    validation: float,
    skipped: dict[str, str],
    *,
    own: bool,
) -> None:
    """Refuse a recorded corpus that is mostly broken or too small for its validation set."""
    used = held.count + taught.count
    if len(skipped) > used * (1 - _USABLE) / _USABLE:
        raise PlannerError(
            f"--data {source}: {len(skipped)} recordings cannot be used and {used} can; "
            f"{first_left_out(source, skipped)}; mend the corpus and run again"
        )
    left_out = f"; left out: {len(skipped)}, {first_left_out(source, skipped)}" if skipped else ""
    if own and held.hours < validation:
        raise PlannerError(
            f"--data {source}: dev.tsv has {held.hours:.3g} h of usable speech, and {validation:.3g} h for "
            f"validation were wanted{left_out}: choose a smaller preset or give a longer dev.tsv"
        )
    if not taught.count or held.hours < validation:
        raise PlannerError(
            f"--data {source} holds {held.hours + taught.hours:.3g} h of usable speech, more than the "
            f"{validation:.3g} h for validation were wanted{left_out}: choose a smaller preset or give more "
            "speech"
        )


def _espeak_version() -> str:
    try:
        return version("espeakng-loader")
    except PackageNotFoundError:
        return ""  # `speak` says what to install
