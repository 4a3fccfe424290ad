"""Make text from elsewhere safe where it is shown: in CSV, JSON and Markdown.

Names of domains, curves and files come from other people. A spreadsheet runs a cell that begins with `=`, a
terminal obeys control characters, and a Markdown page shows raw HTML.
"""

import re

from laws.errors import harmless

# not compiled here: most answers need none of them
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_ONE_NUMBER = r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?%?|inf|nan)"
_NUMBERS = rf"{_ONE_NUMBER}(?:; {_ONE_NUMBER})*|-+"
_HTML = r"<(?=[A-Za-z/!?])"


def csv_cell(value: object) -> object:
    """Return a value as a CSV cell that no spreadsheet runs as a formula.

    Args:
        value: A number, None or text.

    Returns:
        Text with control characters escaped, and with an apostrophe in front where it would be a formula; any
        other value unchanged.
    """
    if not isinstance(value, str):
        return value
    text = harmless(value)
    if text.startswith(_FORMULA_STARTS) and not re.fullmatch(_NUMBERS, text):
        return f"'{text}"
    return text


def json_text(text: str) -> str:
    """Return JSON with every character that cannot be printed escaped; it means the same.

    Args:
        text: What `json.dumps` returned.

    Returns:
        The same JSON, safe on a screen.
    """
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)


def markdown_text(text: str) -> str:
    """Return text for a Markdown page, with control characters and HTML tags escaped.

    Args:
        text: A title, a cell or a note.

    Returns:
        The text, in which `<` never opens a tag.
    """
    return re.sub(_HTML, "&lt;", harmless(text))


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
