"""The formats of a result. They are needed at start-up, so this file imports nothing else."""

from enum import StrEnum


class Format(StrEnum):
    """The format of a result; all but the table are stable for scripts."""

    table = "table"
    json = "json"
    csv = "csv"
    markdown = "markdown"


RECORDS = (Format.json, Format.csv)  # formats for scripts
