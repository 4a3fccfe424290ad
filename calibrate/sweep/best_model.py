"""The best-fit model of each shard: the smallest one that reaches the lowest error within noise."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from calibrate.types import ERROR_NOISE
from laws.types import Run


@dataclass(frozen=True, kw_only=True)
class BestModel:
    """What one shard comes to: a point on the learning curve and one on the model-size curve."""

    data: float
    size: int
    params: int
    metrics: Mapping[str, float]
    samples: float | None  # data seen until the best validation error
    chosen: Run  # the run that was picked, the first of its seeds
    runs: tuple[str, ...]  # the runs that the values come from


class Incumbents:
    """Of the runs of a sweep, those that can still be the best of their shard: all that is kept in memory.

    One for each shard, model and seed, the one with the lowest error: `pick_best` and `best_models` choose among
    these as they would among all. Their number does not grow with the settings that are tried.
    """

    def __init__(self, metric: str) -> None:
        self._metric = metric
        self._best: dict[tuple[str, float, int, int], Run] = {}

    def add(self, run: Run) -> None:
        """Keep a run if it is finished and better than what was kept in its place."""
        if run.status != "finished" or self._metric not in run.metrics:
            return
        place = (run.family, run.data, run.params, run.seed)
        self._best[place] = min(run, self._best.get(place, run), key=self._rank)

    def runs(self) -> tuple[Run, ...]:
        """Return the runs that are kept."""
        return tuple(self._best.values())

    def _rank(self, run: Run) -> tuple[float, str]:
        return run.metrics[self._metric], run.id


def size_of(run: Run) -> int:
    """Return the family's size knob that a run was trained with."""
    return int(run.hyper["size"])


def pick_best(runs: Iterable[Run], metric: str) -> Run | None:
    """Return the run of the smallest model that reaches the lowest error within noise, None without runs."""
    usable = [run for run in runs if run.status == "finished" and metric in run.metrics]
    if not usable:
        return None
    enough = min(run.metrics[metric] for run in usable) * (1 + ERROR_NOISE)
    smallest = min(run.params for run in usable if run.metrics[metric] <= enough)
    return min(
        (run for run in usable if run.params == smallest), key=lambda run: (run.metrics[metric], run.id)
    )


def best_models(runs: Iterable[Run], metric: str, seed: int) -> list[BestModel]:
    """Return the best-fit model of each shard of one family, by data size.

    Models are picked among the runs with the sweep's own seed. Where the pick was trained again with fresh
    seeds, the medians of those trainings alone are its values: they were not picked for being low.
    """
    by_shard: dict[float, list[Run]] = {}
    for run in runs:
        by_shard.setdefault(run.data, []).append(run)
    found = []
    for data, shard in sorted(by_shard.items()):
        chosen = pick_best((run for run in shard if run.seed == seed), metric)
        if chosen is None:
            continue
        again = [
            run for run in shard if run.status == "finished" and run.seed != seed and _same(run, chosen)
        ] or [chosen]
        samples = [run.samples for run in again if run.samples is not None]
        found.append(
            BestModel(
                data=data,
                size=size_of(chosen),
                params=chosen.params,
                metrics={name: median(run.metrics[name] for run in again) for name in chosen.metrics},
                samples=median(samples) if samples else None,
                chosen=chosen,
                runs=tuple(run.id for run in again),
            )
        )
    return found


def _same(run: Run, other: Run) -> bool:
    return run.optimizer == other.optimizer and run.hyper == other.hyper
