"""The one training loop: every domain's `Task` is trained, measured and stopped in the same way."""

import math
import time
from collections.abc import Iterator
from itertools import count

import torch
import torch._dynamo  # optimizers import it at their first use: seconds that belong to no training

from calibrate.training.early_stopping import Rungs, reached, too_high
from calibrate.types import (
    DAMAGED_CORPUS,
    EVALUATION_STEP,
    Corpus,
    DomainCode,
    Task,
    Training,
    TrainingOutcome,
)
from laws.errors import CorpusError
from laws.types import RunStatus

FIRST = 1 / 16  # of the planned samples, the first evaluation
EVALUATIONS = 1 + round(math.log(1 / FIRST, EVALUATION_STEP))  # of a run that reaches its end
WARM_UP = 0.05  # of the planned samples: Adam's first steps are rough guesses and should be small
COOL_DOWN = 0.5  # of the planned samples: docs/guides/calibration.md holds it against a decay all the way
CLIP = 1.0  # largest norm of the gradient
LOOK = 32  # steps after which the losses are read: a GPU stands still while the program waits for one


def train(
    code: DomainCode,
    training: Training,
    corpus: Corpus,
    *,
    device: str,
    flops: float,
    time_limit: float,
    bars: Rungs = (),
) -> TrainingOutcome:
    """Train once and return what came out; nothing that goes wrong in a training is raised.

    `flops` is what one data unit costs, seen once; `time_limit` is in seconds; `bars` are the highest errors
    with which it goes on (`calibrate.training.early_stopping`).
    """
    # a sum's result depends on the number of threads, and more threads than cores fight for them
    torch.set_num_threads(1)
    started = time.perf_counter()
    progress = _Progress()
    try:
        task = code.task(training, corpus, device)
        status, reason = _loop(
            task, training, device, deadline=started + time_limit, bars=bars, progress=progress
        )
    except CorpusError as error:
        # a damaged corpus can be made again, so the next command tries the run again
        status, reason = "failed" if error.code == DAMAGED_CORPUS else "bad-data", str(error)
    except (MemoryError, torch.OutOfMemoryError) as error:
        status, reason = "out-of-memory", _first_line(error) or f"no memory left on {device}"
    except Exception as error:
        # torch has no exception of its own for memory on the CPU
        memory = isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
        status = "out-of-memory" if memory else "failed"
        reason = f"{type(error).__name__}: {_first_line(error)}"
    return TrainingOutcome(
        status=status,
        reason=reason,
        params=progress.params,
        flops=progress.seen * flops,
        samples=progress.samples_to_best,
        metrics=progress.best,
        seconds=time.perf_counter() - started,
        device=device_name(device),
        history=tuple(progress.history),
    )


class _Progress:
    """What a training has shown so far; survives the exception that ends it."""

    def __init__(self) -> None:
        self.params = 0
        self.seen = 0.0
        self.best: dict[str, float] = {}
        self.samples_to_best: float | None = None
        self.history: list[tuple[float, float]] = []

    def record(self, metrics: dict[str, float]) -> None:
        """Keep the minimum of every metric; the first one decides which model was best."""
        first = next(iter(metrics))
        self.history.append((self.seen, metrics[first]))
        if metrics[first] < self.best.get(first, math.inf):
            self.samples_to_best = self.seen
        for name, value in metrics.items():
            self.best[name] = min(value, self.best.get(name, math.inf))


