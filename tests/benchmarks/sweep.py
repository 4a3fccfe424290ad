"""Trainings a second: one after the other in plain eager PyTorch, and by the engine with one worker and more.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.sweep FOLDER [DOMAIN ...]
    OMP_NUM_THREADS=1 python -m tests.benchmarks.sweep FOLDER --device cuda:0

The trainings are those of the smallest two shards of `quick` in its smallest two sizes. The plain loop is
what one would write: torch's optimizer, `clip_grad_norm_`, the allocator as it is. Corpora are kept in
FOLDER. The start of workers is not measured. On CPU cores there are one worker and two; on a GPU one, and as
many as a sweep would have there, and what is trained is stated as a share of the rate at which the same card
multiplies large matrices in bf16.
"""

import argparse
import math
import statistics
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from calibrate.engines.gpu_capacity import worker_devices
from calibrate.engines.local import Job, LocalEngine
from calibrate.sweep.search import end_trainings
from calibrate.sweep.spec import Spec, run_id
from calibrate.sweep.trials import memory_trials
from calibrate.training.train import FIRST_EVALUATION, schedule
from calibrate.types import EVALUATION_STEP, DomainCode, Training
from planner.sources.calibrate import prepare_sweep
from planner.sources.calibrate_request import CalibrationRequest

DOMAINS = ("teacher", "word-lm", "char-lm", "image", "translation")
WIDE = 8192  # rows and columns of the matrices by which a card's rate is measured


def rate(device: str) -> float:
    """Return the FLOP a second at which a card multiplies large bf16 matrices, the fastest of ten times."""
    a = torch.randn(WIDE, WIDE, device=device, dtype=torch.bfloat16)
    seconds = []
    for _ in range(10):
        torch.cuda.synchronize(device)
        begun = time.perf_counter()
        a @ a
        torch.cuda.synchronize(device)
        seconds.append(time.perf_counter() - begun)
    return 2 * WIDE**3 / min(seconds)


def plain(code: DomainCode, training: Training, spec: Spec, device: str) -> float:
    """Train as the one loop does, with nothing but what PyTorch offers; return the lowest error."""
    task = code.task(training, spec.corpus, device)
    optimizer = torch.optim.Adam(task.model.parameters(), lr=training.learning_rate)
    seen, evaluate_at, best, epoch = 0.0, training.planned * FIRST_EVALUATION, math.inf, 0
    while True:
        for batch, amount in task.batches(training.seed * 1_000_003 + epoch):
            for group in optimizer.param_groups:
                group["lr"] = training.learning_rate * schedule((seen + amount / 2) / training.planned)
            task.model.train()
            with torch.autocast("cuda", dtype=torch.bfloat16, enabled=device != "cpu"):
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


@dataclass(frozen=True)
class Measured:
    """What one domain's trainings took in each way: the plain loop, one worker, several."""

    count: int
    flops: float
    seconds: tuple[float, float, float]
    workers: int
    apart: float  # the largest ratio of errors, less one


def measured(domain: str, folder: Path, device: str) -> Measured:
    """Train the same trainings in each of three ways."""
    spec, code = prepare_sweep(
        CalibrationRequest(
            domain=domain, preset="quick", families=(), data=None, store=folder, cache=folder, seed=0,
            workers=1,
        ),
        lambda text, share: None,
    )  # fmt: skip
    (family,) = spec.families
    sizes = spec.preset.sizes[family][:2]
    some = [t for t in end_trainings(spec) if t.size in sizes and t.data == spec.preset.shards[0]]
    trainings = [replace(t, data=shard) for shard in spec.preset.shards[1::-1] for t in some]
    jobs = [
        Job(
            id=run_id(t),
            training=t,
            corpus=spec.corpus,
            module=spec.domain.module,
            flops=spec.size_cost(t.family, t.size).flops,
            time_limit=3600,
        )
        for t in trainings
    ]
    plain(code, replace(trainings[0], max_samples=1.0), spec, device)
    begun = time.perf_counter()
    errors = {run_id(t): plain(code, t, spec, device) for t in trainings}
    seconds, apart = [time.perf_counter() - begun], 0.0
    several = (device,) * 2 if device == "cpu" else worker_devices(memory_trials(spec), None)
    for places in ((device,), several):
        with LocalEngine(places) as engine:
            short = [replace(job, training=replace(job.training, max_samples=1.0)) for job in jobs]
            list(engine.run(short * -(-2 * len(places) // len(jobs))))
            begun = time.perf_counter()
            for result in engine.run(jobs):
                ratio = result.outcome.metrics[spec.metric] / errors[result.job.id]
                apart = max(apart, abs(ratio - 1))
            seconds.append(time.perf_counter() - begun)
    flops = sum(job.flops * job.training.planned for job in jobs)
    return Measured(len(jobs), flops, (seconds[0], seconds[1], seconds[2]), len(several), apart)


def main() -> None:
    """Print a row a domain, and the geometric mean of the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("domains", nargs="*", default=DOMAINS)
    parser.add_argument("--device", default="cpu", help="cpu, or a GPU as torch names it: cuda:0")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    fastest = None if asked.device == "cpu" else rate(asked.device)
    if fastest:
        print(f"{torch.cuda.get_device_name(asked.device)}: {fastest:.3g} FLOP/s in bf16")
    ratios = []
    for domain in asked.domains:
        found = measured(domain, asked.folder, asked.device)
        plainly, one, several = found.seconds
        ratios.append((plainly / one, plainly / several))
        shares = [f"{found.flops / s / fastest:.2%}" for s in found.seconds] if fastest else []
        print(
            f"{domain}: {found.count} trainings; runs a second: plain {found.count / plainly:.3g}, "
            f"one worker {found.count / one:.3g} ({plainly / one:.2f}x), {found.workers} workers "
            f"{found.count / several:.3g} ({plainly / several:.2f}x); errors at most {found.apart:.2%} apart"
            + (f"; of the card's rate {', '.join(shares)}" if shares else ""),
            flush=True,
        )
    one, several = (statistics.geometric_mean(column) for column in zip(*ratios, strict=True))
    print(f"all: one worker {one:.2f}x, several {several:.2f}x")


if __name__ == "__main__":
    main()
