"""Prepare a corpus of speech: synthesized or recorded, decoded once, split, cached."""

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from calibrate.data import english
from calibrate.data.prepared import description, first_left_out, once
from calibrate.domains.speech import frames, grammar, recordings
from calibrate.domains.speech.frames import SplitSummary, Utterance
from calibrate.domains.speech.synthesis import speech
from calibrate.domains.speech.transcripts import Recording, Recordings, find_recordings
from calibrate.types import Corpus, ReportProgress
from laws.errors import CorpusError, use

STRIDE = 3  # frames that a model merges into one output
MAX_UNUSABLE_SHARE = 0.5  # of the recordings read, above which a corpus is refused
_VALIDATION_STRIDE = 10  # one sentence in so many is kept for validation

PROSE = "prose"
EMBEDDED = {PROSE: english.sentences, "grammar": grammar.sentences}  # name -> the sentences

OWN_SPEAKERS = "No speaker of the validation set (dev.tsv) or of test.tsv is in the training set."


def prepare(
    *,
    cache: Path,
    source: Path | None,
    available: float,
    validation: float,
    seed: int,
    report: ReportProgress,
    follows: Path | None = None,
    embedded: str = PROSE,
) -> Corpus:
    """Synthesize the embedded corpus, or decode the one in `source`, once into `cache`.

    No sentence of the validation set is in the training set. Voices, and in a recorded corpus speakers, are
    in both, unless the corpus keeps a validation set of its own as Common Voice does.

    Args:
        cache: The folder of all prepared corpora.
        source: A folder of recordings or a manifest, or None for the embedded corpus.
        available: Hours of training speech; a source with less is used whole.
        validation: Hours of validation speech.
        seed: Decides which utterances, and their order.
        report: Takes what is being done, and the share of it that is done.
        follows: Folder of a smaller prepared corpus, whose alphabet this one takes over; None for its own.
        embedded: Which sentences are synthesized without a `source`: "prose", or "grammar", which is easier.

    Returns:
        The prepared corpus.

    Raises:
        PlannerError: The source cannot be used, or espeak-ng does not run.
    """
    skipped: dict[str, str] = {}
    listed = find_recordings(source, skipped) if source else Recordings([])
    files = [
        (r.name, r.text, r.audio.stat().st_size, r.audio.stat().st_mtime_ns)
        for r in (*(listed.validation or ()), *listed.training)
    ]
    machine = () if source else (sys.version, _espeak_version())
    own_validation = listed.validation is not None

    def make(folder: Path) -> dict[str, Any]:
        training, validating = _utterances(listed if source else EMBEDDED[embedded](), seed, skipped)
        progress = _Progress(
            f"decoding {source}" if source else "synthesizing sentences", validation + available, report
        )
        validated = frames.write(folder, "validation", progress(validating), validation)
        unseen = (
            utterance
            for utterance in progress(training)
            if utterance.text not in validated.texts and (not letters or letters.issuperset(utterance.text))
        )
        trained = frames.write(folder, "training", unseen, available)
        if source:
            _check(source, validated, trained, validation, skipped, own_validation=own_validation)
        return {
            "fingerprint": hashlib.sha256(f"{validated.digest} {trained.digest}".encode()).hexdigest(),
            "alphabet": "".join(sorted(letters or set("".join(validated.texts | trained.texts)))),
            "available": trained.hours,
            "skipped": skipped,
            "notes": [OWN_SPEAKERS] if own_validation else [],
        }

    letters = set(str(description(follows)["alphabet"])) if follows else set()
    key: tuple[object, ...] = (frames.LAYOUT, STRIDE, available, validation, seed, machine, files)
    key += (follows.name,) if follows else ()
    key += (embedded,) if embedded != PROSE else ()
    # a model that writes nothing leaves out every word and every character
    return replace(once(cache, "speech", key, make), guessing={"wer": 1.0, "cer": 1.0})


def alphabet(corpus: Corpus) -> str:
    """Return the characters that the texts of a corpus are made of, sorted.

    Args:
        corpus: A prepared corpus of speech.

    Returns:
        The characters, in one string.
    """
    return str(description(corpus.folder)["alphabet"])


def _utterances(
    listed: Recordings | tuple[str, ...], seed: int, skipped: dict[str, str]
) -> tuple[Iterator[Utterance], Iterator[Utterance]]:
    """Return training and validation utterances; one iterator for both where the source has one set.

    Args:
        listed: Recordings, or sentences to synthesize.
        seed: Decides their order.
        skipped: Takes recordings that cannot be used, name -> reason.

    Returns:
        Training utterances, validation utterances.
    """
    rng = np.random.default_rng(seed)
    if not isinstance(listed, Recordings):
        order = rng.permutation(len(listed))
        validation, training = np.split(order, [len(listed) // _VALIDATION_STRIDE])
        validating = _trainable(speech([listed[i] for i in validation], (seed, 1)), skipped)
        return _trainable(speech([listed[i] for i in training], (seed, 2)), skipped), validating
    decoded = _trainable(recordings.decode(_shuffled(listed.training, rng), skipped), skipped)
    if listed.validation is None:
        return decoded, decoded
    validating = recordings.decode(_shuffled(listed.validation, rng), skipped)
    return decoded, _trainable(validating, skipped)


def _shuffled(recordings: list[Recording], rng: np.random.Generator) -> list[Recording]:
    return [recordings[i] for i in rng.permutation(len(recordings))]


class _Progress:
    """ReportProgress which share of the hours several iterators of speech have brought."""

    def __init__(self, doing: str, total: float, report: ReportProgress) -> None:
        self.doing, self.total, self.report, self.hours = doing, total, report, 0.0

    def __call__(self, utterances: Iterator[Utterance]) -> Iterator[Utterance]:
        for utterance in utterances:
            self.hours += utterance.seconds / 3600
            self.report(self.doing, min(1.0, self.hours / self.total))
            yield utterance


def _trainable(utterances: Iterator[Utterance], skipped: dict[str, str]) -> Iterator[Utterance]:
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
    validated: SplitSummary,
    trained: SplitSummary,
    validation: float,
    skipped: dict[str, str],
    *,
    own_validation: bool,
) -> None:
    """Refuse a recorded corpus that is mostly broken or too small for its validation set."""
    used = validated.count + trained.count
    if len(skipped) > used * MAX_UNUSABLE_SHARE / (1 - MAX_UNUSABLE_SHARE):
        raise CorpusError(
            f"corpus {source}: {len(skipped)} recordings cannot be used and {used} can; "
            f"{first_left_out(source, skipped)}",
            code="mostly-unreadable",
            value=len(skipped),
        )
    if trained.count and validated.hours >= validation:
        return
    left_out = f"; left out: {len(skipped)}, {first_left_out(source, skipped)}" if skipped else ""
    hours = validated.hours if own_validation else validated.hours + trained.hours
    held = "dev.tsv" if own_validation and validated.hours < validation else "it"
    raise CorpusError(
        f"corpus {source} is too small: {held} has {hours:.3g} h of usable speech, expected more than the "
        f"{validation:.3g} h for validation{left_out}",
        code="corpus-too-small",
        value=hours,
        hint=use("preset", purpose="to choose a smaller preset, or give more speech"),
    )


def _espeak_version() -> str:
    try:
        return version("espeakng-loader")
    except PackageNotFoundError:
        return ""  # `speak` says what to install
