"""Which law answers a question: a calibrated one before a fitted one, a published one where there is neither.

Among laws of one kind the newest answers, and of one fit the forecast before the single form that was fitted
with it; the other laws that could have answered are named in the answer. Several calibrated families answer
together, by the best of them in each posterior sample (`planner/plans/families.py`). Laws that ship with the
tool (`laws/catalog/bundled.py`) are of its embedded corpora: they answer only where they are selected by
source or id.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from laws.catalog.bundled import BundledLaws, bundled_laws, locate_law
from laws.catalog.published import PublishedLaw
from laws.codes import WarningCode
from laws.errors import (
    ConflictingInput,
    Hint,
    LawError,
    LawNotFound,
    MissingInput,
    UnknownName,
    drop,
    run,
    use,
)
from laws.storage.store import LawRow, Store
from laws.types import FORECAST, Law
from planner.lawmodel.info import (
    COMPANIONS,
    SETTINGS,
    LawInfo,
    flops_of_whole_trainings,
    law_info,
    matches,
    same_metric,
)
from planner.lawmodel.selector import SINGLE_FORM, LawSelector

_RANK = {"calibrated": 0, "fitted": 1, "published": 2, "shipped": 3}


class SelectedLaw(NamedTuple):
    """The law that answers, with the laws of model size and of data seen that complete it."""

    law: Law | PublishedLaw
    size: Law | None = None
    samples: Law | None = None
    alternatives: tuple[LawInfo, ...] = ()
    warnings: tuple[str, ...] = ()  # of laws.codes.WarningCode
    families: tuple["SelectedLaw", ...] = ()  # other calibrated families that may be better

    def of_family(self, family: str) -> "SelectedLaw":
        """Return the law of one of the families, which then answers alone.

        Args:
            family: The name of one of the families.

        Returns:
            The law with its companions, and the alternatives and warnings of the selection.
        """
        named = next((one for one in self.families if one.law.family == family), self)
        return named._replace(alternatives=self.alternatives, warnings=self.warnings, families=())


def select_law(selector: LawSelector, folder: Path, *, sampled: bool = False) -> SelectedLaw:
    """Return the law that answers best: from the store, else a published one.

    Args:
        selector: What the law has to match.
        folder: The store.
        sampled: Whether the law needs a posterior; a published one then answers only by id or source.

    Returns:
        The law with its companions, the alternatives and warnings of the selection.

    Raises:
        LawNotFound: No law matches.
        UnknownName: The source is unknown.
        MissingInput: Published laws of several domains match.
        ConflictingInput: The law that is named does not match the rest of the selector.
        LawError: The law that is named cannot answer.
    """
    if selector.source not in (None, *_RANK):
        raise UnknownName("source", str(selector.source), tuple(_RANK))
    if selector.law is not None:
        return _by_id(selector, selector.law, Store(folder))
    store: Store | BundledLaws = bundled_laws() if selector.source == "shipped" else Store(folder)
    rows = store.laws()
    ranked = _ranked(selector, rows)
    if not ranked and sampled and selector.source is None:
        from planner.lawmodel.suggest import not_found  # only a refusal needs it

        raise not_found(selector, rows, [])
    if not ranked:
        return _from_literature(selector, rows)
    newest: dict[tuple[str, ...], LawRow] = {}
    for row in ranked:
        newest.setdefault(_subject(row), row)
    answering, *others = newest.values()
    if answering.form != FORECAST and selector.form is None:
        # a single form that was fitted later, by name: the forecast is still there
        older = (row for row in ranked if row.form == FORECAST and _subject(row) == _subject(answering))
        others = [*islice(older, 1), *others]
    warnings = []
    if selector.domain is None and any(row.domain != answering.domain for row in others):
        warnings.append(WarningCode.DOMAIN_CHOSEN)
    if selector.metric is None and any(row.metric != answering.metric for row in others):
        warnings.append(WarningCode.METRIC_CHOSEN)
    selected = _from_store(
        store, rows, answering, alternatives=tuple(map(law_info, others)), warnings=tuple(warnings)
    )
    return selected._replace(families=_other_families(store, rows, selected, others))


def check_metric(selected: SelectedLaw, selector: LawSelector, target: str) -> None:
    """Check that a target can be of one metric only, where it does not name its metric.

    Args:
        selected: The law that answers, and the alternatives to it.
        selector: What the law had to match.
        target: The target as written.

    Raises:
        MissingInput: Laws of several metrics match ("target-without-metric").
    """
    if selector.metric is not None or selector.law is not None:
        return
    metrics = dict.fromkeys(law.metric for law in (selected.law, *selected.alternatives))
    if len(metrics) > 1:
        raise MissingInput(
            f"target {target}: expected its metric too, one of {', '.join(metrics)}",
            code="target-without-metric",
            value=target,
            expected=", ".join(metrics),
            hint=use("target", value=f"{selected.law.metric}={target.strip()}"),
        )


def _other_families(
    store: Store | BundledLaws, rows: Sequence[LawRow], selected: SelectedLaw, others: Sequence[LawRow]
) -> tuple[SelectedLaw, ...]:
    """Return the other calibrated families that were measured on the same corpus in the same terms."""
    law = selected.law
    if not isinstance(law, Law) or law.source != "calibrated" or not law.paths:
        return ()
    matching = [
        _from_store(store, rows, row)
        for row in others
        if row.family != law.family
        and (row.source, row.domain, row.metric, row.metric_unit, row.x, row.x_unit)
        == (law.source, law.domain, law.metric, law.metric_unit, law.x, law.x_unit)
    ]
    return tuple(
        other
        for other in matching
        if isinstance(other.law, Law) and other.law.paths and _measured_alike(other.law, law)
    )


def _measured_alike(law: Law, other: Law) -> bool:
    """Return whether two laws are of one corpus, and count their metric in one way."""
    corpora = {one.provenance.get("corpus", one.provenance.get("fingerprint")) for one in (law, other)}
    meanings = {
        one.definitions.get(f"{one.metric} of {one.family}", one.definitions.get(one.metric))
        for one in (law, other)
    }
    return len(corpora) == len(meanings) == 1


def _ranked(selector: LawSelector, rows: Sequence[LawRow]) -> list[LawRow]:
    """Return the rows that match, the one to answer first at the front."""
    matching = [row for row in rows if matches(selector, row)]
    matching.sort(key=lambda row: row.form != FORECAST)
    # laws of one fit share both, and keep their order
    matching.sort(key=lambda row: (row.sequence, row.created), reverse=True)
    ranked = sorted(matching, key=lambda row: _RANK[row.source])
    if selector.metric is None:
        ranked.sort(key=lambda row: (_RANK[row.source], _rank_of_metric(row)))
    return ranked


def _subject(row: LawRow) -> tuple[str, ...]:
    """Return what a law is of: among laws of the same subject the newest answers."""
    return row.source, row.domain, row.family, row.metric, row.x


def _rank_of_metric(row: LawRow) -> int:
    """Return the rank of a metric in its domain, which lists first the one that decides."""
    from calibrate.domains import DOMAINS

    domain = DOMAINS.get(row.domain)
    metrics = list(domain.metrics) if domain else []
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
    if flops_of_whole_trainings(size):
        samples = None  # of other trainings: these FLOP have their epochs in them
    return SelectedLaw(law=law, size=size, samples=samples, alternatives=alternatives, warnings=warnings)


def _from_literature(selector: LawSelector, rows: Sequence[LawRow]) -> SelectedLaw:
    """Return the published law to ask first."""
    from planner.lawmodel.published import answerable

    laws = [law for law in answerable(selector.domain, selector.metric) if matches(selector, law)]
    if not laws:
        from planner.lawmodel.suggest import not_found

        raise not_found(selector, rows, answerable(None, None))
    domains = list(dict.fromkeys(law.domain for law in laws))
    if len(domains) > 1:
        metric = f" of {selector.metric!r}" if selector.metric else ""
        raise MissingInput(
            f"no law{metric} in the store, and published laws of {len(domains)} domains: expected a domain, "
            f"one of {', '.join(domains)}",
            code="missing-domain",
            expected=", ".join(domains),
            hint=use("domain", value=Counter(law.domain for law in laws).most_common(1)[0][0]),
        )
    law, *others = laws
    several = selector.metric is None and any(other.metric != law.metric for other in others)
    return SelectedLaw(
        law=law,
        alternatives=tuple(map(law_info, others)),
        warnings=(WarningCode.METRIC_CHOSEN,) if several else (),
    )


def _by_id(selector: LawSelector, id: str, store: Store) -> SelectedLaw:
    """Return the law that was named: a published one by its id, any other by the first characters of it."""
    from laws.catalog.published import all_laws
    from planner.lawmodel.frontier_law import is_frontier
    from planner.lawmodel.published import answers

    holder = bundled_laws() if selector.source == "shipped" else locate_law(store, id)
    rows = holder.laws()
    stored = [row for row in rows if id and row.id.startswith(id)]
    published = [] if stored else [law for law in all_laws() if law.id == id]
    if len(stored) > 1 and id not in {row.id for row in stored}:
        raise ConflictingInput(
            f"law {id!r}: expected more characters, {len(stored)} ids start with it, such as {stored[0].id}",
            code="ambiguous-law",
            value=id,
            hint=run("laws", "list"),
        )
    if not stored and not published:
        from planner.lawmodel.suggest import suggestion

        if hidden := [row.id for row in store.deleted_laws() if id and row.id.startswith(id)]:
            raise LawNotFound(
                f"law {id!r} is deleted: expected one that is not",
                code="deleted-law",
                value=id,
                hint=run("laws", "delete", value=f"--undo {hidden[0]}", purpose="to bring it back"),
            )
        ids = [row.id for row in rows] + [law.id for law in all_laws()]
        raise LawNotFound(
            f"no law has the id {id!r}{suggestion(id, ids, show=0)}",
            value=id,
            hint=run("laws", "list"),
        )
    law = (stored or published)[0]
    _check_selector(selector, law)
    if stored and law.metric not in COMPANIONS:
        return _from_store(holder, rows, stored[0])
    if published and (answers(published[0]) or is_frontier(published[0])):
        return SelectedLaw(law=published[0])
    raise LawError(
        f"law {law.id} is of {law.metric}: expected a law of an error or a loss that can be solved for the "
        "data",
        code="law-of-no-error",
        value=law.id,
        hint=_instead(law, published=bool(published)),
    )


def _instead(law: LawRow | PublishedLaw, *, published: bool) -> Hint:
    """Return what to do with a law that does not answer an estimate."""
    if not published:
        return run("laws", "list", purpose="to see laws of an error or a loss")
    if law.metric in SETTINGS:
        value = f"--domain {law.domain} --flops 1e22 --explain"
        return run("estimate", value=value, purpose="to see what it recommends for a plan")
    return run("laws", "show", value=law.id, purpose="to see a command that this law answers")


def _check_selector(selector: LawSelector, law: LawRow | PublishedLaw) -> None:
    """Check that the law that was named is the one that the rest of the selector describes."""
    info = law_info(law)
    for name, expected, got in (
        ("source", selector.source, info.source),
        ("domain", selector.domain, info.domain),
        ("family", selector.family, info.family),
        ("metric", selector.metric, info.metric),
    ):
        agree = same_metric(expected, got) if name == "metric" else expected in (None, got)
        if not agree:
            raise ConflictingInput(
                f"law {law.id}: expected {name} {expected!r}, got {got!r}",
                code=f"law-of-other-{name}",
                value=law.id,
                hint=drop("law", name),
            )
    if law.metric not in COMPANIONS and not matches(LawSelector(form=selector.form), law):
        expected_form = "a single form" if selector.form == SINGLE_FORM else f"form {selector.form!r}"
        raise ConflictingInput(
            f"law {law.id}: expected {expected_form}, got {info.form!r}",
            code="law-of-other-form",
            value=law.id,
            hint=drop("law", "form"),
        )


def _companion(store: Store | BundledLaws, rows: Iterable[LawRow], law: Law, metric: str) -> Law | None:
    """Return the newest law of `metric` measured on the same thing, the same kind of source first."""
    matching = [
        row
        for row in rows
        if (row.metric, row.domain, row.family, row.x_unit) == (metric, law.domain, law.family, law.x_unit)
    ]
    matching.sort(key=lambda row: row.source != law.source)
    return store.law(matching[0].id) if matching else None
