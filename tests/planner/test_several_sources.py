"""Several files and folders as one table: one JSON file per run, patterns, nested rows, training logs."""

import json
import shutil
from pathlib import Path

import pytest
from synthetic import planner

from laws.errors import ConflictingInput, PlannerError
from planner.sources.extrapolate import read_curves
from planner.sources.measurements import Measurements
from planner.sources.run_table import read_measurements
from planner.sources.tables import expanded
from planner.sources.tracked_table import RunChoice
from planner.sources.trackers.open_source import read_source, read_sources
from planner.sources.trackers.runs import State

HOURS, WER = (10, 20, 40), (0.3, 0.24, 0.2)


def measured(*paths: Path, **columns: str) -> Measurements:
    """Return what several sources hold of hours and WER."""
    choice = RunChoice(name_pattern=columns.pop("name_pattern", ""))
    return read_measurements(
        paths, metric="wer", metric_unit="fraction", data_unit="hours", columns=dict(columns), choice=choice
    )


def json_runs(folder: Path) -> list[Path]:
    """Write one JSON file per run, each in a folder of its own, and return them."""
    files = []
    for hours, wer in zip(HOURS, WER, strict=True):
        (folder / f"{hours}h").mkdir(parents=True)
        files.append(folder / f"{hours}h" / "result.json")
        files[-1].write_text(json.dumps({"train": {"hours": hours}, "wer": wer}), encoding="utf-8")
    return files


def test_one_json_file_per_run_is_one_table(tmp_path: Path) -> None:
    files = json_runs(tmp_path)
    for paths in (files, [tmp_path], [*files, files[0]]):
        read = measured(*paths)
        assert (sorted(read.data), sorted(read.metric, reverse=True)) == ([*HOURS], [*WER])
    assert {run.name for run in read_sources(files).runs} == {f"{hours}h/result" for hours in HOURS}
    assert measured(*files, name_pattern="^([0-9]+)h").data == HOURS


