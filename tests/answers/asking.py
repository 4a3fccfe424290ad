"""Ask `planner` in this process, on a copy of the recorded store, on the day that was pinned."""

import contextlib
import csv
import datetime
import importlib
import io
import json
import pkgutil
import shutil
import sys
import tarfile
import tomllib  # noqa: F401  # before the day is pinned, so that it makes plain dates
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from planner import assumptions, cli  # `cli` is the one place that knows where the command line is
from planner.hardware import accelerators
from tests.answers import questions

DATA = Path(__file__).resolve().parents[1] / "data"
STORE = DATA / "store-47a8d94.tar.gz"
ACCELERATORS = DATA / "answers" / "accelerators-47a8d94.json"  # facts change; what is made of them must not
# The assumptions of then, with the names of today; a utilization that is not predicted is one band for all.
ASSUMED = {
    "utilization": (0.30, 0.45),
    "scaling_loss": (0.016, 0.07),
    "bandwidth_share": (0.70, 0.70),
    "memory_share": (0.90, 0.90),
    "state_bytes": (16.0, 16.0),
    "traffic_bytes": (34.0, 34.0),
    "activation_bytes": (34.0, 34.0),
    "aspect_ratio": (100.0, 100.0),
    "positions": (8192.0, 8192.0),
    "power_usage_effectiveness": (1.1, 1.58),
    "carbon_intensity": (0.481, 0.481),
}
HOUSE = cli.__name__.split(".")[0]


class _Plain(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, datetime.datetime | _DATE)


_DATE = datetime.date


class _Pinned(_DATE, metaclass=_Plain):
    @classmethod
    def today(cls) -> datetime.date:
        return _DATE.fromisoformat(questions.TODAY)


@contextlib.contextmanager
def pinned() -> Iterator[None]:
    """Let `date.today()` be the pinned day, wherever the command line has `date` from."""
    package = importlib.import_module(HOUSE)
    for found in pkgutil.walk_packages(package.__path__, f"{HOUSE}."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.object(datetime, "date", _Pinned))
        for name, module in list(sys.modules.items()):
            if name.split(".")[0] == HOUSE and getattr(module, "date", None) is _DATE:
                stack.enter_context(mock.patch.object(module, "date", _Pinned))
        yield


@contextlib.contextmanager
def facts_of_then() -> Iterator[None]:
    """Let accelerators, prices and default assumptions be those of the recorded commit.

    The recording then tells whether the arithmetic is the same; figures are compared with their sources
    elsewhere.
    """
    table = json.loads(ACCELERATORS.read_text(encoding="utf-8"))
    defaults = assumptions.defaults()
    then = tuple(defaults[name]._replace(bands=(band,), origin="default") for name, band in ASSUMED.items())
    caches = (accelerators.catalog, accelerators.sources, accelerators.observations)
    try:
        with (
            mock.patch.object(accelerators, "_table", lambda: table),
            mock.patch.object(assumptions, "_DEFAULTS", then),
        ):
            for cache in caches:
                cache.cache_clear()
            yield
    finally:
        for cache in caches:
            cache.cache_clear()


def run(arguments: Sequence[str]) -> tuple[int, str, str]:
    """Run `planner` as its entry point does; return the exit code, what it printed and what it said."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with (
        mock.patch.object(sys, "argv", ["planner", *arguments]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        pinned(),
        facts_of_then(),
    ):
        try:
            cli.main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
    return code, out.getvalue(), err.getvalue()


def unpacked(folder: Path) -> Path:
    """Unpack the recorded store into a folder and return it."""
    with tarfile.open(STORE) as packed:
        packed.extractall(folder, filter="data")
    return folder


def ask(name: str, store: Path, folder: Path, rename: dict[str, str] | None = None) -> dict[str, Any]:
    """Return exit code and answer of a question, asked on a copy of `store` inside an empty `folder`.

    `rename` holds the names of today for options and for the words before a `=`.
    """
    places = {"store": folder / "store", "out": folder / "out", "data": DATA / "answers"}
    shutil.copytree(store, places["store"])
    places["out"].mkdir()
    plain = {place: str(path) for place, path in places.items()}
    code, out, err = run([renamed(word, rename or {}) for word in questions.words(name, plain)])
    written = questions.WRITES.get(name)
    if written and code == 0:
        lines = Path(questions.filled(written, plain)).read_text(encoding="utf-8").splitlines()
        answer: Any = [{key: number(value) for key, value in row.items()} for row in csv.DictReader(lines)]
    else:
        for place, path in plain.items():
            out = out.replace(path, place.upper())
        answer = json.loads(out) if out.strip() else None
    if code not in (0, 1) or (answer is None and code == 0):
        raise AssertionError(f"{name} ended with {code}: {err}")
    return {"code": code, "answer": answer}


def renamed(word: str, names: dict[str, str]) -> str:
    """Return a word of the command line as it is called today."""
    head, equals, rest = word.partition("=")
    return names.get(word, names.get(head, head) + equals + rest)


def number(value: str) -> float | str:
    """Return a cell of a CSV file as a number, where it is one."""
    try:
        return float(value)
    except ValueError:
        return value
