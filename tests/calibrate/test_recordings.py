"""Corpora that a user brings: LibriSpeech's layout and manifests, whole and broken."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("soundfile", reason="needs the extra `calibrate`")
pytest.importorskip("espeakng_loader", reason="needs the extra `calibrate`")

import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calibrate.data.features import log_mel
from calibrate.domains.speech import frames, recordings, transcripts
from calibrate.domains.speech.corpus import prepare
from calibrate.types import Corpus
from laws.errors import CorpusError, PlannerError
from tests.calibrate.speech_corpora import TEXTS, librispeech, sounds

pytestmark = pytest.mark.torch

SECOND = 1 / 3600


def prepared(source: Path, cache: Path, *, validation: float = 5 * SECOND, seed: int = 0) -> Corpus:
    return prepare(
        cache=cache, source=source, available=1.0, validation=validation, seed=seed, report=lambda *_: None
    )


def texts(corpus: Corpus) -> list[str]:
    return [*frames.read(corpus.folder, "validation").texts, *frames.read(corpus.folder, "training").texts]


def test_librispeech_is_read_whole(tmp_path: Path) -> None:
    corpus = prepared(librispeech(tmp_path / "data"), tmp_path)
    assert corpus.skipped == {}
    held = frames.read(corpus.folder, "validation")
    trained = frames.read(corpus.folder, "training")
    assert set(held.texts) | set(trained.texts) == set(TEXTS)
    assert not set(held.texts) & set(trained.texts), "a sentence of the validation set is trained on"
    spoken = {log_mel(sound.astype(np.float32) / 2**15).tobytes() for sound in sounds()}
    for part in (held, trained):
        for begin, end in zip(part.begins, part.ends, strict=True):
            assert np.asarray(part.frames[begin:end]).tobytes() in spoken
    seconds = sum(map(len, sounds())) / 16_000
    left_out = sum(len(sound) for sound, text in zip(sounds(), TEXTS * 2, strict=True) if text in held.texts)
    assert corpus.available == pytest.approx((seconds - left_out / 16_000) * SECOND, rel=1e-6)


def test_the_same_recordings_have_the_same_fingerprint_wherever_they_lie(tmp_path: Path) -> None:
    one = prepared(librispeech(tmp_path / "a"), tmp_path / "cache-a")
    two = prepared(librispeech(tmp_path / "b"), tmp_path / "cache-b")
    other = prepared(librispeech(tmp_path / "c"), tmp_path / "cache-c", seed=1)
    assert one.fingerprint == two.fingerprint
    assert one.fingerprint != other.fingerprint, "another shuffle is another corpus"
    assert one.fingerprint == prepared(tmp_path / "a", tmp_path / "cache-a").fingerprint


@pytest.mark.parametrize("keys", [("audio", "text"), ("audio_filepath", "transcript"), ("path", "sentence")])
@pytest.mark.parametrize("kind", ["jsonl", "csv", "tsv"])
def test_manifests_are_read(tmp_path: Path, kind: str, keys: tuple[str, str]) -> None:
    rows = wavs(tmp_path)
    manifest = tmp_path / f"manifest.{kind}"
    with manifest.open("w", newline="", encoding="utf-8") as file:
        if kind == "jsonl":
            file.writelines(json.dumps({keys[0]: audio, keys[1]: text}) + "\n" for audio, text in rows)
        else:
            writer = csv.writer(file, delimiter="," if kind == "csv" else "\t")
            writer.writerows([keys, *rows])
    corpus = prepared(manifest, tmp_path / "cache")
    assert corpus.skipped == {}
    assert set(texts(corpus)) == set(TEXTS)


def wavs(folder: Path) -> list[tuple[str, str]]:
    """Write every sound as a WAV file of another rate or with two channels; return (name, text)."""
    rows = []
    for number, (sound, text) in enumerate(zip(sounds(), TEXTS * 2, strict=True)):
        name = f"{number}.wav"
        samples = np.stack([sound, sound], axis=1) if number % 2 else sound
        soundfile.write(folder / name, samples, (16_000, 15_000)[number % 3 == 0])
        rows.append((name, f"{text.capitalize()}!"))
    return rows


def test_whatever_is_broken_is_left_out_by_name(tmp_path: Path) -> None:
    rows: list[dict[str, str]] = [{"audio": audio, "text": text} for audio, text in wavs(tmp_path)]
    good = len(rows)
    soundfile.write(tmp_path / "whole.flac", sounds()[0], 16_000)
    whole = (tmp_path / "whole.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.flac").write_bytes(b"")
    (tmp_path / "text.flac").write_bytes(b"this is no sound")
    soundfile.write(tmp_path / "silence.wav", np.zeros(16_000, np.int16), 16_000)
    soundfile.write(tmp_path / "tiny.wav", np.ones(100, np.int16), 16_000)
    soundfile.write(tmp_path / "nan.wav", np.full(16_000, np.nan), 16_000, subtype="FLOAT")
    soundfile.write(tmp_path / "long.flac", np.ones(16_000 * 41, np.int16), 16_000)
    reasons = {
        "cut.flac": "cut short|not readable",
        "empty.flac": "not readable",
        "text.flac": "not readable",
        "silence.wav": "silence",
        "tiny.wav": "at least 0.1 s",
        "nan.wav": "not numbers",
        "long.flac": "41 s long",
        "gone.flac": "there is no file",
        "../outside.flac": "is outside",
        "/etc/hostname": "is outside",
        "bad\0name": "not the name of a file",
    }
    rows += [{"audio": audio, "text": "some words"} for audio in reasons]
    rows += [
        {"audio": "0.wav", "text": "!?"},
        {"text": "no audio"},
        {"audio": "1.wav", "text": "words " * 99},
    ]
    lines = [json.dumps(row).encode() for row in rows]
    lines += [b"not json", b"[1]", b'{"audio": "0.wav", "text": "\xff"}', b""]
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_bytes(b"\n".join(lines))
    skipped: dict[str, str] = {}
    found = transcripts.find_recordings(tmp_path, skipped).training
    decoded = list(recordings.decode(found, skipped))
    assert len(decoded) == good + 1  # the text that is too long is for `prepare` to see
    for number, (audio, reason) in enumerate(reasons.items(), good + 1):
        named = [
            value for name, value in skipped.items() if name.split(" (")[0] == f"manifest.jsonl line {number}"
        ]
        assert len(named) == 1, audio
        assert any(part in named[0] for part in reason.split("|")), (audio, named)
    after = good + len(reasons)
    expected = {1: "no text", 2: "no audio file", 4: "not JSON", 5: "not a JSON object", 6: "not UTF-8"}
    for number, reason in expected.items():
        assert reason in skipped[f"manifest.jsonl line {after + number}"]
    assert len(skipped) == len(reasons) + len(expected)


def test_a_corpus_that_is_mostly_broken_is_refused(tmp_path: Path) -> None:
    source = librispeech(tmp_path / "data")
    for audio in sorted(source.rglob("*.flac"))[:7]:
        audio.write_bytes(b"")
    with pytest.raises(PlannerError, match=r"7 recordings cannot be used and 5 can; the first is .*\.flac"):
        prepared(source, tmp_path, validation=SECOND)
    assert not list(tmp_path.glob("speech-*")), "a refused corpus left files behind"


def test_some_broken_recordings_are_counted_and_remembered(tmp_path: Path) -> None:
    source = librispeech(tmp_path / "data")
    broken = sorted(source.rglob("*.flac"))[0]
    broken.write_bytes(b"")
    (source / "27" / "198" / "27-198-0003.flac").unlink()
    for _ in range(2):  # made, then from the cache
        corpus = prepared(source, tmp_path)
        assert len(corpus.skipped) == 2
        assert "not readable" in corpus.skipped[str(broken.relative_to(source))]
        assert "there is no 27-198-0003.flac" in corpus.skipped["27/198/27-198.trans.txt line 4"]


def test_a_text_too_long_for_its_sound_is_left_out(tmp_path: Path) -> None:
    source = librispeech(tmp_path / "data")
    transcript = source / "19" / "198" / "19-198.trans.txt"
    transcript.write_text(transcript.read_text().replace("QUICK", "QUICK" * 40))
    corpus = prepared(source, tmp_path)
    assert "characters in" in corpus.skipped["19/198/19-198-0000.flac"]


def test_too_little_speech_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CorpusError) as refused:
        prepared(librispeech(tmp_path / "data"), tmp_path, validation=1.0)
    assert refused.value.code == "corpus-too-small"
    assert refused.value.hints[0].names == ("preset",)


def test_a_folder_without_a_corpus_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(CorpusError) as refused:
        prepared(tmp_path, tmp_path / "cache")
    assert refused.value.code == "no-transcripts"
    assert "LibriSpeech" in refused.value.expected
    with pytest.raises(CorpusError) as refused:
        prepared(tmp_path / "nowhere", tmp_path / "cache")
    assert refused.value.code == "corpus-not-found"


def test_a_manifest_cannot_reach_out_through_a_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside.wav"
    soundfile.write(outside, sounds()[0], 16_000)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "link.wav").symlink_to(outside)
    (inside / "manifest.jsonl").write_text('{"audio": "link.wav", "text": "a text"}\n')
    skipped: dict[str, str] = {}
    assert transcripts.find_recordings(inside, skipped).training == []
    assert "is outside" in skipped["manifest.jsonl line 1"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("It’s  a TEST!", "it's a test"),
        ("Straße, 2 Äpfel", "straße 2 äpfel"),
        ("ﬁne—dash", "fine dash"),
        ("...", ""),
        ("日本語", "日本語"),
    ],
)
def test_texts_are_brought_to_one_form(written: str, read: str) -> None:
    assert transcripts.normal(written) == read


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@pytest.mark.parametrize("name", ["manifest.jsonl", "manifest.csv", "1-2.trans.txt"])
def test_any_bytes_give_no_recording_and_no_traceback(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    skipped: dict[str, str] = {}
    try:
        assert transcripts.find_recordings(tmp_path, skipped).training == []
    except CorpusError as refused:  # a quotation mark that is never closed, or a column twice
        assert name == "manifest.csv"
        assert refused.code in ("not-a-table", "duplicate-column")
        assert re.search(r"manifest\.csv line \d+ ", refused.message)


def test_a_cut_cache_is_noticed(tmp_path: Path) -> None:
    corpus = prepared(librispeech(tmp_path / "data"), tmp_path)
    frames_file = corpus.folder / "training.f16"
    content = frames_file.read_bytes()
    for damaged in (content[:-80], content[:-1], b""):
        frames_file.write_bytes(damaged)
        with pytest.raises(PlannerError, match="delete it and run again"):
            frames.read(corpus.folder, "training")
    (corpus.folder / "corpus.json").write_text("{")
    with pytest.raises(PlannerError, match="delete it and run again"):
        prepared(tmp_path / "data", tmp_path)
