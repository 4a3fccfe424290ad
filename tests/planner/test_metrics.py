"""Metrics as people have them: what names say, and that a metric that rises is answered in its own terms."""

import json
import math
import shlex
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from synthetic import planner, power

from laws.errors import PlannerError
from laws.forecasting.forecast import forecast
from laws.points import check_points
from laws.storage.records import content_id, encode, validate
from laws.storage.store import Store
from laws.types import Law
from planner.cli import named_targets
from planner.lawmodel.info import same_metric
from planner.metrics import MetricScale, known_metric, rises
from planner.sources.expressions import Expression
from planner.sources.measurements import Measurements
from planner.sources.metric_terms import MetricOptions, MetricTerms, with_test_noise
from planner.sources.run_table import read_measurements
from planner.sources.tracked_table import rows_of
from planner.sources.trackers.runs import Run, RunTable, State, history

RISING = (
    "val/acc", "test_acc", "metrics/mAP50(B)", "metrics/mAP50-95(B)", "eval_f1", "F1 score (doc avg)",
    "auroc", "NDCG@10", "sacrebleu", "chrF", "testAcc", "acc_top1", "top5_acc", "acc,none", "acc_norm,none",
    "R^2", "pass@1", "rougeL", "mIoU", "exact_match", "balanced_accuracy", "neg_mean_squared_error", "BLEU",
)  # fmt: skip
FALLING = (
    "WER (%)", "WER%", "error_rate", "EER", "DER", "PER", "perplexity", "bits_per_byte", "loss", "val_loss",
    "top1", "top1_error", "mean_absolute_error", "reconstruction_error", "1 - acc", "1-bleu", "wer_clean",
    "token error rate", "negative log likelihood",
)  # fmt: skip
UNKNOWN = ("y", "score", "unbleu", "acc_stderr,none", "num_samples", "ner", "params", "loss_scale", "")


def test_the_last_word_of_a_name_says_whether_a_metric_rises():
    assert [name for name in RISING if not getattr(known_metric(name), "higher_is_better", False)] == []
    assert [name for name in FALLING if getattr(known_metric(name), "higher_is_better", True)] == []
    assert [name for name in UNKNOWN if known_metric(name) is not None] == []


@pytest.mark.parametrize(
    ("name", "low", "high", "unit"),
    [
        ("val/acc", 0, 1, "fraction"),
        ("eval_f1", 0, 1, ""),
        ("sacrebleu", 0, 100, ""),
        ("mcc", -1, 1, ""),
        ("r2", -math.inf, 1, ""),
        ("neg_log_loss", -math.inf, 0, ""),
        ("PSNR", -math.inf, math.inf, ""),
        ("val_wer", 0, math.inf, "fraction"),
        ("reconstruction_error", 0, math.inf, ""),
        ("bpb", 0, math.inf, "bits/byte"),
    ],
)
def test_the_name_says_range_and_unit(name, low, high, unit):
    known = known_metric(name)
    assert known is not None
    assert (known.low, known.high, known.unit) == (low, high, unit)


@pytest.mark.parametrize("ceiling", [1.0, 100.0, 0.97, 0.0])
def test_values_and_errors_turn_into_each_other(ceiling):
    scale = MetricScale("accuracy", "", ceiling)
    for error in (1e-6, 0.05, 0.3, 0.9):
        assert scale.to_error(scale.from_error(error)) == pytest.approx(error, rel=1e-9)
    low, middle, high = scale.ends(0.1, 0.2, 0.3)
    assert low < middle < high


@pytest.mark.parametrize(
    ("unit", "ceiling", "value", "text"),
    [
        ("fraction", 1.0, 0.92, "92%"),
        ("fraction", 1.0, 0.99953, "99.953%"),
        ("", 1.0, 0.8, "0.8"),
        ("", 1.0, 0.9996, "0.9996"),
        ("", 100.0, 31.1, "31.1"),
    ],
)
def test_a_value_is_printed_so_that_it_reads_back(unit, ceiling, value, text):
    scale = MetricScale("m", unit, ceiling)
    assert scale.format(value) == text
    assert scale.parse(text) == pytest.approx(value)
    assert scale.format_error(scale.to_error(value)) == text


@pytest.mark.parametrize(("ceiling", "value"), [(1.0, 0.8), (100.0, 80.0)])
def test_a_percentage_is_read_on_scales_up_to_1_and_100(ceiling, value):
    assert MetricScale("f1", "", ceiling).parse("80%") == pytest.approx(value)


