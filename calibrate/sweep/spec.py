"""The specification of a sweep, and the ids that follow from it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from calibrate.sweep.best_model import size_of
from calibrate.types import Corpus, Domain, Preset, Training
from laws.errors import CorpusError, use
from laws.types import Run, SizeCost

Cell = tuple[str, float, int]  # family, shard, size

MIN_SHARDS = 3  # below this no law is fitted


def hashed(value: Mapping[str, Any]) -> str:
    """Return a hash of a JSON value, 16 hexadecimal digits.

    Args:
        value: A JSON object; the order of its keys does not matter.

    Returns:
        The first 16 digits of its SHA-256.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=list)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def run_id(training: Training) -> str:
    """Return the id of a training; the same specification has the same id in every sweep.

    Args:
        training: A training.

    Returns:
        16 hexadecimal digits.
    """
    return hashed(asdict(training))


@dataclass(frozen=True, kw_only=True)
class Spec:
    """The specification of a sweep. The trainings follow from it and from the results of its own runs."""

    domain: Domain
    preset_name: str
    preset: Preset
    families: tuple[str, ...]
    seed: int
    corpus: Corpus
    ladder: Mapping[str, tuple[SizeCost, ...]]  # family -> exact cost of its sizes

    @property
    def id(self) -> str:
        """Return the id of the sweep, a hash of its specification."""
        specification = {
            "domain": self.domain.name,
            "version": self.domain.version,
            "preset": self.preset.specification,
            "families": self.families,
            "seed": self.seed,
            "fingerprint": self.corpus.fingerprint,
        }
        return hashed(specification)

    @property
    def metric(self) -> str:
        """Return the metric that selects the best model."""
        return next(iter(self.domain.metrics))

    def size_cost(self, family: str, size: int) -> SizeCost:
        """Return the exact cost of a size.

        Args:
            family: A family of the sweep.
            size: One of its sizes.

        Returns:
            Parameters, FLOP per data unit and bytes.
        """
        return next(cost for cost in self.ladder[family] if cost.size == size)

    def flops(self, training: Training) -> float:
        """Return the training FLOP of a run that reaches its end.

        Args:
            training: A training of the sweep.

        Returns:
            FLOP.
        """
        return self.most_flops((training.family, training.data, training.size))

    def most_flops(self, cell: Cell) -> float:
        """Return the training FLOP of a run of a cell that reaches its end.

        Args:
            cell: Family, shard and size.

        Returns:
            FLOP.
        """
        family, data, size = cell
        return self.planned(data) * self.size_cost(family, size).flops

    def planned(self, data: float) -> float:
        """Return the samples that a run on a shard sees if it reaches its end.

        Args:
            data: Size of the shard, data unit.

        Returns:
            Samples, repeats counted, data unit.
        """
        return min(self.preset.epochs * data, self.preset.max_samples)


def shards_within(preset: Preset, corpus: Corpus, *, least: int = MIN_SHARDS) -> Preset:
    """Return a preset with the shards that a corpus can fill.

    Args:
        preset: A preset.
        corpus: A corpus, possibly smaller than the preset asks for.
        least: How many shards are needed.

    Returns:
        The preset without the shards that are too large.

    Raises:
        CorpusError: Fewer shards are left ("corpus-too-small").
    """
    shards = tuple(shard for shard in preset.shards if shard <= corpus.available * (1 + 1e-6))
    if len(shards) < least:
        needed = preset.shards[min(least, len(preset.shards)) - 1]
        smallest = f", for the {least} smallest shards of this preset" if least > 1 else ""
        raise CorpusError(
            f"the corpus holds {corpus.available:.3g} for training: expected {needed:.3g} at least{smallest}",
            code="corpus-too-small",
            value=corpus.available,
            hint=use("data", "preset", purpose="to bring more data or to need less"),
        )
    return replace(preset, shards=shards)


def cell_of(run: Run) -> Cell:
    """Return the family, shard and size that a run was trained with.

    Args:
        run: A run of a sweep.

    Returns:
        Family, shard (data unit) and size.
    """
    return run.family, run.data, size_of(run)
