"""A task whose learning curve theory gives: remember the labels of long-tailed keys.

Keys follow a Zipf law without an end, key i with probability θ_i ∝ i^-(1+a), and each has one random
label. Nothing can be learned about a key that is not in the data, so a model that remembers n examples has
the error

    E(n) = (1 - 1/C) Σ θ_i (1 - θ_i)^n  ~  n^-β,  β = a/(1+a)

(Hutter, Learning Curve Theory, 2021, arXiv:2102.04074, section 3), while the number of different keys it has
to remember grows as n^(1-β). With a = 1/2 the error's exponent is -1/3, from 256 examples on within 0.001.

Theory gives the mean over samples of the examples. One sample of 256 misses it by 7 %, one of 8,192 by 2 %,
and nested shards miss it together, which no number of points on one curve shows. So the examples have no end:
the shards of a sweep are nested, and a training that is repeated with a new seed draws new examples. The
error is exact, not estimated: every key of the data counts with its θ, and of all others any label is as good
as another.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from calibrate.data.prepared import damaged, description, once
from calibrate.training.flops import FORWARD_TO_TRAINING, forward_flops, size_cost
from calibrate.types import Corpus, ReportProgress, Training
from laws.errors import ConflictingInput, drop
from laws.types import SizeCost

TAIL = 0.5  # a: θ_i ∝ i^-(1+a)
EXPONENT = TAIL / (1 + TAIL)
KEYS = 2**20  # whose θ is counted one by one; of the others, 0.1 % of the examples, none is drawn twice
LABELS = 16
CODE = 64  # a key is shown as this many random signs
VERSION = 2


def probabilities() -> np.ndarray:
    """Return θ of the first keys.

    Returns:
        Probabilities (KEYS,); their sum is 1 minus the probability of all other keys.
    """
    weights: np.ndarray = np.arange(1, KEYS + 1, dtype=np.float64) ** -(1 + TAIL)
    beyond = (KEYS + 0.5) ** -TAIL / TAIL  # the sum of all other weights, by the midpoint rule
    return np.asarray(weights / (weights.sum() + beyond))


def expected_error(examples: float) -> float:
    """Return E(n) of a model that remembers every example: the sum, not its limit.

    Args:
        examples: n.

    Returns:
        The probability of a wrong label.
    """
    theta = probabilities()
    unseen = np.sum(theta * np.exp(examples * np.log1p(-theta))) + 1 - theta.sum()
    return float((1 - 1 / LABELS) * unseen)


def prepare(
    *, cache: Path, source: Path | None, available: float, validation: float, seed: int,
    report: ReportProgress, follows: Path | None = None,  # noqa: ARG001 - there is no vocabulary to follow
) -> Corpus:  # fmt: skip
    """Draw the examples of a sweep and codes of other keys; the same arguments give the same bytes.

    Args:
        cache: The folder of all prepared corpora.
        source: None.
        available: Examples.
        validation: Codes of keys that are in no example.
        seed: Decides the examples.
        report: Takes what is being done, and the share of it that is done.
        follows: Folder of a smaller prepared corpus; the examples begin with its examples in any case.

    Returns:
        The prepared corpus.

    Raises:
        ConflictingInput: A source was given (code "domain-makes-its-data").
    """
    if source is not None:
        raise ConflictingInput(
            f"the domain teacher makes its own data: expected no corpus, got {source}",
            code="domain-makes-its-data",
            hint=drop("data"),
        )
    report("drawing keys", 0.0)
    key = VERSION, seed, int(available), int(validation)
    corpus = once(cache, "teacher", key, lambda folder: _write(folder, *key[1:]))
    report("drawing keys", 1.0)
    return replace(corpus, guessing={"error": 1 - 1 / LABELS, "loss": float(np.log(LABELS))})


def _write(folder: Path, seed: int, train_size: int, validation_size: int) -> dict[str, Any]:
    unseen = np.random.default_rng([seed, 2])
    arrays = {
        "train": draw(train_size, np.random.default_rng([seed, 1])),
        "unseen": unseen.integers(0, 2**64, size=validation_size, dtype=np.uint64),
    }
    digest = hashlib.sha256(str(seed).encode())
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
        digest.update(array.tobytes())
    return {"fingerprint": digest.hexdigest()[:16], "available": train_size, "skipped": {}, "seed": seed}


def draw(examples: int, rng: np.random.Generator) -> np.ndarray:
    """Draw independent examples.

    Args:
        examples: How many.
        rng: The random stream.

    Returns:
        Keys (examples,), counted from 0.
    """
    keys = np.searchsorted(np.cumsum(probabilities()), rng.random(examples)).astype(np.int64)
    return np.where(keys < KEYS, keys, rng.integers(KEYS, 2**62, size=examples))


def _scattered(keys: np.ndarray, stream: int) -> np.ndarray:
    """Return 64 random bits for each key.

    Source: SplitMix64 of Steele, Lea, Flood 2014, doi:10.1145/2660193.2660195.
    """
    start = stream * 0x9E3779B97F4A7C15 % 2**64
    bits = keys.astype(np.uint64) + np.uint64(start)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        bits = (bits ^ (bits >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(bits ^ (bits >> np.uint64(31)))


def _opened(corpus: Corpus, name: str) -> np.ndarray:
    try:
        return np.asarray(np.load(corpus.folder / f"{name}.npy", mmap_mode="r"))
    except (OSError, ValueError, EOFError) as error:
        raise damaged(corpus.folder, error) from None


def _examples(training: Training, corpus: Corpus, seed: int) -> np.ndarray:
    """Return the keys of a training: the sweep's first ones, or fresh ones where it is a repeat."""
    if training.seed == seed:
        return _opened(corpus, "train")[: int(training.data)]
    return draw(int(training.data), np.random.default_rng([seed, 3, training.seed, int(training.data)]))


