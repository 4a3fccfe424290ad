"""Read which recordings a corpus has and what is said in them: LibriSpeech, Common Voice, or a manifest.

Whatever cannot be used is left out under the name of its file (and line), never silently.
"""

import csv
import json
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from laws.errors import PlannerError

_AUDIO_KEYS = ("audio", "audio_filepath", "path", "file")
_TEXT_KEYS = ("text", "transcript", "sentence")
_SPEAKER = "client_id"


@dataclass(frozen=True)
class Recording:
    """An audio file and the text that is spoken in it, normalized."""

    audio: Path
    text: str
    name: str  # how it is named in a message


@dataclass(frozen=True)
class Found:
    """What a corpus lists."""

    training: list[Recording]
    held_out: list[Recording] | None = None  # a set that the corpus itself keeps for validation


def find(source: Path, skipped: dict[str, str]) -> Found:
    """Return the recordings of a corpus, sorted by name; unusable ones go to `skipped`, name -> reason.

    `source` is a manifest, a folder with `manifest.jsonl` or `manifest.csv`, a release of Common Voice, or a
    folder anywhere under which LibriSpeech's `*.trans.txt` files lie. Raises PlannerError where it is none of
    these, or where a file of it cannot be read at all.
    """
    if source.is_file():
        return Found(_manifest(source, skipped))
    if not source.is_dir():
        raise PlannerError(f"--data {source} does not exist: give a folder of recordings or a manifest")
    for name in ("manifest.jsonl", "manifest.csv"):
        if (source / name).is_file():
            return Found(_manifest(source / name, skipped))
    languages = sorted(clips.parent for clips in (*source.glob("clips"), *source.glob("*/clips")))
    if len(languages) > 1:
        names = ", ".join(folder.name for folder in languages)
        raise PlannerError(
            f"--data {source} holds several languages of Common Voice: give the folder of one ({names})"
        )
    if languages:
        return _common_voice(languages[0], source, skipped)
    transcripts = sorted(source.rglob("*.trans.txt"))
    if not transcripts:
        raise PlannerError(
            f"--data {source}: wanted manifest.jsonl, manifest.csv, LibriSpeech's *.trans.txt or Common "
            "Voice's clips beside train.tsv, found none"
        )
    return Found([r for transcript in transcripts for r in _librispeech(transcript, source, skipped)])


def normal(text: str) -> str:
    """Return text as it is trained on: NFKC, lower case, letters, digits and apostrophes, single spaces."""
    text = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    kept = (c if c == "'" or unicodedata.category(c)[0] in "LMN" else " " for c in text)
    return " ".join("".join(kept).split())


def _librispeech(transcript: Path, source: Path, skipped: dict[str, str]) -> Iterator[Recording]:
    heard = {audio.stem: audio for audio in sorted(transcript.parent.glob("*.flac"))}
    for number, line in _lines(transcript, source, skipped):
        utterance, _, text = line.strip().partition(" ")
        if not utterance:
            continue
        audio = heard.pop(utterance, None)
        name = f"{transcript.relative_to(source)} line {number}"
        if audio is None:
            skipped[name] = f"there is no {utterance}.flac beside it"
        elif not normal(text):
            skipped[name] = "no text"
        else:
            yield Recording(audio, normal(text), str(audio.relative_to(source)))
    for audio in heard.values():
        skipped[str(audio.relative_to(source))] = f"{transcript.name} has no line for it"


def _manifest(path: Path, skipped: dict[str, str]) -> list[Recording]:
    table = path.suffix.lower() in (".csv", ".tsv")
    rows = (_table_rows if table else _json_rows)(path, path.parent, skipped)
    folder = path.parent.resolve()
    found = []
    for number, row in rows:
        name = f"{path.name} line {number}"
        audio = _field(row, _AUDIO_KEYS)
        text = _field(row, _TEXT_KEYS)
        if not audio:
            skipped[name] = f"no audio file: wanted a field called {' or '.join(_AUDIO_KEYS)}"
        elif text is None or not normal(text):
            skipped[name] = f"no text: wanted a field called {' or '.join(_TEXT_KEYS)}"
        elif "\0" in audio or not (file := (folder / audio).resolve()).is_relative_to(folder):
            skipped[name] = f"{audio!r} lies outside {path.parent}"
        elif not file.is_file():
            skipped[name] = f"there is no file {audio!r}"
        else:
            found.append(Recording(file, normal(text), f"{name} ({audio})"))
    if not found and not skipped:
        skipped[path.name] = "empty"
    return found


