"""Identifying fields of a law (id, source, domain, family, metric), and what its provenance says."""

import re
from typing import NamedTuple

from laws.catalog.published import PublishedLaw, companion
from laws.types import FORECAST, Law, LawRow, Source
from planner.lawmodel.selector import SINGLE_FORM, LawSelector
from planner.metrics import MetricScale

# Stored in the provenance of laws under "flops": a part of old and new stores, so its words do not change.
WHOLE_TRAININGS = "of whole trainings"
COMPANIONS = ("params", "samples")  # metrics of laws that complete an answer and never answer themselves
SETTINGS = ("learning-rate", "batch", "vocabulary-params")  # of a training, which published laws recommend


class LawInfo(NamedTuple):
    """Identifying fields of a stored or a published law."""

    id: str
    source: Source
    domain: str
    family: str
    form: str
    metric: str
    metric_unit: str
    metric_ceiling: float | None = None  # of a metric that rises

    @property
    def subject(self) -> str:
        """Return domain and family: `speech, ds2`."""
        return f"{self.domain}, {self.family}" if self.family else self.domain

    @property
    def scale(self) -> MetricScale:
        """Return the terms that the metric is written and read in."""
        return MetricScale(self.metric, self.metric_unit, self.metric_ceiling)

    def format_error(self, error: float, *, digits: int = 3) -> str:
        """Return an error as text, in the metric's own terms.

        Args:
            error: The error; of a metric that rises, its distance to the ceiling.
            digits: Significant digits.

        Returns:
            The value of the metric with its unit.
        """
        return self.scale.format_error(error, digits=digits)


def law_info(law: Law | LawRow | PublishedLaw) -> LawInfo:
    """Return the identifying fields of a law.

    Args:
        law: A stored law, its row in the index, or a published law.

    Returns:
        The fields; the metric of a published frontier is that of the loss on it.
    """
    source: Source
    metric = law.metric
    if isinstance(law, PublishedLaw):
        source, form, unit = "published", law.formula or "", law.unit
        if loss := companion(law, "loss"):
            metric, unit = loss.metric, loss.unit
    else:
        source, form, unit = law.source, law.form, law.metric_unit
    return LawInfo(
        id=law.id,
        source=source,
        domain=law.domain,
        family=law.family,
        form=form,
        metric=metric,
        metric_unit=unit,
        metric_ceiling=None if isinstance(law, PublishedLaw) else law.metric_ceiling,
    )


def same_metric(selected: str | None, metric: str) -> bool:
    """Return whether a metric is the selected one; None selects every metric.

    Case and the signs between words do not matter: `f1-score` selects `F1 score`.
    """
    return selected is None or selected == metric or _words(selected) == _words(metric)


def _words(metric: str) -> list[str]:
    return re.findall(r"[^\W_]+", metric.casefold())


def flops_of_whole_trainings(law: Law | None) -> bool:
    """Return whether the FLOP of a law's ladder are of whole trainings, with all their epochs.

    Args:
        law: A stored law with a ladder, or None.

    Returns:
        True where the FLOP were logged per training; False where they were counted per epoch.
    """
    return law is not None and law.provenance.get("flops") == WHOLE_TRAININGS


def matches(selector: LawSelector, law: LawRow | PublishedLaw) -> bool:
    """Return whether a law passes a selector.

    Args:
        selector: The filter; fields that are None let every law pass.
        law: A law of an error or of a loss; laws that only complete an answer never match.

    Returns:
        Whether metric, domain, family, form and source match.
    """
    info = law_info(law)
    single_form = selector.form == SINGLE_FORM and info.form != FORECAST
    return (
        law.metric not in COMPANIONS
        and (selector.form in (None, info.form) or single_form)
        and same_metric(selector.metric, law.metric)
        and selector.domain in (None, law.domain)
        and selector.family in (None, law.family)
        and selector.source in (None, info.source)
    )
