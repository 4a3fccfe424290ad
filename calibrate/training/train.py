"""The training loop: every domain's `Task` is trained, evaluated and stopped in the same way."""

import math
import time
from collections.abc import Iterator
from itertools import count

import torch
import torch._dynamo  # optimizers import it at first use: seconds that must not count as training

from calibrate.training.early_stopping import Rungs, rungs_reached, too_high
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

FIRST_EVALUATION = 1 / 16  # of the planned samples
EVALUATIONS = 1 + round(math.log(1 / FIRST_EVALUATION, EVALUATION_STEP))  # of a run that reaches its end
WARM_UP = 0.05  # of the planned samples: Adam's first steps are rough guesses and should be small
COOL_DOWN = 0.5  # of the planned samples; docs/guides/calibration.md compares it with a decay all the way
MAX_GRADIENT_NORM = 1.0
STEPS_BETWEEN_CHECKS = 32  # of the loss: a GPU is idle while the program waits for a value


def train(
    code: DomainCode,
    training: Training,
    corpus: Corpus,
    *,
    device: str,
    flops: float,
    time_limit: float,
    thresholds: Rungs = (),
) -> TrainingOutcome:
    """Train once and return the result; an exception of the training becomes its status.

    Args:
        code: The domain's module.
        training: The specification.
        corpus: The prepared corpus.
        device: A device of torch.
        flops: Training FLOP per data unit, seen once.
        time_limit: Seconds.
        thresholds: The highest error at each rung with which it continues.

    Returns:
        Status, best metrics, cost and history.
    """
    # one thread: the result of a sum depends on their number, and more threads than cores slow each other
    # down
    torch.set_num_threads(1)
    started = time.perf_counter()
    progress = _Progress()
    try:
        task = code.task(training, corpus, device)
        status, reason = _loop(
            task, training, device, deadline=started + time_limit, thresholds=thresholds, progress=progress
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
        flops=progress.samples_seen * flops,
        samples=progress.samples_to_best,
        metrics=progress.best,
        seconds=time.perf_counter() - started,
        device=device_name(device),
        history=tuple(progress.history),
    )


class _Progress:
    """The progress of a training; it survives the exception that ends it."""

    def __init__(self) -> None:
        self.params = 0
        self.samples_seen = 0.0
        self.best: dict[str, float] = {}
        self.samples_to_best: float | None = None
        self.history: list[tuple[float, float]] = []

    def record(self, metrics: dict[str, float]) -> None:
        """Keep the minimum of every metric; the first metric decides which model was best."""
        first = next(iter(metrics))
        self.history.append((self.samples_seen, metrics[first]))
        if metrics[first] < self.best.get(first, math.inf):
            self.samples_to_best = self.samples_seen
        for name, value in metrics.items():
            self.best[name] = min(value, self.best.get(name, math.inf))


def _loop(
    task: Task, training: Training, device: str, *, deadline: float, thresholds: Rungs, progress: _Progress
) -> tuple[RunStatus, str]:
    model: torch.nn.Module = task.model
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    progress.params = sum(parameter.numel() for parameter in trained)
    optimizer = make_optimizer(training.optimizer, model, training.learning_rate)
    planned = training.planned
    next_evaluation = planned * FIRST_EVALUATION
    losses: list[
        tuple[float, torch.Tensor]
    ] = []  # samples seen before each step, and its loss, not checked yet
    model.train()
    for batch, amount in _stream(task, training.seed):
        for group in optimizer.param_groups:
            group["lr"] = training.learning_rate * schedule((progress.samples_seen + amount / 2) / planned)
        with _precision(device):
            loss = task.loss(batch)
        losses.append((progress.samples_seen, loss.detach()))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        _clip(trained)
        optimizer.step()
        progress.samples_seen += amount
        ended = progress.samples_seen >= planned * (1 - 1e-9)
        due = ended or progress.samples_seen >= next_evaluation
        late = time.perf_counter() > deadline
        if due or late or len(losses) == STEPS_BETWEEN_CHECKS:
            if why := _not_finite(losses):
                return "diverged", why
            losses.clear()
        if due:
            while next_evaluation <= progress.samples_seen:
                next_evaluation *= EVALUATION_STEP
            metrics = _evaluate(task, device)
            if not all(map(math.isfinite, metrics.values())):
                return "diverged", f"validation gave {metrics} after {progress.samples_seen:.4g} samples"
            progress.record(metrics)
            if ended:
                return "finished", ""
            if stop := too_high(rungs_reached(progress.history, planned), thresholds):
                share, error, threshold = stop
                return (
                    "stopped-early",
                    f"after {share:.0%} of its samples its error was {error:.4g}; the better "
                    "half of the trials so "
                    f"far had at most {threshold:.4g}",
                )
            model.train()
            late = time.perf_counter() > deadline  # evaluations take time, too
        if late:
            return (
                "timed-out",
                f"the time limit was reached after {progress.samples_seen:.4g} of {planned:.4g} samples",
            )
    return "bad-data", "the shard holds no batch"


