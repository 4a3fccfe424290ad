"""Runs are read where trackers left them: stores made by the real tools, damaged ones, and hostile ones."""

import csv
import json
import os
import random
import shutil
import sqlite3
import struct
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from synthetic import planner

from laws.errors import ConflictingInput, FileError, InputError, PlannerError, TableError, UnknownName
from planner.sources.extrapolate import read_curves
from planner.sources.measurements import Measurements
from planner.sources.run_table import read_measurements
from planner.sources.tracked_table import RunChoice
from planner.sources.trackers import event_file, wandb
from planner.sources.trackers.address import path_of_address
from planner.sources.trackers.open_source import is_source, open_source
from planner.sources.trackers.runs import History, RunTable, State, history

ARCHIVE = Path(__file__).resolve().parent.parent / "data" / "trackers" / "stores.tar.xz"
MUTATIONS = 40  # per reader


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a store of each tool, which tests only read."""
    folder = tmp_path_factory.mktemp("stores")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    return folder


def states_of_others(table: RunTable, start: str) -> dict[str, str]:
    """Return name -> state of the runs whose name starts otherwise."""
    return {run.name: run.state.value for run in table.runs if not run.name.startswith(start)}


SOURCES = {  # data, error, parameters, seed; TensorBoard's runs have the seed in their names only
    "mlflow.db": ("params.hours", "metrics.test_wer", "params.model.params", "params.seed"),
    "mlruns": ("params.hours", "metrics.test_wer", "params.model.params", "params.seed"),
    "wandb": ("config.data.hours", "summary.test_wer", "config.model.n_params", "config.seed"),
    "tensorboard": ("hparams.hours", "scalars.hparam/test_wer", "hparams.params", None),
    "study.db": ("params.hours", "value", "user_attrs.params", "user_attrs.seed"),
}
WHERE = {
    "mlflow.db": {"experiment": "asr-ladder"},
    "mlruns": {"experiment": "asr-ladder"},
    "study.db": {"study": "asr-ladder"},
}


@pytest.mark.parametrize("name", SOURCES)
def test_every_tool_gives_the_same_dozen_runs(stores: Path, name: str) -> None:
    data, error, params, seed = SOURCES[name]
    table = open_source(stores / name, WHERE.get(name))
    rows = []
    for run in table.kept:
        if run.name == "child":
            continue
        hours, wer, size = (run.value(column, "min") for column in (data, error, params))
        if hours is None or wer is None:
            continue
        of_seed = run.name[-1] if seed is None else run.value(seed)
        rows.append([str(hours), f"{float(wer):.6f}", str(size), str(of_seed)])
    with (stores / "expected-conformer.csv").open() as file:
        expected = list(csv.reader(file))[1:]
    assert sorted(rows) == sorted(expected)


@pytest.mark.parametrize("name", ["mlflow.db", "mlruns"])
def test_mlflow_says_why_runs_are_left_out(stores: Path, name: str) -> None:
    table = open_source(stores / name, {"experiment": "asr-ladder"})
    assert len(table.runs) == 21
    assert table.left_out == {"deleted": 1, "failed": 1, "killed": 1, "running": 1}
    without = {run.name for run in table.kept if run.value("metrics.test_wer", "min") is None}
    assert without == {"diverged", "diverged-inf", "sweep-parent"}
    assert [run.name for run in table.kept if run.value("params.hours") is None] == [
        "tag-only",
        "sweep-parent",
    ]
    assert not any(column.startswith("tags.mlflow") for column in table.columns)


@pytest.mark.parametrize("name", ["mlflow.db", "mlruns"])
def test_history_has_smallest_largest_and_last_value(stores: Path, name: str) -> None:
    table = open_source(stores / name, {"experiment": "asr-ladder"})
    run = next(run for run in table.runs if run.name == "conformer-160h-s0")
    values = [run.value(f"metrics.val/wer.{which}") for which in ("min", "max", "last")]
    assert values == [0.15434517879301185, 0.2901669259558291, 0.15434517879301185]
    assert run.value("metrics.val/wer", "max") == values[1]
    assert run.value("metrics.val/wer") == values[2]


def test_several_groups_are_listed(stores: Path) -> None:
    for name, groups in [
        ("mlflow.db", {"asr-ladder", "translation-ladder"}),
        ("mlruns", {"asr-ladder", "translation-ladder"}),
        ("study.db", {"asr-ladder", "two-objectives", "accuracy"}),
    ]:
        with pytest.raises(InputError) as error:
            open_source(stores / name)
        assert error.value.code == "several-groups"
        assert set(error.value.value) == groups
        assert all(group in error.value.message for group in groups)


def test_condition_that_no_run_fulfills_names_the_values(stores: Path) -> None:
    with pytest.raises(UnknownName) as error:
        open_source(stores / "mlflow.db", {"experiment": "asr-lader"})
    assert (error.value.code, error.value.suggestion) == ("no-such-run", "asr-ladder")
    with pytest.raises(UnknownName) as error:
        open_source(stores / "mlflow.db", {"experimnt": "asr-ladder"})
    assert (error.value.code, error.value.suggestion) == ("unknown-column", "experiment")


def test_condition_compares_numbers_as_numbers(stores: Path) -> None:
    runs = open_source(stores / "wandb", {"config.data.hours": "80.0"}).runs
    assert {run.name for run in runs} == {"conformer-80h-s0", "conformer-80h-s1"}


def test_column_is_found_by_its_last_part(stores: Path) -> None:
    table = open_source(stores / "wandb")
    assert table.column("n_params") == "config.model.n_params"
    assert table.column("wer.min") == "summary.val/wer.min"
    table = open_source(stores / "mlflow.db", {"experiment": "asr-ladder"})
    with pytest.raises(InputError) as error:
        table.column("hours")
    assert error.value.code == "ambiguous-column"


def test_optuna_reads_choices_states_and_objectives(stores: Path) -> None:
    table = open_source(stores / "study.db", {"study": "asr-ladder"})
    assert table.left_out == {"failed": 2, "pruned": 1}
    assert table.runs[0].value("params.hours") == 10
    two = open_source(stores / "study.db", {"study": "two-objectives"})
    assert {"values.0", "values.1"} < set(two.columns)
    with pytest.raises(UnknownName):
        two.column("value")


def test_wandb_reads_ends_and_divergence(stores: Path) -> None:
    table = open_source(stores / "wandb")
    assert states_of_others(table, "conformer") == {"crashed-320h": "failed", "diverged-640h": "finished"}
    diverged = next(run for run in table.runs if run.name == "diverged-640h")
    assert diverged.value("summary.test_wer", "min") is None
    assert not {"host", "team"} & {str(run.value(c)) for run in table.runs for c in table.columns}


def test_wandb_reads_empty_cut_resumed_and_linked_runs(stores: Path, tmp_path: Path) -> None:
    shutil.copytree(stores / "wandb", tmp_path / "wandb")
    folders = sorted((tmp_path / "wandb").iterdir())
    (tmp_path / "wandb" / "latest-run").symlink_to(folders[-1])
    (tmp_path / "wandb" / "offline-run-20270101_000000-aaaa").mkdir()
    (tmp_path / "wandb" / "offline-run-20270101_000000-aaaa" / "run-aaaa.wandb").touch()
    whole = (folders[0] / "run-p25oq0za.wandb").read_bytes()
    resumed = tmp_path / "wandb" / "offline-run-20270102_000000-p25oq0za"
    resumed.mkdir()
    (resumed / "run-p25oq0za.wandb").write_bytes(whole)
    cut = next(folder for folder in folders if folder.name.endswith("105rjh86")) / "run-105rjh86.wandb"
    cut.write_bytes(cut.read_bytes()[:3000])
    table = open_source(tmp_path / "wandb")
    assert len(table.runs) == 15
    assert table.left_out == {"cut off": 1, "empty": 1, "failed": 1}
    again = next(run for run in table.runs if run.id == "p25oq0za")
    of_metric = again.values["summary.val/wer"]
    assert isinstance(of_metric, History)
    assert (of_metric.min, of_metric.count) == (0.3237996649154009, 16)
    of_cut = next(run for run in table.runs if run.id == "105rjh86")
    assert of_cut.value("summary.val/wer.min") is not None
    only_file = open_source(folders[0] / "run-p25oq0za.wandb")
    assert [run.name for run in only_file.runs] == ["conformer-10h-s0"]


def test_killed_wandb_run_has_no_end(stores: Path, tmp_path: Path) -> None:
    data = next((stores / "wandb").glob("*/run-p25oq0za.wandb")).read_bytes()
    ends = [at for at in range(len(data)) if data[at : at + 3] == b"\x92\x01\x00"]
    last = data.rindex(b"\x08>\x82\x01") - wandb.HEADER_BYTES  # the record of the exit is the last one
    assert ends
    (tmp_path / "run-x.wandb").write_bytes(data[:last])
    assert [run.state for run in open_source(tmp_path).runs] == [State.KILLED]


def test_tensorboard_joins_hyperparameters_and_restarts(stores: Path) -> None:
    table = open_source(stores / "tensorboard")
    assert states_of_others(table, "conformer") == {
        "diverged-640h": "unknown",
        "empty-40h": "empty",
        "restarted-160h": "unknown",
        "truncated-80h": "cut off",
    }
    restarted = next(run for run in table.runs if run.name == "restarted-160h")
    assert restarted.value("scalars.val/wer", "min") == pytest.approx(0.16, abs=1e-6)
    diverged = next(run for run in table.runs if run.name == "diverged-640h")
    assert diverged.value("scalars.val/wer", "min") is None
    assert diverged.value("scalars.val/wer.min") is not None


def varint(number: int) -> bytes:
    head, rest = number & 0x7F, number >> 7
    return bytes([head | 0x80]) + varint(rest) if rest else bytes([head])


def part(number: int, content: bytes | int) -> bytes:
    """Return a field of a protocol buffer."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def event(step: int, tag: str, value: bytes) -> bytes:
    """Return the record of an event with one value."""
    body = part(2, step) + part(5, part(1, part(1, tag.encode()) + value))
    head = struct.pack("<Q", len(body))
    crcs = [struct.pack("<I", event_file._masked_crc(data)) for data in (head, body)]
    return head + crcs[0] + body + crcs[1]


