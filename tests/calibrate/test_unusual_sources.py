"""Sources that are hostile, or only unusual: each is refused or left out in one line, without hanging."""

import gzip
import io
import json
import os
import subprocess
import sys
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs the extra `calibrate`")
import soundfile
from PIL import Image

from calibrate import domains
from calibrate.data.archive import prepare_from, unpacked
from calibrate.data.files import files_below
from calibrate.data.text_files import find_text_files, passages
from calibrate.domains.image import image_files
from calibrate.domains.speech import recordings
from calibrate.domains.speech.transcripts import find_recordings
from calibrate.domains.teacher import task as teacher
from calibrate.domains.translation import corpus as parallel
from calibrate.training.train import train
from calibrate.types import DAMAGED_CORPUS, Corpus, Training
from laws.errors import CorpusError
from tests.calibrate.image_corpora import cifar, folder, mnist

pytestmark = [pytest.mark.torch, pytest.mark.timeout(60)]


def prepared(domain: str, source: Path, cache: Path, available: float, validation: float) -> Corpus:
    return domains.domain_code(domains.find_domain(domain)).prepare(
        cache=cache,
        source=source,
        available=available,
        validation=validation,
        seed=0,
        report=lambda text, share: None,
    )


def refusal(action: Callable[[], object]) -> CorpusError:
    """Return the error that refuses a source: one line that names no option."""
    with pytest.raises(CorpusError) as refused:
        action()
    assert "\n" not in str(refused.value)
    assert "--" not in refused.value.message
    return refused.value


# Archives


