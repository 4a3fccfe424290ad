"""What a person can mend, said in one line."""

from collections.abc import Collection


class PlannerError(Exception):
    """Raised with one line for the user: the value, what was wanted, the next command.

    The command line prints the line and exits with 1; no traceback reaches a user. Anything that is not a
    PlannerError is a bug of ours.
    """


def harmless(text: str) -> str:
    """Return a text for the screen: control characters that a name from elsewhere holds are spelt out."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


def nearest(name: str, known: Collection[str]) -> str:
    """Return the end of a sentence that refuses an unknown name: the nearest known one, or all of them."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return f": did you mean {near[0]!r}?" if near else f": wanted one of {', '.join(known)}"
