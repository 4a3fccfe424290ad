"""The interval of a published law by how far studies differ, with each study left out in turn."""

import json

import pytest

from docs.generators.between_studies import FILE, coverage, questions, spread
from laws.catalog.between_studies import Spread, between_studies


def test_intervals_hold_the_points_of_a_study_that_was_left_out():
    every = questions()
    many = [name for name, q in every.items() if len(q.studies) >= 3 and "level" in q.compares]
    counts = [coverage(every, name) for name in many]
    inside, total = (sum(column) for column in zip(*counts, strict=True))
    assert len(counts) == 4
    assert 0.80 <= inside / total <= 0.95


def test_the_shipped_spreads_are_those_of_the_script():
    every = questions()
    shipped = json.loads(FILE.read_text(encoding="utf-8"))
    for name, question in every.items():
        row = spread(question.kind, every, name)
        assert shipped[name]["level"] == pytest.approx(row.level)
        assert shipped[name]["ratio"] == pytest.approx(row.ratio)


def test_an_interval_widens_with_the_distance_from_the_measured_range():
    row = Spread(kind="error", level=0.1, ratio=0.3, freedom=5.0, studies=())
    near, far = (row.interval(value, 2.0) for value in (1.9, 0.5))
    assert near[0] < 1.9 < near[1]
    assert far[1] / far[0] > near[1] / near[0]
    assert row.ratio_interval(0.5)[0] < 0.5 < row.ratio_interval(0.5)[1] <= 1.0


def test_a_question_without_two_studies_has_the_spread_of_its_kind():
    assert between_studies("language", "loss") != between_studies("video", "loss")
    assert between_studies("video", "loss") == between_studies("image", "error")
    assert between_studies("word-lm", "step-flops") is None
