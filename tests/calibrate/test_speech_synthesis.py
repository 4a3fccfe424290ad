"""The embedded corpus: real sentences, really spoken, the same on every call."""

import hashlib
import re
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("scipy")
pytest.importorskip("espeakng_loader", reason="needs the extra `calibrate`")

from calibrate.data import features
from calibrate.data.english import sentences
from calibrate.domains.speech import espeak, grammar
from calibrate.domains.speech.espeak import ACCENTS, SPEAKERS, SpokenText, speak
from calibrate.domains.speech.synthesis import record, speech
from laws.errors import MissingInput, PlannerError

pytestmark = pytest.mark.torch


def test_sentences_are_prose_of_this_python() -> None:
    found = sentences()
    assert len(found) > 5000
    assert found == tuple(sorted(set(found)))
    assert all(re.fullmatch(r"[a-z' ]+", sentence) for sentence in found)
    assert all(4 <= len(sentence.split()) <= 14 for sentence in found)
    words = Counter(word for sentence in found for word in sentence.split())
    assert {word for word, _ in words.most_common(5)} <= {"the", "a", "of", "to", "is", "and", "in"}


def test_the_grammar_gives_the_same_short_sentences_of_few_words_on_every_machine() -> None:
    drawn = grammar.sentences()
    assert len(set(drawn)) == grammar.COUNT
    assert all(5 <= len(sentence.split()) <= 14 for sentence in drawn)
    assert 200 < len({word for sentence in drawn for word in sentence.split()}) < 300
    digest = hashlib.sha256("\n".join(drawn).encode()).hexdigest()
    # another text needs another name, or caches keep the old one
    assert digest.startswith("490a0ab073051997")


def test_a_python_without_its_sources_is_refused_with_a_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("calibrate.data.library.sysconfig.get_path", lambda _name: str(tmp_path))
    monkeypatch.setitem(sys.modules, "pydoc_data.topics", None)
    with pytest.raises(MissingInput) as refused:
        sentences()
    assert refused.value.code == "library-without-sources"
    assert refused.value.hints[0].names == ("data",)


def test_every_voice_speaks_and_repeats() -> None:
    """All accents with all speakers, breathy ones among them: same bytes from two fresh processes."""
    utterances = [
        SpokenText("a short test", f"gmw/{ACCENTS[i // len(SPEAKERS)]}+{speaker}", 170, 50)
        for i, speaker in enumerate(SPEAKERS * 4)
    ]
    once, again = speak(utterances), speak(utterances)
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))
    seconds = [len(samples) / espeak.SAMPLE_RATE for samples in once]
    assert min(seconds) > 0.4
    assert max(seconds) < 3
    assert min(np.abs(samples).max() for samples in once) > 1000


def test_rate_and_pitch_are_heard() -> None:
    slow, fast = speak([SpokenText("the same few words", "gmw/en-US+m1", rate, 50) for rate in (120, 240)])
    assert len(slow) > 1.5 * len(fast)
    low, high = speak([SpokenText("ooooo aaaaa eeee", "gmw/en-US+m1", 120, pitch) for pitch in (0, 99)])
    assert _fundamental(high) > 1.5 * _fundamental(low)


def _fundamental(samples: np.ndarray) -> float:
    vowel = samples[len(samples) // 3 : len(samples) // 3 + 4000].astype(float)
    correlation = np.correlate(vowel, vowel, "full")[len(vowel) - 1 :]
    return espeak.SAMPLE_RATE / (40 + int(np.argmax(correlation[40:500])))


def test_an_unknown_voice_is_one_clear_line() -> None:
    with pytest.raises(PlannerError, match="no voice gmw/en-Mars"):
        speak([SpokenText("hello", "gmw/en-Mars", 150, 50)])


def test_without_espeak_the_user_is_told_what_to_install(monkeypatch) -> None:
    monkeypatch.setattr("calibrate.domains.speech.espeak.find_spec", lambda _name: None)
    with pytest.raises(PlannerError, match=r"pip install 'scaling-planner\[calibrate\]'"):
        speak([SpokenText("hello", "gmw/en-US+f1", 150, 50)])


def test_this_process_never_loads_espeak() -> None:
    """espeak-ng is GPL-3.0: it lives in the child alone."""
    script = (
        "from itertools import islice; from calibrate.domains.speech.synthesis import speech;"
        "list(islice(speech(['one two three four'], (1,)), 2));"
        "print('espeak' in open('/proc/self/maps').read())"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


def test_noise_is_as_loud_as_drawn() -> None:
    utterance = SpokenText("the noise is added to this", "gmw/en-US+f1", 150, 50)
    clean = features.resample(speak([utterance])[0].astype(np.float32), espeak.SAMPLE_RATE)
    for seed in range(20):
        noisy = record([utterance], seed=(seed,))[0]
        ratio = 10 * np.log10(np.mean(clean**2) / np.mean((noisy - clean) ** 2))
        assert 14.5 < ratio < 41


def test_a_corpus_is_the_same_for_the_same_seed_only() -> None:
    text = ["one two three four", "five six seven eight", "nine ten eleven twelve"]
    one, same, other = (list(islice(speech(text, seed), 6)) for seed in ((1, 2), (1, 2), (1, 3)))
    assert [u.digest for u in one] == [u.digest for u in same]
    assert all(np.array_equal(a.frames, b.frames) for a, b in zip(one, same, strict=True))
    assert not {u.digest for u in one} & {u.digest for u in other}


def test_a_round_speaks_every_sentence_once_and_the_next_in_other_voices() -> None:
    text = ["one two three four", "five six seven eight", "nine ten eleven twelve"]
    spoken = list(islice(speech(text, (5,)), 6))
    assert sorted(u.text for u in spoken[:3]) == sorted(text)
    assert sorted(u.text for u in spoken[3:]) == sorted(text)
    assert len({u.digest for u in spoken}) == 6