class TeacherTask:
    """One training of the task: an MLP of two hidden layers over the codes of keys.

    Args:
        training: The width, examples, batch size and seed.
        corpus: A prepared corpus.
        device: A torch device.
    """

    def __init__(self, training: Training, corpus: Corpus, device: str) -> None:
        def signs(codes: np.ndarray) -> torch.Tensor:
            bits = (codes[:, None] >> np.arange(CODE, dtype=np.uint64)) & np.uint64(1)
            return torch.from_numpy(bits.astype(np.float32)).mul_(2).sub_(1).to(device)

        seed = description(corpus.folder)["seed"]
        self.keys, rows = np.unique(_examples(training, corpus, seed), return_inverse=True)
        self.rows = torch.from_numpy(rows).to(device)
        self.inputs = signs(_scattered(self.keys, 2 * seed + 1))
        labels = _scattered(self.keys, 2 * seed + 2) % np.uint64(LABELS)
        self.targets = torch.from_numpy(labels.astype(np.int64)).to(device)
        self.unseen = signs(_opened(corpus, "unseen"))
        theta = np.append(probabilities(), 0.0)[np.minimum(self.keys, KEYS)]
        self.weights = torch.from_numpy(theta).to(device)
        self.batch_size = training.batch_size
        torch.manual_seed(training.seed)
        self.model = network(training.size).to(device)

    def batches(self, seed: int) -> Iterator[tuple[torch.Tensor, float]]:
        """Go through the examples once, in random order.

        Args:
            seed: Decides the order.

        Yields:
            Rows of `inputs` and `targets` (batch,), and how many examples they are.
        """
        order = torch.randperm(len(self.rows), generator=torch.Generator().manual_seed(seed))
        for chosen in torch.split(order.to(self.rows.device), self.batch_size):
            yield self.rows[chosen], float(len(chosen))

    def loss(self, batch: torch.Tensor) -> torch.Tensor:
        """Return the mean cross-entropy.

        Args:
            batch: Rows of `inputs` and `targets` (batch,).

        Returns:
            The loss, a scalar, nats per example.
        """
        return nn.functional.cross_entropy(self.model(self.inputs[batch]), self.targets[batch])

    def evaluate(self) -> dict[str, float]:
        """Return "error" and "loss" of a new key: exact, except for the loss of keys without an example."""
        scores = self.model(self.inputs).double()
        wrong = (scores.argmax(1) != self.targets).double()
        losses = nn.functional.cross_entropy(scores, self.targets, reduction="none")
        unseen = 1 - float(self.weights.sum())
        any_label = -float(self.model(self.unseen).double().log_softmax(1).mean())
        return {
            "error": float(wrong @ self.weights) + unseen * (1 - 1 / LABELS),
            "loss": float(losses @ self.weights) + unseen * any_label,
        }


def network(width: int) -> nn.Module:
    """Return the MLP: code -> width -> width -> labels.

    Args:
        width: The model's size.

    Returns:
        The model, from codes (batch, CODE) to scores (batch, LABELS).
    """
    return nn.Sequential(
        nn.Linear(CODE, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, LABELS)
    )


def task(training: Training, corpus: Corpus, device: str) -> TeacherTask:
    """Open a shard of a corpus and build the model with the training's seed.

    Args:
        training: The width, examples, batch size and seed.
        corpus: A prepared corpus.
        device: A torch device.

    Returns:
        The training.
    """
    return TeacherTask(training, corpus, device)


def ladder(family: str, sizes: tuple[int, ...], corpus: Corpus) -> tuple[SizeCost, ...]:  # noqa: ARG001 - one family
    """Count what each width costs, on torch's device meta.

    Args:
        family: "mlp".
        sizes: Widths.
        corpus: Not used.

    Returns:
        For each width its parameters, training FLOP per example, and bytes with Adam's state.
    """
    return tuple(map(_size_cost, sizes))


def _size_cost(width: int) -> SizeCost:
    with torch.device("meta"):
        model = network(width)
        return size_cost(width, model, FORWARD_TO_TRAINING * forward_flops(model, torch.empty(1, CODE)))
