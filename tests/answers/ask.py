"""Ask the program in this process and read its answer as data."""

import contextlib
import csv
import io
import json
import os
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

from planner import cli

DATA = Path(__file__).resolve().parents[1] / "data"
STORE = DATA / "store-47a8d94.tar.xz"
RECORDED = DATA / "answers" / "recorded.json.gz"


def unpacked(folder: Path) -> Path:
    """Return a fresh copy of the recorded store."""
    store = folder / "store"
    with tarfile.open(STORE) as archive:
        archive.extractall(store, filter="data")
    return store


def ask(words: Sequence[str], store: Path) -> dict[str, Any]:
    """Return exit code, parsed output and message of one command.

    Args:
        words: What is typed after `planner`; `{out}` is a file to write, returned in place of the output.
        store: Folder of the store.

    Returns:
        `code`, `answer` (parsed JSON, or the rows of CSV) and `error` (the message, one line).
    """
    written = store.parent / "out.csv"
    typed = [word.replace("{out}", str(written)) for word in words]
    out, err = io.StringIO(), io.StringIO()
    code = 0
    before = Path.cwd()
    with (
        mock.patch.object(sys, "argv", ["planner", *typed]),
        mock.patch.dict(os.environ, {"PLANNER_STORE": str(store), "COLUMNS": "100"}),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        os.chdir(DATA / "answers")
        try:
            cli.main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(end.code is not None)
        finally:
            os.chdir(before)
    text = written.read_text() if "{out}" in words else out.getvalue()
    return {"code": code, "answer": _parsed(text), "error": err.getvalue().strip() if code else ""}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return list(csv.DictReader(io.StringIO(text)))