def _loop(
    task: Task, training: Training, device: str, *, deadline: float, bars: Rungs, progress: _Progress
) -> tuple[RunStatus, str]:
    model: torch.nn.Module = task.model
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    progress.params = sum(parameter.numel() for parameter in trained)
    optimizer = make_optimizer(training.optimizer, model, training.learning_rate)
    planned = training.planned
    next_evaluation = planned * FIRST
    losses: list[tuple[float, torch.Tensor]] = []  # samples seen before each step, its loss: not read yet
    model.train()
    for batch, amount in _stream(task, training.seed):
        for group in optimizer.param_groups:
            group["lr"] = training.learning_rate * schedule((progress.seen + amount / 2) / planned)
        with _precision(device):
            loss = task.loss(batch)
        losses.append((progress.seen, loss.detach()))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        _clip(trained)
        optimizer.step()
        progress.seen += amount
        ended = progress.seen >= planned * (1 - 1e-9)
        due = ended or progress.seen >= next_evaluation
        late = time.perf_counter() > deadline
        if due or late or len(losses) == LOOK:
            if why := _not_finite(losses):
                return "diverged", why
            losses.clear()
        if due:
            while next_evaluation <= progress.seen:
                next_evaluation *= EVALUATION_STEP
            metrics = _evaluate(task, device)
            if not all(map(math.isfinite, metrics.values())):
                return "diverged", f"validation gave {metrics} after {progress.seen:.4g} samples"
            progress.record(metrics)
            if ended:
                return "finished", ""
            if why := too_high(reached(progress.history, planned), bars):
                return "stopped-early", why
            model.train()
            late = time.perf_counter() > deadline  # an evaluation takes its time, too
        if late:
            return (
                "timed-out",
                f"the time limit was reached after {progress.seen:.4g} of {planned:.4g} samples",
            )
    return "bad-data", "the shard holds no batch"


def _not_finite(losses: list[tuple[float, torch.Tensor]]) -> str:
    """Return what the first loss was that is not a number, in a sentence; nothing where all are."""
    values = torch.stack([loss for _, loss in losses]).flatten().tolist()
    for (seen, _), value in zip(losses, values, strict=True):
        if not math.isfinite(value):
            return f"the loss was {value} after {seen:.4g} samples"
    return ""


def _clip(parameters: list[torch.nn.Parameter]) -> None:
    """Scale the gradients to a norm of CLIP where it is larger; `clip_grad_norm_` at a quarter of its time.

    Of a step of a small model that function takes up to a tenth. Nothing here waits for a GPU.
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    torch._foreach_mul_(gradients, (CLIP / (norm + 1e-6)).clamp(max=1.0))


def schedule(share: float) -> float:
    """Return the learning rate over its peak at a share of the planned samples: up, flat, down to zero.

    Lines up and down with a constant rate between: Hägele et al. 2024, arXiv:2405.18392.
    """
    return max(0.0, min(share / WARM_UP, 1.0, (1 - share) / COOL_DOWN))


def _evaluate(task: Task, device: str) -> dict[str, float]:
    task.model.eval()
    with torch.no_grad(), _precision(device):
        return task.evaluate()


def evaluation_seconds(code: DomainCode, training: Training, corpus: Corpus, device: str) -> float:
    """Return how long one evaluation takes, the second one of a fresh model."""
    task = code.task(training, corpus, device)
    _evaluate(task, device)
    started = time.perf_counter()
    _evaluate(task, device)
    return time.perf_counter() - started


def _precision(device: str) -> torch.autocast:
    """Return bf16 where the hardware has it, full precision on a CPU."""
    return torch.autocast("cuda", dtype=torch.bfloat16, enabled=device.startswith("cuda"))


def make_optimizer(name: str, model: torch.nn.Module, learning_rate: float) -> torch.optim.Optimizer:
    """Return the optimizer of that name, without weight decay: regularization is off in a sweep."""
    if name == "adam":
        return torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)
    if name == "sgd":
        return torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=0.9, fused=True)
    raise ValueError(f"no optimizer is called {name!r}")


def _stream(task: Task, seed: int) -> Iterator[tuple[object, float]]:
    """Yield batches epoch after epoch, each epoch in another order; end if an epoch is empty."""
    for epoch in count():
        empty = True
        for batch, amount in task.batches(seed * 1_000_003 + epoch):
            empty = False
            yield batch, amount
        if empty:
            return


def _first_line(error: BaseException) -> str:
    return str(error).strip().split("\n")[0]


def device_name(device: str) -> str:
    """Return what a device calls itself."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    return "cpu"
