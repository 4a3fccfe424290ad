"""Measure whether intervals hold, and draw the ranks: the numbers and the picture of docs/research/trust.md.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.trust [PART ...] [--repeats 200] [--go-on]

A part is a known law of `tests/laws/true_laws.py` (how often 95 % intervals hold its truth) or a form (ranks
of the truth among the draws, for laws drawn from the prior). Each part named, or all of them, is measured and
replaces what docs/research/trust.json had of it, or with --go-on adds the seeds that are missing there;
docs/figures/fit-ranks.svg is drawn anew.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import chi2

from tests.laws import prior_simulation
from tests.laws.true_laws import CASES, holds

DOCS = Path(__file__).parents[2] / "docs"
CELLS = 10


def coverage(case: str, seeds: range, known: dict[str, Any]) -> dict[str, Any]:
    """Return how many intervals held, what is known from earlier seeds included."""
    held = holds(case, seeds)
    before = known.get("held", dict.fromkeys(held, 0))
    return {"seeds": seeds.stop, "held": {name: before[name] + count for name, count in held.items()}}


def ranks(form: str, seeds: range, known: dict[str, Any]) -> dict[str, Any]:
    """Return histograms of ranks, what is known from earlier seeds included."""
    found = [prior_simulation.rank(form, seed) for seed in seeds]
    kept = [each for each in found if each]
    counts = {name: cells([each[name] / (prior_simulation.DRAWS + 1) for each in kept]) for name in kept[0]}
    before = known.get("counts", {name: [0] * CELLS for name in counts})
    return {
        "laws": seeds.stop,
        "refused": known.get("refused", 0) + len(found) - len(kept),
        "counts": {name: np.add(before[name], counts[name]).tolist() for name in counts},
    }


def cells(shares: list[float]) -> list[int]:
    return np.histogram(shares, bins=CELLS, range=(0, 1))[0].tolist()


def surprise(counts: list[int]) -> float:
    """Return the probability of counts at least as uneven, were all cells alike."""
    expected = sum(counts) / len(counts)
    return float(chi2.sf(sum((c - expected) ** 2 / expected for c in counts), len(counts) - 1))


def drawn(measured: dict[str, Any]) -> bytes:
    """Return the histograms as SVG, the same bytes for the same counts."""
    import io

    import matplotlib as mpl
    from matplotlib.figure import Figure

    parts = measured["ranks"]
    widest = max(len(part["counts"]) for part in parts.values())
    with mpl.rc_context({"svg.hashsalt": "trust", "svg.fonttype": "none", "font.size": 8}):
        figure = Figure(figsize=(1.15 * widest, 1.15 * len(parts) + 0.3), layout="constrained")
        axes = figure.subplots(len(parts), widest, squeeze=False)
        for row, (form, part) in zip(axes, parts.items(), strict=True):
            for axis in row:
                axis.set_axis_off()
            for axis, (name, counts) in zip(row, part["counts"].items(), strict=False):
                axis.set_axis_on()
                expected = sum(counts) / len(counts)
                spread = 2.576 * np.sqrt(expected * (1 - 1 / len(counts)))
                axis.axhspan(expected - spread, expected + spread, color="0.88")
                axis.bar(range(len(counts)), counts, width=0.9, color="#4477aa")
                axis.set(xticks=[], yticks=[], title=name, ylim=(0, 2.2 * expected))
                for side in ("top", "right", "left"):
                    axis.spines[side].set_visible(False)
            row[0].set_ylabel(form)
        held = io.BytesIO()
        figure.savefig(held, format="svg", metadata={"Date": None})
    return held.getvalue()


def table_of_coverage(measured: dict[str, Any]) -> str:
    """Return the page's first table: 95 % intervals that held, of how many."""
    lines = ["| case | " + " | ".join(["seeds", *names(measured)]) + " |"]
    lines.append("| --- " + "| ---: " * (len(names(measured)) + 1) + "|")
    for case, part in measured["coverage"].items():
        shown = [f"{part['held'][n]}" if n in part["held"] else "" for n in names(measured)]
        lines.append(f"| *{case}* | {part['seeds']} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def names(measured: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(name for part in measured["coverage"].values() for name in part["held"]))


def table_of_ranks(measured: dict[str, Any]) -> str:
    """Return the page's second table: laws drawn, fits refused, the most uneven histogram."""
    lines = ["| form | laws drawn | refused | quantities | most uneven | its probability |"]
    lines.append("| --- | ---: | ---: | ---: | --- | ---: |")
    for form, part in measured["ranks"].items():
        worst = min(part["counts"], key=lambda name: surprise(part["counts"][name]))
        lines.append(
            f"| `{form}` | {part['laws']} | {part['refused']} | {len(part['counts'])} | {worst} | "
            f"{surprise(part['counts'][worst]):.2g} |"
        )
    return "\n".join(lines)


def stored() -> dict[str, Any]:
    path = DOCS / "research" / "trust.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"coverage": {}, "ranks": {}}


def main() -> None:
    everything = [*CASES, *prior_simulation.PLACES]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", default=everything, help=f"of {', '.join(everything)}")
    parser.add_argument("--repeats", type=int, default=200, help="seeds of each part (default 200)")
    parser.add_argument("--go-on", action="store_true", help="add to what docs/research/trust.json has")
    given = parser.parse_args()
    for part in given.parts:
        start = time.process_time()
        kind, count, measure = ("coverage", "seeds", coverage) if part in CASES else ("ranks", "laws", ranks)
        known = stored()[kind].get(part, {}) if given.go_on else {}
        seeds = range(known.get(count, 0), given.repeats)
        found = measure(part, seeds, known) if seeds else known
        measured = stored()
        measured[kind][part] = found
        order = {name: i for i, name in enumerate(everything)}
        measured[kind] = dict(sorted(measured[kind].items(), key=lambda item: order[item[0]]))
        (DOCS / "research" / "trust.json").write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
        if measured["ranks"]:
            (DOCS / "figures" / "fit-ranks.svg").write_bytes(drawn(measured))
        print(f"{part}: {time.process_time() - start:.0f} CPU s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
