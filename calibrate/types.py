"""The values of a sweep: domains, presets, trainings, budgets and their results.

This module imports no torch: the command line reads it to print help and dry runs.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from laws.codes import WarningCode
from laws.types import RunStatus, SizeCost

ReportProgress = Callable[
    [str, float], None
]  # called with a step before the training and the share that is done

DAMAGED_CORPUS = "damaged-corpus"  # code of errors for a prepared corpus that cannot be read
EVALUATION_STEP = 2**0.5  # a training is evaluated each time the samples seen have grown by this factor
ERROR_NOISE = 0.02  # errors within this ratio are equal; docs/guides/calibration.md says how it was measured


def doubling(first: float, count: int) -> tuple[float, ...]:
    """Return shard sizes in steps of 2x.

    Args:
        first: The smallest size.
        count: How many sizes.

    Returns:
        `count` sizes, ascending.
    """
    return tuple(first * 2**i for i in range(count))


@dataclass(frozen=True, kw_only=True)
class Preset:
    """How wide a sweep is. Field names are hashed into sweep ids and stored with sweeps.

    Attributes:
        shards: Sizes of the training sets in the domain's data unit, ascending; each contains the smaller
            ones.
        validation: Size of the disjoint validation set, same unit.
        sizes: Family -> values of its size parameter (width), ascending.
        learning_rates: Optimizer -> learning rates.
        batch_sizes: Examples per step.
        draws: Trials (optimizer, learning rate, batch size) drawn from the grid per shard and size.
        epochs: Epochs over a shard.
        max_samples: The most data seen by one run, data unit; ends training on large shards early.
        seeds: Trainings of each shard's best model; above 1 it is trained again with fresh seeds.
        time_limit: Seconds that one run may take.
        families: Families that are trained by default; empty for all of `sizes`.
        family_rates: Family -> its own rates in place of `learning_rates`.
        corpus: Name of an embedded corpus of the domain; empty for its usual one.
    """

    shards: tuple[float, ...]
    validation: float
    sizes: Mapping[str, tuple[int, ...]]
    learning_rates: Mapping[str, tuple[float, ...]]
    batch_sizes: tuple[int, ...]
    draws: int
    epochs: float
    max_samples: float
    seeds: int = 1
    time_limit: float = 3600.0
    families: tuple[str, ...] = ()
    family_rates: Mapping[str, Mapping[str, tuple[float, ...]]] = field(default_factory=dict)
    corpus: str = ""

    @property
    def specification(self) -> dict[str, Any]:
        """Return the fields as they are hashed and stored; `corpus` only where it is not the usual one."""
        fields = asdict(self)
        return fields if self.corpus else {name: fields[name] for name in fields if name != "corpus"}

    def rates(self, family: str) -> Mapping[str, tuple[float, ...]]:
        """Return optimizer -> learning rates that the trials of a family are drawn from.

        Args:
            family: A family.

        Returns:
            `family_rates` of the family, else `learning_rates`.
        """
        return self.family_rates.get(family, self.learning_rates)


@dataclass(frozen=True, kw_only=True)
class Domain:
    """A domain: all that the command line needs to know of it without importing torch."""

    name: str
    metrics: Mapping[str, str]  # metric -> unit; the first is the one that selects the best model
    data_unit: str
    families: tuple[str, ...]
    optimizers: tuple[str, ...]
    corpus: str  # the embedded corpus, in one sentence
    # "parameters", "sample" and each metric -> how it is counted; "METRIC of FAMILY" where families differ
    definitions: Mapping[str, str]
    module: str  # the code that needs torch, a `DomainCode`: its import path, or its file's (`__file__`)
    presets: Mapping[str, Preset]
    version: int = 1  # raised when a change makes earlier runs incomparable


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """A prepared corpus on disk: made or decoded once, then opened by every worker."""

    folder: Path
    fingerprint: str  # hash of content: the same corpus has the same fingerprint on every machine
    available: float  # training data, data unit
    skipped: Mapping[str, str] = field(default_factory=dict)  # file -> why it was left out
    notes: tuple[str, ...] = ()  # sentences that a reader of its curves needs
    # metric -> chance-level error, that of the best guess without looking at the input
    guessing: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Training:
    """The specification of one training. Its fields are hashed into the run id: never rename them."""

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
        """Return the samples seen by the end of the training, repeats counted, data unit."""
        return min(self.epochs * self.data, self.max_samples)


@dataclass(frozen=True, kw_only=True)
class TrainingOutcome:
    """The result of one training."""

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
    """The most a sweep may spend: FLOP, seconds of wall-clock time, or GPU-seconds."""

    amount: float
    unit: str  # "FLOP", "seconds" or "GPU-seconds"
    workers: int
    gpus: int = 0  # that the workers share


@dataclass(frozen=True, kw_only=True)
class Goal:
    """The quantity whose uncertainty the budget should reduce.

    It is the lowest error of the families, at the scale where it reaches the target; without a target, at a
    fixed scale.
    """

    metric: str
    target: float | None = None


class BudgetEnd(StrEnum):
    """Why a budget bought no more runs."""

    ALL_TRAINED = "all-trained"
    NOTHING_AFFORDABLE = "nothing-affordable"
    NOTHING_INFORMATIVE = "nothing-informative"


@dataclass(frozen=True, kw_only=True)
class BudgetStep:
    """One step of a budget: what was trained, its cost, and the estimate after it.

    Attributes:
        family: The family that was trained; empty for all of them, at the start.
        data: The shard; None at the start.
        repeat: Whether the best model of the shard was trained again with another seed.
        spent: Cost, in the unit of the budget.
        evaluated_at: Data size at which the error is estimated.
        error: 5%, 50% and 95% quantiles of that error.
        needed: The same quantiles of the data that the target needs, inf where it is never reached.
    """

    family: str
    data: float | None
    repeat: bool
    spent: float
    evaluated_at: float
    error: tuple[float, float, float]
    needed: tuple[float, float, float] | None


@dataclass(frozen=True, kw_only=True)
class BudgetUse:
    """What a budget was spent on so far.

    Attributes:
        budget: The budget.
        goal: The quantity it makes more certain.
        start: Cost of the rest of the start, as estimated when the command began.
        steps: The steps so far.
        interval_ratio: Width of the 90% interval of the error, over that at the same scale after the start.
        left_out: (family, shard) that were never trained.
        ended: Why no more was bought; None while it goes on.
    """

    budget: Budget
    goal: Goal
    start: float
    steps: tuple[BudgetStep, ...] = ()
    interval_ratio: float = 1.0
    left_out: tuple[tuple[str, float], ...] = ()
    ended: BudgetEnd | None = None


class TimeSource(StrEnum):
    """How the expected time of trainings is known."""

    RECORDED_RUNS = "recorded-runs"
    SHORT_TRAININGS = "short-trainings"


@dataclass(frozen=True, kw_only=True)
class EdgeProblem:
    """Best models at the edge of what a sweep allowed.

    Attributes:
        code: SIZES_CUT for the largest size, TRAINING_CUT for the limit on samples.
        family: The family.
        count: Shards that are affected.
        shards: All shards of the family.
        size: The largest size that was tried.
    """

    code: WarningCode
    family: str
    count: int
    shards: int
    size: int


class Task(Protocol):
    """A model with its batches, loss and metrics, built by a domain's `task`."""

    model: Any  # torch.nn.Module on the device

    def batches(self, seed: int) -> Any:
        """Yield the batches of one epoch over the shard, in random order.

        Args:
            seed: Decides the order.

        Yields:
            A batch, as `loss` takes it, and its amount in data units.
        """

    def loss(self, batch: Any) -> Any:
        """Return the training loss of a batch.

        Args:
            batch: As `batches` yields it.

        Returns:
            The loss, a scalar tensor with gradient.
        """

    def evaluate(self) -> dict[str, float]:
        """Return every metric of the domain on the whole validation set."""


class DomainCode(Protocol):
    """The three functions of a domain's module."""

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
        """Make the embedded corpus, or read one, and cache it.

        Args:
            cache: Folder of prepared corpora.
            source: A corpus of the user; None for the embedded one.
            available: The most training data that is needed, data unit.
            validation: Size of the validation set, data unit.
            seed: Seed of the corpus and its split.
            report: Called with a step and the share of it that is done.

        Returns:
            The corpus on disk.
        """

    def task(self, training: Training, corpus: Corpus, device: str) -> Task:
        """Build the model with the training's seed and open the corpus.

        Args:
            training: The specification.
            corpus: The prepared corpus.
            device: A device of torch.

        Returns:
            The task to train.
        """

    def ladder(self, family: str, sizes: tuple[int, ...], corpus: Corpus) -> tuple[SizeCost, ...]:
        """Count parameters and FLOP of sizes on torch's meta device.

        Args:
            family: A family of the domain.
            sizes: Values of its size parameter; also sizes far beyond those that are trained.
            corpus: The prepared corpus.

        Returns:
            The cost of each size.
        """
