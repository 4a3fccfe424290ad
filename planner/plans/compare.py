"""The families of one domain next to each other: exponents, floors, and whether they share one exponent."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from calibrate.domains import DOMAINS
from laws import paths
from laws.catalog.bundled import BundledLaws, bundled_laws
from laws.codes import WarningCode
from laws.errors import Hint, LawNotFound, run, use
from laws.storage.store import LawRow, Store
from laws.types import FORECAST, Law, Source
from planner import units
from planner.lawmodel.info import COMPANIONS
from planner.lawmodel.suggest import suggestion
from planner.plans.estimate import EXTRAPOLATION_LIMIT
from planner.plans.question import positive

MIN_FAMILIES = 2  # fewer cannot be compared


@dataclass(frozen=True, kw_only=True)
class Family:
    """One family's law, by itself and with what the other families say about its exponent."""

    law: Law
    exponent: tuple[float, ...]  # by itself
    pooled: tuple[float, ...]  # exponent, partially pooled across families
    floor: tuple[float, ...]  # zeros where the form has none
    errors: tuple[tuple[float, ...], ...]  # pooled samples of the error, one tuple per scale
    best: tuple[float, ...]  # probability that no other family has less error, per scale; none if not `alike`


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """All families that can be compared; position i of every pooled sample belongs together."""

    domain: str
    metric: str
    metric_unit: str
    unit: str  # of data
    scales: tuple[float, ...]  # of data
    alike: bool  # the metric counts the same in every family, as far as their laws say
    families: tuple[Family, ...]  # the best at the first scale first; in order of names if not `alike`
    same: float  # probability that one exponent fits all families
    shared: tuple[float, ...]  # the exponent if it is one
    ratio: tuple[float, ...]  # largest exponent over smallest
    warnings: tuple[str, ...]


def compare(
    folder: Path,
    domain: str,
    *,
    metric: str | None = None,
    at: Sequence[str] = (),
    source: Source | None = None,
    seed: int = 0,
) -> Comparison:
    """Compare the newest law of every family of a domain.

    Args:
        folder: The store; laws of the source "shipped" come with the tool.
        domain: The domain.
        metric: The metric; by default the one that most families have.
        at: Data sizes at which errors are compared; by default the largest that every family has measured,
            and ten times that.
        source: Laws of this source only.
        seed: Seed of the partial pooling.

    Returns:
        The families with their exponents and errors.

    Raises:
        LawNotFound: Fewer than two families have a law of one metric.
        InputError: A data size cannot be parsed.
    """
    import numpy as np

    from laws.fitting.forms import FORMS
    from laws.fitting.hierarchy import pool_exponents

    store: Store | BundledLaws = bundled_laws() if source == "shipped" else Store(folder)
    laws = [store.law(row.id) for row in _newest(store, domain, metric, source)]
    unit = laws[0].x_unit
    parsed = (positive(lambda written: units.parse_data(written, unit), text, "at") for text in at)
    scales = tuple(dict.fromkeys(scale for scale in parsed if scale is not None))
    if not scales:
        common = min(law.x_range[1] for law in laws)
        scales = (common, 10 * common)
    hierarchy = pool_exponents([np.array(law.parameters["beta"]) for law in laws], seed=seed)
    errors = []
    for k, law in enumerate(laws):
        drawn = {name: np.array(draws)[hierarchy.rows[:, k]] for name, draws in law.parameters.items()}
        errors.append(np.exp(FORMS[law.form].log_y(np.array(scales), drawn)))
    lowest = np.min(errors, axis=0)
    alike = len({_meaning(law) for law in laws}) == 1
    families = [
        Family(
            law=law,
            exponent=law.parameters["beta"],
            pooled=tuple(hierarchy.exponents[:, k].tolist()),
            floor=law.parameters.get("gamma", (0.0,)),
            errors=tuple(map(tuple, errors[k].T.tolist())),
            best=tuple((errors[k] <= lowest).mean(0).tolist()) if alike else (),
        )
        for k, law in enumerate(laws)
    ]
    return Comparison(
        domain=domain,
        metric=laws[0].metric,
        metric_unit=laws[0].metric_unit,
        unit=unit,
        scales=scales,
        alike=alike,
        families=tuple(sorted(families, key=_lowest_first if alike else _by_name)),
        same=hierarchy.same,
        shared=tuple(hierarchy.shared.tolist()),
        ratio=tuple(hierarchy.ratio.tolist()),
        warnings=_warnings(laws, scales, alike=alike),
    )