def test_a_pattern_that_the_shell_left_stands_for_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = json_runs(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert expanded([tmp_path / "*" / "result.json"]) == files
    assert expanded([Path("*/result.json")]) == [path.relative_to(tmp_path) for path in files]
    assert expanded([Path("none*.json"), files[0]]) == [Path("none*.json"), files[0]]
    (tmp_path / "a[1].csv").write_text("hours,wer\n", encoding="utf-8")
    assert expanded([tmp_path / "a[1].csv"]) == [tmp_path / "a[1].csv"]
    ran = planner("fit", "none*.json", "--domain", "a", "--metric", "wer", "--data-unit", "hours")
    assert ran.refused == "no-such-file"


def test_checkpoints_of_a_pattern_are_one_training(tmp_path: Path) -> None:
    for hours in HOURS:
        for step in (1, 2):
            folder = tmp_path / f"{hours}h" / f"checkpoint-{step}"
            folder.mkdir(parents=True)
            log = [{"step": n, "eval_wer": 1 / (hours * n)} for n in range(1, step + 1)]
            state = {"global_step": step, "max_steps": 2, "log_history": log}
            (folder / "trainer_state.json").write_text(json.dumps(state), encoding="utf-8")
    files = sorted(tmp_path.glob("*/*/trainer_state.json"))
    table = read_sources(files)
    assert {(run.name, run.state) for run in table.runs} == {(f"{h}h", State.FINISHED) for h in HOURS}
    read = measured(*files, metric="eval_wer", name_pattern="^([0-9]+)h")
    assert read.metric == tuple(1 / (2 * hours) for hours in HOURS)


def test_a_link_to_a_source_counts_once(tmp_path: Path) -> None:
    files = json_runs(tmp_path)
    (tmp_path / "latest").symlink_to(files[-1].parent)
    assert len(read_sources([*files, tmp_path / "latest" / "result.json"]).runs) == len(files)


def test_sources_of_two_tools_and_parts_of_one_run_are_refused(tmp_path: Path) -> None:
    (tmp_path / "runs.json").write_text('[{"hours": 1, "wer": 0.5}]', encoding="utf-8")
    chart = tmp_path / "chart.csv"
    chart.write_text("Step,a - wer,a - wer__MIN,a - wer__MAX\n1,.5,.5,.5\n", encoding="utf-8")
    with pytest.raises(ConflictingInput) as error:
        read_sources([tmp_path / "runs.json", chart])
    assert error.value.code == "several-sources"


def test_a_run_in_two_stores_is_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        run = tmp_path / folder / "0" / "abc"
        (run / "metrics").mkdir(parents=True)
        (run / "meta.yaml").write_text("run_id: abc\nrun_name: abc\nstatus: 3\n", encoding="utf-8")
        (run / "metrics" / "wer").write_text("1 0.5 0\n", encoding="utf-8")
    assert len(read_source(tmp_path / "a").runs) == 1
    with pytest.raises(ConflictingInput) as error:
        read_sources([tmp_path / "a", tmp_path / "b"])
    assert (error.value.code, error.value.value) == ("run-given-twice", "abc")
    shutil.copytree(tmp_path / "b" / "0" / "abc", tmp_path / "b" / "0" / "other")
    assert len(read_sources([tmp_path / "a", tmp_path / "a" / ".." / "a"]).runs) == 1


def test_nested_values_of_json_lines_are_named_with_dots(tmp_path: Path) -> None:
    rows = [
        {"arch": {"batch": 4, "block": 8}, "train": {"steps": n}, "wer": 1 / n, "total_params": 10 * n,
         "curve": [[1, 2], [3, 4]]}
        for n in (10, 20)
    ]  # fmt: skip
    (tmp_path / "runs.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    read = measured(tmp_path / "runs.jsonl", data="train.steps*arch.batch*arch.block", params="total_params")
    assert (read.data, read.params, read.metric) == ((320, 640), (100, 200), (0.1, 0.05))


def test_values_too_deep_and_names_that_clash_end_in_one_line(tmp_path: Path) -> None:
    deep = '{"a": ' * 50 + "1" + "}" * 50
    path = tmp_path / "runs.jsonl"
    path.write_text(f'{{"hours": 1, "wer": 0.5, "deep": {deep}}}\n', encoding="utf-8")
    assert measured(path).data == (1,)
    path.write_text('{"train": {"hours": 1}, "train.hours": 2, "wer": 0.5}\n', encoding="utf-8")
    with pytest.raises(PlannerError) as error:
        measured(path, data="train.hours")
    assert error.value.code == "duplicate-column"


@pytest.mark.parametrize("step", ["_step", "step", "   epoch", "iteration"])
def test_a_training_log_is_a_curve(tmp_path: Path, step: str) -> None:
    path = tmp_path / "190M.csv"
    rows = "\n".join(f"{n},{1 / (n + 1)},{'' if n == 2 else 2 / (n + 1)}" for n in range(5))
    path.write_text(f"{step},train/loss,eval/c4/loss\n{rows}\n", encoding="utf-8")
    (question,) = read_curves(path, column="eval/c4/loss", at=(100.0,))
    assert question.curve == "190M"
    assert [(x, y) for x, y, _, _ in question.measured] == [(1, 1.0), (3, 0.5), (4, 0.4)]
    assert question.asked == (100.0,)
    assert read_curves(path, column="c4/loss", at=(100.0,)) == [question]


@pytest.mark.parametrize(
    ("column", "code"), [(None, "missing-column"), ("loss", "ambiguous-column"), ("los", "unknown-column")]
)
def test_the_metric_of_a_training_log_is_asked_for(tmp_path: Path, column: str | None, code: str) -> None:
    path = tmp_path / "log.csv"
    path.write_text("step,train/loss,eval/loss\n1,3,3\n2,2,2\n", encoding="utf-8")
    with pytest.raises(PlannerError) as error:
        read_curves(path, column=column, at=(100.0,))
    assert error.value.code == code


def test_a_table_of_curves_may_have_steps_too(tmp_path: Path) -> None:
    path = tmp_path / "curves.csv"
    path.write_text("curve,x,y,step\na,1,3,1\na,2,2,2\n", encoding="utf-8")
    (question,) = read_curves(path, at=(100.0,))
    assert question.curve == "a"
