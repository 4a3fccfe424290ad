"""Which law answers, and what it is of: what every answer, and every other law that could, is named by."""

from dataclasses import dataclass

from laws.catalog.published import PublishedLaw
from laws.types import FORECAST, Law, LawRow, Source
from planner import units
from planner.lawmodel.selector import PLAIN, LawSelector

# in the provenance of a law, under "flops": its ladder is of whole trainings, however often they saw the data
WHOLE = "of whole trainings"
COMPANIONS = ("params", "samples")  # metrics of laws that complete an answer and are never asked themselves
# what a source is called where its name alone would mislead
ORIGINS = {"shipped": "calibrated by the authors on the embedded corpus, no law of other data"}


@dataclass(frozen=True, kw_only=True)
class LawInfo:
    """The names of a law, a stored one's or a published one's."""

    id: str
    source: Source
    domain: str
    family: str
    form: str
    metric: str
    metric_unit: str

    @property
    def subject(self) -> str:
        """Return domain and family in words: `speech, ds2`."""
        return f"{self.domain}, {self.family}" if self.family else self.domain

    def shown(self, value: float, *, digits: int = 3) -> str:
        """Print a value of the metric with its unit."""
        return units.format_metric(value, self.metric_unit, digits=digits)


def law_info(law: Law | LawRow | PublishedLaw) -> LawInfo:
    """Return what a law is named by."""
    source: Source
    if isinstance(law, PublishedLaw):
        source, form, unit = "published", law.formula or "", law.unit
    else:
        source, form, unit = law.source, law.form, law.metric_unit
    return LawInfo(
        id=law.id,
        source=source,
        domain=law.domain,
        family=law.family,
        form=form,
        metric=law.metric,
        metric_unit=unit,
    )


def fits(choice: LawSelector, law: LawRow | PublishedLaw) -> bool:
    """Return whether a law is of the metric, domain, family, form and source where they are given."""
    named = law_info(law)
    plain = choice.form == PLAIN and named.form != FORECAST
    return (
        law.metric not in COMPANIONS
        and (choice.form in (None, named.form) or plain)
        and choice.metric in (None, law.metric)
        and choice.domain in (None, law.domain)
        and choice.family in (None, law.family)
        and choice.source in (None, named.source)
    )
