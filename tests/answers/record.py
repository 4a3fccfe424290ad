"""Record the current answers with `python -m tests.answers.record`, only after an intended change."""

import gzip
import json
import tempfile
from pathlib import Path

from tests.answers.ask import RECORDED, ask, unpacked
from tests.answers.questions import QUESTIONS


def main() -> None:
    """Ask every question in a fresh copy of the store and write the answers."""
    answers = {}
    for name, words in QUESTIONS.items():
        with tempfile.TemporaryDirectory() as folder:
            answers[name] = ask(words, unpacked(Path(folder)))
    text = json.dumps(answers, indent=0, sort_keys=True)
    RECORDED.write_bytes(gzip.compress(text.encode(), mtime=0))
    for name, answer in answers.items():
        print(name, answer["code"], answer["error"][:80])  # noqa: T201 - a script


if __name__ == "__main__":
    main()
