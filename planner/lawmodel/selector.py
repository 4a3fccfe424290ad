"""What is wanted of which law: plain values, which commands and plan files fill in."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from laws.errors import PlannerError

TARGETS = {"target_wer": "wer", "target_cer": "cer", "target_loss": "loss"}  # targets that name their metric
PLAIN = "plain"  # any one form: no forecast


@dataclass(frozen=True, kw_only=True)
class LawSelector:
    """What narrows the choice of the law; nothing given leaves every law of an error or a loss."""

    metric: str | None = None
    domain: str | None = None
    family: str | None = None
    form: str | None = None  # a form's name, or PLAIN
    source: str | None = None  # laws.types.Source
    law: str | None = None  # id of a law, or its first characters


def with_target(choice: LawSelector, given: Mapping[str, str | None]) -> tuple[LawSelector, str | None]:
    """Return the choice with the metric of the one target that is given, and its value; None where none is.

    `given` holds the keys of TARGETS and `target`, METRIC=VALUE or the value alone. Raises PlannerError for
    two targets and for two metrics.
    """
    found = {name: text for name, text in given.items() if text is not None}
    options = [f"--{name.replace('_', '-')}" for name in found]
    if len(found) > 1:
        raise PlannerError(f"wanted one target, given {' and '.join(options)}")
    if not found:
        return choice, None
    ((name, text),) = found.items()
    metric, value = TARGETS.get(name, ""), text
    if name == "target":
        metric, value = (piece.strip() for piece in text.rpartition("=")[::2])
    if metric and choice.metric not in (None, metric):
        raise PlannerError(
            f"{options[0]} {text} is of {metric}, and --metric says {choice.metric}: leave one out"
        )
    return replace(choice, metric=metric or choice.metric), value
