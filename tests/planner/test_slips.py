"""Slips at every kind of source: each is refused in one line, with a code that says what is wrong."""

import json
import tarfile
from pathlib import Path

import pytest
from synthetic import planner

from laws.errors import TableError
from planner.sources.run_table import read_measurements
from planner.sources.tracked_table import RunChoice

ARCHIVE = Path(__file__).resolve().parent.parent / "data" / "trackers" / "stores.tar.xz"
LAW = ("--domain", "asr", "--metric", "wer", "--data-unit", "hours", "--form", "power")
HOURS = (10, 20, 40)

SOURCES = {  # source -> column of the data, column of the metric, other options that it needs
    "runs.csv": ("hours", "test_wer", ()),
    "runs.json": ("train.hours", "test_wer", ()),
    "trainers": ("num_input_tokens_seen", "eval_wer", ()),
    "wandb": ("config.data.hours", "summary.test_wer", ()),
    "mlflow.db": ("params.hours", "metrics.test_wer", ("--where", "experiment=asr-ladder")),
    "mlruns": ("params.hours", "metrics.test_wer", ("--where", "experiment=asr-ladder")),
    "tensorboard": ("hparams.hours", "scalars.val/wer", ()),
    "study.db": ("params.hours", "value", ("--where", "study=asr-ladder")),
}
SLIPS = {  # what is typed for the data, for the metric, and besides -> code; D and M are the right columns
    "data misspelled": ("{d}x", "{m}", (), "unknown-column"),
    "metric misspelled": ("{d}", "{m}x", (), "unknown-column"),
    "parameters misspelled": ("{d}", "{m}", ("--params-column", "modl.prams"), "unknown-column"),
    "seed misspelled": ("{d}", "{m}", ("--seed-column", "sed"), "unknown-column"),
    "FLOP misspelled": ("{d}", "{m}", ("--flops-column", "flop_s"), "unknown-column"),
    "device misspelled": ("{d}", "{m}", ("--device-column", "devise"), "unknown-column"),
    "test size misspelled": ("{d}", "{m}", ("--test-size", "n_tst"), "unknown-column"),
    "unknown in an expression": ("{d}*batch_siz", "{m}", (), "unknown-column"),
    "expression without an end": ("{d}*", "{m}", (), "invalid-expression"),
    "one column twice": ("{m}", "{m}", (), "column-used-twice"),
    "a name as the metric": ("{d}", "name", (), "unreadable-cell"),
    "a metric below 0": ("{d}", "0 - {m}", (), "unreadable-cell"),
    "condition without =": ("{d}", "{m}", ("--where", "asr"), "invalid-condition"),
    "condition without a column": ("{d}", "{m}", ("--where", "=asr"), "invalid-condition"),
    "unknown condition": ("{d}", "{m}", ("--where", "experimnt=asr"), "unknown-column"),
    "condition that no run fulfills": ("{d}", "{m}", ("--where", "{d}=123456"), "no-such-run"),
    "state misspelled": ("{d}", "{m}", ("--state", "finishd"), "unknown-state"),
    "pattern without a group": ("", "{m}", ("--data-from-name", "[0-9]+h"), "invalid-pattern"),
    "pattern with two groups": ("", "{m}", ("--data-from-name", "([0-9]+)(h)"), "invalid-pattern"),
    "pattern that does not end": ("", "{m}", ("--data-from-name", "([0-9]+"), "invalid-pattern"),
    "pattern and column": ("{d}", "{m}", ("--data-from-name", "([0-9]+)h"), "data-given-twice"),
    "form misspelled": ("{d}", "{m}", ("--form", "surfce"), "unknown-form"),
    "range without a colon": ("{d}", "{m}", ("--metric-range", "1"), "invalid-metric-range"),
    "an error that rises": ("{d}", "{m}", ("--higher-is-better",), "unknown-ceiling"),
    "compute as data": ("{d}", "{m}", ("--data-unit", "GPU-hours"), "compute-not-data"),
    "total without a number": ("{d}", "{m}", ("--data-total", "lots"), "unreadable-quantity"),
    "peak of zero": ("{d}", "{m}", ("--peak-flops", "0"), "invalid-value"),
}  # fmt: skip
FAST = frozenset({"runs.csv", "runs.json", "trainers"})  # small files; stores of trackers take longer to read


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with one source of each kind."""
    folder = tmp_path_factory.mktemp("sources")
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
    rows = [f"r{h}h,{h},{0.5 * h**-0.3:.4f},1M,0,finished" for h in HOURS]
    (folder / "runs.csv").write_text("\n".join(["name,hours,test_wer,params,seed,state", *rows]), "utf-8")
    runs = [{"name": f"r{h}h", "train": {"hours": h}, "test_wer": 0.5 * h**-0.3, "seed": 0} for h in HOURS]
    (folder / "runs.json").write_text(json.dumps(runs), encoding="utf-8")
    for h in HOURS:
        log = [{"step": 1, "eval_wer": 0.9}, {"step": 2, "eval_wer": 0.5 * h**-0.3}]
        state = {"global_step": 2, "max_steps": 2, "num_input_tokens_seen": 1000 * h, "log_history": log}
        (folder / "trainers" / f"r{h}").mkdir(parents=True)
        (folder / "trainers" / f"r{h}" / "trainer_state.json").write_text(json.dumps(state), "utf-8")
    return folder


@pytest.mark.parametrize(
    ("source", "slip"),
    [
        pytest.param(source, slip, marks=() if source in FAST else pytest.mark.slow)
        for source in SOURCES
        for slip in SLIPS
    ],
)
def test_a_slip_is_refused_in_one_line(sources: Path, tmp_path: Path, source: str, slip: str) -> None:
    d, m, needed = SOURCES[source]
    data, metric, words, code = SLIPS[slip]
    columns = [word.format(d=d, m=m) for word in ("--metric-column", metric, *words)]
    columns += ["--data-column", data.format(d=d, m=m)] if data else []
    ran = planner("fit", sources / source, *LAW, *needed, *columns, "--store", tmp_path)
    assert (ran.refused, ran.err.count("\n")) == (code, 1)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("source", SOURCES)
def test_a_path_that_is_misspelled_is_named(sources: Path, tmp_path: Path, source: str) -> None:
    ran = planner("fit", sources / f"{source}x", *LAW, "--store", tmp_path)
    assert ran.refused == "no-such-file"
    assert f"{source}x" in ran.err


def test_the_data_size_may_be_in_the_names_of_a_table(sources: Path, tmp_path: Path) -> None:
    choice = RunChoice(name_pattern="r([0-9]+)h")
    terms = {"metric": "wer", "metric_unit": "fraction", "data_unit": "hours"}
    columns = {"data": None, "metric": "test_wer"}
    measured = read_measurements(sources / "runs.csv", columns=columns, choice=choice, **terms)
    assert measured.data == HOURS
    assert measured.metric == pytest.approx([0.5 * h**-0.3 for h in HOURS], abs=1e-4)
    path = tmp_path / "a.csv"
    path.write_text("hours,test_wer\n1,0.5\n2,0.4\n", encoding="utf-8")
    with pytest.raises(TableError) as error:
        read_measurements(path, columns=columns, choice=choice, **terms)
    assert (error.value.code, error.value.value) == ("missing-column", "name")
    path.write_text("Run name,wer\nsmall,0.5\nr20h,0.4\nr40h,0.3\n", encoding="utf-8")
    measured = read_measurements(path, columns={"data": None, "metric": None}, choice=choice, **terms)
    assert (measured.data, measured.left_out_rows.keys()) == ((20, 40), {"has no data size in the name"})