def test_scalars_that_are_tensors_are_read(tmp_path: Path) -> None:
    of_kind = {
        "float": part(1, 1) + part(4, struct.pack("<f", 0.5)),
        "double": part(1, 2) + part(4, struct.pack("<d", 0.25)),
        "packed": part(1, 1) + part(5, struct.pack("<f", 0.125)),
        "whole": part(1, 9) + part(10, 7),
        "text": part(1, 7) + part(8, b"hello"),
        "vector": part(1, 1) + part(4, struct.pack("<ff", 1, 2)),
    }
    data = b"".join(event(1, tag, part(8, tensor)) for tag, tensor in of_kind.items())
    (tmp_path / "events.out.tfevents.1.host").write_bytes(data)
    run = open_source(tmp_path).runs[0]
    assert [run.value(f"scalars.{tag}") for tag in of_kind] == [0.5, 0.25, 0.125, 7.0, None, None]


def test_checksum_is_that_of_tfrecord() -> None:
    assert event_file._crc(b"123456789") == 0xE3069283  # RFC 3720, B.4


def test_keras_splits_are_one_run(tmp_path: Path) -> None:
    for split, value in [("train", 0.5), ("validation", 0.25)]:
        folder = tmp_path / "small" / split
        folder.mkdir(parents=True)
        tensor = part(8, part(1, 1) + part(4, struct.pack("<f", value)))
        (folder / "events.out.tfevents.1.host").write_bytes(event(1, "epoch_loss", tensor))
    (run,) = open_source(tmp_path).runs
    assert run.name == "small"
    assert run.value("scalars.validation/epoch_loss") == 0.25
    assert run.value("scalars.train/epoch_loss") == 0.5


