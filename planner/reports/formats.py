"""The ways a result is printed, by name: read at start-up, so nothing is imported here."""

from enum import StrEnum


class Format(StrEnum):
    """How a result is printed; everything but the table is stable for scripts."""

    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"
