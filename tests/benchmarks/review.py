"""Measure how long a review of many products takes, and how large its page is.

    python -m tests.benchmarks.review

It times whole processes one after another: the page, Markdown and JSON of two plans of 50 products. In
`shared`, products share a few laws, like those of one team: a calibrated law with its companions, a fitted
joint law with and without repeated data, and published laws. In `own`, each product has calibrated laws of
its own domain, 150 laws in all. The page of 50 products may take 10 s.
"""

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "planner"))

from synthetic import passes, power, size, surface

from laws.storage.store import Store
from tests.benchmarks.startup import PLANNER, measured

MAX_PAGE_SECONDS = 10.0
MACHINES = 'on = "h100"\ncount = 64\ndeadline = "60d"\nbudget = "$1M"\n'
QUESTIONS = (
    'domain = "d0"\ntarget = "{wer}%"\n' + MACHINES,
    'domain = "lm"\ntarget = "{loss}"\n' + MACHINES,
    'domain = "lm"\ntarget = "{loss}"\nhave_data = "100B tokens"\n' + MACHINES,
    'law = "hestness2019-wordlm-curve"\ntarget = "2.6"\n' + MACHINES,
    'law = "besiroglu2024"\ntarget = "{loss}"\n' + MACHINES,
)


def laws_of(domain: str, seed: int) -> list:
    """Return the laws of one calibrated domain: error, model size and samples, with 1,000 paths each."""
    return [
        power(0.4, 0.3, 0.03, spread=0.1, draws=1000, seed=seed, domain=domain),
        size(2e4, 0.6, spread=0.1, draws=1000, seed=seed, domain=domain),
        passes(12, draws=1000, domain=domain),
    ]


def store_of(folder: Path, domains: int) -> Path:
    """Write a store with the laws of that many domains and one surface."""
    store = Store(folder)
    for i in range(domains):
        for law in laws_of(f"d{i}", i):
            store.add_law(law)
    store.add_law(surface(1.69, 406, 0.34, 410, 0.28, draws=1000, spread=0.02))
    assert store.publish() == ()
    return folder


def plan_of(products: int, *, own: bool) -> str:
    """Return a plan file."""
    rows = []
    for i in range(products):
        question = (
            f'domain = "d{i}"\ntarget = "{{wer}}%"\n' + MACHINES if own else QUESTIONS[i % len(QUESTIONS)]
        )
        question = question.format(wer=5 + i % 10, loss=2.1 + 0.01 * (i % 20))
        rows.append(f'[[products]]\nname = "Product {i}"\n{question}')
    return "today = 2026-11-23\n" + "\n".join(rows)


def main() -> None:
    """Measure every kind of output and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--products", type=int, default=50)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "bytecode"), "OMP_NUM_THREADS": "1"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        print("| plan | output | wall s | CPU s | bytes | limit s |")
        print("| --- | --- | --- | --- | --- | --- |")
        for plan, own in (("shared", False), ("own", True)):
            store = store_of(folder / f"store-{plan}", given.products if own else 1)
            file = folder / f"{plan}.toml"
            file.write_text(plan_of(given.products, own=own), encoding="utf-8")
            for kind in ("html", "md", "json"):
                out = folder / f"{plan}.{kind}"
                command = [*PLANNER, "review", str(file), "--store", str(store), "--out", str(out)]
                runs = [measured(command, environment) for _ in range(given.runs + 1)][1:]
                wall, cpu = (statistics.median(values) for values in zip(*runs, strict=True))
                limit = f"{MAX_PAGE_SECONDS:g}" if kind == "html" else ""
                print(
                    f"| {plan} | {kind} | {wall:.2f} | {cpu:.2f} | {out.stat().st_size} | {limit} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
