"""Judge the forecaster on curves that other people measured, beside the usual least-squares fits.

    python -m tests.benchmarks.forecast [--sample N] [--out FILE] [--markdown FILE]

Reads `curves.csv.gz` (columns set, curve, x, y, y_se, split) from $PLANNER_BENCH or the sibling folder
`shared/bench`. Every curve is fitted on its rows `fit` and forecast at its rows `score`. The rivals are the
power law (M1), power law with floor (M2), the sigmoid-like law of Alabdulmohsin et al. 2022 (M4) and the
broken law of Caballero et al. 2022 with one break (BNSL), by least squares on log y from many starts, with
the residuals' Student-t as interval.
"""

import argparse
import csv
import gzip
import math
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from planner.reports.progress_line import ProgressLine
from planner.sources.extrapolate import LEVELS, Question, answered

Array = NDArray[np.float64]
HERE = Path(__file__).resolve().parents[2]
# rmsle that a forecaster worth planning with reaches, by set
WANTED = {
    "alabdulmohsin2022-BB": 0.010,
    "alabdulmohsin2022-IC": 0.022,
    "alabdulmohsin2022-LM": 0.0010,
    "double-descent": 0.028,
    "hestness2017": 0.05,
    "hoiem2021": 0.012,
    "lcdb11-A": 0.085,
    "nanogpt-width": 0.015,
    "porian2024-frontier": 0.006,
}


@dataclass(frozen=True)
class Case:
    """A curve of the benchmark: the question, and the truth at the scales that are asked."""

    question: Question
    truth: tuple[float, ...]


def folder() -> Path | None:
    """Return the folder of the benchmark's data, None where there is none."""
    places = [Path(os.environ["PLANNER_BENCH"])] if "PLANNER_BENCH" in os.environ else []
    places.append(HERE.parent / "shared" / "bench")
    return next((place for place in places if (place / "curves.csv.gz").is_file()), None)


def cases(path: Path, sample: int | None = None) -> list[Case]:
    """Return the curves of the benchmark; with `sample`, at most so many of each set, evenly spread."""
    fit: dict[tuple[str, str], list[tuple[float, float, float | None, float | None]]] = defaultdict(list)
    score: dict[tuple[str, str], dict[str, tuple[float, float]]] = defaultdict(dict)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            key, x, y = (row["set"], row["curve"]), float(row["x"]), float(row["y"])
            if row["split"] == "score":
                score[key].setdefault(f"{x:.6g}", (x, y))
            else:
                fit[key].append((x, y, float(row["y_se"]) if row["y_se"] else None, None))
    by_set: dict[str, list[Case]] = defaultdict(list)
    for key, rows in fit.items():
        asked = sorted(score[key].values())
        question = Question(*key, tuple(sorted(rows, key=lambda r: r[0])), tuple(x for x, _ in asked))
        by_set[key[0]].append(Case(question, tuple(y for _, y in asked)))
    chosen = []
    for group in by_set.values():
        n = len(group) if sample is None else min(sample, len(group))
        chosen += [group[i] for i in np.unique(np.linspace(0, len(group) - 1, n).round().astype(int))]
    return chosen


def measures(truth: Array, quantiles: Array) -> dict[str, float]:
    """Return the measures of one curve: truth (m,), quantiles (m, 5) in the order of LEVELS.

    The interval score is that of Gneiting and Raftery 2007, equation 43, on log y.
    """
    with np.errstate(divide="ignore"):
        y, (low, q25, median, q75, high) = np.log(truth), np.log(quantiles).T
    miss = np.maximum(low - y, 0) + np.maximum(y - high, 0)
    return {
        "rmsle": float(np.sqrt(np.mean((median - y) ** 2))),
        "cov50": float(np.mean((y >= q25) & (y <= q75))),
        "cov90": float(np.mean((y >= low) & (y <= high))),
        "width90": float(np.mean(high - low)),
        "iscore90": float(np.mean(high - low + 20 * miss)),
    }


