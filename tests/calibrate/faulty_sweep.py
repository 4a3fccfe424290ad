"""Run a sweep over the domain of faults and print its problems: a process that can be killed.

`python faulty_sweep.py STORE FOLDER KIND,... [--runs N] [--limit S] [--laws] [--engine ray --address A]`
"""

import argparse
import sys
from contextlib import suppress
from pathlib import Path

from calibrate.engines.local import LocalEngine, Pool
from calibrate.sweep.progress import Progress
from calibrate.sweep.run import run_sweep
from calibrate.sweep.spec import Spec
from calibrate.types import Corpus, Domain, Preset, doubling
from laws.errors import PlannerError
from laws.storage.store import Store
from laws.types import SizeCost

SHARDS = doubling(4, 3)


def spec(folder: Path, kinds: tuple[int, ...], runs: int = 1, seed: int = 0, limit: float = 120) -> Spec:
    """Return a sweep of `runs` trainings a shard and kind; the kinds stand where sizes do."""
    preset = Preset(
        shards=SHARDS,
        validation=1,
        sizes={"none": kinds},
        learning_rates={"sgd": tuple(0.01 + 0.001 * i for i in range(runs))},
        batch_sizes=(1,),
        draws=runs,
        epochs=1,
        max_samples=100,
        time_limit=limit,
    )
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    if not (corpus / "notes").exists():
        (corpus / "notes").write_text(str(folder))
    domain = Domain(
        name="faulty",
        metrics={"error": "fraction"},
        data_unit="examples",
        families=("none",),
        optimizers=("sgd",),
        corpus="",
        definitions={},
        module="faulty_domain",
        presets={"test": preset},
    )
    return Spec(
        domain=domain,
        preset_name="test",
        preset=preset,
        families=("none",),
        seed=seed,
        corpus=Corpus(folder=corpus, fingerprint="f", available=SHARDS[-1]),
        ladder={"none": tuple(SizeCost(size=kind, params=2, flops=1.0) for kind in kinds)},
    )


def main() -> None:
    """Run one sweep as asked."""
    parser = argparse.ArgumentParser()
    parser.add_argument("store", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("kinds", type=lambda text: tuple(map(int, text.split(","))))
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=120.0, help="seconds a training may take")
    parser.add_argument("--start", type=float, default=600.0, help="seconds a worker may take to get ready")
    parser.add_argument("--laws", action="store_true", help="fit them and store them, too")
    parser.add_argument("--engine", default="local")
    parser.add_argument("--address", default="auto")
    asked = parser.parse_args()
    sweep = spec(asked.folder, asked.kinds, asked.runs, asked.seed, asked.limit)

    def report(progress: Progress) -> None:
        with suppress(BrokenPipeError):
            sys.stdout.write(f"{progress.done}/{progress.planned}\n")
            sys.stdout.flush()

    pool: Pool
    if asked.engine == "ray":
        from calibrate.engines.ray_cluster import RayEngine

        pool = RayEngine(asked.address, module=sweep.domain.module, grace=2.0, start=asked.start)
    else:
        pool = LocalEngine(("cpu",) * 2, grace=2.0)
    try:
        with pool as engine:
            store = Store(asked.store)
            swept = run_sweep(sweep, store, engine, engine.workers, report)
            sys.stderr.write("".join(f"problem: {line}\n" for line in engine.problems))
        if asked.laws:
            from calibrate.sweep.fit_laws import best_by_family, fit_sweep_laws

            for law in fit_sweep_laws(sweep, best_by_family(sweep, swept.incumbents), {}, sys.exit):
                store.add_law(law)
            store.publish()
    except PlannerError as error:
        sys.exit(f"planner: {error}")


if __name__ == "__main__":
    main()
