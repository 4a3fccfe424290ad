"""The training loop and the domain teacher: what is kept, when it stops, how it fails, what theory says."""

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch")
import torch

from calibrate.domains import find_domain
from calibrate.domains.teacher import task as teacher
from calibrate.training import train as train_module
from calibrate.training.train import (
    COOL_DOWN,
    EVALUATIONS,
    MAX_GRADIENT_NORM,
    STEPS_BETWEEN_CHECKS,
    WARM_UP,
    _clip,
    make_optimizer,
    train,
)
from calibrate.types import Corpus, Task, Training, TrainingOutcome
from laws.errors import ConflictingInput, drop

pytestmark = pytest.mark.torch

TRAINING = Training(
    domain="teacher",
    version=1,
    family="mlp",
    optimizer="adam",
    size=32,
    data=256,
    learning_rate=1e-2,
    batch_size=64,
    epochs=20,
    max_samples=10_000,
    seed=0,
    fingerprint="",
)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return prepare(tmp_path_factory.mktemp("cache"))


def prepare(cache: Path, seed: int = 0) -> Corpus:
    return teacher.prepare(
        cache=cache, source=None, available=4096, validation=2**12, seed=seed, report=lambda text, share: None
    )


def run(corpus: Corpus, **changes: object) -> TrainingOutcome:
    limit = changes.pop("time_limit", 60.0)
    training = replace(TRAINING, **changes)  # type: ignore[arg-type]
    return train(teacher, training, corpus, device="cpu", flops=10.0, time_limit=limit)  # type: ignore[arg-type]


def test_a_model_that_remembers_errs_as_theory_says(corpus: Corpus) -> None:
    # Which keys a shard of 2,048 happens to hold moves the error by about 3.5 %, optimization by 2 %.
    outcome = run(corpus, data=2048, epochs=40, max_samples=10**6, batch_size=128)
    assert outcome.status == "finished"
    assert outcome.metrics["error"] == pytest.approx(teacher.expected_error(2048), rel=0.15)


def test_the_exponent_of_the_task_is_the_one_of_theory() -> None:
    sizes = [256 * 4**i for i in range(5)]
    errors = [teacher.expected_error(size) for size in sizes]
    slopes = [math.log(b / a) / math.log(4) for a, b in pairwise(errors)]
    assert slopes == pytest.approx([-teacher.EXPONENT] * 4, rel=0.002)


def test_the_error_is_exact_and_a_repeat_draws_its_examples_afresh(corpus: Corpus) -> None:
    """Without a model that knows anything, 15 of 16 labels are wrong; one that knows all errs on the rest."""
    tasks = [
        teacher.task(replace(TRAINING, seed=seed, data=size), corpus, "cpu")
        for seed, size in ((0, 256), (1, 256), (1, 512))
    ]
    held = [set(task.keys) for task in tasks]
    assert held[0] != held[1]
    assert not held[1] <= held[2]
    for task, keys in zip(tasks, held, strict=True):
        theta = teacher.probabilities()
        unseen = 1 - sum(theta[key] for key in keys if key < teacher.KEYS)

        class Perfect(torch.nn.Module):
            def forward(self, codes: torch.Tensor, task: teacher.TeacherTask = task) -> torch.Tensor:
                known = len(codes) == len(task.keys)
                scores = torch.nn.functional.one_hot(task.targets, teacher.LABELS) * 50.0
                return scores if known else torch.zeros(len(codes), teacher.LABELS)

        task.model = Perfect()
        scores = task.evaluate()
        assert scores["error"] == pytest.approx(15 / 16 * unseen)
        assert scores["loss"] == pytest.approx(math.log(16) * unseen)


def test_the_mean_over_draws_of_the_examples_is_that_of_theory() -> None:
    """200 draws of 256 examples scatter by 7 %, so their mean is known to half a per cent."""
    theta = np.append(teacher.probabilities(), 0.0)
    rng = np.random.default_rng(0)
    draws = [np.minimum(np.unique(teacher.draw(256, rng)), teacher.KEYS) for _ in range(200)]
    errors = [15 / 16 * (1 - theta[keys].sum()) for keys in draws]
    assert np.mean(errors) == pytest.approx(teacher.expected_error(256), rel=0.02)
    assert 0.04 < np.std(errors) / np.mean(errors) < 0.1


def test_the_same_training_gives_the_same_result_and_another_seed_another(corpus: Corpus) -> None:
    first, second, other = run(corpus), run(corpus), run(corpus, seed=1)
    assert first.metrics == second.metrics
    assert first.history == second.history
    assert first.metrics != other.metrics


