"""What a fit costs, beside least squares, a plain emcee fit and a package from PyPI in the same run.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.fit [--repeats 3]

CPU seconds of this process on one core, the median over `--repeats` data sets. *curve*: 10 points of
2·m^-0.3 + 0.05 with 2 % noise; *surface*: 60 runs of 1.69 + 406/N^0.34 + 410/D^0.28, 1 % noise. "sampling"
is emcee's part of our fit, "per 1,000" what 1,000 effective draws of it cost (the smaller of bulk and tail).
The plain fit is what one writes first: natural parameters, flat bounded priors, 32 walkers, stretch moves,
1,500 steps. simple-scaling-laws 0.2.0 (bootstrap, 200 draws) takes part where it is installed.
"""

import argparse
import sys
import time
from collections.abc import Callable
from statistics import median

import emcee
import numpy as np
from scipy.optimize import curve_fit

from laws.fitting import fit as fits
from laws.fitting import sampler
from laws.fitting.diagnostics import effective_sizes
from laws.points import Points, check_points

X = np.geomspace(1e3, 5e5, 10)
PAIRS = np.array([[n, d] for n in np.geomspace(3e7, 3e9, 6) for d in np.geomspace(6e8, 6e10, 10)])


def curve(seed: int) -> Points:
    noise = np.random.default_rng(seed).standard_normal(len(X))
    return check_points(X, (2 * X**-0.3 + 0.05) * np.exp(0.02 * noise))


def surface(seed: int) -> Points:
    noise = np.random.default_rng(seed).standard_normal(len(PAIRS))
    loss = 1.69 + 406 / PAIRS[:, 0] ** 0.34 + 410 / PAIRS[:, 1] ** 0.28
    return check_points(PAIRS, loss * np.exp(0.01 * noise))


def log_curve(x, log_alpha, beta, gamma):
    return np.log(np.exp(log_alpha - beta * np.log(x)) + np.maximum(gamma, 1e-12))


def log_surface(x, e, *powers):
    log_a, a, log_b, b = powers
    terms = np.exp(log_a - a * np.log(x[:, 0])) + np.exp(log_b - b * np.log(x[:, 1]))
    return np.log(np.maximum(e, 1e-12) + terms)


CASES = {
    "curve": (curve, "power-floor", log_curve, [0.0, 0.3, 0.02], [(-20, 20), (0, 3), (0, 1)]),
    "surface": (
        surface,
        "surface",
        log_surface,
        [1.5, 6.0, 0.3, 6.0, 0.3],
        [(0, 10), (-20, 30), (0, 3), (-20, 30), (0, 3)],
    ),
}


def ours(points: Points, form: str, seed: int) -> dict[str, float]:
    """Return CPU seconds of the whole fit and of emcee's part, and its effective draws."""
    spent = 0.0
    inner = sampler.sample

    def timed(*args, **options):
        nonlocal spent
        start = time.process_time()
        chain = inner(*args, **options)
        spent = time.process_time() - start
        return chain

    sampler.sample = timed
    try:
        start = time.process_time()
        posterior = fits.fit(points, form, seed=seed)
        total = time.process_time() - start
    finally:
        sampler.sample = inner
    draws = min(posterior.diagnostics["ess_bulk"], posterior.diagnostics["ess_tail"])
    return {"total": total, "sampling": spent, "draws": draws, "per 1,000": 1000 * spent / draws}


def plain(points: Points, log_model: Callable, start: list[float], bounds: list[tuple[float, float]]) -> dict:
    """Return what the plain fit costs: one walker at a time, as emcee's first tutorial does it."""
    log_y = np.log(points.y)
    low, high = np.array([*bounds, (-12, 2)]).T

    def log_density(z):
        if np.any(z < low) or np.any(z > high):
            return -np.inf
        with np.errstate(all="ignore"):
            residual = (log_y - log_model(points.x, *z[:-1])) / np.exp(z[-1])
            value = -0.5 * residual @ residual - len(log_y) * z[-1]
        return value if np.isfinite(value) else -np.inf

    begin = time.process_time()
    center = np.append(curve_fit(log_model, points.x, log_y, start, maxfev=20000)[0], np.log(0.02))
    walkers = np.clip(
        center * (1 + 1e-3 * np.random.default_rng(0).standard_normal((32, len(center)))), low, high
    )
    chain = emcee.EnsembleSampler(32, len(center), log_density, moves=emcee.moves.StretchMove())
    chain.run_mcmc(emcee.State(walkers, random_state=np.random.RandomState(0).get_state()), 1500)
    total = time.process_time() - begin
    draws = min(effective_sizes(chain.get_chain(discard=300)))
    return {"total": total, "sampling": total, "draws": draws, "per 1,000": 1000 * total / draws}


def least_squares(points: Points, log_model: Callable, start: list[float]) -> dict[str, float]:
    begin = time.process_time()
    curve_fit(log_model, points.x, np.log(points.y), start, maxfev=20000)
    return {"total": time.process_time() - begin}


def peer(points: Points) -> dict[str, float]:
    """Return what simple-scaling-laws costs on a table of runs; ImportError where it is not installed."""
    import polars as pl
    from simple_scaling_laws import fit

    columns = {"training_run_id": [str(i) for i in range(len(points))], "test_loss__y": points.y}
    if points.x.ndim == 1:
        columns["dataset_size__x"] = points.x
    else:
        columns["model_size__n"], columns["dataset_size__d"] = points.x.T
    begin = time.process_time()
    fit(pl.DataFrame(columns), law="separable-power", n_draws=200, seed=0)
    return {"total": time.process_time() - begin}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=3, help="data sets of each case (default 3)")
    repeats = parser.parse_args().repeats
    ours(curve(99), "power-floor", 0)  # imports and first calls are not what is measured
    print(f"{'case':8} {'who':22} {'CPU s':>8} {'sampling':>9} {'draws':>8} {'per 1,000':>10} {'ratio':>7}")
    for case, (points_of, form, model, start, bounds) in CASES.items():
        ways = {
            "this project": lambda p, s, form=form: ours(p, form, s),
            "scipy least squares": lambda p, _, m=model, s0=start: least_squares(p, m, s0),
            "plain emcee": lambda p, _, m=model, s0=start, b=bounds: plain(p, m, s0, b),
            "simple-scaling-laws": lambda p, _: peer(p),
        }
        base = 0.0
        for who, way in ways.items():
            try:
                rows = [way(points_of(seed), seed) for seed in range(repeats)]
            except ImportError as missing:
                print(f"{case:8} {who:22} left out: {missing}", flush=True)
                continue
            cost = {key: median(row[key] for row in rows) for key in rows[0]}
            base = base or cost["total"]
            print(
                f"{case:8} {who:22} {cost['total']:8.4f} "
                + (
                    f"{cost['sampling']:9.3f} {cost['draws']:8.0f} {cost['per 1,000']:10.3f} "
                    if len(cost) > 1
                    else " " * 30
                )
                + f"{cost['total'] / base:6.2f}x",
                flush=True,
            )


if __name__ == "__main__":
    sys.exit(main())
