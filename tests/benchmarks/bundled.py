"""Foretell the two largest shards of every calibrated family from the others, beside what was measured.

    python -m tests.benchmarks.bundled [--store STORE]

Without a store it reads the laws that ship, whose points are the best-fit models of the runs beside them, so
that anybody can repeat it. `docs/research/accuracy.md` has its table.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calibrate.domains import DOMAINS
from laws.build import points_of
from laws.catalog.bundled import BundledLaws, bundled_laws
from laws.forecasting.forecast import forecast
from laws.forecasting.priors import bundled_prior
from laws.points import Points
from laws.storage.store import Store
from laws.types import FORECAST, Law
from planner import units

LEFT_OUT = 2  # of the largest shards
FEWEST = 3  # shards that a forecast here sees
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
SEED = 0


@dataclass(frozen=True)
class Held:
    """One shard that the forecast did not see."""

    law: Law
    shards: int  # that it saw
    data: float
    measured: float
    told: tuple[float, ...]  # quantiles LEVELS of the next measurement

    @property
    def inside(self) -> bool:
        """Return whether the 90 % interval holds the measured error."""
        return self.told[0] <= self.measured <= self.told[-1]

    @property
    def inner(self) -> bool:
        """Return whether the 50 % interval holds it."""
        return self.told[1] <= self.measured <= self.told[-2]


@dataclass(frozen=True)
class Cut:
    """A law's curve, cut into what a forecast may see and the shards after it."""

    law: Law
    early: Points
    late: Points


def laws(place: Store | BundledLaws, *, every_metric: bool = False) -> Iterator[Law]:
    """Yield the newest forecast of each family of each domain, of the metric that decides there or of all."""
    seen = set()
    for row in place.laws():
        first = next(iter(DOMAINS[row.domain].metrics)) if row.domain in DOMAINS else None
        key = row.domain, row.family, row.metric
        wanted = every_metric or row.metric == first
        if row.form == FORECAST and wanted and row.source != "fitted" and key not in seen:
            seen.add(key)
            yield place.law(row.id)


def cut(law: Law, seen: int, *, most: int = LEFT_OUT) -> Cut:
    """Return a law's curve with so many shards seen, and at most so many after them."""
    points = points_of(law)
    return Cut(law, points.part(slice(seen)), points.part(slice(seen, seen + most)))


def every_cut() -> Iterator[Cut]:
    """Yield every curve that ships, of every metric, cut after three shards, four, ... to the last but one.

    Perplexity is left out: it is the exponential of the loss.
    """
    for law in laws(bundled_laws(), every_metric=True):
        if law.metric != "perplexity":
            yield from (cut(law, seen) for seen in range(FEWEST, law.n_points))


def held(of: Cut) -> list[Held]:
    """Return the later shards of a curve beside what the others say of them."""
    told = forecast(of.early, seed=SEED, prior=bundled_prior("sweep")).quantiles(of.late.x, LEVELS).T
    pairs = zip(of.late.x, of.late.y, told.tolist(), strict=True)
    return [Held(of.law, len(of.early), float(x), float(y), tuple(row)) for x, y, row in pairs]


def table(place: Store | BundledLaws) -> str:
    """Return the Markdown of all families, with the shares inside."""
    chosen = sorted(laws(place), key=lambda law: (law.domain, law.family))
    rows = [each for law in chosen for each in held(cut(law, law.n_points - LEFT_OUT))]
    lines = [
        "| domain | family | shards seen | predicted at | measured | forecast | 90 % interval | inside |",
        "| --- | --- | --: | --: | --: | --: | --: | --- |",
    ]
    for row in rows:

        def shown(value: float, unit: str = row.law.metric_unit) -> str:
            return units.format_metric(value, unit)

        low, middle, high = (shown(row.told[i]) for i in (0, 2, 4))
        data = units.format_data(row.data, row.law.x_unit)
        lines.append(
            f"| {row.law.domain} | {row.law.family} | {row.shards} | {data} | {row.law.metric} "
            f"{shown(row.measured)} | {middle} | {low} to {high} | {'yes' if row.inside else 'no'} |"
        )
    rmsle = float(np.sqrt(np.mean([np.log(row.told[2] / row.measured) ** 2 for row in rows])))
    return "\n".join(
        [
            *lines,
            "",
            f"Of {len(rows)} shards of {len(chosen)} families the 90 % interval holds "
            f"{sum(row.inside for row in rows)}, the 50 % interval {sum(row.inner for row in rows)}; the "
            f"root mean square of log(forecast / measured) is {rmsle:.3f}.",
        ]
    )


def by_shards(place: Store | BundledLaws) -> str:
    """Return the Markdown of how forecasts do that saw three shards, four, ...: one or two shards further."""
    found: dict[int, list[Held]] = defaultdict(list)
    for law in laws(place):
        for seen in range(FEWEST, law.n_points):
            found[seen] += held(cut(law, seen))
    lines = [
        "| shards seen | predictions | inside 50 % | inside 90 % | rms of log(forecast / measured) |",
        "| --: | --: | --: | --: | --: |",
    ]
    for seen, rows in sorted(found.items()):
        away = np.sqrt(np.mean([np.log(row.told[2] / row.measured) ** 2 for row in rows]))
        inner, inside = (np.mean([getattr(row, name) for row in rows]) for name in ("inner", "inside"))
        lines.append(f"| {seen} | {len(rows)} | {inner:.2f} | {inside:.2f} | {away:.3f} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table of the laws that ship, or of a store's."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bundled", description=__doc__)
    parser.add_argument("--store", type=Path, help="read the calibrated laws of this store instead")
    store = parser.parse_args().store
    place = Store(store) if store else bundled_laws()
    sys.stdout.write(f"{table(place)}\n\n{by_shards(place)}\n")


if __name__ == "__main__":
    main()
