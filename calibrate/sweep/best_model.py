"""Pick the best model of each shard: the smallest one that reaches the lowest error within noise."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median

from calibrate.types import ERROR_NOISE
from laws.types import Run


@dataclass(frozen=True, kw_only=True)
class BestModel:
    """The best model of one shard: a point on the learning curve and one on the model-size curve."""

    data: float
    size: int
    params: int
    metrics: Mapping[str, float]
    samples: float | None  # data seen until the best validation error
    chosen: Run  # the run that was picked, the first of its seeds
    runs: tuple[str, ...]  # the runs that the values come from


class Incumbents:
    """The best run so far for each shard, model and seed.

    `pick_best` and `best_models` choose among these as they would among all runs. Only these are kept in
    memory, so that memory does not grow with the number of trials.

    Args:
        metric: The metric that selects the best model.
    """

    def __init__(self, metric: str) -> None:
        self._metric = metric
        self._best: dict[tuple[str, float, int, int], Run] = {}

    def add(self, run: Run) -> None:
        """Keep a finished run if it is better than the one with the same shard, model and seed.

        Args:
            run: A run; one that did not finish or lacks the metric is ignored.
        """
        if run.status != "finished" or self._metric not in run.metrics:
            return
        key = (run.family, run.data, run.params, run.seed)
        self._best[key] = min(run, self._best.get(key, run), key=self._rank)

    def runs(self) -> tuple[Run, ...]:
        """Return the runs that are kept."""
        return tuple(self._best.values())

    def _rank(self, run: Run) -> tuple[float, str]:
        return run.metrics[self._metric], run.id


def size_of(run: Run) -> int:
    """Return the size parameter of the model that a run trained.

    Args:
        run: A run of a sweep.

    Returns:
        The size parameter (width).
    """
    return int(run.hyper["size"])


def pick_best(runs: Iterable[Run], metric: str) -> Run | None:
    """Return the run of the smallest model that reaches the lowest error within noise.

    Args:
        runs: Runs of one shard.
        metric: The metric that decides.

    Returns:
        A run, or None if none finished.
    """
    usable = [run for run in runs if run.status == "finished" and metric in run.metrics]
    if not usable:
        return None
    good_enough = min(run.metrics[metric] for run in usable) * (1 + ERROR_NOISE)
    smallest = min(run.params for run in usable if run.metrics[metric] <= good_enough)
    return min(
        (run for run in usable if run.params == smallest), key=lambda run: (run.metrics[metric], run.id)
    )


def best_models(runs: Iterable[Run], metric: str, seed: int) -> list[BestModel]:
    """Return the best model of each shard of one family.

    A model is picked among the runs with the sweep's own seed. Where it was trained again with fresh seeds,
    its values are the medians of only those trainings, because they were not selected for being low.

    Args:
        runs: Runs of the family.
        metric: The metric that decides.
        seed: The sweep's own seed.

    Returns:
        The best models, by data size.
    """
    by_shard: dict[float, list[Run]] = {}
    for run in runs:
        by_shard.setdefault(run.data, []).append(run)
    best = []
    for data, shard in sorted(by_shard.items()):
        chosen = pick_best((run for run in shard if run.seed == seed), metric)
        if chosen is None:
            continue
        repeats = [
            run for run in shard if run.status == "finished" and run.seed != seed and _same(run, chosen)
        ] or [chosen]
        samples = [run.samples for run in repeats if run.samples is not None]
        best.append(
            BestModel(
                data=data,
                size=size_of(chosen),
                params=chosen.params,
                metrics={name: median(run.metrics[name] for run in repeats) for name in chosen.metrics},
                samples=median(samples) if samples else None,
                chosen=chosen,
                runs=tuple(run.id for run in repeats),
            )
        )
    return best


def _same(run: Run, other: Run) -> bool:
    return run.optimizer == other.optimizer and run.hyper == other.hyper
