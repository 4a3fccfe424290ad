"""Make `laws/prior.json`: the beliefs of the forecaster and how much each is worth before a curve is seen.

    python -m tests.benchmarks.prior --write      states the beliefs below and their weights: what ships
    python -m tests.benchmarks.prior --measure    what weights measured curves would give them

The weights that are measured maximise the log score of the benchmark's scored scales
(`tests/benchmarks/forecast.py` says where they are), every set counting as at most ten curves. For each set
the weights that all *other* sets would give are printed, with the log score they reach on it beside that of
the stated ones: weights are worth shipping only where they win on sets that they have not seen.
"""

import argparse
import json
import sys
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from math import log
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from laws.drift import PARAMETERS
from laws.forecast import judged
from laws.points import Points
from tests.benchmarks.forecast import HERE, Case, cases, folder

Array = NDArray[np.float64]

# mean and sd; the exponents of published laws lie between .05 and 1, their middle near .3
COMMON = {
    "exponent": (log(0.35), 0.7),
    "floor": (-1.0, 1.5),
    "onset": (0.0, 2.0),
    "drift": (log(0.3), 1.3),
    "return": (0.0, 1.0),
    "noise": (log(0.01), 2.0),
    "shared": (-1.0, 1.5),
    "bend": (log(0.02), 0.5),
}
FROM_THE_START = {"onset": (-5.0, 1.0)}
STEADY = {"onset": (-4.0, 1.0), "drift": (log(0.02), 0.6), "shared": (0.0, 1.0)}
BELIEFS: list[tuple[str, str, float, dict[str, tuple[float, float]]]] = [
    ("power-floor", "power-floor", 0.35, FROM_THE_START),
    ("three-phase", "three-phase", 0.35, {}),
    ("saturating", "three-phase", 0.05, {"floor": (1.0, 1.0)}),
    ("no-floor", "three-phase, no floor", 0.05, {"floor": (-2.5, 1.5)}),
    ("steady", "power-floor, no drift", 0.05, STEADY),
    ("clean", "power-floor, no drift", 0.05, STEADY | {"noise": (log(0.002), 1.0)}),
    (
        "accelerating",
        "stretched exponential",
        0.05,
        FROM_THE_START | {"bend": (log(0.45), 0.6), "floor": (-1.5, 1.5)},
    ),
    (
        "plateau",
        "stretched exponential",
        0.05,
        FROM_THE_START | {"bend": (log(1.15), 0.6), "floor": (1.0, 1.0)},
    ),
]
MOST = 10  # curves that a set may count for
PSEUDO = 20.0  # curves that the stated weights are worth


def scores(case: Case) -> list[float]:
    """Return the mean log density of a curve's scored points under each belief."""
    rows = [row for row in case.question.measured if row[1] > 0]
    x, y = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    se = np.array([r[2] or 0.0 for r in rows]) if any(r[2] for r in rows) else None
    late = np.array([pair for pair in zip(case.question.asked, case.truth, strict=True) if pair[1] > 0])
    if not len(late):
        return [0.0] * len(BELIEFS)
    told = judged(Points(x=x, y=y, y_se=se), Points(x=late[:, 0], y=late[:, 1]), seed=0)
    return [float(v) for v in told]


def weights(by_set: dict[str, Array]) -> Array:
    """Return the weights (K,) that maximise the log score over sets, by expectation-maximisation."""
    stated = np.array([share for _, _, share, _ in BELIEFS])
    weight = stated
    for _ in range(300):
        total = PSEUDO * stated
        for score in by_set.values():
            share = np.log(weight) + score
            share = np.exp(share - np.logaddexp.reduce(share, axis=1)[:, None])
            total += share.mean(0) * min(len(score), MOST)
        weight = total / total.sum()
    return weight


def reached(score: Array, weight: Array) -> float:
    """Return the mean log score of weighted beliefs."""
    return float(np.mean(np.logaddexp.reduce(np.log(weight) + score, axis=1)))


def text(weight: Array) -> str:
    """Return what `laws/prior.json` holds."""
    beliefs = []
    for (name, form, _, own), w in zip(BELIEFS, weight, strict=True):
        both = COMMON | own
        values = {key: {"mean": round(both[key][0], 4), "sd": both[key][1]} for key in PARAMETERS}
        beliefs.append({"name": name, "form": form, "weight": round(float(w), 3), "parameters": values})
    made = "python -m tests.benchmarks.prior --write"
    return json.dumps({"made_by": made, "beliefs": beliefs}, indent=1) + "\n"


def main() -> None:
    """Measure the weights, print them, and with --write store them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--sample", type=int, default=40, help="at most so many curves of each set")
    options = parser.parse_args()
    stated = np.array([share for _, _, share, _ in BELIEFS])
    if options.write:
        (HERE / "laws" / "prior.json").write_text(text(stated), encoding="utf-8")
    if not options.measure:
        return
    place = folder()
    if place is None:
        sys.exit("no benchmark data: set PLANNER_BENCH to the folder of curves.csv.gz")
    chosen = cases(place / "curves.csv.gz", options.sample)
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as workers:
        found = list(workers.map(scores, chosen, chunksize=4))
    rows: dict[str, list[list[float]]] = defaultdict(list)
    for case, score in zip(chosen, found, strict=True):
        rows[case.question.set].append(score)
    by_set = {name: np.array(score) for name, score in rows.items()}
    print(f"{'left out':<24}" + "".join(f"{name:>13}" for name, *_ in BELIEFS) + "   log score  as stated")
    for name, score in by_set.items():
        weight = weights({other: s for other, s in by_set.items() if other != name})
        cells = "".join(f"{w:13.2f}" for w in weight)
        print(f"{name:<24}{cells}{reached(score, weight):12.3f}{reached(score, stated):10.3f}")
    weight = weights(by_set)
    print(f"{'none':<24}" + "".join(f"{w:13.2f}" for w in weight))


if __name__ == "__main__":
    main()
