"""Tables of what the sweeps behind the shipped laws measured, for the pages of the domains.

In a page:

    <!-- [[[cog import docs.generators.measured as m; m.show("char-lm") ]]] -->
    <!-- [[[end]]] -->
"""

import sys
from statistics import quantiles

from calibrate.domains import DOMAINS
from laws.catalog.bundled import bundled_laws
from laws.types import Law
from planner.units import format_data, format_metric, format_number


def show(domain: str) -> None:
    """Print, for every shipped family of a domain, errors and best sizes of its shards, and its exponent."""
    row = DOMAINS[domain]
    metric, unit = next(iter(row.metrics.items()))
    found = [bundled_laws().law(each.id) for each in bundled_laws().laws(domain=domain)]
    errors = {law.family: law for law in found if law.metric == metric and law.form == "forecast"}
    sizes = {law.family: law for law in found if law.metric == "params"}
    if not errors:
        sys.stdout.write("\nNo law of this domain ships yet.\n\n")
        return
    shards = sorted({x for law in errors.values() for x in law.points["x"]})
    lines = [
        f"| {row.data_unit} | " + " | ".join(errors) + " |",
        "| --- |" + " --- |" * len(errors),
        *(
            f"| {format_data(shard, row.data_unit).split()[0]} | "
            + " | ".join(_cell(law, sizes.get(law.family), shard, unit) for law in errors.values())
            + " |"
            for shard in shards
        ),
        "",
        f"{metric.capitalize()}{_in(unit)} of the best model on each shard, and its "
        "parameters. Exponents of the laws with a floor, median and 90 % interval:",
        "",
        *(
            f"- {law.family}: {_exponent(law)}"
            for law in found
            if law.metric == metric and "beta" in law.parameters
        ),
    ]
    sys.stdout.write("\n".join(["", *lines, "", ""]))


def _cell(errors: Law, sizes: Law | None, shard: float, unit: str) -> str:
    measured = dict(zip(errors.points["x"], errors.points["y"], strict=True))
    if shard not in measured:
        return ""
    best = dict(zip(sizes.points["x"], sizes.points["y"], strict=True)) if sizes else {}
    size = f", {format_number(best[shard])}" if shard in best else ""
    return f"{format_metric(measured[shard], unit).split()[0]}{size}"


def _exponent(law: Law) -> str:
    cuts = quantiles(law.parameters["beta"], n=20)
    low, middle, high = (format_number(-cuts[i]) for i in (-1, 9, 0))
    return f"{middle} ({low} to {high})"


def _in(unit: str) -> str:
    return "" if unit == "fraction" else f" in {unit}"
