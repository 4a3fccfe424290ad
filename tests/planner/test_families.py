"""Several calibrated families: the best one answers in each posterior sample, and is named."""

import json
from dataclasses import replace

import pytest
from synthetic import ask, filled, passes, planner, power, size

from laws import paths
from laws.storage.records import content_id
from planner.lawmodel.allocation import AllocationConstraints
from planner.lawmodel.stored import law_model
from planner.plans.estimate import scales_for_target
from planner.plans.families import Candidate, best_of

TARGET = ("--target-wer", "8%")


def codes(answer):
    return {warning["code"] for warning in answer["warnings"]}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Return a store whose older family is better by a factor, in nearly all samples."""
    good = power(0.3, 0.3, 0.02, spread=0.03, family="good", seed=1)
    bad = power(0.4, 0.3, 0.02, spread=0.03, family="bad", seed=2)
    return filled(tmp_path_factory.mktemp("families") / "store", good, bad)


def test_the_better_family_answers_although_the_other_is_newer(store):
    answer = ask(store, *TARGET)
    assert answer["family"] == "good"
    assert sum(answer["families"].values()) == pytest.approx(1)
    assert answer["families"]["good"] > 0.9
    assert "newest-not-best" in codes(answer)
    alone = ask(store, *TARGET, "--family", "good")
    assert alone["families"] == {}
    assert "newest-not-best" not in codes(alone)
    assert answer["data"]["median"] == pytest.approx(alone["data"]["median"], rel=0.1)
    assert ask(store, *TARGET, "--family", "bad")["data"]["median"] > 1.5 * answer["data"]["median"]


def test_the_same_choice_for_every_question(store):
    for words in (
        ("--data", "100h"),
        (*TARGET, "--confidence", "80%"),
        ("--budget", "$1k", "--data-price", "$5/hour"),
    ):
        answer = ask(store, *words)
        assert answer["family"] == "good"
        assert "newest-not-best" in codes(answer)


def test_families_that_are_equal_share_the_probability_and_the_best_is_better_than_each(tmp_path):
    pair = [power(0.4, 0.3, 0.02, spread=0.1, family=name, seed=seed) for seed, name in enumerate("ab")]
    store = filled(tmp_path / "store", *pair)
    answer = ask(store, *TARGET)
    assert answer["families"]["a"] == pytest.approx(0.5, abs=0.12)
    for name in "ab":
        assert answer["data"]["median"] < ask(store, *TARGET, "--family", name)["data"]["median"]


def test_the_best_per_sample_is_the_minimum_of_paired_samples():
    models = [
        law_model(power(0.4, 0.3, 0.02, spread=0.2, family=name, seed=seed), AllocationConstraints())
        for seed, name in enumerate("abc")
    ]
    candidates = [Candidate(model, scales_for_target(model, 0.08)) for model in models]
    best = best_of(candidates, with_target=True)
    assert max(best.scales) <= max(max(one.scales) for one in candidates)
    for level in (0.05, 0.5, 0.95):
        least = min(paths.quantile(one.scales, level) for one in candidates)
        assert paths.quantile(best.scales, level) <= least
    for scenario, scale in zip(best.model.scenarios, best.scales, strict=True):
        assert scenario.error(scale) == pytest.approx(0.08, rel=1e-6)
    assert best_of(candidates, with_target=True) == best


def test_only_comparable_families_take_part(tmp_path):
    new = power(0.4, 0.3, 0.02, family="new")
    others = (
        power(0.2, 0.3, 0.02, family="fitted", source="fitted"),
        power(0.2, 0.3, 0.02, family="other corpus"),
        power(0.2, 0.3, 0.02, family="other unit", x_unit="characters"),
        power(0.2, 0.3, 0.02, family="other domain", domain="phone"),
    )
    changed = replace(others[1], provenance={"seed": "0", "fingerprint": "x"})
    laws = (others[0], replace(changed, id=content_id(changed)), *others[2:], new)
    answer = ask(filled(tmp_path / "store", *laws), *TARGET, "--domain", "speech")
    assert (answer["family"], answer["families"]) == ("new", {})


def test_a_family_without_compute_does_not_take_the_compute_away(tmp_path):
    full = (power(0.4, 0.3, 0.02, family="full"), size(2e4, 0.6, family="full"), passes(12, family="full"))
    answer = ask(
        filled(tmp_path / "store", power(0.2, 0.3, 0.02, family="bare"), *full), *TARGET, "--on", "h100"
    )
    assert answer["family"] == "full"
    assert answer["dollars"]["median"] > 0


def test_what_if_and_a_review_answer_by_it_too(store, tmp_path):
    cells = json.loads(planner("what-if", "--target-wer", "8%,9%", "--store", store, "--format", "json").out)
    assert all("newest-not-best" in codes(cell) for cell in cells)
    pytest.importorskip("matplotlib", reason="needs the extra `plot`")
    plan = tmp_path / "plan.toml"
    plan.write_text("today = 2026-11-23\n[[products]]\nname = 'A'\ndomain = 'speech'\ntarget = '8%'\n")
    ran = planner("review", plan, "--store", store, "--format", "json")
    (product,) = json.loads(ran.out)["products"]
    assert product["plan"]["family"] == "good", "a page computes with the most probable family"
    assert planner("review", plan, "--store", store, "--out", tmp_path / "page.html").code == 0
