"""English sentences that are on every machine with Python: the documentation inside its standard library."""

import re
from collections.abc import Iterator

from calibrate.data.library import sources
from laws.errors import PlannerError

_QUOTED = re.compile(r'"""(.*?)"""', re.DOTALL)
_COMMENTS = re.compile(r"(?:^[ \t]*#[^\n]*\n)+", re.MULTILINE)
_CLAUSE_END = re.compile(r"[.!?:;,()](?:\s+|$)|\s\(|\s--?\s")
_PROSE = re.compile(r"[A-Za-z][a-z']*(?: [a-z][a-z']*)*")
_WORDS = range(4, 15)
_LONGEST_WORD = 14
_ENOUGH = 1000


def sentences() -> tuple[str, ...]:
    """Return the clauses of plain prose in the standard library's documentation, lower-case, sorted.

    A clause has 4 to 14 words of the letters a to z and the apostrophe, so code, tables and abbreviations
    drop out. The same version of Python gives the same clauses on every machine.
    """
    found = {clause for text in documentation() for clause in _clauses(text)}
    if len(found) < _ENOUGH:
        raise PlannerError(
            f"the standard library of this Python holds {len(found)} usable sentences, not {_ENOUGH}: "
            "install Python with its source files, or give a corpus of your own with --data DIR"
        )
    return tuple(sorted(found))


def documentation(*, everything: bool = False) -> Iterator[str]:
    """Yield the docstrings, the blocks of comments and the help topics of `library.sources`."""
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
                if len(words) in _WORDS and max(map(len, words)) <= _LONGEST_WORD:
                    yield " ".join(words)
