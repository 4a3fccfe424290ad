"""Samples of published laws: the interval of a source or of other studies, around what the law says."""

import math
import statistics
from datetime import date

import pytest
from synthetic import planner

from laws import paths
from laws.catalog.between_studies import Spread, between_studies
from laws.catalog.published import published_law, published_laws
from laws.codes import WarningCode
from planner.hardware.fleet import read_fleet
from planner.lawmodel.allocation import AllocationConstraints
from planner.lawmodel.published import (
    answerable,
    differences_of,
    published_law_model,
    surface_of,
    surfaces_of,
    value_at_center,
)
from planner.lawmodel.published_samples import SAMPLES, sampled_parameters, study_differences
from planner.lawmodel.selector import LawSelector
from planner.plans.plan import plan
from planner.plans.question import Question
from planner.plans.resources import ASSUMPTION_SAMPLES
from planner.reports.answer import answer
from planner.reports.estimate_record import record
from planner.severity import short

LAWS = answerable(None, None)
TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Return a function that asks a published law, with an empty store."""
    folder = tmp_path_factory.mktemp("store")

    def asked(law, **options):
        question = Question.of(selector=LawSelector(law=law, source="published"), **options)
        return plan(question, folder, read_fleet(None), today=TODAY)

    return asked


def test_samples_repeat_without_a_rest_and_have_one_in_the_middle():
    assert ASSUMPTION_SAMPLES % SAMPLES == 0
    assert SAMPLES % 2 == 1


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.id)
def test_every_law_of_an_error_has_samples_around_itself(law):
    model = published_law_model(law, AllocationConstraints())
    assert len(model.scenarios) == SAMPLES
    data = (law.measured[1] or 1e10) * 3
    errors = [scenario.error(data) for scenario in model.scenarios]
    low, middle, high = (paths.quantile(errors, level) for level in (0.05, 0.5, 0.95))
    assert low < middle < high
    itself = model.scenarios[0].error(data)
    if law.covariance is None:
        assert middle == itself  # pairs of opposite sign keep the median, to the last bit
        targets = [model.scenarios[0].error(factor * data) for factor in (0.5, 20)]
        for target in targets:
            scales = [scenario.scale_for_error(target) for scenario in model.scenarios]
            assert paths.quantile(scales, 0.5) == pytest.approx(scales[0], rel=1e-12)
    else:
        assert middle == pytest.approx(itself, rel=0.005)


def test_another_study_has_the_interval_that_a_law_is_asked_for():
    """The interval of an answer is that of `laws ask`, but no study has an error that rises with data."""
    for law in LAWS:
        if law.covariance is not None:
            continue
        spread = between_studies(law.domain, law.metric)
        for times in (0.8, 1.0, 1.3):
            error = times * value_at_center(law)
            ends = spread.interval(error, value_at_center(law))
            others = [one.error(error) for one in differences_of(law)]
            half, exact = math.log(paths.quantile(others, 0.95) / error), math.log(ends[1] / error)
            assert 0.8 * exact < half < 1.1 * exact, law.id
            assert times != 1.0 or half == pytest.approx(exact, rel=0.09), law.id


def test_the_points_of_the_spiral_are_a_student_t():
    for freedom in (2.0, 5.0, 7.0):
        spread = Spread(kind="error", level=1e-3, ratio=1e-3, freedom=freedom, studies=())
        differences = study_differences(spread, 1.0)
        for values in ([d.level for d in differences], [d.exponent for d in differences]):
            assert sum(values) == pytest.approx(0, abs=1e-12)
            inside = sum(abs(value) <= 1e-3 * spread.quantile for value in values) / len(values)
            assert inside == pytest.approx(0.9, abs=0.03)
        levels, exponents = ([getattr(d, name) for d in differences] for name in ("level", "exponent"))
        ranks = statistics.correlation(*([sorted(v).index(x) for x in v] for v in (levels, exponents)))
        assert abs(ranks) < 0.1


def test_an_error_and_back_by_another_study():
    for one in differences_of(published_law("hoffmann2022-approach3-tex")):
        assert one.exponent > -1
        if abs(one.exponent) < 0.9:
            assert one.law_error(one.error(2.5)) == pytest.approx(2.5)


def test_samples_have_the_covariance_of_the_source():
    law = published_law("besiroglu2024")
    E, A, B, alpha, beta, *_ = surface_of(law)
    rows = sampled_parameters((E, math.log(A), alpha, math.log(B), beta), law.covariance)
    columns = list(zip(*rows, strict=True))
    for i, column in enumerate(columns):
        assert statistics.stdev(column) == pytest.approx(math.sqrt(law.covariance.matrix[i][i]), rel=0.1)
        for j in range(i):
            expected = law.covariance.matrix[i][j] / math.sqrt(
                law.covariance.matrix[i][i] * law.covariance.matrix[j][j]
            )
            assert statistics.correlation(column, columns[j]) == pytest.approx(expected, abs=0.12)
    for name, surface in (("E", "E"), ("a", "alpha"), ("b", "beta")):
        errors = statistics.stdev(getattr(one, surface) for one in surfaces_of(law))
        assert errors == pytest.approx(law.errors[name], rel=0.12)


def test_one_interval_has_its_source_and_json_names_it(ask):
    for id, source in (("besiroglu2024", "standard-errors"), ("kaplan2020-LD", "between-studies")):
        planned = ask(id, data="100B")
        content = record(planned)
        assert content["uncertainty"] == source
        assert source in content["assumption_codes"]
        assert source in {warning["code"] for warning in content["warnings"]}
        assert content["error"]["q05"] < content["error"]["median"] < content["error"]["q95"]
        assert any("intervals are" in remark for remark in answer(planned).remarks)


def test_a_probability_is_of_what_is_not_known(ask):
    """A budget at the median of the cost is kept in half of the samples, and the target is never certain."""
    money = ask("hestness2019-wordlm-curve", target="3", on="h100").cost.total.interval().median
    planned = ask("hestness2019-wordlm-curve", target="3", on="h100", budget=f"${money:.6g}")
    assert planned.feasible.probability == pytest.approx(0.5, abs=0.02)
    assert planned.estimate.probability_reachable < 1


def test_a_plan_with_a_confidence_is_larger(ask):
    middle = ask("hestness2019-wordlm-curve", target="3")
    sure = ask("hestness2019-wordlm-curve", target="3", confidence="80%")
    assert sure.estimate.data.draws[0] > middle.estimate.data.interval().median
    assert sure.estimate.probability_reachable == pytest.approx(0.8, abs=0.01)
    joint = ask("hoffmann2022-approach3-tex", target="2.3", confidence="80%")
    assert joint.estimate.probability_reachable == pytest.approx(0.8, abs=0.01)


def test_a_target_below_the_floor_of_the_law_may_be_above_that_of_others(ask):
    floor = published_law("hoffmann2022-approach3-tex").parameters["E"]
    planned = ask("hoffmann2022-approach3-tex", target=f"{0.95 * floor}")
    assert 0 < planned.estimate.probability_reachable < 0.5


def test_an_answer_names_another_law_outside_its_interval(ask):
    planned = ask("besiroglu2024", data="300B", params="7B")
    others = planned.other_laws
    outside = set(others.outside)
    assert outside
    assert WarningCode.STUDIES_DISAGREE in planned.warnings
    hoffmann = published_law("hoffmann2022-approach3-tex").evaluate(params=7e9, data=3e11)
    assert others.errors["hoffmann2022-approach3-tex"] == pytest.approx(hoffmann)
    first = next(iter(others.outside))
    assert any(first in remark and "besiroglu2024" in remark for remark in answer(planned).remarks)
    content = record(planned)["other_laws"]
    assert {law["law"] for law in content["laws"] if law["outside"]} == outside
    # the law of the data alone is of models as large as the data can use
    assert "kaplan2020-LD" not in others.errors


def test_laws_of_other_units_are_not_compared(ask):
    planned = ask("hestness2017-speech-ds2", data="10000h")
    assert set(planned.other_laws.errors) == {"hestness2017-speech-attention"}
    for law in published_laws("speech", "cer"):
        assert law.unit == "fraction"


@pytest.mark.parametrize(
    ("params", "data", "hours"),
    [("8.03B", "15T", 1.3e6), ("70.6B", "15T", 6.4e6), ("405B", "15.6T", 30.84e6)],
)
def test_the_hours_that_llama_3_took_are_in_the_interval(ask, params, data, hours):
    interval = ask("besiroglu2024", data=data, params=params, on="h100").resources.training.gpu_hours
    assert paths.quantile(interval, 0.05) < hours < paths.quantile(interval, 0.95)


def test_a_table_of_answers_says_what_its_intervals_are(tmp_path):
    words = ("what-if", "--source", "published", "--store", tmp_path / "none")
    table = planner(*words, "--domain", "word-lm", "--target-loss", "2.6,2.8").out
    assert short(WarningCode.BETWEEN_STUDIES) in " ".join(table.split())
    table = planner(*words, "--domain", "language", "--target-loss", "2.1,2.2").out
    assert short(WarningCode.STANDARD_ERRORS) in " ".join(table.split())
