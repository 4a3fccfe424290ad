"""Fit the utilization model to the published trainings, and write its coefficients as data.

    python -m docs.generators.utilization      # writes planner/hardware/utilization.json

A row of `planner/hardware/trainings.csv` gives a utilization in the step, of the whole run, or both. The
model is linear in the log-odds of the utilization in the step, with effects of the size, the number of
devices, the precision, the kind of model and the family of devices. Reports differ (`report`), so do runs of
one report (`run`); mixtures of experts and models below a billion parameters differ more. What a whole run
reached is divided by the middle of the working time, and counts as less certain by the width of its band.

Everything is Gaussian, so coefficients and their covariance are in closed form; the spreads maximize the
marginal likelihood. Notation: X features, y log-odds, V covariance of the rows, B prior variances.
"""

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from planner import assumptions
from planner.hardware.accelerators import catalog
from planner.hardware.utilization import FEATURES, features

HARDWARE = Path(__file__).parents[2] / "planner" / "hardware"
TRAININGS = HARDWARE / "trainings.csv"
COEFFICIENTS = HARDWARE / "utilization.json"

FAMILIES = {
    "volta": ("v100-sxm2-16", "v100-sxm2-32", "v100-pcie-16", "v100-pcie-32"),
    "ampere": ("a100-40-sxm", "a100-40-pcie", "a100-80-sxm", "a100-80-pcie", "a800-80"),
    "hopper": ("h100-sxm", "h100-pcie", "h100-nvl", "h800", "h20", "h20-141", "h200", "gh200"),
    "blackwell": ("b200", "b300", "gb200", "gb300"),
    "mi250x": ("mi250", "mi250x"),
    "tpu-v3": ("tpu-v3",),
    "tpu-v4": ("tpu-v4",),
    "tpu-v5e": ("tpu-v5e",),
    "tpu-v5p": ("tpu-v5p",),
    "tpu-v7x": ("tpu-v7x",),
    "gaudi2": ("gaudi2",),
}
# Only in the fit: the rows differ in these, and a plan is of a training of a transformer.
NUISANCES = ("convolution", "benchmark")
NAMES = (*FEATURES, *NUISANCES, *FAMILIES)
PRIOR_SD = dict(zip((*FEATURES, *NUISANCES), (1.5, 0.5, 0.7, 0.1, 0.5, 0.7, 0.7, 0.7, 0.5), strict=True))
PRIOR_CENTER = -0.7  # log-odds: a third of the peak
SPREADS = ("report", "run", "family", "mixture", "small")
START = (0.3, 0.2, 0.3, 0.2, 0.2)
MONTH_HOURS = 720.0  # a run without a device count counts as one month
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """The published utilizations as arrays, one entry per figure."""

    run: list[str]
    report: npt.NDArray[np.str_]
    training: npt.NDArray[np.bool_]  # not a benchmark
    whole: npt.NDArray[np.bool_]  # of the whole run, not of the step
    value: Array
    X: Array
    y: Array


def published() -> list[dict[str, str]]:
    """Return the rows of the published trainings."""
    with TRAININGS.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def figures(row: dict[str, str]) -> dict[str, float]:
    """Return the utilization of a row, in the step and of the whole run, by 6 N D where it can be counted."""
    peak = catalog()[row["accelerator"]].peak_at(row["precision"])
    params = float(row["params"])
    found = {}
    if row["tokens_per_second"]:
        found["step"] = 6 * params * float(row["tokens_per_second"]) / peak
    elif row["utilization"]:
        found["step"] = float(row["utilization"])
    if row["gpu_hours"]:
        found["whole"] = 6 * params * float(row["tokens"]) / (float(row["gpu_hours"]) * 3600 * peak)
    return found


def working_time() -> tuple[float, float]:
    """Return the middle of the working time and the spread of its logarithm."""
    band = assumptions.defaults()["working_time"]
    middle = (band.low + band.high) / 2
    return middle, (band.high - band.low) / math.sqrt(12) / middle


def rows() -> Rows:
    """Return every published utilization."""
    family_of = {id: family for family, ids in FAMILIES.items() for id in ids}
    working, _ = working_time()
    table = [(row, kind, value) for row in published() for kind, value in figures(row).items()]
    X, y = [], []
    for row, kind, value in table:
        count = float(row["count"]) if row["count"] else float(row["gpu_hours"]) / MONTH_HOURS
        x = features(
            float(row["params"]), count, precision=row["precision"], mixture=row["kind"] == "mixture"
        )
        x += (float(row["kind"] == "convolution"), float(row["setting"] == "benchmark"))
        X.append([*x, *(float(family_of[row["accelerator"]] == family) for family in FAMILIES)])
        share = value / working if kind == "whole" else value
        y.append(math.log(share / (1 - share)))
    return Rows(
        run=[row["run"] for row, _, _ in table],
        report=np.array([row["report"] for row, _, _ in table]),
        training=np.array([row["setting"] == "training" for row, _, _ in table]),
        whole=np.array([kind == "whole" for _, kind, _ in table]),
        value=np.array([value for _, _, value in table]),
        X=np.array(X),
        y=np.array(y),
    )