@pytest.mark.parametrize("value", [1.0, 1.5, 92.0])
def test_no_target_is_better_than_the_best_value(value):
    with pytest.raises(PlannerError) as refused:
        MetricScale("accuracy", "fraction", 1.0).checked_target(value)
    assert refused.value.code == "impossible-target"


def test_a_metric_rises_where_most_pairs_do():
    assert rises([1, 2, 4], [0.3, 0.4, 0.5])
    assert not rises([4, 2, 1], [0.3, 0.4, 0.5])
    assert not rises([1, 1, 1], [0.3, 0.4, 0.5])


AUROC = "patients,AUROC\n1000,0.626\n2000,0.708\n4000,0.743\n8000,0.771\n"


@pytest.fixture(scope="module")
def auroc(tmp_path_factory):
    """A store with a law of AUROC, which rises with patients."""
    folder = tmp_path_factory.mktemp("auroc")
    (folder / "auroc.csv").write_text(AUROC)
    ran = planner(
        "fit", folder / "auroc.csv", "--domain", "med", "--metric", "AUROC", "--data-unit", "patients",
        "--form", "forecast", "--store", folder / "store",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    return folder / "store"


def answer(store, *arguments):
    ran = planner("estimate", "--store", store, "--format", "json", *arguments)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_a_rising_metric_holds_what_was_published_later(auroc):
    at_100k = answer(auroc, "--metric", "auroc", "--data", "100k")
    assert at_100k["higher_is_better"] is True
    assert at_100k["score"]["q05"] < 0.825 < at_100k["score"]["q95"]
    assert at_100k["error"]["median"] is None, "an error is not a score"
    for_target = answer(auroc, "--target", "auroc=0.83")
    assert for_target["target"] == pytest.approx(0.83)
    assert for_target["data"]["q05"] < 130_000
    assert for_target["data"]["q95"] is None or for_target["data"]["q95"] > 130_000
    limit = for_target["limit"]
    assert limit["q05"] < limit["median"] < limit["q95"] <= 1


def test_a_higher_target_of_a_rising_metric_is_harder(auroc):
    easy, hard = (answer(auroc, "--target", f"AUROC={value}") for value in (0.8, 0.9))
    assert easy["probability_reachable"] > hard["probability_reachable"]
    assert easy["data"]["q05"] < hard["data"]["q05"]


def test_a_target_that_the_smallest_data_reaches_is_told_apart_by_direction(auroc):
    refused = planner("estimate", "--store", auroc, "--target", "auroc=0.6").error
    assert refused is not None
    assert refused.code == "target-already-reached"
    assert planner("estimate", "--store", auroc, "--target", "auroc=0.9").code == 0


def test_the_law_and_the_index_keep_the_ceiling(auroc):
    (row,) = Store(auroc).laws(domain="med")
    assert (row.metric, row.metric_ceiling) == ("AUROC", 1.0)
    assert Store(auroc).law(row.id).metric_ceiling == 1.0


def held_out(points, n_shown, ceiling, chance):
    """Return the 90% interval of every later point, forecast from the first ones, in the metric's terms."""
    scale = MetricScale("m", "", ceiling)
    shown, later = points[:n_shown], points[n_shown:]
    given = check_points(
        [x for x, _ in shown],
        [scale.to_error(y) for _, y in shown],
        baseline_error=scale.to_error(chance),
    )
    low, high = forecast(given, seed=0).quantiles([x for x, _ in later], (0.05, 0.95))
    return [
        (scale.from_error(b), y, scale.from_error(a)) for a, b, (_, y) in zip(low, high, later, strict=True)
    ]


F1 = [
    (295, 0.10451), (591, 0.12851), (886, 0.14044), (1182, 0.14434), (1477, 0.14861), (1772, 0.15555),
    (2068, 0.16077),
]  # fmt: skip
NDCG = [
    (295, 0.16634), (591, 0.21819), (886, 0.22668), (1182, 0.23185), (1477, 0.24145), (1772, 0.25613),
    (2068, 0.26523),
]  # fmt: skip
BLEU = [
    (0.377, 1.6), (0.753, 7.2), (1.507, 11.9), (3.013, 14.7), (6.027, 18.2), (12.053, 22.4), (24.106, 25.7),
    (48.212, 27.4), (96.425, 29.2), (192.85, 30.3), (385.7, 31.1),
]  # fmt: skip
PATIENTS = [(1000, 0.626), (2000, 0.708), (4000, 0.743), (8000, 0.771), (100_000, 0.825), (200_000, 0.838)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("points", "n_shown", "ceiling", "chance"),
    [(F1, 4, 1.0, 0.0), (NDCG, 4, 1.0, 0.0), (BLEU, 8, 100.0, 0.0), (PATIENTS, 4, 1.0, 0.5)],
    ids=["F1", "NDCG", "BLEU", "AUROC"],
)
def test_published_curves_that_rise_continue_inside_the_interval(points, n_shown, ceiling, chance):
    for low, measured, high in held_out(points, n_shown, ceiling, chance):
        assert low < measured < high


@pytest.mark.slow
def test_intervals_of_measured_accuracies_hold_the_truth():
    """Accuracies of 500 test examples each, fitted with their binomial noise, 8 times beyond the data.

    Of 60 curves, 90% intervals of the law that are right hold at least 47 with probability 0.998: the false
    alarm rate of the lower bound is 0.2%.
    """
    inside = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        slope, floor, onset = rng.uniform(0.25, 0.6), rng.uniform(0.02, 0.2), rng.uniform(0.3, 0.7)
        sizes = 100.0 * 2 ** np.arange(7)

        def accuracy(x, slope=slope, floor=floor, onset=onset):
            return 1 - floor - (onset - floor) * (x / 100) ** -slope

        measured = rng.binomial(500, accuracy(sizes)) / 500
        terms = with_test_noise(
            MetricTerms(
                scale=MetricScale("accuracy", "fraction", 1.0),
                measured=Measurements(
                    path=Path("x.csv"),
                    fingerprint="",
                    columns={},
                    data=tuple(sizes),
                    metric=tuple(1 - measured),
                ),
            ),
            MetricOptions(metric="accuracy", test_size=500),
        )
        points = check_points(
            sizes, terms.measured.metric, y_se=terms.measured.se, baseline_error=1.0, rate=True
        )
        paths = forecast(points, seed=seed, chain=False).paths([8 * sizes[-1]])[:, 0]
        low, high = 1 - np.exp(np.quantile(paths, (0.95, 0.05)))
        inside += low <= accuracy(8 * sizes[-1]) <= high
    assert inside >= 47


@pytest.mark.slow
def test_intervals_of_a_column_of_deviations_hold_the_truth(tmp_path):
    """Errors whose standard deviations differ tenfold and are in a column, 8 times beyond the data.

    Of 24 curves, 90% intervals of the law that are right hold at least 17 with probability 0.998: the false
    alarm rate of the lower bound is 0.2%.
    """
    inside = 0
    for seed in range(24):
        rng = np.random.default_rng(seed)
        slope, floor, onset = rng.uniform(0.25, 0.6), rng.uniform(0.02, 0.2), rng.uniform(0.3, 0.7)
        sizes = 100.0 * 2 ** np.arange(7)
        truth = floor + (onset - floor) * (np.append(sizes, 8 * sizes[-1]) / 100) ** -slope
        deviation = truth[:-1] * 10 ** rng.uniform(-2.3, -1.3, len(sizes))
        measured = truth[:-1] + deviation * rng.standard_normal(len(sizes))
        rows = zip(sizes, 100 * measured, 100 * deviation, strict=True)
        text = "\n".join(f"{x:g},{y:.5f},{sd:.5f}" for x, y, sd in rows)
        (tmp_path / "a.csv").write_text(f"images,error (%),std (%)\n{text}\n", encoding="utf-8")
        read = read_measurements(
            tmp_path / "a.csv", metric="error", metric_unit="fraction", data_unit="images",
            columns={"se": "std (%)"},
        )  # fmt: skip
        points = check_points(sizes, read.metric, y_se=read.se, rate=True)
        assert points.y_se == pytest.approx(deviation, rel=1e-2)
        paths = forecast(points, seed=seed, chain=False).paths([8 * sizes[-1]])[:, 0]
        low, high = np.exp(np.quantile(paths, (0.05, 0.95)))
        inside += low <= truth[-1] <= high
    assert inside >= 17


@pytest.mark.parametrize(("error", "n"), [(0.1, 1000), (0.0, 100), (1.0, 100), (0.5, 10)])
def test_a_test_size_gives_binomial_noise(error, n):
    measured = Measurements(path=Path("x.csv"), fingerprint="", columns={}, data=(1.0,), metric=(error,))
    terms = MetricTerms(scale=MetricScale("accuracy", "fraction", 1.0), measured=measured)
    (se,) = with_test_noise(terms, MetricOptions(metric="accuracy", test_size=n)).measured.se
    assert se == pytest.approx(math.sqrt(error * (1 - error) / n), abs=1.5 / n)
    assert se > 0


@pytest.mark.slow
def test_the_interval_widens_with_fewer_test_examples(tmp_path):
    """The standard errors that a law keeps are those of the test size, of a column or of one number."""
    (tmp_path / "acc.csv").write_text("shots,acc,n\n50,0.697,600\n100,0.7591,600\n150,0.7805,600\n")
    kept = []
    for size in ("600", "n"):
        ran = planner(
            "fit", tmp_path / "acc.csv", "--domain", "fs", "--metric", "acc", "--data-unit", "shots",
            "--form", "forecast", "--test-size", size, "--store", tmp_path / size, "--format", "json",
        )  # fmt: skip
        assert ran.code == 0, ran.err
        law = Store(tmp_path / size).law(json.loads(ran.out)[0]["law"])
        kept.append(law.points["y_se"])
    assert kept[0] == kept[1]
    assert kept[0][0] == pytest.approx(math.sqrt(0.697 * 0.303 / 600), rel=0.01)


@pytest.mark.parametrize(
    ("table", "arguments", "code"),
    [
        ("n,m\n1,0.3\n2,0.4\n4,0.5\n", ("--metric", "m"), "unknown-direction"),
        ("n,m\n1,0.3\n2,0.4\n4,0.5\n", ("--metric", "m", "--higher-is-better"), "unknown-ceiling"),
        ("n,psnr\n1,30\n2,31\n4,32\n", ("--metric", "psnr"), "unknown-ceiling"),
        ("n,acc\n1,0.3\n2,0.4\n4,101\n", ("--metric", "acc"), "outside-metric-range"),
        ("n,acc\n1,0.3\n2,0.4\n", ("--metric", "acc", "--metric-range", "1:0"), "invalid-metric-range"),
        ("n,acc\n1,0.3\n2,0.4\n", ("--metric", "acc", "--chance-level", "50%"), "invalid-chance-level"),
        ("n,cer\n1,1.96\n2,1.56\n4,1.34\n", ("--metric", "cer"), "percent-or-fraction"),
        ("n,bleu\n1,12\n2,15\n4,18\n", ("--metric", "bleu", "--test-size", "1k"), "test-size-of-no-rate"),
        ("n,f1\n1,0.3\n2,0.4\n", ("--metric", "f1=x"), "invalid-name"),
    ],
)
def test_what_a_metric_leaves_open_is_one_line(tmp_path, table, arguments, code):
    (tmp_path / "runs.csv").write_text(table)
    ran = planner(
        "fit",
        tmp_path / "runs.csv",
        "--domain",
        "d",
        "--data-unit",
        "n",
        *arguments,
        "--store",
        tmp_path / "s",
    )
    assert ran.code == 1
    assert ran.refused == code
    assert not (tmp_path / "s").exists()


def test_options_name_their_metric():
    assert named_targets(["--target-f1", "0.8", "--on", "h100"], ["--target"]) == [
        "--target", "f1=0.8", "--on", "h100",
    ]  # fmt: skip
    assert named_targets(["--target-bleu=30", "--target-wer", "5%"], ["--target-wer"]) == [
        "--target", "bleu=30", "--target-wer", "5%",
    ]  # fmt: skip
    assert named_targets(["--", "--target-f1", "1"], []) == ["--", "--target-f1", "1"]
    assert same_metric("f1-score-doc-avg", "F1 score (doc avg)")
    assert same_metric("wer", "WER")
    assert not same_metric("f1", "F1 score (doc avg)")


def test_a_printed_command_runs_in_a_shell(tmp_path):
    (tmp_path / "a.csv").write_text("n,F1 score (doc avg)\n1,0.3\n2,0.4\n4,0.45\n8,0.48\n")
    ran = planner(
        "fit", tmp_path / "a.csv", "--domain", "my docs", "--metric", "F1 score (doc avg)",
        "--data-unit", "n", "--form", "forecast", "--store", tmp_path / "s",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    printed = " ".join(ran.out.split())
    command = printed[printed.index("planner estimate") :]
    words = shlex.split(command[: command.index(" Why:")])
    assert words[:5] == ["planner", "estimate", "--domain", "my docs", "--target"]
    assert words[5].startswith("F1 score (doc avg)=")
    assert planner(*words[1:]).code == 0


@pytest.mark.slow
def test_curves_of_a_rising_metric_are_forecast_in_its_terms(tmp_path):
    (tmp_path / "curves.csv").write_text("curve,x,y\na,1,62.6\na,2,70.8\na,4,74.3\na,8,77.1\na,100,\n")
    ran = planner(
        "extrapolate", tmp_path / "curves.csv", "--out", tmp_path / "f.csv", "--metric", "accuracy",
        "--processes", "1",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    row = (tmp_path / "f.csv").read_text().splitlines()[1].split(",")
    values = [float(cell) for cell in row[3:8]]
    assert values == sorted(values)
    assert 77 < values[2] < 100


def test_a_saved_forecast_of_a_score_is_scored_by_a_score(auroc):
    saved = planner("estimate", "--store", auroc, "--metric", "auroc", "--data", "100k", "--save")
    assert saved.code == 0, saved.err
    (row,) = json.loads(planner("forecasts", "list", "--store", auroc, "--format", "json").out)
    assert "score" in row["quantities"]
    assert "error" not in row["quantities"]
    wrong = planner("outcome", "add", row["id"], "--error", "0.2", "--store", auroc)
    assert wrong.refused == "wrong-direction"
    right = planner(
        "outcome",
        "add",
        row["id"],
        "--score",
        "0.825",
        "--data",
        "100k",
        "--store",
        auroc,
        "--format",
        "json",
    )
    assert right.code == 0, right.err
    scored = {one["quantity"]: one for one in json.loads(right.out)}["score"]
    assert scored["within_90"] is True
    assert scored["observed"] == 0.825


def test_a_record_without_a_ceiling_keeps_its_file():
    falling, rising = (power(0.4, 0.3, draws=3, metric_ceiling=ceiling) for ceiling in (None, 1.0))
    assert b"metric_ceiling" not in encode(falling)
    assert validate(encode(rising), Law).metric_ceiling == 1.0
    assert falling.id != rising.id


@pytest.mark.parametrize(("higher_is_better", "best"), [(True, 0.8), (False, 0.6)])
def test_the_best_value_of_a_tracked_metric_is_the_one_of_its_direction(higher_is_better, best):
    values = {"hours": 10, "val/acc": history([0.6, 0.8, 0.7])}
    table = RunTable("table", "", (Run("a", "a", State.FINISHED, values),))
    columns = {"data": Expression("hours", ("hours",)), "metric": Expression("val/acc", ("val/acc",))}
    which = "max" if higher_is_better else "min"
    assert rows_of(table, columns, (), which).rows == [(10, best)]


@pytest.mark.parametrize(("warnings", "stated"), [((), True), (("rising",), False)])
def test_a_metric_that_gets_worse_with_data_has_no_probability_to_improve(tmp_path, warnings, stated):
    store = Store(tmp_path / "s")
    store.add_law(power(0.4, 0.3, 0.1, spread=0.1, domain="d", source="fitted", warnings=warnings))
    store.publish()
    estimate = answer(store.folder, "--target-wer", "12%")
    assert (estimate["probability_reachable"] is not None) is stated
    assert estimate["probability_within"]["10"] is None or stated


def as_json(*arguments):
    ran = planner(*arguments)
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_what_is_computed_from_a_law_of_a_rising_metric_is_in_its_terms(tmp_path):
    store = Store(tmp_path / "s")
    for family, beta in (("small", 0.3), ("large", 0.4)):
        law = power(
            0.4, beta, 0.03, spread=0.1, domain="v", family=family, source="fitted", metric="acc",
            metric_ceiling=1.0,
        )  # fmt: skip
        noisy = replace(law, parameters=law.parameters | {"scale": (0.02,) * 200, "degrees": (30.0,) * 200})
        law = replace(noisy, id=content_id(noisy))
        store.add_law(law)
    store.publish()
    where = ("--domain", "v", "--store", store.folder, "--format", "json")
    compared = as_json("compare", *where)
    at = compared["families"][0]["at"]["8"]["score"]
    assert 0.7 < at["q05"] < at["median"] < at["q95"] < 1
    assert compared["families"][0]["family"] == "large", "the better family comes first"
    front = json.loads(
        planner("frontier", *where, "--metric", "acc", "--against", "data", "--points", "3").out
    )
    scores = [point["score"]["median"] for point in front]
    assert scores == sorted(scores)
    table = as_json("what-if", *where, "--target-acc", "90%,92%")
    easy, hard = (cell["data"]["median"] for cell in table)
    assert easy < hard
    (tmp_path / "runs.csv").write_text("hours,acc\n2,0.7\n8,50%\n")
    checked = as_json("check", tmp_path / "runs.csv", *where, "--family", "small")
    assert [run["value"] for run in checked] == [0.7, 0.5]
    assert checked[1]["value"] < checked[1]["expected"]["q05"]
    assert checked[1]["verdict"] == "off"
    shown = as_json("laws", "show", law.id, "--store", store.folder, "--format", "json")
    assert shown["metric_ceiling"] == 1.0
    assert shown["predictions"][0]["median"] < shown["predictions"][1]["median"]
    drawn = planner("plot", "--domain", "v", "--store", store.folder)
    assert drawn.code == 0, drawn.err
