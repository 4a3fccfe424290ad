"""Metrics as people have them: what names say, and that a metric that rises is answered in its own terms."""

import json
import math

import pytest

from laws.errors import PlannerError
from laws.storage.store import Store
from planner.metrics import MetricScale, known_metric, rises
from tests.planner.test_fit_command import planner

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