def covariance(data: Rows, spreads: Sequence[float]) -> tuple[Array, Array]:
    """Return the covariance of the rows around the line, and the prior variances of the coefficients."""
    report, run, family, mixture, small = spreads
    same = (data.report[:, None] == data.report[None, :]).astype(float)
    is_mixture = data.X[:, FEATURES.index("mixture")]
    below = -data.X[:, FEATURES.index("small")]
    _, working_sd = working_time()
    # what a mixture adds is half of the report (its software) and half of the run (its shape)
    V = same * (report**2 + np.outer(is_mixture, is_mixture) * mixture**2 / 2)
    own = run**2 + is_mixture * mixture**2 / 2 + (small * below) ** 2 + data.whole * working_sd**2
    return V + np.diag(own), np.array([*(sd**2 for sd in PRIOR_SD.values()), *[family**2] * len(FAMILIES)])


def _prior_mean() -> Array:
    return np.array([PRIOR_CENTER if name == "one" else 0.0 for name in NAMES])


def posterior(data: Rows, spreads: Sequence[float], kept: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """Return mean and covariance of the coefficients by the rows that are kept."""
    V, B = covariance(data, spreads)
    X, start = data.X[kept], _prior_mean()
    weighted = np.linalg.solve(V[np.ix_(kept, kept)], X)
    P = np.linalg.inv(X.T @ weighted + np.diag(1 / B))
    return start + P @ (weighted.T @ (data.y[kept] - X @ start)), P


def fit_spreads(data: Rows, kept: npt.NDArray[np.bool_]) -> tuple[float, ...]:
    """Return the spreads that make the rows most likely, with a weak prior around `START`."""
    X, residual = data.X[kept], (data.y - data.X @ _prior_mean())[kept]

    def loss(logs: Array) -> float:
        V, B = covariance(data, np.exp(logs).tolist())
        L = np.linalg.cholesky(V[np.ix_(kept, kept)] + (X * B) @ X.T)
        e = np.linalg.solve(L, residual)
        far = (logs - np.log(START)) / 0.7
        return float(e @ e / 2 + np.log(np.diag(L)).sum() + far @ far / 2)

    options = {"maxiter": 400, "xatol": 1e-3, "fatol": 1e-4}
    return tuple(np.exp(minimize(loss, np.log(START), method="Nelder-Mead", options=options).x).tolist())


def left_out(data: Rows, report: str, spreads: Sequence[float]) -> Array:
    """Return the standardized residuals of a report, predicted from all others.

    With the quantiles of a normal distribution: the 90 % interval holds a residual below 1.645.
    """
    out = data.report == report
    mean, P = posterior(data, spreads, ~out)
    V, _ = covariance(data, spreads)
    X = data.X[out]
    sd = np.sqrt(np.einsum("ij,jk,ik->i", X, P, X) + np.diag(V)[out])
    z: Array = (data.y[out] - X @ mean) / sd
    return z


def main() -> None:
    """Fit the model and write its coefficients."""
    data = rows()
    everything = np.ones(len(data.y), dtype=bool)
    spreads = fit_spreads(data, everything)
    mean, P = posterior(data, spreads, everything)
    model = {
        "about": "fitted by docs/generators/utilization.py to trainings.csv",
        "figures": len(data.y),
        "reports": len(set(data.report.tolist())),
        "names": list(NAMES),
        "mean": [round(float(value), 5) for value in mean],
        "covariance": [[round(float(value), 6) for value in row] for row in P],
        "spreads": {name: round(value, 4) for name, value in zip(SPREADS, spreads, strict=True)},
        "families": {id: family for family, ids in FAMILIES.items() for id in ids},
    }
    lines = ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in model.items())
    COEFFICIENTS.write_text("{\n" + lines + "\n}\n", encoding="utf-8")
    for name, value, sd in zip(NAMES, mean, np.sqrt(np.diag(P)), strict=True):
        print(f"{name:12} {value:+.3f} ± {sd:.3f}")
    z = np.concatenate([left_out(data, report, spreads) for report in sorted(set(data.report.tolist()))])
    print(f"{len(z)} figures; a 90 % interval holds {np.mean(np.abs(z) < 1.645):.1%} of those left out")


if __name__ == "__main__":
    main()
