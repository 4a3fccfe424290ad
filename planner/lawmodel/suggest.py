"""Suggestions where no law matches: what fails, the nearest name, and the next step."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from shlex import quote

from laws.catalog.bundled import bundled_laws
from laws.catalog.published import PublishedLaw
from laws.errors import Hint, LawNotFound, closest, drop, run, use
from laws.types import LawRow
from planner.lawmodel.info import COMPANIONS, law_info, matches
from planner.lawmodel.selector import SINGLE_FORM, LawSelector

MAX_SUGGESTIONS = 8
# what people call a domain -> its name here
SYNONYMS = {
    "lm": "language", "llm": "language", "llms": "language", "gpt": "language", "text": "language",
    "asr": "speech", "stt": "speech", "audio": "speech", "mt": "translation", "nmt": "translation",
    "vision": "image", "images": "image", "classification": "image",
}  # fmt: skip
TRY_SHIPPED = use("source", value="shipped", purpose="to try the tool with laws of the embedded corpora")


def not_found(
    selector: LawSelector, rows: Sequence[LawRow], literature: Sequence[PublishedLaw]
) -> LawNotFound:
    """Return the error for a selector that no law matches.

    Args:
        selector: The filter.
        rows: Laws of the store.
        literature: Published laws that could answer.

    Returns:
        The error: which part no law matches, the nearest name, and the next step.
    """
    if selector.source == "shipped":
        subjects = sorted({f"{row.domain} {row.metric}" for row in rows if row.metric not in COMPANIONS})
        return LawNotFound(
            f"no shipped law matches: expected one of {', '.join(subjects)}",
            code="no-such-shipped-law",
            hint=run("laws", "list", value="--source shipped"),
        )
    if selector.source is not None:
        return LawNotFound(
            f"no {selector.source} law matches",
            code="no-law-of-source",
            hint=(drop("source"), run("laws", "list")),
        )
    error = _unmatched(selector, rows, literature)
    if any(matches(replace(selector, source="shipped"), row) for row in bundled_laws().laws()):
        error.hints = (*error.hints, TRY_SHIPPED)
    return error


def _unmatched(
    selector: LawSelector, rows: Sequence[LawRow], literature: Sequence[PublishedLaw]
) -> LawNotFound:
    """Return which part of the selector no law matches, and where a store or a measurement would have it."""
    from calibrate.domains import DOMAINS

    metric, domain = selector.metric or "", selector.domain
    stored = [(row.domain, row.metric, row.family) for row in rows if row.metric not in COMPANIONS]
    stored += [(law.domain, law.metric, law.family) for law in literature]
    measurable = [(row.name, name) for row in DOMAINS.values() for name in row.metrics]
    domains = [name for name, *_ in (*stored, *measurable)]
    if domain is not None and domain not in domains:
        return LawNotFound(
            f"unknown domain {domain!r}{suggestion(domain, domains)}",
            code="unknown-domain",
            value=domain,
            hint=_of_domain(domain, metric, domains),
        )
    here = [names for names in stored if domain in (None, names[0])]
    where = f" of domain {domain!r}" if domain else ""
    if selector.metric is None and not here:
        return LawNotFound(f"no law{where} in the store", code="no-law", hint=_measure(domain or "DOMAIN"))
    if selector.metric is not None and metric not in {name for _, name, _ in here}:
        homes = [name for name, of in measurable if of == metric and domain in (None, name)]
        if homes:
            return LawNotFound(
                f"no law of {metric!r}{where} in the store",
                code="no-law-of-metric",
                value=metric,
                hint=_measure(homes[0]),
            )
        metrics = [name for _, name, _ in here] + [name for of, name in measurable if domain in (None, of)]
        return LawNotFound(
            f"unknown metric {metric!r}{where}{suggestion(metric, metrics)}",
            code="unknown-metric",
            value=metric,
            hint=run("laws", "list"),
        )
    of_metric = f" of {metric!r}" if metric else ""
    if selector.form is not None and (forms := _forms(replace(selector, form=None), rows, literature)):
        single = selector.form == SINGLE_FORM
        return LawNotFound(
            f"no law{of_metric}{where} is of {'a single form' if single else f'form {selector.form!r}'}: "
            f"expected one of {', '.join(sorted(forms))}",
            code="no-law-of-form",
            value=selector.form,
            hint=(
                run("fit", value=f"RUNS.csv --form {'power-floor' if single else selector.form}"),
                drop("form"),
            ),
        )
    families = [name for _, of, name in here if selector.metric in (None, of)]
    return LawNotFound(
        f"no law{of_metric} of family {selector.family!r}{suggestion(selector.family or '', families)}",
        code="unknown-family",
        value=selector.family,
        hint=(drop("family"), run("laws", "list")),
    )


def _of_domain(domain: str, metric: str, domains: Sequence[str]) -> tuple[Hint, ...]:
    """Return what to do about a domain that has no law: its name here, or a law of one's own."""
    if near := closest(domain, domains):  # a law of a mistyped name is of no use
        return (use("domain", value=near),)
    published = SYNONYMS.get(domain.lower())
    runs = f"RUNS.csv --domain {quote(domain)} --metric {quote(metric or 'METRIC')} --data-unit UNIT"
    fit = run("fit", value=runs, purpose="to fit a law of it")
    if published is None or published not in domains:
        return (fit,)
    return (use("domain", value=published, purpose="to ask published laws"), fit)


def _measure(domain: str) -> Hint:
    return run("calibrate", value=f"--domain {quote(domain)}", purpose="to measure one")


def _forms(selector: LawSelector, rows: Sequence[LawRow], literature: Sequence[PublishedLaw]) -> list[str]:
    """Return the forms of the laws that match."""
    laws: list[LawRow | PublishedLaw] = [*rows, *literature]
    return list(dict.fromkeys(law_info(law).form for law in laws if matches(selector, law)))


def suggestion(name: str, valid_names: Iterable[str], *, show: int = MAX_SUGGESTIONS) -> str:
    """Return the end of a sentence that says a name is unknown.

    Args:
        name: The unknown name.
        valid_names: The names that exist.
        show: How many of them to list where none is near.

    Returns:
        The nearest name in brackets, else the first names that exist, else nothing.
    """
    options = list(dict.fromkeys(valid_names))
    if near := closest(name, options):
        return f" (did you mean {near!r}?)"
    return f" (known: {', '.join(options[:show])})" if options and show else ""
