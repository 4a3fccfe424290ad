"""The report of `planner compare --source published`: laws of one question next to each other."""

from typing import Any

from laws.codes import WarningCode
from planner import units, warnings
from planner.lawmodel.info import law_info
from planner.plans.compare_published import ComparedLaw, PublishedComparison
from planner.reports.report import Report


def record(comparison: PublishedComparison) -> dict[str, Any]:
    """Return what JSON carries.

    Args:
        comparison: Published laws of one question.

    Returns:
        Plain values; `laws` are the rows of CSV, `at` has their errors by data size.
    """
    metric, metric_unit, unit = comparison.question
    return {
        "domain": comparison.domain,
        "metric": metric,
        "metric_unit": metric_unit,
        "unit": unit,
        "laws": [
            {
                "id": one.law.id,
                "citation": one.law.citation,
                "year": one.law.year,
                "confidence": one.law.confidence,
                "range": one.law.range,
                "uncertainty": _uncertainty(one).value,
                "at": {
                    f"{data:g}": dict(zip(("q05", "median", "q95"), errors, strict=True))
                    for data, errors in zip(comparison.scales, one.errors, strict=True)
                },
                "outside": comparison.outside(one),
            }
            for one in comparison.laws
        ],
        "other_questions": [
            {"metric": key[0], "metric_unit": key[1], "unit": key[2], "laws": count}
            for key, count in comparison.other_questions.items()
        ],
        "warnings": warnings.records(_codes(comparison)),
    }


def report(comparison: PublishedComparison) -> Report:
    """Return the table for people.

    Args:
        comparison: Published laws of one question.

    Returns:
        One row per law, which are outside the interval of the first one, and the other questions.
    """
    metric, metric_unit, unit = comparison.question
    scales = [units.format_number(scale) for scale in comparison.scales]
    intervals = {_uncertainty(one) for one in comparison.laws}
    sources = {
        WarningCode.BETWEEN_STUDIES: "how far published studies differ",
        WarningCode.STANDARD_ERRORS: "the standard errors of the source",
    }
    marked = [one.law.id for one in comparison.laws if _uncertainty(one) is WarningCode.STANDARD_ERRORS]
    of = f" ({metric_unit})" if metric_unit and metric_unit != "fraction" else ""
    note = f"Median, and the 90% interval in brackets: {sources[WarningCode.BETWEEN_STUDIES]}"
    if WarningCode.STANDARD_ERRORS in intervals:
        note += f"; of {', '.join(marked)}: {sources[WarningCode.STANDARD_ERRORS]}"
    return Report(
        title=f"Published laws of {comparison.domain}: {metric}{of} against {unit}",
        columns=("Law", *(f"at {scale}" for scale in scales)),
        rows=tuple(_row(one) for one in comparison.laws),
        whole=frozenset({0}),
        notes=(
            f"{note}.",
            *_disagreements(comparison),
            *_models(comparison),
            *_other_questions(comparison),
        ),
    )


def _row(one: ComparedLaw) -> tuple[str, ...]:
    scale, digits = law_info(one.law).scale.without_unit, 2 if one.law.unit == "fraction" else 3
    texts = (tuple(scale.format(error, digits=digits) for error in errors) for errors in one.errors)
    return (one.law.id, *(f"{middle} ({low} to {high})" for low, middle, high in texts))


def _uncertainty(one: ComparedLaw) -> WarningCode:
    """Return what the interval of a law is."""
    codes = (WarningCode.STANDARD_ERRORS, WarningCode.BETWEEN_STUDIES)
    return next(code for code in codes if code in one.model.warnings)


def _codes(comparison: PublishedComparison) -> list[WarningCode]:
    codes = list(dict.fromkeys(_uncertainty(one) for one in comparison.laws))
    if any(comparison.outside(one) for one in comparison.laws):
        codes.append(WarningCode.STUDIES_DISAGREE)
    return codes


def _disagreements(comparison: PublishedComparison) -> list[str]:
    """Return which laws are outside the interval of the one that answers first; JSON has every pair."""
    first = comparison.laws[0].law.id
    outside = [one.law.id for one in comparison.laws if first in comparison.outside(one)]
    if not outside:
        return []
    which = ", ".join(outside) if len(outside) < len(comparison.laws) - 1 else "all others"
    return [f"Outside the interval of {first}, which `planner estimate` takes first: {which}."]


def _models(comparison: PublishedComparison) -> list[str]:
    """Return which models the laws are of."""
    joint = [one.law.id for one in comparison.laws if one.model.is_joint]
    if not joint:
        return []
    curves = [one.law.id for one in comparison.laws if not one.model.is_joint]
    rest = f"; of {', '.join(curves)}, that of its authors" if curves else ""
    return [f"The model has the best size for the data{rest}."]


def _other_questions(comparison: PublishedComparison) -> list[str]:
    """Return the other questions of the domain, which laws of this one do not answer."""
    parts = [
        f"{metric}{'' if of in ('', 'fraction') else f' in {of}'} against {unit} ({count})"
        for (metric, of, unit), count in comparison.other_questions.items()
    ]
    return [f"Other questions of the domain, with their number of laws: {', '.join(parts)}."] if parts else []