def test_trainer_state_is_one_run_with_histories(tmp_path: Path) -> None:
    log = [{"eval_loss": 3.0, "step": 10}, {"eval_loss": 2.0, "step": 20}, {"loss": 2.5, "step": 20}]
    for step in (10, 20):
        state = {"global_step": step, "max_steps": 20, "total_flos": 1e15, "log_history": log[: step // 10]}
        state["num_input_tokens_seen"] = 0
        folder = tmp_path / "tiny" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        (folder / "trainer_state.json").write_text(json.dumps(state))
        (folder / "config.json").write_text("{}")
    (run,) = open_source(tmp_path).runs
    assert (run.name, run.state) == ("tiny", State.FINISHED)
    assert (run.value("eval_loss", "min"), run.value("eval_loss.max"), run.value("total_flos")) == (
        2.0,
        3.0,
        1e15,
    )
    assert "num_input_tokens_seen" not in run.values


def test_json_is_read_as_object_array_and_one_file_per_run(tmp_path: Path) -> None:
    runs = [
        {"train": {"hours": 10}, "wer": 0.3, "curve": [1, 2], "state": "finished"},
        {"train": {"hours": 20}, "wer": float("nan"), "state": "failed"},
    ]
    (tmp_path / "all.json").write_text(json.dumps(runs))
    table = open_source(tmp_path / "all.json")
    assert table.left_out == {"failed": 1}
    assert table.runs[0].value("train.hours") == 10
    assert table.runs[1].value("wer") is None
    assert "curve" not in table.columns
    folder = tmp_path / "results"
    folder.mkdir()
    for n, run in enumerate(runs):
        (folder / f"{n}.json").write_text(json.dumps(run))
    (folder / "notes.json").write_text("not JSON")
    table = open_source(folder)
    assert [run.name for run in table.runs] == ["0", "1"]
    assert table.left_out == {"failed": 1, "not a JSON object": 1}


def test_unmeasured_values_are_none() -> None:
    assert history([1.0, float("nan"), 0.5]) == History(0.5, 0.5, 1.0, 3)
    assert history([0.5, 1.7976931348623157e308]) == History(None, 0.5, 0.5, 2)
    assert history([0.5, "NaN"]).best("min") is None
    assert history([]) == History(None, None, None, 0)


def test_source_is_recognized_by_content(stores: Path, tmp_path: Path) -> None:
    shutil.copy(stores / "mlflow.db", tmp_path / "backup.txt")
    assert is_source(tmp_path / "backup.txt")
    assert len(open_source(tmp_path / "backup.txt", {"experiment": "asr-ladder"}).runs) == 21
    (tmp_path / "runs.txt").write_text("hours,wer\n1,0.5\n")
    assert not is_source(tmp_path / "runs.txt")
    assert not is_source(tmp_path / "missing")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "unknown-source"),
        (b"hours,wer\n", "unknown-source"),
        (b"SQLite format 3\0", "invalid-database"),
        (b"SQLite format 3\0" + b"\xff" * 5000, "invalid-database"),
        (b"{", "invalid-json"),
        (b"[" * 100_000, "invalid-json"),
        (b"[1, 2]", "invalid-json"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "invalid-json"),
    ],
)
def test_useless_file_is_refused_in_one_line(tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "source"
    path.write_bytes(content)
    with pytest.raises(FileError) as error:
        open_source(path)
    assert error.value.code == code
    assert "\n" not in error.value.message


def test_useless_folders_are_refused(stores: Path, tmp_path: Path) -> None:
    for path, code in [(tmp_path / "missing", "no-such-file"), (tmp_path, "unknown-source")]:
        with pytest.raises(FileError) as error:
            open_source(path)
        assert error.value.code == code
    shutil.copytree(stores / "tensorboard" / "empty-40h", tmp_path / "tb")
    shutil.copy(stores / "study.db", tmp_path)
    with pytest.raises(ConflictingInput) as conflict:
        open_source(tmp_path)
    assert conflict.value.code == "several-sources"


def test_other_database_and_views_are_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute("create table runs (a)")
        for name in ("experiments", "params", "tags", "metrics", "latest_metrics"):
            connection.execute(
                f"create view {name} as select 1 as run_uuid, 2 as key, load_extension('x') as value"
            )
    connection.close()
    with pytest.raises(FileError) as error:
        open_source(tmp_path / "other.db")
    assert error.value.code == "unknown-source"


def test_reading_changes_nothing_and_follows_no_link(stores: Path, tmp_path: Path) -> None:
    shutil.copytree(stores / "wandb", tmp_path / "outside")
    (tmp_path / "store").mkdir()
    shutil.copy(stores / "study.db", tmp_path / "store")
    (tmp_path / "store" / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "store" / "run-x.wandb").symlink_to(next((tmp_path / "outside").glob("*/*.wandb")))
    before = {path: path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("*"))}
    open_source(tmp_path / "store", {"study": "asr-ladder"})
    assert {path: path.stat().st_mtime_ns for path in sorted(tmp_path.rglob("*"))} == before


