"""Foretell the two largest shards of every calibrated family from the others, beside what was measured.

    python -m tests.benchmarks.shipped [--store STORE]

Without a store it reads the laws that ship, whose points are the best-fit models of the runs beside them, so
that anybody can repeat it. `docs/accuracy.md` has its table.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calibrate.domains import DOMAINS
from laws.forecast import forecast
from laws.points import checked
from laws.shipped import Shipped, shipped
from laws.store import Store
from laws.types import FORECAST, Law
from planner import units

LEFT_OUT = 2  # of the largest shards
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


def laws(place: Store | Shipped) -> Iterator[Law]:
    """Yield the newest forecast of each family of each domain, of the metric that decides there."""
    seen = set()
    for row in place.laws():
        first = next(iter(DOMAINS[row.domain].metrics)) if row.domain in DOMAINS else None
        key = row.domain, row.family
        if (row.form, row.metric) == (FORECAST, first) and row.source != "fitted" and key not in seen:
            seen.add(key)
            yield place.law(row.id)


def held(law: Law) -> list[Held]:
    """Return the largest shards of a law beside what the others say of them."""
    x, y = np.array(law.points["x"]), np.array(law.points["y"])
    y_se = law.points.get("y_se")
    points = checked(x, y, y_se=y_se, rate=law.metric_unit == "fraction")
    early = points.part(slice(len(x) - LEFT_OUT))
    told = forecast(early, seed=SEED).quantiles(points.x[-LEFT_OUT:], LEVELS).T
    pairs = zip(points.x[-LEFT_OUT:], points.y[-LEFT_OUT:], told.tolist(), strict=True)
    return [Held(law, len(early), float(a), float(b), tuple(row)) for a, b, row in pairs]


def table(place: Store | Shipped) -> str:
    """Return the Markdown of all families, with the shares inside."""
    rows = [
        each for law in sorted(laws(place), key=lambda law: (law.domain, law.family)) for each in held(law)
    ]
    lines = [
        "| domain | family | shards seen | foretold at | measured | forecast | 90 % interval | inside |",
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
    count, holds, inner = len(rows), sum(row.inside for row in rows), sum(row.inner for row in rows)
    rmsle = float(np.sqrt(np.mean([np.log(row.told[2] / row.measured) ** 2 for row in rows])))
    return "\n".join(
        [
            *lines,
            "",
            f"Of {count} shards of {count // LEFT_OUT} families the 90 % interval holds {holds}, the 50 % "
            f"interval {inner}; the root mean square of log(forecast / measured) is {rmsle:.3f}.",
        ]
    )


def main() -> None:
    """Print the table of the laws that ship, or of a store's."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.shipped", description=__doc__)
    parser.add_argument("--store", type=Path, help="read the calibrated laws of this store instead")
    store = parser.parse_args().store
    sys.stdout.write(table(Store(store) if store else shipped()) + "\n")


if __name__ == "__main__":
    main()
