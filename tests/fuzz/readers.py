"""Every reader of files that others wrote: whole inputs to spoil, and what reads them."""

import gzip
import json
import random
import shutil
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import Any

from laws.types import Law, Outcome, Run, SavedForecast, Sweep

ROOT = Path(__file__).resolve().parent.parent.parent
DATA = ROOT / "tests" / "data"
CORPORA = (  # of tests/calibrate/test_damaged_data.py
    "characters", "words", "two files", "pairs", "image folder", "cifar10", "cifar100", "mnist", "mnist.gz",
    "librispeech", "jsonl", "csv", "common voice", "tar", "zip",
)  # fmt: skip


@dataclass(frozen=True)
class Reader:
    """A reader to fuzz.

    Attributes:
        write: Writes whole inputs into an empty folder.
        read: Reads the input in the folder; the second argument is an empty folder for what it makes.
        inputs: How many spoiled inputs to try.
    """

    write: Callable[[Path], None]
    read: Callable[[Path, Path], object]
    inputs: int


def tables(folder: Path) -> None:
    """Write one table of each kind."""
    rows = [
        {"hours": 100 * 2**i, "wer": 0.5 * 2 ** (-0.3 * i), "params": 10**6 * 2**i, "note": f"it's # {i}"}
        for i in range(8)
    ]
    head = ",".join(rows[0])
    lines = [head, *(",".join(map(str, row.values())) for row in rows)]
    text = "\n".join(lines) + "\n"
    (folder / "a.csv").write_text(text)
    (folder / "b.tsv").write_text(text.replace(",", "\t"))
    (folder / "c.csv").write_text(text.replace(",", ";"))
    (folder / "d.csv").write_bytes(text.encode("utf-16"))
    (folder / "e.csv.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
    (folder / "f.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "g.json").write_text(json.dumps(rows))
    nested = [{"config": {"data": {"hours": row["hours"]}}, "wer": row["wer"]} for row in rows]
    (folder / "h.jsonl").write_text("".join(json.dumps(row) + "\n" for row in nested))
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(
            f"copy (from read_csv('{folder / 'a.csv'}')) to '{folder / 'i.parquet'}' (format parquet)"
        )


def read_table(path: Path) -> object:
    """Read a table as `planner fit` does."""
    from planner.sources.run_table import read_measurements

    return read_measurements(path, metric="wer", metric_unit="fraction", data_unit="hours", columns={})


def each_file(read: Callable[[Path], object], folder: Path, _made: Path) -> None:
    """Read the file that was spoiled: the only one in the folder."""
    (path,) = folder.iterdir()
    read(path)


def curves(folder: Path) -> None:
    """Write tables of curves, as `planner extrapolate` reads them."""
    rows = [f"{curve},{2**i},{2 ** (-0.2 * i)},0.01," for curve in ("a", "b") for i in range(5)]
    (folder / "a.csv").write_text("\n".join(["curve,x,y,y_se,n_seeds", *rows, "a,64,,,"]) + "\n")
    (folder / "b.jsonl").write_text(
        "".join(json.dumps({"curve": "a", "x": 2**i, "y": 2 ** (-0.2 * i)}) + "\n" for i in range(5))
    )


def read_curves(path: Path) -> object:
    """Read curves, and check each as points."""
    from planner.sources import extrapolate

    return [extrapolate._points(question) for question in extrapolate.read_curves(path)]


def journal(folder: Path) -> None:
    """Write the journal of an interrupted `planner extrapolate`."""
    answer = {"quantiles": [[1.0, 2.0, 3.0, 4.0, 5.0]], "forms": {"power": 1.0}, "warnings": []}
    entries = [{"key": "score-ab", "value": [0.1, 0.2]}, {"key": "cd", "value": answer}]
    (folder / "out.csv.journal").write_text("\n".join(map(json.dumps, entries)) + "\n")


def read_journal(path: Path) -> object:
    """Read a journal."""
    from planner.sources import extrapolate

    return list(extrapolate._journaled(path))


def tracker(name: str, folder: Path) -> None:
    """Write the store of one tool."""
    if name == "trainer_state.json":
        steps = [{"step": 10 * i, "eval_loss": 3 - 0.1 * i, "epoch": i} for i in range(5)]
        (folder / name).write_text(json.dumps({"log_history": steps, "max_steps": 50}))
        return
    with tarfile.open(DATA / "trackers" / "stores.tar.xz") as archive:
        inside = [member for member in archive if member.name.removeprefix("./").split("/")[0] == name]
        archive.extractall(folder, inside, filter="data")


def read_tracker(name: str, folder: Path, _made: Path) -> None:
    """Read the store of one tool."""
    from planner.sources.trackers.open_source import read_source

    read_source(folder / name)


def toml(folder: Path) -> None:
    """Copy the example files of accelerators and of plans."""
    for name in ("fleet.toml", "plan.toml"):
        shutil.copy(ROOT / "docs" / "examples" / name, folder / name)


def read_toml(path: Path) -> None:
    """Read a file as accelerators or as a plan."""
    from planner.hardware.fleet import read_fleet
    from planner.plans.portfolio import read_portfolio

    if path.name.startswith("fleet"):
        read_fleet(path)
    else:
        read_portfolio(path)


def exported(folder: Path) -> None:
    """Copy laws that an older version exported."""
    for path in (DATA / "laws-47a8d94").iterdir():
        shutil.copy(path, folder / path.name)


def read_exported(folder: Path, made: Path) -> None:
    """Import what can be imported."""
    from laws.storage.store import Store
    from planner.reports.laws import import_files

    import_files(Store(made / "store"), sorted(folder.iterdir()))


def read_absurd(folder: Path, made: Path) -> None:
    """Import a law with a right hash and absurd numbers, and ask it."""
    from datetime import date

    from laws.storage import records
    from laws.storage.store import Store
    from planner.hardware.fleet import read_fleet
    from planner.lawmodel.selector import LawSelector
    from planner.plans.plan import plan
    from planner.plans.question import Question
    from planner.reports.laws import import_files, law_record

    (path,) = folder.iterdir()
    content = path.read_bytes()
    rng = random.Random(content)
    source = rng.choice(sorted((DATA / "laws-47a8d94").iterdir()))
    law = records.decode(source.read_bytes(), Law)
    for _ in range(rng.randint(1, 3)):
        field = rng.choice([f.name for f in fields(Law) if f.name != "id"])
        law = replace(law, **{field: _absurd(getattr(law, field), rng)})
    law = replace(law, id=records.content_id(law))
    path.write_bytes(records.encode(law))
    store = Store(made / "store")
    (imported,) = import_files(store, [path])
    law_record(store, imported.id)
    for question in ({"target": "10%"}, {"data": "1e6"}, {"target": "1.5", "on": "h100"}):
        from laws.errors import PlannerError

        try:
            plan(
                Question.of(selector=LawSelector(law=imported.id), **question),
                store.folder, read_fleet(None), today=date(2026, 1, 1),
            )  # fmt: skip
        except PlannerError:
            continue


def _absurd(value: Any, rng: random.Random) -> Any:
    """Return a value of the same kind with one number or text that makes no sense."""
    if isinstance(value, bool | type(None)):
        return value
    if isinstance(value, int | float):
        return type(value)(rng.choice((0, -1, 1, 1e-300, 1e300, 1e18, -1e18, 2)))
    if isinstance(value, str):
        return rng.choice(("", "x" * 500, "\u202e", "nan", "hours", "=1", "a\nb", "fraction", "params,data"))
    if isinstance(value, tuple) and value:
        i = rng.randrange(len(value))
        kept = value[:i] if rng.random() < 0.2 else value
        return tuple(_absurd(v, rng) if j == i else v for j, v in enumerate(kept))
    if isinstance(value, dict) and value:
        key = rng.choice(sorted(value))
        return {**value, key: _absurd(value[key], rng)}
    return value


def store(folder: Path) -> None:
    """Unpack a store of an older version."""
    with tarfile.open(DATA / "store-47a8d94.tar.gz") as archive:
        archive.extractall(folder, filter="data")


def read_store(folder: Path, _made: Path) -> None:
    """Check and list a store."""
    from laws.errors import PlannerError
    from laws.storage.store import Store

    opened = Store(folder)
    for read in (opened.check, opened.laws, opened.runs, opened.sweeps, opened.forecasts, opened.outcomes):
        try:
            read()
        except PlannerError:
            continue


def record(folder: Path) -> None:
    """Write one record of each kind."""
    store(folder / "store")
    for i, path in enumerate(sorted((folder / "store").rglob("*/*.json"))):
        shutil.move(path, folder / f"{path.parent.name}-{i}.json")
    shutil.rmtree(folder / "store")


def read_record(path: Path) -> None:
    """Decode and validate a record."""
    from laws.storage import records

    kinds = {"runs": Run, "sweeps": Sweep, "laws": Law, "forecasts": SavedForecast, "outcomes": Outcome}
    kind: Any = kinds[path.name.split("-")[0]]
    records.validate(path.read_bytes(), kind)


def corpus(name: str, folder: Path) -> None:
    """Write a whole corpus."""
    from tests.calibrate.test_damaged_data import SOURCES

    SOURCES[name].write(folder / "corpus")


def read_corpus(name: str, folder: Path, made: Path) -> None:
    """Prepare a corpus."""
    from tests.calibrate.test_damaged_data import SOURCES

    root = folder / "corpus"
    inside = sorted(root.glob("corpus.*")) if name in {"tar", "zip"} else []
    SOURCES[name].prepared(inside[0] if inside else root, made / "cache")


TRACKERS = ("mlflow.db", "mlruns", "wandb", "tensorboard", "study.db", "trainer_state.json")
WHOLE_FOLDERS = {  # others read one file each
    "store",
    *(f"corpus {name}" for name in CORPORA),
    *(f"tracker {name}" for name in TRACKERS),
}

READERS: dict[str, Reader] = {
    "table": Reader(tables, partial(each_file, read_table), 6000),
    "curves": Reader(curves, partial(each_file, read_curves), 3000),
    "journal": Reader(journal, partial(each_file, read_journal), 1500),
    "toml": Reader(toml, partial(each_file, read_toml), 2500),
    "exported law": Reader(exported, read_exported, 400),
    "absurd law": Reader(journal, read_absurd, 400),
    "store": Reader(store, read_store, 60),
    "record": Reader(record, partial(each_file, read_record), 2500),
    **{
        f"tracker {name}": Reader(partial(tracker, name), partial(read_tracker, name), 300)
        for name in TRACKERS
    },
    **{f"corpus {name}": Reader(partial(corpus, name), partial(read_corpus, name), 60) for name in CORPORA},
}


def files_of(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder that can be spoiled, in order."""
    yield from sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
