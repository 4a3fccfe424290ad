"""The sections of a report: code compares the members, people read their values as headings."""

from enum import StrEnum


class Section(StrEnum):
    """A section below a table, with its heading."""

    SENSITIVITY = "Largest sources of uncertainty"
    SOURCES = "Sources and assumptions"
    SETTINGS = "Training settings by published laws"
    HARDWARE = "On the hardware"
    HARDWARE_ASSUMPTIONS = "Hardware assumptions"
    WARNINGS = "Warnings"
    ALTERNATIVES = "Other laws you can use"
