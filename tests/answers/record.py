"""Record what this program answers, where answers change on purpose: `python -m tests.answers.record`."""

import gzip
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.answers.asking import ask, unpacked
from tests.answers.questions import QUESTIONS

FILE = Path(__file__).parent / "recorded.json.gz"


def recorded() -> dict[str, Any]:
    """Return the recorded answers by the names of their questions."""
    found: dict[str, Any] = json.loads(gzip.decompress(FILE.read_bytes()))
    return found


def main() -> None:
    """Ask all questions and write the recording, the same bytes for the same answers."""
    answers = {}
    with tempfile.TemporaryDirectory() as place:
        store = unpacked(Path(place) / "unpacked")
        for name in QUESTIONS:
            folder = Path(place) / name
            folder.mkdir()
            answers[name] = ask(name, store, folder)
            sys.stderr.write(f"{name}: {answers[name]['code']}\n")
    FILE.write_bytes(gzip.compress(json.dumps(answers, indent=0).encode(), mtime=0))


if __name__ == "__main__":
    main()