def _common_voice(folder: Path, source: Path, skipped: dict[str, str]) -> Found:
    """Read a release: dev.tsv validates, validated clips of speakers outside dev.tsv and test.tsv teach."""
    lists = {name: folder / f"{name}.tsv" for name in ("dev", "test", "validated", "train")}
    taught = lists["validated"] if lists["validated"].is_file() else lists["train"]
    for path in (lists["dev"], taught):
        if not path.is_file():
            raise PlannerError(f"{folder} has clips and no {path.name}: unpack Common Voice's release again")
    dev = list(_clips(lists["dev"], source, skipped))
    test = list(_clips(lists["test"], source, {})) if lists["test"].is_file() else []
    others = frozenset(speaker for speaker, _ in (*dev, *test))
    training = [clip for _, clip in _clips(taught, source, skipped, others)]
    return Found(training=training, held_out=[clip for _, clip in dev])


def _clips(
    path: Path, source: Path, skipped: dict[str, str], others: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Recording]]:
    """Yield the clips of a list with their speakers; those of `others` are passed over."""
    clips = path.parent / "clips"
    number = 0
    for number, row in _table_rows(path, source, skipped):
        name = f"{path.relative_to(source)} line {number}"
        missing = [column for column in (_SPEAKER, "path", "sentence") if column not in row]
        if missing:
            raise PlannerError(f"{path} line 1 names no column {', '.join(missing)}: Common Voice's lists do")
        speaker, file, text = (_field(row, (column,)) for column in (_SPEAKER, "path", "sentence"))
        if not speaker or not file:
            skipped[name] = f"no {_SPEAKER}" if file else "no path"
            continue
        if speaker in others:
            continue
        file = file if "." in file else f"{file}.mp3"
        if "/" in file or "\0" in file or not (clips / file).is_file():
            skipped[name] = f"there is no file {file!r} in clips"
        elif text is None or not normal(text):
            skipped[name] = "no text"
        else:
            yield speaker, Recording(clips / file, normal(text), f"{name} ({file})")
    if not number:
        skipped[str(path.relative_to(source))] = "empty"


def _json_rows(
    path: Path, source: Path, skipped: dict[str, str]
) -> Iterator[tuple[int, Mapping[str, object]]]:
    for number, line in _lines(path, source, skipped):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            skipped[f"{path.relative_to(source)} line {number}"] = f"not JSON ({error})"
            continue
        if isinstance(row, dict):
            yield number, row
        else:
            skipped[f"{path.relative_to(source)} line {number}"] = "not a JSON object"


def _table_rows(
    path: Path, source: Path, skipped: dict[str, str]
) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Yield the rows of a CSV or TSV file with a header; in TSV a quotation mark is a plain character.

    A row with more cells than the header goes to `skipped`: a text with an unquoted comma would be cut.
    """
    place = 0

    def lines() -> Iterator[str]:
        nonlocal place
        for place, line in _lines(path, source, skipped):  # noqa: B007 - read below
            yield line

    tabs = path.suffix.lower() == ".tsv"
    reader: csv.DictReader[str] = csv.DictReader(
        lines(),
        delimiter="\t" if tabs else ",",
        quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL,
        strict=True,
    )
    try:
        for row in reader:
            if None in row:
                skipped[f"{path.relative_to(source)} line {place}"] = "more cells than the header has"
            else:
                yield place, row
    except csv.Error as error:  # of a quotation mark that is never closed, nothing behind it can be trusted
        raise PlannerError(f"{path} line {place} is not {'TSV' if tabs else 'CSV'} ({error})") from None


def _lines(path: Path, source: Path, skipped: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines of a text file that are UTF-8."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                skipped[f"{path.relative_to(source)} line {number}"] = "not UTF-8"


def _field(row: Mapping[str, object], names: tuple[str, ...]) -> str | None:
    return next((value for name in names if isinstance(value := row.get(name), str)), None)
