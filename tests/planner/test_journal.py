"""The journal of a long computation: damaged and foreign lines are ignored, links are not followed."""

import json
from pathlib import Path

import pytest

from planner.sources import journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "out.csv.journal"
    journal.create(file)
    return file


def test_finished_parts_come_back(path: Path) -> None:
    journal.add(path, "one", [1.5, float("-inf")])
    journal.create(path)
    journal.add(path, "two", {"forms": {"power": 0.5}})
    assert journal.finished_parts(path) == {"one": [1.5, float("-inf")], "two": {"forms": {"power": 0.5}}}


@pytest.mark.parametrize(
    "line",
    [
        "{}",
        "[]",
        "null",
        "3",
        "{",
        "[" * 5000,
        '{"key": 3}',
        '{"key": "two", "value": 5, "sha256": "0"}',
        "\x00\ud800",
    ],
)
def test_other_lines_are_ignored(path: Path, line: str) -> None:
    journal.add(path, "one", 1)
    with path.open("ab") as file:
        file.write(line.encode(errors="surrogatepass"))
    journal.add(path, "three", 3)
    assert journal.finished_parts(path) == {"one": 1, "three": 3}


def test_an_edited_value_is_ignored(path: Path) -> None:
    journal.add(path, "one", 1)
    entry = json.loads(path.read_text())
    path.write_text(json.dumps(entry | {"value": 2}))
    assert journal.finished_parts(path) == {}


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("before")
    path.unlink()
    path.symlink_to(victim)
    for call in (journal.create, journal.finished_parts, lambda file: journal.add(file, "one", 1)):
        with pytest.raises(OSError, match="symbolic link"):
            call(path)
    journal.remove(path)
    assert victim.read_text() == "before"