def zip_with(path: Path, change: Callable[[bytearray], None]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", "some words\n" * 500)
    content = bytearray(path.read_bytes())
    change(content)
    path.write_bytes(content)
    return path


def in_headers(offset: int, value: int) -> Callable[[bytearray], None]:
    """Return what sets two bytes of the local header and of the directory, where they are two further."""

    def change(content: bytearray) -> None:
        directory = content.index(b"PK\x01\x02")
        for begin in (offset, directory + offset + 2):
            content[begin : begin + 2] = value.to_bytes(2, "little")

    return change


def tar_with(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for info in members:
            archive.addfile(info, io.BytesIO(bytes(min(info.size, 100))))
    return path


def info(name: str, **fields: object) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def broken_stream(path: Path) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        data = os.urandom(100_000)
        archive.addfile(info("a.txt", size=len(data)), io.BytesIO(data))
    content = bytearray(path.read_bytes())
    content[5000:5100] = bytes(100)
    path.write_bytes(content)
    return path


def oversized(path: Path) -> Path:
    header = info("a.txt", size=2**40).tobuf(tarfile.GNU_FORMAT)
    path.write_bytes(gzip.compress(header))
    return path


ARCHIVES: dict[str, Callable[[Path], Path]] = {
    "encrypted": lambda root: zip_with(root / "a.zip", in_headers(6, 1)),
    "deflate64": lambda root: zip_with(root / "a.zip", in_headers(8, 9)),
    "zstd": lambda root: zip_with(root / "a.zip", in_headers(8, 93)),
    "damaged zip": lambda root: zip_with(root / "a.zip", lambda c: c.__setitem__(slice(40, 60), bytes(20))),
    "damaged tar.gz": lambda root: broken_stream(root / "a.tar.gz"),
    "loop of hard links": lambda root: tar_with(
        root / "a.tar.gz",
        info("a", type=tarfile.LNKTYPE, linkname="b"),
        info("b", type=tarfile.LNKTYPE, linkname="a"),
    ),
    "time that is not a number": lambda root: tar_with(
        root / "a.tar.gz", info("a.txt", size=10, pax_headers={"mtime": "nan"})
    ),
    "3,000 levels": lambda root: tar_with(root / "a.tar.gz", info("d/" * 3000 + "a.txt", size=10)),
    "a terabyte": lambda root: oversized(root / "a.tar.gz"),
}


@pytest.mark.parametrize("kind", ARCHIVES)
def test_an_archive_that_cannot_be_unpacked_is_refused_and_leaves_nothing(tmp_path: Path, kind: str) -> None:
    source = ARCHIVES[kind](tmp_path)
    error = refusal(lambda: unpacked(source, tmp_path / "cache"))
    assert error.code == "archive-not-unpacked"
    assert str(source) in error.message
    assert not list((tmp_path / "cache").iterdir())


def test_an_error_of_a_domain_keeps_its_class_and_code_in_an_archive(tmp_path: Path) -> None:
    source = tar_with(tmp_path / "a.tar.gz", info("a.md", size=10))
    prepare = domains.domain_code(domains.find_domain("char-lm")).prepare
    error = refusal(
        lambda: prepare_from(
            prepare,
            cache=tmp_path / "cache",
            source=source,
            available=100,
            validation=10,
            seed=0,
            report=lambda text, share: None,
        )
    )
    assert error.code == "corpus-without-files"
    assert str(source) in error.message
    assert str(tmp_path / "cache") not in error.message


# FIFOs and devices


@pytest.mark.parametrize("domain", ["char-lm", "word-lm", "image", "speech", "translation"])
@pytest.mark.parametrize("kind", ["fifo", "device", "missing", "loop"])
def test_a_source_that_is_not_a_file_or_folder_is_refused_at_once(
    tmp_path: Path, domain: str, kind: str
) -> None:
    source = tmp_path / "source"
    if kind == "fifo":
        os.mkfifo(source)
    elif kind == "device":
        source = Path("/dev/zero")
    elif kind == "loop":
        source.symlink_to(source)
    error = refusal(lambda: prepared(domain, source, tmp_path / "cache", 100, 10))
    assert error.code == ("corpus-not-a-file" if kind in ("fifo", "device") else "corpus-not-found")


def test_fifos_and_devices_in_a_folder_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("some words\n")
    for name in ("b.txt", "1-2.trans.txt", "1-2-3.flac", "c.png"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "d.txt").symlink_to("/dev/zero")
    (tmp_path / "e.txt").symlink_to("e.txt")
    assert files_below(tmp_path, {}) == [tmp_path / "a.txt"]
    assert find_text_files(tmp_path, {}) == (tmp_path / "a.txt",)
    assert refusal(lambda: find_recordings(tmp_path, {})).code == "no-transcripts"


def test_a_folder_that_cannot_be_read_is_left_out_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("open/a.txt", "closed/b.txt"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("some words\n")
    scan = os.scandir

    def scandir(path: Path) -> object:
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", scandir)
    skipped: dict[str, str] = {}
    assert find_text_files(tmp_path, skipped) == (tmp_path / "open" / "a.txt",)
    assert skipped == {str(tmp_path / "closed"): "the folder cannot be read: Permission denied"}


def test_a_sparse_file_is_not_read_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text("some words\n" * 100)
    with (tmp_path / "sparse.txt").open("wb") as file:
        file.truncate(2**40)
    skipped: dict[str, str] = {}
    error = refusal(lambda: passages(find_text_files(tmp_path, skipped), skipped))
    assert error.code == "mostly-unreadable"
    assert list(skipped) == [str(tmp_path / "sparse.txt")]


# Images


def one_image(root: Path, content: bytes) -> dict[str, str]:
    """Return what is left out of a folder of images where one has this content."""
    folder(root)
    (root / "red" / "7.png").write_bytes(content)
    skipped: dict[str, str] = {}
    images = image_files.find_images(root, skipped)
    assert len(list(images.training.read(np.arange(images.training.count)))) == images.training.count - 1
    return skipped


@pytest.mark.parametrize(
    "content",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 50 50\n%%EndComments\nshowpage\n%%EOF\n",
        b"II*\0\x08\0\0\0\xd9\x0b" + bytes(range(256)) * 8,
        b"",
    ],
    ids=["EPS", "damaged TIFF", "empty"],
)
def test_an_image_of_another_kind_is_left_out_without_a_helper_program(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def started(*arguments: object, **options: object) -> None:
        raise AssertionError(f"a program was started: {arguments}")

    monkeypatch.setattr(subprocess, "Popen", started)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        skipped = one_image(tmp_path / "images", content)
    assert list(skipped) == ["red/7.png"]
    assert skipped["red/7.png"].startswith("not readable")
    assert capfd.readouterr().err == ""


def test_an_image_with_too_many_pixels_is_left_out_before_it_is_decoded(tmp_path: Path) -> None:
    content = io.BytesIO()
    Image.new("1", (9500, 9500)).save(content, "PNG")
    skipped = one_image(tmp_path / "images", content.getvalue())
    assert skipped == {"red/7.png": "90,250,000 pixels: expected at most 89,478,485"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_many_images_of_the_largest_size_take_less_than_a_gigabyte(tmp_path: Path) -> None:
    folder(tmp_path / "images")
    Image.new("RGBA", (9400, 9400)).save(tmp_path / "images" / "red" / "0.png")
    for i in range(1, 12):
        os.link(tmp_path / "images" / "red" / "0.png", tmp_path / "images" / "red" / f"large{i}.png")
    program = f"""
import resource
from pathlib import Path
import numpy as np
from calibrate.domains.image.image_files import find_images
images = find_images(Path({str(tmp_path / "images")!r}), {{}}).training
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
assert len(list(images.read(np.arange(images.count)))) == images.count
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    ran = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    assert int(ran.stdout) < 1_000_000, "kilobytes"


def test_a_packed_file_of_mnist_is_unpacked_only_as_far_as_its_header_says(tmp_path: Path) -> None:
    source = mnist(tmp_path / "mnist", packed=True)
    path = source / "train-images-idx3-ubyte.gz"
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content + bytes(2**26), 1))
    assert refusal(lambda: image_files.find_images(source, {})).code == "cut-file"
    path.write_bytes(gzip.compress(content[:4] + b"\xff" * 12 + content[16:]))
    assert refusal(lambda: image_files.find_images(source, {})).code == "too-large"
    packed = bytearray(gzip.compress(content))
    packed[5000:5100] = bytes(100)
    path.write_bytes(packed)
    assert refusal(lambda: image_files.find_images(source, {})).code in ("not-unpacked", "cut-file")


def test_names_of_classes_that_are_not_text_are_refused_by_file(tmp_path: Path) -> None:
    source = cifar(tmp_path / "cifar")
    (source / "batches.meta.txt").write_bytes(b"class0\nc\xecass1\n")
    error = refusal(lambda: image_files.find_images(source, {}))
    assert error.code == "not-utf-8"
    assert "batches.meta.txt" in error.message


# Speech


def test_recordings_with_unusual_names_and_sounds_are_left_out(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "loud.wav", np.full(16_000, 3e38), 16_000, subtype="FLOAT")
    soundfile.write(tmp_path / "good.wav", np.sin(np.arange(16_000)), 16_000)
    (tmp_path / "samples.raw").write_bytes(bytes(32_000))
    (tmp_path / "loop.wav").symlink_to("loop.wav")
    names = ["good.wav", "loud.wav", "samples.raw", "loop.wav", "\ud800.wav", "9" * 400]
    rows = [json.dumps({"audio": name, "text": "a"}) for name in names]
    rows.append('{"audio": "good.wav", "audio": "loud.wav", "text": "a"}')
    (tmp_path / "manifest.jsonl").write_text("\n".join(rows) + "\n")
    skipped: dict[str, str] = {}
    listed = find_recordings(tmp_path, skipped).training
    assert [r.audio.name for r in listed] == ["good.wav", "loud.wav", "samples.raw"]
    (decoded,) = recordings.decode(listed, skipped)
    assert np.isfinite(decoded.frames).all()
    assert len(skipped) == len(rows) - 1
    assert "expected -1 to 1" in skipped["manifest.jsonl line 2 (loud.wav)"]
    assert "is there twice" in skipped["manifest.jsonl line 7"]


@pytest.mark.parametrize("name", ["manifest.csv", "manifest.tsv"])
def test_a_column_that_is_there_twice_is_refused(tmp_path: Path, name: str) -> None:
    separator = "\t" if name.endswith("tsv") else ","
    (tmp_path / name).write_text(separator.join(("audio", "text", "text")) + "\n")
    error = refusal(lambda: find_recordings(tmp_path / name, {}))
    assert (error.code, error.value) == ("duplicate-column", "text")


# Translation


@pytest.mark.parametrize(
    "target",
    [
        lambda i: "".join(chr(0x4E00 + (7 * i + 131 * j) % 3000) for j in range(12)),
        lambda i: " ".join(f"word{(i + j) % 97}" for j in range(1000)),
    ],
    ids=["3,000 characters", "lines of 7,000 bytes"],
)
def test_target_sentences_of_any_script_and_length_are_cut_into_pieces(
    tmp_path: Path, target: Callable[[int], str]
) -> None:
    source = tmp_path / "pairs.tsv"
    source.write_text("".join(f"sentence number {i}\t{target(i)}\n" for i in range(600)), encoding="utf-8")
    corpus = prepared("translation", source, tmp_path / "cache", 400, 100)
    pieces = parallel.read_split(corpus.folder, "training")[1].pieces
    assert np.mean(pieces == parallel.UNKNOWN) < 0.01


# Prepared corpora


@pytest.mark.parametrize("content", ["null", "[]", "{}", "{", "1"])
def test_a_damaged_description_is_refused_as_the_state_of_the_corpus(tmp_path: Path, content: str) -> None:
    corpus = prepared_teacher(tmp_path)
    (corpus.folder / "corpus.json").write_text(content)
    assert refusal(lambda: prepared_teacher(tmp_path)).code == DAMAGED_CORPUS


def prepared_teacher(cache: Path) -> Corpus:
    return teacher.prepare(
        cache=cache, source=None, available=64, validation=8, seed=0, report=lambda text, share: None
    )


def test_a_damaged_corpus_is_noticed_before_training_and_its_run_is_tried_again(tmp_path: Path) -> None:
    corpus = prepared_teacher(tmp_path)
    path = corpus.folder / "train.npy"
    whole = path.read_bytes()
    path.write_bytes(whole[:-8])
    assert refusal(lambda: prepared_teacher(tmp_path)).code == DAMAGED_CORPUS
    training = Training(
        domain="teacher", version=3, family="mlp", optimizer="adam", size=8, data=64, learning_rate=1e-2,
        batch_size=64, epochs=1, max_samples=64, seed=0, fingerprint=corpus.fingerprint,
    )  # fmt: skip
    outcome = train(teacher, training, corpus, device="cpu", flops=1.0, time_limit=60)
    assert outcome.status == "failed", "the next command would count the run as done"
    path.write_bytes(whole)
    assert train(teacher, training, corpus, device="cpu", flops=1.0, time_limit=60).status == "finished"
