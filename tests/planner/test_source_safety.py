"""Reading a source of unknown origin runs nothing, writes nothing, follows no link and keeps no names."""

import hashlib
import json
import os
import shutil
import sqlite3
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from synthetic import planner

from laws.errors import PlannerError
from planner.sources.trackers.open_source import read_source

ARCHIVE = Path(__file__).resolve().parent.parent / "data" / "trackers" / "stores.tar.xz"
NAME, SECRET = "anna-m", "wer-of-a-stranger"
SOURCES = {  # source -> options of a fit
    "mlflow.db": ("params.hours", "metrics.test_wer", ("--where", "experiment=asr-ladder")),
    "mlruns": ("params.hours", "metrics.test_wer", ("--where", "experiment=asr-ladder")),
    "wandb": ("config.data.hours", "summary.test_wer", ()),
    "tensorboard": ("hparams.hours", "scalars.val/wer", ()),
    "study.db": ("params.hours", "value", ("--where", "study=asr-ladder")),
    "trainers": ("num_input_tokens_seen", "eval_wer", ()),
    "json": ("hours", "wer", ()),
    "chart.csv": ("", "wer", ("--data-from-name", "([0-9]+)h")),
}
LINK_NAMES = {  # folders -> a file that its reader would read
    "mlruns": "meta.yaml",
    "wandb": "run-zzz.wandb",
    "tensorboard": "events.out.tfevents.9.x",
    "trainers": "trainer_state.json",
    "json": "z.json",
}

_opened: list[tuple[str, str]] = []  # path and mode
_forbidden: list[str] = []
_watching: list[bool] = []  # not empty while a source is read; a hook cannot be removed


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    """Note what Python itself reports of files, programs, connections and code."""
    if not _watching:
        return
    if event == "open" and isinstance(arguments[0], str | bytes):
        _opened.append((os.fsdecode(arguments[0]), str(arguments[1])))
    elif event == "sqlite3.connect":
        _opened.append((os.fsdecode(str(arguments[0])).removeprefix("file:").partition("?")[0], "r"))
    elif event.partition(".")[0] in {"subprocess", "socket", "pickle", "marshal", "ctypes"} or event in {
        "os.system", "os.exec", "os.posix_spawn", "os.fork", "exec", "compile", "os.remove", "os.rename",
        "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.chmod", "os.truncate", "shutil.copyfile",
    }:  # fmt: skip
        _forbidden.append(event)


sys.addaudithook(_watch)


def watched(path: Path) -> list[tuple[str, str]]:
    """Read a source and return every file that was opened, after what is imported late was imported."""
    _read(path)
    _opened.clear()
    _forbidden.clear()
    _watching.append(True)
    try:
        _read(path)
    finally:
        _watching.clear()
    assert _forbidden == []
    return list(_opened)


