"""What no law answers: which part of a question is not met, what comes nearest, and what to do next."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from laws.catalog.bundled import bundled_laws
from laws.catalog.published import PublishedLaw
from laws.errors import PlannerError, closest
from laws.types import LawRow
from planner.lawmodel.info import COMPANIONS, fits, law_info
from planner.lawmodel.selector import PLAIN, LawSelector


def nothing(choice: LawSelector, rows: Sequence[LawRow], literature: Sequence[PublishedLaw]) -> PlannerError:
    """Say which part of the question no law meets, the nearest that one does, and what to do next."""
    if choice.source == "shipped":
        there = sorted({f"{row.domain} {row.metric}" for row in rows if row.metric not in COMPANIONS})
        return PlannerError(
            f"no such law ships; there are {', '.join(there)}: planner laws list --source shipped"
        )
    if choice.source is not None:
        return PlannerError(f"no {choice.source} law answers that: leave --source out, or planner laws list")
    told = _unmet(choice, rows, literature)
    if any(fits(replace(choice, source="shipped"), row) for row in bundled_laws().laws()):
        return PlannerError(f"{told}; to try the tool, --source shipped answers for the embedded corpus")
    return told


def _unmet(choice: LawSelector, rows: Sequence[LawRow], literature: Sequence[PublishedLaw]) -> PlannerError:
    """Say what is missing, and where the store or a measurement would have it."""
    from calibrate.domains import DOMAINS

    metric, domain, family = choice.metric or "", choice.domain, choice.family
    known = [(row.domain, row.metric, row.family) for row in rows if row.metric not in COMPANIONS]
    known += [(law.domain, law.metric, law.family) for law in literature]
    measurable = [(row.name, name) for row in DOMAINS.values() for name in row.metrics]
    if domain is not None and domain not in {name for name, *_ in (*known, *measurable)}:
        near = hint(domain, [name for name, *_ in (*known, *measurable)])
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
            f"no law of {metric!r} is known{where}{hint(metric, options)}: `planner laws list` shows all"
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
        f"{hint(family or '', families)}: "
        "leave --family out, or `planner laws list` shows all"
    )


def _forms(choice: LawSelector, rows: Sequence[LawRow], literature: Sequence[PublishedLaw]) -> list[str]:
    """Return the forms of the laws that could be asked."""
    known: list[LawRow | PublishedLaw] = [*rows, *literature]
    return list(dict.fromkeys(law_info(law).form for law in known if fits(choice, law)))


def hint(name: str, known: Iterable[str], *, show: int = 8) -> str:
    """Return in brackets the known name that is nearest, else the first `show` of them."""
    options = list(dict.fromkeys(known))
    if near := closest(name, options):
        return f" (did you mean {near!r}?)"
    return f" (known: {', '.join(options[:show])})" if options and show else ""
