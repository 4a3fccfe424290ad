"""Read which recordings a corpus has and the text of each: LibriSpeech, Common Voice, or a manifest.

What cannot be used is left out under the name of its file (and line), never silently.

Sources: LibriSpeech, Panayotov et al. 2015, doi:10.1109/ICASSP.2015.7178964; Common Voice, Ardila et al.
2020, arXiv:1912.06670.
"""

import csv
import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from calibrate.data.files import check_source, files_below
from calibrate.safe_names import file_inside, is_file
from laws.errors import CorpusError

MAX_LINE = 2**20  # bytes of a line; a line of a transcript has hundreds

_AUDIO_KEYS = ("audio", "audio_filepath", "path", "file")
_TEXT_KEYS = ("text", "transcript", "sentence")
_SPEAKER = "client_id"
_EXPECTED = (
    "a manifest (manifest.jsonl, manifest.csv), LibriSpeech's *.trans.txt, or Common Voice's clips next to "
    "train.tsv"
)


@dataclass(frozen=True)
class Recording:
    """An audio file and the text that is spoken in it.

    Args:
        audio: The file.
        text: The text, normalized.
        name: The recording's name in messages.
    """

    audio: Path
    text: str
    name: str


@dataclass(frozen=True)
class Recordings:
    """The recordings that a corpus lists.

    Args:
        training: The training set, or everything.
        validation: A set that the corpus itself keeps for validation, or None.
    """

    training: list[Recording]
    validation: list[Recording] | None = None


def find_recordings(source: Path, skipped: dict[str, str]) -> Recordings:
    """Return the recordings of a corpus, sorted by name.

    Args:
        source: A manifest, a folder with `manifest.jsonl` or `manifest.csv`, a release of Common Voice, or a
            folder anywhere below which LibriSpeech's `*.trans.txt` files are.
        skipped: Takes recordings that cannot be used, name -> reason.

    Returns:
        The recordings.

    Raises:
        CorpusError: The source is none of these, or a file of it cannot be read at all.
    """
    check_source(source, _EXPECTED)
    if source.is_file():
        return Recordings(_manifest(source, skipped))
    for name in ("manifest.jsonl", "manifest.csv"):
        if (source / name).is_file():
            return Recordings(_manifest(source / name, skipped))
    languages = sorted(clips.parent for clips in (*source.glob("clips"), *source.glob("*/clips")))
    if len(languages) > 1:
        names = ", ".join(folder.name for folder in languages)
        raise CorpusError(
            f"corpus {source} has several languages of Common Voice: expected the folder of one ({names})",
            code="several-languages",
        )
    if languages:
        return _common_voice(languages[0], source, skipped)
    files = files_below(source, skipped, suffixes=(".txt",), base=source)
    transcripts = [path for path in files if path.name.endswith(".trans.txt")]
    if not transcripts:
        raise CorpusError(
            f"corpus {source} has no transcripts: expected {_EXPECTED}",
            code="no-transcripts",
            value=str(source),
            expected=_EXPECTED,
        )
    return Recordings([r for transcript in transcripts for r in _librispeech(transcript, source, skipped)])


def normal(text: str) -> str:
    """Return text as it is trained on: NFKC, lower case, letters, digits and apostrophes, single spaces.

    Args:
        text: A text as it was written.

    Returns:
        The text; empty where it has no letters or digits.
    """
    text = unicodedata.normalize("NFKC", text).lower().replace("’", "'")
    kept = (c if c == "'" or unicodedata.category(c)[0] in "LMN" else " " for c in text)
    return " ".join("".join(kept).split())


def _librispeech(transcript: Path, source: Path, skipped: dict[str, str]) -> Iterator[Recording]:
    unlisted = {path.stem: path for path in sorted(transcript.parent.glob("*.flac")) if is_file(path)}
    for number, line in _lines(transcript, source, skipped):
        utterance, _, text = line.strip().partition(" ")
        if not utterance:
            continue
        audio = unlisted.pop(utterance, None)
        name = f"{transcript.relative_to(source)} line {number}"
        if audio is None:
            skipped[name] = f"there is no {utterance}.flac next to it"
        elif not normal(text):
            skipped[name] = "no text"
        else:
            yield Recording(audio, normal(text), str(audio.relative_to(source)))
    for audio in unlisted.values():
        skipped[str(audio.relative_to(source))] = f"{transcript.name} has no line for it"


def _manifest(path: Path, skipped: dict[str, str]) -> list[Recording]:
    table = path.suffix.lower() in (".csv", ".tsv")
    rows = (_table_rows if table else _json_rows)(path, path.parent, skipped)
    folder = path.parent.resolve()
    recordings = []
    for number, row in rows:
        name = f"{path.name} line {number}"
        audio = _field(row, _AUDIO_KEYS)
        text = _field(row, _TEXT_KEYS)
        if not audio:
            skipped[name] = f"no audio file: expected a field called {' or '.join(_AUDIO_KEYS)}"
        elif text is None or not normal(text):
            skipped[name] = f"no text: expected a field called {' or '.join(_TEXT_KEYS)}"
        elif isinstance(file := file_inside(folder, audio), str):
            skipped[name] = file
        else:
            recordings.append(Recording(file, normal(text), f"{name} ({audio})"))
    if not recordings and not skipped:
        skipped[path.name] = "empty"
    return recordings


