"""One contract for every reader: data that is not what it should be is refused or counted, by its name.

Each source below is whole and small; each damage spoils one file of it. Then either the corpus is refused in
one line that names the file, and the line of a text, or it is made and `skipped` names them.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the extra `calibrate`")
pytest.importorskip("espeakng_loader", reason="needs the extra `calibrate`")

from calibrate import domains
from calibrate.data.archive import is_archive, prepare_from
from calibrate.domains.speech import recordings
from calibrate.domains.speech.transcripts import Recording
from calibrate.types import Corpus
from laws.errors import PlannerError
from tests.calibrate.image_corpora import cifar, folder, mnist
from tests.calibrate.speech_corpora import common_voice, librispeech

pytestmark = pytest.mark.torch

LINES = [f"line {i} says that the number of words is {i * i}" for i in range(400)]


def text(root: Path) -> Path:
    root.mkdir()
    (root / "a.txt").write_text("\n".join(LINES) + "\n")
    (root / "b.txt").write_text("\n".join(reversed(LINES)) + "\n")
    return root


def two_files(root: Path) -> Path:
    root.mkdir()
    for name in ("train.de", "train.en"):
        (root / name).write_text("".join(f"{line} in {name}\n" for line in LINES))
    return root


def pairs(root: Path) -> Path:
    root.mkdir()
    (root / "pairs.tsv").write_text("".join(f"{line}\t{line.upper()}\n" for line in LINES))
    return root


def manifest(root: Path, suffix: str) -> Path:
    spoken = sorted(librispeech(root).rglob("*.flac"))
    texts = [f"number {i} of the recordings" for i in range(len(spoken))]
    rows = [(path.relative_to(root).as_posix(), text) for path, text in zip(spoken, texts, strict=True)]
    lines = (
        ["audio,text", *map(",".join, rows)]
        if suffix == "csv"
        else [json.dumps({"audio": audio, "text": text}) for audio, text in rows]
    )
    for transcript in root.rglob("*.trans.txt"):
        transcript.unlink()
    (root / f"manifest.{suffix}").write_text("\n".join(lines) + "\n")
    return root


def archive(root: Path, kind: str) -> Path:
    root.mkdir()
    text(root / "inside")
    return Path(shutil.make_archive(str(root / "corpus"), kind, root / "inside"))


@dataclass(frozen=True)
class Source:
    """A whole corpus: its domain, how it is written, and how much of it is asked for."""

    domain: str
    write: Callable[[Path], Path]
    available: float
    validation: float

    def prepared(self, source: Path, cache: Path, heard: list[str] | None = None) -> Corpus:
        prepare = domains.domain_code(domains.find_domain(self.domain)).prepare
        return (partial(prepare_from, prepare) if is_archive(source) else prepare)(
            cache=cache,
            source=source,
            available=self.available,
            validation=self.validation,
            seed=0,
            report=lambda text, _: heard.append(text) if heard is not None else None,
        )


SECOND = 1 / 3600
SOURCES = {
    "characters": Source("char-lm", text, 20_000, 1000),
    "words": Source("word-lm", text, 5000, 500),
    "two files": Source("translation", two_files, 4000, 400),
    "pairs": Source("translation", pairs, 4000, 400),
    "image folder": Source("image", folder, 60, 20),
    "cifar10": Source("image", cifar, 60, 20),
    "cifar100": Source("image", lambda root: cifar(root, labels=2), 20, 10),
    "mnist": Source("image", lambda root: mnist(root, packed=False), 60, 20),
    "mnist.gz": Source("image", lambda root: mnist(root, packed=True), 60, 20),
    "librispeech": Source("speech", librispeech, 1, 3 * SECOND),
    "jsonl": Source("speech", lambda root: manifest(root, "jsonl"), 1, 3 * SECOND),
    "csv": Source("speech", lambda root: manifest(root, "csv"), 1, 3 * SECOND),
    "common voice": Source("speech", common_voice, 1, 2 * SECOND),
    "tar": Source("char-lm", lambda root: archive(root, "gztar"), 20_000, 1000),
    "zip": Source("char-lm", lambda root: archive(root, "zip"), 20_000, 1000),
}


def empty(path: Path) -> None:
    path.write_bytes(b"")


def halved(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def noise(path: Path) -> None:
    path.write_bytes(bytes(range(256)) * 40)


def latin(path: Path) -> None:
    """Write the third line in another encoding."""
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"e", b"\xe9").replace(b"E", b"\xe9")
    path.write_bytes(b"".join(lines))


def unlabeled(path: Path) -> None:
    """Leave out what the third line pairs with its beginning."""
    lines = path.read_text().splitlines(keepends=True)
    for separator in ("\t", ",", '", "text', " "):
        if separator in lines[2]:
            lines[2] = lines[2].split(separator)[0] + "\n"
            break
    path.write_text("".join(lines))


def shorter(path: Path) -> None:
    """Leave out the last line."""
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


def unclosed(path: Path) -> None:
    """Open a quotation mark in the third line that nothing closes."""
    lines = path.read_text().splitlines(keepends=True)
    lines[2] = lines[2].replace(",", ',"', 1)
    path.write_text("".join(lines))


def wrong_class(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1 if "idx1" in path.name else -3073] = 200
    path.write_bytes(bytes(content))


def gone(path: Path) -> None:
    path.unlink()


# source, file, damage, what the message also says (the line where there are lines)
Case = tuple[str, str, Callable[[Path], None], str]
CASES: list[Case] = [
    *(
        case
        for kind in ("characters", "words")
        for case in (
            (kind, "a.txt", empty, "empty"),
            (kind, "a.txt", latin, "line 3: not UTF-8"),
            (kind, "a.txt", noise, "lines 1"),
        )
    ),
    ("two files", "train.en", empty, "0"),
    ("two files", "train.en", shorter, "399"),
    ("two files", "train.en", halved, "lines"),
    ("two files", "train.de", latin, "line 3 is not UTF-8"),
    ("two files", "train.de", noise, "line 2 is not UTF-8"),
    ("pairs", "pairs.tsv", empty, "empty"),
    ("pairs", "pairs.tsv", latin, "line 3 is not UTF-8"),
    ("pairs", "pairs.tsv", unlabeled, "line 3 has 1 column"),
    ("pairs", "pairs.tsv", noise, "line 2 is not UTF-8"),
    *(
        ("image folder", file, damage, "not readable")
        for file in ("7.png", "7.jpg")
        for damage in (empty, halved, noise)
    ),
    ("cifar10", "data_batch_3.bin", empty, "0 bytes"),
    ("cifar10", "data_batch_3.bin", halved, "cut"),
    ("cifar10", "data_batch_3.bin", noise, "cut"),
    ("cifar10", "data_batch_3.bin", gone, "missing"),
    ("cifar10", "data_batch_3.bin", wrong_class, "class 200"),
    ("cifar100", "test.bin", halved, "cut"),
    ("cifar100", "train.bin", halved, "cut"),
    ("cifar100", "test.bin", wrong_class, "class 200"),
    *(
        case
        for kind, suffix in (("mnist", ""), ("mnist.gz", ".gz"))
        for case in (
            (kind, f"train-images-idx3-ubyte{suffix}", empty, ""),
            (kind, f"train-images-idx3-ubyte{suffix}", halved, ""),
            (kind, f"train-images-idx3-ubyte{suffix}", noise, ""),
            (kind, f"t10k-labels-idx1-ubyte{suffix}", gone, "missing"),
        )
    ),
    ("mnist", "t10k-labels-idx1-ubyte", wrong_class, "record 30 has class 200"),
    ("mnist", "train-labels-idx1-ubyte", wrong_class, "record 90 has class 200"),
    ("librispeech", "19-198.trans.txt", latin, "line 3"),
    ("librispeech", "19-198.trans.txt", unlabeled, "line 3"),
    ("librispeech", "19-198.trans.txt", noise, "line 1"),
    ("librispeech", "19-198.trans.txt", empty, "has no line for it"),
    ("librispeech", "19-198.trans.txt", shorter, "has no line for it"),
    *(
        (kind, "19-198-0002.flac", damage, reason)
        for kind in ("librispeech", "jsonl", "csv")
        for damage, reason in ((empty, "not readable"), (halved, ""), (noise, "not readable"), (gone, "no "))
    ),
    *(
        ("common voice", "common_voice_en_2_train-a.mp3", damage, reason)
        for damage, reason in (
            (empty, "not readable"),
            (halved, "cut short"),
            (noise, "not readable"),
            (gone, "no file"),
        )
    ),
    ("jsonl", "manifest.jsonl", latin, "line 3"),
    ("jsonl", "manifest.jsonl", unlabeled, "line 3"),
    ("jsonl", "manifest.jsonl", halved, "line"),
    ("jsonl", "manifest.jsonl", empty, "empty"),
    ("csv", "manifest.csv", latin, "line 3"),
    ("csv", "manifest.csv", unlabeled, "line 3"),
    ("csv", "manifest.csv", unclosed, "line"),
    ("csv", "manifest.csv", empty, "empty"),
    ("common voice", "validated.tsv", latin, "line 3"),
    ("common voice", "validated.tsv", unlabeled, "line 3"),
    ("common voice", "validated.tsv", empty, "empty"),
    ("common voice", "dev.tsv", empty, "dev.tsv: empty"),
    *(
        (kind, file, damage, "cannot be unpacked")
        for kind, file in (("tar", "corpus.tar.gz"), ("zip", "corpus.zip"))
        for damage in (empty, halved, noise)
    ),
]  # fmt: skip


Written = Callable[[str, Path], Path]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    """Return what copies a whole source to a place and says what to give of it; each is written once."""
    once: dict[str, tuple[Path, Path]] = {}

    def copied(name: str, place: Path) -> Path:
        if name not in once:
            root = tmp_path_factory.mktemp("whole") / "data"
            once[name] = root, SOURCES[name].write(root)
        root, given = once[name]
        shutil.copytree(root, place)
        return place / given.relative_to(root)

    return copied


@pytest.mark.parametrize("name", SOURCES)
def test_what_is_whole_is_read_and_nothing_is_left_out(tmp_path: Path, written: Written, name: str) -> None:
    source = SOURCES[name]
    corpus = source.prepared(written(name, tmp_path / "data"), tmp_path / "cache")
    assert not corpus.skipped
    assert corpus.available > 0


@pytest.mark.parametrize("case", CASES, ids=[f"{c[0]}: {c[1]} {c[2].__name__}" for c in CASES])
def test_what_is_damaged_is_named(tmp_path: Path, written: Written, case: Case) -> None:
    name, file, damage, said = case
    source = SOURCES[name]
    given = written(name, tmp_path / "data")
    (path,) = [p for p in (tmp_path / "data").rglob("*") if p.name == file]
    damage(path)
    try:
        corpus = source.prepared(given, tmp_path / "cache")
    except PlannerError as refused:
        message = str(refused)
    else:
        message = "; ".join(f"{what}: {why}" for what, why in corpus.skipped.items())
    assert file.removesuffix(".gz") in message, message
    assert said in message
    assert "\n" not in message


PACKED = [  # each damage to each source that is a folder, the kind of archive, whether it holds one folder
    (case, ("zip", "gztar")[i % 2], i % 3 > 0)
    for i, case in enumerate({(c[0], c[2]): c for c in CASES if c[0] not in ("tar", "zip")}.values())
]


def assert_names_members(message: str, archive: str) -> None:
    """Every file that a message names after its archive is called what the archive calls it."""
    shutil.unpack_archive(archive, f"{archive}.unpacked")
    root = Path(f"{archive}.unpacked")
    members = tuple(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    for named in re.split(rf"(?<!corpus ){re.escape(archive)}: ", message)[1:]:
        assert named.startswith(members), message


@pytest.mark.parametrize(
    ("name", "inside"),
    [("image folder", ""), ("librispeech", ""), ("common voice", "en"), ("common voice", "")],
)
def test_a_corpus_that_is_mostly_broken_names_its_first_file_as_the_archive_does(
    tmp_path: Path, written: Written, name: str, inside: str
) -> None:
    written(name, tmp_path / "data" / "top" / inside)
    for path in (tmp_path / "data").rglob("*.*"):
        if path.suffix in (".png", ".jpg", ".flac", ".mp3"):
            noise(path)
    archive = shutil.make_archive(str(tmp_path / "sent"), "zip", tmp_path / "data")
    with pytest.raises(PlannerError, match="cannot be used and 0 can; the first is ") as refused:
        SOURCES[name].prepared(Path(archive), tmp_path / "cache")
    assert f"the first is {archive}: top/{inside}" in str(refused.value)
    assert_names_members(str(refused.value), archive)


@pytest.mark.parametrize("packed", PACKED, ids=[f"{c[0]}: {c[1]} {c[2].__name__}, {k}" for c, k, _ in PACKED])
def test_what_is_damaged_in_an_archive_is_named_by_archive_and_member(
    tmp_path: Path, written: Written, packed: tuple[Case, str, bool]
) -> None:
    (name, file, damage, said), kind, below = packed
    given = written(name, tmp_path / "data" / "top")
    (path,) = [p for p in given.rglob("*") if p.name == file]
    damage(path)
    archive = shutil.make_archive(str(tmp_path / "sent"), kind, tmp_path / "data" if below else given)
    heard: list[str] = []
    try:
        corpus = SOURCES[name].prepared(Path(archive), tmp_path / "cache", heard)
    except PlannerError as refused:
        message = str(refused)
    else:
        message = "; ".join(f"{what}: {why}" for what, why in corpus.skipped.items())
        assert all(what.startswith(f"{archive}: {'top/' if below else ''}") for what in corpus.skipped)
    assert archive in message
    assert file.removesuffix(".gz") in message
    assert_names_members(message, archive)
    assert said in message
    assert str(tmp_path / "cache") not in "".join((message, *heard))


@pytest.mark.parametrize("damage", [halved, noise])
def test_a_damaged_mp3_is_told_of_by_us_alone(
    tmp_path: Path, written: Written, damage: Callable[[Path], None], capfd: pytest.CaptureFixture[str]
) -> None:
    """Its decoder writes notes to the process's stderr, which is ours again afterwards."""
    given = written("common voice", tmp_path / "data")
    (path,) = given.rglob("common_voice_en_2_train-a.mp3")
    damage(path)
    assert SOURCES["common voice"].prepared(given, tmp_path / "cache").skipped
    assert capfd.readouterr().err == ""
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