def test_database_that_a_writer_has_open_is_read_from_a_copy(stores: Path, tmp_path: Path) -> None:
    path = tmp_path / "live.db"
    shutil.copy(stores / "study.db", path)
    writer = sqlite3.connect(path)
    writer.execute("pragma journal_mode = wal")
    writer.execute("update studies set study_name = 'renamed' where study_name = 'asr-ladder'")
    writer.commit()
    assert (tmp_path / "live.db-wal").stat().st_size > 0
    names = sorted(tmp_path.iterdir())
    assert len(open_source(path, {"study": "renamed"}).runs) == 15
    assert sorted(tmp_path.iterdir()) == names
    writer.close()


def truncated(data: bytearray, random_source: random.Random) -> bytes:
    return bytes(data[: random_source.randrange(len(data))])


def flipped(data: bytearray, random_source: random.Random) -> bytes:
    for _ in range(random_source.choice([1, 3, 20])):
        data[random_source.randrange(len(data))] = random_source.randrange(256)
    return bytes(data)


def trainer_state() -> bytes:
    return json.dumps(
        {
            "global_step": 2,
            "max_steps": 2,
            "log_history": [{"loss": 1.0, "step": 1}, {"loss": 0.5, "step": 2}],
        }
    ).encode()


MUTATED: dict[str, Callable[[Path], bytes]] = {
    "mlflow.db": lambda stores: (stores / "mlflow.db").read_bytes(),
    "study.db": lambda stores: (stores / "study.db").read_bytes(),
    "run-p25oq0za.wandb": lambda stores: next((stores / "wandb").glob("*/run-p25oq0za.wandb")).read_bytes(),
    "events.out.tfevents.1": lambda stores: next(
        (stores / "tensorboard").glob("conformer-10h-s0/hp/*")
    ).read_bytes(),
    "trainer_state.json": lambda _: trainer_state(),
    "mlruns/1/meta.yaml": lambda stores: next((stores / "mlruns").glob("*/*/meta.yaml")).read_bytes(),
    "mlruns/1/metrics/wer": lambda stores: next(
        (stores / "mlruns").glob("*/*/metrics/test_wer")
    ).read_bytes(),
}