def _not_finite(losses: list[tuple[float, torch.Tensor]]) -> str:
    """Return the first loss that is not finite, in a sentence; empty where all are."""
    values = torch.stack([loss for _, loss in losses]).flatten().tolist()
    for (samples_seen, _), value in zip(losses, values, strict=True):
        if not math.isfinite(value):
            return f"the loss was {value} after {samples_seen:.4g} samples"
    return ""


def _clip(parameters: list[torch.nn.Parameter]) -> None:
    """Scale the gradients to a norm of MAX_GRADIENT_NORM where it is larger.

    `clip_grad_norm_` takes four times as long, up to a tenth of a step of a small model. Nothing here waits
    for a GPU.
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    torch._foreach_mul_(gradients, (MAX_GRADIENT_NORM / (norm + 1e-6)).clamp(max=1.0))


def schedule(share: float) -> float:
    """Return the learning rate over its peak: linear warm-up, constant, linear decay to zero.

    Source: Hägele et al. 2024, arXiv:2405.18392.

    Args:
        share: Share of the planned samples that were seen.

    Returns:
        A factor between 0 and 1.
    """
    return max(0.0, min(share / WARM_UP, 1.0, (1 - share) / COOL_DOWN))


def _evaluate(task: Task, device: str) -> dict[str, float]:
    task.model.eval()
    with torch.no_grad(), _precision(device):
        return task.evaluate()


def evaluation_seconds(code: DomainCode, training: Training, corpus: Corpus, device: str) -> float:
    """Return the seconds of one evaluation, the second one of a fresh model.

    Args:
        code: The domain's module.
        training: The specification.
        corpus: The prepared corpus.
        device: A device of torch.

    Returns:
        Seconds.
    """
    task = code.task(training, corpus, device)
    _evaluate(task, device)
    started = time.perf_counter()
    _evaluate(task, device)
    return time.perf_counter() - started


def _precision(device: str) -> torch.autocast:
    """Return bf16 where the hardware has it, full precision on a CPU."""
    return torch.autocast("cuda", dtype=torch.bfloat16, enabled=device.startswith("cuda"))


def make_optimizer(name: str, model: torch.nn.Module, learning_rate: float) -> torch.optim.Optimizer:
    """Return an optimizer without weight decay, because sweeps train without regularization.

    Args:
        name: "adam" or "sgd".
        model: The model.
        learning_rate: The peak learning rate.

    Returns:
        The optimizer.

    Raises:
        ValueError: For another name.
    """
    if name == "adam":
        return torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)
    if name == "sgd":
        return torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=0.9, fused=True)
    raise ValueError(f"unknown optimizer {name!r}: expected adam or sgd")


def _stream(task: Task, seed: int) -> Iterator[tuple[object, float]]:
    """Yield batches epoch by epoch, each in another order; end if an epoch is empty."""
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
    """Return the name of a device of torch, such as "NVIDIA H200" or "cpu".

    Args:
        device: A device of torch.

    Returns:
        The name of the GPU, or "cpu".
    """
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    return "cpu"
