"""Every published law answers something from the command line, and its page names the command."""

import json
import math
import shlex
from datetime import date

import pytest

from laws.catalog.between_studies import between_studies
from laws.catalog.published import all_laws, published_law
from laws.codes import WarningCode
from laws.errors import InputError, LawError
from planner.hardware.fleet import read_fleet
from planner.lawmodel.published import value_at_center
from planner.lawmodel.selector import LawSelector
from planner.plans.plan import plan
from planner.plans.question import Question
from planner.reports.answer import answer
from planner.reports.published_value import example, plan_command, value_record, value_report
from tests.answers.asking import run
from tests.answers.questions import TODAY


@pytest.mark.parametrize("law", all_laws(), ids=lambda law: law.id)
def test_every_law_answers_the_command_that_its_page_names(law):
    program, *command, id = shlex.split(example(law))[:4]
    assert (program, command, id) == ("planner", ["laws", "ask"], law.id)
    record = value_record(law, shlex.split(example(law))[4:])
    result = record["ratio"] if law.formula is None else record["value"]
    assert 0 < result < math.inf
    assert value_report(law, record).rows
    codes = {warning["code"] for warning in record["warnings"]}
    assert (WarningCode.UNIT_UNCONFIRMED in codes) == (not law.unit_confirmed)
    assert (WarningCode.MEASURED_OFF_LAW in codes) == (law.measured_at_end is not None)
    # constants of an absolute law are checked against a printed figure, or the answer says that they are not
    assert law.formula is None or law.checks or WarningCode.NO_CHECK_POINT in codes


@pytest.mark.parametrize("law", all_laws(), ids=lambda law: law.id)
def test_the_commands_that_the_page_of_a_law_names_run(law):
    for command in filter(None, (example(law), plan_command(law))):
        code, out, errors = run([*shlex.split(command)[1:], "--format", "json"])
        assert code == 0, (command, errors)
        answered = json.loads(out)
        if "estimate --law" in command:
            assert answered["law"] == law.id
            assert (answered["data"]["median"] or 0) > 0
        if command.endswith("--explain"):  # the plan that a setting belongs to
            laws = [one["laws"] for one in answered["training_settings"].values() if one]
            assert any(law.id in recommended for recommended in laws)


def test_fine_tuning_is_worth_data():
    record = value_record(published_law("hernandez2021-text-to-python"), ["data=30M", "params=7e9"])
    assert record["effective_data"] == pytest.approx(30e6 + record["value"])
    notes = value_report(published_law(record["law"]), record).notes
    assert any("times your data" in note for note in notes)


@pytest.mark.parametrize("id", ["hestness2017-speech-ds2", "hestness2017-nmt-bestfit"])
def test_an_answer_says_how_far_the_source_is_off_its_law(id, tmp_path):
    law = published_law(id)
    note = f"{law.excess_at_end:.0%} more"
    assert any(note in line for line in value_report(law, value_record(law, ["data=1e6"])).notes)
    question = Question.of(selector=LawSelector(law=id), data="1M")
    planned = plan(question, tmp_path, read_fleet(None), today=date.fromisoformat(TODAY))
    assert any(note in line for line in answer(planned).remarks)


def test_ten_times_the_data_by_an_exponent():
    record = value_record(published_law("hestness2017-image-top1"), ["data=10x"])
    assert record["ratio"] == pytest.approx(10**-0.309)
    assert record["value"] is None


def test_a_law_is_solved_for_the_input_that_is_left_out():
    record = value_record(published_law("llama3-allocation"), ["value=16.55T"])
    assert record["quantity"] == "flops"
    assert record["value"] == pytest.approx(3.8e25, rel=0.05)


@pytest.mark.parametrize(
    ("id", "given", "kind", "code"),
    [
        ("hestness2017-image-top1", ["images=3"], InputError, "wrong-inputs"),
        ("hestness2017-image-top1", ["data"], InputError, "wrong-inputs"),
        ("hestness2017-image-top1", ["data=1M"], LawError, "exponents-only"),
        ("besiroglu2024", ["data=10x"], LawError, "no-exponent"),
        ("llama3-allocation", ["flops=-1"], InputError, "not-positive"),
    ],
)
def test_what_a_law_cannot_answer_is_refused(id, given, kind, code):
    with pytest.raises(kind) as refused:
        value_record(published_law(id), given)
    assert refused.value.code == code


