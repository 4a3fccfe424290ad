"""Published laws that answer the same question next to each other, each with its 90 % interval."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from laws import paths
from laws.catalog.published import PublishedLaw
from laws.errors import LawNotFound, run, use
from planner import units
from planner.lawmodel.allocation import AllocationConstraints
from planner.lawmodel.info import same_metric
from planner.lawmodel.model import LawModel
from planner.lawmodel.published import answerable, data_unit, published_law_model
from planner.lawmodel.suggest import suggestion
from planner.plans.question import positive

MIN_LAWS = 2  # fewer cannot be compared
LEVELS = (0.05, 0.5, 0.95)

QuestionKey = tuple[str, str, str]  # metric, its unit, the unit of data


class ComparedLaw(NamedTuple):
    """What one law says at each amount of data."""

    law: PublishedLaw
    model: LawModel
    errors: tuple[tuple[float, float, float], ...]  # 5 % quantile, median and 95 % quantile per amount


class PublishedComparison(NamedTuple):
    """All published laws of one question."""

    domain: str
    question: QuestionKey
    scales: tuple[float, ...]  # of data
    laws: tuple[ComparedLaw, ...]  # the one that `planner estimate` takes first
    other_questions: Mapping[QuestionKey, int]  # of the domain -> how many laws they have

    def outside(self, other: ComparedLaw) -> list[str]:
        """Return the laws whose interval a law is outside of, at any amount of data.

        Args:
            other: One of the laws.

        Returns:
            Their ids.
        """
        return [
            one.law.id
            for one in self.laws
            if one is not other
            and any(
                not low <= middle <= high
                for (low, _, high), (_, middle, _) in zip(one.errors, other.errors, strict=True)
            )
        ]


def compare_published(
    domain: str, *, metric: str | None = None, at: Sequence[str] = ()
) -> PublishedComparison:
    """Compare the published laws of a domain that answer the same question.

    Args:
        domain: The domain.
        metric: The metric; by default the question with the most laws.
        at: Data sizes at which errors are compared; by default the largest that every law has measured, as
            far as it is known, and ten times that. A joint law has its best model size there.

    Returns:
        The laws, with what each says at each data size.

    Raises:
        LawNotFound: Fewer than two laws answer one question.
        InputError: A data size cannot be parsed.
    """
    everywhere = answerable(None, None)
    matching = [law for law in everywhere if law.domain == domain and same_metric(metric, law.metric)]
    questions: dict[QuestionKey, list[PublishedLaw]] = {}
    for law in matching:
        questions.setdefault((law.metric, law.unit, data_unit(law)), []).append(law)
    question = max(questions, key=lambda key: len(questions[key]), default=None)
    if question is None or len(questions[question]) < MIN_LAWS:
        raise _too_few(domain, metric, everywhere, matching)
    laws, unit = questions.pop(question), question[2]
    parsed = (positive(lambda written: units.parse_data(written, unit), text, "at") for text in at)
    scales = tuple(dict.fromkeys(scale for scale in parsed if scale is not None))
    if not scales:
        common = min((law.measured[1] for law in laws if law.measured[1] is not None), default=1e9)
        scales = (common, 10 * common)
    return PublishedComparison(
        domain=domain,
        question=question,
        scales=scales,
        laws=tuple(_compared(law, scales) for law in laws),
        other_questions={key: len(others) for key, others in questions.items()},
    )


def _compared(law: PublishedLaw, scales: Sequence[float]) -> ComparedLaw:
    model = published_law_model(law, AllocationConstraints())
    errors = []
    for scale in scales:
        draws = [scenario.error(scale) for scenario in model.scenarios]
        low, middle, high = (paths.quantile(draws, level) for level in LEVELS)
        errors.append((low, middle, high))
    return ComparedLaw(law, model, tuple(errors))


def _too_few(
    domain: str, metric: str | None, everywhere: Sequence[PublishedLaw], matching: Sequence[PublishedLaw]
) -> LawNotFound:
    """Return the error for a question that fewer than two published laws answer."""
    subject = f"{domain}, {metric}" if metric else domain
    here = [law for law in everywhere if law.domain == domain]
    near = "" if here else suggestion(domain, [law.domain for law in everywhere])
    got = ", ".join(f"{law.id} ({law.metric} by {data_unit(law)})" for law in matching)
    hints = [run("laws", "list", value="--source published")]
    if metric is not None and here and not matching:
        hints.insert(0, use("metric", value=here[0].metric))
    return LawNotFound(
        f"published laws of {subject}{near}: expected at least {MIN_LAWS} of one question, got "
        f"{got or 'none'}",
        code="too-few-published-laws",
        value=domain,
        hint=tuple(hints),
    )
