"""Compute how the errors of Besiroglu et al. 2024 go together.

`python -m docs.generators.covariance RUNS.csv` prints the covariance.

The authors print standard errors but no correlations, so their fit is repeated on bootstrap samples of their
240 runs: a Huber loss of the log error with threshold 1e-3 (Hoffmann et al. 2022, section 3.3). RUNS.csv has
the columns N, D, loss and excluded_by_epoch; the runs are not ours to ship, the covariance is a fact. It
belongs into the law `besiroglu2024` of laws/catalog/published.json.
"""

import csv
import json
import math
import sys
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from laws.catalog.published import published_law

HUBER = 1e-3
SAMPLES = 4000  # as many as the authors took
STEPS = np.array([0.01, 0.3, 0.015, 0.5, 0.02])  # the sizes of the errors, so that one step fits all


class Runs:
    """Model sizes, data and losses of all runs, in logarithms."""

    def __init__(self, path: str) -> None:
        with Path(path).open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if row["excluded_by_epoch"] == "0"]
        self.size, self.data, self.loss = (
            np.log([float(row[name]) for row in rows]) for name in ("N", "D", "loss")
        )

    def objective(self, parameters: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the weighted Huber loss and its gradient for log E, log A, a, log B and b."""
        e, log_a, a, log_b, b = parameters
        terms = np.stack([np.full_like(self.size, e), log_a - a * self.size, log_b - b * self.data])
        top = terms.max(0)
        shares = np.exp(terms - top)
        total = shares.sum(0)
        shares /= total
        rest = top + np.log(total) - self.loss
        small = np.abs(rest) <= HUBER
        value = np.where(small, rest**2 / 2, HUBER * (np.abs(rest) - HUBER / 2))
        pull = weights * np.where(small, rest, HUBER * np.sign(rest)) * shares
        gradient = [pull[0], pull[1], -pull[1] * self.size, pull[2], -pull[2] * self.data]
        return 1e3 * float((weights * value).sum()), 1e3 * np.array([one.sum() for one in gradient])

    def fit(self, weights: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Return the parameters of the least loss, searched from `start`."""

        def scaled(steps: np.ndarray) -> tuple[float, np.ndarray]:
            value, gradient = self.objective(start + STEPS * steps, weights)
            return value, gradient * STEPS

        best = minimize(scaled, np.zeros(5), jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 1000})
        return start + STEPS * best.x


def main(path: str) -> None:
    """Print the covariance, and the standard errors next to those that the authors print."""
    runs, law = Runs(path), published_law("besiroglu2024")
    p = law.parameters
    start = np.array([math.log(p["E"]), math.log(p["A"]), p["a"], math.log(p["B"]), p["b"]])
    n = len(runs.loss)
    center = runs.fit(np.ones(n), start)
    rng = np.random.default_rng(0)
    samples = np.array(
        [runs.fit(rng.multinomial(n, np.full(n, 1 / n)).astype(float), center) for _ in range(SAMPLES)]
    )
    samples[:, 0] = np.exp(samples[:, 0])
    for name, error in zip(("E", "log A", "a", "log B", "b"), samples.std(0), strict=True):
        print(f"{name}: {error:.4g}, published {law.errors.get(name, math.nan):.4g}", file=sys.stderr)
    covariance = [[float(f"{value:.8g}") for value in row] for row in np.cov(samples.T)]
    print(json.dumps({"parameters": ["E", "log A", "a", "log B", "b"], "matrix": covariance}))


if __name__ == "__main__":
    main(sys.argv[1])
