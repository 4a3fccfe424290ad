"""Table files: what was written is what is read, whatever the cells hold and wherever the file is."""

import csv
import gzip
import io
import json
import random
from pathlib import Path

import duckdb
import pytest

from laws.errors import TableError
from planner.sources import table_file
from planner.sources.run_table import read_measurements
from planner.sources.table_file import read_names, read_rows

CELLS = [
    "1", "0.5", "1e-3", "35%", "10k", "", " ", "it's", "'", "''", "'a'", "#", "# "
    "note", "a#b", "N/A", "NULL", "nan",
    "true", "2024-01-01", "2024-01-01 "
    "10:00:00+02", "1,5", "1;5", "a|b", 'say "hi"', '"', "\\", "\\N", "é", "日本",
    "=1+1", "a\nb", "a\r\nb", "\t", "-", "1_000", "0x10", "\u2028", "\x0b", "\x00", "01", "1.10",
]  # fmt: skip
NAMES = ["hours", "wer", "tag", "it's", "#", "config", "a b", "é", "id", 'q"x', "null", "group by"]


def generated(seed: int) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a random table."""
    rng = random.Random(seed)
    header = rng.sample(NAMES, rng.randint(2, len(NAMES)))
    rows = [[rng.choice(CELLS) for _ in header] for _ in range(rng.randint(1, 8))]
    return header, rows


def written(folder: Path, kind: str, header: list[str], rows: list[list[str]], seed: int) -> Path:
    """Write a table as a file of a kind, in a folder whose name a reader might take for a column."""
    rng = random.Random(seed)
    folder = folder / rng.choice(["wer=0.01", "plain", "tag=it's", "[a]*?"])
    folder.mkdir(exist_ok=True)
    path = folder / f"table{seed}{kind}"
    if kind in (".csv", ".csv.gz", ".tsv"):
        text = io.StringIO(newline="")
        mark = "\t" if kind == ".tsv" else rng.choice(",;|")
        end = rng.choice(["\n", "\r\n"])
        writer = csv.writer(
            text, delimiter=mark, lineterminator=end, quoting=rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
        )
        writer.writerows([header, *rows])
        content = (rng.choice(["", "\ufeff"]) + text.getvalue()).encode()
        path.write_bytes(gzip.compress(content) if kind == ".csv.gz" else content)
    elif kind == ".jsonl":
        lines = [json.dumps(dict(zip(header, row, strict=True))) for row in rows]
        path.write_text("\n".join(lines), encoding="utf-8")
    else:
        columns = ", ".join('"' + name.replace('"', '""') + '" varchar' for name in header)
        with duckdb.connect() as connection:
            connection.execute(f"create table t ({columns})")
            connection.executemany(f"insert into t values ({', '.join('?' * len(header))})", rows)
            connection.execute(f"copy t to '{str(path).replace(chr(39), chr(39) * 2)}' (format parquet)")
    return path


def compare(folder: Path, kind: str, seeds: range) -> None:
    for seed in seeds:
        header, rows = generated(seed)
        path = written(folder, kind, header, rows, seed)
        assert list(read_names(path)) == header, path
        asked = random.Random(seed).sample(header, 2)
        expected = [tuple(row[header.index(name)] for name in asked) for row in rows]
        assert read_rows(path, asked) == expected, path
        path.unlink()


KINDS = [".csv", ".csv.gz", ".tsv", ".jsonl", ".parquet"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_written_is_what_is_read(tmp_path: Path, kind: str) -> None:
    compare(tmp_path, kind, range(20 if kind == ".parquet" else 100))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_written_is_what_is_read_in_thousands_of_files(tmp_path: Path, kind: str) -> None:
    compare(tmp_path, kind, range(1000, 1500 if kind == ".parquet" else 4000))


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_name_is_never_a_column(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "wer=0.01"
    folder.mkdir()
    path = folder / f"runs{kind}"
    if kind == ".parquet":
        duckdb.sql(f"copy (select 10 as hours, 0.5::double as wer) to '{path}' (format parquet)")
    else:
        mark = "\t" if kind == ".tsv" else ","
        text = '{"hours": 10, "wer": 0.5}\n' if kind == ".jsonl" else f"hours{mark}wer\n10{mark}0.5\n"
        path.write_bytes(gzip.compress(text.encode()) if kind.endswith(".gz") else text.encode())
    measured = read_measurements(path, metric="wer", metric_unit="fraction", data_unit="hours", columns={})
    assert measured.metric == (0.5,)


def test_rows_with_apostrophes_and_hashes_are_all_read(tmp_path: Path) -> None:
    tags = ["rock 'n' roll", "it's", "b", "'a'", "'001", "#x", "x # y"]
    lines = [f"0.{50 - i},{10 * 2**i},{tag}" for i, tag in enumerate(tags)]
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(["wer,hours,tag", *lines]), encoding="utf-8")
    assert [tag for (tag,) in read_rows(path, ["tag"])] == tags


def test_a_column_that_is_not_used_cannot_stop_the_others(tmp_path: Path) -> None:
    """A time stamp with a zone needs no time zone data, and a huge text no memory."""
    path = tmp_path / "runs.parquet"
    duckdb.sql(
        "copy (select i as hours, 1.0 / i as wer, '2026-01-01 10:00:00+02'::timestamptz as at, "
        f"repeat('x', 1000000) as log from range(1, 400) t(i)) to '{path}' (format parquet)"
    )
    assert read_rows(path, ["hours"])[:2] == [(1,), (2,)]
    (at, log), *_ = read_rows(path, ["at", "log"])
    assert at.startswith("2026-01-01")
    assert len(log) == table_file.MAX_CELL_CHARACTERS + 1


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("twice.csv", "hours,wer,wer\n1,0.5,0.4\n", "duplicate-column"),
        ("case.csv", "hours,WER,Wer\n1,0.5,0.4\n", "duplicate-column"),
        ("twice.jsonl", '{"hours": 1, "wer": 0.5, "wer": 0.4}\n', "duplicate-column"),
        ("line.csv", "hours,wer\n1," + "9" * 1_000_001, "table-too-large"),
        ("open.csv", 'hours,wer\n1,"0.5\n', "invalid-csv"),
        ("deep.jsonl", "[" * 100_000, "invalid-json"),
        ("digits.jsonl", '{"hours": ' + "9" * 5000 + ', "wer": 0.5}', "invalid-json"),
        ("digits400.jsonl", '{"hours": ' + "9" * 400 + ', "wer": 0.5}', "unreadable-cell"),
        ("not.csv.gz", "hours,wer\n1,0.5\n", "unreadable-table"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(tmp_path: Path, name: str, content: str, code: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(TableError) as refusal:
        read_measurements(
            tmp_path / name, metric="wer", metric_unit="fraction", data_unit="hours", columns={}
        )
    assert refusal.value.code == code
    assert len(refusal.value.message.splitlines()) == 1


def test_a_duplicate_that_is_not_used_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "runs.csv").write_text("hours,wer,note,note\n1,0.5,a,b\n", encoding="utf-8")
    assert read_rows(tmp_path / "runs.csv", ["hours", "wer"]) == [("1", "0.5")]


def test_columns_that_differ_in_case_are_two_columns(tmp_path: Path) -> None:
    text = "hours,wer,WER\n1,0.5,0.4\n"
    (tmp_path / "runs.csv").write_text(text, encoding="utf-8")
    measured = read_measurements(
        tmp_path / "runs.csv", metric="WER", metric_unit="fraction", data_unit="hours", columns={}
    )
    assert measured.metric == (0.4,)


def test_too_many_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_file, "MAX_ROWS", 3)
    for name, text in (
        ("a.csv", "hours,wer\n" + "1,0.5\n" * 4),
        ("a.jsonl", '{"hours": 1, "wer": 0.5}\n' * 4),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
        with pytest.raises(TableError) as refusal:
            read_rows(tmp_path / name, ["hours"])
        assert refusal.value.code == "too-many-rows"
