"""The trainings of a sweep that take the most memory: GPU capacity is measured with them."""

from dataclasses import replace

from calibrate.engines.local import Job
from calibrate.sweep.search import end_trainings
from calibrate.sweep.spec import Spec, run_id

TRIAL_SECONDS = 30.0  # that each of them is trained


def memory_trials(spec: Spec) -> list[Job]:
    """Return the trainings that take the most memory, one for each family and optimizer.

    Args:
        spec: The sweep.

    Returns:
        Jobs of the largest model on the largest shard with the largest batch, for at most one epoch.
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
            flops=spec.size_cost(training.family, training.size).flops,
            time_limit=TRIAL_SECONDS,
        )
        for training in largest.values()
    ]
