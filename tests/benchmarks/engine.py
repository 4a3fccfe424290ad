"""What a sweep costs besides its trainings, under both engines.

    python -m tests.benchmarks.engine [empty] [share] [many] [large] [--ray]

empty   runs a second of a training that does nothing: dispatched and answered, and also stored
share   part of the workers' time in a real sweep that is not training; aim: under 5 % local, 10 % Ray
many    10,000 runs planned, dispatched and stored: memory of the parent at 1,000 and at 10,000
large   `planner estimate` on an index of a million runs and a thousand laws, beside one of three laws

With `--ray`, `empty` and `share` are also measured on a cluster of two nodes that is started for them.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "calibrate"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "planner"))

from calibrate.engines.local import AttemptResult, Job, LocalEngine, Pool
from calibrate.sweep.progress import Progress
from calibrate.sweep.run import run_sweep
from calibrate.sweep.spec import Spec
from calibrate.types import Corpus, Domain, Preset, TrainingOutcome, doubling
from laws.storage import records
from laws.storage.store import Store
from laws.types import Run, SizeCost

ROOT = Path(__file__).resolve().parents[2]
MODULE = "tests.benchmarks.empty_domain"
WORKERS = 2


def spec(folder: Path, runs: int, module: str = MODULE) -> Spec:
    """Return a sweep of about `runs` trainings, a third of them on each of three shards."""
    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    preset = Preset(
        shards=doubling(4, 3),
        validation=1,
        sizes={"none": (1,)},
        learning_rates={"sgd": tuple(0.01 + 1e-6 * i for i in range(runs // 3))},
        batch_sizes=(1,),
        draws=runs // 3,
        epochs=1,
        max_samples=100,
    )
    domain = Domain(
        name="empty", metrics={"error": "fraction"}, data_unit="examples", families=("none",),
        optimizers=("sgd",), corpus="", definitions={}, module=module, presets={"test": preset},
    )  # fmt: skip
    return Spec(
        domain=domain, preset_name="test", preset=preset, families=("none",), seed=0,
        corpus=Corpus(folder=folder / "corpus", fingerprint="f", available=16),
        ladder={"none": (SizeCost(size=1, params=2, flops=1.0),)},
    )  # fmt: skip


def pool(address: str, module: str) -> Pool:
    """Return an engine with two workers: on the Ray cluster at an address, or on this machine."""
    if address:
        from calibrate.engines.ray_cluster import RayEngine

        return RayEngine(address, module=module, workers=WORKERS)
    return LocalEngine(("cpu",) * WORKERS)


def ignore(progress: Progress) -> None:
    """Hear nothing."""


class Answered:
    """An engine without processes: what planning and storing cost alone."""

    def run(self, jobs: Iterable[Job]) -> Iterator[AttemptResult]:
        """Answer every job at once."""
        outcome = TrainingOutcome(
            status="finished", params=2, samples=1.0, metrics={"error": 0.5}, seconds=1e-6
        )
        for job in jobs:
            yield AttemptResult(job, job.attempt, outcome, final=True)


def empty(address: str = "") -> None:
    """Print runs a second of an empty training."""
    with tempfile.TemporaryDirectory() as folder:
        asked = spec(Path(folder), 600)
        from calibrate.sweep.search import end_trainings
        from calibrate.sweep.spec import run_id

        jobs = [
            Job(id=run_id(t), training=t, corpus=asked.corpus, module=MODULE, flops=1, time_limit=60)
            for t in end_trainings(asked)
        ]
        with pool(address, MODULE) as started:
            begun = time.perf_counter()
            list(started.run(jobs[:20]))
            warm = time.perf_counter() - begun
            begun = time.perf_counter()
            assert all(result.outcome.status == "finished" for result in started.run(jobs[20:]))
            dispatched = len(jobs[20:]) / (time.perf_counter() - begun)
            begun = time.perf_counter()
            runs = run_sweep(asked, Store(Path(folder) / "store"), started, WORKERS, ignore)
            stored = runs.counts["finished"] / (time.perf_counter() - begun)
    print(
        f"empty, {'ray' if address else 'local'}: {warm:.1f} s to start; {dispatched:.0f} runs/s trained, "
        f"{stored:.0f} runs/s stored"
    )


def share(address: str = "") -> None:
    """Print the part of a sweep's time that is not training, from the first dispatch to the last result."""
    from calibrate.domains import domain_code, find_domain
    from calibrate.sweep.search import end_trainings

    with tempfile.TemporaryDirectory() as folder:
        domain = find_domain("teacher")
        preset = replace(domain.presets["quick"], draws=4, seeds=1)
        module = domain_code(domain)
        corpus = module.prepare(
            cache=Path(folder), source=None, available=preset.shards[-1], validation=preset.validation,
            seed=0, report=lambda text, share: None,
        )  # fmt: skip
        asked = Spec(
            domain=domain, preset_name="quick", preset=preset, families=("mlp",), seed=0, corpus=corpus,
            ladder={"mlp": module.ladder("mlp", preset.sizes["mlp"], corpus)},
        )  # fmt: skip
        with pool(address, domain.module) as started:
            warm = Job(
                id="warm", training=replace(next(end_trainings(asked)), max_samples=1), corpus=corpus,
                module=domain.module, flops=1, time_limit=60,
            )  # fmt: skip
            list(started.run([replace(warm, id=str(i)) for i in range(4 * WORKERS)]))
            begun = time.perf_counter()
            store = Store(Path(folder) / "store")
            run_sweep(asked, store, started, WORKERS, ignore)
            time_ = WORKERS * (time.perf_counter() - begun)
        runs = store.runs()
    training = sum(run.seconds or 0 for run in runs)
    print(
        f"share, {'ray' if address else 'local'}: {len(runs)} runs of {training / len(runs):.2f} s on "
        f"average; {1 - training / time_:.1%} of the workers' time was not training"
    )


