"""Plan the trainings of a sweep: a random search over nested shards.

The method is that of Hestness et al. 2017 (arXiv:1712.00409, section 3): nested shards in steps of 2x, model
sizes and optimizer settings drawn at random from a grid, the smallest and the largest shard first, the shards
between them only in sizes between the best at those two. Poor trials of a shard and size are stopped early
(`calibrate.training.early_stopping`). Last, the best model of each shard is trained again with fresh seeds,
so that its error is not the luckiest of many trials.

A stage follows from the specification and the runs so far. Nothing here trains or reads a store.
"""

import random
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from itertools import chain, product

from calibrate.sweep.best_model import pick_best, size_of
from calibrate.sweep.spec import Cell, Spec, cell_of, run_id
from calibrate.types import Training
from laws.types import Run

Runs = Collection[Run]  # of the sweep so far, those that can be the best of their shard
# trials of one shard and size, in order: early stopping compares each with those before it
TrialQueue = Iterator[Training]
Stage = Callable[[Spec, Runs], Iterator[TrialQueue]]


def end_trainings(spec: Spec) -> Iterator[Training]:
    """Yield the trainings of the smallest and the largest shard in every size, which need no result.

    Args:
        spec: The sweep.

    Yields:
        Trainings, the longest first.
    """
    return chain.from_iterable(_ends(spec, ()))


def _ends(spec: Spec, runs: Runs) -> Iterator[TrialQueue]:  # noqa: ARG001 - all stages look alike
    shards = (spec.preset.shards[0], spec.preset.shards[-1])
    return search_cells(
        spec,
        [
            (family, shard, size)
            for family in spec.families
            for shard in shards
            for size in spec.preset.sizes[family]
        ],
    )


def _between(spec: Spec, runs: Runs) -> Iterator[TrialQueue]:
    """Yield the trainings of the other shards in the sizes between the best at the two ends.

    Where an end has no finished run, all sizes are tried.
    """
    cells: list[Cell] = []
    for family in spec.families:
        sizes = spec.preset.sizes[family]
        best = [
            pick_best(_of(spec, family, shard, runs), spec.metric)
            for shard in (spec.preset.shards[0], spec.preset.shards[-1])
        ]
        if all(best):
            bounds = sorted(size_of(run) for run in best if run)
            sizes = tuple(size for size in sizes if bounds[0] <= size <= bounds[1])
        cells += [(family, shard, size) for shard in spec.preset.shards[1:-1] for size in sizes]
    return search_cells(spec, cells)


def repeats(spec: Spec, runs: Runs) -> Iterator[TrialQueue]:
    """Yield the best model of each shard again, with fresh seeds, the longest trainings first.

    Args:
        spec: The sweep.
        runs: Its runs so far.

    Yields:
        One training at a time.
    """
    chosen = [
        run
        for family in spec.families
        for shard in spec.preset.shards
        if (run := pick_best(_of(spec, family, shard, runs), spec.metric))
    ]
    for run in sorted(chosen, key=lambda run: spec.most_flops(cell_of(run)), reverse=True):
        for i in range(1, spec.preset.seeds):
            yield iter((repeat_with_seed(spec, run, i),))


STAGES: tuple[Stage, ...] = (_ends, _between, repeats)


def repeat_with_seed(spec: Spec, run: Run, count: int) -> Training:
    """Return the training of a run with another seed.

    Args:
        spec: The sweep.
        run: One of its runs, with the sweep's own seed.
        count: How many seeds after the sweep's own.

    Returns:
        The training.
    """
    first = next(t for t in _drawn(spec, *cell_of(run)) if run_id(t) == run.id)
    return replace(first, seed=spec.seed + count)


def planned_trainings(spec: Spec, runs: Runs) -> list[Training]:
    """Return all trainings that the sweep may still need, given its results so far.

    Args:
        spec: The sweep.
        runs: Its runs so far, which narrow the sizes.

    Returns:
        The trainings, at most; those that are done are among them.
    """
    trainings = [*end_trainings(spec), *chain.from_iterable(_between(spec, runs))]
    repeated = list(chain.from_iterable(repeats(spec, runs)))
    decided = {(training.family, training.data) for training in repeated}
    costliest: dict[tuple[str, float], Training] = {}
    for training in trainings:
        key = (training.family, training.data)
        if key not in decided:
            costliest[key] = max(costliest.get(key, training), training, key=spec.flops)
    repeated += [
        replace(training, seed=spec.seed + i)
        for training in costliest.values()
        for i in range(1, spec.preset.seeds)
    ]
    return trainings + repeated


def search_cells(spec: Spec, cells: Iterable[Cell]) -> Iterator[TrialQueue]:
    """Yield the trials of each cell, the longest first, so that workers end at about the same time.

    Args:
        spec: The sweep.
        cells: (family, shard, size) to search.

    Returns:
        The trials of each cell.
    """
    return (_drawn(spec, *cell) for cell in sorted(cells, key=spec.most_flops, reverse=True))


def _drawn(spec: Spec, family: str, shard: float, size: int) -> TrialQueue:
    """Draw the trials of one shard and size from a random stream of their own."""
    preset = spec.preset
    grid = [
        (optimizer, rate, batch)
        for optimizer, rates in preset.rates(family).items()
        for rate, batch in product(rates, preset.batch_sizes)
    ]
    rng = random.Random(f"{spec.seed}/{family}/{size}/{shard!r}")
    for optimizer, rate, batch in rng.sample(grid, min(preset.draws, len(grid))):
        yield Training(
            domain=spec.domain.name,
            version=spec.domain.version,
            family=family,
            optimizer=optimizer,
            size=size,
            data=shard,
            learning_rate=rate,
            batch_size=batch,
            epochs=preset.epochs,
            max_samples=preset.max_samples,
            seed=spec.seed,
            fingerprint=spec.corpus.fingerprint,
        )


def _of(spec: Spec, family: str, shard: float, runs: Runs) -> list[Run]:
    """Return the runs of one shard without those of fresh seeds."""
    return [run for run in runs if run.family == family and run.data == shard and run.seed == spec.seed]
