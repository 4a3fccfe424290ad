"""The readers of trackers agree with the loaders of the tools themselves, where those are installed.

None is a dependency. The tests need tensorboard, optuna, wandb, and mlflow-skinny with sqlalchemy, alembic
and cryptography.
"""

import json
import math
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pytest

from planner.sources.trackers import wandb as wandb_reader
from planner.sources.trackers.open_source import read_source
from planner.sources.trackers.runs import History, Run, finite, state_of

pytestmark = pytest.mark.slow
ARCHIVE = Path(__file__).resolve().parent.parent / "data" / "trackers" / "stores.tar.xz"


@pytest.fixture
def stores(tmp_path: Path) -> Path:
    """Return a folder with a store of each tool, which their own loaders may change."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path


def by_name(path: Path) -> dict[str, Run]:
    """Return name -> run of a store."""
    return {run.name: run for run in read_source(path).runs}


def test_scalars_are_those_of_tensorboard(stores: Path) -> None:
    accumulators = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    runs, compared = by_name(stores / "tensorboard"), 0
    del runs["restarted-160h"]  # TensorBoard shows the steps of both files, of which the later one is right
    for name, run in runs.items():
        loaded = accumulators.EventAccumulator(
            str(stores / "tensorboard" / name), size_guidance={"scalars": 0}
        )
        loaded.Reload()
        for tag in loaded.Tags()["scalars"]:
            events = [(float(event.step), event.value) for event in loaded.Scalars(tag)]
            content = run.values[f"scalars.{tag}"]
            assert isinstance(content, History)
            assert list(content.steps) == [(step, value) for step, value in events if math.isfinite(value)]
            compared += len(events)
    assert compared > 100


def test_trials_are_those_of_optuna(stores: Path) -> None:
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    table, compared = read_source(stores / "study.db"), 0
    shutil.copy(stores / "study.db", stores / "copy.db")
    address = f"sqlite:///{stores / 'copy.db'}"
    for study_name in optuna.get_all_study_names(address):
        ours = {run.name: run for run in table.runs if run.group == study_name}
        trials = optuna.load_study(study_name=study_name, storage=address).get_trials()
        assert len(ours) == len(trials)
        for trial in trials:
            run = ours[f"trial {trial.number}"]
            assert run.state is state_of(trial.state.name)
            assert {name: run.value(f"params.{name}") for name in trial.params} == trial.params
            assert {name: run.value(f"user_attrs.{name}") for name in trial.user_attrs} == trial.user_attrs
            values = trial.values or []
            columns = ["value"] if len(values) == 1 else [f"values.{i}" for i in range(len(values))]
            assert [run.value(column) for column in columns] == values
            compared += 1
    assert compared >= 15


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("store", ["mlflow.db", "mlruns"])
def test_runs_are_those_that_mlflow_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    for needed in ("sqlalchemy", "alembic", "cryptography"):
        pytest.importorskip(needed)
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    path = tmp_path / store
    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{path}" if store.endswith(".db") else path.as_uri())
    logged = {
        "finished": ("FINISHED", [0.5, 0.3, 0.4]),
        "diverged": ("FINISHED", [0.5, math.nan]),
        "infinite": ("FINISHED", [0.5, math.inf]),
        "failed": ("FAILED", [0.5]),
        "killed": ("KILLED", [0.5]),
        "deleted": ("FINISHED", [0.5]),
        "running": ("", [0.5]),
    }
    for group in ("asr", "mt"):
        experiment = client.create_experiment(group)
        for name, (status, values) in logged.items():
            run = client.create_run(experiment, run_name=name).info.run_id
            client.log_param(run, "data/hours", len(values))
            client.set_tag(run, "set", group)
            for step, value in enumerate(values, 1):
                client.log_metric(run, "val/wer", value, step=step)
            if status:
                client.set_terminated(run, status)
            if name == "deleted":
                client.delete_run(run)
    experiments = {one.experiment_id: one.name for one in client.search_experiments()}
    runs = client.search_runs(list(experiments), run_view_type=mlflow.entities.ViewType.ALL)
    ours = {run.id: run for run in read_source(path).runs}
    assert {run.info.run_id for run in runs} == ours.keys()
    assert len(ours) == 2 * len(logged)
    for run in runs:
        own = ours[run.info.run_id]
        assert (own.name, own.group) == (run.info.run_name, experiments[run.info.experiment_id])
        is_deleted = run.info.lifecycle_stage == "deleted"
        assert own.state is state_of("deleted" if is_deleted else run.info.status)
        assert str(own.value("params.data/hours")) == run.data.params["data/hours"]
        assert own.value("tags.set") == run.data.tags["set"]
        values = logged[own.name][1]
        assert own.value("metrics.val/wer") == finite(run.data.metrics["val/wer"]) == finite(values[-1])
        assert own.value("metrics.val/wer.min") == min(value for value in values if math.isfinite(value))


def test_records_are_those_of_wandb(stores: Path) -> None:
    proto: Any = pytest.importorskip("wandb.proto.wandb_internal_pb2")
    runs, compared = {run.id: run for run in read_source(stores / "wandb").runs}, 0
    for path in sorted((stores / "wandb").glob("*/*.wandb")):
        run = runs[path.stem.removeprefix("run-")]
        summary: dict[str, Any] = {}
        config: dict[str, Any] = {}
        for content in wandb_reader.records(path.read_bytes()):
            record = proto.Record.FromString(content)
            if record.HasField("run"):
                assert run.group == record.run.project
                config |= {item.key: json.loads(item.value_json) for item in record.run.config.update}
            if record.HasField("summary"):
                summary |= {
                    item.key: json.loads(item.value_json) for item in record.summary.update if item.key
                }
        for key, value in config.items():
            if not isinstance(value, dict | list) and not key.startswith("_"):
                assert run.value(f"config.{key}") == value
                compared += 1
        for key, value in summary.items():
            if isinstance(value, int | float) and not key.startswith("_"):
                assert run.value(f"summary.{key}") == finite(value)
                compared += 1
    assert compared > 20
