"""The answers of commit 47a8d94, asked again: whatever is renamed or moved, the numbers stay.

The recording is never edited. What was renamed on purpose is written into the tables below; to record
again, run `python -m tests.answers.record`, as a deliberate change.
"""

import math
import shutil
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from tests.answers.asking import DATA, ask, run, unpacked
from tests.answers.questions import QUESTIONS
from tests.answers.record import recorded

# key of a recorded answer -> what it is called now
RENAMED_KEYS: dict[str, str] = {"happened": "observed", "said": "predicted", "trail": "provenance"}
# code, unit or other word of a recorded answer -> what it is now
RENAMED_VALUES: dict[str, str] = {
    "utilisation": "utilization",
    "utilisation-assumed": "utilization-assumed",
    "utilisation-above-matmul": "utilization-above-matmul",
    "passes over the data": "epochs",
    "devices that hold it": "devices",
    "offset": "floor",
    "tokens seen": "tokens seen in training",
    "share lost a doubling": "share lost per doubling",
    "bytes a parameter": "bytes per parameter",
    "bytes a parameter and step": "bytes per parameter and step",
    "bytes a position, layer and unit of width": "bytes per position, layer and unit of width",
    "positions a device and step": "positions per device and step",
}
# what a question answers differently on purpose, by the path in its answer (`*` for any) -> why
CHANGED: dict[str, str] = {
    "laws-list.unit": "the loss of minicpm2024 is per byte",
    "laws-list.measured": "the range of krajewski2024 is stated",
    "laws-list.confidence": "krajewski2024 was read in the paper; hestness2019 contradicts itself",
    "compare-*.probability_same_exponent": "the normal of related families is no longer cut off at the draws",
    "compare-*.largest_over_smallest.*": "as probability_same_exponent",
    "compare-*.families.pooled_exponent.*": "as probability_same_exponent",
    "compare-*.families.at.*.error.*": "as probability_same_exponent",
    "compare-*.families.at.*.probability_best": "as probability_same_exponent",
    "*.sensitivity.shares.*": "shares of the answer's rank, with draws that never reach the target",
    "laws-show-published.checks": "one of the runs that were fitted now checks the constants",
    "next-captions.device": "a law that was fitted to logged hours knows the pace of its device",
    "next-captions.runs.seconds": "as next-captions.device",
    "fit-captions.warnings": "its size law says sizes-cut: the smaller of two models tried was the best",
}
# By published laws: they have intervals, from their source or from how far studies differ.
PUBLISHED = ("published-*", "frontier-published", "review-published", "review-captions")
OF_HARDWARE = (
    "gpu_hours", "days", "dollars", "total_dollars", "serving_dollars", "energy", "carbon", "utilisation",
    "bytes_moved", "step_seconds", "memory", "devices",
)  # fmt: skip
_INTERVALS = "a published law has an interval"
CHANGED |= {
    f"{question}.{key}": _INTERVALS
    for question in PUBLISHED
    for key in (
        "*q05", "*q95", "*probability_reachable", "*probability_within.*", "*probability", "*limits.*",
        "*limit.median", "*sensitivity.*", "*warnings", "*warnings.code", "*needed", "*bands.q*", "*binding",
        "*finish.median", "*done.median",
    )
}  # fmt: skip
_DRIFT = "a fitted joint law may drift beyond the compute that it was fitted to"
CHANGED |= {
    f"{question}.{key}": _DRIFT
    for question in ("lm-*", "what-if-data")
    for key in (
        "*q05", "*q95", "limit.median", "*probability_reachable", "*probability_within.*", "*sensitivity.*",
        "*warnings", "*warnings.code", "*verdict", "*probability", "*limits.*", "*binding",
    )
}  # fmt: skip
# how far a median may move on purpose, by the path in its answer: the largest change, and why
MOVED: dict[str, tuple[float, str]] = {
    f"{question}.*{key}.median": (
        0.5,
        "hours and money of samples of the law, decades apart, not of its one figure",
    )
    for question in PUBLISHED
    for key in OF_HARDWARE
}
MOVED |= {f"{question}.*median": (0.05, _DRIFT) for question in ("lm-*", "what-if-data")}
MOVED |= {
    "published-surface-*": (0.04, "the standard errors of besiroglu2024 are sampled"),
    "frontier-published.*": (0.07, "the standard errors of besiroglu2024 are sampled"),
    "review-*": (0.04, "the standard errors of besiroglu2024 are sampled"),
    "published-chinchilla-gpu-hours.error.median": (0.01, "the law varies with the hardware"),
}
# questions whose answer lists more records than it did -> why; records of new ids are not compared, and the
# order of the old ones, which is by confidence, neither
ADDED: dict[str, str] = {"laws-list": "laws of the literature came to the catalog"}
RENAMED_OPTIONS: dict[str, str] = {}  # word of a question, such as an option or a NAME of NAME=VALUE -> now

# Sentences for people, by key or by the last two keys: text below them is not compared, numbers are.
PROSE = {
    "assumptions", "sentence", "measure", "note", "notes", "question", "text", "range", "citation",
    "definitions", "inputs", "assumed.source", "assumptions.source", "accelerators-assumptions.source",
}  # fmt: skip
# What is of the moment or of the bytes of a file: the hash of a file is checked where it is read.
LEFT_OUT = {"created", "sha256", "versions"}
# The id of a law that is fitted again is the hash of its draws: another processor rounds them differently.
LEFT_OUT_FRESH = {"law"}
# Stored draws are read. Sampling again adds up the rounding of a processor over a whole chain, and `compare`
# samples again: with other vector instructions a median is the neighboring sample (seen: 3e-4).
CLOSE = 1e-9
CLOSE_OF = {"fit": 1e-6, "extrapolate": 1e-6, "compare": 2e-3}
# Without AVX-512 one draw in a thousand wins instead of another, and ranks of draws that nearly tie swap.
LOOSE = {"probability_best": 2e-2, "ess_bulk": 1e-2, "ess_tail": 1e-2}

