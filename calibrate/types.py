"""The values of a sweep: what a domain is, what one training is asked to do, what it reports.

No torch here: the command line reads these to print help and dry runs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from laws.types import RunStatus, SizeCost

ReportProgress = Callable[[str, float], None]  # hears what is done before a training, and which share of it

DAMAGED_CORPUS = "damaged-corpus"  # code of errors for a prepared corpus that cannot be read
EVALUATION_STEP = 2**0.5  # a training is evaluated whenever it has seen this many times the samples


def doubling(first: float, count: int) -> tuple[float, ...]:
    """Return `count` shard sizes in steps of 2x, beginning with `first`."""
    return tuple(first * 2**i for i in range(count))


ERROR_NOISE = 0.02  # two errors this close, relatively, are the same: docs/guides/calibration.md says where it comes from


@dataclass(frozen=True, kw_only=True)
class Preset:
    """How wide a sweep is: shards between two data sizes in steps of 2x, sizes and settings to draw from."""

    shards: tuple[float, ...]  # training-set sizes in the domain's data unit, ascending, each inside the next
    validation: float  # size of the disjoint validation set, same unit
    sizes: Mapping[str, tuple[int, ...]]  # family -> the family's size knob (width), ascending
    learning_rates: Mapping[str, tuple[float, ...]]  # optimizer -> learning rates
    batch_sizes: tuple[int, ...]  # examples a step
    draws: int  # settings (optimizer, learning rate, batch) drawn from the grid for each (shard, size)
    epochs: float  # passes over a shard
    max_samples: float  # the most data seen by one run, data unit: it ends the passes over large shards
    seeds: int = 1  # trainings of each shard's best model: above 1 it is trained anew with fresh seeds
    time_limit: float = 3600.0  # seconds one run may take
    families: tuple[str, ...] = ()  # those that are trained where none is asked for; none: all of `sizes`
    # family -> its own rates in place of `learning_rates`: families that differ in the optimizer alone
    family_rates: Mapping[str, Mapping[str, tuple[float, ...]]] = field(default_factory=dict)

    def rates(self, family: str) -> Mapping[str, tuple[float, ...]]:
        """Return optimizer -> learning rates that a family's settings are drawn from."""
        return self.family_rates.get(family, self.learning_rates)


@dataclass(frozen=True, kw_only=True)
class Domain:
    """One row of the table of domains: everything the command line says of it without importing torch."""

    name: str
    metrics: Mapping[str, str]  # metric -> unit; the first is the one that selects the best model
    data_unit: str
    families: tuple[str, ...]
    optimizers: tuple[str, ...]
    corpus: str  # the embedded corpus, in one sentence
    # "parameters", "sample" and one entry a metric: what is counted, how; "METRIC of FAMILY" where families
    # count something else under one name
    definitions: Mapping[str, str]
    module: str  # the code that needs torch, a `DomainCode`: its import path, or its file's (`__file__`)
    presets: Mapping[str, Preset]
    version: int = 1  # raised when a change makes earlier runs incomparable


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A prepared corpus on disk: made or decoded once, opened by every worker without Python work."""

    folder: Path
    fingerprint: str  # hash of content: the same corpus has the same fingerprint on every machine
    available: float  # training data it holds, data unit
    skipped: Mapping[str, str] = field(default_factory=dict)  # file -> why it was left out
    notes: tuple[str, ...] = ()  # what a reader of its curves has to know, in sentences
    # metric -> what the best guess scores that looks at no input, where it is known
    guessing: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Training:
    """The specification of one training; its hash is the run's id."""

    domain: str
    version: int
    family: str
    optimizer: str
    size: int
    data: float  # shard size, data unit
    learning_rate: float
    batch_size: int
    epochs: float
    max_samples: float
    seed: int
    fingerprint: str

    @property
    def planned(self) -> float:
        """Return the samples that it sees if it reaches its end, repeats counted, data unit."""
        return min(self.epochs * self.data, self.max_samples)


@dataclass(frozen=True, kw_only=True)
class TrainingOutcome:
    """What one training reports."""

    status: RunStatus
    reason: str = ""
    params: int = 0
    flops: float | None = None
    samples: float | None = None  # data seen until the best validation error, repeats counted
    metrics: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    device: str = ""
    history: tuple[tuple[float, float], ...] = ()  # (samples seen, validation value of the first metric)


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What a sweep may spend: FLOP, seconds of its workers side by side, or those seconds on each GPU."""

    amount: float
    unit: str  # "FLOP", "seconds" or "GPU-seconds"
    workers: int
    gpus: int = 0  # that the workers share


@dataclass(frozen=True, kw_only=True)
class Goal:
    """What a budget is to make surer: the lowest error of the families, where it reaches a target.

    Without a target it is asked at a fixed amount of data.
    """

    metric: str
    target: float | None = None


@dataclass(frozen=True, kw_only=True)
class BudgetStep:
    """What a budget went for at one step, what that took, and what is known after it."""

    family: str  # nothing: all of them, at the start
    data: float | None  # the shard; None is the start
    again: bool  # whether with another seed, and not for the first time
    spent: float  # in the unit of the budget
    place: float  # data size at which the error is asked for
    error: tuple[float, float, float]  # 5 %, 50 % and 95 % of it
    needed: tuple[float, float, float] | None  # of the data that the target needs, inf: never


@dataclass(frozen=True, kw_only=True)
class BudgetUse:
    """What a budget went for so far."""

    budget: Budget
    goal: Goal
    start: float  # what the start was expected to take when the command began
    steps: tuple[BudgetStep, ...] = ()
    width: float = 1.0  # 90 % interval of the last step's error, over that at the same place after the start
    left_out: tuple[tuple[str, float], ...] = ()  # (family, shard) that were never trained
    ended: str = ""  # why no more was bought


class Task(Protocol):
    """One training made concrete: a model, its batches, its loss, its score. Built by a domain's `task`."""

    model: Any  # torch.nn.Module on the device

    def batches(self, seed: int) -> Any:
        """Yield (batch, amount): one epoch over the shard in random order, amount in data units."""

    def loss(self, batch: Any) -> Any:
        """Return the scalar training loss of a batch."""

    def evaluate(self) -> dict[str, float]:
        """Return every metric of the domain on the whole validation set."""


class DomainCode(Protocol):
    """What a domain's module has to offer: three functions."""

    def prepare(
        self,
        *,
        cache: Path,
        source: Path | None,
        available: float,
        validation: float,
        seed: int,
        report: ReportProgress,
    ) -> Corpus:
        """Make the embedded corpus or read one from `source`, cached."""

    def task(self, training: Training, corpus: Corpus, device: str) -> Task:
        """Open the corpus, build the model with the training's seed, and return both as a task."""

    def ladder(self, family: str, sizes: tuple[int, ...], corpus: Corpus) -> tuple[SizeCost, ...]:
        """Count sizes on the real model on torch's meta device, far beyond those that are trained."""
