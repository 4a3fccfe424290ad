"""Which law answers a question: a calibrated one before a fitted one, a published one where there is neither.

Among laws of one kind the newest answers, and of one fit the forecast before the form that was fitted beside
it; what else could have answered is named in the answer. Laws that ship with the tool (`laws/shipped.py`) are
of its embedded corpora: they answer where they are asked for, by source or id, and never by themselves.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from laws.errors import PlannerError
from laws.published import PublishedLaw
from laws.shipped import Shipped, holding, shipped
from laws.store import LawRow, Store
from laws.types import FORECAST, Law
from planner.reading.head import Head, head
from planner.reading.wanted import PLAIN, Choice

COMPANIONS = ("params", "samples")  # metrics of laws that complete an answer and are never asked themselves
_RANK = {"calibrated": 0, "fitted": 1, "published": 2, "shipped": 3}


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The law that answers, with the laws of model size and of passes that complete it."""

    law: Law | PublishedLaw
    size: Law | None = None
    samples: Law | None = None
    alternatives: tuple[Head, ...] = ()
    warnings: tuple[str, ...] = ()  # codes of planner/warnings.py


def fits(choice: Choice, law: LawRow | PublishedLaw) -> bool:
    """Return whether a law is of the metric, domain, family, form and source where they are given."""
    named = head(law)
    plain = choice.form == PLAIN and named.form != FORECAST
    return (
        law.metric not in COMPANIONS
        and (choice.form in (None, named.form) or plain)
        and choice.metric in (None, law.metric)
        and choice.domain in (None, law.domain)
        and choice.family in (None, law.family)
        and choice.source in (None, named.source)
    )


def choose(choice: Choice, folder: Path, *, sampled: bool = False) -> Chosen:
    """Return the law that answers best: from the store in `folder`, else a published one.

    `sampled` asks for a law with draws, so for none of the literature, unless it is named by id or source.

    Raises:
        PlannerError: no law fits, several could be meant, or the one that is named cannot answer.
    """
    if choice.source not in (None, *_RANK):
        raise PlannerError(f"source {choice.source!r}: wanted one of {', '.join(_RANK)}")
    if choice.law is not None:
        return _by_id(choice, choice.law, Store(folder))
    store: Store | Shipped = shipped() if choice.source == "shipped" else Store(folder)
    rows = store.laws()
    fitting = [row for row in rows if fits(choice, row)]
    fitting.sort(key=lambda row: row.form != FORECAST)
    fitting.sort(key=lambda row: row.created, reverse=True)  # stable: laws of one fit keep their order
    ranked = sorted(fitting, key=lambda row: _RANK[row.source])
    if choice.metric is None:
        ranked.sort(key=lambda row: (_RANK[row.source], _place_of_metric(row)))
    if not ranked and sampled and choice.source is None:
        raise _nothing(choice, rows, [])
    if not ranked:
        return _from_literature(choice, rows)
    first: dict[tuple[str, str, str, str, str], LawRow] = {}
    for row in ranked:
        first.setdefault((row.source, row.domain, row.family, row.metric, row.x), row)
    answering, *others = first.values()
    warnings = []
    if choice.domain is None and any(row.domain != answering.domain for row in others):
        warnings.append("domain-chosen")
    if choice.metric is None and any(row.metric != answering.metric for row in others):
        warnings.append("metric-chosen")
    return _from_store(
        store, rows, answering, alternatives=tuple(map(head, others)), warnings=tuple(warnings)
    )


def _place_of_metric(row: LawRow) -> int:
    """Return where a metric stands in its domain, which names first what it is judged by."""
    from calibrate.domains import DOMAINS

    known = DOMAINS.get(row.domain)
    metrics = list(known.metrics) if known else []
    return metrics.index(row.metric) if row.metric in metrics else len(metrics)


def _from_store(
    store: Store | Shipped,
    rows: Sequence[LawRow],
    row: LawRow,
    *,
    alternatives: tuple[Head, ...] = (),
    warnings: tuple[str, ...] = (),
) -> Chosen:
    law = store.law(row.id)
    size, samples = (_companion(store, rows, law, metric) for metric in COMPANIONS)
    return Chosen(law=law, size=size, samples=samples, alternatives=alternatives, warnings=warnings)


def _from_literature(choice: Choice, rows: Sequence[LawRow]) -> Chosen:
    """Choose the published law to ask first; refuse when several domains could be meant."""
    from planner.reading.literature import answerable

    found = [law for law in answerable(choice.domain, choice.metric) if fits(choice, law)]
    if not found:
        raise _nothing(choice, rows, answerable(None, None))
    domains = list(dict.fromkeys(law.domain for law in found))
    if len(domains) > 1:
        asked = f"law of {choice.metric!r}" if choice.metric else "law"
        raise PlannerError(
            f"no {asked} is stored, and published ones are of several domains: "
            f"add --domain {' or '.join(domains)}"
        )
    law, *others = found
    several = choice.metric is None and any(a.metric != law.metric for a in others)
    return Chosen(
        law=law, alternatives=tuple(map(head, others)), warnings=("metric-chosen",) if several else ()
    )