def test_the_command_and_the_page_of_a_law_agree(tmp_path):
    def asked(*words):
        code, out, _ = run([*words, "--format", "json"])
        assert code == 0
        return json.loads(out)

    (tmp_path / "laws").mkdir()
    shown = asked("laws", "show", "llama3-allocation", "--store", str(tmp_path))
    answered = asked(*shlex.split(shown["command"])[1:])
    assert answered["value"] == pytest.approx(1.655e13, rel=0.03)


@pytest.mark.parametrize(
    ("data", "id", "unit"),
    [
        ("10000h", "hestness2017-speech-ds2", "hours"),
        ("1B characters", "hestness2019-speech-curve", "characters"),
        ("1B", "hestness2019-speech-curve", "characters"),
    ],
)
def test_the_law_is_chosen_by_the_unit_of_the_data(tmp_path, data, id, unit):
    question = Question.of(selector=LawSelector(domain="speech", source="published"), data=data)
    planned = plan(question, tmp_path, read_fleet(None), today=date.fromisoformat(TODAY))
    assert (planned.estimate.law.id, planned.estimate.data.unit) == (id, unit)
    assert id not in {law.id for law in planned.estimate.alternatives}


@pytest.mark.parametrize(
    "options",
    [
        {"target": "5%", "data_price": "$12/hour"},
        {"budget": "$50k", "data_price": "$12/hour"},
        {"target": "5%", "data_rate": "200h/week"},
        {"target": "5%", "have_data": "100h"},
    ],
)
def test_the_law_is_chosen_by_the_unit_of_a_price_or_a_pace(tmp_path, options):
    question = Question.of(selector=LawSelector(domain="speech", source="published"), **options)
    planned = plan(question, tmp_path, read_fleet(None), today=date.fromisoformat(TODAY))
    assert planned.estimate.law.id == "hestness2017-speech-ds2"


def test_an_answer_names_the_laws_that_are_outside_its_interval():
    record = value_record(published_law("sardana2023-refit-le100"), ["params=1e13", "data=1e16"])
    assert record["q05"] < record["value"] < record["q95"]
    outside = [other["law"] for other in record["others"] if other["value"] > record["q95"]]
    assert "besiroglu2024" in outside
    assert WarningCode.STUDIES_DISAGREE in {warning["code"] for warning in record["warnings"]}
    assert any("besiroglu2024" in note for note in value_report(published_law(record["law"]), record).notes)


def test_an_answer_by_standard_errors_says_where_another_study_would_be(tmp_path):
    question = Question.of(selector=LawSelector(law="besiroglu2024"), target="2.1", on="h100", count=256)
    planned = plan(question, tmp_path, read_fleet(None), today=date.fromisoformat(TODAY))
    low, high = between_studies("language", "loss").interval(
        2.1, value_at_center(published_law("besiroglu2024"))
    )
    assert any(f"{low:.3g}" in line and f"{high:.3g}" in line for line in answer(planned).remarks)


@pytest.mark.parametrize(
    ("given", "far"),
    [
        (["params=7e9", "data=4e12"], False),
        (["params=7e9", "data=14e12"], True),  # it measured up to 500 billion tokens
        (["params=1e12", "data=1e11"], True),  # and up to 16 billion parameters
    ],
)
def test_a_value_far_beyond_the_measurements_is_warned_of(given, far):
    law = published_law("besiroglu2024")
    codes = {warning["code"] for warning in value_record(law, given)["warnings"]}
    assert (WarningCode.EXTRAPOLATED_FAR in codes) == far


@pytest.mark.parametrize(("times", "far"), [(5, False), (20, True)])
def test_the_data_that_a_value_takes_is_warned_of_too(times, far):
    law = published_law("hestness2019-wordlm-curve")
    value = law.evaluate(data=times * law.measured[1])
    codes = {warning["code"] for warning in value_record(law, [f"value={value}"])["warnings"]}
    assert (WarningCode.EXTRAPOLATED_FAR in codes) == far
    assert WarningCode.EXTRAPOLATED_FAR not in {
        w["code"] for w in value_record(law, ["data=100x"])["warnings"]
    }
