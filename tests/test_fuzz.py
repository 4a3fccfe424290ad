"""Over 20,000 spoiled inputs, from given seeds: no traceback, no hang, no flood of memory, no wrong row."""

import csv
import io
import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from planner.sources.table_file import read_names, read_rows
from tests.fuzz.readers import CORPORA, READERS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
ROOT = Path(__file__).resolve().parent.parent
SEED = 1
GENERATED = 3000  # tables that are written and read again


def failures(name: str, count: int, folder: Path) -> list[str]:
    """Return what went wrong with the inputs of one reader; a process that died is started again after it."""
    first, problems = 0, []
    while first < count:
        words = [name, str(SEED), str(first), str(count - first), str(folder)]
        ran = subprocess.run(
            [sys.executable, "-m", "tests.fuzz.worker", *words],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        *lines, last = ran.stdout.splitlines() or [""]
        tries = [int(line.split()[1]) for line in (*lines, last) if line.startswith("try ")]
        problems += [line for line in lines if line.startswith("{")]
        if last == "done":
            break
        assert tries, ran.stderr
        problems.append(f"{name} {tries[-1]}: the process died ({ran.returncode}): {ran.stderr[-300:]}")
        first = tries[-1] + 1
    return problems


def test_there_are_enough_inputs() -> None:
    assert sum(reader.inputs for reader in READERS.values()) + GENERATED >= 20_000


@pytest.mark.parametrize("name", READERS)
def test_a_spoiled_input_is_read_or_refused_in_one_line(name: str, tmp_path: Path) -> None:
    if name.removeprefix("corpus ") in CORPORA:
        pytest.importorskip("torch", reason="needs the extra `calibrate`")
    assert failures(name, READERS[name].inputs, tmp_path) == []


def test_rows_are_those_that_were_written(tmp_path: Path) -> None:
    """The csv module writes, with every dialect that is read; what comes back are the cells, unchanged."""
    letters = "abcXYZ019 .,;|'\"#-+%éß漢\t="
    for seed in range(GENERATED):
        rng = random.Random(seed)
        names = [f"c{i}" for i in range(rng.randint(2, 5))]
        rows = [
            ["x" + "".join(rng.choices(letters, k=rng.randint(0, 12))) for _ in names]
            for _ in range(rng.randint(1, 6))
        ]
        out = io.StringIO()
        writer = csv.writer(
            out,
            delimiter=rng.choice(",;\t|"),
            quoting=rng.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL)),
            lineterminator=rng.choice(("\n", "\r\n")),
        )
        writer.writerow(names)
        writer.writerows(rows)
        path = tmp_path / "table.csv"
        path.write_bytes(out.getvalue().encode(rng.choice(("utf-8", "utf-8-sig", "utf-16"))))
        assert list(read_names(path)) == names, seed
        as_read = [[str(cell).strip() for cell in row] for row in read_rows(path, names)]
        assert as_read == [[cell.strip() for cell in row] for row in rows], seed
        lines = tmp_path / "table.jsonl"
        lines.write_text("".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows))
        assert [list(row) for row in read_rows(lines, names)] == rows, seed