def _by_id(choice: Choice, id: str, store: Store) -> Chosen:
    """Choose the law that was named: a published one by its id, any other by the first characters of it."""
    from laws.published import all_laws
    from planner.reading.literature import answers

    place = shipped() if choice.source == "shipped" else holding(store, id)
    rows = place.laws()
    stored = [row for row in rows if id and row.id.startswith(id)]
    published = [] if stored else [law for law in all_laws() if law.id == id]
    if len(stored) > 1 and id not in {row.id for row in stored}:
        raise PlannerError(
            f"{len(stored)} laws begin with {id!r}: give more of the id, such as {stored[0].id}"
        )
    if not stored and not published:
        near = nearest(id, [row.id for row in rows] + [law.id for law in all_laws()], show=0)
        raise PlannerError(f"no law has the id {id!r}{near}: `planner laws list` shows them")
    law = (stored or published)[0]
    if choice.source not in (None, head(law).source):
        raise PlannerError(
            f"law {law.id} is {head(law).source}, not {choice.source}: leave out either --law or --source"
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
    if law.metric not in COMPANIONS and not fits(Choice(form=choice.form), law):
        form = "one form" if choice.form == PLAIN else choice.form
        raise PlannerError(
            f"law {law.id} is of form {head(law).form}, not of {form}: leave out either --law or the form"
        )
    if stored and law.metric not in COMPANIONS:
        return _from_store(place, rows, stored[0])
    if published and answers(published[0]):
        return Chosen(law=published[0])
    raise PlannerError(
        f"law {law.id} (of {law.metric}) does not say how much data a target needs: `planner laws list` "
        "shows laws of an error or a loss"
    )


def _companion(store: Store | Shipped, rows: Iterable[LawRow], law: Law, metric: str) -> Law | None:
    """Return the newest law of `metric` measured on the same thing, the same kind of source first."""
    fitting = [
        row
        for row in rows
        if (row.metric, row.domain, row.family, row.x_unit) == (metric, law.domain, law.family, law.x_unit)
    ]
    fitting.sort(key=lambda row: row.source != law.source)
    return store.law(fitting[0].id) if fitting else None


def _nothing(choice: Choice, rows: Sequence[LawRow], literature: Sequence[PublishedLaw]) -> PlannerError:
    """Say which part of the question no law meets, the nearest that one does, and what to do next."""
    if choice.source == "shipped":
        there = sorted({f"{row.domain} {row.metric}" for row in rows if row.metric not in COMPANIONS})
        return PlannerError(
            f"no such law ships; there are {', '.join(there)}: planner laws list --source shipped"
        )
    if choice.source is not None:
        return PlannerError(f"no {choice.source} law answers that: leave --source out, or planner laws list")
    told = _unmet(choice, rows, literature)
    if any(fits(replace(choice, source="shipped"), row) for row in shipped().laws()):
        return PlannerError(f"{told}; to try the tool, --source shipped answers for the embedded corpus")
    return told


def _unmet(choice: Choice, rows: Sequence[LawRow], literature: Sequence[PublishedLaw]) -> PlannerError:
    """Say what is missing, and where the store or a measurement would have it."""
    from calibrate.domains import DOMAINS

    metric, domain, family = choice.metric or "", choice.domain, choice.family
    known = [(row.domain, row.metric, row.family) for row in rows if row.metric not in COMPANIONS]
    known += [(law.domain, law.metric, law.family) for law in literature]
    measurable = [(row.name, name) for row in DOMAINS.values() for name in row.metrics]
    if domain is not None and domain not in {name for name, *_ in (*known, *measurable)}:
        near = nearest(domain, [name for name, *_ in (*known, *measurable)])
        return PlannerError(
            f"no domain is called {domain!r}{near}: fit one with "
            f"`planner fit RUNS.csv --domain {domain} --metric {metric or 'METRIC'} --data-unit UNIT`"
        )
    here = [name for name in known if domain in (None, name[0])]
    where = f" for domain {domain!r}" if domain else ""
    if choice.metric is None and not here:
        named = domain or "DOMAIN"
        return PlannerError(f"no law is stored{where}: measure with `planner calibrate --domain {named}`")
    if choice.metric is not None and metric not in {name for _, name, _ in here}:
        homes = [name for name, of in measurable if of == metric and domain in (None, name)]
        if homes:
            return PlannerError(
                f"no law of {metric!r} is stored{where}: measure with `planner calibrate --domain {homes[0]}`"
            )
        options = [name for _, name, _ in here] + [name for of, name in measurable if domain in (None, of)]
        return PlannerError(
            f"no law of {metric!r} is known{where}{nearest(metric, options)}: `planner laws list` shows all"
        )
    if choice.form is not None and (forms := _forms(replace(choice, form=None), rows, literature)):
        asked = "one form: all are forecasts" if choice.form == PLAIN else f"form {choice.form!r}"
        named = "power-floor" if choice.form == PLAIN else choice.form
        return PlannerError(
            f"no law{f' of {metric!r}' if metric else ''}{where} is of {asked} "
            f"(stored: {', '.join(sorted(forms))}): "
            f"fit it with `planner fit RUNS.csv --form {named}`, or leave the form out"
        )
    families = [name for _, of, name in here if choice.metric in (None, of)]
    return PlannerError(
        f"no law{f' of {metric!r}' if metric else ''} is known for family {family!r}"
        f"{nearest(family or '', families)}: "
        "leave --family out, or `planner laws list` shows all"
    )


def _forms(choice: Choice, rows: Sequence[LawRow], literature: Sequence[PublishedLaw]) -> list[str]:
    """Return the forms of the laws that could be asked."""
    known: list[LawRow | PublishedLaw] = [*rows, *literature]
    return list(dict.fromkeys(head(law).form for law in known if fits(choice, law)))


def nearest(name: str, known: Iterable[str], *, show: int = 8) -> str:
    """Return in brackets the known name that is nearest, else the first `show` of them."""
    from difflib import get_close_matches

    options = list(dict.fromkeys(known))
    near = get_close_matches(name, options, n=1)
    if near:
        return f" (did you mean {near[0]!r}?)"
    return f" (known: {', '.join(options[:show])})" if options and show else ""
