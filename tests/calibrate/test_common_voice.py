"""A release of Common Voice as it is distributed, whole and broken; the clips are real MP3 files."""

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("soundfile", reason="needs the extra `calibrate`")
pytest.importorskip("espeakng_loader", reason="needs the extra `calibrate`")

from calibrate.domains.speech import frames, transcripts
from calibrate.domains.speech.corpus import OWN_SPEAKERS, prepare
from calibrate.domains.speech.recordings import decode
from calibrate.types import Corpus
from laws.errors import PlannerError
from tests.calibrate.speech_corpora import TEXTS, common_voice, sounds

pytestmark = pytest.mark.torch

SECOND = 1 / 3600


def prepared(source: Path, cache: Path, validation: float = 2 * SECOND) -> Corpus:
    return prepare(
        cache=cache, source=source, available=1.0, validation=validation, seed=0, report=lambda *_: None
    )


def found(source: Path) -> tuple[transcripts.Recordings, dict[str, str]]:
    skipped: dict[str, str] = {}
    return transcripts.find_recordings(source, skipped), skipped


def test_a_release_is_read_and_no_speaker_is_on_both_sides(tmp_path: Path) -> None:
    source = common_voice(tmp_path / "cv-corpus" / "en")
    listed, skipped = found(source)
    assert not skipped
    assert listed.validation is not None
    assert {r.audio.stem.rpartition("_")[2] for r in listed.validation} == {"dev"}
    assert {r.audio.stem.rpartition("_")[2] for r in listed.training} == {"train-a", "train-b"}
    assert {r.text for r in listed.training} == set(TEXTS)
    around = found(tmp_path / "cv-corpus")[0]  # an unpacked archive has one more folder around it
    assert around.training == [replace(r, name=f"en/{r.name}") for r in listed.training]
    heard = {spoken.text: spoken for spoken in decode(listed.training, skipped)}
    for text, sound in zip(TEXTS, sounds(), strict=False):
        assert heard[text].seconds == pytest.approx(len(sound) / 16_000, abs=0.1)
    corpus = prepared(source, tmp_path / "cache")
    assert corpus.notes == (OWN_SPEAKERS,)
    held, trained = (frames.read(corpus.folder, part) for part in ("validation", "training"))
    assert not set(held.texts) & set(trained.texts)
    assert len(trained.texts) == 2 * (len(TEXTS) - len(set(held.texts)))


def test_without_a_list_of_validated_clips_the_training_list_teaches(tmp_path: Path) -> None:
    source = common_voice(tmp_path / "en")
    listed, _ = found(source)
    (source / "validated.tsv").unlink()
    assert {r.audio for r in found(source)[0].training} == {r.audio for r in listed.training}


def test_a_speaker_of_dev_or_test_is_not_trained_on(tmp_path: Path) -> None:
    source = common_voice(tmp_path / "en")
    for name, speaker in (("dev.tsv", "train-a"), ("test.tsv", "train-b")):
        path = source / name
        rows = path.read_text().splitlines(keepends=True)
        path.write_text(rows[0] + rows[1].replace(rows[1].split("\t")[0], speaker, 1) + "".join(rows[2:]))
        left = {r.audio.stem.rpartition("_")[2] for r in found(source)[0].training}
        assert speaker not in left


def test_what_cannot_be_used_is_counted_with_file_and_line(tmp_path: Path) -> None:
    source = common_voice(tmp_path / "en")
    clips = source / "clips"
    rows = (source / "validated.tsv").read_bytes().splitlines(keepends=True)
    first = rows[1].split(b"\t")[1].decode()
    broken = (clips / first).read_bytes()
    (clips / "cut.mp3").write_bytes(broken[: len(broken) // 2])
    (clips / "empty.mp3").write_bytes(b"")
    (clips / "page.mp3").write_bytes(b"<html>404</html>" * 90)
    bad = {
        "speaker\tgone.mp3\tsome words": "there is no file 'gone.mp3'",
        "speaker\t../dev.tsv\tsome words": "there is no file",
        "\tcut.mp3\tsome words": "no client_id",
        "speaker\t\tsome words": "no path",
        f"speaker\t{first}\t?!": "no text",
        f"speaker\t{first}": "no text",
        "speaker\tcut.mp3\tsome words": "cut short",
        "speaker\tempty.mp3\tsome words": "not readable",
        "speaker\tpage.mp3\tsome words": "not readable",
        f"speaker\t{first}\tsome words" + "\t" * 12: "more cells",
    }
    lines = [*rows, *(f"{row}\n".encode() for row in bad), b"speaker\t" + first.encode() + b"\tw\xffrds\n"]
    (source / "validated.tsv").write_bytes(b"".join(lines))
    listed, skipped = found(source)
    good = len(list(decode(listed.training, skipped)))
    assert good == 2 * len(TEXTS)
    for number, reason in enumerate([*bad.values(), "not UTF-8"], len(rows) + 1):
        (said,) = [
            why for name, why in skipped.items() if name.split(" (")[0] == f"validated.tsv line {number}"
        ]
        assert reason in said
    assert len(skipped) == len(bad) + 1


@pytest.mark.parametrize("name", ["dev.tsv", "validated.tsv"])
def test_a_list_without_its_columns_is_refused_by_name(tmp_path: Path, name: str) -> None:
    source = common_voice(tmp_path / "en")
    (source / name).write_text((source / name).read_text().replace("client_id", "speaker", 1))
    with pytest.raises(PlannerError, match=rf"{name} line 1 has no column client_id"):
        found(source)


def test_what_is_missing_of_a_release_is_named(tmp_path: Path) -> None:
    source = common_voice(tmp_path / "all" / "en")
    with pytest.raises(
        PlannerError, match=r"dev\.tsv has .* h of usable speech, expected more than the 1 h for validation"
    ):
        prepared(source, tmp_path / "cache", validation=1.0)
    common_voice(tmp_path / "all" / "de")
    with pytest.raises(
        PlannerError, match=r"several languages of Common Voice: expected the folder of one \(de, en\)"
    ):
        found(tmp_path / "all")
    (source / "dev.tsv").unlink()
    with pytest.raises(PlannerError, match=r"no dev\.tsv: unpack"):
        found(source)
