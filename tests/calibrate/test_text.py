"""Text of other people: what is read of it, what is left out, and how it becomes symbols."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calibrate.data.prepared import description
from calibrate.data.text_files import PASSAGE, cut, find_text_files, passages
from calibrate.domains.language import corpus as language
from calibrate.types import Corpus
from laws.errors import CorpusError, PlannerError

pytest.importorskip("torch", reason="needs the extra `calibrate`")

from calibrate.domains.language import char_lm, word_lm

pytestmark = pytest.mark.torch


def text_of(folder: Path, content: bytes, name: str = "a.txt") -> tuple[list[str], dict[str, str]]:
    """Return the passages of one file and what was left out."""
    (folder / name).write_bytes(content)
    skipped: dict[str, str] = {}
    return list(passages(find_text_files(folder / name, skipped), skipped)), skipped


@settings(max_examples=50, deadline=None)
@given(
    lines=st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=80))
)
def test_passages_behind_each_other_are_the_file(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    whole = "\n".join(lines * 30)
    found, skipped = text_of(tmp_path_factory.mktemp("text"), whole.encode())
    kept = "".join(found)
    assert kept in whole or not whole.strip()
    assert [line for line in kept.split("\n") if line.strip()] == [
        line for line in whole.split("\n") if line.strip()
    ]
    assert all(len(passage.encode()) >= PASSAGE for passage in found[:-1])
    assert bool(skipped) == (not whole.strip())


@pytest.mark.parametrize("text", ["word " * 20_000, "x" * 50_000, "é" * 30_000, "aé" * 30_000])
def test_a_text_without_lines_is_cut_between_words_or_characters(tmp_path: Path, text: str) -> None:
    found, skipped = text_of(tmp_path, text.encode())
    assert "".join(found) == text
    assert len(found) > 5
    assert not skipped
    if " " in text:
        assert all(passage.endswith(" ") for passage in found)


def test_lines_that_are_no_text_are_left_out_and_named(tmp_path: Path) -> None:
    lines = [b"good %d\n" % i for i in range(20)]
    lines[3] = b"bad \xff\n"
    for i in (7, 8, 9, 12):
        lines[i] = b"null \0\n"
    found, skipped = text_of(tmp_path, b"".join(lines))
    assert "".join(found) == "".join(f"good {i}\n" for i in range(20) if i not in (3, 7, 8, 9, 12))
    assert skipped == {str(tmp_path / "a.txt"): "line 4: not UTF-8; lines 8, 9, 10 and 1 more: not text"}


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "empty"), (b" \n\n", "empty"), (b"\xff\xfe", "line 1: not UTF-8")]
)
def test_a_file_with_nothing_to_read_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    assert text_of(tmp_path, content) == ([], {str(tmp_path / "a.txt"): reason})


def test_a_text_that_is_mostly_broken_is_refused(tmp_path: Path) -> None:
    lines = [b"good\n" if i % 3 == 0 else b"b\xe4d \n" for i in range(90)]
    with pytest.raises(PlannerError, match=r"a\.txt: lines 2, 3, 5 and 57 more: not UTF-8: expected UTF-8"):
        text_of(tmp_path, b"".join(lines))


def test_a_text_is_cut_as_a_file_is(tmp_path: Path) -> None:
    text = "".join(f"line {i} " + "x" * (i % 90) + "\n" for i in range(300))
    assert list(cut(text)) == text_of(tmp_path, text.encode())[0]


def test_files_are_found_by_name_folder_and_glob(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("a.txt", "deep/b.TXT", "deep/c.md", "d.bin"):
        (tmp_path / name).write_text("x")

    def names(source: Path) -> list[str]:
        return [path.relative_to(tmp_path).as_posix() for path in find_text_files(source, {})]

    assert names(tmp_path) == ["a.txt", "deep/b.TXT"]
    assert names(tmp_path / "d.bin") == ["d.bin"]
    assert names(tmp_path / "**" / "*.md") == ["deep/c.md"]
    (tmp_path / "empty").mkdir()
    for source, code in (
        (tmp_path / "nowhere", "corpus-not-found"),
        (tmp_path / "*.pdf", "corpus-without-files"),
        (tmp_path / "**.txt", "invalid-glob"),
        (tmp_path / "empty", "corpus-without-files"),
    ):
        with pytest.raises(CorpusError) as refused:
            find_text_files(source, {})
        assert refused.value.code == code


def test_words_are_those_of_the_documented_rule() -> None:
    assert word_lm.words("Don’t re-read 3.11's `os.path_x`; naïve ÉTÉ 42!") == [
        *("don't", "re", "read", "N", "s", "os", "path", "x", "naïve", "été", "N"),
        word_lm.END,
    ]
    assert word_lm.words("") == [word_lm.END]


Prepare = Callable[..., Corpus]


def prepared(domain: object, cache: Path, source: Path | None, available: float, validation: float) -> Corpus:
    prepare: Prepare = domain.prepare  # type: ignore[attr-defined]
    return prepare(
        cache=cache, source=source, available=available, validation=validation, seed=0, report=lambda *_: None
    )


def test_the_vocabulary_is_by_frequency_and_unknown_words_are_counted(tmp_path: Path) -> None:
    common = ["apple", "pear", "plum"]
    paragraphs = [
        f"{common[i % 3 if i % 7 else 0]} number{'abcdefghij'[i % 10]}{'klmnopqr'[i // 300]}x\n"
        for i in range(2400)
    ]
    (tmp_path / "a.txt").write_text("".join(paragraphs))
    corpus = prepared(word_lm, tmp_path / "cache", tmp_path / "a.txt", 1e6, 500)
    vocabulary = json.loads((corpus.folder / "vocabulary.json").read_text())
    training = language.read_split(corpus.folder, "training")
    counts = np.bincount(training, minlength=len(vocabulary) + 1)
    assert vocabulary[0] == "apple"
    assert list(counts[1:]) == sorted(counts[1:], reverse=True)
    assert counts[1:].min() >= language.MIN_COUNT
    described = description(corpus.folder)
    assert described["vocabulary"] == len(vocabulary) + 1
    assert described["unknown"]["training"] == pytest.approx(counts[0] / len(training))
    assert f"{counts[0] / len(training):.2%} of the training" in corpus.notes[0]


def test_validation_and_training_share_no_passage_and_follow_from_the_seed(tmp_path: Path) -> None:
    repeated = "the same passage again and again " * 40 + "\n"
    text = "".join(repeated if i % 3 else f"passage {i} " * 120 + "\n" for i in range(90))
    (tmp_path / "a.txt").write_text(text)
    corpus = prepared(char_lm, tmp_path / "cache", tmp_path / "a.txt", 1e6, 5000)
    letters = ["?", *json.loads((corpus.folder / "vocabulary.json").read_text())]
    held, trained = (
        "".join(letters[i] for i in language.read_split(corpus.folder, part))
        for part in ("validation", "training")
    )
    assert len(held) == 5000
    shared = set(held.split("\n")[:-1]) & set(trained.split("\n"))
    assert not shared - {""}
    again = prepared(char_lm, tmp_path / "again", tmp_path / "a.txt", 1e6, 5000)
    assert again.fingerprint == corpus.fingerprint
    assert again.available == len(trained)


@pytest.mark.parametrize("domain", [char_lm, word_lm], ids=["char-lm", "word-lm"])
@pytest.mark.parametrize(
    ("content", "left_out"),
    [
        (b"a few words\n", ""),
        (b"", "left out: 1 files.*empty"),
        (b"\xff\xfe\n" * 9000, "lines 1, 2, 3 and 8,997 more: not UTF-8"),
    ],
)
def test_too_little_text_is_refused_with_what_there_is(
    tmp_path: Path, domain: object, content: bytes, left_out: str
) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with pytest.raises(PlannerError, match=f"usable text.*{left_out}"):
        prepared(domain, tmp_path / "cache", tmp_path / "a.txt", 1e5, 1e4)
    assert not list((tmp_path / "cache").iterdir())


@pytest.mark.parametrize("damage", ["cut", "missing", "pickle"])
def test_a_damaged_corpus_is_named(tmp_path: Path, damage: str) -> None:
    (tmp_path / "a.txt").write_text("some words of text\n" * 2000)
    corpus = prepared(char_lm, tmp_path / "cache", tmp_path / "a.txt", 2000, 500)
    file = corpus.folder / "training.npy"
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-100])
    elif damage == "missing":
        file.unlink()
    else:
        np.save(file, np.array([object()]), allow_pickle=True)
    with pytest.raises(CorpusError, match="delete it and run again"):
        language.read_split(corpus.folder, "training")
