"""What headings say of a table: its metric and its unit of data, or a question."""

import json

import pytest

from laws.errors import MissingInput
from planner.sources.subject import metric_of_headings, unit_of_headings
from tests.planner.synthetic import planner

CLEAR = {
    "hours,wer": ("hours", "wer"),
    "Train hours,Test WER (%)": ("hours", "WER"),
    "train_tokens,val/loss": ("tokens", "loss"),
    "tokens (B),params (M),loss": ("tokens", "loss"),
    "num_images,train acc,test acc": ("images", "acc"),
    "# of examples,eval_f1": ("examples", "f1"),
    "audio hours,dev CER,train CER": ("hours", "CER"),
    "h,wer": ("hours", "wer"),
    "params.hours,metrics.test_wer,metrics.train_wer": ("hours", "wer"),
}
UNCLEAR = {
    "hours,wer,cer": ("hours", None),
    "hours,tokens,loss": (None, "loss"),
    "n_train,hours,acc": (None, "acc"),
    "wall hours,wer": (None, "wer"),
    "gpu_hours,wer": (None, "wer"),
    "data,loss": (None, "loss"),
    "x,y": (None, None),
    "tokens per step,train loss": (None, None),
    "": (None, None),
}


@pytest.mark.parametrize("headings", [*CLEAR, *UNCLEAR])
def test_a_heading_that_can_mean_one_thing_is_taken_and_any_other_is_a_question(headings):
    unit, metric = (CLEAR | UNCLEAR)[headings]
    names = tuple(filter(None, headings.split(",")))
    for read, expected, code in (
        (unit_of_headings, unit, "missing-data-unit"),
        (metric_of_headings, metric, "missing-metric"),
    ):
        if expected is None:
            with pytest.raises(MissingInput) as error:
                read(names, {})
            assert error.value.code == code
        else:
            assert read(names, {}) == expected


def test_a_column_that_you_name_decides():
    names = ("n_train", "hours", "wer", "cer")
    assert unit_of_headings(names, {"data": "hours"}) == "hours"
    assert metric_of_headings(names, {"metric": "cer"}) == "cer"


def test_a_table_with_clear_headings_needs_a_domain_only(tmp_path):
    (tmp_path / "runs.csv").write_text("Train hours,Test WER (%)\n100,31\n200,26\n400,22\n800,19\n1600,16\n")
    fitted = planner(
        "fit",
        tmp_path / "runs.csv",
        "--domain",
        "asr",
        "--form",
        "power",
        "--store",
        tmp_path / "store",
        "--format",
        "json",
    )
    law = json.loads(fitted.out)[0]
    assert (law["metric"], law["x_unit"]) == ("WER", "hours")
