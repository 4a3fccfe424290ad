"""What narrows the choice of the law: plain values, which commands and plan files fill in."""

from dataclasses import dataclass

PLAIN = "plain"  # any one form: no forecast


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What narrows the choice of the law; nothing given leaves every law of an error or a loss."""

    metric: str | None = None
    domain: str | None = None
    family: str | None = None
    form: str | None = None  # a form's name, or PLAIN
    source: str | None = None  # laws.types.Source
    law: str | None = None  # id of a law, or its first characters
