"""Make `laws/forecasting/prior.json`: the beliefs of the forecaster and how much each is worth before a
curve is seen.

    python -m tests.benchmarks.prior --write           states the beliefs below and their weights: what ships
    python -m tests.benchmarks.prior --measure         what weights curves measured elsewhere would give them
    python -m tests.benchmarks.prior --measure-sweeps  what weights the sweeps would give them whose laws ship

The weights that are measured maximize the log score of scales that the beliefs did not see: the benchmark's
scored ones (`tests/benchmarks/forecast.py` says where they are), every set counting as at most ten curves;
or of every law that ships the next one or two shards, foretold from the first three, four and five. For
each set, or domain, the weights that all *others* would give are printed, with the log score they reach on
it beside that of the stated ones: weights are worth shipping only where they win on sets that they have not
seen.
"""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from math import log
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from laws.forecasting.drift import PARAMETERS
from laws.forecasting.priors import Origin, bundled_prior
from laws.forecasting.stacking import log_scores, usable_components
from laws.points import Points
from tests.benchmarks.bundled import every_cut
from tests.benchmarks.forecast import HERE, Case, cases, folder

Array = NDArray[np.float64]
Own = dict[str, tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Belief:
    """One belief as it is stated: what it weighs for curves of each origin, where it differs from COMMON."""

    name: str
    form: str
    elsewhere: float
    sweep: float
    odds: bool = False
    own: Own = field(default_factory=dict)  # parameter -> mean and sd


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
FROM_THE_START: Own = {"onset": (-5.0, 1.0)}
STEADY: Own = {"onset": (-4.0, 1.0), "drift": (log(0.02), 0.6), "shared": (0.0, 1.0)}
SATURATING: Own = {"floor": (1.0, 1.0)}
NO_FLOOR: Own = {"floor": (-2.5, 1.5)}
ACCELERATING: Own = {"bend": (log(0.45), 0.6), "floor": (-1.5, 1.5)}
PLATEAU: Own = {"bend": (log(1.15), 0.6), "floor": (1.0, 1.0)}
# near best guessing odds fall faster than published errors do, and little of them is floor
ODDS: Own = {"exponent": (log(0.7), 0.8), "floor": (-2.0, 1.5)}
OF_ODDS = "power law of odds"
BELIEFS = (
    Belief(name="power-floor", form="power-floor", elsewhere=0.35, sweep=0.15, own=FROM_THE_START),
    Belief(name="three-phase", form="three-phase", elsewhere=0.35, sweep=0.25),
    Belief(name="saturating", form="three-phase", elsewhere=0.05, sweep=0.05, own=SATURATING),
    Belief(name="no-floor", form="three-phase, no floor", elsewhere=0.05, sweep=0.1, own=NO_FLOOR),
    Belief(name="steady", form="power-floor, no drift", elsewhere=0.05, sweep=0.05, own=STEADY),
    Belief(
        name="clean",
        form="power-floor, no drift",
        elsewhere=0.05,
        sweep=0.05,
        own=STEADY | {"noise": (log(0.002), 1.0)},
    ),
    Belief(
        name="accelerating",
        form="stretched exponential",
        elsewhere=0.05,
        sweep=0.35,
        own=FROM_THE_START | ACCELERATING,
    ),
    Belief(
        name="plateau", form="stretched exponential", elsewhere=0.05, sweep=0.05, own=FROM_THE_START | PLATEAU
    ),
    # together as much as all others, where the error of best guessing is known
    Belief(name="odds", form=OF_ODDS, elsewhere=0.45, sweep=0.45, odds=True, own=ODDS | FROM_THE_START),
    Belief(name="odds-three-phase", form=OF_ODDS, elsewhere=0.45, sweep=0.45, odds=True, own=ODDS),
    Belief(name="odds-saturating", form=OF_ODDS, elsewhere=0.1, sweep=0.1, odds=True, own=ODDS | SATURATING),
)
MOST = 10  # curves that a set may count for
PSEUDO = 20.0  # curves that the stated weights are worth


def scores(case: Case) -> list[float]:
    """Return the mean log density of a curve's scored points under each belief."""
    rows = [row for row in case.question.measured if row[1] > 0]
    x, y = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    se = np.array([r[2] or 0.0 for r in rows]) if any(r[2] for r in rows) else None
    points = Points(x=x, y=y, y_se=se)
    late = np.array([pair for pair in zip(case.question.asked, case.truth, strict=True) if pair[1] > 0])
    if not len(late):
        return np.where(usable_components(points, bundled_prior()), 0.0, -np.inf).tolist()
    told = log_scores(points, Points(x=late[:, 0], y=late[:, 1]), seed=0)
    return [float(v) for v in told]


def foretold(early: Points, late: Points) -> list[float]:
    """Return the mean log density of the next shards of a sweep under each belief."""
    return [float(v) for v in log_scores(early, late, seed=0)]


def weights(by_set: dict[str, Array], stated: Array) -> Array:
    """Return the weights (K,) that maximize the log score over sets, by expectation-maximization."""
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
    """Return the mean log score of weighted beliefs, those about odds left out where they cannot be held."""
    held = np.isfinite(score)
    norm = np.log(np.where(held, weight, 0.0).sum(1))
    return float(np.mean(np.logaddexp.reduce(np.log(weight) + score, axis=1) - norm))


def text() -> str:
    """Return what `laws/forecasting/prior.json` holds."""
    components = []
    for each in BELIEFS:
        both = COMMON | each.own
        values = {key: {"mean": round(both[key][0], 4), "sd": both[key][1]} for key in PARAMETERS}
        weight = {"elsewhere": each.elsewhere, "sweep": each.sweep}
        components.append(
            {"name": each.name, "form": each.form, "odds": each.odds, "weight": weight, "parameters": values}
        )
    made = "python -m tests.benchmarks.prior --write"
    return json.dumps({"made_by": made, "components": components}, indent=1) + "\n"


def measured(origin: Origin, found: Iterable[tuple[str, list[float]]]) -> None:
    """Print the weights that held-out scores would give, each set left out in turn."""
    prior = bundled_prior(origin)
    rows: dict[str, list[list[float]]] = defaultdict(list)
    for name, score in found:
        rows[name].append(score)
    by_set = {name: np.array(score) for name, score in rows.items()}
    stated = prior.weight
    print(f"{'left out':<24}" + "".join(f"{name:>17}" for name in prior.names) + "   log score  as stated")
    for name, score in by_set.items():
        weight = weights({other: s for other, s in by_set.items() if other != name}, stated)
        cells = "".join(f"{w:17.2f}" for w in weight)
        print(f"{name:<24}{cells}{reached(score, weight):12.3f}{reached(score, stated):10.3f}")
    weight = weights(by_set, stated)
    print(f"{'none':<24}" + "".join(f"{w:17.2f}" for w in weight))


def main() -> None:
    """Measure the weights, print them, and with --write store them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--measure-sweeps", action="store_true")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--sample", type=int, default=40, help="at most so many curves of each set")
    options = parser.parse_args()
    if options.write:
        (HERE / "laws" / "prior.json").write_text(text(), encoding="utf-8")
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as workers:
        if options.measure:
            place = folder()
            if place is None:
                sys.exit("no benchmark data: set PLANNER_BENCH to the folder of curves.csv.gz")
            chosen = cases(place / "curves.csv.gz", options.sample)
            found = workers.map(scores, chosen, chunksize=4)
            measured("elsewhere", ((c.question.set, s) for c, s in zip(chosen, found, strict=True)))
        if options.measure_sweeps:
            cuts = list(every_cut())
            found = workers.map(foretold, *zip(*((c.early, c.late) for c in cuts), strict=True), chunksize=4)
            measured("sweep", ((cut.law.domain, s) for cut, s in zip(cuts, found, strict=True)))


if __name__ == "__main__":
    main()
