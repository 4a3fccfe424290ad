"""The trainings of a sweep that take the most memory: what GPU capacity is measured with."""

from dataclasses import replace

from calibrate.engines.local import Job
from calibrate.sweep.search import end_trainings
from calibrate.sweep.spec import Spec, run_id

TRIAL = 30.0  # seconds that one of them is trained for


def trials(spec: Spec) -> list[Job]:
    """Return the trainings that take the most memory: one for each family and optimizer.

    The largest model on the largest shard with the largest batch, for one pass at most.
    """
    preset, largest = spec.preset, {}
    for training in end_trainings(spec):
        if training.size == preset.sizes[training.family][-1]:
            largest[training.family, training.optimizer] = replace(
                training,
                data=preset.shards[-1],
                batch_size=max(preset.batch_sizes),
                max_samples=min(preset.max_samples, preset.shards[-1]),
            )
    return [
        Job(
            id=run_id(training),
            training=training,
            corpus=spec.corpus,
            module=spec.domain.module,
            flops=spec.rung(training.family, training.size).flops,
            time_limit=TRIAL,
        )
        for training in largest.values()
    ]
