"""The same questions give the same numbers as they did at 47a8d94, whatever has moved or been renamed since.

That version wrote `tests/data/store-47a8d94.tar.xz`, `tests/data/laws-47a8d94` and the recorded answers.
Only numbers, codes, ids and names are compared; sentences may be reworded.
"""

import gzip
import json
import math
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.answers.ask import DATA, RECORDED, ask, unpacked
from tests.answers.questions import QUESTIONS

# What has another name now. Everything else has to be as it was.
RENAMED_OPTIONS: dict[str, str] = {}
RENAMED_KEYS: dict[str, str] = {}
RENAMED_VALUES: dict[str, str] = {"utilisation": "utilization"}

# Text for people, and what depends on the day, the machine or the folder.
PROSE = {
    "answer",
    "assumptions",
    "caption",
    "citation",
    "command",
    "definitions",
    "heading",
    "how",
    "left_out",
    "next",
    "note",
    "notes",
    "origin",
    "question",
    "reason",
    "sections",
    "sentence",
    "source",
    "sources",
    "summary",
    "text",
    "title",
    "versions",
    "where",
    "why",
    "store",
    "file",
    "path",
    "files",
}
TODAY = {"created", "day", "today", "seconds", "provenance", "code", "took"}
SAMPLED = {name for name in QUESTIONS if name.startswith(("fit", "extrapolate"))}
# Of what is sampled anew, ids are hashes of draws that differ in their last digits between processors.
SAMPLED_IDS = {"law", "id", "created", "diagnostics"}


@cache
def recorded() -> dict[str, Any]:
    """Return the answers of 47a8d94."""
    answers: dict[str, Any] = json.loads(gzip.decompress(RECORDED.read_bytes()))
    return answers


def differences(old: Any, new: Any, where: str, skipped: set[str], tolerance: float) -> list[str]:
    """Return where two answers differ, as paths with both values."""
    if isinstance(old, dict):
        if not isinstance(new, dict):
            return [f"{where}: {type(new).__name__} in place of a table"]
        wrong = []
        for key, value in old.items():
            name = renamed(key)
            if key in skipped:
                continue
            if name not in new and key in new:
                name = key  # a record that is already stored keeps the keys it was written with
            if name not in new:
                wrong.append(f"{where}.{name} is gone")
            else:
                wrong += differences(value, new[name], f"{where}.{name}", skipped, tolerance)
        return wrong
    if isinstance(old, list):
        if not isinstance(new, list) or len(old) != len(new):
            return [f"{where}: another number of rows"]
        pairs = enumerate(zip(old, new, strict=True))
        return [
            wrong for i, (a, b) in pairs for wrong in differences(a, b, f"{where}[{i}]", skipped, tolerance)
        ]
    numbers = [_number(value) for value in (old, new)]
    if numbers[0] is not None and numbers[1] is not None:
        return (
            []
            if math.isclose(numbers[0], numbers[1], rel_tol=tolerance)
            else [f"{where}: {old} is now {new}"]
        )
    if isinstance(old, str):
        old = RENAMED_VALUES.get(old, old)
    return [] if old == new else [f"{where}: {old!r} is now {new!r}"]


def renamed(key: str) -> str:
    """Return what a key is called now; headings of CSV join keys with dots."""
    return ".".join(RENAMED_KEYS.get(part, RENAMED_VALUES.get(part, part)) for part in key.split("."))


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_gives_the_same_numbers(name: str, tmp_path: Path) -> None:
    words = [RENAMED_OPTIONS.get(word, word) for word in QUESTIONS[name]]
    old, new = recorded()[name], ask(words, unpacked(tmp_path))
    assert new["code"] == old["code"], new["error"]
    sampled = name in SAMPLED
    skipped = PROSE | TODAY | (SAMPLED_IDS if sampled else set())
    # Sampling repeats to the last bit on one processor; others round differently.
    assert differences(old["answer"], new["answer"], "", skipped, 1e-6 if sampled else 1e-9) == []


def test_a_changed_number_would_be_seen() -> None:
    old = recorded()["curve-target"]["answer"]
    new = json.loads(json.dumps(old))
    new["data"]["median"] *= 1.00001
    assert len(differences(old, new, "", PROSE | TODAY, 1e-9)) == 1


def test_the_old_store_opens_and_its_index_can_be_made_again(tmp_path: Path) -> None:
    store = unpacked(tmp_path)
    before = ask(("laws", "list", "--all", "--format", "json"), store)
    assert ask(("store", "rebuild"), store)["code"] == 0
    assert ask(("store", "check"), store)["code"] == 0
    after = ask(("laws", "list", "--all", "--format", "json"), store)
    assert before["answer"] == after["answer"]


def test_exported_laws_of_that_version_answer_from_an_empty_store(tmp_path: Path) -> None:
    files = []
    for packed in sorted((DATA / "laws-47a8d94").glob("*.json.gz")):
        files.append(tmp_path / packed.name.removesuffix(".gz"))
        files[-1].write_bytes(gzip.decompress(packed.read_bytes()))
    store = tmp_path / "store"
    (store / "laws").mkdir(parents=True)
    assert ask(("laws", "import", *map(str, files)), store)["code"] == 0
    for name, law in (("joint-target", "b5706db0838b4f9a"), ("curve-target", "518e28602f428a87")):
        words = ("estimate", "--law", law, *QUESTIONS[name][3:])
        answer = ask([RENAMED_OPTIONS.get(word, word) for word in words], store)
        assert answer["code"] == 0, answer["error"]
        old = recorded()[name]["answer"]
        for quantity in ("data", "params", "flops"):
            assert (
                differences(
                    old[quantity],
                    answer["answer"][RENAMED_KEYS.get(quantity, quantity)],
                    quantity,
                    PROSE,
                    1e-9,
                )
                == []
            )
