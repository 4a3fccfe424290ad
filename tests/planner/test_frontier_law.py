"""Published compute-optimal frontiers answer estimates, and settings of a training come with its plan."""

from datetime import date

import pytest

from laws.catalog.between_studies import between_studies
from laws.catalog.published import all_laws, published_law
from laws.errors import LawError
from planner.hardware.fleet import read_fleet
from planner.lawmodel.frontier_law import frontier_scenario, is_frontier
from planner.lawmodel.selector import LawSelector
from planner.plans.plan import plan
from planner.plans.question import Question
from planner.plans.training_settings import training_settings, useful_devices
from planner.reports.answer import answer as answer_of
from planner.reports.training_settings import settings_record, settings_text
from tests.answers.questions import TODAY

FRONTIERS = [law for law in all_laws() if is_frontier(law)]


def planned(folder, selector, **options):
    question = Question.of(selector=selector, **options)
    return plan(question, folder, read_fleet(None), today=date.fromisoformat(TODAY))


def median(quantity):
    return quantity.interval().median


def test_the_frontier_of_llama_3_gives_its_405b_model(tmp_path):
    """Grattafiori et al. 2024, section 3.2.1: 402e9 parameters on 16.55e12 tokens at 3.8e25 FLOP."""
    answer = planned(tmp_path, LawSelector(law="llama3-allocation"), flops="3.8e25").estimate
    assert median(answer.data) == pytest.approx(16.55e12, rel=0.03)
    assert median(answer.params) == pytest.approx(402e9, rel=0.04)
    assert median(answer.flops) == pytest.approx(3.8e25)


def test_the_loss_is_that_of_the_companion_at_the_sizes_of_the_frontier(tmp_path):
    answer = planned(tmp_path, LawSelector(law="deepseek2024-D"), flops="1e22").estimate
    loss = published_law("besiroglu2024").evaluate(params=median(answer.params), data=median(answer.data))
    assert median(answer.error) == pytest.approx(loss)
    assert answer.law_model.companions["loss"] == "besiroglu2024"
    assert answer.law.metric == "loss"


@pytest.mark.parametrize("given", ["target", "data", "params"])
def test_a_frontier_answers_from_every_end(given, tmp_path):
    selector = LawSelector(law="hoffmann2022-frontier-a1")
    forward = planned(tmp_path, selector, flops="1e22").estimate
    values = {"target": forward.error, "data": forward.data, "params": forward.params}
    back = planned(tmp_path, selector, **{given: f"{median(values[given]):.12g}"}).estimate
    assert median(back.flops) == pytest.approx(1e22, rel=1e-6)


@pytest.mark.parametrize("law", FRONTIERS, ids=lambda law: law.id)
def test_more_compute_is_a_larger_model_more_data_and_less_loss(law):
    scenario = frontier_scenario(law)
    assert scenario.params is not None
    less, more = (scenario.scale_where(scenario.flops, flops) for flops in (1e20, 1e23))
    assert scenario.params(less) < scenario.params(more)
    assert less < more
    assert scenario.error(less) > scenario.error(more)
    assert scenario.flops(more) == pytest.approx(1e23, rel=1e-6)


def test_the_answer_says_how_far_other_studies_split_the_compute(tmp_path):
    planned_by = planned(tmp_path, LawSelector(law="llama3-allocation"), flops="1e22")
    low, high = between_studies("language", "params").interval(median(planned_by.estimate.params), None)
    assert low < published_law("hoffmann2022-frontier-a1").evaluate(flops=1e22) < high
    ends = planned_by.estimate.params.interval()
    assert (ends.q05, ends.q95) == (pytest.approx(low, rel=0.06), pytest.approx(high, rel=0.06))
    assert ends.median == pytest.approx(planned_by.estimate.params.draws[0])
    remarks = answer_of(planned_by).remarks
    assert any("besiroglu2024" in remark for remark in remarks)


def test_a_frontier_answers_only_where_it_is_named(tmp_path):
    answer = planned(tmp_path, LawSelector(domain="language", source="published"), flops="1e22").estimate
    named = {law.id for law in FRONTIERS}
    assert answer.law.id not in named
    assert not named & {law.id for law in answer.alternatives}


def test_a_law_of_a_setting_names_the_plan_that_it_belongs_to(tmp_path):
    with pytest.raises(LawError) as refused:
        planned(tmp_path, LawSelector(law="deepseek2024-lr"), flops="1e22")
    assert refused.value.code == "law-of-no-error"
    assert "--explain" in refused.value.hints[0].value


def test_settings_of_the_67b_model_of_deepseek(tmp_path):
    """DeepSeek-AI 2024: learning rate 3.2e-4 and batches of 4608 sequences of 4096 tokens."""
    answer = planned(tmp_path, LawSelector(law="besiroglu2024"), params="67B", data="2T")
    by_metric = {setting.metric: setting for setting in training_settings(answer)}
    rates, batches = (
        {r.law: r.value for r in by_metric[m].recommendations} for m in ("learning-rate", "batch")
    )
    assert rates["deepseek2024-lr"] == pytest.approx(3.2e-4, rel=0.02)
    assert batches["deepseek2024-batch"] == pytest.approx(4608 * 4096, rel=0.03)
    for setting in by_metric.values():
        assert setting.low <= setting.middle * (1 + 1e-9)
        assert setting.middle <= setting.high * (1 + 1e-9)
    assert settings_record(answer)["useful_devices"] is None


def test_the_critical_batch_bounds_the_devices(tmp_path):
    selector = LawSelector(law="besiroglu2024")
    few, many = (planned(tmp_path, selector, flops="1e22", on="h100", count=count) for count in (64, 4096))
    settings = training_settings(few)
    useful = useful_devices(few, settings)
    assert useful is not None
    critical = published_law("kaplan2020-bcrit").evaluate(loss=median(few.estimate.error))
    assert useful >= critical / 8192
    assert 64 < useful < 4096
    assert settings_record(many)["useful_devices"] == pytest.approx(useful)
    assert not any("critical batch" in remark for remark in answer_of(few).remarks)
    assert any("critical batch" in remark for remark in answer_of(many).remarks)


def test_plans_of_other_domains_have_no_settings_of_language_models(tmp_path):
    for selector, options in (
        (LawSelector(law="hestness2017-speech-ds2"), {"data": "1000h"}),
        (LawSelector(law="henighan2020-video-vq-nopt"), {"flops": "1e21"}),
    ):
        answer = planned(tmp_path, selector, **options)
        assert training_settings(answer) == ()
        assert settings_record(answer) == {}
        assert settings_text(answer) == []