def many() -> None:
    """Print the parent's memory after 1,000 and after 10,000 runs; each in a process of its own."""
    for runs in (1000, 10_000):
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.engine", "one-of-many", "--runs", str(runs)],
            capture_output=True, text=True, check=True, cwd=ROOT,
        )  # fmt: skip
        print(done.stdout.strip())


def one_of_many(runs: int) -> None:
    """Plan, dispatch and store so many runs here."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder) / "store")
        run_sweep(spec(Path(folder), 30), store, Answered(), 1, ignore)  # imports what is imported once
        before = resident()
        begun = time.perf_counter()
        found = run_sweep(spec(Path(folder), runs), store, Answered(), 1, ignore)
        seconds = time.perf_counter() - begun
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        count = found.counts["finished"]
        print(
            f"many: {count} runs in {seconds:.0f} s, {count / seconds:.0f}/s; memory before "
            f"{before / 1e6:.0f} MB, after {resident() / 1e6:.0f} MB, at most {peak / 1e6:.0f} MB"
        )


def resident() -> int:
    """Return the bytes of this process that are in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def large(runs: int, copies: int, laws: int) -> None:
    """Print what an estimate takes on a large store, as a ratio to one with three laws alone.

    So many runs have files; in the index each stands `copies` times more.
    """
    from synthetic import passes, power, size

    def answer(folder: Path) -> float:
        begun = time.perf_counter()
        subprocess.run(
            [sys.executable, "-c", "from planner.cli import main; main()", "estimate", "--domain", "speech",
             "--target-wer", "5%", "--store", folder, "--format", "json"],
            stdout=subprocess.DEVNULL, check=True, cwd=ROOT,
        )  # fmt: skip
        return time.perf_counter() - begun

    with tempfile.TemporaryDirectory() as folder:
        stores = [Store(Path(folder) / name) for name in ("small", "large")]
        for store in stores:
            for law in (power(0.4, 0.3, 0.03, spread=0.1, draws=1000), size(2e4, 0.6), passes(12)):
                store.add_law(law)
        stores[0].publish()
        big = stores[1].folder
        begun = time.perf_counter()
        for law_number in range(laws):
            law = power(0.4, 0.3, 0.03, spread=0.1, draws=20, seed=law_number)
            law = replace(law, domain=f"other-{law_number % 50}")
            law = replace(law, id=records.content_id(law))
            (big / "laws" / f"{law.id}.json").write_bytes(records.encode(law))
        (big / "runs").mkdir(exist_ok=True)
        for number in range(runs):
            run = Run(
                id=f"{number:016x}", status="finished", sweep="s", domain="speech", family="ds2",
                optimizer="adam", data=1.0 + number % 64, data_unit="hours", params=1000 + number,
                metrics={"wer": 0.2}, seconds=1.0, created="2026-01-01T00:00:00+00:00",
            )  # fmt: skip
            (big / "runs" / f"{run.id}.1.json").write_bytes(records.encode(run))
        written = time.perf_counter() - begun
        begun = time.perf_counter()
        assert stores[1].rebuild() == ()
        print(f"large: files in {written:.0f} s, index of them in {time.perf_counter() - begun:.0f} s")
        import duckdb

        with duckdb.connect(str(big / "index.duckdb")) as connection:
            columns = [row[0] for row in connection.execute("describe runs").fetchall()]
            copied = ", ".join("n || 'x' || id" if name == "id" else name for name in columns)
            connection.execute(f"insert into runs select {copied} from runs, range(?) copies(n)", [copies])
            connection.execute("checkpoint")
        for folder_ in (stores[0].folder, big):
            answer(folder_)
        ratios = [answer(big) / answer(stores[0].folder) for _ in range(9)]
        size_ = (big / "index.duckdb").stat().st_size / 1e6
        print(
            f"large: {runs * (copies + 1)} runs, {laws} laws, index {size_:.0f} MB: estimate takes "
            f"{statistics.median(ratios):.2f} times as long as on a store of 3 laws "
            f"({min(ratios):.2f} to {max(ratios):.2f})"
        )


def on_cluster(what: Sequence[str]) -> None:
    """Measure on two nodes on loopback, from a process in the cluster's network namespace."""
    from ray_cluster import Cluster

    with Cluster() as started:
        for _ in range(WORKERS):
            started.node(1)
        process = started.start(
            sys.executable, "-m", "tests.benchmarks.engine", *what, "--address", started.address, cwd=ROOT
        )
        out, err = process.communicate(timeout=1200)
        print(out.strip() or err)


def main() -> None:
    """Measure what was asked for, everything by default."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", nargs="*", default=["empty", "share", "many", "large"])
    parser.add_argument("--ray", action="store_true")
    parser.add_argument("--address", default="", help="of a Ray cluster that runs: measure there instead")
    parser.add_argument("--runs", type=int, default=30_000)
    parser.add_argument("--copies", type=int, default=33)
    parser.add_argument("--laws", type=int, default=1000)
    asked = parser.parse_args()
    steps = {"empty": lambda: empty(asked.address), "share": lambda: share(asked.address), "many": many}
    for what in asked.what:
        if what == "one-of-many":
            one_of_many(asked.runs)
        elif what == "large":
            large(asked.runs, asked.copies, asked.laws)
        else:
            steps[what]()
    if asked.ray:
        on_cluster([what for what in asked.what if what in ("empty", "share")])


if __name__ == "__main__":
    main()
