"""What one published law answers by itself: a value, the input that gives a value, or a ratio."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from laws.catalog.between_studies import between_studies
from laws.catalog.published import PublishedLaw, published_laws
from laws.codes import WarningCode
from laws.errors import InputError, run
from planner import units, warnings
from planner.lawmodel.frontier_law import is_frontier
from planner.lawmodel.info import SETTINGS
from planner.lawmodel.published import answers, source_warnings, value_at_center
from planner.plans.estimate import EXTRAPOLATION_LIMIT
from planner.reports.report import Report

TRANSFER = "transfer"  # the formula of a law of what pre-training is worth to fine-tuning
VALUE = "value"  # names the result, where an input is asked for
_TYPICAL = {"loss": 2.0, "compute": 1000.0, "experts": 64.0, "granularity": 8.0, "batch": 128.0, "steps": 1e5}
_TYPICAL |= {"flops": 1e21, "active": 0.1, "unique": 1e9, "params": 1e9, "data": 1e9, "bytes": 1e13}
_FINE_TUNING = {"data": 1e7, "params": 1e9}  # little data for fine-tuning, as a law of transfer requires


def example(law: PublishedLaw) -> str:
    """Return a command that a law answers.

    Args:
        law: The law.

    Returns:
        The command: at its first check point, else at usual inputs; for transfer, with little data; for
        exponents only, ten times an input.
    """
    if law.formula is None:
        inputs = f"{next(iter(law.exponents))}=10x"
    else:
        point: Mapping[str, float] = law.checks[0].inputs if law.checks else _usual(law)
        if law.formula == TRANSFER:  # checked at its coefficient, with one character of data
            point = _FINE_TUNING
        inputs = " ".join(f"{i.name}={point[i.name]:g}" for i in law.inputs)
    return f"planner laws ask {law.id} {inputs}"


def plan_command(law: PublishedLaw) -> str | None:
    """Return a command that plans with a law.

    Args:
        law: The law.

    Returns:
        An estimate by the law, or one whose explanation has the setting that it recommends; None for laws
        that only answer by themselves.
    """
    if is_frontier(law):
        return f"planner estimate --law {law.id} --flops 1e22"
    if answers(law):
        return f"planner estimate --law {law.id} --data {_usual(law)['data']:g}"
    if law.metric in SETTINGS and law.formula is not None:
        return f"planner estimate --domain {law.domain} --flops 1e22 --explain"
    return None


def _usual(law: PublishedLaw) -> dict[str, float]:
    largest = {"data": law.measured[1], "params": law.sizes[1]}
    return {i.name: largest.get(i.name) or _TYPICAL[i.name] for i in law.inputs}


def value_record(law: PublishedLaw, given: Sequence[str]) -> dict[str, Any]:
    """Return what a law answers.

    Args:
        law: The law.
        given: `NAME=VALUE` for each input, in base units; `NAME=10x` for ten times as much; `value=VALUE` to
            solve for the input that is not given.

    Returns:
        Quantity, value, unit, the 90 % interval of another study, and what other laws say; `ratio` instead of
        a value where only ratios are asked.

    Raises:
        InputError: A pair cannot be parsed, or the inputs are not those of the law.
        LawError: Only exponents are published, or the law is no power law of the input.
    """
    pairs = dict(_pair(law, text) for text in given)
    ratios = {name: text[:-1] for name, text in pairs.items() if text[-1:] in "xX×" and text[:-1]}
    record: dict[str, Any] = {"law": law.id, "domain": law.domain, "quantity": law.metric, "unit": law.unit}
    record |= {"given": pairs, "value": None, "ratio": None, "q05": None, "q95": None, "others": []}
    inputs: dict[str, float] = {}
    spread = between_studies(law.domain, law.metric)
    if pairs and ratios.keys() == pairs.keys():
        changes = [law.change(_number(text), name) for name, text in ratios.items()]
        record["ratio"] = math.prod(changes)
        if spread is not None:
            record["q05"], record["q95"] = spread.ratio_interval(record["ratio"])
    elif VALUE in pairs and law.metric != VALUE:
        inputs = {name: _number(text) for name, text in pairs.items() if name != VALUE}
        record["value"] = law.invert(_number(pairs[VALUE]), **inputs)
        missing = next(i for i in law.inputs if i.name not in inputs)
        record |= {"quantity": missing.name, "unit": missing.unit}
    else:
        inputs = {name: _number(text) for name, text in pairs.items()}
        record["value"] = law.evaluate(**inputs)
        if spread is not None:
            record["q05"], record["q95"] = spread.interval(record["value"], value_at_center(law))
        record["others"] = _others(law, inputs)
        if law.formula == TRANSFER:
            record["effective_data"] = inputs["data"] + record["value"]
    low, high = record["q05"], record["q95"]
    codes = [*source_warnings(law), WarningCode.NO_INTERVAL if low is None else WarningCode.BETWEEN_STUDIES]
    if low is not None and any(not low <= other["value"] <= high for other in record["others"]):
        codes.append(WarningCode.STUDIES_DISAGREE)
    if record["ratio"] is None and _is_far(law, inputs | {record["quantity"]: record["value"]}):
        codes.insert(0, WarningCode.EXTRAPOLATED_FAR)
    codes.append(WarningCode.OTHER_CORPUS)
    return record | {"range": law.range, "warnings": warnings.records(codes)}


def _is_far(law: PublishedLaw, amounts: Mapping[str, float]) -> bool:
    """Return whether data or a model size is more than ten times the largest that the law measured."""
    largest = {"data": law.measured[1], "params": law.sizes[1]}
    return any(
        end is not None and amounts.get(name, 0.0) > EXTRAPOLATION_LIMIT * end
        for name, end in largest.items()
        if name in {i.name for i in law.inputs}
    )


def _others(law: PublishedLaw, inputs: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return what the other laws of the same quantity, unit and inputs say."""
    question = (law.domain, law.metric, law.unit, law.inputs)
    return [
        {"law": other.id, "value": other.evaluate(**inputs)}
        for other in published_laws(law.domain, law.metric, law.unit)
        if other.id != law.id
        and other.formula is not None
        and (other.domain, other.metric, other.unit, other.inputs) == question
    ]


