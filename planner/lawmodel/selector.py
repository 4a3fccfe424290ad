"""Which law is to answer: plain values, which commands and plan files fill in."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from laws.errors import ConflictingInput, drop

TARGETS = {"target_wer": "wer", "target_cer": "cer", "target_loss": "loss"}  # targets that name their metric
SINGLE_FORM = "plain"  # any single parametric form, no forecast


@dataclass(frozen=True, kw_only=True)
class LawSelector:
    """A filter that selects the law; without fields every law of an error or of a loss can answer."""

    metric: str | None = None
    domain: str | None = None
    family: str | None = None
    form: str | None = None  # a form's name, or SINGLE_FORM
    source: str | None = None  # laws.types.Source
    law: str | None = None  # id of a law, or its first characters


def with_target(selector: LawSelector, targets: Mapping[str, str | None]) -> tuple[LawSelector, str | None]:
    """Return the selector with the metric of the target that is given, and the target's value.

    Args:
        selector: The filter so far.
        targets: The keys of `TARGETS` and "target" (METRIC=VALUE, or the value only) -> text, None where not
            given.

    Returns:
        The selector with the target's metric, and the text of its value; None without a target.

    Raises:
        ConflictingInput: Two targets are given, or the target is of another metric than the selector.
    """
    given = {name: text for name, text in targets.items() if text is not None}
    if len(given) > 1:
        raise ConflictingInput(
            f"{len(given)} targets: expected one",
            code="several-targets",
            value=tuple(given),
            hint=drop(*list(given)[1:]),
        )
    if not given:
        return selector, None
    ((name, text),) = given.items()
    metric, value = TARGETS.get(name, ""), text
    if name == "target":
        metric, value = (piece.strip() for piece in text.rpartition("=")[::2])
    if metric and selector.metric and selector.metric.casefold() != metric.casefold():
        raise ConflictingInput(
            f"target {text} is of {metric}: expected one of {selector.metric}, the metric that is given",
            code="target-of-other-metric",
            value=text,
            hint=drop(name, "metric"),
        )
    return replace(selector, metric=metric or selector.metric), value
