"""A domain in one file: how the error of a small network falls with points of a wavy surface.

planner calibrate --domain docs/examples/domain.py --preset quick
"""

import hashlib

import numpy as np
import torch

from calibrate.data.prepared import once
from calibrate.training.flops import FORWARD_TO_TRAINING, forward_flops, size_cost
from calibrate.types import Corpus, Domain, Preset, doubling
from laws.errors import ConflictingInput, drop
from laws.types import SizeCost

DIMENSIONS = 3


def preset(points, count, sizes, epochs):
    return Preset(
        shards=doubling(points, count),
        validation=4096,
        sizes={"mlp": sizes},
        learning_rates={"adam": (1e-2,)},
        batch_sizes=(32,),
        draws=1,
        epochs=epochs,
        max_samples=2**20,
    )


DOMAIN = Domain(
    name="surface",
    metrics={"rmse": "heights"},  # the first metric says which model is best
    data_unit="points",
    families=("mlp",),
    optimizers=("adam",),
    corpus="points of a sum of waves in three dimensions",
    definitions={
        "parameters": "all trainable parameters",
        "sample": "one point; repeats of the same point are counted",
        "rmse": "root of the mean squared error on the validation set",
    },
    module=__file__,
    presets={
        "smoke": preset(64, 3, (8, 32), epochs=20),
        "quick": preset(64, 7, (8, 16, 32, 64), epochs=100),
    },
)


def prepare(*, cache, source, available, validation, seed, report):
    """Make the corpus once; with the same arguments it is the same."""
    if source is not None:
        raise ConflictingInput(f"this domain makes its own data, got {source}", hint=drop("data"))

    def make(folder):
        digest = hashlib.sha256()
        for stream, (part, count) in enumerate((("validation", validation), ("training", available))):
            points = np.random.default_rng((seed, stream)).uniform(-1, 1, (int(count), DIMENSIONS))
            heights = np.sin(3 * points).sum(1) + np.sin(5 * points.prod(1))
            np.save(folder / f"{part}.npy", np.column_stack([points, heights]).astype(np.float32))
            digest.update((folder / f"{part}.npy").read_bytes())
        return {"fingerprint": digest.hexdigest(), "available": available, "skipped": {}}

    return once(cache, DOMAIN.name, (available, validation, seed), make)


def model(size):
    return torch.nn.Sequential(
        torch.nn.Linear(DIMENSIONS, size),
        torch.nn.Tanh(),
        torch.nn.Linear(size, size),
        torch.nn.Tanh(),
        torch.nn.Linear(size, 1),
    )


class Task:
    """One training: a model, its batches, its loss, its score."""

    def __init__(self, training, corpus, device):
        torch.manual_seed(training.seed)
        self.model = model(training.size).to(device)
        self.batch_size = training.batch_size
        self.training, self.validation = (
            torch.from_numpy(np.load(corpus.folder / f"{part}.npy")).to(device)
            for part in ("training", "validation")
        )
        self.training = self.training[: int(training.data)]  # shards lie inside each other

    def batches(self, seed):
        order = torch.randperm(len(self.training), generator=torch.Generator().manual_seed(seed))
        for chosen in torch.split(order.to(self.training.device), self.batch_size):
            yield self.training[chosen], float(len(chosen))

    def loss(self, batch):
        return (self.model(batch[:, :-1])[:, 0].float() - batch[:, -1]).square().mean()

    def evaluate(self):
        return {"rmse": float(self.loss(self.validation).sqrt())}


def task(training, corpus, device):
    """Open the corpus and build the model with the training's seed."""
    return Task(training, corpus, device)


def ladder(family: str, sizes: tuple[int, ...], corpus: Corpus) -> tuple[SizeCost, ...]:
    """Count parameters, training FLOP a point and bytes of each size, without memory or time for it."""
    return tuple(map(_size_cost, sizes))


def _size_cost(size):
    with torch.device("meta"):
        built = model(size)
        return size_cost(size, built, FORWARD_TO_TRAINING * forward_flops(built, torch.empty(1, DIMENSIONS)))
