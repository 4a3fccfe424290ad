"""Trainings a second: one after the other in plain eager PyTorch, and by the engine with one and two workers.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.sweep FOLDER [DOMAIN ...]

The trainings are those of the smallest two shards of `quick` in its smallest two sizes. The plain loop is
what one would write: torch's optimizer, `clip_grad_norm_`, the allocator as it is. Corpora are kept in
FOLDER. The start of workers is not measured.
"""

import argparse
import math
import statistics
import time
from dataclasses import replace
from pathlib import Path

import torch

from calibrate.engine import Job, LocalEngine
from calibrate.search import ends
from calibrate.spec import Spec, run_id
from calibrate.train import FIRST, schedule
from calibrate.types import EVALUATION_STEP, DomainCode, Training
from planner.measuring.calibration import prepared
from planner.measuring.request import Request

DOMAINS = ("teacher", "word-lm", "char-lm", "image", "translation")


def plain(code: DomainCode, training: Training, spec: Spec) -> float:
    """Train as the one loop does, with nothing but what PyTorch offers; return the lowest error."""
    task = code.task(training, spec.corpus, "cpu")
    optimizer = torch.optim.Adam(task.model.parameters(), lr=training.learning_rate)
    seen, evaluate_at, best, epoch = 0.0, training.planned * FIRST, math.inf, 0
    while True:
        for batch, amount in task.batches(training.seed * 1_000_003 + epoch):
            for group in optimizer.param_groups:
                group["lr"] = training.learning_rate * schedule((seen + amount / 2) / training.planned)
            task.model.train()
            loss = task.loss(batch)
            assert math.isfinite(loss.item())
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(task.model.parameters(), 1.0)
            optimizer.step()
            seen += amount
            if (ended := seen >= training.planned * (1 - 1e-9)) or seen >= evaluate_at:
                while evaluate_at <= seen:
                    evaluate_at *= EVALUATION_STEP
                task.model.eval()
                with torch.no_grad():
                    best = min(best, task.evaluate()[spec.metric])
            if ended:
                return best
        epoch += 1


def measured(domain: str, folder: Path) -> tuple[int, list[float], float]:
    """Return how many trainings, their seconds in each way, and the largest ratio of errors less one."""
    spec, code = prepared(
        Request(
            domain=domain, preset="quick", families=(), data=None, store=folder, cache=folder, seed=0,
            workers=1,
        ),
        lambda text, share: None,
    )  # fmt: skip
    (family,) = spec.families
    sizes = spec.preset.sizes[family][:2]
    some = [t for t in ends(spec) if t.size in sizes and t.data == spec.preset.shards[0]]
    trainings = [replace(t, data=shard) for shard in spec.preset.shards[1::-1] for t in some]
    jobs = [
        Job(
            id=run_id(t),
            training=t,
            corpus=spec.corpus,
            module=spec.domain.module,
            flops=1.0,
            time_limit=3600,
        )
        for t in trainings
    ]
    plain(code, replace(trainings[0], max_samples=1.0), spec)
    begun = time.perf_counter()
    errors = {run_id(t): plain(code, t, spec) for t in trainings}
    seconds, apart = [time.perf_counter() - begun], 0.0
    for workers in (1, 2):
        with LocalEngine(("cpu",) * workers) as engine:
            short = [replace(job, training=replace(job.training, max_samples=1.0)) for job in jobs[:4]]
            list(engine.run(short))
            begun = time.perf_counter()
            for result in engine.run(jobs):
                ratio = result.outcome.metrics[spec.metric] / errors[result.job.id]
                apart = max(apart, abs(ratio - 1))
            seconds.append(time.perf_counter() - begun)
    return len(jobs), seconds, apart


def main() -> None:
    """Print a row a domain, and the geometric mean of the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("domains", nargs="*", default=DOMAINS)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    ratios = []
    for domain in asked.domains:
        count, seconds, apart = measured(domain, asked.folder)
        ratios.append((seconds[0] / seconds[1], seconds[0] / seconds[2]))
        print(
            f"{domain}: {count} trainings; runs a second: plain {count / seconds[0]:.3g}, one worker "
            f"{count / seconds[1]:.3g} ({ratios[-1][0]:.2f}x), two {count / seconds[2]:.3g} "
            f"({ratios[-1][1]:.2f}x); errors at most {apart:.2%} apart",
            flush=True,
        )
    one, two = (statistics.geometric_mean(column) for column in zip(*ratios, strict=True))
    print(f"all: one worker {one:.2f}x, two workers {two:.2f}x")


if __name__ == "__main__":
    main()
