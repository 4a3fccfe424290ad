"""Column options as small expressions: `1 - "mAP50(B)"`, `steps*batch`, `params.hours,tags.hours`.

An expression has numbers, names of columns, + - * / and parentheses. It is parsed here and never run as code.
A name with spaces or signs goes in double quotes, or stands as it is where the file has a column of that
name. Commas separate alternatives: the first that has a value counts.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from laws.errors import InputError, PlannerError
from planner import units
from planner.sources.cells import is_missing

MAX_LENGTH = 500  # characters
MAX_DEPTH = 20  # of parentheses
_NUMBER = re.compile(r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_.])")
_NAME = re.compile(r"[^\W\d][\w.@%#:$]*")
_QUOTED = re.compile(r'"((?:[^"]|"")+)"')

Node = float | str | tuple[Any, ...]  # a number, a column, or an operator with its operands


@dataclass(frozen=True)
class Expression:
    """What a column option means.

    Attributes:
        text: As it was typed.
        alternatives: The trees, the first that has a value counts.
    """

    text: str
    alternatives: tuple[Node, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the columns that it uses, in order."""
        return tuple(dict.fromkeys(name for node in self.alternatives for name in _names(node)))

    @property
    def is_computed(self) -> bool:
        """Return whether its value is a number that is computed, and not the content of one cell."""
        return any(not isinstance(node, str) for node in self.alternatives)

    def resolved(self, resolve: Callable[[str], str]) -> "Expression":
        """Return the expression with every name replaced.

        Args:
            resolve: Returns the full name of a column, or refuses it.

        Returns:
            The expression.
        """
        return Expression(self.text, tuple(_renamed(node, resolve) for node in self.alternatives))

    def content(self, cells: Mapping[str, Any]) -> Any:
        """Return the value for one row.

        Args:
            cells: Column -> cell.

        Returns:
            The cell of a plain name as it is, a computed number otherwise; None where every alternative lacks
            a cell or divides by zero.

        Raises:
            InputError: A cell of a computed number is not a number ("unreadable-quantity").
        """
        for node in self.alternatives:
            if isinstance(node, str):
                if not is_missing(content := cells.get(node)):
                    return content
            elif (value := _value(node, cells)) is not None:
                return value
        return None


def parse_expression(text: str, columns: Sequence[str] = ()) -> Expression:
    """Parse a column option.

    Args:
        text: The name of a column, an expression, or several of them with commas between.
        columns: The columns there are: their names may hold spaces and signs without quotes.

    Returns:
        The expression.

    Raises:
        InputError: The text is not an expression ("invalid-expression").
    """
    if text in columns:
        return Expression(text, (text,))
    if len(text) > MAX_LENGTH:
        raise _invalid(text[:40] + "...", f"at most {MAX_LENGTH} characters")
    parser = _Parser(text, sorted(filter(None, columns), key=len, reverse=True))
    alternatives = [parser.sum()]
    while parser.take(","):
        alternatives.append(parser.sum())
    if parser.rest():
        raise _invalid(text, f"+, -, *, / or a comma at {parser.rest()[:20]!r}")
    return Expression(text, tuple(alternatives))


class _Parser:
    """A recursive descent through the text."""

    def __init__(self, text: str, columns: Sequence[str]) -> None:
        self._text, self._columns, self._at, self._depth = text, columns, 0, 0

    def rest(self) -> str:
        """Return what is not yet parsed."""
        return self._text[self._at :].strip()

    def take(self, signs: str) -> str:
        """Take one of these signs, if it is next."""
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        if self._at < len(self._text) and self._text[self._at] in signs:
            self._at += 1
            return self._text[self._at - 1]
        return ""

    def sum(self) -> Node:
        """Parse terms with + and - between."""
        node = self._product()
        while sign := self.take("+-"):
            node = (sign, node, self._product())
        return node

    def _product(self) -> Node:
        node = self._factor()
        while sign := self.take("*/"):
            node = (sign, node, self._factor())
        return node

    def _factor(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _invalid(self._text, f"at most {MAX_DEPTH} parentheses and signs within each other")
        try:
            return self._atom()
        finally:
            self._depth -= 1

    def _atom(self) -> Node:
        self.take("")
        for column in self._columns:
            end = self._at + len(column)
            if self._text.startswith(column, self._at) and self._ends(end):
                self._at = end
                return column
        if self.take("-"):
            return ("-", 0.0, self._factor())
        if self.take("("):
            node = self.sum()
            if not self.take(")"):
                raise _invalid(self._text, "a closing parenthesis")
            return node
        for pattern in (_QUOTED, _NUMBER, _NAME):
            if match := pattern.match(self._text, self._at):
                self._at = match.end()
                if pattern is _QUOTED:
                    return match[1].replace('""', '"')
                return float(match[0]) if pattern is _NUMBER else match[0]
        what = repr(self.rest()[:20]) if self.rest() else "nothing"
        raise _invalid(self._text, f"a column or a number, got {what}")

    def _ends(self, end: int) -> bool:
        """Return whether a column's name ends here, and not within a longer one."""
        rest = self._text[end : end + 1]
        return not (rest.isalnum() or rest in ("_", ".")) or not self._text[end - 1].isalnum()


def _invalid(text: str, expected: str) -> InputError:
    return InputError(
        f"column {text!r}: expected a name or an expression such as '1 - accuracy', with {expected}",
        code="invalid-expression",
        value=text,
    )


def _names(node: Node) -> tuple[str, ...]:
    if isinstance(node, tuple):
        return _names(node[1]) + _names(node[2])
    return (node,) if isinstance(node, str) else ()


def _renamed(node: Node, resolve: Callable[[str], str]) -> Node:
    if isinstance(node, tuple):
        return (node[0], _renamed(node[1], resolve), _renamed(node[2], resolve))
    return resolve(node) if isinstance(node, str) else node


def _value(node: Node, cells: Mapping[str, Any]) -> float | None:
    """Return the number that a tree stands for; None where a cell is missing or a divisor is 0."""
    if isinstance(node, float):
        return node
    if isinstance(node, str):
        return _number(node, cells.get(node))
    left, right = _value(node[1], cells), _value(node[2], cells)
    if left is None or right is None or (node[0] == "/" and right == 0):
        return None
    if node[0] == "+":
        return left + right
    if node[0] == "-":
        return left - right
    return left * right if node[0] == "*" else left / right


def _number(column: str, content: Any) -> float | None:
    if is_missing(content):
        return None
    try:
        return units.parse_value(content) if isinstance(content, str) else float(content)
    except PlannerError as error:
        raise InputError(
            f"column {column!r}: {error.message}", code="unreadable-quantity", value=content
        ) from None
    except (TypeError, ValueError, OverflowError):
        raise InputError(
            f"column {column!r}: expected a number, got {str(content)[:40]!r}",
            code="unreadable-quantity",
            value=str(content)[:40],
        ) from None
