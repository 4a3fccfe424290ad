"""What successive halving saves and what it costs, replayed on trainings that reached their end.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.early_stopping FOLDER

Every setting of a few shards and sizes of each domain is trained to its end, half an hour of one core.
What was trained is kept in FOLDER/trained.json and used again. Settings are drawn from it, and the rule is
replayed.
"""

import argparse
import json
import random
from dataclasses import replace
from itertools import product
from pathlib import Path
from statistics import mean

from calibrate.sweep.search import end_trainings
from calibrate.training.early_stopping import RungResults, rungs_reached, too_high
from calibrate.training.train import train
from planner.sources.calibrate import prepare_sweep
from planner.sources.calibrate_request import CalibrationRequest

ADAM = (1e-3, 2e-3, 4e-3, 8e-3)
# domain, family, size, shards, passes, rates, batches
CELLS = (
    ("teacher", "mlp", 16, (512, 4096), 60, (1e-3, 3e-3, 1e-2, 3e-2), (128, 256)),
    ("teacher", "mlp", 64, (512, 4096), 60, (1e-3, 3e-3, 1e-2, 3e-2), (128, 256)),
    ("char-lm", "lstm-adam", 32, (2**15, 2**16), 16, (1e-3, 2e-3, 4e-3, 1e-2), (8, 16, 32)),
    ("char-lm", "lstm-sgd", 32, (2**15, 2**16), 16, (0.2, 0.5, 1.0), (8, 16, 32)),
    ("word-lm", "lstm2", 16, (2**14, 2**15), 8, ADAM, (4, 16)),
    ("translation", "lstm-attention", 32, (2**14,), 8, ADAM, (16, 32)),
    ("translation", "transformer", 32, (2**14,), 8, ADAM, (16, 32)),
    ("image", "resnet10", 8, (2048,), 8, (1e-3, 3e-3, 1e-2, 3e-2), (32, 64)),
    ("speech", "ds2", 64, (1 / 8,), 10, ADAM[:3], (4, 8)),
)
TIMES = 300
Curve = list[tuple[float, float]]  # (share of the planned samples, validation error)


def trained(folder: Path) -> list[list[Curve]]:
    """Return the curves of all settings of each cell."""
    found = []
    for domain, family, size, shards, epochs, rates, batches in CELLS:
        spec, code = prepare_sweep(
            CalibrationRequest(
                domain=domain, preset="quick", families=(family,), data=None, store=folder,
                cache=folder, seed=0, workers=1,
            ),
            lambda text, share: None,
        )  # fmt: skip
        any_ = next(end_trainings(spec))
        for shard in shards:
            curves = []
            for rate, batch in product(rates, batches):
                asked = replace(
                    any_, optimizer="sgd" if family.endswith("sgd") else "adam", size=size, data=shard,
                    epochs=epochs, max_samples=1e12, learning_rate=rate, batch_size=batch,
                )  # fmt: skip
                outcome = train(code, asked, spec.corpus, device="cpu", flops=1.0, time_limit=3600)
                assert outcome.status == "finished", outcome.reason
                curves.append([(seen / asked.planned, error) for seen, error in outcome.history])
            found.append(curves)
    return found


def replayed(curves: list[Curve]) -> tuple[float, int, float]:
    """Return the share saved, how many were stopped, and the best error left over the best of all."""
    standing, spent, left = RungResults(), 0.0, []
    for curve in curves:
        stop = next(
            (
                i
                for i in range(len(curve))
                if too_high(rungs_reached(curve[: i + 1], 1), standing.thresholds())
            ),
            -1,
        )
        standing.add(rungs_reached(curve[: stop + 1] if stop >= 0 else curve, 1))
        spent += curve[stop][0] if stop >= 0 else 1.0
        if stop < 0:
            left.append(min(error for _, error in curve))
    best = min(error for curve in curves for _, error in curve)
    return 1 - spent / len(curves), len(curves) - len(left), min(left) / best


def main() -> None:
    """Train what is not trained yet, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "trained.json"
    if not kept.exists():
        kept.write_text(json.dumps(trained(folder)))
    cells = json.loads(kept.read_text())
    rng = random.Random(0)
    print(f"{len(cells)} cells, {sum(map(len, cells))} trainings")
    print("| draws | saved | stopped | too high, mean | by over 1 % | by over 5 % |")
    for draws in (2, 3, 4, 6):
        told = [replayed(rng.sample(cell, draws)) for cell in cells for _ in range(TIMES)]
        saved, stopped, lost = zip(*told, strict=True)
        print(
            f"| {draws} | {mean(saved):.0%} | {mean(stopped) / draws:.0%} | {mean(lost) - 1:.2%} "
            f"| {mean(ratio > 1.01 for ratio in lost):.1%} | {mean(ratio > 1.05 for ratio in lost):.1%} |"
        )


if __name__ == "__main__":
    main()