@pytest.mark.parametrize("name", MUTATED)
def test_damaged_source_never_ends_in_a_traceback(stores: Path, tmp_path: Path, name: str) -> None:
    whole = MUTATED[name](stores)
    random_source = random.Random(name)
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.parent.name == "metrics":
        (path.parent.parent / "meta.yaml").write_text("run_id: a\nstatus: 3\n")
    started = time.monotonic()
    for _ in range(MUTATIONS):
        change = random_source.choice([truncated, flipped])
        path.write_bytes(change(bytearray(whole), random_source))
        try:
            table = open_source(tmp_path / name.split("/")[0])
        except PlannerError as error:
            assert "\n" not in error.message
        else:
            rows = [table.cells(run, table.columns, "min") for run in table.runs]
            assert {len(row) for row in rows} == {len(table.columns)}
    assert time.monotonic() - started < 10


def reseal(data: bytes) -> bytes:
    """Return a W&B log with right checksums, so that damage within the records is read."""
    import zlib

    sealed, at = bytearray(data), wandb.HEADER_BYTES
    while at + wandb.HEADER_BYTES <= len(sealed):
        length = int.from_bytes(sealed[at + 4 : at + 6], "little")
        crc = zlib.crc32(sealed[at + 6 : at + 7 + length])
        sealed[at : at + 4] = crc.to_bytes(4, "little")
        at += wandb.HEADER_BYTES + length
    return bytes(sealed)