RECORDED = recorded()


def differences(old: Any, new: Any, path: tuple[str, ...], *, close: float, out: set[str]) -> list[str]:
    """Return where a new answer is not the recorded one; keys that came to it are no difference."""
    where = ".".join(path)
    if any(fnmatchcase(where, pattern) for pattern in CHANGED):
        return []
    prose = bool({path[-1], ".".join(path[-2:])} & PROSE) or bool({"definitions", "inputs"} & set(path))
    if isinstance(old, dict):
        if not isinstance(new, dict):
            return [f"{where}: no longer a table: {new!r}"]
        found = []
        for key, value in old.items():
            now = RENAMED_KEYS.get(key, RENAMED_VALUES.get(key, key))
            if key in out:
                continue
            if now not in new and key in new:
                now = key  # a record that is stored keeps the keys it was written with
            if now not in new:
                found.append(f"{where}.{now}: gone")
            else:
                found += differences(value, new[now], (*path, key), close=close, out=out)
        return found
    if isinstance(old, list):
        if prose and all(isinstance(value, str) for value in old):
            return []
        if not isinstance(new, list) or len(old) != len(new):
            return [f"{where}: {old!r} is now {new!r}"]
        pairs = zip(old, new, strict=True)
        return [line for one, two in pairs for line in differences(one, two, path, close=close, out=out)]
    if isinstance(old, str):
        same = (prose and isinstance(new, str)) or new in (old, RENAMED_VALUES.get(old))
    elif isinstance(old, bool) or old is None:
        same = old is new
    else:
        is_number = isinstance(new, int | float) and not isinstance(new, bool)
        moved = [far for pattern, (far, _) in MOVED.items() if fnmatchcase(where, pattern)]
        close = max(close, LOOSE.get(path[-1], 0.0), *moved)
        same = is_number and math.isclose(old, new, rel_tol=close, abs_tol=0.0)
    return [] if same else [f"{where}: {old!r} is now {new!r}"]


def compared(name: str, found: dict[str, Any]) -> list[str]:
    """Return where the answer to a question is not the recorded one."""
    command = QUESTIONS[name].split()[0]
    old, new = RECORDED[name]["answer"], found["answer"]
    if name in ADDED:
        by_id = {record["id"]: record for record in new}
        new = [by_id[record["id"]] for record in old]
    return differences(
        old,
        new,
        (name,),
        close=CLOSE_OF.get(command, CLOSE),
        out=LEFT_OUT | (LEFT_OUT_FRESH if command == "fit" else set()),
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    return unpacked(tmp_path_factory.mktemp("answers") / "unpacked")


@pytest.mark.parametrize("name", QUESTIONS)
def test_the_answer_is_the_recorded_one(name: str, store: Path, tmp_path: Path) -> None:
    found = ask(name, store, tmp_path, RENAMED_OPTIONS)
    assert found["code"] == RECORDED[name]["code"]
    assert not compared(name, found)


def test_every_answer_belongs_to_a_question() -> None:
    assert RECORDED.keys() == QUESTIONS.keys()


def test_a_difference_is_seen() -> None:
    old = {"data": {"median": 1.0, "unit": "hours"}, "warnings": [{"code": "a", "sentence": "b"}], "ok": True}
    for new, said in (
        (old | {"more": 1}, ""),
        (old | {"data": {"median": 1 + 1e-10, "unit": "hours"}}, ""),
        (old | {"data": {"median": 1 + 1e-8, "unit": "hours"}}, "q.data.median: 1.0 is now"),
        (old | {"data": {"median": 1.0, "unit": "words"}}, "q.data.unit: 'hours' is now"),
        (old | {"warnings": [{"code": "a", "sentence": "c"}]}, ""),
        (old | {"warnings": [{"code": "c", "sentence": "b"}]}, "q.warnings.code: 'a' is now"),
        (old | {"warnings": []}, "q.warnings: "),
        (old | {"ok": 1}, "q.ok: True is now"),
        ({"ok": True}, "q.data: gone"),
    ):
        found = differences(old, new, ("q",), close=CLOSE, out=LEFT_OUT)
        assert said in "".join(found)
        assert bool(said) == bool(found)


def test_nothing_recorded_names_the_machine() -> None:
    told = str(RECORDED)
    assert not [place for place in ("/tmp", "/work", "/home", "/root", ".venv") if place in told]


@pytest.mark.parametrize("without", ["", "index.duckdb"])
def test_the_old_store_opens_and_its_index_is_made_anew(without: str, store: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(store, copy)
    if without:
        (copy / without).unlink()
    for words in (("store", "rebuild"), ("store", "check"), ("laws", "list")):
        code, _, err = run([*words, "--store", str(copy)])
        assert (code, err) == (0, "")
    (tmp_path / "asked").mkdir()
    assert not compared("captions-all", ask("captions-all", copy, tmp_path / "asked", RENAMED_OPTIONS))


def test_exported_laws_answer_the_same_in_an_empty_store(tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert run(["laws", "import", str(DATA / "laws-47a8d94"), "--store", str(other)])[0] == 0
    for name in ("captions-target", "captions-all", "lm-flops", "lm-smallest", "asr-target"):
        (tmp_path / name).mkdir()
        assert not compared(name, ask(name, other, tmp_path / name, RENAMED_OPTIONS))
