"""Exceptions that a caller can act on, as a tree:

PlannerError                 base class; catch it to catch everything below
├── InputError               an argument, an option or a cell that cannot be used
│   ├── UnknownName          a name that is not one of the known ones
│   ├── MissingInput         something that is needed was not given
│   └── ConflictingInput     two things were given that exclude each other
├── FileError                a file that cannot be read or written
│   └── TableError           a table without the rows, columns or cells that are needed
├── StoreError               a store that is missing, locked or damaged
│   └── StoreBusyError       another process has the lock (laws/storage/files.py)
├── LawError                 a law that cannot be fitted, or cannot answer this question
│   └── LawNotFound          no law matches the selection
├── CorpusError              a corpus that cannot be read or does not suffice
└── EngineError              workers, GPUs or a cluster that cannot train

Each carries data: a `code`, the `value` that was given, what was `expected`, and `hints`, the next steps. A
hint names arguments and commands; the command line prints them as `--options`, `str(error)` as arguments.
Anything that is not a `PlannerError` is a bug of ours.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

MAX_NAME_LENGTH = 100  # characters of a name that a message shows, and that is compared with known ones
MAX_NAMES_LISTED = 20


@dataclass(frozen=True)
class Hint:
    """A next step, as data.

    Attributes:
        action: "set" or "unset" arguments, or "run" a command.
        names: Argument names (`data_column`), or the words of a command (`("laws", "list")`).
        value: An example of the value to set, or of the command's further words.
        purpose: What it is for, a phrase that starts with "to", such as "to name the column of the data
            size".
    """

    action: Literal["set", "unset", "run"]
    names: tuple[str, ...]
    value: str = ""
    purpose: str = ""

    def sentence(self) -> str:
        """Return the hint for someone who calls functions, such as "Set data_column to name the column."."""
        names = " or ".join(self.names) if self.action != "run" else f"planner {' '.join(self.names)}"
        if self.action == "run":
            step = f"See `{names}`"  # without its options, which have no place in a notebook
        elif self.action == "set":
            step = f"Set {names}{' = ' + self.value if self.value else ''}"
        else:
            step = f"Leave out {names}"
        return f"{step} {self.purpose}".rstrip() + "."


def use(*names: str, value: str = "", purpose: str = "") -> Hint:
    """Return the hint to set one of these arguments.

    Args:
        names: Argument names; several are alternatives.
        value: An example of the value.
        purpose: A phrase that starts with "to".

    Returns:
        The hint.
    """
    return Hint("set", names, value, purpose)


def drop(*names: str, purpose: str = "") -> Hint:
    """Return the hint to leave out one of these arguments.

    Args:
        names: Argument names; several are alternatives.
        purpose: A phrase that starts with "to".

    Returns:
        The hint.
    """
    return Hint("unset", names, "", purpose)


def run(*words: str, value: str = "", purpose: str = "") -> Hint:
    """Return the hint to run a command.

    Args:
        words: The words of the command after `planner`.
        value: Its further words, such as the id of a law.
        purpose: A phrase that starts with "to".

    Returns:
        The hint.
    """
    return Hint("run", words, value, purpose)


class PlannerError(Exception):
    """Base class of errors that a caller can act on.

    Args:
        message: What was given, what was expected and what was got, in one line, without a period.
        code: What went wrong, a name that does not change; docs/reference/errors.md lists them.
        value: What was given.
        expected: What was expected, in words.
        hint: The next step, one or several.
    """

    code = "error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        value: Any = None,
        expected: str = "",
        hint: Hint | tuple[Hint, ...] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.value = value
        self.expected = expected
        self.hints = hint if isinstance(hint, tuple) else (hint,)

    def __str__(self) -> str:
        """Return the message and the hints, in one line, for someone who calls functions."""
        if not self.hints:
            return self.message
        end = "" if self.message.endswith("?") else "."  # "did you mean ...?" ends by itself
        return " ".join([f"{self.message}{end}", *(hint.sentence() for hint in self.hints)])

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what pickles the error: it crosses processes."""
        return _restored, (type(self), self.message, self.__dict__)


class InputError(PlannerError):
    """Raised for an argument, an option or a cell that cannot be used."""

    code = "invalid-input"


class UnknownName(InputError):
    """Raised for a name that is not one of the known ones.

    Args:
        kind: What the name is of, such as "domain".
        name: The name that was given.
        valid_names: The names that would do.
        where: What the name is in, such as "[parts.h100] of fleet.toml".
        code: A narrower code than "unknown-name".
        hint: The next step.
    """

    code = "unknown-name"

    def __init__(
        self,
        kind: str,
        name: str,
        valid_names: Collection[str],
        *,
        where: str = "",
        code: str | None = None,
        hint: Hint | tuple[Hint, ...] = (),
    ) -> None:
        near = closest(name, valid_names)
        listed = ", ".join(list(valid_names)[:MAX_NAMES_LISTED]) + (
            ", ..." if len(valid_names) > MAX_NAMES_LISTED else ""
        )
        expected = f"one of {listed}" if valid_names else "none is known"
        shown = name if len(name) <= MAX_NAME_LENGTH else f"{name[:MAX_NAME_LENGTH]}..."
        tail = f"did you mean {near!r}?" if near else f"expected {expected}"
        super().__init__(
            f"unknown {kind} {shown!r}{f' in {where}' if where else ''}: {tail}",
            code=code,
            value=name,
            expected=expected,
            hint=hint,
        )
        self.kind = kind
        self.valid_names = tuple(valid_names)
        self.suggestion = near


class MissingInput(InputError):
    """Raised if something that is needed was not given."""

    code = "missing-input"


class ConflictingInput(InputError):
    """Raised if two things were given that exclude each other."""

    code = "conflicting-input"


class FileError(PlannerError):
    """Raised for a file that cannot be read or written."""

    code = "unusable-file"


class TableError(FileError):
    """Raised for a table without the rows, columns or cells that are needed."""

    code = "unusable-table"


class StoreError(PlannerError):
    """Raised for a store that is missing, locked or damaged."""

    code = "unusable-store"


class LawError(PlannerError):
    """Raised for a law that cannot be fitted, or cannot answer this question."""

    code = "law-cannot-answer"


class LawNotFound(LawError):
    """Raised if no law matches the selection."""

    code = "law-not-found"


class CorpusError(PlannerError):
    """Raised for a corpus that cannot be read or does not suffice."""

    code = "unusable-corpus"


class EngineError(PlannerError):
    """Raised for workers, GPUs or a cluster that cannot train."""

    code = "engine-failed"


def closest(name: str, valid_names: Collection[str]) -> str | None:
    """Return the known name that an unknown one probably stands for.

    Args:
        name: The unknown name.
        valid_names: The names that would do.

    Returns:
        The nearest name, or None if none is near.
    """
    if len(name) > MAX_NAME_LENGTH:  # matching takes minutes for a name of 40 kB
        return None
    from difflib import get_close_matches

    by_lower_case = {candidate.lower(): candidate for candidate in valid_names}
    near = get_close_matches(name, valid_names, n=1) or get_close_matches(name.lower(), by_lower_case, n=1)
    return by_lower_case.get(near[0].lower()) if near else None


def harmless(text: str) -> str:
    """Return a text that is safe on a screen: control characters are spelled out.

    Args:
        text: A text that may hold a name from elsewhere.

    Returns:
        The text with every character that cannot be printed as an escape; newlines stay.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


def _restored(kind: type[PlannerError], message: str, state: dict[str, Any]) -> PlannerError:
    error = kind.__new__(kind)
    Exception.__init__(error, message)
    error.__dict__.update(state)
    return error
