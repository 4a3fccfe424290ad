"""English sentences on every machine with Python: the documentation inside its standard library."""

import re
from collections.abc import Iterator

from calibrate.data.library import sources
from laws.errors import MissingInput, use

_QUOTED = re.compile(r'"""(.*?)"""', re.DOTALL)
_COMMENTS = re.compile(r"(?:^[ \t]*#[^\n]*\n)+", re.MULTILINE)
_CLAUSE_END = re.compile(r"[.!?:;,()](?:\s+|$)|\s\(|\s--?\s")
_PROSE = re.compile(r"[A-Za-z][a-z']*(?: [a-z][a-z']*)*")
_WORDS = range(4, 15)
_MAX_LETTERS = 14  # of a word
_MIN_SENTENCES = 1000


def sentences() -> tuple[str, ...]:
    """Return the clauses of plain prose in the standard library's documentation, lower-case, sorted.

    A clause has 4 to 14 words of the letters a to z and the apostrophe, so code, tables and abbreviations
    drop out. The same version of Python gives the same clauses on every machine.

    Returns:
        At least a thousand clauses.

    Raises:
        MissingInput: The library's source files are not installed (code "library-without-sources").
    """
    clauses = {clause for text in documentation() for clause in _clauses(text)}
    if len(clauses) < _MIN_SENTENCES:
        raise MissingInput(
            f"the standard library of this Python has {len(clauses)} usable sentences, expected "
            f"{_MIN_SENTENCES}: install Python with its source files",
            code="library-without-sources",
            hint=use("data", value="FOLDER", purpose="to give a corpus of your own"),
        )
    return tuple(sorted(clauses))


def documentation(*, everything: bool = False) -> Iterator[str]:
    """Read what the standard library says about itself.

    Args:
        everything: As in `library.sources`.

    Yields:
        Docstrings, blocks of comments and help topics.
    """
    for path in sources(everything=everything):
        source = path.read_text(encoding="utf-8", errors="replace")
        yield from _QUOTED.findall(source)
        for block in _COMMENTS.findall(source):
            yield re.sub(r"(?m)^[ \t]*#+", "", block)
    try:
        from pydoc_data.topics import topics
    except ImportError:
        return
    yield from topics.values()


def _clauses(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text):
        for clause in _CLAUSE_END.split(" ".join(paragraph.split())):
            if _PROSE.fullmatch(clause):
                words = clause.lower().split()
                if len(words) in _WORDS and max(map(len, words)) <= _MAX_LETTERS:
                    yield " ".join(words)