def _lowest_first(family: Family) -> float:
    return paths.quantile(family.errors[0], 0.5)


def _by_name(family: Family) -> str:
    return family.law.family or ""


def _meaning(law: Law) -> str | None:
    """Return what a law says that its metric counts."""
    return law.definitions.get(f"{law.metric} of {law.family}", law.definitions.get(law.metric))


def _newest(
    store: Store | BundledLaws, domain: str, metric: str | None, source: Source | None
) -> list[LawRow]:
    """Return the newest law of each family that has an exponent, of the metric that most families share.

    Of several such metrics it is the one that decides in the domain which model is best.
    """
    rows = [
        row
        for row in store.laws(domain=domain, source=source)
        if row.x == "data" and row.metric not in COMPANIONS and row.form != FORECAST
    ]
    matching = [row for row in rows if metric in (None, row.metric)]
    kinds: dict[tuple[str, str, str], dict[str, LawRow]] = {}
    for row in matching:
        kinds.setdefault((row.metric, row.metric_unit, row.x_unit), {}).setdefault(row.family, row)
    first = next(iter(DOMAINS[domain].metrics)) if domain in DOMAINS else None
    kind = max(kinds, key=lambda kind: (len(kinds[kind]), kind[0] == first), default=None)
    newest = kinds[kind] if kind else {}
    if len(newest) < MIN_FAMILIES:
        raise _too_few(store, rows, matching, domain=domain, metric=metric, source=source)
    return list(newest.values())


def _too_few(
    store: Store | BundledLaws,
    rows: Sequence[LawRow],
    matching: Sequence[LawRow],
    *,
    domain: str,
    metric: str | None,
    source: Source | None,
) -> LawNotFound:
    """Return the error for a domain without two families to compare."""
    families = ", ".join(sorted({f"{row.family or 'one without a name'} ({row.metric})" for row in matching}))
    near = ""
    if not rows:
        near = suggestion(domain, [row.domain for row in store.laws() if row.domain != domain])
    elif metric is not None and not matching:
        near = suggestion(metric, [row.metric for row in rows])
    hints: list[Hint] = []
    if domain in DOMAINS:
        hints.append(
            run("calibrate", value=f"--domain {shlex.quote(domain)} --family NAME", purpose="to measure one")
        )
    hints.append(
        run("fit", value=f"RUNS.csv --domain {shlex.quote(domain)} --family NAME", purpose="to fit one")
    )
    shipped = {row.family for row in bundled_laws().laws(domain=domain, metric=metric)}
    if source is None and len(shipped) >= MIN_FAMILIES:
        hints.append(use("source", value="shipped", purpose="to compare those of the embedded corpus"))
    subject = f"{domain}, {metric}" if metric else domain
    return LawNotFound(
        f"laws of {subject}{near}: expected at least {MIN_FAMILIES} families, got {families or 'none'}",
        code="too-few-families",
        value=domain,
        hint=tuple(hints),
    )


def _warnings(laws: Sequence[Law], scales: Sequence[float], *, alike: bool) -> tuple[str, ...]:
    shipped = any(law.source == "shipped" for law in laws)
    codes: list[str] = [WarningCode.EMBEDDED_CORPUS] if shipped else []
    codes += [code for law in laws for code in law.warnings]
    if not alike:
        codes.append(WarningCode.METRIC_DIFFERS)
    corpora = {law.provenance.get("corpus", law.provenance.get("fingerprint")) for law in laws}
    if len(corpora) > 1:
        codes.append(WarningCode.CORPORA_DIFFER)
    if max(scales) > EXTRAPOLATION_LIMIT * min(law.x_range[1] for law in laws):
        codes.append(WarningCode.EXTRAPOLATED_FAR)
    return tuple(dict.fromkeys(codes))