def test_damaged_records_with_right_checksums_never_end_in_a_traceback(
    stores: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_file, "MAX_CHECKED_BYTES", -1)
    random_source = random.Random(1)
    of_wandb = MUTATED["run-p25oq0za.wandb"](stores)
    of_events = MUTATED["events.out.tfevents.1"](stores)
    for n in range(MUTATIONS):
        data = flipped(bytearray(of_wandb), random_source)
        (tmp_path / "run-a.wandb").write_bytes(reseal(wandb.SIGNATURE + data[4:]))
        (tmp_path / "events.1").write_bytes(
            of_events[:12] + flipped(bytearray(of_events[12:]), random_source)
        )
        for name in ("run-a.wandb", "events.1"):
            table = open_source(tmp_path / name)
            assert len(table.runs) == 1, (n, name)
            assert table.columns[:3] == ("id", "name", "state")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission_is_refused(stores: Path, tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    shutil.copy(stores / "study.db", path)
    path.chmod(0)
    with pytest.raises(FileError) as error:
        open_source(path)
    assert error.value.code == "unreadable-source"


LAW_OPTIONS = ("--domain", "asr", "--metric", "wer", "--data-unit", "hours", "--form", "power")


@pytest.mark.parametrize("name", SOURCES)
def test_measurements_come_from_every_tool(stores: Path, name: str) -> None:
    data, error, params, _ = SOURCES[name]
    measured = read_measurements(
        stores / name,
        metric="wer",
        metric_unit="fraction",
        data_unit="hours",
        columns={"data": data, "metric": error},
        choice=RunChoice(WHERE.get(name, {})),
    )
    assert measured.params is not None
    assert measured.columns["params"] == params
    assert len(measured) == (13 if name.startswith("mlflow") or name == "mlruns" else 12)
    assert min(measured.metric) == pytest.approx(0.0768873558)


def test_runs_left_out_of_a_fit_are_counted_by_reason(stores: Path, tmp_path: Path) -> None:
    ran = planner(
        "fit", stores / "mlflow.db", *LAW_OPTIONS, "--data-column", "params.hours", "--metric-column",
        "metrics.test_wer", "--where", "experiment=asr-ladder", "--store", tmp_path, "--format", "json",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    assert json.loads(ran.out)[0]["left_out"] == (
        "8 of 21 runs were left out: 1 failed, 1 killed, 1 deleted, 1 running, "
        "3 without metrics.test_wer, 1 without params.hours."
    )


def test_fit_refuses_several_experiments_and_one_training(stores: Path, tmp_path: Path) -> None:
    ran = planner("fit", stores / "mlflow.db", *LAW_OPTIONS, "--store", tmp_path)
    assert ran.refused == "several-groups"
    ran = planner(
        "fit", stores / "mlruns", *LAW_OPTIONS, "--where", "experiment=asr-ladder", "--store", tmp_path
    )
    assert ran.refused == "ambiguous-column"
    assert "--data-column" in ran.err
    assert planner("fit", tmp_path / "missing", *LAW_OPTIONS, "--store", tmp_path).refused == "no-such-file"
    ran = planner("fit", stores / "mlflow.db", *LAW_OPTIONS, "--store", tmp_path)
    assert "--where experiment=asr-ladder" in ran.err
    ran = planner("fit", stores / "mlflow.db", *LAW_OPTIONS, "--where", "asr-ladder", "--store", tmp_path)
    assert ran.refused == "invalid-condition"
    (tmp_path / "trainer_state.json").write_bytes(trainer_state())
    ran = planner("fit", tmp_path / "trainer_state.json", *LAW_OPTIONS, "--store", tmp_path / "store")
    assert ran.refused == "one-training"


def test_columns_are_shown_and_written(stores: Path, tmp_path: Path) -> None:
    ran = planner("columns", stores / "mlflow.db", "--format", "json")
    rows = {row["name"]: row for row in json.loads(ran.out)}
    assert (rows["params.hours"]["count"], rows["params.hours"]["low"], rows["params.hours"]["high"]) == (
        19,
        10,
        2560,
    )
    roles = {
        "params.hours": "data", "params.train.data.hours": "data", "metrics.test_wer": "metric", "id": "",
        "params.model.params": "params", "metrics.total_flops": "flops", "metrics.gpu_hours": "gpu_hours",
        "params.device": "device", "params.seed": "seed", "state": "state", "experiment": "group",
        "params.optimizer.lr": "", "params.epochs": "",
    }  # fmt: skip
    assert {name: rows[name]["role"] for name in roles} == roles
    shown = planner("columns", stores / "mlflow.db").out
    assert "21 asr-ladder, 3 translation-ladder" in " ".join(shown.split())
    out = tmp_path / "runs.csv"
    ran = planner("columns", stores / "wandb", "--out", out)
    assert ran.code == 0, ran.err
    with out.open() as file:
        written = list(csv.DictReader(file))
    assert len(written) == 14
    assert written[0]["summary.val/wer.min"] == "0.3237996649154009"
    rows = {row["name"]: row for row in json.loads(planner("columns", out, "--format", "json").out)}
    assert rows["config.data.hours"]["high"] == 2560


def test_a_run_whose_metric_is_not_a_number_shifts_no_name_and_is_counted(tmp_path: Path) -> None:
    source = tmp_path / "runs.json"
    errors = ["nan", 0.3, 0.2]
    runs = [{"hours": 10.0 * 2**i, "wer": error} for i, error in enumerate(errors)]
    source.write_text(json.dumps(runs), encoding="utf-8")
    measured = read_measurements(
        source,
        metric="wer",
        metric_unit="fraction",
        data_unit="hours",
        columns={"data": None, "metric": None},
    )
    assert measured.metric == (0.3, 0.2)
    assert "runs[1]" in measured.cell_name(0, "metric")
    assert measured.left_out == "1 of 3 runs was left out: 1 without wer."


def test_a_written_table_holds_no_formula(tmp_path: Path) -> None:
    source, out = tmp_path / "runs.json", tmp_path / "runs.csv"
    runs = [{"name": "a", "hours": hours, "note": "=1+1", "shift": -0.5} for hours in (1, 2)]
    source.write_text(json.dumps(runs), encoding="utf-8")
    assert planner("columns", source, "--out", out).code == 0
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert {row["note"] for row in rows} == {"'=1+1"}
    assert {row["shift"] for row in rows} == {"-0.5"}


def test_address_of_a_file_is_its_path(stores: Path) -> None:
    for address in (f"sqlite:///{stores}/mlflow.db", f"file://{stores}/mlruns"):
        ran = planner("columns", address, "--where", "experiment=asr-ladder", "--format", "json")
        assert ran.code == 0, ran.err
    assert path_of_address("sqlite:///mlflow.db") == "mlflow.db"
    assert path_of_address("sqlite:////data/mlflow.db?mode=ro") == "/data/mlflow.db"


def test_address_of_a_server_is_refused_without_its_password() -> None:
    ran = planner("columns", "postgresql+psycopg2://anna:secret@host/mlflow")
    assert ran.refused == "remote-source"
    assert not any(word in ran.err for word in ("anna", "secret", "host"))


def measured_runs(path: Path, choice: RunChoice, metric: str = "wer", **options: Any) -> Measurements:
    """Return the measurements of a store whose data is counted in hours."""
    columns = {"data": options.pop("data", None), "metric": options.pop("column", metric)}
    return read_measurements(
        path, metric=metric, metric_unit="", data_unit="hours", columns=columns, choice=choice, **options
    )


def test_data_size_may_be_in_the_names_of_runs(stores: Path) -> None:
    choice = RunChoice(name_pattern="^conformer-([0-9]+)h")
    measured = measured_runs(stores / "tensorboard", choice, column="scalars.val/wer")
    with (stores / "expected-conformer.csv").open() as file:
        expected = sorted(float(row[0]) for row in list(csv.reader(file))[1:])
    assert sorted(measured.data) == expected


@pytest.mark.parametrize("pattern", ["[0-9]+h", "([0-9]+)(h)", "([0-9]+", "(?P<a>", "*", "(a)\\2"])
def test_pattern_without_one_group_is_refused(stores: Path, pattern: str) -> None:
    with pytest.raises(InputError) as error:
        measured_runs(stores / "tensorboard", RunChoice(name_pattern=pattern))
    assert error.value.code == "invalid-pattern"


def test_states_that_count_can_be_chosen(stores: Path) -> None:
    where = {"experiment": "asr-ladder"}
    column, data = "metrics.test_wer", "params.hours"
    usual = measured_runs(stores / "mlflow.db", RunChoice(where), column=column, data=data)
    more = RunChoice(where, states=("finished", "Running"))
    measured = measured_runs(stores / "mlflow.db", more, column=column, data=data)
    assert len(measured) == len(usual) + 1
    assert "running" not in measured.excluded
    with pytest.raises(UnknownName) as error:
        measured_runs(stores / "mlflow.db", RunChoice(where, states=("fnished",)))
    assert error.value.code == "unknown-state"


def test_best_value_is_that_of_the_direction_of_the_metric(tmp_path: Path) -> None:
    for hours in (10, 20):
        log = [{"step": n, "eval_accuracy": value} for n, value in enumerate((0.2, hours / 100, 0.1))]
        state = {"global_step": 3, "max_steps": 3, "log_history": log}
        (tmp_path / f"{hours}h").mkdir()
        (tmp_path / f"{hours}h" / "trainer_state.json").write_text(json.dumps(state), encoding="utf-8")
    pattern = "([0-9]+)h"
    for value, rising, expected in (
        ("best", True, {0.2}),
        ("best", False, {0.1}),
        ("last", True, {0.1}),
    ):
        choice = RunChoice(value=value, name_pattern=pattern)
        measured = measured_runs(tmp_path, choice, "accuracy", column="eval_accuracy", rising=rising)
        assert set(measured.metric) == expected
    ran = planner(
        "fit", tmp_path, "--domain", "a", "--metric", "accuracy", "--metric-column", "eval_accuracy",
        "--data-unit", "hours", "--data-from-name", pattern, "--store", tmp_path / "store", "--form", "power",
        "--format", "json",
    )  # fmt: skip
    assert ran.code == 0, ran.err


def test_source_without_a_data_size_names_the_numbers_that_vary(stores: Path, tmp_path: Path) -> None:
    path = tmp_path / "runs.json"
    path.write_text(
        json.dumps([{"lr": 0.1 * n, "seed": 1, "wer": 0.3 / n} for n in (1, 2)]), encoding="utf-8"
    )
    with pytest.raises(TableError) as error:
        measured_runs(path, RunChoice())
    assert error.value.code == "no-data-size"
    assert "lr (0.1 to 0.2)" in str(error.value)
    assert "seed" not in str(error.value)


SLIPS = {  # what is typed after `planner fit mlflow.db ...` -> code
    "two experiments": ((), "several-groups"),
    "experiment misspelled": (("--where", "experiment=asr-lader"), "no-such-run"),
    "condition without =": (("--where", "asr-ladder"), "invalid-condition"),
    "condition without column": (("--where", "=asr-ladder"), "invalid-condition"),
    "unknown condition": (("--where", "experimnt=asr-ladder"), "unknown-column"),
    "two conditions that exclude": (
        ("--where", "experiment=asr-ladder", "--where", "name=mt"),
        "no-such-run",
    ),
    "column misspelled": (
        ("--where", "experiment=asr-ladder", "--data-column", "params.hour"),
        "unknown-column",
    ),
    "metric misspelled": (
        ("--where", "experiment=asr-ladder", "--data-column", "params.hours", "--metric-column", "test_wr"),
        "unknown-column",
    ),
    "two columns of one name": (("--where", "experiment=asr-ladder"), "ambiguous-column"),
    "state misspelled": (("--where", "experiment=asr-ladder", "--state", "finishd"), "unknown-state"),
    "pattern without group": (
        ("--where", "experiment=asr-ladder", "--data-from-name", "[0-9]+h"),
        "invalid-pattern",
    ),
    "pattern and column": (
        (
            "--where",
            "experiment=asr-ladder",
            "--data-from-name",
            "([0-9]+)h",
            "--data-column",
            "params.hours",
        ),
        "data-given-twice",
    ),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_slip_is_refused_in_one_line(stores: Path, tmp_path: Path, slip: str) -> None:
    options, code = SLIPS[slip]
    ran = planner("fit", stores / "mlflow.db", *LAW_OPTIONS, *options, "--store", tmp_path)
    assert ran.refused == code
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("name", "column", "curve"),
    [
        ("wandb", "summary.val/wer", "conformer-160h-s0"),
        ("tensorboard", "scalars.val/wer", "conformer-160h-s0"),
        ("mlruns", "val/wer", "conformer-160h-s0"),
        ("mlflow.db", "val/wer", "conformer-160h-s0"),
    ],
)
def test_runs_are_curves_over_their_steps(stores: Path, name: str, column: str, curve: str) -> None:
    questions = {q.curve: q for q in read_curves(stores / name, column=column, at=(1e6,))}
    table = open_source(stores / name, WHERE.get(name))
    (run,) = (run for run in table.runs if run.name == curve)
    metric = run.values[table.column(column)]
    assert isinstance(metric, History)
    steps, errors, _, _ = zip(*questions[curve].measured, strict=True)
    assert list(steps) == sorted(steps)
    assert len(errors) > 2
    assert errors[-1] == metric.last
    assert questions[curve].asked == (1e6,)


def test_both_stores_of_mlflow_give_the_same_curves(stores: Path) -> None:
    database, folder = (
        {q.curve: q.measured for q in read_curves(stores / name, column="val/wer", at=(1e6,))}
        for name in ("mlflow.db", "mlruns")
    )
    assert len(database) > 10
    assert database.keys() & folder.keys() == database.keys()
    assert all(database[curve] == folder[curve] for curve in database)


def test_curves_need_a_metric_with_steps(stores: Path) -> None:
    for name, column, code in (
        ("study.db", "value", "no-steps"),
        ("wandb", None, "missing-column"),
        ("wandb", "config.data.hours", "no-steps"),
        ("wandb", "werr", "unknown-column"),
    ):
        with pytest.raises(PlannerError) as error:
            read_curves(stores / name, column=column, at=(1e6,))
        assert error.value.code == code
    with pytest.raises(TableError) as nothing:
        read_curves(stores / "wandb", column="summary.val/wer")
    assert nothing.value.code == "nothing-to-forecast"


@pytest.mark.parametrize("column", ["step", "_step", "epoch", "global_step"])
def test_steps_of_a_training_are_not_data(tmp_path: Path, column: str) -> None:
    path = tmp_path / "history.csv"
    path.write_text(f"{column},loss\n1,3\n2,2.5\n3,2.2\n", encoding="utf-8")
    ran = planner(
        "fit", path, "--domain", "a", "--metric", "loss", "--data-unit", "tokens", "--data-column", column,
        "--store", tmp_path / "store",
    )  # fmt: skip
    assert ran.refused == "steps-not-data"
    assert "planner extrapolate" in ran.err


@pytest.mark.parametrize("name", ["runs.jsonl", "runs.csv"])
def test_infinity_as_mlflow_writes_it_is_no_measurement(tmp_path: Path, name: str) -> None:
    rows = [(10, "0.3"), (20, "0.25"), (40, "1.7976931348623157e308"), (80, "-1.7976931348623157e308")]
    lines = [f"{hours},{value}" for hours, value in rows]
    if name.endswith("jsonl"):
        lines = [f'{{"hours": {hours}, "wer": {value}}}' for hours, value in rows]
    else:
        lines.insert(0, "hours,wer")
    (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    measured = measured_runs(tmp_path / name, RunChoice())
    assert measured.metric == (0.3, 0.25)
    assert "2 of 4 rows" in measured.left_out