def _read(path: Path) -> None:
    try:
        table = read_source(path)
        assert [table.cells(run, table.columns) for run in table.runs]
    except PlannerError:
        pass


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder, named after a person, with a source of each kind in which persons are named."""
    folder = tmp_path_factory.mktemp(NAME)
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    connection = sqlite3.connect(folder / "mlflow.db")
    connection.execute(
        "update runs set user_id = ?, source_name = ?, artifact_uri = ?", [f"/home/{NAME}/a"] * 3
    )
    connection.execute(
        "update tags set value = ? where key like 'mlflow.%' and key != 'mlflow.runName'", [NAME]
    )
    connection.commit()
    connection.close()
    for meta in (folder / "mlruns").rglob("meta.yaml"):
        lines = [
            line for line in meta.read_text().splitlines() if not line.startswith(("user_id", "artifact_"))
        ]
        meta.write_text("\n".join([*lines, f"user_id: {NAME}", f"artifact_uri: /home/{NAME}/a"]) + "\n")
    for tag in (folder / "mlruns").rglob("tags/mlflow.user"):
        tag.write_text(NAME)
    (folder / "json").mkdir()
    for hours in (10, 20, 40):
        run = {"hours": hours, "wer": hours**-0.3}
        (folder / "json" / f"{hours}.json").write_text(json.dumps(run))
        log = [{"step": 1, "eval_wer": hours**-0.3}]
        state = {"global_step": 1, "max_steps": 1, "num_input_tokens_seen": hours, "log_history": log}
        state |= {"best_model_checkpoint": f"/home/{NAME}/checkpoint-1", "trial_name": NAME}
        (folder / "trainers" / f"{hours}h").mkdir(parents=True)
        (folder / "trainers" / f"{hours}h" / "trainer_state.json").write_text(json.dumps(state))
    rows = "Step,10h - wer,10h - wer__MIN,10h - wer__MAX,40h - wer,40h - wer__MIN,40h - wer__MAX\n"
    (folder / "chart.csv").write_text(rows + "1,.5,.5,.5,.4,.4,.4\n")
    yield folder


def contents(folder: Path) -> dict[str, tuple[int, str]]:
    """Return when every file and folder was changed, and what is in it."""
    return {
        str(path): (
            path.stat().st_mtime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in [folder, *sorted(folder.rglob("*"))]
    }


@pytest.mark.parametrize("name", SOURCES)
def test_only_files_of_the_source_are_opened_and_only_to_read(sources: Path, name: str) -> None:
    before = contents(sources)
    opened = watched(sources / name)
    assert opened
    inside = (sources / name).resolve()
    for path, mode in opened:
        assert Path(path).resolve().is_relative_to(inside), path
        assert mode in {"r", "rb"}
    assert contents(sources) == before


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == "mlruns" else ()) for name in LINK_NAMES]
)
def test_links_out_of_a_source_are_not_followed(sources: Path, tmp_path: Path, name: str) -> None:
    outside, store = tmp_path / "outside", tmp_path / "store"
    for folder in (outside, store):
        shutil.copytree(sources / name, folder)
    link_name, count = LINK_NAMES[name], len(read_source(store).runs)
    file = next(
        path for path in sorted(outside.rglob("*")) if path.name[-5:] == link_name[-5:] or "tfev" in path.name
    )
    folders = [store, *(path for path in store.rglob("*") if path.is_dir())]
    for at in {store, max(folders, key=lambda path: len(path.parts))}:
        (at / "linked-folder").symlink_to(outside)
        if not (at / link_name).exists():
            (at / link_name).symlink_to(file)
    assert len(read_source(store).runs) == count
    assert not [path for path, _ in watched(store) if Path(path).resolve().is_relative_to(outside)]


@pytest.mark.parametrize("part", ["params", "metrics", "tags", "meta.yaml"])
def test_a_part_of_an_mlflow_run_may_not_be_a_link(tmp_path: Path, part: str) -> None:
    outside, run = tmp_path / "outside", tmp_path / "mlruns" / "0" / "abc"
    for folder in (outside, run):
        for kind in ("params", "metrics", "tags"):
            (folder / kind).mkdir(parents=True)
    (run / "meta.yaml").write_text("run_id: abc\nstatus: 3\n")
    (run.parent / "meta.yaml").write_text("name: asr\n")
    for kind in ("params", "metrics", "tags"):
        (outside / kind / "wer").write_text(f"1 {SECRET} 0\n" if kind == "metrics" else SECRET)
    (outside / "meta.yaml").write_text(f"name: {SECRET}\n")
    linked = run.parent / part if part == "meta.yaml" else run / part
    if linked.is_dir():
        linked.rmdir()
    else:
        linked.unlink()
    linked.symlink_to(outside / part)
    for path in (tmp_path / "mlruns", run):
        assert not [name for name, _ in watched(path) if Path(name).resolve().is_relative_to(outside)]


@pytest.mark.parametrize("name", SOURCES)
def test_no_person_host_or_path_of_a_source_is_read(sources: Path, name: str) -> None:
    table = read_source(sources / name)
    cells = {str(cell) for run in table.runs for cell in table.cells(run, table.columns)}
    assert not [cell for cell in cells if NAME in cell or cell.startswith(("/home/", "/tmp/", "/root"))]
    assert not {"host", "team"} & cells


@pytest.mark.slow
@pytest.mark.parametrize("name", SOURCES)
def test_a_law_keeps_no_person_and_no_path_of_its_source(sources: Path, tmp_path: Path, name: str) -> None:
    data, metric, words = SOURCES[name]
    words = (*words, "--data-column", data) if data else words
    store = tmp_path / "store"
    ran = planner(
        "fit",
        sources / name,
        "--domain",
        "asr",
        "--metric",
        "wer",
        "--data-unit",
        "hours",
        "--form",
        "power",
        "--metric-column",
        metric,
        *words,
        "--store",
        store,
        "--format",
        "json",
    )
    assert ran.code == 0, ran.err
    for file in store.rglob("*"):
        assert not file.is_file() or NAME.encode() not in file.read_bytes(), file
