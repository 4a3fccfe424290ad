"""Which law answers a question: a calibrated one before a fitted one, a published one where there is neither.

Among laws of one kind the newest answers, and of one fit the forecast before the form that was fitted beside
it; what else could have answered is named in the answer. Laws that ship with the tool (`laws/catalog/bundled.py`) are
of its embedded corpora: they answer where they are asked for, by source or id, and never by themselves.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from laws.catalog.bundled import BundledLaws, bundled_laws, locate_law
from laws.catalog.published import PublishedLaw
from laws.codes import WarningCode
from laws.errors import PlannerError
from laws.storage.store import LawRow, Store
from laws.types import FORECAST, Law
from planner.lawmodel.info import COMPANIONS, WHOLE, LawInfo, fits, law_info
from planner.lawmodel.selector import PLAIN, LawSelector
from planner.lawmodel.suggest import hint, nothing

_RANK = {"calibrated": 0, "fitted": 1, "published": 2, "shipped": 3}


@dataclass(frozen=True, kw_only=True)
class SelectedLaw:
    """The law that answers, with the laws of model size and of passes that complete it."""

    law: Law | PublishedLaw
    size: Law | None = None
    samples: Law | None = None
    alternatives: tuple[LawInfo, ...] = ()
    warnings: tuple[str, ...] = ()  # codes of planner/warnings.py


def select_law(choice: LawSelector, folder: Path, *, sampled: bool = False) -> SelectedLaw:
    """Return the law that answers best: from the store in `folder`, else a published one.

    `sampled` asks for a law with draws, so for none of the literature, unless it is named by id or source.

    Raises:
        PlannerError: no law fits, several could be meant, or the one that is named cannot answer.
    """
    if choice.source not in (None, *_RANK):
        raise PlannerError(f"source {choice.source!r}: wanted one of {', '.join(_RANK)}")
    if choice.law is not None:
        return _by_id(choice, choice.law, Store(folder))
    store: Store | BundledLaws = bundled_laws() if choice.source == "shipped" else Store(folder)
    rows = store.laws()
    fitting = [row for row in rows if fits(choice, row)]
    fitting.sort(key=lambda row: row.form != FORECAST)
    fitting.sort(key=lambda row: (row.sequence, row.created), reverse=True)  # laws of one fit share both
    ranked = sorted(fitting, key=lambda row: _RANK[row.source])
    if choice.metric is None:
        ranked.sort(key=lambda row: (_RANK[row.source], _place_of_metric(row)))
    if not ranked and sampled and choice.source is None:
        raise nothing(choice, rows, [])
    if not ranked:
        return _from_literature(choice, rows)
    first: dict[tuple[str, ...], LawRow] = {}
    for row in ranked:
        first.setdefault(_of(row), row)
    answering, *others = first.values()
    if (
        answering.form != FORECAST and choice.form is None
    ):  # fitted later, by name: the forecast is still there
        older = (row for row in ranked if row.form == FORECAST and _of(row) == _of(answering))
        others = [*islice(older, 1), *others]
    warnings = []
    if choice.domain is None and any(row.domain != answering.domain for row in others):
        warnings.append(WarningCode.DOMAIN_CHOSEN)
    if choice.metric is None and any(row.metric != answering.metric for row in others):
        warnings.append(WarningCode.METRIC_CHOSEN)
    return _from_store(
        store, rows, answering, alternatives=tuple(map(law_info, others)), warnings=tuple(warnings)
    )


def _of(row: LawRow) -> tuple[str, ...]:
    """Return what a law is of: among laws of the same the newest answers."""
    return row.source, row.domain, row.family, row.metric, row.x


def _place_of_metric(row: LawRow) -> int:
    """Return where a metric stands in its domain, which names first what it is judged by."""
    from calibrate.domains import DOMAINS

    known = DOMAINS.get(row.domain)
    metrics = list(known.metrics) if known else []
    return metrics.index(row.metric) if row.metric in metrics else len(metrics)


def _from_store(
    store: Store | BundledLaws,
    rows: Sequence[LawRow],
    row: LawRow,
    *,
    alternatives: tuple[LawInfo, ...] = (),
    warnings: tuple[str, ...] = (),
) -> SelectedLaw:
    law = store.law(row.id)
    size, samples = (_companion(store, rows, law, metric) for metric in COMPANIONS)
    if size is not None and size.provenance.get("flops") == WHOLE:
        samples = None  # of other trainings: these FLOP have their passes in them
    return SelectedLaw(law=law, size=size, samples=samples, alternatives=alternatives, warnings=warnings)


def _from_literature(choice: LawSelector, rows: Sequence[LawRow]) -> SelectedLaw:
    """Choose the published law to ask first; refuse when several domains could be meant."""
    from planner.lawmodel.published import answerable

    found = [law for law in answerable(choice.domain, choice.metric) if fits(choice, law)]
    if not found:
        raise nothing(choice, rows, answerable(None, None))
    domains = list(dict.fromkeys(law.domain for law in found))
    if len(domains) > 1:
        asked = f"law of {choice.metric!r}" if choice.metric else "law"
        raise PlannerError(
            f"no {asked} is stored, and published ones are of several domains: "
            f"add --domain {' or '.join(domains)}"
        )
    law, *others = found
    several = choice.metric is None and any(a.metric != law.metric for a in others)
    return SelectedLaw(
        law=law,
        alternatives=tuple(map(law_info, others)),
        warnings=(WarningCode.METRIC_CHOSEN,) if several else (),
    )


def _by_id(choice: LawSelector, id: str, store: Store) -> SelectedLaw:
    """Choose the law that was named: a published one by its id, any other by the first characters of it."""
    from laws.catalog.published import all_laws
    from planner.lawmodel.published import answers

    place = bundled_laws() if choice.source == "shipped" else locate_law(store, id)
    rows = place.laws()
    stored = [row for row in rows if id and row.id.startswith(id)]
    published = [] if stored else [law for law in all_laws() if law.id == id]
    if len(stored) > 1 and id not in {row.id for row in stored}:
        raise PlannerError(
            f"{len(stored)} laws begin with {id!r}: give more of the id, such as {stored[0].id}"
        )
    if not stored and not published:
        near = hint(id, [row.id for row in rows] + [law.id for law in all_laws()], show=0)
        raise PlannerError(f"no law has the id {id!r}{near}: `planner laws list` shows them")
    law = (stored or published)[0]
    if choice.source not in (None, law_info(law).source):
        raise PlannerError(
            f"law {law.id} is {law_info(law).source}, not {choice.source}: leave out either --law or --source"
        )
    for name, asked, of in (("domain", choice.domain, law.domain), ("family", choice.family, law.family)):
        if asked not in (None, of):
            raise PlannerError(
                f"law {law.id} is of {name} {of!r}, not {asked!r}: leave out either --law or --{name}"
            )
    if choice.metric not in (None, law.metric):
        raise PlannerError(
            f"law {law.id} is of {law.metric}, not of {choice.metric}: ask with --law {law.id} --target VALUE"
        )
    if law.metric not in COMPANIONS and not fits(LawSelector(form=choice.form), law):
        form = "one form" if choice.form == PLAIN else choice.form
        raise PlannerError(
            f"law {law.id} is of form {law_info(law).form}, not of {form}: leave out either --law or the form"
        )
    if stored and law.metric not in COMPANIONS:
        return _from_store(place, rows, stored[0])
    if published and answers(published[0]):
        return SelectedLaw(law=published[0])
    raise PlannerError(
        f"law {law.id} (of {law.metric}) does not say how much data a target needs: `planner laws list` "
        "shows laws of an error or a loss"
    )


def _companion(store: Store | BundledLaws, rows: Iterable[LawRow], law: Law, metric: str) -> Law | None:
    """Return the newest law of `metric` measured on the same thing, the same kind of source first."""
    fitting = [
        row
        for row in rows
        if (row.metric, row.domain, row.family, row.x_unit) == (metric, law.domain, law.family, law.x_unit)
    ]
    fitting.sort(key=lambda row: row.source != law.source)
    return store.law(fitting[0].id) if fitting else None