def table(judged: list[tuple[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Return the unweighted means of the measures over the curves of each set."""
    sets = sorted({name for name, _ in judged})
    return {
        name: {"curves": float(sum(s == name for s, _ in judged))}
        | {key: float(np.mean([m[key] for s, m in judged if s == name])) for key in judged[0][1]}
        for name in sets
    }


def m1(t: Array, p: Array) -> Array:
    """Return log y of a power law."""
    return np.asarray(p[0] - p[1] * t)


def m2(t: Array, p: Array) -> Array:
    """Return log y of a power law with a floor."""
    return np.logaddexp(p[0] - p[1] * t, p[2])


def m4(t: Array, p: Array) -> Array:
    """Return log y of (y − γ)/(c − y)^a = b·x^−β: Alabdulmohsin et al. 2022, arXiv:2209.06640, equation 3."""
    gap, power = p[3], np.exp(np.clip(p[4], -6, 3))

    def left(u: Array) -> Array:  # log of the left side; u is the logit of (y − γ)/(c − γ)
        return np.asarray((1 - power) * gap - np.logaddexp(0, -u) + power * np.logaddexp(0, u))

    target = p[0] - p[1] * t
    grid = np.linspace(-40, 40, 401)
    u = np.interp(target, left(grid), grid)
    for _ in range(3):
        share = 1 / (1 + np.exp(-u))
        u = np.clip(u - (left(u) - target) / (1 - share + power * share), -40, 40)
    return np.asarray(np.logaddexp(p[2], gap - np.logaddexp(0, -u)))


def bnsl(t: Array, p: Array) -> Array:
    """Return log y of the broken law with one break: arXiv:2210.14891, equation 1."""
    width = np.exp(np.clip(p[5], -4, 2))
    bend = width * np.logaddexp(0, (t - p[4]) / width)
    return np.logaddexp(p[0] - p[1] * t - p[3] * bend, p[2])


def _starts(name: str, t: Array, y: Array) -> list[Array]:
    """Return places to start least squares from, read off the data."""
    low, span = math.log(y.min()), t[-1] - t[0]
    starts = []
    for share in (0.05, 0.5, 0.9):
        for slope in (0.1, 0.4, 1.0):
            first = math.log(max(y[0] - share * y.min(), 1e-9)) + slope * t[0]
            floor = low + math.log(share)
            if name == "M2":
                starts.append(np.array([first, slope, floor]))
            elif name == "M4":
                starts.append(np.array([first, slope, floor, math.log(y.max() * 1.05), -1.0]))
            else:
                starts += [
                    np.array([first, slope / 2, floor, slope / 2, t[0] + where * span, -0.7])
                    for where in (0.3, 0.7)
                ]
    return starts


def least_squares_forecast(case: Case) -> dict[str, list[list[float]]]:
    """Return the quantiles (m, 5) of each rival: the fitted law, and Student-t noise of its residuals."""
    from scipy.optimize import least_squares
    from scipy.special import stdtrit

    rows = [row for row in case.question.measured if row[1] > 0]
    x, y = np.array([r[0] for r in rows]), np.array([r[1] for r in rows])
    origin = math.log(x[0])
    t, log_y, asked = np.log(x) - origin, np.log(y), np.log(np.array(case.question.asked)) - origin
    found: dict[str, list[list[float]]] = {}
    forms: dict[str, Callable[[Array, Array], Array]] = {"M1": m1, "M2": m2, "M4": m4, "BNSL": bnsl}
    for name, form in forms.items():

        def residual(p: Array, form: Callable[[Array, Array], Array] = form) -> Array:
            with np.errstate(all="ignore"):
                return np.nan_to_num(form(t, p) - log_y, nan=1e3, posinf=1e3, neginf=-1e3)

        if name == "M1":
            slope, level = np.polyfit(t, log_y, 1) if len(np.unique(t)) > 1 else (0.0, log_y.mean())
            best = np.array([level, -slope])
        else:
            starts = sorted(_starts(name, t, y), key=lambda p: float(np.sum(residual(p) ** 2)))[:3]
            fits = [least_squares(residual, p, max_nfev=100) for p in starts]
            best = min(fits, key=lambda f: float(f.cost)).x
        free = max(len(y) - len(best), 1)
        sd = max(math.sqrt(float(np.sum(residual(best) ** 2)) / free), 1e-6)
        with np.errstate(all="ignore"):
            middle = np.nan_to_num(form(asked, best), nan=log_y[-1], posinf=50.0, neginf=-50.0)
        offsets = np.array([sd * stdtrit(free, level) for level in LEVELS.values()])
        found[name] = np.exp(np.clip(middle[:, None] + offsets, -60, 60)).tolist()
    return found


def show(name: str, rows: dict[str, dict[str, float]]) -> None:
    """Print one table."""
    print(f"\n{name:<24}{'curves':>7}{'rmsle':>9}{'cov50':>8}{'cov90':>8}{'width90':>9}{'iscore90':>10}")
    for group, m in rows.items():
        print(
            f"{group:<24}{m['curves']:>7.0f}{m['rmsle']:>9.4f}{m['cov50']:>8.3f}{m['cov90']:>8.3f}"
            f"{m['width90']:>9.4f}{m['iscore90']:>10.4f}"
        )


def markdown(tables: dict[str, dict[str, dict[str, float]]]) -> str:
    """Return the tables as Markdown: ours with what is wanted, then everybody's rmsle and interval score."""

    def cell(value: float) -> str:
        return f"{value:.4f}".lstrip("0") if value < 0.1 else f"{value:.3f}".lstrip("0")

    ours, rivals = tables["planner"], [name for name in tables if name != "planner"]
    lines = [
        "| set | curves | rmsle | wanted | inside 50 % | inside 90 % | interval score | of the best rival's |"
    ]
    lines.append("|---|" + "--:|" * 7)
    for name, m in ours.items():
        best = min((tables[rival][name]["iscore90"], rival) for rival in rivals)
        wanted = cell(WANTED[name]) if name in WANTED else "–"
        covered = f"{m['cov50']:.2f} | {m['cov90']:.2f}"
        share = f"{m['iscore90'] / best[0]:.2f} of {best[1]}"
        row = (name, f"{m['curves']:.0f}", cell(m["rmsle"]), wanted, covered, cell(m["iscore90"]), share)
        lines.append(f"| {' | '.join(row)} |")
    lines += ["", "| set | " + " | ".join(tables) + " |", "|---|" + "---|" * len(tables)]
    for name in ours:
        cells = (f"{cell(t[name]['rmsle'])}, {cell(t[name]['iscore90'])}" for t in tables.values())
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sample", type=int, help="at most so many curves of each set")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="write the forecasts to this CSV file")
    parser.add_argument(
        "--markdown", type=Path, help="write the tables of docs/research/accuracy.md to this file"
    )
    parser.add_argument("--journal", type=Path, help="keep what is finished here, and go on from it")
    options = parser.parse_args()
    place = folder()
    if place is None:
        sys.exit("no benchmark data: set PLANNER_BENCH to the folder of curves.csv.gz")
    chosen = cases(place / "curves.csv.gz", options.sample)

    start = time.perf_counter()
    answers = answered(
        [case.question for case in chosen],
        seed=options.seed,
        processes=options.processes,
        journal=options.journal,
        tell=ProgressLine(),
    )
    took = time.perf_counter() - start
    ours = [
        (case.question.set, measures(np.array(case.truth), np.array(answer.quantiles)))
        for case, answer in zip(chosen, answers, strict=True)
    ]
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as workers:
        rivals = list(workers.map(least_squares_forecast, chosen, chunksize=8))
    tables = {"planner": table(ours)}
    for name in rivals[0]:
        judged = [
            (case.question.set, measures(np.array(case.truth), np.array(rival[name])))
            for case, rival in zip(chosen, rivals, strict=True)
        ]
        tables[name] = table(judged)
    for name, rows in tables.items():
        show(name, rows)

    overall = {key: float(np.mean([m[key] for _, m in ours])) for key in ("cov50", "cov90")}
    print(f"\nall {len(ours)} curves: cov50 {overall['cov50']:.3f}, cov90 {overall['cov90']:.3f}")
    print("interval score as a share of the best rival's:")
    for group in tables["planner"]:
        best = min((tables[name][group]["iscore90"], name) for name in rivals[0])
        print(f"  {group:<24}{tables['planner'][group]['iscore90'] / best[0]:6.2f} of {best[1]}")
    print(f"{took:.0f} s for {len(chosen)} curves in {options.processes} processes")
    if options.markdown:
        options.markdown.write_text(markdown(tables), encoding="utf-8")
    if options.out:
        with options.out.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["set", "curve", "x", *LEVELS])
            for case, answer in zip(chosen, answers, strict=True):
                q = case.question
                for x, row in zip(q.asked, answer.quantiles, strict=True):
                    writer.writerow([q.set, q.curve, f"{x:.12g}", *row])


if __name__ == "__main__":
    main()
