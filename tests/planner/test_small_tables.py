"""Small tables that people had, of any country, metric and tool, and what must come out of each."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from synthetic import planner

from laws.codes import WarningCode
from laws.errors import PlannerError
from planner.metrics import MetricScale
from planner.sources.fit import Request, _measured, _suits_surface
from planner.sources.measurements import Measurements
from planner.sources.metric_terms import MetricTerms
from planner.sources.subject import metric_of_headings, names_of_tables, unit_of_headings
from planner.sources.tracked_table import RunChoice
from planner.sources.utilization import above_peak, utilization

LOGS = """tokens,params,loss,flops,gpu_hours,device
10B,350M,3.05,2.1e19,80,{device}
20B,350M,2.95,4.2e19,158,{device}
20B,760M,2.80,9.1e19,330,{device}
40B,760M,2.70,1.8e20,660,{device}
40B,1.3B,2.60,3.1e20,1120,{device}
10B,1.3B,2.83,7.8e19,290,{device}
"""
F1 = "F1 score (doc avg)"
TABLES = {
    "auroc": "patients,auroc\n1000,0.626\n2000,0.708\n4000,0.743\n8000,0.771\n",
    "annif": (
        f"Documents in training\tPrecision (doc avg)\t{F1}\tNDCG\tNDCG@10\tDocuments evaluated\n"
        "295\t.0751908\t.1045134\t.1663424\t.1663424\t262\n"
        "591\t.0927481\t.1285088\t.2181916\t.2181916\t262\n"
        "886\t.1015267\t.1404417\t.2266772\t.2266772\t262\n"
        "1182\t.1045802\t.1443447\t.2318454\t.2319127\t262\n"
        "1477\t.1076336\t.1486115\t.2414546\t.2415092\t262\n"
        "1772\t.1125954\t.1555464\t.2561306\t.2561306\t262\n"
        "2068\t.1164122\t.1607702\t.2652254\t\t262\n"
    ),
    "koehn_bleu": (
        "words,BLEU\n0.377M,1.6\n0.753M,7.2\n1.507M,11.9\n3.013M,14.7\n6.027M,18.2\n12.053M,22.4\n"
        "24.106M,25.7\n48.212M,27.4\n96.425M,29.2\n192.850M,30.3\n385.700M,31.1\n"
    ),
    "fewshot_acc": "input_pics,shots,acc,acc std\n50,5,69.7,0.46\n50,10,75.91,0.43\n50,15,78.05,0.4\n",
    "helmet": "images,mAP50\n100,0.48\n1000,0.63\n",
    "moreworse": "pics,error\n50,30.3%\n100,36.23%\n200,39.37%\n400,40.24%\n",
    "cer_small": "hours,cer\n150,1.96\n1000,1.56\n4500,1.34\n",
    "cat_pl2": "Train hours,WER%\n0.1667,9.68\n1,6.95\n10,5.27\n",
    "cat_pl": "hours,wer\n10 minutes,9.68%\n1 hour,6.95%\n10 hours,5.27%\n",
    "zhwhisper": "hours,cer\n0,20%\n1500,10%\n10000,5%\n",
    "gptlog": (
        "model,params (M),tokens (B),val loss\na,124,10,3.28\nb,124,30,3.15\nc,350,10,3.05\nd,350,30,2.92\n"
        "e,774,10,2.95\nf,774,30,2.79\n"
    ),
    "samples4": "seed,samples,error\n0,100,40%\n0,200,33%\n0,400,28%\n0,800,22%\n",
    "prodigy_curve": "%,Score,ner\n25%,0.31,0.31\n50%,0.44,0.44\n75%,0.43,0.43\n100%,0.56,0.56\n",
    "labels": "examples,error\n171,0.69\n342,0.56\n514,0.57\n685,0.44\n",
    "speech_team": "hours,wer,params\n300,11.4,120M\n600,9.6,120M\n1200,8.3,120M\n",
    "cvfr": (
        "CV_fr,Hours Audio Used,Hours from CV,Avg. WER (all datasets),WER on CV\n"
        "0.6,1340,490,0.2911,0.3013\n0.8,1903,826,0.2155,0.3703\n0.9,1925,848,,\n"
    ),
    "excel_semicolon": "\ufeffhours;wer\n1;30,5%\n10;18,2%\n100;11,1%\n500;8,4%\n",
    "comma_quoted": 'hours,wer\n1,"30,5%"\n10,"18,2%"\n100,"11,1%"\n500,"8,4%"\n',
    "swiss": "hours,wer\n1'340,0.291\n1'903,0.215\n",
    "thousands": 'hours,wer\n1,0.305\n10,0.182\n"1,000",0.111\n"5,000",0.084\n',
    "spaces": "Hours , WER \n 1 , 0.305\n 10 , 0.182\n 100 , 0.111\n",
    "na": "hours,wer\n1,0.305\n10,0.182\n100,n/a\n500,-\n",
    "na2": "hours,wer\n1,0.305\n10,0.182\n100,NA\n500,None\n",
    "ragged": "hours,wer\n1,0.5\n10,0.3\n100,0.2,extra\n",
    "deepspeech": "hours,wer\n100,43%\n960,12%\n",
    "ambiguous": 'hours,wer\n"1,340",0.291\n"1,903",0.215\n',
    "logs": LOGS.format(device="NVIDIA A100-SXM4-80GB"),
    "logs_3090": LOGS.format(device="NVIDIA GeForce RTX 3090"),
    "wandb_runs": (
        '"Name","State","Runtime","config.train_hours","config.n_params","eval/wer","eval/loss","GPU Type"\n'
        '"run-1h","finished","812","1","74M","0.412","1.3","NVIDIA A100-SXM4-40GB"\n'
        '"run-10h","finished","4120","10","74M","0.255","0.81","NVIDIA A100-SXM4-40GB"\n'
        '"run-50h","crashed","1120","50","74M","","","NVIDIA A100-SXM4-40GB"\n'
        '"run-100h","finished","40120","100","74M","0.164","0.52","NVIDIA A100-SXM4-40GB"\n'
    ),
    "wandb_wide": (
        '"Step","run-10h - eval/wer","run-10h - eval/wer__MIN","run-10h - eval/wer__MAX",'
        '"run-100h - eval/wer","run-100h - eval/wer__MIN","run-100h - eval/wer__MAX"\n'
        '"1000","0.412","0.412","0.412","0.301","0.301","0.301"\n'
        '"4000","0.322","0.321","0.331","0.191","0.191","0.191"\n'
        '"8000","0.331","0.331","0.331","0.164","0.164","0.164"\n'
    ),
}  # fmt: skip


def write(folder: Path, name: str) -> Path:
    """Write a table to a folder and return its path."""
    path = folder / f"{name}.{'tsv' if name == 'annif' else 'csv'}"
    path.write_text(TABLES[name], encoding="utf-8")
    return path


def terms(folder: Path, name: str, **options: object) -> MetricTerms:
    """Return a table as `planner fit` reads it, with what its headings say."""
    path = write(folder, name)
    columns = {
        role: str(options.pop(role)) for role in ("data", "metric_column", "params", "se") if role in options
    }
    by_role = {role.removesuffix("_column"): text for role, text in columns.items()}
    names = names_of_tables([path])
    if "metric" not in options:
        options["metric"] = metric_of_headings(names, by_role)
    if "data_unit" not in options:
        options["data_unit"] = unit_of_headings(names, by_role)
    return _measured(Request(path=path, domain="a", columns=by_role, **options))  # type: ignore[arg-type]


def values(terms: MetricTerms) -> tuple[float, ...]:
    """Return the metric in its own terms."""
    return tuple(map(terms.scale.from_error, terms.measured.metric))


FRACTIONS = (0.305, 0.182, 0.111, 0.084)
READ = {  # table -> options, data, metric in its own terms, best value of a metric that rises
    "auroc": ({"data_unit": "patients"}, (1000, 2000, 4000, 8000), (0.626, 0.708, 0.743, 0.771), 1.0),
    "fewshot_acc": ({"data_unit": "shots"}, (5, 10, 15), (0.697, 0.7591, 0.7805), 1.0),
    "helmet": ({}, (100, 1000), (0.48, 0.63), 1.0),
    "moreworse": (
        {"data_unit": "images", "data": "pics"}, (50, 100, 200, 400), (0.303, 0.3623, 0.3937, 0.4024), None
    ),
    "cer_small": ({"metric_unit": "%"}, (150, 1000, 4500), (0.0196, 0.0156, 0.0134), None),
    "cat_pl2": ({}, (0.1667, 1, 10), (0.0968, 0.0695, 0.0527), None),
    "cat_pl": ({}, (1 / 6, 1, 10), (0.0968, 0.0695, 0.0527), None),
    "zhwhisper": ({}, (1500, 10000), (0.1, 0.05), None),
    "samples4": ({"data_unit": "samples"}, (100, 200, 400, 800), (0.4, 0.33, 0.28, 0.22), None),
    "prodigy_curve": (
        {"data_unit": "examples", "data": "%", "data_total": "685 examples", "metric": "Score",
         "higher_is_better": True, "metric_range": "0:1"},
        (171.25, 342.5, 513.75, 685), (0.31, 0.44, 0.43, 0.56), 1.0,
    ),
    "labels": ({}, (171, 342, 514, 685), (0.69, 0.56, 0.57, 0.44), None),
    "speech_team": ({"metric_unit": "percent"}, (300, 600, 1200), (0.114, 0.096, 0.083), None),
    "cvfr": (
        {"metric": "wer", "metric_column": "Avg. WER (all datasets)", "data": "Hours Audio Used",
         "data_unit": "hours"},
        (1340, 1903), (0.2911, 0.2155), None,
    ),
    "excel_semicolon": ({}, (1, 10, 100, 500), FRACTIONS, None),
    "comma_quoted": ({}, (1, 10, 100, 500), FRACTIONS, None),
    "swiss": ({}, (1340, 1903), (0.291, 0.215), None),
    "thousands": ({}, (1, 10, 1000, 5000), FRACTIONS, None),
    "spaces": ({}, (1, 10, 100), FRACTIONS[:3], None),
    "na": ({}, (1, 10), FRACTIONS[:2], None),
    "na2": ({}, (1, 10), FRACTIONS[:2], None),
    "deepspeech": ({}, (100, 960), (0.43, 0.12), None),
    "wandb_runs": (
        {"metric": "wer", "data": "config.train_hours", "data_unit": "hours"},
        (1, 10, 100), (0.412, 0.255, 0.164), None,
    ),
    "wandb_wide": (
        {"metric": "wer", "data_unit": "hours", "choice": RunChoice(name_pattern="([0-9]+)h")},
        (10, 100), (0.321, 0.164), None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", READ)
def test_a_table_is_read_in_its_own_terms(tmp_path: Path, name: str) -> None:
    options, data, metric, ceiling = READ[name]
    read = terms(tmp_path, name, **options)
    assert read.measured.data == pytest.approx(data)
    assert values(read) == pytest.approx(metric)
    assert read.scale.ceiling == ceiling


@pytest.mark.parametrize(
    ("metric", "column", "first"),
    [
        ("F1", F1, 0.1045134), (F1, None, 0.1045134), ("NDCG", None, 0.1663424),
        ("NDCG@10", None, 0.1663424), ("Precision (doc avg)", None, 0.0751908),
    ],
)  # fmt: skip
def test_any_column_that_rises_is_a_metric(
    tmp_path: Path, metric: str, column: str | None, first: float
) -> None:
    given = {} if column is None else {"metric_column": column}
    read = terms(
        tmp_path, "annif", metric=metric, data="Documents in training", data_unit="documents", **given
    )
    assert read.scale == MetricScale(metric, "", 1.0)
    assert values(read)[0] == pytest.approx(first)
    assert len(read.measured) == (6 if metric == "NDCG@10" else 7)


def test_bleu_has_its_own_scale(tmp_path: Path) -> None:
    read = terms(tmp_path, "koehn_bleu")
    assert read.scale == MetricScale("BLEU", "", 100.0)
    assert (read.measured.data[0], values(read)[-1]) == (377_000, pytest.approx(31.1))


def test_a_column_of_deviations_is_the_noise(tmp_path: Path) -> None:
    read = terms(tmp_path, "fewshot_acc", data_unit="shots", se="acc std")
    assert read.measured.se == pytest.approx((0.0046, 0.0043, 0.004))


def test_scales_of_headings_are_applied_and_make_a_joint_law(tmp_path: Path) -> None:
    measured = terms(tmp_path, "gptlog").measured
    assert (measured.params or ())[0] == 124e6
    assert measured.data[:2] == (10e9, 30e9)
    assert len(measured.notes) == 2
    assert _suits_surface(measured)


def test_two_data_sizes_make_no_joint_law_where_a_small_model_is_best(tmp_path: Path) -> None:
    measured = terms(tmp_path, "gptlog").measured
    assert measured.params is not None
    rows = zip(measured.params, measured.metric, strict=True)
    worse = tuple(3.5 if params == 774e6 else y for params, y in rows)
    assert not _suits_surface(replace(measured, metric=worse))


def test_utilization_is_learned_where_the_logs_can_be_true(tmp_path: Path) -> None:
    logs: Measurements = terms(tmp_path, "logs", metric="loss", data_unit="tokens").measured
    learned = json.dumps(utilization(logs))
    assert "a100-80" in learned
    assert "a100-40" not in learned
    assert not above_peak(logs)
    too_fast = terms(tmp_path, "logs_3090", metric="loss", data_unit="tokens").measured
    assert (utilization(too_fast), above_peak(too_fast)) == ({}, True)
    assert _suits_surface(logs)


@pytest.mark.parametrize(
    ("name", "options", "code"),
    [
        ("cer_small", (), "percent-or-fraction"),
        ("speech_team", (), "percent-or-fraction"),
        ("ambiguous", (), "ambiguous-number"),
        ("ragged", (), "ragged-row"),
        ("prodigy_curve", ("--metric", "Score", "--data-column", "%", "--data-unit", "examples"),
         "percent-of-unknown-data"),
        ("prodigy_curve", ("--metric", "Score", "--data-column", "%", "--data-total", "685 examples"),
         "unknown-direction"),
        ("auroc", (), "missing-data-unit"),
        ("wandb_runs", ("--data-unit", "hours"), "missing-metric"),
        ("wandb_wide", ("--metric", "wer", "--data-unit", "hours"), "no-data-size"),
    ],
)  # fmt: skip
def test_a_question_is_one_line(tmp_path: Path, name: str, options: tuple[str, ...], code: str) -> None:
    ran = planner("fit", write(tmp_path, name), "--domain", "a", "--store", tmp_path / "store", *options)
    assert (ran.refused, ran.err.count("\n")) == (code, 1)


def test_a_percent_unit_reaches_computed_columns_and_spares_signs(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("hours,acc\n1,70\n2,80%\n", encoding="utf-8")
    columns = {"data": None, "metric": "acc"}
    request = Request(
        path=tmp_path / "a.csv", domain="a", metric="acc", data_unit="hours", metric_unit="%", columns=columns
    )
    assert values(_measured(request)) == pytest.approx((0.7, 0.8))
    (tmp_path / "a.csv").write_text("hours,acc\n1,70\n2,80\n", encoding="utf-8")
    computed = replace(request, metric="wer", columns={"data": None, "metric": "100 - acc"})
    assert values(_measured(computed)) == pytest.approx((0.3, 0.2))


def fitted(folder: Path, name: str, *options: str) -> Path:
    """Fit a table and return the store."""
    store = folder / "store"
    ran = planner("fit", write(folder, name), "--domain", "a", "--store", store, *options)
    assert ran.code == 0, ran.err
    return store


def answer(store: Path, *words: str) -> dict[str, object]:
    """Return the answer to a question as JSON."""
    ran = planner("estimate", "--domain", "a", "--store", store, "--format", "json", *words)
    assert ran.code == 0, ran.err
    return dict(json.loads(ran.out))


def ends(quantity: object) -> tuple[float, float]:
    """Return the ends of a 90% interval, infinite where it is open."""
    assert isinstance(quantity, dict)
    low, high = quantity["q05"], quantity["q95"]
    return (-1e300 if low is None else low, 1e300 if high is None else high)


def holds(quantity: object, value: float) -> bool:
    low, high = ends(quantity)
    return low <= value <= high


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "rows", "options", "questions"),
    [
        ("auroc", 4, ("--data-unit", "patients"), {"100000": 0.825, "200000": 0.838}),
        ("annif", 4, ("--metric", "F1", "--metric-column", F1, "--data-unit", "documents", "--data-column",
                      "Documents in training"), {"1477": 0.1486, "1772": 0.1555, "2068": 0.1608}),
        ("koehn_bleu", 8, (), {"96.425M": 29.2, "192.85M": 30.3, "385.7M": 31.1}),
    ],
)  # fmt: skip
def test_intervals_hold_what_was_held_out(
    tmp_path: Path, name: str, rows: int, options: tuple[str, ...], questions: dict[str, float]
) -> None:
    path = write(tmp_path, name)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[: 1 + rows]), encoding="utf-8")
    store = tmp_path / "store"
    ran = planner("fit", path, "--domain", "a", "--store", store, *options)
    assert ran.code == 0, ran.err
    for data, value in questions.items():
        assert holds(answer(store, "--data", data)["score"], value)


@pytest.mark.slow
def test_a_target_of_a_rising_metric_needs_what_was_published(tmp_path: Path) -> None:
    store = fitted(tmp_path, "auroc", "--data-unit", "patients")
    assert holds(answer(store, "--target", "auroc=0.83")["data"], 130_000)


@pytest.mark.slow
def test_a_forecast_in_percent_is_near_the_measurement(tmp_path: Path) -> None:
    store = fitted(tmp_path, "cat_pl2")
    low, high = ends(answer(store, "--data", "130h")["error"])
    assert 0.0285 <= low <= 0.043 <= high <= 0.0495


@pytest.mark.slow
def test_two_points_answer_widely_in_the_metric(tmp_path: Path) -> None:
    found = answer(fitted(tmp_path, "helmet"), "--target", "mAP50=0.70")
    low, high = ends(found["data"])
    assert 1000 < low < 4000
    assert high > 100_000


@pytest.mark.slow
def test_an_error_that_rises_has_no_probability(tmp_path: Path) -> None:
    store = fitted(tmp_path, "moreworse", "--data-unit", "images", "--data-column", "pics")
    found = answer(store, "--target", "error=25%")
    assert found["probability_reachable"] is None
    assert WarningCode.RISING in str(found["warnings"])


@pytest.mark.slow
def test_money_for_labels_needs_no_machine(tmp_path: Path) -> None:
    store = fitted(tmp_path, "labels")
    money = ("--budget", "$5,000", "--data-price", "$0.50/example")
    found = answer(store, *money)
    assert ends(found["data"]) == pytest.approx((10_000, 10_000))
    assert holds(found["error"], 0.3)
    ran = planner("estimate", "--domain", "a", "--store", store, *money)
    assert (ran.code, "10,000 examples" in ran.out) == (0, True)
    found = answer(store, *money, "--target", "error=30%")
    assert 0.5 < float(str(found["probability_reachable"])) < 0.95


@pytest.mark.slow
def test_a_joint_law_says_how_far_beyond_its_sizes_a_model_is(tmp_path: Path) -> None:
    store = fitted(tmp_path, "gptlog")
    ran = planner("estimate", "--domain", "a", "--store", store, "--params", "7.74B", "--data", "30B")
    assert "10 times the largest measured one, 774M" in ran.out


def test_a_table_that_cannot_be_read_names_the_cell(tmp_path: Path) -> None:
    with pytest.raises(PlannerError) as error:
        terms(tmp_path, "ambiguous")
    assert "'hours'" in error.value.message