def test_what_others_write_while_recordings_decode_is_heard(
    tmp_path: Path, written: Written, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    given = written("common voice", tmp_path / "data")
    clips = sorted(given.rglob("*.mp3"))
    noise(clips[0])
    decoded = recordings._decode

    def loud(recording: Recording) -> object:
        os.write(2, f"others on {recording.name}\n".encode())
        return decoded(recording)

    monkeypatch.setattr(recordings, "_decode", loud)
    wave = [Recording(audio=clip, text="heard", name=clip.name) for clip in clips]
    skipped: dict[str, str] = {}
    assert len(list(recordings.decode(wave, skipped))) == len(clips) - 1
    assert list(skipped) == [clips[0].name]
    heard = capfd.readouterr().err.splitlines()
    assert sorted(heard) == sorted(f"others on {clip.name}" for clip in clips)


def test_recordings_are_read_where_stderr_is_closed(tmp_path: Path, written: Written) -> None:
    given = written("common voice", tmp_path / "data")
    clip = next(given.rglob("*.mp3"))
    program = f"""
import os
import re
from pathlib import Path
from calibrate.domains.speech.recordings import decode
from calibrate.domains.speech.transcripts import Recording
os.close(2)
(spoken,) = decode([Recording(audio=Path({str(clip)!r}), text="heard", name="a clip")], {{}})
print(spoken.text, len(spoken.frames) > 0)
"""
    ran = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    assert ran.stdout == "heard True\n"


@pytest.mark.parametrize("name", SOURCES)
def test_too_little_for_validation_says_so(tmp_path: Path, written: Written, name: str) -> None:
    source = SOURCES[name]
    many = Source(source.domain, source.write, source.available, 1e6)
    given = written(name, tmp_path / "data")
    with pytest.raises(PlannerError, match="smaller preset") as refused:
        many.prepared(given, tmp_path / "cache")
    assert str(given) in str(refused.value)
    assert not [p for p in (tmp_path / "cache").iterdir() if not p.name.startswith("unpacked-")]
