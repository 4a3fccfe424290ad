"""What a sweep was asked to do: its specification, and the ids that follow from it."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from calibrate.sweep.best_model import size_of
from calibrate.types import Corpus, Domain, Preset, Training
from laws.errors import PlannerError
from laws.types import Run, SizeCost

Cell = tuple[str, float, int]  # family, shard, size


def hashed(value: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits that stand for a JSON value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=list)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def run_id(training: Training) -> str:
    """Return the id of a training: the same specification has the same id, in every sweep."""
    return hashed(asdict(training))


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What was asked: the sweep follows from it and from the results of its own runs."""

    domain: Domain
    preset_name: str
    preset: Preset
    families: tuple[str, ...]
    seed: int
    corpus: Corpus
    ladder: Mapping[str, tuple[SizeCost, ...]]  # family -> exact cost of its sizes

    @property
    def id(self) -> str:
        """Return the hash of what was asked."""
        asked = {
            "domain": self.domain.name,
            "version": self.domain.version,
            "preset": asdict(self.preset),
            "families": self.families,
            "seed": self.seed,
            "fingerprint": self.corpus.fingerprint,
        }
        return hashed(asked)

    @property
    def metric(self) -> str:
        """Return the metric that decides which model is best."""
        return next(iter(self.domain.metrics))

    def rung(self, family: str, size: int) -> SizeCost:
        """Return the exact cost of a size."""
        return next(rung for rung in self.ladder[family] if rung.size == size)

    def flops(self, training: Training) -> float:
        """Return the training FLOP of a run that reaches its end."""
        return self.most_flops((training.family, training.data, training.size))

    def most_flops(self, cell: Cell) -> float:
        """Return the training FLOP of each of a cell's runs that reaches its end."""
        family, data, size = cell
        return self.planned(data) * self.rung(family, size).flops

    def planned(self, data: float) -> float:
        """Return the samples that a run on a shard sees if it reaches its end."""
        return min(self.preset.epochs * data, self.preset.max_samples)


def shards_within(preset: Preset, corpus: Corpus) -> Preset:
    """Return the preset with the shards that a corpus can fill; fewer than three are a PlannerError."""
    shards = tuple(shard for shard in preset.shards if shard <= corpus.available * (1 + 1e-6))
    if len(shards) < 3:
        raise PlannerError(
            f"the corpus holds {corpus.available:.3g}, and the smallest three shards of this preset need "
            f"{preset.shards[min(2, len(preset.shards) - 1)]:.3g}: bring more data or take a smaller preset"
        )
    return replace(preset, shards=shards)


def cell_of(run: Run) -> Cell:
    """Return the family, shard and size that a run was trained with."""
    return run.family, run.data, size_of(run)