def test_the_same_corpus_has_the_same_content_and_shards_are_nested(tmp_path: Path, corpus: Corpus) -> None:
    again, other = prepare(tmp_path / "a"), prepare(tmp_path / "b", seed=1)
    assert again.fingerprint == corpus.fingerprint != other.fingerprint
    assert prepare(tmp_path / "a") == again
    small, large = (teacher.task(replace(TRAINING, data=m), corpus, "cpu") for m in (256, 512))
    assert set(small.keys) <= set(large.keys)
    assert len(small.rows), len(large.rows) == (256, 512)


def test_counts_are_those_of_the_model(corpus: Corpus) -> None:
    for size in (4, 33):
        counted = sum(p.numel() for p in teacher.network(size).parameters())
        assert counted == run(corpus, size=size).params
        (rung,) = teacher.ladder("mlp", (size,), corpus)
        weights = sum(p.numel() for p in teacher.network(size).parameters() if p.dim() == 2)
        assert (rung.params, rung.flops) == (counted, 6 * weights)


def test_samples_are_counted_and_flop_with_them(corpus: Corpus) -> None:
    outcome = run(corpus, epochs=3)
    assert outcome.history[-1][0] == 3 * 256
    assert outcome.flops == 10.0 * 3 * 256
    assert outcome.samples in [seen for seen, _ in outcome.history]
    capped = run(corpus, epochs=3, max_samples=300)
    assert capped.history[-1][0] == 320  # whole batches


class Script:
    """A task whose validation follows a script, one value an evaluation."""

    def __init__(self, errors: list[float]) -> None:
        self.errors = iter(errors)
        self.steps = 8 if errors else 0
        self.model = torch.nn.Linear(1, 1)

    def batches(self, seed: int) -> Iterator[tuple[object, float]]:
        yield from ((None, 1.0) for _ in range(self.steps))

    def loss(self, batch: object) -> object:
        assert self.model.training
        return self.model(torch.ones(1, 1)).square().mean()

    def evaluate(self) -> dict[str, float]:
        assert not self.model.training
        assert not torch.is_grad_enabled()
        error = next(self.errors)
        return {"error": error, "loss": 2 * error}


def scripted(errors: list[float]) -> TrainingOutcome:
    code = SimpleNamespace(task=lambda training, corpus, device: Script(errors))
    training = replace(TRAINING, data=640, max_samples=640)
    corpus = Corpus(folder=Path("nowhere"), fingerprint="", available=640)
    return train(code, training, corpus, device="cpu", flops=1.0, time_limit=60)  # type: ignore[arg-type]


def test_the_minimum_is_kept_wherever_it_was() -> None:
    falling = [1 / (i + 1) for i in range(EVALUATIONS)]
    whole = scripted(falling)
    assert (len(whole.history), whole.samples, whole.history[-1][0]) == (EVALUATIONS, 640, 640)
    assert whole.metrics == {"error": falling[-1], "loss": 2 * falling[-1]}
    dip = scripted([0.5, 0.3] + [0.4] * (EVALUATIONS - 2))
    assert dip.metrics == {"error": 0.3, "loss": 0.6}
    assert (dip.status, dip.samples, dip.history[-1][0]) == ("finished", dip.history[1][0], 640)


class Breaking(Script):
    """A task whose loss is no number from some step on; its steps are counted."""

    def __init__(self, at: int, value: float) -> None:
        super().__init__([1.0] * EVALUATIONS)
        self.at, self.value, self.done = at, value, 0

    def loss(self, batch: object) -> object:
        self.done += 1
        # added: a loss of exactly 0 times infinity would be nan
        return super().loss(batch) + (self.value if self.done > self.at else 0.0)  # type: ignore[operator]


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize(
    "at", [0, 1, STEPS_BETWEEN_CHECKS - 1, STEPS_BETWEEN_CHECKS, 5 * STEPS_BETWEEN_CHECKS + 3, 639]
)
def test_a_loss_that_is_no_number_is_noticed_soon_and_named_with_its_step(at: int, value: float) -> None:
    task = Breaking(at, value)
    code = SimpleNamespace(task=lambda training, corpus, device: task)
    training = replace(TRAINING, data=640, max_samples=640)
    corpus = Corpus(folder=Path("nowhere"), fingerprint="", available=640)
    outcome = train(code, training, corpus, device="cpu", flops=1.0, time_limit=60)  # type: ignore[arg-type]
    assert (outcome.status, outcome.reason) == ("diverged", f"the loss was {value} after {at} samples")
    assert at < task.done <= min(640, at + STEPS_BETWEEN_CHECKS)
    assert outcome.flops == task.done  # what was spent until it was noticed


def test_a_training_whose_time_is_up_has_diverged_if_its_loss_says_so() -> None:
    code = SimpleNamespace(task=lambda training, corpus, device: Breaking(0, math.nan))
    corpus = Corpus(folder=Path("nowhere"), fingerprint="", available=640)
    outcome = train(code, TRAINING, corpus, device="cpu", flops=1.0, time_limit=0)  # type: ignore[arg-type]
    assert (outcome.status, outcome.flops) == ("diverged", 1.0)


