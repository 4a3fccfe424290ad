"""Back-test joint laws on published ladders: fit the smaller runs, forecast the larger ones.

    python -m tests.benchmarks.ladders

Reads `chinchilla.csv`, `porian2024_isoflops.csv.gz` and every ladder `*.csv` with columns params, tokens and
loss from $PLANNER_BENCH or the sibling folder `shared/bench`, and prints a table. The runs within a factor of
the largest compute (parameters times data) are left out. The table says how many of them are inside the 90 %
interval, with and without the drift of `laws/forecasting/joint_drift.py`, the bias and the interval score.
The rival is the same form fitted by least squares of log L with a Huber loss, and 100 bootstrap samples of
the runs, as most people do it.
"""

import csv
import gzip
import os
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

from laws.errors import LawError
from laws.fitting.fit import fit
from laws.fitting.forms import FORMS
from laws.fitting.noise import MIN_NOISE
from laws.forecasting.joint_drift import drift_factor, drift_rates
from laws.points import check_points

TIMES = (4, 10, 30, 100)  # the runs within this factor of the largest compute are left out
MIN_KEPT = 8
BOOTSTRAPS = 100
HUBER = 1e-3


def ladders(folder: Path) -> dict[str, np.ndarray]:
    """Return the ladders of a folder: name -> (runs, 3) of parameters, data and loss."""
    rows = defaultdict(list)
    with (folder / "chinchilla.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["excluded_by_epoch"] == "0":
                rows["chinchilla"].append((row["N"], row["D"], row["loss"]))
    with gzip.open(folder / "porian2024_isoflops.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            if row["N"] and row["tokens"] and row["loss"]:
                name = f"porian2024 {row['hparams']}, {row['warmup']}, {row['decay']}"
                rows[name].append((row["N"], row["tokens"], row["loss"]))
    for path in sorted((folder.parent / "cases").glob("openlm*.csv")):
        with path.open(encoding="utf-8") as file:
            rows[path.stem] += [(r["params"], r["tokens"], r["loss"]) for r in csv.DictReader(file)]
    return {name: np.array(of_ladder, float) for name, of_ladder in rows.items()}


def rival(x: np.ndarray, y: np.ndarray, at: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return bootstrap samples (n, m) of log L at some runs."""
    logs, target = np.log(x), np.log(y)

    def log_loss(theta: np.ndarray, where: np.ndarray) -> np.ndarray:
        terms = [
            np.full(len(where), theta[0]),
            theta[1] - theta[2] * where[:, 0],
            theta[3] - theta[4] * where[:, 1],
        ]
        return np.logaddexp.reduce(terms)

    def fitted(rows: np.ndarray, start: np.ndarray) -> np.ndarray:
        residual = lambda theta: log_loss(theta, logs[rows]) - target[rows]  # noqa: E731 - two lines long
        return least_squares(residual, start, loss="huber", f_scale=HUBER, max_nfev=2000).x

    best = fitted(np.arange(len(y)), np.array([0.5, 6.0, 0.34, 6.0, 0.28]))
    samples = [fitted(rng.integers(len(y), size=len(y)), best) for _ in range(BOOTSTRAPS)]
    return np.array([log_loss(theta, np.log(at)) for theta in samples])


def scored(samples: np.ndarray, y: np.ndarray) -> tuple[float, float, float]:
    """Return the share inside the 90 % interval, the median of log (y / median), and the interval score."""
    low, middle, high = np.quantile(samples, (0.05, 0.5, 0.95), axis=0)
    target = np.log(y)
    missed = np.maximum(0, np.maximum(low - target, target - high))
    inside = (low <= target) & (target <= high)
    return float(inside.mean()), float(np.median(target - middle)), float((high - low + 20 * missed).mean())


def main() -> None:
    """Print the table."""
    folder = Path(os.environ.get("PLANNER_BENCH", Path(__file__).parents[2].parent / "shared" / "bench"))
    if not (folder / "chinchilla.csv").exists():
        sys.exit("no benchmark data: set PLANNER_BENCH to the folder of chinchilla.csv")
    rng = np.random.default_rng(0)
    total = defaultdict(list)
    print("| ladder | left out: within | runs | drift: inside, bias, score | without | Huber, bootstrap |")
    print("| --- | ---: | ---: | --- | --- | --- |")
    for name, runs in ladders(folder).items():
        compute = runs[:, 0] * runs[:, 1]
        for times in TIMES:
            kept = compute <= compute.max() / times
            if kept.sum() < MIN_KEPT or kept.all():
                continue
            x, y, at, late = runs[kept, :2], runs[kept, 2], runs[~kept, :2], runs[~kept, 2]
            try:
                parameters = fit(check_points(x, y), "surface", seed=0).parameters
            except LawError as error:
                print(f"| {name} | {times} | {len(late)} | {error.code} | | |")
                continue
            middle = FORMS["surface"].log_y(at, parameters)
            scale = np.hypot(parameters["scale"], MIN_NOISE)[:, None]
            noise = scale * rng.standard_t(parameters["degrees"][:, None], middle.shape)
            decades = np.log([drift_factor(1.0, c, compute[kept].max()) for c in at.prod(1)])
            drift = np.array(drift_rates(len(middle)))[:, None] * decades
            results = [
                scored(middle + drift + noise, late),
                scored(middle + noise, late),
                scored(rival(x, y, at, rng), late),
            ]
            cells = [f"{inside:.0%}, {bias:+.1%}, {score:.3f}" for inside, bias, score in results]
            print(f"| {name} | {times} | {len(late)} | {' | '.join(cells)} |", flush=True)
            total[name].append(results)
    means = np.mean([np.mean(results, axis=0) for results in total.values()], axis=0)
    cells = [f"{inside:.0%}, {bias:+.1%}, {score:.3f}" for inside, bias, score in means]
    print(f"| all ladders counting alike | | | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