def _common_voice(folder: Path, source: Path, skipped: dict[str, str]) -> Recordings:
    """Read a release: dev.tsv validates, validated clips of speakers outside dev.tsv and test.tsv train."""
    lists = {name: folder / f"{name}.tsv" for name in ("dev", "test", "validated", "train")}
    train_list = lists["validated"] if lists["validated"].is_file() else lists["train"]
    for path in (lists["dev"], train_list):
        if not path.is_file():
            raise CorpusError(
                f"{folder} has clips and no {path.name}: unpack Common Voice's release again",
                code="missing-file",
            )
    dev = list(_clips(lists["dev"], source, skipped))
    test = list(_clips(lists["test"], source, {})) if lists["test"].is_file() else []
    reserved = frozenset(speaker for speaker, _ in (*dev, *test))
    training = [clip for _, clip in _clips(train_list, source, skipped, reserved)]
    return Recordings(training=training, validation=[clip for _, clip in dev])


def _clips(
    path: Path, source: Path, skipped: dict[str, str], reserved: frozenset[str] = frozenset()
) -> Iterator[tuple[str, Recording]]:
    """Yield the clips of a list with their speakers, except those of `reserved` speakers."""
    clips = path.parent / "clips"
    number = 0
    for number, row in _table_rows(path, source, skipped):
        name = f"{path.relative_to(source)} line {number}"
        missing = [column for column in (_SPEAKER, "path", "sentence") if column not in row]
        if missing:
            raise CorpusError(
                f"{path} line 1 has no column {', '.join(missing)}: Common Voice's lists do",
                code="missing-column",
            )
        speaker, file, text = (_field(row, (column,)) for column in (_SPEAKER, "path", "sentence"))
        if not speaker or not file:
            skipped[name] = f"no {_SPEAKER}" if file else "no path"
            continue
        if speaker in reserved:
            continue
        file = file if "." in file else f"{file}.mp3"
        if "/" in file or not is_file(clips / file):
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
        name = f"{path.relative_to(source)} line {number}"
        try:
            row = json.loads(line, object_pairs_hook=_unique)
        except (ValueError, RecursionError) as error:
            skipped[name] = f"not JSON ({error})"
            continue
        if isinstance(row, dict):
            yield number, row
        else:
            skipped[name] = "not a JSON object"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; of a key that is there twice, no one knows which value is meant."""
    if twice := _duplicates(key for key, _ in pairs):
        raise ValueError(f"{twice[0]!r} is there twice")
    return dict(pairs)


def _duplicates(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _table_rows(
    path: Path, source: Path, skipped: dict[str, str]
) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Yield the rows of a CSV or TSV file with a header; in TSV a quotation mark is a plain character.

    A row with more cells than the header goes to `skipped`: a text with an unquoted comma would be cut.
    """
    position = 0

    def lines() -> Iterator[str]:
        nonlocal position
        for position, line in _lines(path, source, skipped):  # noqa: B007 - read below
            yield line

    tabs = path.suffix.lower() == ".tsv"
    reader: csv.DictReader[str] = csv.DictReader(
        lines(),
        delimiter="\t" if tabs else ",",
        quoting=csv.QUOTE_NONE if tabs else csv.QUOTE_MINIMAL,
        strict=True,
    )
    try:
        if twice := _duplicates(filter(None, reader.fieldnames or ())):
            raise CorpusError(
                f"{path} line 1 names column {twice[0]!r} more than once: expected different names",
                code="duplicate-column",
                value=twice[0],
            )
        for row in reader:
            if None in row:
                skipped[f"{path.relative_to(source)} line {position}"] = "more cells than the header has"
            else:
                yield position, row
    except csv.Error as error:  # after a quotation mark that is never closed, nothing can be trusted
        raise CorpusError(
            f"{path} line {position} is not {'TSV' if tabs else 'CSV'} ({error})", code="not-a-table"
        ) from None


def _lines(path: Path, source: Path, skipped: dict[str, str]) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines of a text file that are UTF-8."""
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(MAX_LINE), b""), 1):
            if len(line) == MAX_LINE and not line.endswith(b"\n"):  # such as a sparse file without a line end
                raise CorpusError(
                    f"{path} line {number} is longer than {MAX_LINE:,} bytes: expected a transcript",
                    code="line-too-long",
                )
            try:
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                skipped[f"{path.relative_to(source)} line {number}"] = "not UTF-8"


def _field(row: Mapping[str, object], names: tuple[str, ...]) -> str | None:
    return next((value for name in names if isinstance(value := row.get(name), str)), None)
