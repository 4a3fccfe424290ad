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
    near = closest(name, known)
    return f": did you mean {near!r}?" if near else f": wanted one of {', '.join(known)}"


def closest(name: str, known: Collection[str]) -> str | None:
    """Return the known name that an unknown one was probably meant to be, if any is near."""
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, known, n=1)), None)