def value_report(law: PublishedLaw, record: Mapping[str, Any]) -> Report:
    """Return the answer for people.

    Args:
        law: The law.
        record: The record of `value_record`.

    Returns:
        One row, what was given, the measured range and the warnings.
    """
    between = [end for end in (record["q05"], record["q95"]) if end is not None]
    if record["ratio"] is not None:
        # a floor does not change with the input, so a ratio is of the part above it
        answer, ends = f"x {record['ratio']:.3g}", [f"x {end:.3g}" for end in between]
        note = "The ratio of new to old, of the part above any floor."
    else:
        answer = f"{units.format_number(record['value'])} {record['unit']}".strip()
        ends = [units.format_number(end) for end in between]
        note = f"Formula: {law.equation}."
    given = ", ".join(f"{name} {text}" for name, text in record["given"].items())
    source = f"{law.citation}, {law.locator}; confidence {law.confidence}"
    return Report(
        title=f"{law.domain}: {record['quantity']} by law {law.id}",
        columns=("given", record["quantity"], *(("90% interval",) if ends else ())),
        rows=((given, answer, *((" to ".join(ends),) if ends else ())),),
        notes=(
            note,
            *measured_off_law(law),
            *_fine_tuning(record),
            *_other_notes(record),
            f"Measured: {law.range}.",
            f"Source: {source}.",
        ),
        sections={"Warnings": warnings.with_codes(warning["code"] for warning in record["warnings"])},
        words=frozenset({0}),
    )


def measured_off_law(law: PublishedLaw) -> list[str]:
    """Return by how much the largest measurement of a law's source is off the law.

    Args:
        law: A published law.

    Returns:
        One sentence; none where the measurements follow the law.
    """
    if law.measured_at_end is None or law.excess_at_end is None:
        return []
    x, value = law.measured_at_end
    at = units.format_data(x, law.inputs[0].unit)
    excess = f"{law.excess_at_end:.0%} more than the law says"
    return [f"At {at} the source itself measured {law.metric} {value:.3g}, {excess}."]


def _fine_tuning(record: Mapping[str, Any]) -> list[str]:
    """Return what fine-tuning reaches with the data that is given, for a law of transfer."""
    if "effective_data" not in record:
        return []
    total, unit = record["effective_data"], record["unit"]
    times = units.format_number(total / (total - record["value"]))
    return [
        f"A fine-tuned model is as good as one trained from scratch on {units.format_number(total)} {unit}: "
        f"{times} times your data."
    ]


def _other_notes(record: Mapping[str, Any]) -> list[str]:
    """Return the values of other laws, those outside the interval first."""
    low, high = record["q05"], record["q95"]
    outside = [o for o in record["others"] if low is not None and not low <= o["value"] <= high]
    inside = [other for other in record["others"] if other not in outside]
    notes = []
    for name, laws in (("outside this interval", outside), ("of the same question", inside)):
        values = [f"{units.format_number(other['value'])} ({other['law']})" for other in laws]
        notes += [f"Other laws {name}: {', '.join(values)}."] if values else []
    return notes


def _pair(law: PublishedLaw, text: str) -> tuple[str, str]:
    name, equals, value = (piece.strip() for piece in text.partition("="))
    if not equals or not value or name not in {VALUE, *(i.name for i in law.inputs)}:
        inputs = ", ".join(f"{i.name}=VALUE in {i.unit}" for i in law.inputs)
        raise InputError(
            f"{text} for law {law.id}: expected {inputs}, or {VALUE}=VALUE to solve for an input",
            code="wrong-inputs",
            value=text,
            expected=inputs,
            hint=run("laws", "ask", value=example(law).removeprefix("planner laws ask ")),
        )
    return name, value


def _number(text: str) -> float:
    number = units.parse_number(text, expected="a number such as 1e9, 300M or 10x")
    if number <= 0:
        raise InputError(f"{text}: expected more than 0", code="not-positive", value=text)
    return number