class Slope(Script):
    """A weight whose gradient is always 1: each step of Adam is then as long as the learning rate."""

    def __init__(self) -> None:
        super().__init__([1.0] * EVALUATIONS)
        self.weights: list[float] = []

    def loss(self, batch: object) -> object:
        self.weights.append(self.model.bias.item())
        return self.model.bias.sum()


def test_the_learning_rate_goes_up_stays_and_goes_down_to_zero() -> None:
    task = Slope()
    code = SimpleNamespace(task=lambda training, corpus, device: task)
    training = replace(TRAINING, data=8, epochs=50, learning_rate=0.1)
    corpus = Corpus(folder=Path("nowhere"), fingerprint="", available=8)
    train(code, training, corpus, device="cpu", flops=1.0, time_limit=60)  # type: ignore[arg-type]
    rates = [before - after for before, after in pairwise([*task.weights, task.model.bias.item()])]
    up, down = (
        [0.1 * (i + 0.5) / steps for i in range(steps)]
        for steps in (int(400 * WARM_UP), int(400 * COOL_DOWN))
    )
    flat = [0.1] * (400 - len(up) - len(down))
    assert rates == pytest.approx([*up, *flat, *reversed(down)], abs=1e-5)


@pytest.mark.parametrize(
    ("changes", "status", "reason"),
    [
        ({"optimizer": "sgd", "learning_rate": 1e38}, "diverged", "the loss was"),
        ({"size": 2**22}, "out-of-memory", "can't allocate memory"),
        ({"time_limit": 0}, "timed-out", "after 64 of 5120 samples"),
        ({"optimizer": "nadam"}, "failed", "unknown optimizer 'nadam'"),
    ],
)
def test_what_goes_wrong_is_told_and_not_raised(
    corpus: Corpus, changes: dict[str, object], status: str, reason: str
) -> None:
    outcome = run(corpus, **changes)
    assert outcome.status == status
    assert reason in outcome.reason
    assert "\n" not in outcome.reason
    assert all(math.isfinite(value) for value in outcome.metrics.values())


def test_no_step_follows_an_evaluation_that_overran_the_time(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock goes on in evaluations alone."""
    clock = [0.0]
    evaluated = train_module._evaluate

    def slow(task: Task, device: str) -> dict[str, float]:
        clock[0] += 100.0
        return evaluated(task, device)

    monkeypatch.setattr(train_module, "_evaluate", slow)
    monkeypatch.setattr(train_module.time, "perf_counter", lambda: clock[0])
    outcome = run(corpus, time_limit=250.0)
    assert outcome.status == "timed-out"
    assert outcome.seconds == 300.0
    assert len(outcome.history) == 3
    assert f"after {outcome.history[-1][0]:.4g} of" in outcome.reason


def test_a_shard_without_a_batch_ends() -> None:
    assert (scripted([]).status, scripted([]).reason) == ("bad-data", "the shard holds no batch")


def test_validation_that_is_not_finite_is_a_divergence() -> None:
    outcome = scripted([0.5, math.nan])
    assert outcome.status == "diverged"
    assert outcome.metrics == {"error": 0.5, "loss": 1.0}


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_gradients_are_clipped_as_torch_does(scale: float) -> None:
    torch.manual_seed(0)
    ours, theirs = ([torch.nn.Parameter(torch.zeros(3, 4)) for _ in range(5)] for _ in range(2))
    for a, b in zip(ours[:4], theirs[:4], strict=True):  # the last one has no gradient
        a.grad = scale * torch.randn(3, 4)
        b.grad = a.grad.clone()
    _clip(ours)
    torch.nn.utils.clip_grad_norm_(theirs, MAX_GRADIENT_NORM)
    for a, b in zip(ours[:4], theirs[:4], strict=True):
        assert torch.equal(a.grad, b.grad)  # type: ignore[arg-type]


def test_optimizers_keep_regularization_off() -> None:
    model = torch.nn.Linear(1, 1)
    for name in {name for domain in ("speech", "teacher") for name in find_domain(domain).optimizers}:
        assert make_optimizer(name, model, 0.1).param_groups[0]["weight_decay"] == 0


def test_the_teacher_refuses_a_corpus_and_says_to_leave_it_out(tmp_path: Path) -> None:
    with pytest.raises(ConflictingInput) as refused:
        teacher.prepare(
            cache=tmp_path, source=tmp_path, available=1, validation=1, seed=0, report=lambda t, s: None
        )
    assert refused.value.code == "domain-makes-its-data"
    assert refused.value.hints == (drop("data"),)
